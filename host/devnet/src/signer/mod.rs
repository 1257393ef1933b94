//! A remote signer: it has the key and the deposit, and makes payments for gateways that have neither.
//!
//! # Contract
//!
//! A [`Signer`] answers as go-livepeer's: plain HTTP, `/sign-orchestrator-info`, `/generate-live-payment` with its state, statuses and words,
//! `/discover-orchestrators`. It checks an orchestrator's parameters against the chain and limits of its own, signs tickets that are
//! worth money, and keeps nothing between two calls: all it knows of a stream is in the state, which it has signed. It lists
//! the devnet's orchestrators, whatever they can do.
//!
//! One call is more than go-livepeer's, `/sign-segment`, without which nobody transcodes for its gateways; [`SignerProfile::segments`]
//! takes it away. The gateway's `remote` module says what it asks and why by parts.
//!
//! ```toml
//! [signer]                     # needs [chain]
//! account = 3                  # whose key it has; see `chain::key`
//! listen = "127.0.0.1:0"       # loopback only; port 0 takes any
//! segments = true              # false: as go-livepeer's, which signs none
//! max-ticket-ev = 3_000_000_000_000   # wei a ticket may be worth
//! max-price = 0                # wei per unit that is paid at most; 0: any
//! authorization = "Bearer devnet"     # what callers must send; left out: nothing
//! ```
//!
//! It fails on demand, each call by itself: [`Signer::set`], or the control route's `POST /signer` with
//! `{"payment": "hang", "segment": "500", "identity": "480x2"}`: a status, or silence, for ever or so many times; `null` heals.
//!
//! Protocol: `remote-signer`.

mod ask;
mod made;
mod route;
mod state;
mod trouble;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::chain::key;
use crate::recipient::View;

pub use trouble::{SignerChange, Trouble};

/// A remote signer to start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SignerProfile {
    /// Whose key it has: [`chain::key`](crate::chain::key).
    pub account: u32,
    /// Where it listens; loopback.
    pub listen: SocketAddr,
    /// Whether it signs segments.
    pub segments: bool,
    /// What a ticket may be worth, in wei.
    pub max_ticket_ev: u64,
    /// What a unit may cost, in wei; 0: any.
    pub max_price: u64,
    /// What callers must send as `Authorization`.
    pub authorization: Option<String>,
    /// How it fails from the start.
    #[serde(skip)]
    pub trouble: SignerChange,
}

/// A running signer. Cheap to clone; it ends with its devnet.
#[derive(Clone, Debug)]
pub struct Signer(Arc<Inner>);

/// What it was asked, and what it made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// Questions who it is.
    pub identities: u64,
    /// Questions for a payment.
    pub asked: u64,
    /// Payments made.
    pub payments: u64,
    /// Tickets in them.
    pub tickets: u64,
    /// Segments signed.
    pub segments: u64,
}

#[derive(Debug)]
struct Inner {
    key: PrivateKeySigner,
    profile: SignerProfile,
    view: Arc<View>,
    address: SocketAddr,
    orchestrators: Vec<String>,
    troubles: Mutex<trouble::Troubles>,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    identities: AtomicU64,
    asked: AtomicU64,
    payments: AtomicU64,
    tickets: AtomicU64,
    segments: AtomicU64,
}

// === impl Signer ===

impl Signer {
    /// Takes the port, and answers until `root` ends.
    pub(crate) async fn start(
        profile: SignerProfile,
        view: Arc<View>,
        orchestrators: Vec<String>,
        root: CancellationToken,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(profile.listen).await?;
        let signer = Self(Arc::new(Inner {
            key: key(profile.account),
            view,
            address: listener.local_addr()?,
            orchestrators,
            troubles: Mutex::new(trouble::Troubles::from(profile.trouble)),
            tally: Tally::default(),
            profile,
        }));
        tokio::spawn(route::serve(listener, signer.clone(), root));
        Ok(signer)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Who pays.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.key.address()
    }

    /// Fails from now on as said, or heals.
    pub fn set(&self, change: SignerChange) {
        self.0.troubles.lock().set(change);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn signed(&self) -> Signed {
        let tally = &self.0.tally;
        Signed {
            identities: tally.identities.load(Relaxed),
            asked: tally.asked.load(Relaxed),
            payments: tally.payments.load(Relaxed),
            tickets: tally.tickets.load(Relaxed),
            segments: tally.segments.load(Relaxed),
        }
    }
}

// === impl SignerProfile ===

impl Default for SignerProfile {
    fn default() -> Self {
        Self {
            account: crate::chain::GATEWAY,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            segments: true,
            max_ticket_ev: 3_000_000_000_000,
            max_price: 0,
            authorization: None,
            trouble: SignerChange::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Profile;
    use crate::profile::tests::documented;

    #[test]
    fn the_whole_format_is_read() {
        let text = documented(include_str!("mod.rs"));
        let chain = "[chain]\nrpc = \"http://127.0.0.1:1\"\ncontroller = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n";
        let with = |text: &str| Profile::from_toml(&format!("{chain}[[orchestrator]]\n{text}"));
        let signer = with(&text).expect("the documented profile").signer;
        let signer = signer.expect("a signer");
        assert_eq!((signer.account, signer.max_price), (3, 0));
        assert_eq!(signer.authorization.as_deref(), Some("Bearer devnet"));
        for (text, names) in [
            ("[[orchestrator]]\n[signer]", "[chain]"),
            (
                &format!("{chain}[[orchestrator]]\n[signer]\nkey = 1"),
                "key",
            ),
            (
                &format!("{chain}[[orchestrator]]\n[signer]\nlisten = \"0.0.0.0:1\""),
                "signer.listen",
            ),
        ] {
            let error = Profile::from_toml(text).expect_err(text).to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }
}
