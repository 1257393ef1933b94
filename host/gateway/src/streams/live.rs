//! One stream: its segments go out to be transcoded; source and renditions go into its playlists.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use parking_lot::Mutex;
use pointsman_dispatch::{Deadlines, Delivered, StopReason, Stopped};
use pointsman_facts::Hints;
use pointsman_media::hls::{self, Number, Playout};
use pointsman_media::name::StreamName;
use pointsman_wire::net::Capabilities;
use pointsman_wire::profile::{Format, Profile};
use pointsman_wire::segment::Slice;
use pointsman_workloads::transcode::{Renditions, Segment, Stream, StreamSpec, Transcoder};
use serde::Serialize;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::facts;
use super::format::Formats;
use super::stats::{Stats, Summary};
use crate::streams::PlaylistSettings;

/// How a stream comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Segment by segment over HTTP.
    Push,
    /// A connection that is cut into segments here.
    Rtmp,
}

/// What a stream starts from.
#[derive(Clone, Debug)]
pub struct LiveSpec {
    /// Its public name.
    pub name: StreamName,
    /// How it comes in.
    pub origin: Origin,
    /// What is made of it.
    pub profiles: Vec<Profile>,
    /// What an orchestrator must be able to do for it.
    pub required: Capabilities,
    /// The application's own id for it: on every line of the log about it, and in `GET /api/v1/streams`.
    pub stream_id: Option<String>,
    /// The application's session: on every line of the log about it.
    pub session_id: Option<String>,
    /// The longest segment to expect.
    pub segment: Duration,
    /// What the application wants of every segment.
    pub hints: Arc<Hints>,
}

/// A segment from a publisher.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its number.
    pub sequence: u64,
    /// The media, as it came.
    pub media: Bytes,
    /// How it is packed.
    pub format: Format,
    /// Its length.
    pub duration: Duration,
    /// Whether its timestamps do not continue those of the segment before.
    pub discontinuity: bool,
    /// What is known of its pictures and sound.
    pub facts: hls::Facts,
    /// The part to cut out.
    pub slice: Option<Slice>,
    /// Whether orchestrators must start their encoders anew, because the application says so.
    pub reinit: bool,
    /// Stretches the hard deadline; 1 is the usual one.
    pub patience: u32,
    /// What the application wants of this one; `None`: what it wants of all.
    pub hints: Option<Arc<Hints>>,
    /// Whether there are pictures in it. A segment without is the same in every rendition, and nobody is asked for it.
    pub has_pictures: bool,
}

/// A stream that is live.
#[derive(Debug)]
pub struct Live {
    spec: LiveSpec,
    stream: Stream,
    transcoder: Arc<Transcoder>,
    playout: Mutex<Playout>,
    formats: Formats,
    started: Instant,
    last_used: Mutex<Instant>,
    /// Segments under way.
    carrying: AtomicUsize,
    over: AtomicBool,
    stats: Stats,
    span: Span,
}

/// How long the end of a stream waits for segments that are under way.
const LAST_ONES: Duration = Duration::from_secs(10);

// === impl Live ===

impl Live {
    pub(super) fn new(
        spec: LiveSpec,
        transcoder: Arc<Transcoder>,
        playlists: PlaylistSettings,
    ) -> Result<Self, hls::ConfigError> {
        let stream = Stream::new(StreamSpec {
            name: spec.name.to_string(),
            profiles: spec.profiles.clone(),
            required: spec.required.clone(),
        });
        let renditions = spec.profiles.iter().map(facts::of_profile).collect();
        let mut config = hls::Config::new(spec.name.to_string(), renditions, spec.segment);
        config.window = playlists.window;
        config.keep = playlists.keep;
        config.bytes = playlists.bytes;
        Ok(Self {
            playout: Mutex::new(Playout::new(config)?),
            span: span(&spec),
            spec,
            stream,
            transcoder,
            formats: Formats::default(),
            started: Instant::now(),
            last_used: Mutex::new(Instant::now()),
            carrying: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            stats: Stats::default(),
        })
    }

