//! A file as frames, and frames as records: nothing is believed before its checksum was right and its length within bounds.

use std::io::{self, BufRead, BufReader, Read};

use super::{Ending, MAX_FRAME};

/// The frames of one file.
pub(super) struct Frames<R: Read> {
    input: BufReader<R>,
    /// How the file ended, once it has.
    pub(super) ending: Option<Ending>,
}

/// Largest window a frame may ask for, as a power of two: 8 MiB.
const WINDOW: u32 = 23;

// === impl Frames ===

impl<R: Read> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            ending: None,
        }
    }

    /// The records of the next frame; `None` at the end, which [`Frames::ending`] then tells of.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.ending.is_some() {
            return None;
        }
        let ending = match self.read() {
            Ok(Some(records)) => return Some(records),
            Ok(None) => Ending::Whole,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ending::CutOff,
            Err(error) => Ending::Damaged(error.to_string()),
        };
        self.ending = Some(ending);
        None
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut decoder = zstd::stream::read::Decoder::with_buffer(&mut self.input)?.single_frame();
        decoder.window_log_max(WINDOW)?;
        let mut records = Vec::new();
        decoder.take(MAX_FRAME + 1).read_to_end(&mut records)?;
        if records.len() as u64 > MAX_FRAME {
            return Err(io::Error::other(
                "a frame is larger than any recorder writes",
            ));
        }
        Ok(Some(records))
    }
}

/// The first record of `records`, and the rest; `None` when its length is not there.
pub(super) fn record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = records.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
