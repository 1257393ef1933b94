//! HTTP push: `PUT|POST /live/{name}/{sequence}.ts|.mp4`, one segment a request, the renditions in the answer.
//!
//! # Contract
//!
//! Paths, headers and statuses are go-livepeer's, and so is what they mean to clients: 500 and 503 may be retried, 422 not.
//!
//! | status | when |
//! |---|---|
//! | 200 | done; renditions if `Accept: multipart/mixed`, else an empty body |
//! | 400 | extension, name, slice, configuration or hints |
//! | 403 | the webhook refused, or the name is live over RTMP |
//! | 405 | neither PUT nor POST |
//! | 422 | the media cannot be transcoded, or every attempt failed |
//! | 500 | body too large or cut off, duration, session limit |
//! | 503 | no orchestrator; no room for the segment; the gateway stops |
//!
//! The first segment of a name opens its stream; what the webhook or the header says about renditions counts then, and only then.
//! Hints are another matter: what the webhook said counts for every segment, and what the header [`Pointsman-Hints`](super::hints)
//! says for the segment that it comes with.
//!
//! # Who is let in before what is sent
//!
//! A segment is read only when its stream is there or may be opened: whoever is refused by the webhook or the session limit takes up
//! no memory. What is read has [room] of its own, so that memory is bounded however many send at once. go-livepeer reads first and
//! asks then.
//!
//! # Why 403 for a name that is live over RTMP
//!
//! go-livepeer joins such a push to the stream, without the key that its publisher had to show. Here it is refused, and for good: the
//! publisher may go on for hours, and clients would send every segment again on 500.

mod refusal;
mod request;
mod room;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use pointsman_media::hls;
use pointsman_media::name::StreamName;
use pointsman_media::probe::{Probe, probe};
use pointsman_wire::capabilities::TranscodeJob;

use super::multipart;
use super::renditions::Renditions;
use super::terms::Terms;
use super::webhook::Webhook;
use crate::streams::{Incoming, Live, LiveSpec, OpenError, Origin, Streams};
use refusal::{Refused, refuse, unprocessable};
use request::Pushed;
use room::{Held, Room};
use upload::Upload;

/// Takes pushed segments. One a gateway.
#[derive(Debug)]
pub struct Push {
    streams: Arc<Streams>,
    webhook: Webhook,
    default_profiles: Renditions,
    max_bytes: usize,
    room: Room,
    /// Pushed names whose stream goes by another name, by the webhook's or the header's word.
    aliases: Mutex<HashMap<StreamName, StreamName>>,
}

/// A stream that a push may open.
#[derive(Debug)]
struct Admitted {
    name: StreamName,
    terms: Terms,
}

/// A segment that has been read, from a publisher who is let in.
#[derive(Debug)]
struct Taken {
    pushed: Pushed,
    /// `None`: its stream was open when it came.
    admitted: Option<Admitted>,
    media: Bytes,
    held: Held,
}

/// Larger segments are looked at where other connections do not wait for it, in bytes.
const LARGE: usize = 1 << 20;

// === impl Push ===

impl Push {
    /// Streams opened by a push get `default_profiles` unless their terms say otherwise; segments are at most `max_bytes`, and all
    /// that are read or transcoded at once share a room for some of them.
    #[must_use]
    pub fn new(
        streams: Arc<Streams>,
        webhook: Webhook,
        default_profiles: Renditions,
        max_bytes: usize,
    ) -> Self {
        Self {
            room: Room::new(max_bytes, streams.most()),
            streams,
            webhook,
            default_profiles,
            max_bytes,
            aliases: Mutex::default(),
        }
    }

    /// Answers one request.
    pub async fn answer(&self, request: http::Request<Body>) -> Response {
        match self.push(request).await {
            Ok(response) => response,
            Err(refused) => {
                tracing::warn!(
                    status = refused.status.as_u16(),
                    reason = refused.message,
                    "push refused"
                );
                metrics::counter!("pointsman_pushes_refused_total", "status" => refused.status.as_str().to_owned()).increment(1);
                refused.into_response()
            }
        }
    }

