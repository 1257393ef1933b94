//! Boxes of ISO base media files, and numbers in them.

/// Most boxes looked at in a file, so that one of nothing but boxes costs little.
const MAX_BOXES: usize = 20_000;

/// A walk over boxes.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    seen: usize,
    /// A box reached past the end of what holds it.
    pub(super) cut_short: bool,
}

// === impl Boxes ===

impl Boxes {
    /// Takes the next box off the front: its name and body.
    pub(super) fn next<'a>(&mut self, rest: &mut &'a [u8]) -> Option<([u8; 4], &'a [u8])> {
        let (head, tail) = rest.split_first_chunk::<8>()?;
        self.seen += 1;
        if self.seen > MAX_BOXES {
            return None;
        }
        let name = [head[4], head[5], head[6], head[7]];
        let (header, length) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => (8, rest.len() as u64), // to the end of the file
            1 => {
                let large = tail.first_chunk().copied();
                (16, large.map_or(u64::MAX, u64::from_be_bytes))
            }
            length => (8, u64::from(length)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.cut_short |= length < header || length > rest.len();
        let header = header.min(rest.len());
        let (this, next) = rest.split_at(length.clamp(header, rest.len()));
        *rest = next;
        Some((name, &this[header..]))
    }
}

pub(super) fn number(body: &[u8], offset: usize) -> Option<u32> {
    at(body, offset).map(u32::from_be_bytes)
}

pub(super) fn at<const N: usize>(body: &[u8], offset: usize) -> Option<[u8; N]> {
    body.get(offset..)?.first_chunk().copied()
}
