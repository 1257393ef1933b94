//! AAC audio tags, and time by sample count.

use std::sync::Arc;

use bytes::Bytes;

use super::{Error, TICKS, TICKS_PER_MS, four_cc};

/// Sampling frequencies by index (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// Samples a channel and frame.
const SAMPLES: i64 = 1024;
/// Longest raw frame: ADTS counts header and frame in 13 bits.
const MAX_FRAME: usize = 0x1FFF - ADTS_HEADER;
/// Bytes of an ADTS header without checksum.
const ADTS_HEADER: usize = 7;
/// How far the sample count may stray from the RTMP timestamp.
const DRIFT: i64 = 40 * TICKS_PER_MS;

/// What an AudioSpecificConfig says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// RFC 6381, such as `mp4a.40.2`; HE-AAC keeps its own number here.
    pub codec: String,
    /// Hz, of the core coder: HE-AAC plays at twice that.
    pub sample_rate: u32,
    /// Channel configuration, 1 to 7; 7 is 7.1.
    pub channels: u8,
    /// Audio object type of the core coder, 1 to 4.
    object_type: u8,
    rate_index: u8,
}

/// One audio tag body.
#[derive(Debug)]
pub(super) enum Tag {
    Config(AudioConfig),
    Frame(Bytes),
}

/// An audio track after its first header.
#[derive(Debug)]
pub(super) struct Stream {
    config: Arc<AudioConfig>,
    /// Where the sample count starts: epoch, time, frames since.
    anchor: Option<(u32, i64, i64)>,
}

// === impl Tag ===

impl Tag {
    pub(super) fn read(body: &Bytes) -> Result<Self, Error> {
        let Some(&first) = body.first() else {
            return Err(Error::Malformed("an empty audio tag"));
        };
        let codec = match first >> 4 {
            10 => None,
            9 => Some(four_cc(body.get(1..5))),
            0 | 3 => Some("PCM".to_owned()),
            1 => Some("ADPCM".to_owned()),
            2 | 14 => Some("MP3".to_owned()),
            4..=6 => Some("Nellymoser".to_owned()),
            7 | 8 => Some("G.711".to_owned()),
            11 => Some("Speex".to_owned()),
            other => Some(format!("number {other}")),
        };
        if let Some(codec) = codec {
            return Err(Error::AudioCodec(codec));
        }
        match body.get(1) {
            Some(0) => Ok(Self::Config(AudioConfig::read(&body[2..])?)),
            Some(1) => match body.len() - 2 {
                0 => Err(Error::Malformed("an empty AAC frame")),
                1..=MAX_FRAME => Ok(Self::Frame(body.slice(2..))),
                _ => Err(Error::Malformed("an AAC frame over 8184 bytes")),
            },
            _ => Err(Error::Malformed("an AAC packet of unknown type")),
        }
    }
}

// === impl AudioConfig ===

impl AudioConfig {
    /// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) as far as ADTS needs it.
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits { bytes, at: 0 };
        let announced = bits.object_type()?;
        let (mut rate_index, mut sample_rate) = bits.rate()?;
        let channels = bits.take(4)?;
        let mut object_type = announced;
        if matches!(announced, 5 | 29) {
            // HE-AAC: the first rate is the core coder's, then come the output rate and the core's type.
            bits.rate()?;
            object_type = bits.object_type()?;
        }
        if !(1..=4).contains(&object_type) {
            return Err(Error::Aac("an object type that ADTS cannot name"));
        }
        if rate_index == 15 {
            let known = RATES.iter().position(|&rate| rate == sample_rate);
            rate_index = known.ok_or(Error::Aac("an unusual sampling rate"))? as u32;
        }
        if let Some(&rate) = RATES.get(rate_index as usize) {
            sample_rate = rate;
        } else {
            return Err(Error::Aac("an unknown sampling rate"));
        }
        match channels {
            0 => return Err(Error::Aac("a channel layout of its own (configuration 0)")),
            1..=7 => {}
            _ => return Err(Error::Aac("more than 7.1 channels")),
        }
        if bits.take(1) == Ok(1) {
            return Err(Error::Aac("frames of 960 samples"));
        }
        Ok(Self {
            codec: format!("mp4a.40.{announced}"),
            sample_rate,
            channels: channels as u8,
            object_type: object_type as u8,
            rate_index: rate_index as u8,
        })
    }

    /// How long a frame lasts, 90 kHz, rounded down.
    pub(crate) fn frame_ticks(&self) -> i64 {
        SAMPLES * TICKS / i64::from(self.sample_rate)
    }

    /// The ADTS header (ISO/IEC 14496-3, 1.A.2.2, MPEG-4, no checksum) of a raw frame of `length` bytes.
    ///
    /// `length` is at most 8184, as [`AudioFrame`](super::AudioFrame)s are.
    #[must_use]
    pub fn adts_header(&self, length: usize) -> [u8; ADTS_HEADER] {
        let length = (length + ADTS_HEADER) as u16 & 0x1FFF;
        [
            0xFF,
            0xF1,
            (self.object_type - 1) << 6 | self.rate_index << 2 | self.channels >> 2,
            (self.channels & 3) << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length as u8 & 7) << 5 | 0x1F,
            0xFC,
        ]
    }
}

// === impl Stream ===

impl Stream {
    pub(super) fn new(config: AudioConfig) -> Self {
        Self {
            config: Arc::new(config),
            anchor: None,
        }
    }

    /// A later header: most repeat the first one.
    pub(super) fn reconfigure(&mut self, config: AudioConfig) {
        if *self.config != config {
            *self = Self::new(config);
        }
    }

    pub(super) fn config(&self) -> Arc<AudioConfig> {
        Arc::clone(&self.config)
    }

    /// The time of the next frame, whose RTMP timestamp says `time`. Strictly increasing within an epoch.
    pub(super) fn time(&mut self, epoch: u32, time: i64) -> i64 {
        let frames = |frames: i64| frames * SAMPLES * TICKS / i64::from(self.config.sample_rate);
        let (start, count) = match self.anchor {
            Some((of, start, count)) if of == epoch => {
                let counted = start + frames(count);
                if (counted - time).abs() <= DRIFT {
                    (start, count)
                } else {
                    (time.max(start + frames(count - 1) + 1), 0)
                }
            }
            _ => (time, 0),
        };
        self.anchor = Some((epoch, start, count + 1));
        start + frames(count)
    }
}

/// Bits of a configuration, most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

// === impl Bits ===

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Result<u32, Error> {
        let mut value = 0;
        for at in self.at..self.at + count {
            let Some(byte) = self.bytes.get(at / 8) else {
                return Err(Error::Malformed("an audio header cut short"));
            };
            value = value << 1 | u32::from(byte >> (7 - at % 8) & 1);
        }
        self.at += count;
        Ok(value)
    }

    fn object_type(&mut self) -> Result<u32, Error> {
        match self.take(5)? {
            31 => Ok(32 + self.take(6)?),
            kind => Ok(kind),
        }
    }

    /// Index and, where that is 15, the rate written out.
    fn rate(&mut self) -> Result<(u32, u32), Error> {
        match self.take(4)? {
            15 => Ok((15, self.take(24)?)),
            index => Ok((index, 0)),
        }
    }
}
