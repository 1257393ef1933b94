//! The remote signer: a node that keeps the key, and makes payments for gateways without one.
//!
//! # Contract
//!
//! [`Remote::connect`] asks once who the signer is, and checks that its signature is that address's. [`Remote::stream`] opens
//! the account of one stream; each payment of it is asked for with [`Stream::generate`], one at a time for one orchestrator,
//! because two calls from the same state make the same nonces. What comes back is a [`Generated`] that does not count until
//! it is [committed](Generated::commit): dropped before, the old state stays, and the next call makes the same tickets again.
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
//! Protocol: `remote-signer`.

mod client;
mod error;
mod message;
mod stream;

#[cfg(test)]
mod tests;

pub use error::RemoteError;
pub use stream::{Generated, Stream};

use std::time::Duration;

use futures::future::BoxFuture;
use pointsman_wire::net::{Capabilities, OrchestratorInfo};
use pointsman_wire::sign::{Address, orchestrator_request_message, verify};
use serde::Deserialize;

use crate::price::Price;
use crate::signer::{Batch, SignError, Signed, Signer};
use client::Client;

/// Most tickets of a payment by a remote signer.
pub const MAX_TICKETS: usize = 100;
/// How often in a row a signer may ask for a fresh offer.
pub const MAX_REFRESHES: u32 = 4;
/// Longest text of the signer that is kept, in bytes.
const MAX_TEXT: usize = 512;
/// Most orchestrators of a discovery answer that are kept.
const MAX_DISCOVERED: usize = 10_000;

/// Where the signer is and how long it may take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address, as `https://host:port`; `https://` is added where no scheme is given. A path is dropped: the signer's
    /// paths are absolute.
    pub url: String,
    /// Sent with every call, such as authorisation for a proxy.
    pub headers: Vec<(String, String)>,
    /// Time for its identity. go-livepeer's 30 s.
    pub identity_timeout: Duration,
    /// Time for a payment. go-livepeer's 60 s; a stream that waits so long is dead, so 10 s.
    pub payment_timeout: Duration,
    /// Time for discovery. go-livepeer's 3 s.
    pub discovery_timeout: Duration,
    /// Tries after a failure of the signer.
    pub retries: u32,
    /// Pause before the first of them; each further one waits twice as long.
    pub pause: Duration,
}

/// A signer that has said who it is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    client: Client,
    address: Address,
    signature: Vec<u8>,
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

/// An orchestrator that the signer recommends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Discovered {
    /// Its service URI, as it came.
    pub address: String,
    /// `<pipeline>/<model>` each.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

// === impl Remote ===

impl Remote {
    /// Asks a signer who it is.
    ///
    /// # Errors
    ///
    /// When the settings make no client, the signer does not answer, or its signature is not its address's.
    pub async fn connect(settings: &Settings) -> Result<Self, RemoteError> {
        let client = Client::new(settings)?;
        let identity = client.identity().await?;
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
        Ok(Self {
            client,
            address,
            signature,
        })
    }

    /// Opens the account of one stream.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    /// The orchestrators that the signer recommends, those with one of `capabilities` if any are given, each
    /// `<pipeline>/<model>`. A signer that has none yet is [`RemoteError::Failed`]: ask again later, keep the last list.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub async fn discover(&self, capabilities: &[&str]) -> Result<Vec<Discovered>, RemoteError> {
        let mut found = self.client.discover(capabilities).await?;
        found.truncate(MAX_DISCOVERED);
        Ok(found)
    }
}

impl Signer for Remote {
    fn address(&self) -> Address {
        self.address
    }

    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if message == orchestrator_request_message(self.address).as_bytes() {
            return Ok(self.signature.clone());
        }
        Err(SignError::Remote("segments"))
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

impl Settings {
    /// go-livepeer's times for a signer at `url`, but for payments.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            identity_timeout: Duration::from_secs(30),
            payment_timeout: Duration::from_secs(10),
            discovery_timeout: Duration::from_secs(3),
            retries: 2,
            pause: Duration::from_millis(200),
        }
    }
}
