//! MPEG transport streams: writing segments.
//!
//! # Contract
//!
//! [`Mux`] appends packets to a buffer of the caller's, so that a segment is built in place and copied nowhere. A
//! segment begins with [`Mux::begin`] (PAT and PMT) and is playable by itself: every access unit opens with a
//! delimiter, every IDR picture carries its parameter sets and the random access mark. One `Mux` serves a stream for its
//! whole life, because continuity counters run on from segment to segment.
//!
//! PIDs and stream types: PMT 0x1000, video 0x100 (0x1B), audio 0x101 (0x0F). Times are written modulo 2^33.
//!
//! # Why by hand
//!
//! The mpeg2ts crate writes packet by packet through a `Write` of its own types: the payload has to be cut up and
//! copied into a 184-byte array first, and PES splitting, stuffing of the last packet, continuity and PCR policy are
//! the caller's all the same. What is left to it is a header of four bytes. Here the NAL units of the publisher's message
//! go straight into the segment. The result is checked with mpeg2ts-reader and ffprobe.

mod mux;
mod packet;
mod tables;

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;

pub use mux::Mux;

/// Bytes of a packet.
pub const PACKET: usize = 188;
/// First byte of every packet.
pub const SYNC: u8 = 0x47;

/// PID of the program map table.
pub(crate) const PMT_PID: u16 = 0x1000;
/// PID of video and of the clock reference.
pub(crate) const VIDEO_PID: u16 = 0x100;
/// PID of audio.
pub(crate) const AUDIO_PID: u16 = 0x101;
/// PID of the program association table.
pub(crate) const PAT_PID: u16 = 0;

/// Stream type of H.264.
pub(crate) const TYPE_H264: u8 = 0x1B;
/// Stream type of AAC in ADTS.
pub(crate) const TYPE_AAC: u8 = 0x0F;
