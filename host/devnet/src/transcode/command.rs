//! The ffmpeg command of a segment.

use std::ffi::OsString;

use pointsman_wire::net::video_profile::{Format, Profile as EncoderProfile, VideoCodec};
use pointsman_wire::net::{SegParameters, VideoProfile};

use super::Words;

/// Name of the input file. No extension: ffmpeg looks at the bytes.
pub(super) const INPUT: &str = "input";

/// Limits of the longer side; the real transcoder clamps to its hardware's.
const LONGER_SIDE: std::ops::RangeInclusive<i32> = 146..=4096;
/// Intra-only, as the message says it.
const INTRA: i32 = -1;

/// Name of an output file.
pub(super) fn output(index: usize, profile: &VideoProfile) -> String {
    format!("{index}{}", extension(profile))
}

/// `.ts` or `.mp4`.
pub(crate) fn extension(profile: &VideoProfile) -> &'static str {
    match profile.format() {
        Format::Mpegts => ".ts",
        Format::Mp4 => ".mp4",
    }
}

/// Refuses what no command can be written for, in the real transcoder's words.
pub(super) fn check(profiles: &[VideoProfile]) -> Result<(), Words> {
    for profile in profiles {
        if profile.encoder() != VideoCodec::H264 {
            return Err("Encoder not found".to_owned());
        }
        if profile.gop < INTRA {
            return Err("TranscoderInvalidGOP".to_owned());
        }
    }
    Ok(())
}

/// The arguments; files are relative to the working directory.
pub(super) fn arguments(profiles: &[VideoProfile], slice: Option<SegParameters>) -> Vec<OsString> {
    let mut arguments = Arguments(Vec::new());
    // `verbose` is the level that says how many frames each output has.
    arguments.words("-hide_banner -nostdin -nostats -loglevel verbose -y -copyts");
    arguments.pair("-i", INPUT);
    for (index, profile) in profiles.iter().enumerate() {
        arguments.rendition(profile, slice);
        arguments.push(output(index, profile));
    }
    arguments.0
}

struct Arguments(Vec<OsString>);

// === impl Arguments ===

impl Arguments {
    fn push(&mut self, argument: impl Into<OsString>) {
        self.0.push(argument.into());
    }

    fn pair(&mut self, key: &str, value: impl Into<OsString>) {
        self.push(key);
        self.push(value);
    }

    fn words(&mut self, words: &str) {
        self.0.extend(words.split(' ').map(OsString::from));
    }

    fn rendition(&mut self, profile: &VideoProfile, slice: Option<SegParameters>) {
        self.words("-map 0:v:0 -map 0:a? -map_metadata -1");
        match slice {
            None => self.words("-c:a copy"),
            // Copied packets cannot be filtered by time.
            Some(slice) => {
                self.words("-c:a aac");
                self.pair("-af", format!("aselect='{}'", within(slice)));
            }
        }
        self.pair("-vf", filters(profile, slice));
        self.words("-c:v libx264 -preset superfast -bf 0 -pix_fmt yuv420p -forced-idr 1");
        self.rate(profile);
        self.gop(profile.gop);
        match profile.profile() {
            EncoderProfile::EncoderDefault => {}
            EncoderProfile::H264Baseline => self.words("-profile:v baseline"),
            EncoderProfile::H264Main => self.words("-profile:v main"),
            EncoderProfile::H264High | EncoderProfile::H264ConstrainedHigh => {
                self.words("-profile:v high");
            }
        }
        match profile.format() {
            Format::Mpegts => {
                self.words("-muxdelay 0 -muxpreload 0 -mpegts_copyts 1 -f mpegts");
            }
            Format::Mp4 => self.words("-movflags +faststart -f mp4"),
        }
    }

    fn rate(&mut self, profile: &VideoProfile) {
        if (1..=51).contains(&profile.quality) {
            self.pair("-crf", profile.quality.to_string());
        } else if profile.bitrate > 0 {
            self.pair("-b:v", profile.bitrate.to_string());
        }
        if profile.bitrate > 0 {
            self.pair("-maxrate", profile.bitrate.to_string());
            self.pair("-bufsize", (i64::from(profile.bitrate) * 2).to_string());
        }
    }

