//! Every recorded request that was altered one way, altered the same way and sent to ours: the answer must be the recorded
//! one, to the byte.
//!
//! Sender, orchestrator, prices, face value and round are as in the recording, and the requests come in its order, so that
//! texts which name them are equal too.

use alloy::primitives::U256;
use alloy::signers::local::PrivateKeySigner;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_devnet::chain::key;
use pointsman_devnet::{Payments, Redeem};
use pointsman_wire::amount::{from_bytes, to_bytes};
use pointsman_wire::net::{OrchestratorInfo, Payment, PriceInfo, SegData, TicketParams};
use pointsman_wire::ticket::{Expiration, Params};
use pointsman_wire::{payment, segment};
use serde_json::Value;

use super::{Attempt, SENDER, Town, golden, price, recorded, signed, tickets, town};
use crate::support::{Failure, Reply, order};

/// What is sent. `None` leaves a header out.
struct Sent {
    path: &'static str,
    order: Option<String>,
    paid: Option<String>,
    body: Vec<u8>,
}

/// What earlier requests leave for later ones.
#[derive(Default)]
struct Memory {
    last: Option<(Payment, SegData)>,
}

/// Recorded, but not of payments: what a real transcoder says of 188 bytes of nothing.
const TRANSCODER: &str = "TranscoderInvalidVideo";

#[tokio::test]
async fn every_recorded_refusal_is_answered_alike() {
    // Redemptions make blocks, and parameters expire by blocks: they come last.
    let payments = Payments {
        redeem: Redeem::Never,
        ..recorded()
    };
    let town = town(payments).await;
    let recorded = golden("errors-segment.json");
    let mut memory = Memory::default();
    let mut replayed = 0;
    for case in recorded.as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let sent = prepare(&town, &mut memory, name).await;
        let reply = send(&town, &sent).await;
        compare(name, &case["response"], reply);
        replayed += 1;
    }
    assert_eq!(replayed, 62);

    // Whatever came with them, winners are winners.
    town.orchestrator().redeem().await.expect("redeemed");
    let takings = town.takings();
    assert_eq!(takings.last_failure, None);
    assert_eq!(
        (takings.redeemed, takings.received),
        (takings.winners, takings.won)
    );
    assert!(takings.winners > 0 && takings.refused > 0);
}

async fn send(town: &Town, sent: &Sent) -> Result<Reply, Failure> {
    let (order, paid) = (sent.order.as_deref(), sent.paid.as_deref());
    town.post(sent.path, order, paid, &sent.body).await
}

fn compare(name: &str, recorded: &Value, reply: Result<Reply, Failure>) {
    if recorded["connectionError"].is_string() {
        assert!(reply.is_err(), "{name}: the connection breaks");
        return;
    }
    let reply = reply.expect(name);
    assert_eq!(
        u64::from(reply.status),
        recorded["status"],
        "{name}: {:?}",
        reply.body
    );
    if let Some(body) = recorded["body"].as_str() {
        assert_eq!(reply.text(), body, "{name}");
        for header in ["content-length", "content-type", "x-content-type-options"] {
            let theirs = recorded["headers"][header].as_str();
            assert_eq!(reply.header(header), theirs, "{name}: {header}");
        }
        return;
    }
    match &recorded["decoded"]["error"] {
        Value::String(error) => {
            assert_eq!(error, TRANSCODER, "{name}");
            let info = reply.result().info.expect(name);
            let theirs = &recorded["decoded"]["price_info"];
            let number = |key: &str| -> i64 {
                theirs[key]
                    .as_str()
                    .map_or(0, |text| text.parse().expect("a number"))
            };
            let asked = price(&info);
            let theirs = (number("pricePerUnit"), number("pixelsPerUnit"));
            assert_eq!(
                (asked.price_per_unit, asked.pixels_per_unit),
                theirs,
                "{name}"
            );
        }
        _ => {
            let media = recorded["headers"]["content-type"].as_str();
            assert_eq!(reply.header("content-type"), media, "{name}");
            let Some(theirs) = recorded["bodyText"].as_str() else {
                return;
            };
            let keys = |text: &str| -> Vec<String> {
                let object: Value = serde_json::from_str(text).expect(name);
                let object = object.as_object().expect(name);
                object.keys().cloned().collect()
            };
            assert_eq!(keys(reply.text()), keys(theirs), "{name}");
        }
    }
}

