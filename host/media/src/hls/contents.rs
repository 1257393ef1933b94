//! What the bytes are called over HTTP.

use crate::probe::Container;

/// Content type of master and media playlists (RFC 8216 §4). go-livepeer sends `application/x-mpegURL`, which
/// players take for the same.
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// The content type of a segment.
#[must_use]
pub fn segment_type(container: Container) -> &'static str {
    match container {
        Container::MpegTs => "video/mp2t",
        Container::Mp4 => "video/mp4",
    }
}

/// A container's file extension, without the dot.
#[must_use]
pub fn extension(container: Container) -> &'static str {
    match container {
        Container::MpegTs => "ts",
        Container::Mp4 => "mp4",
    }
}

/// The container that a file extension (without the dot) names.
#[must_use]
pub fn container(extension: &str) -> Option<Container> {
    match extension {
        "ts" => Some(Container::MpegTs),
        "mp4" => Some(Container::Mp4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Container, container, extension, segment_type};

    #[test]
    fn an_extension_names_a_container_and_back() {
        for each in [Container::MpegTs, Container::Mp4] {
            assert_eq!(container(extension(each)), Some(each));
        }
        assert_eq!(container("TS"), None);
        assert_eq!(container("m3u8"), None);
        assert_eq!(segment_type(Container::MpegTs), "video/mp2t");
        assert_eq!(segment_type(Container::Mp4), "video/mp4");
    }
}