    /// Its public name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.spec.name
    }

    /// How it comes in.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.spec.origin
    }

    /// What is made of it.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.spec.profiles
    }

    /// What the application wants of every segment.
    #[must_use]
    pub fn hints(&self) -> &Hints {
        &self.spec.hints
    }

    /// When it started.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What lines of the log about it are marked with.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// How long nothing has come, and nothing that came is still with an orchestrator.
    pub(super) fn idle(&self) -> Duration {
        if self.carrying.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        self.last_used.lock().elapsed()
    }

    fn touch(&self) {
        *self.last_used.lock() = Instant::now();
    }

    /// Lists one segment at once, and has it transcoded and its renditions listed by the future that is answered. Its result is for
    /// publishers that wait.
    ///
    /// The segment has its place before this returns, so that whoever sends the last one and then ends the stream loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::transcode`]; the playlists then have a gap.
    pub fn carry(
        self: &Arc<Self>,
        mut incoming: Incoming,
    ) -> impl Future<Output = Result<Vec<Bytes>, Stopped>> + Send + use<> {
        self.touch();
        self.stats.source(incoming.media.len());
        let deadlines = self.deadlines(&incoming);
        let number = self.announce(&incoming, deadlines);
        if incoming.has_pictures {
            incoming.reinit |= self.formats.changes(incoming.sequence, &incoming.facts);
        }
        self.carrying.fetch_add(1, Ordering::AcqRel);
        let settled = Settled {
            live: self.clone(),
            number,
        };
        settled
            .carry(incoming, deadlines)
            .instrument(self.span.clone())
    }

    async fn renditions(
        &self,
        incoming: Incoming,
        deadlines: Deadlines,
    ) -> Result<Vec<(Bytes, hls::Facts)>, Stopped> {
        if self.spec.profiles.is_empty() {
            return Ok(Vec::new());
        }
        if !incoming.has_pictures {
            return Ok(vec![
                (incoming.media, incoming.facts);
                self.spec.profiles.len()
            ]);
        }
        let segment = Segment {
            sequence: incoming.sequence,
            media: incoming.media,
            duration: media_time(incoming.duration),
            slice: incoming.slice,
            reinit: incoming.reinit,
            deadlines,
            hints: incoming.hints.unwrap_or_else(|| self.spec.hints.clone()),
        };
        let delivered = self.transcoder.transcode(&self.stream, segment).await?;
        self.delivered(&delivered);
        let with_facts = delivered.output.into_iter().map(|rendition| {
            let facts = hls::Facts::of_rendition(&rendition.facts, &incoming.facts);
            (rendition.media, facts)
        });
        Ok(with_facts.collect())
    }

    fn deadlines(&self, incoming: &Incoming) -> Deadlines {
        let media_time = media_time(incoming.duration);
        let mut deadlines = match self.spec.origin {
            Origin::Push => Deadlines::pushed(media_time),
            // The tail is as short as it happens to be, and nothing waits behind it.
            Origin::Rtmp => Deadlines::live(media_time.max(self.spec.segment)),
        };
        deadlines.hard *= incoming.patience.max(1);
        deadlines
    }

    fn announce(&self, incoming: &Incoming, deadlines: Deadlines) -> Option<Number> {
        let now = Instant::now().into_std();
        let wanted = hls::Deadlines {
            soft: now + deadlines.soft,
            hard: now + deadlines.hard,
        };
        let segment = hls::SourceSegment {
            bytes: incoming.media.clone(),
            container: facts::container(incoming.format),
            duration: incoming.duration,
            start: SystemTime::now() - incoming.duration,
            discontinuity: incoming.discontinuity,
            facts: incoming.facts.clone(),
        };
        let announced = self
            .playout
            .lock()
            .source(incoming.sequence, segment, wanted, now);
        announced
            .inspect_err(|refused| tracing::debug!(stream = self.stream.name(), sequence = incoming.sequence, %refused, "not listed"))
            .ok()
    }

    fn delivered(&self, delivered: &Delivered<Renditions>) {
        let bytes = delivered
            .output
            .iter()
            .map(|rendition| rendition.media.len())
            .sum();
        let orchestrator = delivered.orchestrator.uri.to_string();
        if self
            .stats
            .delivered(bytes, delivered.elapsed, &orchestrator)
        {
            tracing::info!(
                stream = self.stream.name(),
                orchestrator,
                decision = delivered.decision,
                "orchestrator chosen"
            );
        }
    }

    /// Says that no segment follows: the playlists get their end.
    pub fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.playout.lock().end(Instant::now().into_std());
    }

    /// Whether no segment follows. Its playlists may be read for a while yet; its name is free.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Ends it: no segment follows, and its orchestrators hear so once the last ones are back.
    pub(super) async fn end(&self) {
        self.finish();
        let last_ones = async {
            while self.carrying.load(Ordering::Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(LAST_ONES, last_ones).await;
        self.transcoder.end(&self.stream).await;
    }

    /// The master playlist, once there is one.
    #[must_use]
    pub fn master(&self) -> Option<Bytes> {
        self.fresh_playout().master()
    }

    /// The media playlist of a rendition, or of `source`.
    #[must_use]
    pub fn playlist(&self, rendition: &str) -> Option<Bytes> {
        self.fresh_playout().media(rendition)
    }

    /// A segment that is listed, or was until lately.
    #[must_use]
    pub fn segment(&self, rendition: &str, number: u64) -> Option<Bytes> {
        self.playout.lock().segment(rendition, Number(number))
    }

    fn fresh_playout(&self) -> parking_lot::MutexGuard<'_, Playout> {
        let mut playout = self.playout.lock();
        playout.expire(Instant::now().into_std());
        playout
    }

    /// What there is to say about it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.stats.summary(
            &self.spec,
            self.started.elapsed(),
            self.playout.lock().counts(),
        )
    }
}

