//! From the offer to money that has moved.

use std::time::Duration;

use alloy::primitives::{B256, U256};
use pointsman_devnet::chain::key;
use pointsman_devnet::{Change, Payments, Price, Redeem};
use pointsman_wire::net::transcode_result::Result as Outcome;
use pointsman_wire::net::{PaymentResult, PingPong};
use pointsman_wire::ticket::Params;
use pointsman_wire::{payment, segment, sign};
use prost::Message as _;

use super::{Attempt, SENDER, price, recorded, signed, tickets, town, winning};
use crate::support::{order, renditions};

/// Pixels of two renditions of two seconds, as the devnet counts them when it passes them through.
const PIXELS: u64 = 2 * 30 * (256 * 144 + 426 * 240);

/// Longer than anything here takes on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_winner_moves_eth_from_the_deposit_to_the_orchestrator() {
    let town = town(winning()).await;
    let sender = key(SENDER);
    let before = town.chain.sender(sender.address()).await.expect("a sender");

    // Two seconds of these renditions cost 16 tickets of 8e9 wei and some.
    let info = town.offer(&sender).await;
    assert_eq!(
        (price(&info).price_per_unit, price(&info).pixels_per_unit),
        (1000, 1)
    );
    let nonces: Vec<u32> = (1..=17).collect();
    let paid = Attempt::new(info, &sender, &nonces);
    let reply = town.send(&paid).await.expect("an answer");
    let result = reply.result();
    let info = result.info.clone().expect("an offer");
    assert_eq!(
        info.auth_token, paid.info.auth_token,
        "the request's own token"
    );
    assert_ne!(
        info.ticket_params, paid.info.ticket_params,
        "fresh parameters"
    );
    assert_eq!(info.address, town.recipient().to_vec());
    let Some(Outcome::Data(data)) = &result.result else {
        panic!("no renditions but {:?}", result.result)
    };
    let hash: B256 = sign::keccak256(&paid.body);
    let digest = sign::result_digest(&[hash, hash]);
    assert_eq!(
        sign::verify_digest(digest, &data.sig, town.recipient()),
        Ok(())
    );
    let pixels: i64 = renditions(result.clone())
        .iter()
        .map(|(_, pixels)| pixels)
        .sum();
    assert_eq!(pixels.unsigned_abs(), PIXELS);

    // The credit that is left pays for the next segment without a ticket, the one after needs some again.
    let token = info.auth_token.as_ref().expect("a token");
    let again = |seq| {
        let order = signed(order(token, seq, &paid.body), &sender);
        let payment = payment::ticketless(sender.address(), price(&info));
        Attempt {
            payment,
            order,
            info: info.clone(),
            body: paid.body.clone(),
        }
    };
    assert_eq!(
        17 * 8_000_000_000 / (PIXELS * 1000),
        16,
        "credit for sixteen segments"
    );
    for seq in 1..16 {
        let reply = town.send(&again(seq)).await.expect("an answer");
        assert_eq!(reply.status, 200, "{}: {}", seq, reply.text());
    }
    let reply = town.send(&again(16)).await.expect("an answer");
    assert_eq!(
        (reply.status, reply.text()),
        (400, "Insufficient balance\n")
    );
    let mut topped = again(17);
    topped.payment = tickets(&info, &sender, &[1, 2]);
    assert_eq!(town.send(&topped).await.expect("an answer").status, 200);

    town.orchestrator().redeem().await.expect("redeemed");
    let takings = town.takings();
    let won = U256::from(19 * 8_000_000_001_u64);
    assert_eq!(
        (takings.tickets, takings.winners, takings.redeemed),
        (19, 19, 19)
    );
    assert_eq!(
        (takings.won, takings.received, takings.waiting),
        (won, won, 0)
    );
    assert_eq!((takings.failed, takings.refused), (0, 0));
    assert_eq!(takings.debited, U256::from(17 * PIXELS * 1000));
    let after = town.chain.sender(sender.address()).await.expect("a sender");
    assert_eq!(before.deposit - after.deposit, won);
    assert_eq!(before.reserve, after.reserve);
    let fees = town.chain.fees(town.recipient()).await.expect("fees");
    assert_eq!(fees, won);
    let status = serde_json::to_value(town.orchestrator().status()).expect("JSON");
    assert_eq!(status["payments"]["received"], won.to_string());
    town.devnet.stop().await;
}

#[tokio::test]
async fn winners_wait_for_their_expiry_and_outlive_a_kill() {
    let payments = Payments {
        redeem: Redeem::AfterExpiry,
        ..winning()
    };
    let town = town(payments).await;
    let attempt = town.attempt(&key(SENDER)).await;
    assert_eq!(town.send(&attempt).await.expect("an answer").status, 200);
    let orchestrator = town.orchestrator();
    orchestrator.kill().await;
    assert_eq!((town.takings().winners, town.takings().waiting), (1, 1));
    orchestrator.start().await.expect("starts");

    // Its secret died with it: nothing that was offered before is known.
    let mut stale = attempt;
    let client = crate::support::Client::h2(orchestrator.uri())
        .await
        .expect("connects");
    let info = client
        .ask(super::question(&key(SENDER)))
        .await
        .expect("an offer");
    let fresh = Attempt::new(info, &key(SENDER), &[1]);
    stale.order = fresh.order.clone();
    let reply = town.send(&stale).await.expect("an answer");
    assert_eq!(
        reply.text(),
        "invalid recipientRand for ticket recipientRandHash\n"
    );

    town.chain.mine(40).await.expect("mined");
    let redeemed = async {
        while town.takings().redeemed == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, redeemed)
        .await
        .expect("redeemed by itself");
    assert_eq!(town.takings().waiting, 0);
}

