//! AVC video tags: configuration records and length-prefixed NAL units.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::{Error, four_cc};
use crate::h264::{self, NAL_AUD, NAL_IDR, NAL_PPS, NAL_SPS, Sps, nal_type, parameter_set_id};

/// Most NAL units in one picture: 1080p in one slice a macroblock row has 68.
const MAX_NALS: usize = 1024;
/// Most bytes of parameter sets kept.
const MAX_SETS: usize = 16 * 1024;
/// Most distinct parameter sets kept.
const MAX_SET_COUNT: usize = 64;
/// Longest composition time taken, in ms. Sixteen reordered frames at 2 a second are 8 s.
const MAX_COMPOSITION: i32 = 10_000;

/// The parameter sets of a video track, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoConfig {
    /// Sequence parameter set NAL units, never empty of content.
    pub sps: Vec<Bytes>,
    /// Picture parameter set NAL units.
    pub pps: Vec<Bytes>,
    /// What the first sequence parameter set says; `None` when it cannot be read.
    pub picture: Option<Sps>,
    /// RFC 6381, such as `avc1.64001f`.
    pub codec: String,
}

/// One video tag body.
#[derive(Debug)]
pub(super) enum Tag {
    /// An AVCDecoderConfigurationRecord.
    Config(Bytes),
    /// Length-prefixed NAL units.
    Units {
        /// Milliseconds from decoding to presentation.
        composition: i32,
        data: Bytes,
    },
}

/// A video track after its first header.
#[derive(Debug)]
pub(super) struct Stream {
    /// Bytes of a NAL unit's length: 1 to 4.
    length_size: usize,
    config: Arc<VideoConfig>,
}

// === impl Tag ===

impl Tag {
    /// `None` for what carries no media: end of sequence, seek marks.
    pub(super) fn read(body: &Bytes) -> Result<Option<Self>, Error> {
        let Some(&first) = body.first() else {
            return Err(Error::Malformed("an empty video tag"));
        };
        if first & 0x80 != 0 {
            return Err(Error::VideoCodec(four_cc(body.get(1..5))));
        }
        let codec = match first & 0x0F {
            7 => None,
            2 => Some("Sorenson H.263".to_owned()),
            3 | 6 => Some("Screen video".to_owned()),
            4 | 5 => Some("VP6".to_owned()),
            12 => Some("HEVC".to_owned()),
            13 => Some("AV1".to_owned()),
            other => Some(format!("number {other}")),
        };
        if let Some(codec) = codec {
            return Err(Error::VideoCodec(codec));
        }
        if first >> 4 == 5 {
            return Ok(None);
        }
        let Some(&[_, packet, high, middle, low]) = body.first_chunk() else {
            return Err(Error::Malformed("a video tag cut short"));
        };
        let data = body.slice(5..);
        match packet {
            0 => Ok(Some(Self::Config(data))),
            1 => {
                let composition = i32::from_be_bytes([high, middle, low, 0]) >> 8;
                if !(-MAX_COMPOSITION..=MAX_COMPOSITION).contains(&composition) {
                    return Err(Error::Malformed("a composition time over 10 s"));
                }
                Ok(Some(Self::Units { composition, data }))
            }
            2 => Ok(None),
            _ => Err(Error::Malformed("an AVC packet of unknown type")),
        }
    }
}

// === impl Stream ===

impl Stream {
    pub(super) fn new(record: &Bytes) -> Result<Self, Error> {
        let (length_size, sets) = read_record(record)?;
        Ok(Self {
            length_size,
            config: Arc::new(VideoConfig::new(&sets)?),
        })
    }

