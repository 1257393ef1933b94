//! The recorded segments: headers made anew to the byte, hashes and signatures checked, results read.

mod support;

use std::path::Path;

use pointsman_wire::capabilities::{Codec, TranscodeJob};
use pointsman_wire::net::{Payment, SegData, TranscodeResult};
use pointsman_wire::profile::Profile;
use pointsman_wire::segment::{self, Order, ProfileList, Slice, profile_list};
use pointsman_wire::sign::{self, B256, keccak256};
use pointsman_wire::{payment, result};
use serde_json::Value;
use support::{
    base64, bytes, folder, gateway, hex, json, names, orchestrator, same_but_for_capacities,
    same_bytes, text,
};

/// Segments that a real gateway sent off-chain.
const OFF_CHAIN: [&str; 7] = [
    "video/rtmp",
    "video/push",
    "video/push-custom-profiles",
    "video/push-sliced",
    "video/push-mp4",
    "video/push-empty",
    "video/push-garbage",
];

/// Every recorded `/segment` exchange of a gateway: its name, its JSON, and where that keeps request headers.
fn exchanges() -> Vec<(String, Value, &'static str)> {
    let mut exchanges = Vec::new();
    for name in names(&OFF_CHAIN) {
        let exchange = json(&format!("{name}.json"));
        if text(&exchange, "/path") == "/segment" {
            exchanges.push((name, exchange, "/request_headers"));
        }
    }
    assert_eq!(exchanges.len(), 11, "as many as were recorded");
    for number in 0..4 {
        let name = format!("onchain/wire/segment-{number}");
        let exchange = json(&format!("{name}.json"));
        exchanges.push((name, exchange, "/requestHeaders"));
    }
    exchanges
}

fn exists(name: &str) -> bool {
    Path::new(&folder(name)).exists()
}

/// The order that a header must have come from.
fn rebuilt(data: &SegData, signature: &[u8]) -> SegData {
    let received = segment::decode(&segment::encode(data)).expect("readable");
    let profiles: Vec<Profile> = received
        .profiles
        .iter()
        .map(|profile| Profile::try_from(profile).expect("a profile"))
        .collect();
    let bits = data.capabilities.as_ref().expect("capabilities");
    let job = TranscodeJob {
        codec: Codec::H264,
        pixel_format: None,
        profiles: &profiles,
        slicing: bits.bitstring[0] & (1 << 26) != 0,
        perceptual_hash: false,
        storage: None,
        min_version: "",
    };
    let order = Order {
        manifest_id: std::str::from_utf8(&data.manifest_id).expect("a name"),
        sequence: data.seq.unsigned_abs(),
        hash: B256::from_slice(&data.hash),
        duration_ms: data.duration.unsigned_abs(),
        profiles: &profiles,
        capabilities: &job.capabilities().expect("a job"),
        auth_token: data.auth_token.as_ref().expect("a token"),
        slice: data.segment_parameters.as_ref().map(|part| Slice {
            from_ms: part.from,
            to_ms: part.to,
        }),
        reinit: false,
        perceptual_hash: false,
        storage: None,
    };
    assert_eq!(order.preimage(), received.preimage());
    order.message(signature).expect("an order")
}

#[test]
fn headers_are_rebuilt_to_the_byte() {
    for (name, exchange, headers) in exchanges() {
        let header = text(&exchange, &format!("{headers}/Livepeer-Segment"));
        let data: SegData = same_bytes(&base64(header));
        let signature = match name.starts_with("onchain") {
            true => {
                let preimage = segment::decode(header).expect("readable").preimage();
                sign::sign(&gateway(), &preimage)
                    .expect("a signature")
                    .to_vec()
            }
            false => Vec::new(),
        };
        assert_eq!(
            segment::encode(&rebuilt(&data, &signature)),
            header,
            "{name}"
        );
    }
}

#[test]
fn profiles_go_into_the_list_that_a_real_gateway_chose() {
    let mut seen = Vec::new();
    for (name, exchange, headers) in exchanges() {
        let header = text(&exchange, &format!("{headers}/Livepeer-Segment"));
        let received = segment::decode(header).expect("readable");
        let data = &received.data;
        let filled = match () {
            () if !data.full_profiles3.is_empty() => ProfileList::Third,
            () if !data.full_profiles2.is_empty() => ProfileList::Second,
            () => ProfileList::First,
        };
        let profiles: Vec<Profile> = received
            .profiles
            .iter()
            .map(|profile| Profile::try_from(profile).expect("a profile"))
            .collect();
        assert_eq!(profile_list(&profiles), filled, "{name}");
        seen.push(filled);
    }
    for list in [ProfileList::First, ProfileList::Second, ProfileList::Third] {
        assert!(seen.contains(&list), "{list:?} was recorded");
    }
}