    /// By time and not by frames: the input's rate may be anything, and with its timestamps kept the first is not 0.
    fn gop(&mut self, gop: i32) {
        match gop {
            0 => {}
            INTRA => self.words("-g 1"),
            ms => {
                let seconds = f64::from(ms) / 1000.0;
                let due = format!("gte(t,prev_forced_t+{seconds}-0.001)");
                self.pair(
                    "-force_key_frames",
                    format!("expr:if(isnan(prev_forced_t),1,{due})"),
                );
                self.words("-g 100000 -sc_threshold 0");
            }
        }
    }
}

/// Scales to the longer side of the profile, the other following the input's shape, whichever way it lies.
fn filters(profile: &VideoProfile, slice: Option<SegParameters>) -> String {
    let longer = profile.width.max(profile.height);
    let longer = longer.clamp(*LONGER_SIDE.start(), *LONGER_SIDE.end()) / 2 * 2;
    let mut filters =
        format!("scale=w='if(gte(iw,ih),{longer},-2)':h='if(gte(iw,ih),-2,{longer})',setsar=1");
    if profile.fps > 0 {
        filters += &format!(",fps={}/{}", profile.fps, profile.fps_den.max(1));
    }
    // Behind `fps`, which would otherwise fill up to the end of the input.
    if let Some(slice) = slice {
        filters += &format!(",select='{}'", within(slice));
    }
    filters
}

fn within(slice: SegParameters) -> String {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let (from, to) = (seconds(slice.from), seconds(slice.to));
    format!("gte(t-start_t,{from})*lt(t-start_t,{to})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(profile: VideoProfile, slice: Option<SegParameters>) -> String {
        let words: Vec<String> = arguments(&[profile], slice)
            .into_iter()
            .map(|word| word.into_string().expect("UTF-8"))
            .collect();
        words.join(" ")
    }

    fn profile() -> VideoProfile {
        VideoProfile {
            width: 426,
            height: 240,
            bitrate: 600_000,
            fps: 30,
            ..VideoProfile::default()
        }
    }

    #[test]
    fn a_profile_is_honoured() {
        let command = words(profile(), None);
        assert!(command.contains("if(gte(iw,ih),426,-2)"), "{command}");
        assert!(command.contains("fps=30/1 "), "{command}");
        assert!(command.contains("-b:v 600000 "), "{command}");
        assert!(command.contains("-c:a copy "), "{command}");
        assert!(command.ends_with("-f mpegts 0.ts"), "{command}");
        assert!(!command.contains("-force_key_frames"), "{command}");
    }

    #[test]
    fn everything_optional_is_passed_on() {
        let mut profile = profile();
        profile.set_format(Format::Mp4);
        profile.set_profile(EncoderProfile::H264Baseline);
        (profile.fps, profile.fps_den, profile.gop) = (30000, 1001, 500);
        let command = words(
            profile,
            Some(SegParameters {
                from: 500,
                to: 1500,
            }),
        );
        assert!(command.contains("fps=30000/1001"), "{command}");
        assert!(command.contains("prev_forced_t+0.5-0.001"), "{command}");
        assert!(command.contains("-profile:v baseline"), "{command}");
        assert!(
            command.contains("gte(t-start_t,0.5)*lt(t-start_t,1.5)"),
            "{command}"
        );
        assert!(command.ends_with("-f mp4 0.mp4"), "{command}");
    }

    #[test]
    fn impossible_profiles_are_refused_in_the_real_words() {
        let mut hevc = profile();
        hevc.set_encoder(VideoCodec::H265);
        assert_eq!(check(&[hevc]), Err("Encoder not found".to_owned()));
        let gop = VideoProfile {
            gop: -2,
            ..profile()
        };
        assert_eq!(check(&[gop]), Err("TranscoderInvalidGOP".to_owned()));
        assert_eq!(check(&[profile()]), Ok(()));
    }

    #[test]
    fn absurd_sizes_are_clamped() {
        for (width, side) in [(0, "146"), (i32::MIN, "146"), (i32::MAX, "4096")] {
            let profile = VideoProfile {
                width,
                height: 0,
                ..profile()
            };
            let command = words(profile, None);
            assert!(command.contains(&format!("ih),{side},-2)")), "{command}");
        }
    }
}
