//! Offers, and what a sender's money makes of them: as recorded.

use alloy::primitives::{B256, U256};
use alloy::sol_types::SolCall as _;
use pointsman_devnet::chain::abi::TicketBroker;
use pointsman_devnet::chain::key;
use pointsman_devnet::failure::Kind;
use pointsman_devnet::{Change, Error, Payments, Profile};
use pointsman_wire::net::{OrchestratorInfo, OrchestratorRequest};
use pointsman_wire::sign;
use pointsman_wire::ticket::Params;
use serde_json::Value;

use super::{Attempt, ETH, SENDER, golden, price, question, recorded, town, winning};

fn case<'g>(golden: &'g Value, name: &str) -> &'g Value {
    let cases = golden.as_array().expect("cases");
    let found = cases.iter().find(|case| case["name"] == name);
    found.unwrap_or_else(|| panic!("no recording {name}"))
}

fn params(info: &OrchestratorInfo) -> Params {
    Params::read(info.ticket_params.as_ref().expect("parameters")).expect("parameters")
}

/// What the recorded offer says of money, and ours.
fn assert_alike(info: &OrchestratorInfo, recorded: &Value) {
    let params = params(info);
    let number =
        |value: &Value| -> U256 { value.as_str().expect("hex").parse().expect("a number") };
    let theirs = &recorded["response"]["ticket_params"];
    assert_eq!(params.face_value, number(&theirs["face_value"]));
    assert_eq!(params.win_prob, number(&theirs["win_prob"]));
    assert_eq!(
        params.recipient.to_string().to_lowercase(),
        theirs["recipient"].as_str().expect("hex")
    );
    let asked = price(info);
    let theirs = &recorded["response"]["price_info"];
    assert_eq!(
        asked.price_per_unit.to_string(),
        theirs["pricePerUnit"].as_str().expect("a price")
    );
    assert_eq!(
        asked.pixels_per_unit.to_string(),
        theirs["pixelsPerUnit"].as_str().expect("a price")
    );
}

#[tokio::test]
async fn the_offer_depends_on_the_senders_reserve_as_recorded() {
    let town = town(recorded()).await;
    let recorded = golden("errors-grpc-and-funds.json");
    let info = town.offer(&key(SENDER)).await;
    assert_alike(&info, case(&recorded, "ok"));
    let params = params(&info);
    let block = town.chain.block().await.expect("a block");
    assert_eq!(params.expiration_block, block + 40);
    let standing = town
        .chain
        .standing(key(SENDER).address(), town.recipient())
        .await;
    let standing = standing.expect("a standing");
    let round = params.expiration.expect("a round");
    assert_eq!((round.round, round.block_hash), (3, standing.roundHash));

    let wei = U256::from::<u64>;
    for (account, name, deposit, reserve) in [
        (5, "no-funds", wei(0), wei(0)),
        (7, "deposit-only", ETH, wei(0)),
        (8, "reserve-only", wei(0), ETH),
        (10, "reserve-1e10", ETH, wei(10_000_000_000)),
        (11, "reserve-7e9", ETH, wei(7_000_000_000)),
    ] {
        let sender = key(account);
        let recorded = case(&recorded, name);
        town.chain
            .endow(sender.address(), ETH * wei(10))
            .await
            .expect("endowed");
        town.chain
            .fund(&sender, deposit, reserve)
            .await
            .expect("funded");
        match town.client.ask(question(&sender)).await {
            Ok(info) => {
                assert_alike(&info, recorded);
                let paid = Attempt::new(info, &sender, &[1]);
                let reply = town.send(&paid).await.expect("an answer");
                assert_eq!(reply.status, 200, "{name}: deposits are not looked at");
            }
            Err(status) => {
                assert_eq!(recorded["grpcMessage"], status.message(), "{name}");
                assert_eq!(status.code(), tonic::Code::Unknown);
            }
        }
    }
}

#[tokio::test]
async fn questions_must_be_signed_by_who_asks_as_recorded() {
    let town = town(recorded()).await;
    let recorded = golden("errors-grpc-and-funds.json");
    let sender = key(SENDER);
    let with = |change: &dyn Fn(&mut OrchestratorRequest)| {
        let mut request = question(&sender);
        change(&mut request);
        request
    };
    let lower = sender.address().to_string().to_lowercase();
    let lower = sign::sign(&sender, lower.as_bytes()).expect("a signature");
    for (name, request) in [
        ("bad-sig", with(&|r| r.sig = question(&key(5)).sig)),
        ("sig-lowercase-address", with(&|r| r.sig = lower.to_vec())),
        ("empty-sig", with(&|r| r.sig.clear())),
        (
            "zero-address",
            with(&|r| (r.address, r.sig) = (vec![0; 20], Vec::new())),
        ),
    ] {
        let status = town.client.ask(request).await.expect_err(name);
        assert_eq!(
            case(&recorded, name)["grpcMessage"],
            status.message(),
            "{name}"
        );
    }
    let any = with(&|r| r.capabilities = None);
    assert_alike(
        &town.client.ask(any).await.expect("an offer"),
        case(&recorded, "ok-nil-capabilities"),
    );
}

