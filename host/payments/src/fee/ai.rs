//! Units of the batch AI pipelines.
//!
//! Each is what an orchestrator debits, from what the request says; a request that leaves something out has the pipeline's
//! default. Speech is the exception: go-livepeer's gateway bills bytes while its orchestrator debits a thousand for each
//! character, and such a balance sinks until requests are refused. Here it is the orchestrator's reckoning.

use std::time::Duration;

/// Most tokens of an answer where the request does not say; must then be sent along.
pub const DEFAULT_MAX_TOKENS: u32 = 256;
/// Side of a generated image where the request does not say, in pixels.
pub const DEFAULT_IMAGE_SIDE: u32 = 512;
/// Height of a generated video where the request does not say, in pixels.
pub const DEFAULT_VIDEO_HEIGHT: u32 = 576;
/// Width of a generated video where the request does not say, in pixels.
pub const DEFAULT_VIDEO_WIDTH: u32 = 1024;
/// Frames of a generated video.
const VIDEO_FRAMES: u64 = 25;
/// Units of a second of audio, and of a character of speech.
const THOUSAND: u64 = 1000;

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// `text-to-image`: pixels of all images.
    TextToImage {
        /// Of each image.
        size: Size,
        /// `num_images_per_prompt`; 0 counts as 1.
        images: u32,
    },
    /// `image-to-image`: pixels of the input for each image.
    ImageToImage {
        /// Of the input.
        input: Size,
        /// `num_images_per_prompt`; 0 counts as 1.
        images: u32,
    },
    /// `image-to-video`: pixels of 25 frames.
    ImageToVideo(Size),
    /// `upscale`: pixels of the input.
    Upscale(Size),
    /// `segment-anything-2`: pixels of the input.
    SegmentAnything2(Size),
    /// `image-to-text`: pixels of the input.
    ImageToText(Size),
    /// `audio-to-text`: milliseconds of whole seconds.
    AudioToText(Duration),
    /// `llm`: `max_tokens`.
    Llm(u32),
    /// `text-to-speech`: a thousand for each character.
    TextToSpeech {
        /// Unicode code points, not bytes.
        characters: u64,
    },
}

// === impl Work ===

impl Work {
    /// Its units; saturates.
    #[must_use]
    pub fn units(self) -> u64 {
        match self {
            Self::TextToImage { size, images }
            | Self::ImageToImage {
                input: size,
                images,
            } => size.pixels().saturating_mul(images.max(1).into()),
            Self::ImageToVideo(size) => size.pixels().saturating_mul(VIDEO_FRAMES),
            Self::Upscale(size) | Self::SegmentAnything2(size) | Self::ImageToText(size) => {
                size.pixels()
            }
            Self::AudioToText(duration) => duration.as_secs().saturating_mul(THOUSAND),
            Self::Llm(tokens) => tokens.into(),
            Self::TextToSpeech { characters } => characters.saturating_mul(THOUSAND),
        }
    }
}

// === impl Size ===

impl Size {
    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 1024,
        height: 576,
    };

    #[test]
    fn each_pipeline_has_its_units() {
        let pixels = 1024 * 576;
        for (work, units) in [
            (
                Work::TextToImage {
                    size: SIZE,
                    images: 0,
                },
                pixels,
            ),
            (
                Work::ImageToImage {
                    input: SIZE,
                    images: 3,
                },
                3 * pixels,
            ),
            (Work::ImageToVideo(SIZE), 25 * pixels),
            (Work::Upscale(SIZE), pixels),
            (Work::SegmentAnything2(SIZE), pixels),
            (Work::ImageToText(SIZE), pixels),
            (Work::AudioToText(Duration::from_millis(2999)), 2000),
            (Work::Llm(DEFAULT_MAX_TOKENS), 256),
            (Work::TextToSpeech { characters: 12 }, 12_000),
        ] {
            assert_eq!(work.units(), units, "{work:?}");
        }
    }

    #[test]
    fn absurd_requests_saturate() {
        let size = Size {
            width: u32::MAX,
            height: u32::MAX,
        };
        let images = u32::MAX;
        assert_eq!(Work::TextToImage { size, images }.units(), u64::MAX);
        assert_eq!(Work::ImageToVideo(size).units(), u64::MAX);
        assert_eq!(Work::AudioToText(Duration::MAX).units(), u64::MAX);
        assert_eq!(
            Work::TextToSpeech {
                characters: u64::MAX
            }
            .units(),
            u64::MAX
        );
    }
}
