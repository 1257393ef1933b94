//! The little of H.264 that the gateway reads: NAL unit types and what a sequence parameter set says of the picture.

use std::fmt::Write as _;

use h264_reader::nal::sps::{ChromaFormat, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};

/// Coded slice of an IDR picture: where a segment may start.
pub const NAL_IDR: u8 = 5;
/// Sequence parameter set.
pub const NAL_SPS: u8 = 7;
/// Picture parameter set.
pub const NAL_PPS: u8 = 8;
/// Access unit delimiter.
pub const NAL_AUD: u8 = 9;
/// Longest parameter set read, in bytes; real ones have under 100.
const MAX_SPS: usize = 1024;

/// What a sequence parameter set says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sps {
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping.
    pub height: u32,
    /// Frames per second, where the set has timing.
    pub frame_rate: Option<f64>,
    /// How samples are stored.
    pub pixels: PixelFormat,
}

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    /// Chroma subsampling: 400, 420, 422 or 444.
    pub chroma: u16,
    /// Bits a luma sample.
    pub bit_depth: u8,
}

/// The type of a NAL unit without start code; 0, which no unit has, for an empty one.
#[must_use]
pub fn nal_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1F)
}

/// RFC 6381 name of the codec a sequence parameter set asks for, such as `avc1.64001f`.
#[must_use]
pub fn codec_string(sps: &[u8]) -> Option<String> {
    let parameters = sps.get(1..4)?;
    let mut codec = String::from("avc1.");
    for byte in parameters {
        write!(codec, "{byte:02x}").ok()?;
    }
    Some(codec)
}

/// The ID of a parameter set: sets with the same type and ID replace each other.
#[must_use]
pub fn parameter_set_id(nal: &[u8]) -> Option<u32> {
    // An Exp-Golomb code: behind profile, constraints and level in an SPS, first in a PPS.
    let code = nal.get(if nal_type(nal) == NAL_SPS { 4.. } else { 1.. })?;
    let mut bits = [0; 4];
    let taken = code.len().min(4);
    bits[..taken].copy_from_slice(&code[..taken]);
    let bits = u32::from_be_bytes(bits);
    let zeros = bits.leading_zeros();
    (zeros < 15).then(|| (bits >> (31 - 2 * zeros)) - 1)
}

// === impl Sps ===

impl Sps {
    /// Reads a sequence parameter set NAL unit, without start code. `None` when it cannot be read: the stream may still
    /// be decodable.
    #[must_use]
    pub fn read(nal: &[u8]) -> Option<Self> {
        if nal_type(nal) != NAL_SPS || !(5..=MAX_SPS).contains(&nal.len()) {
            return None;
        }
        // Encoders understate their level, and h264-reader refuses pictures beyond it: read it as the highest.
        let mut nal = nal.to_vec();
        nal[3] = 62;
        let sps = SeqParameterSet::from_bits(RefNal::new(&nal, &[], true).rbsp_bits()).ok()?;
        let (width, height) = sps.pixel_dimensions().ok()?;
        if width == 0 || height == 0 {
            return None;
        }
        Some(Self {
            width,
            height,
            frame_rate: sps.fps().filter(|fps| (0.01..=1000.0).contains(fps)),
            pixels: PixelFormat {
                chroma: match sps.chroma_info.chroma_format {
                    ChromaFormat::Monochrome => 400,
                    ChromaFormat::YUV420 | ChromaFormat::Invalid(_) => 420,
                    ChromaFormat::YUV422 => 422,
                    ChromaFormat::YUV444 => 444,
                },
                bit_depth: sps.chroma_info.bit_depth_luma_minus8 + 8,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::sample::SPS_720P30;

    #[test]
    fn size_rate_and_codec_are_read() {
        let sps = Sps::read(SPS_720P30).expect("a set that can be read");
        assert_eq!((sps.width, sps.height), (1280, 720));
        assert_eq!(sps.frame_rate, Some(30.0));
        assert_eq!(
            sps.pixels,
            PixelFormat {
                chroma: 420,
                bit_depth: 8
            }
        );
        assert_eq!(codec_string(SPS_720P30).as_deref(), Some("avc1.64001f"));
        assert_eq!(parameter_set_id(SPS_720P30), Some(0));
    }

    #[test]
    fn an_understated_level_is_no_obstacle() {
        let mut sps = SPS_720P30.to_vec();
        sps[3] = 10;
        assert_eq!(Sps::read(&sps).map(|sps| sps.width), Some(1280));
    }

    #[test]
    fn ids_are_read_from_either_set() {
        assert_eq!(parameter_set_id(&[0x68, 0b1000_0000]), Some(0));
        assert_eq!(parameter_set_id(&[0x68, 0b0101_0000]), Some(1));
        assert_eq!(
            parameter_set_id(&[0x68, 0b0000_1000, 0b1000_0000]),
            Some(16)
        );
        assert_eq!(parameter_set_id(&[0x68]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_sets_do_not_panic(mut nal in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parameter_set_id(&nal);
            if let Some(first) = nal.first_mut() {
                *first = 0x67;
            }
            let _ = Sps::read(&nal);
        }

        #[test]
        fn damaged_sets_do_not_panic(at in 1..SPS_720P30.len(), bits in any::<u8>()) {
            let mut nal = SPS_720P30.to_vec();
            nal[at] ^= bits;
            let _ = Sps::read(&nal);
        }
    }
}
