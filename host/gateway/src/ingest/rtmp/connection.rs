//! One publisher's connection.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use pointsman_media::flv;
use pointsman_media::name::{StreamKey, StreamName, StreamPath};
use pointsman_media::rtmp::{self, Event, Publish, Session};
use pointsman_wire::capabilities::TranscodeJob;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::error::{Error, Refusal};
use super::seats::Place;
use super::strangers::Stranger;
use super::{GOODBYE, MAX_SILENCE, MAX_WITHOUT_SEGMENT, PUBLISH_WITHIN, Rtmp, WRITE_WITHIN};
use crate::ingest::terms::Terms;
use crate::streams::{LiveSpec, Origin};

/// Bytes read at once: a second of 2 Mb/s video takes eight reads.
const READ: usize = 32 << 10;

/// A connection under way.
pub(super) struct Connection<'a, S> {
    rtmp: &'a Rtmp,
    socket: S,
    session: Session,
    buffer: Vec<u8>,
    /// What one read brought and is not handled yet.
    events: VecDeque<Event>,
    /// What is to be written before the next read.
    answers: BytesMut,
    /// The peer cannot be told anything any more.
    deaf: bool,
    /// Its place among those that have not published yet.
    stranger: Option<Stranger>,
    /// Cancelled when another connection takes over.
    leave: CancellationToken,
    publishing: Option<Publishing>,
}

struct Publishing {
    place: Place,
    reader: flv::Reader,
    /// When the last segment was cut, or the stream began.
    progress: Instant,
}

