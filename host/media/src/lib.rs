//! Media formats: RTMP in, segments out, and what a segment holds.
//!
//! # Contract
//!
//! Everything here is without I/O: bytes go in, events, segments and facts come out. Sockets, clocks and files are
//! the gateway's. Nothing here knows what an orchestrator is. All input is hostile: no function panics on it, no
//! allocation is sized by a length that was not verified, and every state has a bound that its module states.
//!
//! The way of a live stream:
//!
//! ```text
//! socket ─► rtmp::Session ─► flv::Reader ─► segmenter::Segmenter (ts::Mux) ─► Segment
//!                  └► name::StreamPath: what the publisher calls the stream
//! HTTP push ─► probe::probe          rendition ─► probe::check_rendition
//! ```
//!
//! Media is copied twice: from the read buffer into its RTMP message, and from there into the TS packets. Between the
//! two, access units are slices of the message.

#![forbid(unsafe_code)]

pub mod flv;
pub mod h264;
pub mod hls;
pub mod name;
pub mod probe;
pub mod rtmp;
pub mod segmenter;
pub mod ts;

#[cfg(test)]
mod sample;
