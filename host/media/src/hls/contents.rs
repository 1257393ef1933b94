//! What the bytes are called over HTTP.

/// Content type of master and media playlists (RFC 8216 §4). go-livepeer sends `application/x-mpegURL`, which
/// players take for the same.
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// What a segment is wrapped in. A pushed stream's renditions have the container of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// MPEG-TS: listed and playable.
    MpegTs,
    /// A whole MP4 file: never listed (see the module).
    Mp4,
}

// === impl Container ===

impl Container {
    /// The container that a file extension (without the dot) names.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "ts" => Some(Self::MpegTs),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }

    /// The file extension, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::MpegTs => "ts",
            Self::Mp4 => "mp4",
        }
    }

    /// The content type of a segment.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::MpegTs => "video/mp2t",
            Self::Mp4 => "video/mp4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Container;

    #[test]
    fn an_extension_names_a_container_and_back() {
        for container in [Container::MpegTs, Container::Mp4] {
            assert_eq!(
                Container::from_extension(container.extension()),
                Some(container)
            );
        }
        assert_eq!(Container::from_extension("TS"), None);
        assert_eq!(Container::from_extension("m3u8"), None);
        assert_eq!(Container::MpegTs.content_type(), "video/mp2t");
    }
}
