//! What ffmpeg says at level `verbose`: frames and sizes of its outputs, or why it failed.

use std::collections::HashMap;

/// Frames and sizes by output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    frames: HashMap<usize, i64>,
    sizes: HashMap<usize, (i64, i64)>,
}

/// Complaints of ffmpeg, and the real transcoder's words for them. The first that matches counts.
const COMPLAINTS: &[(&str, &str)] = &[
    (
        "Invalid data found when processing input",
        "TranscoderInvalidVideo",
    ),
    ("matches no streams", "TranscoderInvalidVideo"),
    ("does not contain any stream", "TranscoderInvalidVideo"),
    ("moov atom not found", "TranscoderInvalidVideo"),
    ("no decoder found", "Decoder not found"),
    ("Unknown encoder", "Encoder not found"),
    ("initializing filter", "Error initializing filtergraph"),
    ("reinitializing filters", "Error initializing filtergraph"),
];

/// The real transcoder's words for a failure; those of a broken machine when the segment is not to blame.
pub(super) fn failure(said: &str) -> &'static str {
    let complaint = COMPLAINTS.iter().find(|(text, _)| said.contains(text));
    complaint.map_or("ErrTranscoderUnavailable", |(_, words)| words)
}

// === impl Report ===

impl Report {
    /// Reads lines such as
    /// `Stream #1:0: Video: h264, …, 426x240 (0x0) [SAR …], …` below `Output #1`, and
    /// `Output stream #1:0 (video): 60 frames encoded; …`.
    pub(super) fn read(said: &str) -> Self {
        let mut report = Self::default();
        let mut output = None;
        for line in said.lines() {
            if let Some((_, rest)) = line.split_once("Output #") {
                output = number(rest);
            } else if let Some((_, rest)) = line.split_once("Output stream #") {
                let frames = rest.split_once("(video): ").map(|(_, rest)| rest);
                let frames = frames.filter(|rest| rest.contains("frames encoded"));
                if let (Some(index), Some(frames)) = (number(rest), frames.and_then(number)) {
                    report.frames.insert(index, frames as i64);
                }
            } else if let (Some(index), Some((_, video))) = (output, line.split_once(": Video: "))
                && let Some(size) = video.split(',').find_map(size)
            {
                report.sizes.entry(index).or_insert(size);
            }
        }
        report
    }

    /// Frames encoded; 0 when nothing was said.
    pub(super) fn frames(&self, output: usize) -> i64 {
        self.frames.get(&output).copied().unwrap_or(0)
    }

    /// Width and height.
    pub(super) fn size(&self, output: usize) -> Option<(i64, i64)> {
        self.sizes.get(&output).copied()
    }
}

/// The number that a text begins with.
fn number(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    text[..digits].parse().ok()
}

/// `426x240` at the beginning of a part; not `0x31637661`.
fn size(part: &str) -> Option<(i64, i64)> {
    let (width, height) = part.trim().split(' ').next()?.split_once('x')?;
    let size = (width.parse().ok()?, height.parse().ok()?);
    (size.0 > 0).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
Input #0, mpegts, from 'input':
  Stream #0:0[0x100]: Video: h264 (Main), yuv420p(progressive, left), 320x180 (320x192) [SAR 1:1 DAR 16:9], 30 fps
Output #0, mpegts, to '0.ts':
  Stream #0:0: Video: h264, 1 reference frame, yuv420p(tv, left), 256x144 (0x0) [SAR 1:1 DAR 16:9], q=2-31, 400 kb/s
  Stream #0:1: Audio: aac (LC) ([15][0][0][0] / 0x000F), 44100 Hz, mono, fltp, 35 kb/s
Output #1, mp4, to '1.mp4':
  Stream #1:0: Video: h264, 1 reference frame (avc1 / 0x31637661), yuv420p(tv), 426x240 [SAR 1:1], q=2-31
Input stream #0:0 (video): 60 packets read (27859 bytes); 60 frames decoded;
  Output stream #0:0 (video): 60 frames encoded; 60 packets muxed (74420 bytes);
  Output stream #0:1 (audio): 86 packets muxed (8740 bytes);
[out#1/mp4 @ 0x55]   Output stream #1:0 (video): 31 frames encoded; 31 packets muxed (121907 bytes);
";

    #[test]
    fn frames_and_sizes_are_found() {
        let report = Report::read(SAID);
        assert_eq!((report.frames(0), report.size(0)), (60, Some((256, 144))));
        assert_eq!((report.frames(1), report.size(1)), (31, Some((426, 240))));
        assert_eq!((report.frames(2), report.size(2)), (0, None));
        assert_eq!(
            Report::read("#\nOutput #\nOutput stream #x"),
            Report::default()
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_said_is_too_strange(
            lines in proptest::collection::vec(
                "(Output #|Output stream #|  Stream #0:0: Video: |[0-9]{0,20}|, |x|\\(video\\): | frames encoded|.)*",
                0..4,
            )
        ) {
            Report::read(&lines.join("\n"));
        }
    }

    #[test]
    fn bad_input_is_told_from_a_broken_machine() {
        let said = "input: Invalid data found when processing input\n";
        assert_eq!(failure(said), "TranscoderInvalidVideo");
        assert_eq!(
            failure("No space left on device"),
            "ErrTranscoderUnavailable"
        );
    }
}
