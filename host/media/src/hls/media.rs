//! The text of a media playlist.

use std::fmt::Write as _;

use bytes::Bytes;

use super::Number;
use super::timeline::{Item, Listed, Renditions, Timeline};

/// Which playlist of a stream: 0 the source, then the renditions in configured order.
pub(super) type Track = usize;

/// Renders what `track` lists; `name` is its encoded name, `ended` whether nothing will follow.
///
/// The version never changes, since a playlist may only grow and slide (RFC 8216 §6.2.1). Renditions say 8, which
/// older validators want of `EXT-X-GAP`; the source never has a gap and says 3 as go-livepeer does.
pub(super) fn render(timeline: &Timeline, track: Track, name: &str, ended: bool) -> Bytes {
    let listed = listed(timeline, track);
    let items = || timeline.items(listed);
    let removed = items().next().map_or(0, |item| {
        item.discontinuities - u64::from(item.discontinuity)
    });
    let mut text = String::with_capacity(160 + 160 * items().count());
    let _ = write!(
        text,
        "#EXTM3U\n\
         #EXT-X-VERSION:{}\n\
         #EXT-X-TARGETDURATION:{}\n\
         #EXT-X-MEDIA-SEQUENCE:{}\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:{removed}\n\
         #EXT-X-INDEPENDENT-SEGMENTS\n",
        if track == 0 { 3 } else { 8 },
        timeline.target(),
        listed.from,
    );
    for item in items() {
        write_item(&mut text, item, track, name);
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    Bytes::from(text)
}

fn write_item(text: &mut String, item: &Item, track: Track, name: &str) {
    if item.discontinuity {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    if bytes(item, track).is_none() {
        text.push_str("#EXT-X-GAP\n");
    }
    let _ = write!(
        text,
        "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{}.{:03},\n{name}/{}.ts\n",
        humantime::format_rfc3339_millis(item.date),
        item.millis / 1000,
        item.millis % 1000,
        item.number.0,
    );
}

/// The positions that `track` lists.
pub(super) fn listed(timeline: &Timeline, track: Track) -> Listed {
    if track == 0 {
        timeline.source()
    } else {
        timeline.renditions()
    }
}

/// The bytes of a segment, listed or just removed from the list. None: a gap, or not there.
pub(super) fn segment(timeline: &Timeline, track: Track, number: Number) -> Option<Bytes> {
    bytes(timeline.find(number)?, track).cloned()
}

fn bytes(item: &Item, track: Track) -> Option<&Bytes> {
    let Some(rendition) = track.checked_sub(1) else {
        return Some(&item.source);
    };
    match &item.renditions {
        Renditions::Awaited(_) => None,
        Renditions::Listed(renditions) => renditions.get(rendition)?.as_ref(),
    }
}