    /// A later header: most repeat the first one.
    pub(super) fn reconfigure(&mut self, record: &Bytes) -> Result<(), Error> {
        let new = Self::new(record)?;
        self.length_size = new.length_size;
        if *self.config != *new.config {
            self.config = new.config;
        }
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<VideoConfig> {
        Arc::clone(&self.config)
    }

    /// Splits a picture into its NAL units; says whether it is an IDR picture. `None` when there is no picture in it:
    /// some encoders send parameter sets by themselves.
    pub(super) fn units(&mut self, data: &Bytes) -> Result<Option<(Vec<Bytes>, bool)>, Error> {
        let nals = split(data, self.length_size)?;
        let has = |types: fn(u8) -> bool| nals.iter().any(|nal| types(nal_type(nal)));
        let idr = has(|kind| kind == NAL_IDR);
        let in_band = has(|kind| matches!(kind, NAL_SPS | NAL_PPS));
        if in_band {
            self.adopt(&nals)?;
        }
        if !has(|kind| matches!(kind, 1..=NAL_IDR)) {
            return Ok(None);
        }
        let mut nals = nals;
        if idr && in_band {
            nals.retain(|nal| !matches!(nal_type(nal), NAL_SPS | NAL_PPS));
        }
        Ok(Some((nals, idr)))
    }

    /// Parameter sets within the stream replace those of the same type and ID.
    fn adopt(&mut self, nals: &[Bytes]) -> Result<(), Error> {
        let mut sets: Vec<Bytes> = [&self.config.sps[..], &self.config.pps[..]].concat();
        let is_set = |nal: &&Bytes| matches!(nal_type(nal), NAL_SPS | NAL_PPS);
        for nal in nals.iter().filter(is_set) {
            let key = |nal: &[u8]| (nal_type(nal), parameter_set_id(nal));
            match sets.iter().position(|set| key(set) == key(nal)) {
                Some(at) if sets[at] == nal => {}
                Some(at) => sets[at] = nal.clone(),
                None => sets.push(nal.clone()),
            }
        }
        let known = self.config.sps.iter().chain(&self.config.pps);
        if !sets.iter().eq(known) {
            self.config = Arc::new(VideoConfig::new(&sets)?);
        }
        Ok(())
    }
}

// === impl VideoConfig ===

impl VideoConfig {
    fn new(sets: &[Bytes]) -> Result<Self, Error> {
        let size: usize = sets.iter().map(Bytes::len).sum();
        if size > MAX_SETS || sets.len() > MAX_SET_COUNT {
            return Err(Error::Malformed("too many parameter sets"));
        }
        // Copied: a slice would hold on to the whole message.
        let copy = |kind| {
            let of_kind = sets.iter().filter(move |set| nal_type(set) == kind);
            of_kind.map(|set| Bytes::copy_from_slice(set)).collect()
        };
        let (sps, pps): (Vec<Bytes>, Vec<Bytes>) = (copy(NAL_SPS), copy(NAL_PPS));
        let Some(codec) = sps.first().and_then(|sps| h264::codec_string(sps)) else {
            return Err(Error::Malformed(
                "a video header without sequence parameter set",
            ));
        };
        Ok(Self {
            picture: sps.first().and_then(|sps| Sps::read(sps)),
            sps,
            pps,
            codec,
        })
    }
}

/// Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) up to its picture parameter sets; what follows
/// them is written wrongly too often to be judged.
fn read_record(record: &Bytes) -> Result<(usize, Vec<Bytes>), Error> {
    const SHORT: Error = Error::Malformed("a video header cut short");
    let mut record = record.clone();
    let Some(&[1, _, _, _, length_size, sps_count]) = record.first_chunk() else {
        return Err(Error::Malformed("a video header of unknown version"));
    };
    record.advance(6);
    let mut sets = Vec::new();
    let mut read_sets = |count: u8, record: &mut Bytes| {
        for _ in 0..count {
            let length = usize::from(record.try_get_u16().map_err(|_| SHORT)?);
            if record.len() < length {
                return Err(SHORT);
            }
            sets.push(record.split_to(length));
        }
        Ok(())
    };
    read_sets(sps_count & 0x1F, &mut record)?;
    let pps_count = record.try_get_u8().map_err(|_| SHORT)?;
    read_sets(pps_count, &mut record)?;
    Ok((usize::from(length_size & 3) + 1, sets))
}

/// Splits length-prefixed units; delimiters, filler and end marks are left out.
fn split(data: &Bytes, length_size: usize) -> Result<Vec<Bytes>, Error> {
    let mut nals = Vec::with_capacity(4);
    let mut at = 0;
    while at < data.len() {
        let Some(prefix) = data.get(at..at + length_size) else {
            return Err(Error::Malformed("a NAL unit length cut short"));
        };
        let length = prefix
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        at += length_size;
        if data.len() - at < length {
            return Err(Error::Malformed("a NAL unit longer than its tag"));
        }
        let unit = data.slice(at..at + length);
        at += length;
        if !matches!(nal_type(&unit), 0 | NAL_AUD..=12) {
            if nals.len() == MAX_NALS {
                return Err(Error::Malformed("over 1024 NAL units in a picture"));
            }
            nals.push(unit);
        }
    }
    Ok(nals)
}
