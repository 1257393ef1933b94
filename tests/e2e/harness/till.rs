//! A gateway that pays: a chain of its own, orchestrators on it, an account with money.

use std::collections::BTreeMap;

use pointsman_devnet::chain::{self, Chain, SenderInfo, key};
use pointsman_devnet::{ChainProfile, Devnet, Payments, Price, Profile};
use pointsman_payments::U256;
use serde::Deserialize;
use serde_json::json;

use super::{Gateway, Stage, eventually, some};

/// The golden keystore's account, one of anvil's own.
const ACCOUNT: u32 = 3;
/// The first orchestrator's.
const FIRST: u32 = 5;
pub(crate) const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);
pub(crate) const PASSWORD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/password.txt"
);

/// One ETH, in wei.
pub(crate) const ETH: u64 = 1_000_000_000_000_000_000;

/// Tickets of 5 · 10^10 wei, of which but one in as many does not win. A segment of the tests costs about two and a half.
pub(crate) const CERTAIN: Payments = Payments {
    account: FIRST,
    ticket_ev: 50_000_000_000,
    max_face_value: 50_000_000_001,
    gas_price: 7,
    redeem_gas: 350_000,
    adjust_price: true,
    redeem: pointsman_devnet::Redeem::AtOnce,
};

/// A stage on a chain.
pub(crate) struct Till {
    pub(crate) stage: Stage,
    pub(crate) chain: Chain,
}

/// How a till is set up.
pub(crate) struct Setup {
    /// One orchestrator each, with an account of its own. All ask 1000 wei a pixel.
    pub(crate) orchestrators: Vec<Payments>,
    /// Of the gateway, in wei.
    pub(crate) deposit: u64,
    /// Of the gateway, in wei.
    pub(crate) reserve: u64,
    /// Whether the gateway is given a list of them; otherwise it has to find them on the chain.
    pub(crate) listed: bool,
}

