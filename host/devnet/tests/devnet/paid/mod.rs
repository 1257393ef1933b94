//! Orchestrators on a chain, paid over the wire by a sender that these tests write themselves.

mod funds;
mod refusals;
mod story;

use std::num::NonZeroUsize;

use alloy::primitives::{Address, U256};
use alloy::signers::local::PrivateKeySigner;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pointsman_devnet::chain::{Chain, Settings, key};
use pointsman_devnet::{Devnet, Orchestrator, Payments, Price, Profile, Takings};
use pointsman_wire::net::{OrchestratorInfo, OrchestratorRequest, Payment, PriceInfo, SegData};
use pointsman_wire::ticket::{Expiration, Params, Ticket};
use pointsman_wire::{payment, segment, sign};
use serde_json::Value;
use tonic::body::Body;

use crate::support::{Client, Failure, Reply, job, order, start};

/// One ETH.
const ETH: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// The account that pays, as in the recordings.
const SENDER: u32 = 4;

/// A chain, one orchestrator on it, and a sender with ten ETH in both pots.
struct Town {
    chain: Chain,
    devnet: Devnet,
    client: Client,
}

/// A request to be paid for, in parts that can be altered.
struct Attempt {
    info: OrchestratorInfo,
    payment: Payment,
    order: SegData,
    body: Vec<u8>,
}

/// The settings of the recorded orchestrator: half of the tickets win.
fn recorded() -> Payments {
    Payments {
        max_face_value: 16_000_000_000,
        ..Payments::default()
    }
}

/// All tickets win but one in thousands of millions; the price is what it says.
fn winning() -> Payments {
    let payments = Payments::default();
    Payments {
        max_face_value: payments.ticket_ev + 1,
        adjust_price: false,
        ..payments
    }
}

fn golden(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/onchain");
    let text = std::fs::read(format!("{folder}/{name}")).expect(name);
    serde_json::from_slice(&text).expect("JSON")
}

async fn town(payments: Payments) -> Town {
    let chain = Chain::start(Settings::default()).await;
    let chain = chain.unwrap_or_else(|error| panic!("{error}"));
    let mut profile = Profile::passthrough(NonZeroUsize::MIN);
    profile.chain = Some(chain.profile());
    let orchestrator = &mut profile.orchestrators[0];
    orchestrator.payments = Some(payments);
    orchestrator.price = Some(Price::per_pixel(1000));
    orchestrator.capacity = 1000;
    let devnet = start(profile).await;
    let orchestrator = &devnet.orchestrators()[0];
    chain.enlist(orchestrator, ETH).await.expect("enlisted");
    let ten = ETH * U256::from(10);
    chain.fund(&key(SENDER), ten, ten).await.expect("funded");
    let client = Client::h2(orchestrator.uri()).await.expect("connects");
    Town {
        chain,
        devnet,
        client,
    }
}

/// The question for an offer, signed.
fn question(sender: &PrivateKeySigner) -> OrchestratorRequest {
    let message = sign::orchestrator_request_message(sender.address());
    OrchestratorRequest {
        address: sender.address().to_vec(),
        sig: sign::sign(sender, message.as_bytes())
            .expect("a signature")
            .to_vec(),
        capabilities: Some(job()),
        ..Default::default()
    }
}

/// Signs an order as the sender of its payment has to.
fn signed(mut order: SegData, sender: &PrivateKeySigner) -> SegData {
    let read = segment::decode(&segment::encode(&order)).expect("an order");
    order.sig = sign::sign(sender, &read.preimage())
        .expect("a signature")
        .to_vec();
    order
}

/// Tickets of these nonces, by an offer's parameters.
fn tickets(info: &OrchestratorInfo, sender: &PrivateKeySigner, nonces: &[u32]) -> Payment {
    let message = info.ticket_params.as_ref().expect("parameters");
    let params = Params::read(message).expect("parameters");
    let round = params.expiration.expect("a round");
    let made = nonces.iter().map(|&nonce| {
        let ticket: Ticket = params.ticket(sender.address(), nonce, Expiration::default());
        (nonce, ticket.sign(sender).expect("a signature"))
    });
    payment::with_tickets(sender.address(), message, round, made, price(info))
}

fn price(info: &OrchestratorInfo) -> &PriceInfo {
    info.price_info.as_ref().expect("a price")
}

// === impl Town ===

impl Town {
    fn orchestrator(&self) -> &Orchestrator {
        &self.devnet.orchestrators()[0]
    }

    fn recipient(&self) -> Address {
        self.orchestrator().address().expect("on-chain")
    }

    fn takings(&self) -> Takings {
        self.orchestrator().takings().expect("on-chain")
    }

    async fn offer(&self, sender: &PrivateKeySigner) -> OrchestratorInfo {
        self.client.ask(question(sender)).await.expect("an offer")
    }

    /// A request of a new session, with one ticket, all in order.
    async fn attempt(&self, sender: &PrivateKeySigner) -> Attempt {
        let info = self.offer(sender).await;
        Attempt::new(info, sender, &[1])
    }

    /// Sends it over a connection of its own.
    async fn send(&self, attempt: &Attempt) -> Result<Reply, Failure> {
        let order = segment::encode(&attempt.order);
        let paid = payment::encode(Some(&attempt.payment));
        self.post("/segment", Some(&order), Some(&paid), &attempt.body)
            .await
    }

    async fn post(
        &self,
        path: &str,
        order: Option<&str>,
        paid: Option<&str>,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        let uri = self.orchestrator().uri();
        let client = Client::h1(uri).await?;
        let mut request = Request::post(format!("{uri}{path}"));
        for (name, value) in [(segment::HEADER, order), (payment::HEADER, paid)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let body = Body::new(Full::new(Bytes::copy_from_slice(body)));
        client.send(request.body(body)?).await
    }
}

// === impl Attempt ===

impl Attempt {
    fn new(info: OrchestratorInfo, sender: &PrivateKeySigner, nonces: &[u32]) -> Self {
        let body = vec![0x47; 188];
        let token = info.auth_token.as_ref().expect("a token");
        Self {
            payment: tickets(&info, sender, nonces),
            order: signed(order(token, 0, &body), sender),
            info,
            body,
        }
    }
}
