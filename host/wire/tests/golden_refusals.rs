//! What a real orchestrator answered to requests altered one way each.

mod support;

use pointsman_wire::refusal::Refusal;
use pointsman_wire::rejection::{PaymentFault, Rejection};
use pointsman_wire::{payment, result, segment};
use serde_json::Value;
use support::{hex, json, names, text};

/// What each refusal of the off-chain orchestrator must be taken for.
const OFF_CHAIN: [(&str, Rejection); 11] = [
    ("changed-expiry", Rejection::TokenInvalid),
    ("duration-over-limit", Rejection::BadOrder),
    ("incompatible-capabilities", Rejection::Incompatible),
    ("no-segment-header", Rejection::TokenMissing),
    ("no-token", Rejection::TokenMissing),
    (
        "payment-not-base64",
        Rejection::Payment(PaymentFault::Malformed),
    ),
    ("segment-header-not-base64", Rejection::BadOrder),
    ("segment-header-not-protobuf", Rejection::BadOrder),
    ("uri-not-downloadable", Rejection::BodyUnreachable),
    ("wrong-body-hash", Rejection::BodyMismatch),
    ("wrong-token", Rejection::TokenInvalid),
];

/// What each text of the on-chain orchestrator must be taken for, by its beginning.
const ON_CHAIN: [(&str, Rejection); 20] = [
    ("ErrSegSig", Rejection::SegmentSignature),
    (
        "base64 decode error",
        Rejection::Payment(PaymentFault::Malformed),
    ),
    (
        "protobuf unmarshal error",
        Rejection::Payment(PaymentFault::Malformed),
    ),
    ("ErrorSegEncoding", Rejection::BadOrder),
    ("proto:", Rejection::BadOrder),
    ("Forbidden", Rejection::BodyMismatch),
    ("invalid duration", Rejection::BadOrder),
    ("incompatible capabilities", Rejection::Incompatible),
    ("missing auth token", Rejection::TokenMissing),
    ("invalid auth token", Rejection::TokenInvalid),
    (
        "invalid ticket signature",
        Rejection::Payment(PaymentFault::TicketSignature),
    ),
    (
        "invalid ticket senderNonce: already seen",
        Rejection::Payment(PaymentFault::NonceSeen),
    ),
    (
        "invalid ticket senderNonce: too many",
        Rejection::Payment(PaymentFault::NonceLimit),
    ),
    (
        "invalid recipientRand",
        Rejection::Payment(PaymentFault::RecipientRand),
    ),
    (
        "invalid expected price",
        Rejection::Payment(PaymentFault::ExpectedPrice),
    ),
    (
        "orchestrator 0x",
        Rejection::Payment(PaymentFault::Inactive),
    ),
    ("Insufficient balance", Rejection::InsufficientBalance),
    ("TicketParams expired", Rejection::TicketParamsExpired),
    (
        "deposit and reserve for sender",
        Rejection::Payment(PaymentFault::Unlocking),
    ),
    (
        "TranscoderInvalidVideo",
        Rejection::Input("TranscoderInvalidVideo"),
    ),
];

fn refused(exchange: &Value) -> Option<(u16, &str)> {
    let status = exchange["status"].as_u64()?;
    let body = exchange.get("response_body").or(exchange.get("body"))?;
    Some((u16::try_from(status).ok()?, body.as_str()?))
}

#[test]
fn every_off_chain_refusal_is_recognised() {
    let mut left = OFF_CHAIN.to_vec();
    for name in names(&["video/orchestrator-refusals"]) {
        let exchange = json(&format!("{name}.json"));
        let Some((status, body)) = refused(&exchange) else {
            assert_eq!(exchange["status"], 200, "{name}");
            continue;
        };
        let file = name.rsplit('/').next().expect("a name");
        let at = left.iter().position(|(known, _)| *known == file);
        let (_, expected) = left.swap_remove(at.unwrap_or_else(|| panic!("{file} is new")));
        assert_eq!(Rejection::http(status, body.as_bytes()), expected, "{file}");
    }
    assert_eq!(left, [], "each was recorded");
}

#[test]
fn every_on_chain_refusal_is_recognised() {
    let mut seen = vec![false; ON_CHAIN.len()];
    let mut check = |text: &str, rejection: &Rejection| {
        let at = ON_CHAIN
            .iter()
            .position(|(start, _)| text.starts_with(start));
        let at = at.unwrap_or_else(|| panic!("{text:?} is new"));
        assert_eq!(*rejection, ON_CHAIN[at].1, "{text:?}");
        seen[at] = true;
    };
    for exchange in json("onchain/errors-segment.json")
        .as_array()
        .expect("a list")
    {
        let response = &exchange["response"];
        // A refused live payment speaks JSON; live streams are not segments.
        if exchange["name"] == "refresh-payment-unknown" {
            continue;
        }
        if let Some((status, body)) = refused(response) {
            check(body, &Rejection::http(status, body.as_bytes()));
        } else if let Some(error) = response.pointer("/decoded/error").and_then(Value::as_str) {
            let body = hex(text(response, "/bodyHex"));
            let answer = result::decode(&body, 1).expect("an answer");
            check(error, &answer.outcome.expect_err("refused"));
        }
    }
    let funds = json("onchain/errors-grpc-and-funds.json");
    for exchange in funds.as_array().expect("a list") {
        if let Some((status, body)) = refused(exchange) {
            check(body, &Rejection::http(status, body.as_bytes()));
        }
    }
    let unseen: Vec<_> = seen
        .iter()
        .zip(ON_CHAIN)
        .filter(|(seen, _)| !**seen)
        .collect();
    assert!(unseen.is_empty(), "not recorded: {unseen:?}");
}

#[test]
fn every_grpc_refusal_is_recognised() {
    let known = |name: &str| match name {
        "bad-sig" | "sig-lowercase-address" | "empty-sig" | "zero-address" => {
            Rejection::RequestSignature
        }
        "live-video-to-video" => Rejection::Capped,
        "no-funds" | "deposit-only" | "reserve-7e9" | "after-withdraw" => {
            Rejection::InsufficientReserve
        }
        "end-session-bad-token" => Rejection::TokenInvalid,
        "unknown-grpc-method" => Rejection::Unsupported,
        "get-orchestrator-garbage" => Rejection::Internal,
        other => panic!("{other} is new"),
    };
    let mut checked = 0;
    for exchange in json("onchain/errors-grpc-and-funds.json")
        .as_array()
        .expect("a list")
    {
        let Some(message) = exchange.get("grpcMessage").and_then(Value::as_str) else {
            continue;
        };
        let code = text(exchange, "/grpcStatus").parse().expect("a code");
        let name = text(exchange, "/name");
        assert_eq!(Rejection::grpc(code, message), known(name), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 12, "as many as were recorded");
}

/// Our orchestrators answer the checks that come before the token as the real one did.
#[test]
fn headers_are_refused_with_the_recorded_words() {
    let mut checked = 0;
    for name in names(&["video/orchestrator-refusals"]) {
        let exchange = json(&format!("{name}.json"));
        let payment = payment::decode(text(&exchange, "/request_headers/Livepeer-Payment"));
        let order = segment::decode(text(&exchange, "/request_headers/Livepeer-Segment"));
        let Err(refusal) = payment.map(drop).and(order.map(drop)) else {
            continue;
        };
        let (status, body) = refused(&exchange).expect("a refusal");
        assert_eq!(refusal, Refusal::new(status, body.trim_end()), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 4, "payment, base64, protobuf, duration");
}
