//! Facts of a segment from those who looked at it.

use std::time::SystemTime;

use super::{Codec, Facts, FrameRate, Size, SourceSegment};
use crate::probe::{AudioCodec, Container, Probe, RenditionFacts, Video};
use crate::segmenter::Segment;

// === impl SourceSegment ===

impl SourceSegment {
    /// A segment cut from RTMP, whose first picture was taken at `start`.
    #[must_use]
    pub fn cut(segment: &Segment, start: SystemTime) -> Self {
        Self {
            bytes: segment.bytes.clone(),
            container: Container::MpegTs,
            duration: segment.duration,
            start,
            discontinuity: segment.discontinuity,
            facts: Facts::of_cut(segment),
        }
    }
}

// === impl Facts ===

impl Facts {
    /// Of a segment cut from RTMP.
    #[must_use]
    pub fn of_cut(segment: &Segment) -> Self {
        let picture = segment.video.picture.as_ref();
        let audio = segment.audio.as_ref();
        Self {
            size: picture.map(|picture| Size {
                width: picture.width,
                height: picture.height,
            }),
            frame_rate: picture
                .and_then(|picture| picture.frame_rate)
                .and_then(FrameRate::from_hertz),
            video: Codec::Named(segment.video.codec.clone()),
            audio: audio.map_or(Codec::Absent, |audio| Codec::Named(audio.codec.clone())),
        }
    }

    /// Of a pushed segment.
    #[must_use]
    pub fn of_pushed(probe: &Probe) -> Self {
        Self {
            audio: probe.audio.map_or(Codec::Absent, named),
            ..probe.video.as_ref().map_or_else(
                || Self {
                    video: Codec::Absent,
                    ..Self::default()
                },
                Self::of_video,
            )
        }
    }

    /// Of a rendition. Orchestrators copy the audio of `source`.
    #[must_use]
    pub fn of_rendition(rendition: &RenditionFacts, source: &Self) -> Self {
        Self {
            audio: if rendition.has_audio {
                source.audio.clone()
            } else {
                Codec::Absent
            },
            ..Self::of_video(&rendition.video)
        }
    }

    fn of_video(video: &Video) -> Self {
        let name = video.codec_string.clone();
        Self {
            size: video
                .resolution
                .map(|(width, height)| Size { width, height }),
            frame_rate: video.frame_rate.and_then(FrameRate::from_hertz),
            video: name.map_or(Codec::Unknown, Codec::Named),
            audio: Codec::Unknown,
        }
    }
}

/// AAC is taken for LC: a probe sees the stream type only.
fn named(audio: AudioCodec) -> Codec {
    let name = match audio {
        AudioCodec::Aac => "mp4a.40.2",
        AudioCodec::Mpeg => "mp4a.40.34",
        AudioCodec::Opus => "opus",
        // AC-3 or E-AC-3: two names.
        AudioCodec::Ac3 | AudioCodec::Other(_) => return Codec::Unknown,
    };
    Codec::Named(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::VideoCodec;
    use crate::sample::Encoder;
    use crate::segmenter::{Config, Segmenter};

    /// The first segment of 50 pictures.
    fn cut(audio: bool) -> Segment {
        let mut encoder = Encoder::new(50, audio, 0);
        let mut segmenter = Segmenter::new(Config::default());
        for _ in 0..50 {
            segmenter.video(encoder.picture()).expect("a good stream");
            if let Some(sound) = encoder.sound(0) {
                segmenter.audio(sound).expect("a good stream");
            }
        }
        segmenter.finish().into_iter().next().expect("a segment")
    }

    fn video(codec: VideoCodec, name: Option<&str>) -> Video {
        Video {
            codec,
            resolution: Some((640, 360)),
            pixels: None,
            frames: 60,
            frame_rate: Some(29.97),
            codec_string: name.map(str::to_owned),
        }
    }

    fn probe(video: Option<Video>, audio: Option<AudioCodec>) -> Probe {
        Probe {
            container: Container::MpegTs,
            video,
            audio,
            duration: None,
        }
    }

    #[test]
    fn a_cut_segment_says_what_its_parameter_sets_say() {
        let segment = cut(false);
        let source = SourceSegment::cut(&segment, SystemTime::UNIX_EPOCH);
        let expected = Facts {
            size: Some(Size {
                width: 640,
                height: 360,
            }),
            frame_rate: FrameRate::new(25_000, 1000),
            video: Codec::Named("avc1.f4001e".to_owned()),
            audio: Codec::Absent,
        };
        assert_eq!(source.facts, expected);
        assert_eq!(source.bytes, segment.bytes);
        assert_eq!(source.duration, segment.duration);
        let sound = Facts::of_cut(&cut(true)).audio;
        assert_eq!(sound, Codec::Named("mp4a.40.2".to_owned()));
    }

    #[test]
    fn a_push_names_what_the_probe_could_name() {
        let h264 = video(VideoCodec::H264, Some("avc1.64001e"));
        let facts = Facts::of_pushed(&probe(Some(h264), Some(AudioCodec::Aac)));
        let expected = Facts {
            size: Some(Size {
                width: 640,
                height: 360,
            }),
            frame_rate: FrameRate::new(29_970, 1000),
            video: Codec::Named("avc1.64001e".to_owned()),
            audio: Codec::Named("mp4a.40.2".to_owned()),
        };
        assert_eq!(facts, expected);
        let hevc = video(VideoCodec::Hevc, None);
        let facts = Facts::of_pushed(&probe(Some(hevc), None));
        assert_eq!((facts.video, facts.audio), (Codec::Unknown, Codec::Absent));
        let facts = Facts::of_pushed(&probe(None, Some(AudioCodec::Ac3)));
        assert_eq!((facts.video, facts.audio), (Codec::Absent, Codec::Unknown));
    }

    #[test]
    fn a_rendition_has_its_source_s_audio() {
        let source = Facts {
            audio: Codec::Named("mp4a.40.5".to_owned()),
            ..Facts::default()
        };
        let mut rendition = RenditionFacts {
            container: Container::MpegTs,
            video: video(VideoCodec::H264, Some("avc1.64001e")),
            has_audio: true,
            start_pts: None,
            duration: None,
        };
        let facts = Facts::of_rendition(&rendition, &source);
        assert_eq!(facts.audio, source.audio);
        assert_eq!(facts.video, Codec::Named("avc1.64001e".to_owned()));
        rendition.has_audio = false;
        let facts = Facts::of_rendition(&rendition, &source);
        assert_eq!(facts.audio, Codec::Absent);
    }
}