// === impl Connection ===

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, S> {
    pub(super) fn new(rtmp: &'a Rtmp, socket: S, stranger: Stranger) -> Result<Self, Error> {
        Ok(Self {
            rtmp,
            socket,
            session: Session::new(rtmp::Config::default())?,
            buffer: vec![0; READ],
            events: VecDeque::new(),
            answers: BytesMut::new(),
            deaf: false,
            stranger: Some(stranger),
            leave: CancellationToken::new(),
            publishing: None,
        })
    }

    /// Serves the connection to its end; whatever ends it, the tail of its stream is sent.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Result<(), Error> {
        let leave = self.leave.clone();
        let result = tokio::select! {
            result = self.serve() => result,
            () = stop.cancelled() => Ok(()),
            () = leave.cancelled() => Err(Error::TakenOver),
        };
        if let Some(Publishing { place, .. }) = self.publishing.take() {
            place.leave();
        }
        if result.is_ok() {
            stop.run_until_cancelled(self.farewell()).await;
        }
        result
    }

    /// Lets the peer go first. Closed with bytes unread, the connection would be reset, and what was said last lost on its way; encoders
    /// that say twice that they have finished would take that for a failure.
    async fn farewell(&mut self) {
        let gone = async {
            let _ = self.socket.shutdown().await;
            while let Ok(1..) = self.socket.read(&mut self.buffer).await {}
        };
        let _ = timeout(GOODBYE, gone).await;
    }

    async fn serve(&mut self) -> Result<(), Error> {
        let asked = timeout_at(Instant::now() + PUBLISH_WITHIN, self.asked()).await;
        let Some(publish) = asked.map_err(|_| Error::NotPublished)?? else {
            return Ok(());
        };
        // From here on the webhook's own time limit holds, which is not the publisher's fault.
        match self.admit(&publish).await {
            Ok(place) => {
                tracing::info!(stream = place.live().name().as_str(), "publisher connected");
                let accepted = self.session.accept(publish.request)?;
                self.answers.extend_from_slice(&accepted);
                self.stranger = None;
                self.publishing = Some(Publishing {
                    place,
                    reader: flv::Reader::new(),
                    progress: Instant::now(),
                });
                self.flush().await?;
                self.carry().await
            }
            Err(refusal) => {
                self.refuse(&publish, &refusal.to_string()).await?;
                Err(refusal.into())
            }
        }
    }

    /// Reads until the peer asks to publish; `None` when it goes without.
    async fn asked(&mut self) -> Result<Option<Publish>, Error> {
        loop {
            match self.next().await? {
                Some(Event::Publish(publish)) => return Ok(Some(publish)),
                Some(Event::PlayRefused { name }) => tracing::info!(
                    name,
                    "playing over RTMP is not served: use /stream/NAME.m3u8"
                ),
                Some(Event::Finished) | None => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// Carries what is published to its end.
    async fn carry(&mut self) -> Result<(), Error> {
        while let Some(event) = self.next().await? {
            let Some(publishing) = &mut self.publishing else {
                return Ok(());
            };
            match event {
                Event::Video { timestamp, data } => publishing.video(timestamp, &data).await?,
                Event::Audio { timestamp, data } => publishing.audio(timestamp, &data).await?,
                Event::Metadata(metadata) => tracing::debug!(?metadata, "metadata"),
                Event::Finished => return Ok(()),
                // Refused by the session already.
                Event::Publish(_) | Event::PlayRefused { .. } | Event::Send(_) => {}
            }
        }
        Ok(())
    }

    /// What happens next; `None` at the end of the connection. What there is to say is said before the peer is read again.
    async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            while let Some(event) = self.events.pop_front() {
                match event {
                    Event::Send(bytes) => self.answers.extend_from_slice(&bytes),
                    event => return Ok(Some(event)),
                }
            }
            self.flush().await?;
            let read = timeout(MAX_SILENCE, self.socket.read(&mut self.buffer)).await;
            let read = read.map_err(|_| Error::Silent)??;
            if read == 0 {
                return Ok(None);
            }
            let progress = self.publishing.as_ref().map(|it| it.progress.elapsed());
            if progress.is_some_and(|since| since > MAX_WITHOUT_SEGMENT) {
                return Err(Error::NoSegment);
            }
            self.events = self.session.input(&self.buffer[..read])?.into();
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let answers = std::mem::take(&mut self.answers);
        if answers.is_empty() || self.deaf {
            return Ok(());
        }
        let written = timeout(WRITE_WITHIN, self.socket.write_all(&answers)).await;
        // A peer that has gone may have sent everything before: that is there to be read yet, and ends as the connection did.
        self.deaf = written.map_err(|_| Error::SlowReader)?.is_err();
        Ok(())
    }

    async fn refuse(&mut self, publish: &Publish, reason: &str) -> Result<(), Error> {
        let code = "NetStream.Publish.BadName";
        let refused = self.session.reject(publish.request, code, reason)?;
        self.answers.extend_from_slice(&refused);
        self.flush().await?;
        self.farewell().await;
        Ok(())
    }

    async fn admit(&mut self, publish: &Publish) -> Result<Place, Refusal> {
        let path = StreamPath::parse(&publish.path())?;
        let terms = self.rtmp.webhook.ask(&publish.url()).await?;
        if terms.key.is_some() && terms.key != path.key {
            return Err(Refusal::Key);
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
        let spec = self.spec(name.clone(), terms)?;
        let leave = self.leave.clone();
        self.rtmp.seats.take(&name, &key, leave, || spec)
    }

    fn spec(&self, name: StreamName, terms: Terms) -> Result<LiveSpec, Refusal> {
        let profiles = terms
            .profiles
            .unwrap_or_else(|| self.rtmp.settings.default_profiles.get());
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
            required: job.capabilities()?,
            profiles,
            stream_id: terms.stream_id,
            session_id: terms.session_id,
            segment: self.rtmp.settings.segmenter.target,
            hints: Arc::new(terms.hints),
        })
    }
}

// === impl Publishing ===

impl Publishing {
    async fn video(&mut self, timestamp: u32, data: &Bytes) -> Result<(), Error> {
        self.wait_for_room().await;
        let Some(unit) = tolerate(self.reader.video(timestamp, data))? else {
            return Ok(());
        };
        let cut = self.place.segment(|segmenter| segmenter.video(unit));
        self.forward(cut.ok_or(Error::TakenOver)??);
        Ok(())
    }

    async fn audio(&mut self, timestamp: u32, data: &Bytes) -> Result<(), Error> {
        self.wait_for_room().await;
        let Some(frame) = tolerate(self.reader.audio(timestamp, data))? else {
            return Ok(());
        };
        let cut = self.place.segment(|segmenter| segmenter.audio(frame));
        self.forward(cut.ok_or(Error::TakenOver)??);
        Ok(())
    }

    /// A publisher that is faster than its segments come back is not read on.
    async fn wait_for_room(&mut self) {
        if !self.place.has_room() {
            self.place.wait_for_room().await;
            self.progress = Instant::now();
        }
    }

    fn forward(&mut self, segments: Vec<pointsman_media::segmenter::Segment>) {
        if !segments.is_empty() {
            self.progress = Instant::now();
            self.place.forward(segments);
        }
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

fn entropy() -> [u8; 4] {
    fastrand::u32(..).to_be_bytes()
}
