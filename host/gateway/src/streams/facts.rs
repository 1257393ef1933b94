//! From the words of those who found or ordered media to the playlists'.

use pointsman_media::hls::{self, FrameRate, RenditionSpec};
use pointsman_media::probe::Container;
use pointsman_media::segmenter;
use pointsman_wire::profile::{Format, Profile};

use super::live::Incoming;

/// A rendition as it is ordered.
pub(super) fn of_profile(profile: &Profile) -> RenditionSpec {
    RenditionSpec {
        name: profile.name.to_string(),
        width: profile.width,
        height: profile.height,
        bitrate: profile.bitrate.into(),
        fps: FrameRate::new(profile.fps, profile.fps_den.max(1)),
    }
}

/// The playlists' word for a container.
pub(super) fn container(format: Format) -> Container {
    match format {
        Format::MpegTs => Container::MpegTs,
        Format::Mp4 => Container::Mp4,
    }
}

impl From<segmenter::Segment> for Incoming {
    fn from(segment: segmenter::Segment) -> Self {
        Self {
            facts: hls::Facts::of_cut(&segment),
            sequence: segment.sequence,
            media: segment.bytes,
            format: Format::MpegTs,
            duration: segment.duration,
            discontinuity: segment.discontinuity,
            slice: None,
            reinit: false,
            patience: 1,
            hints: None,
            has_pictures: segment.frames > 0,
        }
    }
}
