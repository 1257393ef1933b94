//! A gateway without a key, whose payments a remote signer makes.

use pointsman_devnet::chain::{self, Chain, SenderInfo, key};
use pointsman_devnet::signer::{Signer, SignerProfile};
use pointsman_devnet::{Payments, Price, Profile, Takings};
use pointsman_payments::U256;

use super::till::{CERTAIN, ETH, Spend};
use super::{Gateway, NO_HEDGES, Stage, eventually, some};

/// Whose key the signer has.
const ACCOUNT: u32 = 3;
/// The first orchestrator's.
const FIRST: u32 = 5;
/// What callers of the signer must send.
pub(crate) const SECRET: &str = "Bearer s3cret-of-the-proxy";

/// A stage with a signer.
pub(crate) struct Hired {
    // The order matters: the gateway goes first.
    pub(crate) stage: Stage,
    pub(crate) chain: Chain,
}

/// How it is set up.
pub(crate) struct Setup {
    /// Orchestrators that want tickets.
    pub(crate) paid: usize,
    /// Orchestrators that want none.
    pub(crate) free: usize,
    /// Whether the gateway is told who they are.
    pub(crate) listed: bool,
    /// Whether it follows the chain, too.
    pub(crate) follows: bool,
    /// How the signer is.
    pub(crate) signer: SignerProfile,
}

// === impl Setup ===

impl Setup {
    /// Orchestrators that want certain tickets, and a signer with plenty that asks who calls.
    pub(crate) fn paid(paid: usize) -> Self {
        Self {
            paid,
            free: 0,
            listed: true,
            follows: false,
            signer: SignerProfile {
                account: ACCOUNT,
                authorization: Some(SECRET.to_owned()),
                ..SignerProfile::default()
            },
        }
    }

    /// Starts it all, and waits until so many orchestrators can be used.
    pub(crate) async fn start(self, usable: usize, flags: &[&str]) -> Hired {
        let chain = Chain::start(chain::Settings::default()).await;
        let chain = chain.unwrap_or_else(|error| panic!("{error}"));
        let funded = chain
            .fund(&key(ACCOUNT), U256::from(ETH), U256::from(ETH))
            .await;
        funded.expect("funded");
        let mut profile = Profile::passthrough(some(self.paid + self.free));
        profile.chain = Some(chain.profile());
        profile.signer = Some(self.signer);
        let paid = profile.orchestrators.iter_mut().take(self.paid);
        for (one, account) in paid.zip(FIRST..) {
            one.price = Some(Price::per_pixel(1000));
            one.payments = Some(Payments { account, ..CERTAIN });
        }
        let devnet = pointsman_devnet::start(profile).await.expect("a devnet");
        for one in devnet.orchestrators().iter().take(self.paid) {
            let address = one.address().expect("it is on the chain");
            let activated = chain.activate(address, U256::from(ETH), one.uri()).await;
            activated.expect("activated");
        }
        let url = devnet.signer().expect("a signer").url();
        let list = devnet.uris().join(",");
        let controller = chain.contracts().controller.to_string();
        let header = format!("Authorization:{SECRET}");
        let mut all = vec!["--probe-interval", "1h", "--remote-signer-url", &url];
        all.extend(["--remote-signer-headers", &header]);
        if self.listed {
            all.extend(["--orch-addr", &list]);
        }
        if self.follows {
            all.extend(["--network", "devnet", "--eth-url", chain.url()]);
            all.extend(["--eth-controller", &controller]);
            all.extend(["--block-polling-interval", "200ms"]);
        }
        if !flags.contains(&"--remote-signer-timeout") {
            // A machine that stands still does not decide the outcome.
            all.extend(["--remote-signer-timeout", "1m"]);
        }
        all.extend(NO_HEDGES);
        all.extend(flags);
        let gateway = Gateway::start(&all).await;
        gateway.usable(usable).await;
        Hired {
            stage: Stage { gateway, devnet },
            chain,
        }
    }
}

// === impl Hired ===

impl Hired {
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.stage.gateway
    }

    pub(crate) fn signer(&self) -> &Signer {
        self.stage.devnet.signer().expect("a signer")
    }

    /// The signer's money, by the contract.
    pub(crate) async fn sender(&self) -> SenderInfo {
        let sender = self.chain.sender(self.signer().address()).await;
        sender.expect("an answer")
    }

    /// What each orchestrator on the chain was paid.
    pub(crate) fn takings(&self) -> Vec<Takings> {
        let all = self.stage.devnet.orchestrators().iter();
        all.filter_map(|one| one.takings()).collect()
    }

    /// Waits until every winner is redeemed; what all of them brought, in wei.
    pub(crate) async fn redeemed(&self) -> U256 {
        eventually("every winner is redeemed", async || {
            let mut all = self.takings().into_iter();
            all.all(|of| of.waiting == 0 && of.redeemed + of.failed == of.winners)
        })
        .await;
        let all = self.takings().into_iter();
        all.fold(U256::ZERO, |sum, of| sum + of.received)
    }

    /// What the gateway says of its money.
    pub(crate) async fn payments(&self) -> serde_json::Value {
        let (status, text) = self.gateway().admin("/api/v1/payments").await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What it has spent, once nothing is under way any more.
    pub(crate) async fn spend(&self) -> Spend {
        let open = async || self.payments().await["spend"]["all_time"]["open"].clone();
        eventually("all payments are settled", async || open().await == "0").await;
        let spend = self.payments().await["spend"].take();
        serde_json::from_value(spend).expect("what was spent")
    }
}
