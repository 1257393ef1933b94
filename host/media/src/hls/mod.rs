//! HLS: the playlists and segments of one live stream, from what the publisher sends and what orchestrators return.
//!
//! # Contract
//!
//! [`Playout`] is a state machine without I/O and without a clock: every call that can change it takes `now`. Source
//! segments are announced with [`Playout::source`], their renditions settled with [`Playout::done`] or
//! [`Playout::failed`]; [`Playout::expire`] is called no later than [`Playout::next_deadline`] says. What can be read
//! is always complete and consistent: a listed URI can be fetched, a media sequence never goes back, nothing is
//! inserted before something already served. Whatever is announced, unless refused, is settled by its hard deadline: a
//! failed or late segment is a gap, never a stall. Memory is bounded by [`Config::keep`] segments a playlist and
//! [`Config::in_flight`] announced ones, and by [`Config::bytes`] of all of them. Paths are go-livepeer's:
//!
//! ```text
//! /stream/{name}.m3u8                     Playout::master     lists {name}/{rendition}.m3u8
//! /stream/{name}/{rendition}.m3u8         Playout::media      lists {rendition}/{number}.ts
//! /stream/{name}/{rendition}/{number}.ts  Playout::segment    `source` is a rendition too
//! ```
//!
//! URIs are relative, so that a proxy may add a prefix.
//!
//! # One timeline
//!
//! A segment has one position, duration, date and discontinuity number, the same in every playlist: RFC 8216 §6.2.4
//! asks for it, and players align variants by it. So a discontinuity belongs to a position, not to a rendition, and
//! must be known when the position is first listed anywhere. Hence the source is **one segment ahead** of the
//! renditions and no more: position n+1 is listed once the renditions of n are settled, and then it is known whether n
//! left a gap.
//! While transcoding takes less than a segment the source waits for nothing; when every orchestrator hangs it lags by
//! the hard deadline, once, not per segment. The same paragraph of the RFC allows variants to differ by one target
//! duration at the end, which this is.
//!
//! # Gaps
//!
//! A missing rendition is `EXT-X-GAP` with its URI and duration, so times do not shift. The next orchestrator may
//! have another encoder, other parameter sets, another distance between DTS and PTS; the position after the gap
//! therefore carries `EXT-X-DISCONTINUITY`, in every playlist. A run of gaps needs only one between the last good
//! segment and the next, and has one: at the run's second position. Otherwise an hour without orchestrators would be
//! a decoder reset every two seconds for those who watch the source. A result that comes after its gap was listed is
//! [`Late`] and is not listed: players have already passed it. A swap of orchestrators without a gap is not marked,
//! since the position is listed before anyone knows who will transcode it; every rendition segment carries its own
//! tables, parameter sets and IDR.
//!
//! # Numbers that are out of order, missing, repeated or begun anew
//!
//! A number that was not announced (HTTP push) holds its successors back only for [`Config::reorder`], by default a
//! target duration: a pusher uploads a segment while it makes the next, so two uploads overtake each other by less than
//! that as long as the uplink sustains the stream. After that the number is absent: it has no position, the next one
//! carries a discontinuity, and its own late arrival is refused. RTMP numbers have no holes and never wait.
//! A repeat with the same bytes is another attempt at the same segment. Other bytes under a number already listed, or
//! a number further back than any straggler, are a publisher that began anew: it goes on after the last position with
//! a discontinuity, under numbers that were not used yet. (go-livepeer leaves such a stream dead until it expires.)
//!
//! # Target duration
//!
//! It is the larger of the configured one and the segments listed before the first playlist was read. The RFC wants it
//! constant *and* no segment longer. A live encoder can break the second at any time, and then one of the two must
//! give: we raise it, once per new longest segment, and log it. Left too small, every joining player would read an
//! invalid playlist and reload it too early for as long as the encoder keeps its habit; a raise is met once, by the
//! players already there, which read the tag on every reload.
//!
//! # MP4
//!
//! Pushed `.mp4` segments are answered to the pusher but not listed: they are whole files without fragments, and
//! a playlist of them (go-livepeer makes one) cannot be played.

mod config;
mod contents;
mod facts;
mod ladder;
mod media;
mod numbering;
mod outcome;
mod playout;
mod segment;
mod timeline;
mod uri;
mod waiting;

pub use config::{Config, ConfigError, RenditionSpec, SOURCE};
pub use contents::{PLAYLIST_TYPE, container, extension, segment_type};
pub use playout::{Counts, Late, Playout, Refused};
pub use segment::{
    Codec, Deadlines, Facts, FrameRate, Number, RenditionSegment, Size, SourceSegment,
};
