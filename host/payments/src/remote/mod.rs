//! The remote signer: a node that keeps the key, and makes payments for gateways without one.
//!
//! # Contract
//!
//! [`Remote::introduce`] asks once who the signer is, and checks that its signature is that address's. A signer that is away at the
//! start is asked later: until it has answered nobody is paid, and the gateway runs. [`Remote::stream`] opens
//! the account of one stream; each payment of it is asked for with [`Stream::generate`], one at a time for one orchestrator,
//! because two calls from the same state make the same nonces. What comes back is a [`Generated`] that does not count until
//! it is [committed](Generated::commit): dropped before, the old state stays, and the next call makes the same tickets again.
//!
//! A payment or a signature takes [`Settings::payment_timeout`] at most, tries and waiting for its turn included. After a failure the
//! signer is left alone for some seconds and whatever needs it fails at once ([`health`]): what can go on without it does.
//!
//! | the signer says | here |
//! |---|---|
//! | 200 | [`Generated`] |
//! | 480 | [`RemoteError::Stale`]: fresh offer from the orchestrator, then again with the same state |
//! | 481 | [`RemoteError::Price`]: another orchestrator |
//! | 482 | `None`: the credit suffices |
//! | 400 | [`RemoteError::Refused`]; where the state is at fault it is dropped first, so that the next call begins anew |
//! | 500, 502, 503, no answer | tried again after a pause, then [`RemoteError::Failed`] |
//! | other | [`RemoteError::Unauthorised`], the words of the signer's own webhook |
//!
//! # Trust
//!
//! The signer is the operator's own, its answers are bounded and checked all the same: the payment must be from its address,
//! by the parameters and at the price that were handed in, with at most 100 tickets. A proxy that mixes up two
//! gateways is found here and not by an orchestrator that takes our tickets for someone else's.
//!
//! # Segments
//!
//! Orchestrators take a segment only under a signature of whoever pays for it, and go-livepeer's signer signs none: it was made for
//! live AI. So a signer may have one call more than go-livepeer's, `POST /sign-segment`, with the segment's parts as JSON:
//! `{"manifestID": "…", "seq": 7, "hash": "0x…", "profiles": ["P240p30fps16x9"]}`, answered by `{"signature": "0x…"}`. Parts and not bytes, since
//! a signer that signs any bytes signs tickets: those are signed in the same manner. Nor may a manifest id be anything but up to 64 letters,
//! digits, `-` and `_`, so that no choice of parts reads as a ticket. A signer is asked at its introduction
//! whether it has the call ([`Remote::signs_segments`]).
//!
//! Protocol: `remote-signer`.

mod accounts;
mod client;
mod error;
mod health;
mod message;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use accounts::Accounts;
pub use error::RemoteError;
pub use stream::{Generated, Stream};

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use pointsman_wire::net::{Capabilities, OrchestratorInfo};
use pointsman_wire::segment::Order;
use pointsman_wire::sign::{Address, orchestrator_request_message, verify};

use crate::price::Price;
use crate::signer::{Batch, SignError, Signed, Signer};
use client::Client;
use health::Health;

/// Most tickets of a payment by a remote signer.
pub const MAX_TICKETS: usize = 100;
/// How often in a row a signer may ask for a fresh offer.
pub const MAX_REFRESHES: u32 = 4;
/// Longest text of the signer that is kept, in bytes.
const MAX_TEXT: usize = 512;

/// Where the signer is and how long it may take. `Debug` shows names of headers only, and of the address what is no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its address, as `https://host:port`; `https://` is added where no scheme is given. A path is dropped: the signer's
    /// paths are absolute.
    pub url: String,
    /// Sent with every call, such as authorisation for a proxy.
    pub headers: Vec<(String, String)>,
    /// Time for its identity. go-livepeer's 30 s.
    pub identity_timeout: Duration,
    /// Time for a payment or a segment's signature, tries included. go-livepeer's is 60 s; a stream that waits so long is dead, so 3 s.
    pub payment_timeout: Duration,
    /// Tries after a failure of the signer.
    pub retries: u32,
    /// Pause before the first of them; each further one waits twice as long.
    pub pause: Duration,
}

/// A signer. Cheap to clone. `Debug` shows its address only.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    client: Client,
    patience: Duration,
    known: OnceLock<Known>,
    health: Health,
}

/// What it said of itself.
struct Known {
    address: Address,
    signature: Vec<u8>,
    signs_segments: bool,
}

/// What a payment is for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The orchestrator's offer, as it came.
    pub offer: &'a OrchestratorInfo,
    /// The orchestrator's name for the account; empty in the first call of a live video, where it is not known yet.
    pub manifest_id: &'a str,
    /// How it is billed; the same for a stream's life.
    pub kind: Kind,
    /// Label of the application; the same for a stream's life.
    pub app: &'a str,
    /// The job's capabilities, which decide the signer's own ceiling and are part of the credentials.
    pub capabilities: Option<&'a Capabilities>,
    /// Highest price that the gateway pays. Cannot be sent with [`Kind::Units`].
    pub ceiling: Option<&'a Price>,
}

/// How the signer bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Live video: pixels by the clock, a minute first.
    LiveVideo,
    /// Live runners: seconds by the clock, ten first.
    Live,
    /// One unit.
    Fixed,
    /// So many units.
    Units(i64),
}

// === impl Remote ===

impl Remote {
    /// A signer that was not asked yet.
    ///
    /// # Errors
    ///
    /// When the settings make no client.
    pub fn new(settings: &Settings) -> Result<Self, RemoteError> {
        Ok(Self(Arc::new(Inner {
            client: Client::new(settings)?,
            patience: settings.payment_timeout,
            known: OnceLock::new(),
            health: Health::default(),
        })))
    }