/// What the gateway says of its money, as far as tests look.
#[derive(Debug, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) deposit: Option<U256>,
    pub(crate) cannot_pay: Option<String>,
    pub(crate) chain: Followed,
    pub(crate) spend: Spend,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Followed {
    pub(crate) l1_block: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) fault: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Spend {
    pub(crate) all_time: Sum,
    pub(crate) recipients: BTreeMap<String, Sum>,
    pub(crate) unconfirmed: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Sum {
    wei: String,
    accepted: String,
    open: String,
    pub(crate) tickets: u64,
}

// === impl Setup ===

impl Setup {
    /// Orchestrators that want certain tickets, and a gateway with plenty.
    pub(crate) fn certain(count: usize) -> Self {
        Self {
            orchestrators: vec![CERTAIN; count],
            deposit: ETH,
            reserve: ETH,
            listed: true,
        }
    }

    /// Starts it all, and waits until so many orchestrators can be used.
    pub(crate) async fn start(self, usable: usize, flags: &[&str]) -> Till {
        let chain = a_chain().await;
        let url = chain.url().to_owned();
        self.start_on(chain, &url, usable, flags).await
    }

    /// The same on this chain, which the gateway asks by `urls`.
    pub(crate) async fn start_on(
        self,
        chain: Chain,
        urls: &str,
        usable: usize,
        flags: &[&str],
    ) -> Till {
        let (devnet, all) = self.prepare(&chain, urls, flags).await;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Till::with(Gateway::start(&all).await, devnet, chain, usable).await
    }

    /// The same with a gateway that [can be cramped](Gateway::cramp).
    #[cfg(target_os = "linux")]
    pub(crate) async fn start_cramped(self, usable: usize, flags: &[&str]) -> Till {
        let chain = a_chain().await;
        let url = chain.url().to_owned();
        let (devnet, all) = self.prepare(&chain, &url, flags).await;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Till::with(Gateway::start_cramped(&all).await, devnet, chain, usable).await
    }

    /// Everything but the gateway, and the gateway's flags.
    async fn prepare(self, chain: &Chain, urls: &str, flags: &[&str]) -> (Devnet, Vec<String>) {
        let (deposit, reserve) = (U256::from(self.deposit), U256::from(self.reserve));
        if self.deposit + self.reserve > 0 {
            chain
                .fund(&key(ACCOUNT), deposit, reserve)
                .await
                .expect("funded");
        }
        let mut profile = Profile::passthrough(some(self.orchestrators.len()));
        profile.chain = Some(ChainProfile {
            rpc: chain.url().to_owned(),
            controller: chain.contracts().controller,
        });
        for ((one, payments), account) in profile
            .orchestrators
            .iter_mut()
            .zip(self.orchestrators)
            .zip(FIRST..)
        {
            one.price = Some(Price::per_pixel(1000));
            one.payments = Some(Payments {
                account,
                ..payments
            });
        }
        let devnet = pointsman_devnet::start(profile).await.expect("a devnet");
        for one in devnet.orchestrators() {
            let address = one.address().expect("it is on the chain");
            let activated = chain.activate(address, U256::from(ETH), one.uri()).await;
            activated.expect("activated");
        }
        let list = devnet.uris().join(",");
        let controller = chain.contracts().controller.to_string();
        let mut all = match self.listed {
            true => vec!["--orch-addr", &list],
            false => Vec::new(),
        };
        if !flags.contains(&"--probe-interval") {
            all.extend(["--probe-interval", "1h"]);
        }
        all.extend(["--network", "devnet", "--eth-url", urls]);
        all.extend(["--eth-controller", &controller]);
        all.extend(["--eth-keystore-path", KEYSTORE, "--eth-password", PASSWORD]);
        if !flags.contains(&"--block-polling-interval") {
            all.extend(["--block-polling-interval", "200ms"]);
        }
        all.extend(flags);
        let all = all.into_iter().map(str::to_owned).collect();
        (devnet, all)
    }
}

/// A chain on which nothing happens by itself.
pub(crate) async fn a_chain() -> Chain {
    let chain = Chain::start(chain::Settings::default()).await;
    chain.unwrap_or_else(|error| panic!("{error}"))
}

// === impl Till ===

impl Till {
    async fn with(gateway: Gateway, devnet: Devnet, chain: Chain, usable: usize) -> Self {
        gateway.usable(usable).await;
        eventually("the gateway knows the chain", async || {
            gateway.payments().await.chain.l1_block.is_some()
        })
        .await;
        Self {
            stage: Stage { gateway, devnet },
            chain,
        }
    }

    /// The gateway's money, by the contract.
    pub(crate) async fn sender(&self) -> SenderInfo {
        self.chain
            .sender(key(ACCOUNT).address())
            .await
            .expect("an answer")
    }

    /// Adds to the gateway's money.
    pub(crate) async fn fund(&self, deposit: u64, reserve: u64) {
        let (deposit, reserve) = (U256::from(deposit), U256::from(reserve));
        self.chain
            .fund(&key(ACCOUNT), deposit, reserve)
            .await
            .expect("funded");
    }

    /// The chain as it is, to go back to.
    pub(crate) async fn snapshot(&self) -> String {
        let taken = self.chain.rpc().request("evm_snapshot", json!([])).await;
        taken.expect("a snapshot")
    }

    /// Goes back: whatever happened since has not.
    pub(crate) async fn revert(&self, snapshot: &str) {
        let done = self
            .chain
            .rpc()
            .request("evm_revert", json!([snapshot]))
            .await;
        let done: bool = done.expect("an answer");
        assert!(done, "it went back");
    }

    /// Waits until every winner is redeemed; what all of them brought, in wei.
    pub(crate) async fn redeemed(&self) -> U256 {
        let all = self.stage.devnet.orchestrators();
        let takings = || {
            all.iter()
                .map(|one| one.takings().expect("it is on the chain"))
        };
        eventually("every winner is redeemed", async || {
            takings().all(|of| of.waiting == 0 && of.redeemed + of.failed == of.winners)
        })
        .await;
        takings().fold(U256::ZERO, |sum, of| sum + of.received)
    }
}

// === impl Gateway ===

impl Gateway {
    /// What it says of its money.
    pub(crate) async fn payments(&self) -> Accounts {
        let (status, text) = self.admin("/api/v1/payments").await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The same, once nothing is under way any more.
    pub(crate) async fn settled(&self) -> Accounts {
        let all_settled = async || whole(&self.payments().await.spend.all_time.open) == U256::ZERO;
        eventually("all payments are settled", all_settled).await;
        self.payments().await
    }
}

// === impl Sum ===

impl Sum {
    /// What was spent, in whole wei.
    pub(crate) fn spent(&self) -> U256 {
        whole(&self.wei)
    }

    /// What orchestrators took of it, in whole wei.
    pub(crate) fn accepted(&self) -> U256 {
        whole(&self.accepted)
    }
}

fn whole(wei: &str) -> U256 {
    let digits = wei.split('.').next().expect("digits");
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{wei} is no amount"))
}
