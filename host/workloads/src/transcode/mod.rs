//! Live video: a segment in, renditions out.
//!
//! # Contract
//!
//! A [`Stream`] is what stays the same from segment to segment: its renditions, the capabilities they need, its sessions.
//! [`Transcoder::transcode`] sends one segment of it through dispatch and answers with every rendition, in the
//! order of the profiles, or with the reason why there is none. All or nothing: a segment with a missing rendition would make
//! players that sit on that rendition stall.
//!
//! Off-chain the address is zero, nothing is signed and the payment header is empty. On a chain a segment is signed, and paid before it is
//! done: see [`paying`].
//!
//! # What is judged
//!
//! An orchestrator's 200 means only that the upload arrived. Good is what can be played: as many renditions as profiles, each fetched
//! whole, each with video in it. Whatever falls short is the orchestrator's fault and tried elsewhere, except for the
//! errors that say the media itself cannot be transcoded: those would burn one orchestrator after another.

mod attempt;
mod ceiling;
mod failure;
mod fetch;
mod paying;
mod retry_after;
mod session;
mod stream;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use attempt::SegmentWork;
use bytes::Bytes;
use pointsman_dispatch::{Deadlines, Delivered, Dispatcher, Request, StopReason, Stopped};
use pointsman_facts::{Hints, Price, Symbol, Workload};
use pointsman_media::probe::RenditionFacts;
use pointsman_payments::price::{self, MaxPrices};
use pointsman_payments::purse::Purse;
use pointsman_transport::Connections;
use pointsman_wire::segment::Slice;
use pointsman_wire::sign::{B256, keccak256};
use tokio::sync::OnceCell;

pub use session::Session;
pub use stream::{Stream, StreamSpec};

/// Sends segments to orchestrators. One a gateway.
#[derive(Debug)]
pub struct Transcoder {
    dispatcher: Arc<Dispatcher>,
    connections: Connections,
    prices: MaxPrices,
    purse: Purse,
}

/// One segment to transcode.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its number in the stream, at most `i64::MAX`.
    pub sequence: u64,
    /// The media, as it came.
    pub media: Bytes,
    /// Its length; at most 300 s, zero counts as two seconds.
    pub duration: Duration,
    /// The part to cut out, if not all of it.
    pub slice: Option<Slice>,
    /// Whether the input's format differs from the segment before.
    pub reinit: bool,
    /// How long it may take.
    pub deadlines: Deadlines,
    /// What the application wants.
    pub hints: Arc<Hints>,
}

/// One rendition of a segment.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// The media.
    pub media: Bytes,
    /// What was found in it.
    pub facts: RenditionFacts,
}

/// The renditions of one segment, in the order of the stream's profiles.
pub type Renditions = Vec<Rendition>;

/// How long a farewell to an orchestrator may take: nobody waits for it.
const FAREWELL: Duration = Duration::from_secs(3);
/// Larger segments are hashed on a thread of their own, in bytes. Smaller ones take less than handing them over is worth.
const LARGE: usize = 1 << 20;

// === impl Transcoder ===

impl Transcoder {
    /// A transcoder that chooses through `dispatcher` and pays at most `prices`, out of `purse`.
    #[must_use]
    pub fn new(
        dispatcher: Arc<Dispatcher>,
        connections: Connections,
        prices: MaxPrices,
        purse: Purse,
    ) -> Self {
        Self {
            dispatcher,
            connections,
            prices,
            purse,
        }
    }

    /// Transcodes one segment of `stream`.
    ///
    /// # Errors
    ///
    /// As [`Dispatcher::exchange`]; and where the operator's ceiling is in a currency without a rate.
    pub async fn transcode(
        &self,
        stream: &Stream,
        segment: Segment,
    ) -> Result<Delivered<Renditions>, Stopped> {
        let max_price = self.max_price(stream)?;
        let request = Request {
            id: format!("{}/{}", stream.name(), segment.sequence),
            workload: Workload::Transcode,
            capability: Symbol::of(Workload::Transcode.name()),
            model: Symbol::UNKNOWN,
            affinity: stream.affinity(),
            required: stream.required().clone(),
            segment: Some(segment.duration),
            sequence: Some(segment.sequence),
            units: stream.pixels(segment.duration),
            deadlines: segment.deadlines,
            max_price,
            hints: segment.hints.clone(),
        };
        let work = SegmentWork {
            connections: &self.connections,
            directory: self.dispatcher.directory(),
            stream,
            hash: hash(&segment.media).await,
            segment: &segment,
            signature: OnceCell::new(),
            doubted: AtomicBool::new(false),
            purse: &self.purse,
            ceiling: self.ceiling(&segment, max_price),
        };
        let done = self.dispatcher.exchange(&request, stream.sessions(), &work);
        done.await.map_err(|stopped| self.explained(stopped))
    }

    /// The most that may be paid for a pixel, whatever was decided. Off-chain nothing is.
    fn ceiling(&self, segment: &Segment, max_price: Option<Price>) -> Option<price::Price> {
        let ceiling = match self.dispatcher.price_is_hard() {
            _ if !self.purse.pays() => None,
            true => segment.hints.tighten(max_price),
            false => segment.hints.max_price,
        };
        ceiling.map(ceiling::exact)
    }

    /// Where money is lacking orchestrators answer nothing, so that there seem to be none: the operator is told why.
    fn explained(&self, stopped: Stopped) -> Stopped {
        match self.purse.trouble() {
            Some(trouble) if stopped.reason == StopReason::NoOrchestrators => Stopped {
                reason: StopReason::Unpaid,
                message: trouble,
                ..stopped
            },
            _ => stopped,
        }
    }

    /// Tells every orchestrator that holds a session of `stream` that it is over, without waiting for them.
    pub async fn end(&self, stream: &Stream) {
        for session in stream.sessions().drain().await {
            let (connections, (uri, token)) = (self.connections.clone(), session.farewell());
            tokio::spawn(async move {
                if let Err(error) = connections.end_session(&uri, token, FAREWELL).await {
                    tracing::debug!(%uri, %error, "the orchestrator did not hear that the session is over");
                }
            });
        }
    }
}

/// The segment's hash. Computed at some hundred megabytes a second: other connections do not wait for a large one.
async fn hash(media: &Bytes) -> B256 {
    if media.len() < LARGE {
        return keccak256(media);
    }
    let large = media.clone();
    let hashed = tokio::task::spawn_blocking(move || keccak256(&large)).await;
    // Not run: the runtime is going down.
    hashed.unwrap_or_else(|_| keccak256(media))
}