#[test]
fn hashes_are_those_of_the_bodies() {
    let mut checked = 0;
    for (name, exchange, headers) in exchanges() {
        let header = text(&exchange, &format!("{headers}/Livepeer-Segment"));
        let hash = segment::decode(header).expect("readable").data.hash;
        for body in [format!("{name}.request.bin"), format!("{name}.body.ts")] {
            if exists(&body) {
                assert_eq!(keccak256(bytes(&body)).to_vec(), hash, "{body}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 5, "as many as were recorded");
}

#[test]
fn preimages_digests_and_signatures_are_the_recorded_ones() {
    for number in 0..4 {
        let exchange = json(&format!("onchain/wire/segment-{number}.json"));
        let header = text(&exchange, "/requestHeaders/Livepeer-Segment");
        let received = segment::decode(header).expect("readable");
        let preimage = received.preimage();
        let recorded = |field: &str| hex(text(&exchange, &format!("/segDataSignature/{field}")));
        assert_eq!(preimage, recorded("preimageHex"));
        assert_eq!(
            keccak256(&preimage).to_vec(),
            recorded("keccak256OfPreimage")
        );
        let digest = sign::message_digest(&preimage);
        assert_eq!(digest.to_vec(), recorded("eip191Digest"));
        let verified = sign::verify(&preimage, &received.data.sig, gateway().address());
        assert_eq!(verified, Ok(()));
    }
}

#[test]
fn payments_are_the_same_bytes() {
    for (name, exchange, headers) in exchanges() {
        let header = text(&exchange, &format!("{headers}/Livepeer-Payment"));
        let decoded = payment::decode(header).expect("a payment");
        if name.starts_with("onchain") {
            assert_eq!(payment::encode(Some(&decoded)), header, "{name}");
            assert_eq!(payment::sender(&decoded), gateway().address());
            let recorded: Payment = same_bytes(&bytes(&format!("{name}.payment.bin")));
            assert_eq!(decoded, recorded);
        } else {
            assert_eq!(header, payment::encode(None), "{name}");
            assert!(payment::sender(&decoded).is_zero());
        }
    }
}

#[test]
fn results_decode_to_what_was_recorded() {
    let mut transcoded = 0;
    for (name, exchange, _) in exchanges() {
        let file = [format!("{name}.response.bin"), format!("{name}.result.bin")];
        let Some(file) = file.iter().find(|file| exists(file)) else {
            continue;
        };
        let message: TranscodeResult = same_but_for_capacities(&bytes(file));
        let answer = result::decode(&bytes(file), 2).expect("an answer");
        assert_eq!(answer.info, message.info);
        let recorded = match exchange.pointer("/decoded/response") {
            Some(recorded) => recorded,
            None => &exchange["result"],
        };
        let Some(segments) = recorded.pointer("/data/segments") else {
            let rejection = answer.outcome.expect_err("refused");
            assert!(rejection.is_input(), "{name}: {rejection}");
            continue;
        };
        let outcome = answer.outcome.expect("renditions");
        let mut pixels = 0;
        for (rendition, recorded) in outcome
            .renditions
            .iter()
            .zip(segments.as_array().expect("a list"))
        {
            assert_eq!(rendition.uri, text(recorded, "/url"));
            assert_eq!(rendition.pixels.to_string(), text(recorded, "/pixels"));
            pixels += rendition.pixels;
        }
        assert_eq!((outcome.renditions.len(), outcome.pixels()), (2, pixels));
        transcoded += 1;
    }
    assert_eq!(transcoded, 7, "as many as were recorded");
}

#[test]
fn a_result_of_another_number_of_renditions_is_refused() {
    let body = bytes("onchain/wire/segment-0.result.bin");
    for profiles in [0, 1, 3] {
        let error = result::decode(&body, profiles).expect_err("refused");
        let expected = result::ResultError::Count {
            expected: profiles,
            found: 2,
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn the_results_signature_covers_the_renditions() {
    let exchange = json("onchain/wire/segment-0.json");
    let answer = result::decode(&bytes("onchain/wire/segment-0.result.bin"), 2).expect("an answer");
    let signature = answer.outcome.expect("renditions").signature;
    let hashes = ["P144p30fps16x9", "P240p30fps16x9"]
        .map(|name| keccak256(bytes(&format!("onchain/wire/segment-0.{name}.ts"))));
    let recorded = |field: &str| hex(text(&exchange, &format!("/resultSignature/{field}")));
    assert_eq!(
        sign::result_hash(&hashes).to_vec(),
        recorded("keccakOfConcatenatedKeccaks")
    );
    let digest = sign::result_digest(&hashes);
    assert_eq!(digest.to_vec(), recorded("eip191Digest"));
    assert_eq!(
        sign::verify_digest(digest, &signature, orchestrator()),
        Ok(())
    );

    let swapped = sign::result_digest(&[hashes[1], hashes[0]]);
    assert!(sign::verify_digest(swapped, &signature, orchestrator()).is_err());
}