    async fn push(&self, request: http::Request<Body>) -> Result<Response, Refused> {
        let (head, body) = request.into_parts();
        let mut upload = Upload::new(&head.headers, body);
        let taken = match self.take(&head, &mut upload).await {
            Ok(taken) => taken,
            Err(refused) => {
                if let Some(_place) = self.room.farewell() {
                    upload.discard().await;
                }
                return Err(refused);
            }
        };
        let Taken {
            pushed,
            admitted,
            media,
            mut held,
        } = taken;
        let found = look(&media).await?;
        request::check(&found)?;
        let live = self.stream(&pushed, admitted, &found).await?;
        held.settle();
        // A task of its own: viewers want the segment even when its pusher hangs up.
        let carrying = live.clone();
        let incoming = Self::incoming(&live, &pushed, media, &found);
        let carried = tokio::spawn(async move {
            let _held = held;
            carrying.carry(incoming).await
        });
        let renditions = carried
            .await
            .map_err(|_| {
                refuse(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "interrupted: push the segment again",
                )
            })?
            .map_err(|stopped| Refused::from(&stopped))?;
        if !pushed.wants_multipart || renditions.is_empty() {
            return Ok(StatusCode::OK.into_response());
        }
        let parts = live.profiles().iter().zip(renditions);
        let parts = parts.map(|(profile, media)| multipart::Part {
            rendition: profile.name.to_string(),
            format: profile.format.unwrap_or(pushed.format),
            media,
        });
        Ok(multipart::response(parts.collect(), pushed.sequence))
    }

