//! How streams are cut, sent, retried and listed.

use std::num::NonZeroU32;
use std::time::Duration;

use bytesize::ByteSize;
use pointsman_wire::profile::Profile;

use crate::config::decoder::{Decoder, switch};
use crate::config::renditions;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{duration, number, size};

/// Everything about a stream that its publisher does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Renditions of a stream that asks for none itself; at least one.
    pub profiles: Vec<Profile>,
    /// RTMP is cut at the first key frame after this long.
    pub segment_duration: Duration,
    /// Largest segment taken by push or cut from RTMP, in bytes.
    pub max_segment_bytes: usize,
    /// Streams at once, RTMP and push together.
    pub max_sessions: NonZeroU32,
    /// Tries of a segment; 0 sends none and plays the source alone.
    pub max_attempts: u32,
    /// Limit of retries over all streams.
    pub retries: ExtraWork,
    /// Limit of hedges over all streams.
    pub hedges: ExtraWork,
    /// Segments listed in a media playlist.
    pub playlist_window: NonZeroU32,
    /// Segments kept for players that lag; more than `playlist_window`.
    pub playlist_keep: NonZeroU32,
    /// Bytes that the kept segments of a stream may have, renditions included.
    pub playlist_bytes: usize,
    /// RTMP connections of one address that do not publish yet.
    pub rtmp_waiting_per_address: NonZeroU32,
    /// How long a stream waits for its publisher to come back.
    pub reconnect_grace: Duration,
    /// Silence after which another connection may take a stream over.
    pub publisher_silence: Duration,
    /// Whether `/stream/current.m3u8` plays the newest stream.
    pub current_manifest: bool,
}

/// How much may be sent beyond first attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtraWork {
    /// Extra attempts per hundred first attempts of the last seconds.
    pub percent: u32,
    /// Extra attempts a second that are always allowed.
    pub floor_per_second: u32,
}

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(in crate::config) const GROUP: Group = Group {
    heading: "Streams",
    settings: &[
        Setting {
            key: "transcoding-options",
            shape: Shape::List,
            value: "PRESETS|FILE",
            default: Initial::Value("P240p30fps16x9,P360p30fps16x9"),
            summary: "Renditions of a stream that asks for none itself.",
            detail: "Names of presets, or a file with a JSON list of profiles. Each rendition is paid for: list those your \
                     players use.",
        },
        Setting {
            key: "segment-duration",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("2s"),
            summary: "Cut RTMP at the first key frame after this long.",
            detail: "500ms to 30s. Set the encoder's key frames to the same distance. Shorter is less delay and more \
                     requests; it is also the time in which an orchestrator should answer.",
        },
        Setting {
            key: "max-segment-bytes",
            shape: Shape::One,
            value: "SIZE",
            default: Initial::Value("64MiB"),
            summary: "Refuse larger segments.",
            detail: "64KiB to 1GiB. It bounds memory: every stream may hold several, and all pushed segments that are sent or \
                     transcoded at once four, or one for every 16 of --max-sessions if that is more; what comes on top waits a \
                     little and gets 503. Raise it for high bitrates in long segments.",
        },
        Setting {
            key: "max-sessions",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("10"),
            summary: "Streams at once, RTMP and push together; further ones are refused.",
            detail: "1 to 100000. Raise it to what the machine and its uplink can carry.",
        },
        Setting {
            key: "max-attempts",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("3"),
            summary: "Tries of one segment before it becomes a gap.",
            detail: "0 to 100; 0 sends nothing out and plays the source alone. More helps where many orchestrators fail at \
                     once.",
        },
        Setting {
            key: "retry-budget-percent",
            shape: Shape::One,
            value: "PERCENT",
            default: Initial::Value("20"),
            summary: "Retries of all streams together, per hundred first attempts.",
            detail: "0 to 1000, counted over 10 seconds. It keeps an outage from multiplying the load.",
        },
        Setting {
            key: "retry-budget-floor",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("2"),
            summary: "Retries a second that are allowed whatever the percentage says.",
            detail: "0 to 10000. It lets a gateway with one stream fail over.",
        },
        Setting {
            key: "hedge-budget-percent",
            shape: Shape::One,
            value: "PERCENT",
            default: Initial::Value("20"),
            summary: "Hedges (a slow segment sent to a second orchestrator) per hundred first attempts.",
            detail: "0 to 1000; 0 with a floor of 0 never hedges. Both orchestrators are paid.",
        },
        Setting {
            key: "hedge-budget-floor",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("2"),
            summary: "Hedges a second that are allowed whatever the percentage says.",
            detail: "0 to 10000.",
        },
        Setting {
            key: "playlist-window",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("6"),
            summary: "Segments listed in a media playlist.",
            detail: "3 to 10000. More lets players seek back further.",
        },
        Setting {
            key: "playlist-keep",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("12"),
            summary: "Segments kept in memory for players that lag behind the playlist.",
            detail: "Above --playlist-window, to 20000. Each one costs the bytes of its source and renditions.",
        },
        Setting {
            key: "playlist-bytes",
            shape: Shape::One,
            value: "SIZE",
            default: Initial::Value("256MiB"),
            summary: "Memory that the kept segments of one stream may take up, renditions included.",
            detail: "1MiB to 64GiB. Beyond it the oldest leave the playlists early, whatever --playlist-window says; the last one \
                     stays. Raise it for windows of many segments or high bitrates.",
        },
        Setting {
            key: "rtmp-waiting-per-address",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("16"),
            summary: "RTMP connections of one address that have not published yet; further ones are closed.",
            detail: "1 to 100000; all addresses together have one for each of --max-sessions and 16 more. Raise it where publishers \
                     come through one proxy or network address translation.",
        },
        Setting {
            key: "reconnect-grace",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("30s"),
            summary: "How long a stream waits for its RTMP publisher to come back before it ends.",
            detail: "0s to 1h. With the same name and key the stream goes on where it broke off.",
        },
        Setting {
            key: "publisher-silence",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("3s"),
            summary: "Silence after which a new RTMP connection with the same name and key takes the stream over.",
            detail: "500ms to 10m. Raise it for encoders that pause; a publisher that sends cannot be displaced.",
        },
        Setting {
            key: "current-manifest",
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Play the newest stream at /stream/current.m3u8.",
            detail: "Handy for one stream at a desk; on a public gateway it gives a stream away without its name.",
        },
    ],
};