#[tokio::test]
async fn a_round_that_nobody_began_is_begun_and_a_refused_winner_is_counted() {
    let payments = Payments {
        redeem: Redeem::Never,
        ..winning()
    };
    let town = town(payments).await;
    let sender = key(SENDER);
    let attempt = town.attempt(&sender).await;
    assert_eq!(town.send(&attempt).await.expect("an answer").status, 200);
    town.chain.mine(1000).await.expect("mined");
    assert_eq!(town.chain.round().await.expect("a round"), 3);
    town.orchestrator().redeem().await.expect("redeemed");
    assert_eq!(town.chain.round().await.expect("a round"), 4);
    assert_eq!((town.takings().redeemed, town.takings().failed), (1, 0));

    // Two rounds later a ticket is worth nothing any more.
    let attempt = town.attempt(&sender).await;
    assert_eq!(town.send(&attempt).await.expect("an answer").status, 200);
    town.chain.next_round().await.expect("a round");
    town.chain.next_round().await.expect("a round");
    town.orchestrator().redeem().await.expect("tried");
    let takings = town.takings();
    assert_eq!(
        (takings.redeemed, takings.failed, takings.waiting),
        (1, 1, 0)
    );
    assert_eq!(takings.last_failure.as_deref(), Some("ticket is expired"));
}

#[tokio::test]
async fn a_session_keeps_its_price_and_a_new_one_has_the_new() {
    let town = town(winning()).await;
    let sender = key(SENDER);
    // The very first payment of a sender fixes nothing: as the real one, it does not know the sender yet.
    let first = town.attempt(&sender).await;
    assert_eq!(town.send(&first).await.expect("an answer").status, 200);
    let attempt = town.attempt(&sender).await;
    assert_eq!(town.send(&attempt).await.expect("an answer").status, 200);
    town.orchestrator().set(Change {
        price: Some(Some(Price::per_pixel(3000))),
        ..Change::default()
    });
    let token = attempt.info.auth_token.as_ref().expect("a token");
    let next = Attempt {
        order: signed(order(token, 1, &attempt.body), &sender),
        payment: tickets(&attempt.info, &sender, &[2, 3]),
        ..attempt
    };
    let result = town.send(&next).await.expect("an answer").result();
    assert_eq!(price(&result.info.expect("an offer")).price_per_unit, 1000);
    assert_eq!(price(&town.offer(&sender).await).price_per_unit, 3000);

    // A price of 0 asks for no tickets.
    town.orchestrator().set(Change {
        price: Some(None),
        ..Change::default()
    });
    let free = town.offer(&sender).await;
    let params = Params::read(free.ticket_params.as_ref().expect("some")).expect("some");
    assert_eq!(
        (params.face_value, params.win_prob),
        (U256::ZERO, U256::ZERO)
    );
    let token = free.auth_token.as_ref().expect("a token");
    let gratis = Attempt {
        order: signed(order(token, 0, &next.body), &sender),
        payment: payment::ticketless(sender.address(), price(&free)),
        info: free,
        body: next.body,
    };
    assert_eq!(town.send(&gratis).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn paying_ahead_credits_the_manifest_and_pings_are_signed() {
    let town = town(recorded()).await;
    let sender = key(SENDER);
    let mut attempt = town.attempt(&sender).await;
    attempt.order.manifest_id = b"deadbeef".to_vec();
    attempt.order.full_profiles.clear();
    attempt.order = signed(attempt.order, &sender);
    let order = segment::encode(&attempt.order);
    let paid = payment::encode(Some(&attempt.payment));
    let reply = town
        .post("/payment", Some(&order), Some(&paid), b"")
        .await
        .expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let result = PaymentResult::decode(reply.body).expect("a result");
    let info = result.info.expect("an offer");
    assert_eq!(info.auth_token, attempt.info.auth_token);
    assert!(info.ticket_params.is_some());
    assert_eq!(
        (town.takings().tickets, town.takings().credited),
        (1, U256::from(8_000_000_000_u64))
    );

    for (question, status, says) in [
        ("{}", 400, "invalid sender"),
        (
            r#"{"sender":"0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"}"#,
            400,
            "missing manifest_id",
        ),
    ] {
        let reply = town
            .post("/refresh-payment", None, None, question.as_bytes())
            .await;
        let reply = reply.expect("an answer");
        let expected = format!("{{\"error\":{{\"message\":\"{says}\"}}}}\n");
        assert_eq!((reply.status, reply.text()), (status, expected.as_str()));
    }

    let frame = |message: &[u8]| {
        let mut frame = vec![0];
        frame.extend((message.len() as u32).to_be_bytes());
        frame.extend(message);
        frame
    };
    let ping = PingPong {
        value: b"hello".to_vec(),
    }
    .encode_to_vec();
    let answer = town
        .client
        .raw_grpc("Ping", frame(&ping))
        .await
        .expect("an answer");
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .expect("a body");
    let pong = PingPong::decode(&body.to_bytes()[5..]).expect("a message");
    assert_eq!(
        sign::verify(b"hello", &pong.value, town.recipient()),
        Ok(())
    );
}
