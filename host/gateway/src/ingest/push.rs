//! HTTP push: `PUT|POST /live/{name}/{sequence}.ts|.mp4`, one segment a request, the renditions in the answer.
//!
//! # Contract
//!
//! Paths, headers and statuses are go-livepeer's, and so is what they mean to clients: 500 and 503 may be retried, 422 not.
//!
//! | status | when |
//! |---|---|
//! | 200 | done; renditions if `Accept: multipart/mixed`, else an empty body |
//! | 400 | extension, name, slice or configuration |
//! | 403 | the webhook refused |
//! | 405 | neither PUT nor POST |
//! | 422 | the media cannot be transcoded, or every attempt failed |
//! | 500 | body too large or cut off, duration, session limit |
//! | 503 | no orchestrator |
//!
//! The first segment of a name opens its stream; what the webhook or the header says about renditions counts then, and only then.

mod request;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use pointsman_dispatch::{StopReason, Stopped};
use pointsman_facts::{Blame, Failure};
use pointsman_media::hls;
use pointsman_media::name::StreamName;
use pointsman_media::probe::{Probe, probe};
use pointsman_wire::capabilities::TranscodeJob;
use pointsman_wire::profile::Profile;

use super::multipart;
use super::terms::Terms;
use super::webhook::Webhook;
use crate::streams::{Incoming, Live, LiveSpec, OpenError, Origin, Streams};
use request::Pushed;
use upload::Upload;

/// Takes pushed segments. One a gateway.
#[derive(Debug)]
pub struct Push {
    streams: Arc<Streams>,
    webhook: Webhook,
    default_profiles: Vec<Profile>,
    max_bytes: usize,
    /// Pushed names whose stream goes by another name, by the webhook's or the header's word.
    aliases: Mutex<HashMap<StreamName, StreamName>>,
}

/// Why a push is not done: what the client is told.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
}

// === impl Push ===

impl Push {
    /// Streams opened by a push get `default_profiles` unless their terms say otherwise; segments are at most `max_bytes`.
    #[must_use]
    pub fn new(
        streams: Arc<Streams>,
        webhook: Webhook,
        default_profiles: Vec<Profile>,
        max_bytes: usize,
    ) -> Self {
        Self {
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
        let (pushed, media) = match self.take(&head, &mut upload).await {
            Ok(taken) => taken,
            Err(refused) => {
                upload.discard().await;
                return Err(refused);
            }
        };
        let found = probe(&media)
            .map_err(|error| unprocessable(format!("the segment cannot be read: {error}")))?;
        request::check(&found)?;
        let live = self.stream(&pushed, &found).await?;
        // A task of its own: viewers want the segment even when its pusher hangs up.
        let carrying = live.clone();
        let incoming = Self::incoming(&pushed, media, &found);
        let carried = tokio::spawn(async move { carrying.carry(incoming).await }).await;
        let renditions = carried
            .map_err(|_| {
                refuse(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "interrupted: push the segment again",
                )
            })?
            .map_err(|stopped| of_stopped(&stopped))?;
        if !pushed.wants_multipart || renditions.is_empty() {
            return Ok(StatusCode::OK.into_response());
        }
        let names = live
            .profiles()
            .iter()
            .map(|profile| profile.name.to_string());
        let parts = names
            .zip(renditions)
            .map(|(rendition, media)| multipart::Part { rendition, media });
        Ok(multipart::response(
            parts.collect(),
            pushed.sequence,
            pushed.format.extension(),
        ))
    }

    async fn take(&self, head: &Parts, upload: &mut Upload) -> Result<(Pushed, Bytes), Refused> {
        if !matches!(head.method, Method::PUT | Method::POST) {
            return Err(refuse(
                StatusCode::METHOD_NOT_ALLOWED,
                "push segments with PUT or POST",
            ));
        }
        let pushed = Pushed::parse(head)?;
        Ok((pushed, upload.read(self.max_bytes).await?))
    }

    /// The stream of the pushed name, opened if this is its first segment.
    async fn stream(&self, pushed: &Pushed, found: &Probe) -> Result<Arc<Live>, Refused> {
        let known = self.aliases.lock().get(&pushed.name).cloned();
        let open = self.streams.get(known.as_ref().unwrap_or(&pushed.name));
        if let Some(live) = open.filter(|live| live.origin() == Origin::Push) {
            return Ok(live);
        }
        let answered = self
            .webhook
            .ask(&pushed.url)
            .await
            .map_err(|denied| refuse(StatusCode::FORBIDDEN, denied.to_string()))?;
        let terms = merge(answered, pushed.terms.clone())?;
        let name = terms.name.clone().unwrap_or_else(|| pushed.name.clone());
        let spec = self.spec(name.clone(), &terms, pushed, found)?;
        self.take_over(&pushed.name, &name);
        self.streams
            .get_or_open(&name, || spec)
            .map_err(|error| match error {
                OpenError::Closing => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
                OpenError::Playlists(_) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
                OpenError::TooMany(_) | OpenError::Taken => {
                    refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
                }
            })
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
        terms: &Terms,
        pushed: &Pushed,
        found: &Probe,
    ) -> Result<LiveSpec, Refused> {
        let mut profiles = terms
            .profiles
            .clone()
            .unwrap_or_else(|| self.default_profiles.clone());
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
            key: terms.key.clone(),
            stream_id: terms.stream_id.clone(),
            segment: pushed.duration,
        })
    }

    fn incoming(pushed: &Pushed, media: Bytes, found: &Probe) -> Incoming {
        let terms = pushed.terms.as_ref();
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
        ..header
    })
}

fn of_stopped(stopped: &Stopped) -> Refused {
    let status = match stopped.reason {
        StopReason::NoOrchestrators => StatusCode::SERVICE_UNAVAILABLE,
        StopReason::Rejected => stopped
            .status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        StopReason::Failed if stopped.failure.as_ref().is_some_and(is_ours) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        StopReason::Input | StopReason::Failed | StopReason::Deadline => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    let message = match stopped.reason {
        StopReason::NoOrchestrators => format!("No sessions available: {stopped}"),
        _ => stopped.to_string(),
    };
    Refused { status, message }
}

fn is_ours(failure: &Failure) -> bool {
    failure.blame == Blame::Gateway
}

fn unprocessable(message: String) -> Refused {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, message)
}

fn refuse(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused {
        status,
        message: message.into(),
    }
}

// === impl Refused ===

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, self.message + "\n").into_response()
    }
}