// === impl Streams ===

impl Streams {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        let streams = Self {
            profiles: renditions::decode(decoder),
            segment_duration: decoder.one(
                "segment-duration",
                duration::between(500 * MILLISECOND, 30 * SECOND),
            ),
            max_segment_bytes: decoder.one(
                "max-segment-bytes",
                size::between(ByteSize::kib(64), ByteSize::gib(1)),
            ),
            max_sessions: decoder.one("max-sessions", number::count(100_000)),
            max_attempts: decoder.one("max-attempts", number::within(0..=100)),
            retries: ExtraWork::decode(decoder, ["retry-budget-percent", "retry-budget-floor"]),
            hedges: ExtraWork::decode(decoder, ["hedge-budget-percent", "hedge-budget-floor"]),
            playlist_window: decoder.one("playlist-window", number::count_from(3, 10_000)),
            playlist_keep: decoder.one("playlist-keep", number::count(20_000)),
            playlist_bytes: decoder.one(
                "playlist-bytes",
                size::between(ByteSize::mib(1), ByteSize::gib(64)),
            ),
            rtmp_waiting_per_address: decoder
                .one("rtmp-waiting-per-address", number::count(100_000)),
            reconnect_grace: decoder.one(
                "reconnect-grace",
                duration::between(Duration::ZERO, 3600 * SECOND),
            ),
            publisher_silence: decoder.one(
                "publisher-silence",
                duration::between(500 * MILLISECOND, 600 * SECOND),
            ),
            current_manifest: decoder.one("current-manifest", switch),
        };
        let (window, keep) = (streams.playlist_window, streams.playlist_keep);
        if keep <= window {
            let least = window.saturating_add(1);
            let message = format!(
                "playlist-keep {keep} is not more than playlist-window {window}: listed segments would be gone before they \
                 are played. Keep at least {least}"
            );
            decoder.refuse(&["playlist-keep", "playlist-window"], message);
        }
        streams
    }
}

// === impl ExtraWork ===

impl ExtraWork {
    fn decode(decoder: &mut Decoder<'_>, [percent, floor]: [&str; 2]) -> Self {
        Self {
            percent: decoder.one(percent, number::within(0..=1000)),
            floor_per_second: decoder.one(floor, number::within(0..=10_000)),
        }
    }
}