    async fn take(&self, head: &Parts, upload: &mut Upload) -> Result<Taken, Refused> {
        if !matches!(head.method, Method::PUT | Method::POST) {
            return Err(refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "push segments with PUT or POST",
            ));
        }
        let pushed = Pushed::parse(head)?;
        upload.check(self.max_bytes)?;
        let admitted = self.admit(&pushed).await?;
        let mut held = match admitted {
            Some(_) => self.room.for_newcomer(),
            None => self.room.for_stream(),
        };
        let media = upload.read(self.max_bytes, &mut held).await?;
        Ok(Taken {
            pushed,
            admitted,
            media,
            held,
        })
    }

    /// The stream of the pushed name, if it is open.
    fn known(&self, pushed: &Pushed) -> Option<Arc<Live>> {
        let alias = self.aliases.lock().get(&pushed.name).cloned();
        self.streams
            .get(alias.as_ref().unwrap_or(&pushed.name))
            .filter(|live| live.origin() == Origin::Push)
    }

    /// Whether the pushed name may have its stream. `None`: it is open.
    async fn admit(&self, pushed: &Pushed) -> Result<Option<Admitted>, Refused> {
        if self.known(pushed).is_some() {
            return Ok(None);
        }
        let answered = self
            .webhook
            .ask(&pushed.url)
            .await
            .map_err(|denied| refuse(StatusCode::FORBIDDEN, denied.to_string()))?;
        let terms = merge(answered, pushed.terms.clone())?;
        let name = terms.name.clone().unwrap_or_else(|| pushed.name.clone());
        self.streams.check(&name)?;
        Ok(Some(Admitted { name, terms }))
    }

    /// The stream of the pushed name, opened if this is its first segment.
    async fn stream(
        &self,
        pushed: &Pushed,
        mut admitted: Option<Admitted>,
        found: &Probe,
    ) -> Result<Arc<Live>, Refused> {
        // Another push may have opened it while this one was read; or it was open then, and has been idle for too long.
        loop {
            if let Some(live) = self.known(pushed) {
                return Ok(live);
            }
            match admitted.take() {
                Some(admitted) => return self.open(pushed, admitted, found),
                None => admitted = self.admit(pushed).await?,
            }
        }
    }

    fn open(
        &self,
        pushed: &Pushed,
        admitted: Admitted,
        found: &Probe,
    ) -> Result<Arc<Live>, Refused> {
        let Admitted { name, terms } = admitted;
        let spec = self.spec(name.clone(), terms, pushed, found)?;
        self.take_over(&pushed.name, &name);
        Ok(self.streams.get_or_open(&name, || spec)?)
    }

    /// Remembers that `pushed` feeds the stream `name`. A new path for the same stream ends what the old path fed.
    fn take_over(&self, pushed: &StreamName, name: &StreamName) {
        let mut aliases = self.aliases.lock();
        aliases.retain(|_, stream| self.streams.get(stream).is_some());
        if pushed == name {
            return;
        }
        let old: Vec<_> = aliases
            .extract_if(|path, stream| path != pushed && stream == name)
            .collect();
        if !old.is_empty()
            && let Some(live) = self.streams.get(name)
            && live.origin() == Origin::Push
        {
            self.streams.close(&live);
        }
        aliases.insert(pushed.clone(), name.clone());
    }

    fn spec(
        &self,
        name: StreamName,
        terms: Terms,
        pushed: &Pushed,
        found: &Probe,
    ) -> Result<LiveSpec, Refused> {
        let mut profiles = terms
            .profiles
            .unwrap_or_else(|| self.default_profiles.get());
        for profile in &mut profiles {
            profile.format.get_or_insert(pushed.format);
        }
        let job = TranscodeJob {
            codec: request::codec(found),
            pixel_format: request::pixel_format(found),
            profiles: &profiles,
            slicing: true,
            perceptual_hash: false,
            storage: None,
            min_version: "",
        };
        let required = job
            .capabilities()
            .map_err(|error| unprocessable(error.to_string()))?;
        Ok(LiveSpec {
            name,
            origin: Origin::Push,
            required,
            profiles,
            stream_id: terms.stream_id,
            session_id: terms.session_id,
            segment: pushed.duration,
            hints: Arc::new(terms.hints),
        })
    }

    fn incoming(live: &Live, pushed: &Pushed, media: Bytes, found: &Probe) -> Incoming {
        let terms = pushed.terms.as_ref();
        let hints = pushed.hints.clone();
        Incoming {
            sequence: pushed.sequence,
            media,
            format: pushed.format,
            duration: pushed.duration,
            discontinuity: false,
            facts: hls::Facts::of_pushed(found),
            slice: pushed.slice,
            reinit: terms.is_some_and(|terms| terms.reinit),
            patience: terms.map_or(1, |terms| terms.timeout_multiplier),
            hints: hints.map(|hints| Arc::new(hints.or(live.hints()))),
            has_pictures: !found.is_zero_frame(),
        }
    }
}

/// The header overrides what the webhook said; but both may not set different renditions.
fn merge(answered: Terms, header: Option<Terms>) -> Result<Terms, Refused> {
    let Some(header) = header else {
        return Ok(answered);
    };
    if let (Some(theirs), Some(ours)) = (&answered.profiles, &header.profiles)
        && theirs != ours
    {
        let message = "the webhook and Livepeer-Transcode-Configuration set different profiles; set them in one place";
        return Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, message));
    }
    Ok(Terms {
        profiles: header.profiles.or(answered.profiles),
        name: header.name.or(answered.name),
        key: header.key.or(answered.key),
        stream_id: header.stream_id.or(answered.stream_id),
        session_id: header.session_id.or(answered.session_id),
        hints: answered.hints,
        ..header
    })
}

/// What is in a segment.
async fn look(media: &Bytes) -> Result<Probe, Refused> {
    let found = if media.len() < LARGE {
        probe(media)
    } else {
        let media = media.clone();
        let looked = tokio::task::spawn_blocking(move || probe(&media));
        // Not run: the gateway stops.
        looked.await.map_err(|_| OpenError::Closing)?
    };
    found.map_err(|error| unprocessable(format!("the segment cannot be read: {error}")))
}
