//! Numbers that both sides of the wire hold to, and caps of our own on what the other side may send.
//!
//! The first group is go-livepeer's and part of the protocol: a body one byte longer is refused there. The second is
//! ours: go-livepeer reads results without limit, we do not.

use std::time::Duration;

// --- the protocol's ---

/// Largest segment an orchestrator reads, and largest rendition it may return, in bytes.
pub const MAX_SEGMENT_BYTES: usize = 300_000_000;
/// Longest segment. 0 is allowed and counts as [`DEFAULT_SEGMENT`].
pub const MAX_SEGMENT_DURATION: Duration = Duration::from_secs(300);
/// What an orchestrator takes a segment of 0 ms for.
pub const DEFAULT_SEGMENT: Duration = Duration::from_secs(2);
/// Life of an auth token.
pub const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);
/// A token with less left is renewed before it is used.
pub const TOKEN_RENEWAL: Duration = Duration::from_secs(180);
/// Segments of one session that an orchestrator holds at once; one more is `OrchestratorBusy`.
pub const MAX_IN_FLIGHT: usize = 5;
/// A session unused for longer is ended by the orchestrator.
pub const SESSION_IDLE: Duration = Duration::from_secs(70);
/// A rendition shorter than this is `ZeroSegments`, in bytes.
pub const MIN_RENDITION_BYTES: usize = 25;

// --- ours ---

/// Largest result message, in bytes. Real ones are near 1 kB; decoding may take thirty times the bytes in memory.
pub const MAX_RESULT_BYTES: usize = 256 << 10;
/// Largest gRPC message, in bytes; grpc-go's default.
pub const MAX_GRPC_BYTES: usize = 4 << 20;
/// Longest refusal text that is read or kept, in bytes.
pub const MAX_REFUSAL_BYTES: usize = 4 << 10;
/// Longest `Livepeer-Segment` or `Livepeer-Payment` header that is decoded, in bytes. Go's server stops at 1 MiB of headers.
pub const MAX_HEADER_BYTES: usize = 1 << 20;
/// Most renditions of a segment.
pub const MAX_PROFILES: usize = 64;
/// Longest name of a profile, in bytes. It becomes a path component.
pub const MAX_PROFILE_NAME: usize = 64;