#[tokio::test]
async fn money_that_is_unlocking_pays_until_the_round_before_as_recorded() {
    let town = town(recorded()).await;
    let recorded = golden("errors-grpc-and-funds.json");
    let sender = key(12);
    town.chain
        .endow(sender.address(), ETH * U256::from(10))
        .await
        .expect("endowed");
    town.chain.fund(&sender, ETH, ETH).await.expect("funded");
    let broker = Some(town.chain.contracts().ticket_broker);
    let send = async |call: Vec<u8>| {
        let rpc = town.chain.rpc();
        rpc.transact(&sender, broker, U256::ZERO, call.into())
            .await
            .expect("done");
    };
    send(TicketBroker::unlockCall {}.abi_encode()).await;
    let attempt = town.attempt(&sender).await;
    assert_eq!(town.send(&attempt).await.expect("an answer").status, 200);

    town.chain.next_round().await.expect("a round");
    let attempt = town.attempt(&sender).await;
    let reply = town.send(&attempt).await.expect("an answer");
    let theirs = case(&recorded, "unlock-next-round-payment");
    let body = theirs["body"].as_str().expect("a text");
    // Another account of the same role: the text names it.
    let (words, _) = body.split_once("0x").expect("an address");
    let (_, rest) = body.split_once(" is set").expect("an end");
    assert_eq!(theirs["status"], u64::from(reply.status));
    assert_eq!(
        reply.text(),
        format!("{words}{} is set{rest}", sender.address())
    );

    town.chain.next_round().await.expect("a round");
    send(TicketBroker::withdrawCall {}.abi_encode()).await;
    let status = town
        .client
        .ask(question(&sender))
        .await
        .expect_err("no money");
    assert_eq!(
        case(&recorded, "after-withdraw")["grpcMessage"],
        status.message()
    );
}

#[tokio::test]
async fn the_round_before_is_offered_where_the_last_has_no_hash() {
    let town = town(recorded()).await;
    town.chain
        .set_round_hash(3, B256::ZERO)
        .await
        .expect("a knob");
    let info = town.offer(&key(SENDER)).await;
    let round = params(&info).expiration.expect("a round");
    let standing = town
        .chain
        .standing(key(SENDER).address(), town.recipient())
        .await;
    let before = standing.expect("a standing").previousRoundHash;
    assert_eq!((round.round, round.block_hash), (2, before));
    assert!(!before.is_zero());
}

#[tokio::test]
async fn offers_can_be_bent_and_a_broken_chain_is_said() {
    let town = town(winning()).await;
    let sender = key(SENDER);
    let block = town.chain.block().await.expect("a block");
    for (kind, wrong) in [
        (
            Kind::StaleTickets,
            (|p, block, _| p.expiration_block <= block) as fn(Params, u64, _) -> bool,
        ),
        (Kind::EndlessTickets, |p, _, _| p.expiration_block == 0),
        (Kind::WrongRecipient, |p, _, recipient| {
            p.recipient != recipient
        }),
    ] {
        assert!(!wrong(
            params(&town.offer(&sender).await),
            block,
            town.recipient()
        ));
        town.orchestrator().set(Change::fail(kind.clone()));
        assert!(
            wrong(params(&town.offer(&sender).await), block, town.recipient()),
            "{kind:?}"
        );
        town.orchestrator().set(Change::heal());
    }

    let attempt = town.attempt(&sender).await;
    let mut profile = Profile::passthrough(std::num::NonZeroUsize::MIN);
    profile.orchestrators[0].payments = Some(Payments::default());
    let error = pointsman_devnet::start(profile.clone())
        .await
        .expect_err("no chain");
    assert!(error.to_string().contains("[chain]"), "{error}");
    profile.chain = Some(town.chain.profile());
    let super::Town {
        chain,
        devnet,
        client,
    } = town;
    drop(chain);
    let error = pointsman_devnet::start(profile)
        .await
        .expect_err("no chain");
    assert!(matches!(error, Error::Chain { .. }), "{error}");
    let status = client.ask(question(&sender)).await.expect_err("no chain");
    assert!(status.message().contains("does not answer"), "{status}");
    let order = pointsman_wire::segment::encode(&attempt.order);
    let paid = pointsman_wire::payment::encode(Some(&attempt.payment));
    let request = client.upload(&order, &paid, "video/MP2T", attempt.body.into());
    let reply = client.send(request).await.expect("an answer");
    assert_eq!(
        (reply.status, reply.text()),
        (500, "Internal Server Error\n")
    );
    devnet.stop().await;
}
