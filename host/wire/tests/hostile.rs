//! Decoders on arbitrary bytes: an answer or an error, never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_wire::rejection::{INPUT_FAULTS, Origin, Rejection};
use pointsman_wire::sign::{self, B256};
use pointsman_wire::{ServiceUri, payment, result, segment};
use proptest::prelude::*;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// Recorded messages with a few bytes changed: these get further into a decoder than noise does.
fn altered(original: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((0..original.len(), any::<u8>()), 1..6);
    (changes, 0..=original.len()).prop_map(move |(changes, end)| {
        let mut bytes = original.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(end);
        bytes
    })
}

const RESULT: &[u8] = include_bytes!("../../../tests/golden/onchain/wire/segment-0.result.bin");
const SEGMENT: &[u8] = include_bytes!("../../../tests/golden/onchain/wire/segment-0.segdata.bin");
const PAYMENT: &[u8] = include_bytes!("../../../tests/golden/onchain/wire/segment-0.payment.bin");

proptest! {
    #[test]
    fn results(body in prop_oneof![bytes(400), altered(RESULT)], profiles in 0usize..4) {
        if let Ok(Ok(outcome)) = result::decode(&body, profiles).map(|answer| answer.outcome) {
            prop_assert_eq!(outcome.renditions.len(), profiles);
        }
    }

    #[test]
    fn segment_headers(body in prop_oneof![bytes(400), altered(SEGMENT)]) {
        match segment::decode(&STANDARD.encode(&body)) {
            Ok(received) => {
                prop_assert!(!received.duration.is_zero());
                prop_assert!(received.profiles.iter().all(|profile| !profile.name.is_empty()));
                prop_assert!(received.preimage().len() >= 32);
            }
            Err(refusal) => prop_assert_eq!(refusal.status, 403),
        }
    }

    #[test]
    fn payment_headers(body in prop_oneof![bytes(400), altered(PAYMENT)]) {
        match payment::decode(&STANDARD.encode(&body)) {
            Ok(payment) => {
                prop_assert!(payment.sender.len() == 20 || payment::sender(&payment).is_zero());
                if let Ok(received) = payment::Received::read(&payment) {
                    let tickets = received.tickets().filter(|(ticket, _)| !ticket.hash().is_zero()).count();
                    prop_assert!(tickets == 0 || tickets == payment.ticket_sender_params.len());
                }
            }
            Err(refusal) => prop_assert_eq!(refusal.status, 402),
        }
    }

    #[test]
    fn headers_that_are_no_base64(header in "\\PC{0,60}") {
        if let Err(refusal) = segment::decode(&header) {
            prop_assert_eq!(refusal.status, 403);
        }
        if let Err(refusal) = payment::decode(&header) {
            prop_assert_eq!(refusal.status, 402);
        }
    }

    #[test]
    fn signatures(digest in any::<[u8; 32]>(), signature in prop_oneof![bytes(80), prop::collection::vec(any::<u8>(), 65)]) {
        let recovered = sign::recover_digest(B256::from(digest), &signature);
        if signature.len() != 65 || !matches!(signature[64], 27 | 28) {
            prop_assert!(recovered.is_err());
        }
    }

    #[test]
    fn refusals(status in any::<u16>(), code in any::<i32>(), body in bytes(6000)) {
        let text = String::from_utf8_lossy(&body).into_owned();
        for rejection in [
            Rejection::http(status, &body),
            Rejection::in_band(&text),
            Rejection::grpc(code, &text),
        ] {
            // Replacement characters may be three times as long as the byte they stand for.
            prop_assert!(rejection.to_string().len() <= 3 * 4096 + 16);
            prop_assert!(!rejection.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn a_known_text_within_another_is_not_recognised(before in "[a-z]{1,9} ", at in 0..INPUT_FAULTS.len()) {
        let text = format!("{before}{}", INPUT_FAULTS[at]);
        let expected = Rejection::Other { origin: Origin::Result, text: text.clone() };
        prop_assert_eq!(Rejection::in_band(&text), expected);
        prop_assert_eq!(Rejection::in_band(INPUT_FAULTS[at]), Rejection::Input(INPUT_FAULTS[at]));
    }

    #[test]
    fn uris(text in prop_oneof!["\\PC{0,60}", "https?://[a-zA-Z0-9.:\\[\\]-]{0,30}[/a-z?#@]{0,9}"]) {
        for uri in [ServiceUri::from_static(&text), ServiceUri::from_webhook(&text)] {
            let Ok(uri) = uri else { continue };
            // Normalised once is normalised for good, and every part is within it.
            prop_assert_eq!(uri.as_str().parse::<ServiceUri>(), Ok(uri.clone()));
            prop_assert!(uri.as_str().starts_with(uri.origin()));
            prop_assert!(uri.origin().contains(uri.host()) && !uri.host().is_empty());
            prop_assert!(!uri.as_str().ends_with('/'));
        }
    }
}
