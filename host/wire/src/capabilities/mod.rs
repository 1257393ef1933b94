//! Capabilities: what a job needs and an orchestrator has, as bit sets.
//!
//! # Contract
//!
//! A job's set is made once a stream ([`TranscodeJob::capabilities`]) and sent with GetOrchestrator and with every
//! segment. [`compatible`] is the test that an orchestrator itself makes of a segment, done before it is asked, and says
//! *why* one does not fit: an operator who sees "needs segment slicing" can act, one who sees "incompatible" cannot.

mod compatible;
mod job;
mod set;

#[cfg(test)]
mod tests;

pub use compatible::{Incompatible, compatible, meets_minimum};
pub use job::{Codec, PixelFormat, PixelFormatError, Storage, TranscodeJob};
pub use set::Set;

use crate::net;

/// A capability known by name. Numbers are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Capability {
    /// H.264 in and out.
    H264 = 0,
    /// MPEG-TS output.
    MpegTs = 1,
    /// MP4 output.
    Mp4 = 2,
    /// Frame rates with a denominator.
    FractionalFramerates = 3,
    /// Results in bodies and from its own memory.
    StorageDirect = 4,
    /// Results into the gateway's S3.
    StorageS3 = 5,
    /// Results into the gateway's Google storage.
    StorageGcs = 6,
    /// H.264 baseline.
    ProfileH264Baseline = 7,
    /// H.264 main.
    ProfileH264Main = 8,
    /// H.264 high.
    ProfileH264High = 9,
    /// H.264 constrained high.
    ProfileH264ConstrainedHigh = 10,
    /// A distance of key frames.
    Gop = 11,
    /// Sessions by token.
    AuthToken = 12,
    /// No longer used.
    SceneClassification = 13,
    /// Perceptual hashes.
    Mpeg7Signature = 14,
    /// HEVC in.
    HevcDecode = 15,
    /// HEVC out.
    HevcEncode = 16,
    /// VP8 in.
    Vp8Decode = 17,
    /// VP9 in.
    Vp9Decode = 18,
    /// VP8 out.
    Vp8Encode = 19,
    /// VP9 out.
    Vp9Encode = 20,
    /// H.264 4:4:4 8 bit in.
    H264Decode444At8 = 21,
    /// H.264 4:2:2 8 bit in.
    H264Decode422At8 = 22,
    /// H.264 4:4:4 10 bit in.
    H264Decode444At10 = 23,
    /// H.264 4:2:2 10 bit in.
    H264Decode422At10 = 24,
    /// H.264 4:2:0 10 bit in.
    H264Decode420At10 = 25,
    /// Parts of a segment.
    SegmentSlicing = 26,
    /// Text to image.
    TextToImage = 27,
    /// Image to image.
    ImageToImage = 28,
    /// Image to video.
    ImageToVideo = 29,
    /// Upscale.
    Upscale = 30,
    /// Audio to text.
    AudioToText = 31,
    /// Segment anything 2.
    SegmentAnything2 = 32,
    /// Large language models.
    Llm = 33,
    /// Image to text.
    ImageToText = 34,
    /// Live video to video.
    LiveVideoToVideo = 35,
    /// Text to speech.
    TextToSpeech = 36,
    /// Bring your own container.
    Byoc = 37,
}

/// Every capability with its name, by number.
pub const ALL: [(Capability, &str); 38] = [
    (Capability::H264, "H.264"),
    (Capability::MpegTs, "MPEGTS"),
    (Capability::Mp4, "MP4"),
    (Capability::FractionalFramerates, "Fractional framerates"),
    (Capability::StorageDirect, "Storage direct"),
    (Capability::StorageS3, "Storage S3"),
    (Capability::StorageGcs, "Storage GCS"),
    (Capability::ProfileH264Baseline, "H264 Baseline profile"),
    (Capability::ProfileH264Main, "H264 Main profile"),
    (Capability::ProfileH264High, "H264 High profile"),
    (
        Capability::ProfileH264ConstrainedHigh,
        "H264 Constrained High profile",
    ),
    (Capability::Gop, "GOP"),
    (Capability::AuthToken, "Auth token"),
    (Capability::SceneClassification, "Scene classification"),
    (Capability::Mpeg7Signature, "MPEG7 signature"),
    (Capability::HevcDecode, "HEVC decode"),
    (Capability::HevcEncode, "HEVC encode"),
    (Capability::Vp8Decode, "VP8 decode"),
    (Capability::Vp9Decode, "VP9 decode"),
    (Capability::Vp8Encode, "VP8 encode"),
    (Capability::Vp9Encode, "VP9 encode"),
    (Capability::H264Decode444At8, "H264 decode YUV444 8-bit"),
    (Capability::H264Decode422At8, "H264 decode YUV422 8-bit"),
    (Capability::H264Decode444At10, "H264 decode YUV444 10-bit"),
    (Capability::H264Decode422At10, "H264 decode YUV422 10-bit"),
    (Capability::H264Decode420At10, "H264 decode YUV420 10-bit"),
    (Capability::SegmentSlicing, "Segment slicing"),
    (Capability::TextToImage, "Text to image"),
    (Capability::ImageToImage, "Image to image"),
    (Capability::ImageToVideo, "Image to video"),
    (Capability::Upscale, "Upscale"),
    (Capability::AudioToText, "Audio to text"),
    (Capability::SegmentAnything2, "Segment anything 2"),
    (Capability::Llm, "Llm"),
    (Capability::ImageToText, "Image to text"),
    (Capability::LiveVideoToVideo, "Live video to video"),
    (Capability::TextToSpeech, "Text to speech"),
    (Capability::Byoc, "BYOC"),
];

/// The name of a capability's number.
#[must_use]
pub fn name(number: u32) -> Option<&'static str> {
    ALL.get(number as usize).map(|&(_, name)| name)
}

/// What every orchestrator advertises: 0 to 12, perceptual hashes and segment slicing.
#[must_use]
pub fn orchestrator_default() -> Set {
    (0..=12).chain([14, 26]).collect()
}

/// What an orchestrator that sends no capabilities is taken to have: 0 to 11, frozen.
#[must_use]
pub fn legacy() -> Set {
    (0..=11).collect()
}

/// The message that an orchestrator of `version` answers with: its set and a capacity of 1 for each.
#[must_use]
pub fn advertisement(set: &Set, version: &str) -> net::Capabilities {
    net::Capabilities {
        bitstring: set.words().to_vec(),
        mandatories: Vec::new(),
        capacities: set.iter().map(|number| (number, 1)).collect(),
        version: version.to_owned(),
        constraints: Some(net::capabilities::Constraints {
            min_version: version.to_owned(),
            ..Default::default()
        }),
    }
}

// === impl Capability ===

impl Capability {
    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL[self as usize].1
    }
}