/// Alters a good request the way the name says.
async fn prepare(town: &Town, memory: &mut Memory, name: &str) -> Sent {
    let sender = key(SENDER);
    let Attempt {
        info,
        payment,
        order,
        body,
    } = town.attempt(&sender).await;
    let sent = |payment: &Payment, order: &SegData| Sent {
        path: "/segment",
        order: Some(segment::encode(order)),
        paid: Some(payment::encode(Some(payment))),
        body: vec![0x47; 188],
    };
    let good = sent(&payment, &order);
    let ticket = |change: &dyn Fn(&mut pointsman_wire::net::TicketSenderParams)| {
        let mut payment = payment.clone();
        change(&mut payment.ticket_sender_params[0]);
        sent(&payment, &order)
    };
    let nonces = |nonces: &[u32]| sent(&tickets(&info, &sender, nonces), &order);
    let priced = |wei: i64, pixels: i64| {
        let expected_price = Some(PriceInfo {
            price_per_unit: wei,
            pixels_per_unit: pixels,
            ..PriceInfo::default()
        });
        let payment = Payment {
            expected_price,
            ..payment.clone()
        };
        sent(&payment, &order)
    };
    let ordered = |change: &dyn Fn(&mut SegData)| {
        let mut order = order.clone();
        change(&mut order);
        sent(&payment, &order)
    };
    let garbage = || STANDARD.encode([0xff; 3]);
    let (wei, pixels) = (price(&info).price_per_unit, price(&info).pixels_per_unit);
    match name {
        "ok-garbage-body"
        | "nonce-reuse-first"
        | "good-then-bad-followup"
        | "nonce-reuse-second"
        | "nonce-600"
        | "nonce-601"
        | "ticketless-pins-price-1"
        | "ticketless-pins-price-2"
        | "params-expired"
        | "params-expired-followup" => series(town, memory, name, info, &sender, good).await,
        "no-payment-header" => Sent { paid: None, ..good },
        "empty-payment-header" => Sent {
            paid: Some(String::new()),
            ..good
        },
        "payment-not-base64" => Sent {
            paid: Some("!!!!".to_owned()),
            ..good
        },
        "payment-bad-protobuf" => Sent {
            paid: Some(garbage()),
            ..good
        },
        "segment-header-missing" => Sent {
            order: None,
            ..good
        },
        "segment-not-base64" => Sent {
            order: Some("!!!!".to_owned()),
            ..good
        },
        "segment-bad-protobuf" => Sent {
            order: Some(garbage()),
            ..good
        },
        "segment-sig-tampered" => ordered(&|order| order.sig[7] ^= 1),
        "segment-sig-other-key" => sent(&payment, &signed(order.clone(), &key(5))),
        "segment-sig-covers-hash" => Sent {
            body: [&body[..], b"x"].concat(),
            ..good
        },
        "segment-duration-negative" => ordered(&|order| order.duration = -1),
        "segment-duration-too-long" => ordered(&|order| order.duration = 300_001),
        "segment-incompatible-cap-15" => ordered(&|order| {
            order.capabilities.as_mut().expect("some").bitstring[0] |= 1 << 15;
        }),
        "segment-no-auth-token" => ordered(&|order| order.auth_token = None),
        "segment-auth-token-tampered" => ordered(&|order| {
            order.auth_token.as_mut().expect("one").token[0] ^= 1;
        }),
        "segment-auth-token-expiry-changed" => ordered(&|order| {
            order.auth_token.as_mut().expect("one").expiration += 1;
        }),
        "no-profiles" => {
            let mut order = order.clone();
            order.full_profiles.clear();
            sent(&payment, &signed(order, &sender))
        }
        "ticket-sig-tampered" => ticket(&|ticket| ticket.sig[9] ^= 1),
        "ticket-sig-v0" => ticket(&|ticket| ticket.sig[64] -= 27),
        "ticket-sig-high-s" => ticket(&|ticket| malleate(&mut ticket.sig)),
        "ticket-sig-64-bytes" => ticket(&|ticket| ticket.sig.truncate(64)),
        "ticket-nonce-changed" => ticket(&|ticket| ticket.sender_nonce = 2),
        "ticket-nonce-0" => nonces(&[0]),
        "ticket-nonce-gap" => nonces(&[5, 3]),
        "ticket-nonce-duplicate-in-payment" => nonces(&[1, 1]),
        "price-changed-up" => priced(wei + 1, pixels),
        "price-changed-down" => priced(1, 1),
        "price-zero" => priced(0, 1),
        "price-same-ratio" => priced(2 * wei, 2 * pixels),
        "price-pixels-zero" => priced(wei, 0),
        "no-sender" => sent(
            &Payment {
                sender: Vec::new(),
                ..payment.clone()
            },
            &order,
        ),
        "no-tickets-no-credit" => {
            sent(&payment::ticketless(sender.address(), price(&info)), &order)
        }
        "params-but-no-tickets" => nonces(&[]),
        "first-bad-then-good" | "good-then-bad" => {
            let mut payment = tickets(&info, &sender, &[1, 2]);
            let bad = usize::from(name == "good-then-bad");
            payment.ticket_sender_params[bad].sig[9] ^= 1;
            memory.last = Some((payment.clone(), order.clone()));
            sent(&payment, &order)
        }
        "tickets-without-expiration-params" => sent(
            &Payment {
                expiration_params: None,
                ..payment.clone()
            },
            &order,
        ),
        "missing-expected-price" => sent(
            &Payment {
                expected_price: None,
                ..payment.clone()
            },
            &order,
        ),
        "missing-expected-price-no-tickets" => {
            let payment = payment::ticketless(sender.address(), price(&info));
            sent(
                &Payment {
                    expected_price: None,
                    ..payment
                },
                &order,
            )
        }
        "params-of-other-sender" => {
            let other = key(2);
            let funds = U256::from(1_000_000_000_000_u64);
            town.chain.fund(&other, funds, funds).await.expect("funded");
            let theirs = town.offer(&other).await;
            let info = OrchestratorInfo {
                auth_token: info.auth_token.clone(),
                ..theirs
            };
            sent(&tickets(&info, &sender, &[1]), &order)
        }
        "payment-endpoint-ok" | "payment-endpoint-bad-ticket" | "payment-endpoint-no-tickets" => {
            ahead(name, &info, &sender, payment, order)
        }
        "refresh-payment-unknown" | "refresh-payment-known" => {
            let known = name == "refresh-payment-known";
            let manifest = if known { "deadbeef" } else { "nobody" };
            let sender = sender.address();
            let body = format!(r#"{{"sender":"{sender}","manifest_id":"{manifest}"}}"#);
            Sent {
                path: "/refresh-payment",
                order: None,
                paid: None,
                body: body.into_bytes(),
            }
        }
        name => sent(&resigned(&info, &sender, name), &order),
    }
}

/// Requests of which one builds on another.
async fn series(
    town: &Town,
    memory: &mut Memory,
    name: &str,
    info: OrchestratorInfo,
    sender: &PrivateKeySigner,
    good: Sent,
) -> Sent {
    let again = |payment: &Payment, order: &SegData| Sent {
        order: Some(segment::encode(order)),
        paid: Some(payment::encode(Some(payment))),
        body: good.body.clone(),
        ..Sent {
            path: "/segment",
            order: None,
            paid: None,
            body: Vec::new(),
        }
    };
    let ticketless = || payment::ticketless(sender.address(), price(&info));
    let token = info.auth_token.as_ref().expect("a token");
    let fresh = signed(order(token, 0, &good.body), sender);
    let (payment, order) = match name {
        "ok-garbage-body" => return good,
        "nonce-reuse-first" => (tickets(&info, sender, &[1]), fresh),
        "nonce-600" => (
            tickets(&info, sender, &(1..=600).collect::<Vec<u32>>()),
            fresh,
        ),
        "ticketless-pins-price-1" => {
            // What comes next pays by this offer's parameters, on this session.
            memory.last = Some((tickets(&info, sender, &[1]), fresh.clone()));
            return again(&ticketless(), &fresh);
        }
        "params-expired" => {
            town.chain.mine(41).await.expect("mined");
            (tickets(&info, sender, &[1]), fresh)
        }
        _ => {
            let (payment, order) = memory.last.take().expect("an earlier request");
            return match name {
                "good-then-bad-followup" | "params-expired-followup" => {
                    again(&ticketless(), &order)
                }
                "nonce-601" => again(&one_more(&payment, sender, 601), &order),
                _ => again(&payment, &order),
            };
        }
    };
    let sent = again(&payment, &order);
    memory.last = Some((payment, order));
    sent
}

/// A ticket of another nonce by the same parameters.
fn one_more(payment: &Payment, sender: &PrivateKeySigner, nonce: u32) -> Payment {
    let info = OrchestratorInfo {
        ticket_params: Some(TicketParams {
            expiration_params: payment.expiration_params.clone(),
            ..payment.ticket_params.clone().expect("parameters")
        }),
        price_info: payment.expected_price.clone(),
        ..OrchestratorInfo::default()
    };
    tickets(&info, sender, &[nonce])
}

/// A payment without work, for the manifest `deadbeef`.
fn ahead(
    name: &str,
    info: &OrchestratorInfo,
    sender: &PrivateKeySigner,
    mut payment: Payment,
    mut order: SegData,
) -> Sent {
    order.manifest_id = b"deadbeef".to_vec();
    order.full_profiles.clear();
    match name {
        "payment-endpoint-bad-ticket" => payment.ticket_sender_params[0].sig[9] ^= 1,
        "payment-endpoint-no-tickets" => {
            payment = payment::ticketless(sender.address(), price(info));
        }
        _ => {}
    }
    Sent {
        path: "/payment",
        order: Some(segment::encode(&signed(order, sender))),
        paid: Some(payment::encode(Some(&payment))),
        body: Vec::new(),
    }
}

/// Tickets by altered parameters, signed as if they were the offered ones.
fn resigned(info: &OrchestratorInfo, sender: &PrivateKeySigner, name: &str) -> Payment {
    let mut params = info.ticket_params.clone().expect("parameters");
    let plus =
        |bytes: &[u8], more: u64| to_bytes(from_bytes(bytes).expect("a number") + U256::from(more));
    match name {
        "face-value-raised" => params.face_value = plus(&params.face_value, 1),
        "win-prob-lowered" => {
            params.win_prob = to_bytes(from_bytes(&params.win_prob).expect("a number") - U256::ONE);
        }
        "expiration-block-raised" => params.expiration_block = plus(&params.expiration_block, 100),
        "seed-changed" => params.seed = plus(&params.seed, 1),
        "rand-hash-changed" => params.recipient_rand_hash[0] ^= 1,
        "recipient-changed" => params.recipient = key(6).address().to_vec(),
        "leading-zeros-face-value" => params.face_value.splice(0..0, [0; 3]).for_each(drop),
        "creation-round-changed" => {
            params
                .expiration_params
                .as_mut()
                .expect("a round")
                .creation_round -= 1;
        }
        name => panic!("no alteration is called {name}"),
    }
    let read = Params::read(&params).expect("parameters");
    let ticket = read.ticket(sender.address(), 1, Expiration::default());
    let signature = ticket.sign(sender).expect("a signature");
    let round = read.expiration.expect("a round");
    payment::with_tickets(
        sender.address(),
        &params,
        round,
        [(1, signature)],
        price(info),
    )
}

/// The other signature that the same key could have made.
fn malleate(signature: &mut [u8]) {
    let order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order: U256 = order.parse().expect("a number");
    let s = order - U256::from_be_slice(&signature[32..64]);
    signature[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    signature[64] = 55 - signature[64];
}