    /// Makes a signer, and asks it who it is.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) and [`introduce`](Self::introduce).
    pub async fn connect(settings: &Settings) -> Result<Self, RemoteError> {
        let remote = Self::new(settings)?;
        remote.introduce().await?;
        Ok(remote)
    }

    /// Asks the signer who it is, unless it has said so: one address for the life of the process, since orchestrators bind ticket
    /// parameters to it.
    ///
    /// # Errors
    ///
    /// When it does not answer, or its signature is not its address's.
    pub async fn introduce(&self) -> Result<Address, RemoteError> {
        if let Some(known) = self.known() {
            return Ok(known.address);
        }
        let identity = self.0.client.identity().await?;
        let malformed = RemoteError::Malformed;
        let address: Address = identity
            .address
            .parse()
            .map_err(|_| malformed("its identity has no address"))?;
        let signature = hex::decode(identity.signature.trim_start_matches("0x"))
            .map_err(|_| malformed("its identity has no signature"))?;
        let message = orchestrator_request_message(address);
        verify(message.as_bytes(), &signature, address)
            .map_err(|_| malformed("its signature is not that of its address"))?;
        let signs_segments = self.0.client.signs_segments().await?;
        let known = || Known {
            address,
            signature,
            signs_segments,
        };
        Ok(self.0.known.get_or_init(known).address)
    }

    fn known(&self) -> Option<&Known> {
        self.0.known.get()
    }

    /// Whether it has the call for segments; unknown before it has said who it is.
    #[must_use]
    pub fn signs_segments(&self) -> Option<bool> {
        self.known().map(|known| known.signs_segments)
    }

    /// Why it cannot be used now, if so.
    #[must_use]
    pub fn trouble(&self) -> Option<RemoteError> {
        let away = self.0.health.trouble().map(RemoteError::Failed);
        match self.known() {
            Some(_) => away,
            None => Some(away.unwrap_or(RemoteError::Unknown)),
        }
    }

    /// Signs what a segment's header covers.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub async fn sign_segment(&self, order: &Order<'_>) -> Result<Vec<u8>, RemoteError> {
        let known = self.known().ok_or(RemoteError::Unknown)?;
        if !known.signs_segments {
            return Err(RemoteError::Segments);
        }
        let body = message::segment(order);
        let signed = self.bounded(self.0.client.sign_segment(&body)).await?;
        let not = RemoteError::Malformed("the segment's signature is not that of its address");
        let signature = hex::decode(signed.signature.trim_start_matches("0x"));
        let signature = signature.map_err(|_| not.clone())?;
        verify(&order.preimage(), &signature, known.address).map_err(|_| not)?;
        Ok(signature)
    }

    /// Waits no longer than a payment may take, and not at all for a signer that has just failed.
    async fn bounded<T>(
        &self,
        call: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, RemoteError> {
        let patience = self.0.patience;
        let admitted = self.0.health.admit(patience)?;
        let late = |_| Err(RemoteError::Failed("it did not answer in time".to_owned()));
        let done = tokio::time::timeout(patience, call).await;
        let done = done.unwrap_or_else(late);
        admitted.note(&done);
        done
    }

    /// Opens the account of one stream.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.address())
    }
}

impl Signer for Remote {
    /// Zero before it has said who it is.
    fn address(&self) -> Address {
        self.known().map_or(Address::ZERO, |known| known.address)
    }

    /// The one signature that it gave; empty before.
    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let address = self.address();
        if message == orchestrator_request_message(address).as_bytes() {
            let signature = self.known().map(|known| known.signature.clone());
            return Ok(signature.unwrap_or_default());
        }
        Err(SignError::Remote("messages"))
    }

    fn sign_tickets<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, Result<Vec<Signed>, SignError>> {
        Box::pin(async { Err(SignError::Remote("single tickets")) })
    }
}

// === impl Kind ===

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::LiveVideo => "lv2v",
            Self::Live => "live",
            Self::Fixed => "fixed",
            Self::Units(_) => "",
        }
    }

    /// The unit that a ceiling must name.
    fn unit(self) -> Option<&'static str> {
        match self {
            Self::LiveVideo => Some("720p-pixel-seconds"),
            Self::Live => Some("seconds"),
            Self::Fixed => Some("fixed"),
            Self::Units(_) => None,
        }
    }
}

// === impl Settings ===

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Settings")
            .field("url", &self.origin())
            .field("headers", &names)
            .field("payment_timeout", &self.payment_timeout)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Scheme, host and port of the signer: what may be logged.
    #[must_use]
    pub fn origin(&self) -> String {
        let origin = client::base(&self.url).map(|url| url.origin().ascii_serialization());
        origin.unwrap_or_else(|_| "…".to_owned())
    }

    /// Where it is asked for orchestrators, as a discovery webhook is, and the headers that go with that; they are sensitive.
    ///
    /// # Errors
    ///
    /// When these settings make no client.
    pub fn discovery(&self) -> Result<(url::Url, reqwest::header::HeaderMap), RemoteError> {
        let mut url = client::base(&self.url)?;
        url.set_path("/discover-orchestrators");
        Ok((url, client::headers(self)?))
    }

    /// Whether what is sent to it can be read on the way to another machine.
    #[must_use]
    pub fn is_cleartext(&self) -> bool {
        client::base(&self.url).is_ok_and(|url| {
            let loopback = match url.host() {
                Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
                Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
                Some(url::Host::Domain(name)) => name == "localhost",
                None => false,
            };
            url.scheme() == "http" && !loopback
        })
    }

    /// go-livepeer's times for a signer at `url`, but for payments.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            identity_timeout: Duration::from_secs(30),
            payment_timeout: Duration::from_secs(3),
            retries: 2,
            pause: Duration::from_millis(200),
        }
    }
}