/// Settles a segment in the playlists whatever happens: also when the publisher hangs up and its future is dropped.
struct Settled {
    live: Arc<Live>,
    number: Option<Number>,
}

// === impl Settled ===

impl Settled {
    async fn carry(
        mut self,
        incoming: Incoming,
        deadlines: Deadlines,
    ) -> Result<Vec<Bytes>, Stopped> {
        let live = self.live.clone();
        let result = live.renditions(incoming, deadlines).await;
        live.touch();
        match result {
            Ok(renditions) => {
                self.done(&renditions);
                Ok(renditions
                    .into_iter()
                    .map(|rendition| rendition.0)
                    .collect())
            }
            Err(stopped) => {
                // Who is told that there is nobody now comes again with the same segment: its place stays free until its deadline.
                let later = matches!(
                    stopped.reason,
                    StopReason::NoOrchestrators | StopReason::Unpaid
                );
                if live.spec.origin == Origin::Push && later {
                    self.number = None;
                }
                live.stats.failed(stopped.reason);
                let decision = stopped.decision;
                tracing::warn!(stream = live.stream.name(), decision, reason = %stopped, "segment not transcoded");
                Err(stopped)
            }
        }
    }

    fn done(&mut self, renditions: &[(Bytes, hls::Facts)]) {
        let Some(number) = self.number.take() else {
            return;
        };
        let segment = |(bytes, facts): &(Bytes, hls::Facts)| {
            Some(hls::RenditionSegment {
                bytes: bytes.clone(),
                facts: facts.clone(),
            })
        };
        let listed = self.live.playout.lock().done(
            number,
            renditions.iter().map(segment).collect(),
            Instant::now().into_std(),
        );
        if let Err(late) = listed {
            tracing::info!(stream = self.live.stream.name(), sequence = number.0, %late, "renditions not listed");
        }
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        self.live.carrying.fetch_sub(1, Ordering::AcqRel);
        if let Some(number) = self.number {
            self.live
                .playout
                .lock()
                .failed(number, Instant::now().into_std());
        }
    }
}

/// The application's ids. Of the highest level, so that lines of any have them.
fn span(spec: &LiveSpec) -> Span {
    let (stream_id, session_id) = (spec.stream_id.as_deref(), spec.session_id.as_deref());
    if stream_id.is_none() && session_id.is_none() {
        return Span::none();
    }
    tracing::error_span!("application", stream_id, session_id)
}

/// Zero means that the publisher does not know.
fn media_time(duration: Duration) -> Duration {
    if duration.is_zero() {
        pointsman_wire::limits::DEFAULT_SEGMENT
    } else {
        duration
    }
}

/// The reason's name in metrics.
pub(super) fn reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::NoOrchestrators => "no-orchestrators",
        StopReason::Rejected => "rejected",
        StopReason::Input => "input",
        StopReason::Unpaid => "unpaid",
        StopReason::Failed => "failed",
        StopReason::Deadline => "deadline",
    }
}
