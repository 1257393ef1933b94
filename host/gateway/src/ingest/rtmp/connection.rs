//! One publisher's connection.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_media::flv;
use pointsman_media::name::{StreamKey, StreamName, StreamPath};
use pointsman_media::rtmp::{self, Event, Publish, Session};
use pointsman_media::segmenter::{self, Segment};
use pointsman_wire::capabilities::TranscodeJob;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::seats::Place;
use super::{DEAD_AFTER, Rtmp};
use crate::ingest::terms::Terms;
use crate::streams::{Live, LiveSpec, Origin};

/// Bytes read at once: a second of 2 Mb/s video takes eight reads.
const READ: usize = 32 << 10;

/// A connection under way.
pub(super) struct Connection<'a> {
    rtmp: &'a Rtmp,
    socket: TcpStream,
    publishing: Option<Publishing>,
}

struct Publishing {
    place: Place,
    reader: flv::Reader,
}

/// Why a connection was closed from here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Rtmp(#[from] rtmp::Error),
    #[error("{0}")]
    Media(#[from] flv::Error),
    #[error("{0}")]
    Segmenter(#[from] segmenter::Error),
    #[error("nothing came for {} s", DEAD_AFTER.as_secs())]
    Silent,
    #[error("publishing refused: {0}")]
    Refused(String),
    #[error("another connection took the stream over")]
    TakenOver,
}

// === impl Connection ===

impl<'a> Connection<'a> {
    pub(super) fn new(rtmp: &'a Rtmp, socket: TcpStream) -> Self {
        Self {
            rtmp,
            socket,
            publishing: None,
        }
    }

    /// Serves the connection to its end; whatever ends it, the tail of its stream is sent.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Result<(), Error> {
        let result = self.serve(stop).await;
        if let Some(Publishing { place, .. }) = self.publishing.take() {
            place.leave(forward);
        }
        result
    }

    async fn serve(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        self.socket.set_nodelay(true)?;
        let mut session = Session::new(rtmp::Config::default())?;
        let mut buffer = vec![0; READ];
        loop {
            let leave = self
                .publishing
                .as_ref()
                .map(|publishing| publishing.place.leave.clone());
            let read = tokio::select! {
                read = self.socket.read(&mut buffer) => read?,
                () = stop.cancelled() => return Ok(()),
                () = async { leave.expect("guarded").cancelled().await }, if leave.is_some() => return Err(Error::TakenOver),
                () = tokio::time::sleep(DEAD_AFTER) => return Err(Error::Silent),
            };
            if read == 0 {
                return Ok(());
            }
            for event in session.input(&buffer[..read])? {
                match event {
                    Event::Send(bytes) => self.socket.write_all(&bytes).await?,
                    Event::Publish(publish) => self.publish(&mut session, &publish).await?,
                    Event::Video { timestamp, data } => self.video(timestamp, &data)?,
                    Event::Audio { timestamp, data } => self.audio(timestamp, &data)?,
                    Event::Metadata(metadata) => tracing::debug!(?metadata, "metadata"),
                    Event::PlayRefused { name } => tracing::info!(
                        name,
                        "playing over RTMP is not served: use /stream/NAME.m3u8"
                    ),
                    Event::Finished => return Ok(()),
                }
            }
        }
    }

    async fn publish(&mut self, session: &mut Session, publish: &Publish) -> Result<(), Error> {
        match self.admit(publish).await {
            Ok(place) => {
                tracing::info!(stream = place.live().name().as_str(), "publisher connected");
                let bytes = session.accept(publish.request)?;
                self.publishing = Some(Publishing {
                    place,
                    reader: flv::Reader::new(),
                });
                Ok(self.socket.write_all(&bytes).await?)
            }
            Err(reason) => {
                let bytes =
                    session.reject(publish.request, "NetStream.Publish.BadName", &reason)?;
                self.socket.write_all(&bytes).await?;
                self.socket.shutdown().await?;
                Err(Error::Refused(reason))
            }
        }
    }

    async fn admit(&self, publish: &Publish) -> Result<Place, String> {
        if self.publishing.is_some() {
            return Err("this connection publishes already".to_owned());
        }
        let path = StreamPath::parse(&publish.path()).map_err(|error| error.to_string())?;
        let terms = self
            .rtmp
            .webhook
            .ask(&publish.url())
            .await
            .map_err(|error| error.to_string())?;
        if terms.key.is_some() && terms.key != path.key {
            return Err("the stream key is missing or wrong: publish to NAME/KEY".to_owned());
        }
        let name = terms
            .name
            .clone()
            .or(path.name)
            .unwrap_or_else(|| StreamName::random(entropy()));
        // Without a key whoever knows the name may continue it: that is what a publisher without a key asked for.
        let key = path
            .key
            .unwrap_or_else(|| "-".parse::<StreamKey>().expect("a valid key"));
        let spec = self.spec(name.clone(), &key, terms)?;
        self.rtmp
            .seats
            .take(&name, &key, || spec)
            .map_err(|error| error.to_string())
    }

    fn spec(&self, name: StreamName, key: &StreamKey, terms: Terms) -> Result<LiveSpec, String> {
        let profiles = terms
            .profiles
            .unwrap_or_else(|| self.rtmp.settings.default_profiles.clone());
        let job = TranscodeJob {
            codec: Default::default(),
            pixel_format: None,
            profiles: &profiles,
            slicing: false,
            perceptual_hash: false,
            storage: None,
            min_version: "",
        };
        Ok(LiveSpec {
            name,
            origin: Origin::Rtmp,
            required: job.capabilities().map_err(|error| error.to_string())?,
            profiles,
            key: Some(key.clone()),
            stream_id: terms.stream_id,
            segment: self.rtmp.settings.segmenter.target,
        })
    }

    fn video(&mut self, timestamp: u32, data: &Bytes) -> Result<(), Error> {
        let Some(Publishing { place, reader }) = &mut self.publishing else {
            return Ok(());
        };
        let Some(unit) = tolerate(reader.video(timestamp, data))? else {
            return Ok(());
        };
        let segments = place
            .segment(|segmenter| segmenter.video(unit))
            .ok_or(Error::TakenOver)??;
        forward(place.live(), segments);
        Ok(())
    }

    fn audio(&mut self, timestamp: u32, data: &Bytes) -> Result<(), Error> {
        let Some(Publishing { place, reader }) = &mut self.publishing else {
            return Ok(());
        };
        let Some(frame) = tolerate(reader.audio(timestamp, data))? else {
            return Ok(());
        };
        let segments = place
            .segment(|segmenter| segmenter.audio(frame))
            .ok_or(Error::TakenOver)??;
        forward(place.live(), segments);
        Ok(())
    }
}

/// One bad tag is lost; what the stream cannot do without ends it.
fn tolerate<T>(read: Result<Option<T>, flv::Error>) -> Result<Option<T>, flv::Error> {
    match read {
        Err(error) if !error.ends_stream() => {
            tracing::debug!(%error, "a tag was dropped");
            Ok(None)
        }
        read => read,
    }
}

/// Segments are transcoded side by side; the playlists put them in order again.
fn forward(live: &Arc<Live>, segments: Vec<Segment>) {
    for segment in segments {
        tokio::spawn(live.carry(segment.into()));
    }
}

fn entropy() -> [u8; 4] {
    fastrand::u32(..).to_be_bytes()
}
