//! `POST /segment`: checks, upload, an early 200, work, and a result in the body.
//!
//! The 200 says that the upload is complete and nothing more; it is flushed before the work begins, and what becomes of
//! the segment is one `TranscodeResult` behind it. Work goes on when the client has gone, as in the real one: a gateway
//! that gives up on an orchestrator has not freed it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use hyper::body::Incoming;
use pointsman_wire::net::transcode_result::Result as Outcome;
use pointsman_wire::net::{TranscodeData, TranscodeResult, TranscodedSegmentData};
use pointsman_wire::sign;
use prost::Message as _;

use crate::admission::{Admitted, admit};
use crate::answer::{Answer, accepted, refused, spoilt};
use crate::body::{Act, Parts};
use crate::failure::Kind;
use crate::node::Life;
use crate::offer::offer;
use crate::pay::{self, Paid, Stop};
use crate::session::{NoPlace, Place};
use crate::transcode::{Job, Rendition, Words, extension};
use crate::upload;

/// What comes of a segment's work.
struct Worked {
    segments: Vec<TranscodedSegmentData>,
    /// Over the renditions; empty off-chain.
    sig: Vec<u8>,
}

/// Answers a segment. `None`: the connection breaks.
pub(crate) async fn answer(
    life: Arc<Life>,
    request: Request<Incoming>,
    kind: Option<Kind>,
) -> Option<Answer> {
    let (head, body) = request.into_parts();
    let node = life.node.clone();
    let (admitted, paid) = match accept(&life, &head.headers, kind.as_ref()).await {
        Ok(accepted) => accepted,
        Err(Stop::Break) => return None,
        Err(Stop::Refuse(refusal)) => {
            node.tally.refused.one();
            return Some(upload::unwanted(&head, body, refused(&refusal)).await);
        }
    };
    let hash = &admitted.segment.data.hash;
    let hash = node.profile.verify_hash.then_some(hash.as_slice());
    let input = match upload::receive(&head.headers, body, hash).await {
        Ok(input) => input,
        Err(refusal) => {
            node.tally.refused.one();
            return Some(refused(&refusal));
        }
    };
    node.tally.bytes_in.add(input.len());
    let finish = finish(life, admitted, paid, input, kind);
    Some(accepted(vec![Act::Later(Box::pin(finish))]))
}

/// The checks before the body is read.
async fn accept(
    life: &Life,
    headers: &HeaderMap,
    kind: Option<&Kind>,
) -> Result<(Admitted, Option<Paid>), Stop> {
    let admitted = admit(life, headers, kind).map_err(Stop::Refuse)?;
    let session = &admitted.token.session_id;
    let paid = pay::take(life, &admitted.payment, session, session, kind).await?;
    if let Some(paid) = &paid {
        paid.suffices(life)?;
    }
    Ok((admitted, paid))
}

/// Everything behind the 200.
async fn finish(
    life: Arc<Life>,
    admitted: Admitted,
    paid: Option<Paid>,
    input: Parts,
    kind: Option<Kind>,
) -> Vec<Act> {
    let node = life.node.clone();
    let Admitted { segment, token, .. } = admitted;
    // Under the request's own token: new ones are handed out by GetOrchestrator alone.
    let terms = paid.as_ref().map(|paid| paid.terms.clone());
    let info = offer(&node, token.clone(), terms, kind.as_ref());
    let seq = segment.data.seq;
    let outcome = match &kind {
        Some(Kind::Busy) => Err(NoPlace::Busy.to_string()),
        Some(Kind::Error { text }) => Err(text.clone()),
        // The result is never seen: no work is done for it.
        Some(
            Kind::HangAfterHeaders | Kind::ResetMidBody | Kind::GarbageResult | Kind::EndlessBody,
        ) => Err(String::new()),
        _ => {
            let job = Job {
                input,
                duration: segment.duration,
                profiles: segment.profiles,
                slice: segment.data.segment_parameters,
            };
            work(life.clone(), token.session_id, seq, job).await
        }
    };
    node.delay().await;
    if let Some(paid) = &paid {
        let pixels = outcome.as_ref().map_or(0, |worked| worked.pixels());
        if !paid.charge(&life, pixels) {
            return vec![Act::Cut];
        }
    }
    let outcome = match outcome {
        Ok(Worked { mut segments, sig }) => {
            if kind == Some(Kind::FewerRenditions) {
                segments.pop();
            }
            node.tally.results_ok.one();
            Outcome::Data(TranscodeData { segments, sig })
        }
        Err(words) => {
            node.tally.results_failed.one();
            Outcome::Error(words)
        }
    };
    let result = TranscodeResult {
        seq,
        result: Some(outcome),
        info: Some(info),
    };
    spoilt(Bytes::from(result.encode_to_vec()), kind.as_ref())
}

/// Takes a place, waits for its turn, transcodes and stores.
async fn work(life: Arc<Life>, session: String, seq: i64, job: Job) -> Result<Worked, Words> {
    let place = life
        .sessions
        .enter(&session, life.node.settings().capacity)
        .map_err(|error| error.to_string())?;
    if !life.transcoder.works() {
        return transcode(&life, &place, &session, seq, &job).await;
    }
    let worker = {
        let life = life.clone();
        async move {
            tokio::select! {
                biased;
                () = life.stop.cancelled() => Err("ErrTranscoderUnavailable".to_owned()),
                outcome = transcode(&life, &place, &session, seq, &job) => outcome,
            }
        }
    };
    let done = life.tasks.spawn(worker).await;
    done.unwrap_or_else(|cause| {
        tracing::error!(%cause, "a transcoding task ended abnormally");
        Err("ErrTranscoderUnavailable".to_owned())
    })
}

async fn transcode(
    life: &Life,
    place: &Place,
    session: &str,
    seq: i64,
    job: &Job,
) -> Result<Worked, Words> {
    let _turn = place.turn().await;
    let renditions = life.transcoder.run(job).await?;
    let sig = signature(life, &renditions);
    let mut listed = Vec::with_capacity(renditions.len());
    for (profile, rendition) in job.profiles.iter().zip(renditions) {
        let file = format!("{seq}{}", extension(profile));
        if !place.store(&profile.name, &file, rendition.data) {
            // As in the real one, what cannot be stored is silently not listed.
            break;
        }
        listed.push(TranscodedSegmentData {
            url: format!("{}/stream/{session}/{}/{file}", life.node.uri, profile.name),
            pixels: rendition.pixels,
            perceptual_hash_url: String::new(),
        });
    }
    Ok(Worked {
        segments: listed,
        sig,
    })
}

/// Over all renditions, listed or not; off-chain there is no key.
fn signature(life: &Life, renditions: &[Rendition]) -> Vec<u8> {
    let Some(account) = &life.node.account else {
        return Vec::new();
    };
    let hash = |rendition: &Rendition| {
        let mut hasher = sign::Keccak256::new();
        rendition.data.iter().for_each(|part| hasher.update(part));
        hasher.finalize()
    };
    let hashes: Vec<_> = renditions.iter().map(hash).collect();
    let signed = sign::sign_digest(account.key(), sign::result_digest(&hashes));
    signed.expect("a key in memory signs").to_vec()
}

// === impl Worked ===

impl Worked {
    fn pixels(&self) -> i64 {
        self.segments.iter().map(|segment| segment.pixels).sum()
    }
}
