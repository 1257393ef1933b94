//! Playlists as a player reads them.

use bytes::Bytes;

use super::{Gateway, eventually, media};

/// A media playlist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Playlist {
    pub(crate) text: String,
    /// `EXT-X-MEDIA-SEQUENCE`.
    pub(crate) sequence: u64,
    pub(crate) segments: Vec<Listed>,
    pub(crate) ended: bool,
}

/// A segment in a media playlist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    /// As it is written, relative to the playlist.
    pub(crate) uri: String,
    pub(crate) seconds: f64,
    pub(crate) gap: bool,
    pub(crate) discontinuity: bool,
}

// === impl Playlist ===

impl Playlist {
    fn read(text: String) -> Self {
        let mut playlist = Self::default();
        let (mut seconds, mut gap, mut discontinuity) = (0.0, false, false);
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                playlist.sequence = number.parse().expect("a number");
            } else if let Some(length) = line.strip_prefix("#EXTINF:") {
                seconds = length
                    .trim_end_matches(',')
                    .parse()
                    .expect("a number of seconds");
            } else if line == "#EXT-X-GAP" {
                gap = true;
            } else if line == "#EXT-X-DISCONTINUITY" {
                discontinuity = true;
            } else if line == "#EXT-X-ENDLIST" {
                playlist.ended = true;
            } else if !line.starts_with('#') && !line.is_empty() {
                playlist.segments.push(Listed {
                    uri: line.to_owned(),
                    seconds,
                    gap: std::mem::take(&mut gap),
                    discontinuity: std::mem::take(&mut discontinuity),
                });
            }
        }
        playlist.text = text;
        playlist
    }

    /// How long everything listed lasts.
    pub(crate) fn seconds(&self) -> f64 {
        self.segments.iter().map(|segment| segment.seconds).sum()
    }

    /// Positions of segments that answer `is`.
    pub(crate) fn places(&self, is: impl Fn(&Listed) -> bool) -> Vec<usize> {
        let places = self.segments.iter().enumerate();
        places
            .filter(|(_, segment)| is(segment))
            .map(|(place, _)| place)
            .collect()
    }
}

// === impl Gateway ===

impl Gateway {
    /// The media playlist of a rendition, if there is one.
    pub(crate) async fn playlist(&self, stream: &str, rendition: &str) -> Option<Playlist> {
        let (status, text) = self.play(&format!("{stream}/{rendition}.m3u8")).await;
        (status == 200).then(|| Playlist::read(text))
    }

    /// Waits for a rendition's playlist that answers `is`.
    pub(crate) async fn playlist_that(
        &self,
        what: &str,
        stream: &str,
        rendition: &str,
        is: impl Fn(&Playlist) -> bool,
    ) -> Playlist {
        let mut found = None;
        eventually(what, async || {
            let playlist = self.playlist(stream, rendition).await;
            found = playlist.filter(&is);
            found.is_some()
        })
        .await;
        found.expect("just found")
    }

    /// The final playlist of a stream that ends soon.
    pub(crate) async fn ended_playlist(&self, stream: &str, rendition: &str) -> Playlist {
        self.playlist_that("the stream ends", stream, rendition, |playlist| {
            playlist.ended
        })
        .await
    }

    /// The media of everything listed, one behind the other.
    pub(crate) async fn media(&self, stream: &str, playlist: &Playlist) -> Bytes {
        let mut whole = Vec::new();
        for segment in playlist.segments.iter().filter(|segment| !segment.gap) {
            let url = format!("{}/stream/{stream}/{}", self.http, segment.uri);
            let response = self.client.get(&url).send().await.expect("an answer");
            assert_eq!(response.status(), 200, "{url} is listed");
            whole.extend_from_slice(&response.bytes().await.expect("a body"));
        }
        whole.into()
    }

    /// The frames that can be decoded of everything listed.
    pub(crate) async fn frames(&self, stream: &str, playlist: &Playlist) -> u32 {
        media::video(&self.media(stream, playlist).await).frames()
    }
}
