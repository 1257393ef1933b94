//! The recorded gRPC exchanges: decoded, encoded to the same bytes, and made anew.

mod support;

use pointsman_wire::capabilities::{self, Codec, TranscodeJob, advertisement, compatible};
use pointsman_wire::net::{
    EndTranscodingSessionRequest, EndTranscodingSessionResponse, OrchestratorInfo,
    OrchestratorRequest, PingPong,
};
use pointsman_wire::profile::{Profile, presets};
use pointsman_wire::sign;
use prost::Message as _;
use support::{gateway, orchestrator, same_but_for_capacities, same_bytes, unframed};

fn renditions() -> Vec<Profile> {
    presets("P144p30fps16x9,P240p30fps16x9").expect("presets")
}

fn job(profiles: &[Profile], slicing: bool) -> TranscodeJob<'_> {
    TranscodeJob {
        codec: Codec::H264,
        pixel_format: None,
        profiles,
        slicing,
        perceptual_hash: false,
        storage: None,
        min_version: "",
    }
}

#[test]
fn off_chain_requests_are_rebuilt_to_the_byte() {
    let profiles = renditions();
    for (name, slicing) in [
        ("video/rtmp/02-get-orchestrator.request.bin", false),
        ("video/push/01-get-orchestrator.request.bin", true),
    ] {
        let request = OrchestratorRequest {
            address: vec![0; 20],
            capabilities: Some(job(&profiles, slicing).capabilities().expect("a job")),
            ..Default::default()
        };
        assert_eq!(
            hex::encode(request.encode_to_vec()),
            hex::encode(unframed(name))
        );
    }
}

#[test]
fn on_chain_requests_are_rebuilt_with_their_signature() {
    let profiles = renditions();
    let address = gateway().address();
    let message = sign::orchestrator_request_message(address);
    let signature = sign::sign(&gateway(), message.as_bytes()).expect("a signature");
    for (name, capabilities) in [
        ("startup-poll", None),
        ("stream-start", Some(job(&profiles, false))),
        ("pool-refresh", Some(job(&profiles, false))),
    ] {
        let request = OrchestratorRequest {
            address: address.to_vec(),
            sig: signature.to_vec(),
            capabilities: capabilities.map(|job| job.capabilities().expect("a job")),
            ..Default::default()
        };
        let recorded = unframed(&format!("onchain/wire/get-orchestrator-{name}.req.bin"));
        assert_eq!(hex::encode(request.encode_to_vec()), hex::encode(recorded));
    }
}

#[test]
fn offers_decode_and_fit_the_jobs_they_were_asked_for() {
    for name in [
        "video/rtmp/02-get-orchestrator.response.bin",
        "video/push/01-get-orchestrator.response.bin",
        "onchain/wire/get-orchestrator-startup-poll.resp.bin",
        "onchain/wire/get-orchestrator-stream-start.resp.bin",
        "onchain/wire/get-orchestrator-pool-refresh.resp.bin",
    ] {
        let info: OrchestratorInfo = same_but_for_capacities(&unframed(name));
        let advertised = info.capabilities.as_ref();
        for slicing in [false, true] {
            let profiles = renditions();
            let job = job(&profiles, slicing).capabilities().expect("a job");
            assert_eq!(compatible(&job, advertised), Ok(()), "{name}");
        }
        let token = info.auth_token.as_ref().expect("a token");
        assert_eq!((token.token.len(), token.session_id.len()), (32, 8));
        assert_eq!(info.ticket_params.is_some(), name.starts_with("onchain"));
    }
}

#[test]
fn an_advertisement_is_made_as_the_real_one() {
    let recorded: OrchestratorInfo =
        same_but_for_capacities(&unframed("video/rtmp/02-get-orchestrator.response.bin"));
    let mut set = capabilities::orchestrator_default();
    for number in [17, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32, 34, 36] {
        set.insert(number);
    }
    assert_eq!(recorded.capabilities, Some(advertisement(&set, "0.9.1")));
}

#[test]
fn ends_of_sessions_are_the_same_bytes() {
    for name in [
        "video/rtmp/09-end-session.request.bin",
        "onchain/wire/end-transcoding-session.req.bin",
    ] {
        let request: EndTranscodingSessionRequest = same_bytes(&unframed(name));
        assert!(request.auth_token.is_some());
    }
    for name in [
        "video/rtmp/09-end-session.response.bin",
        "onchain/wire/end-transcoding-session.resp.bin",
    ] {
        let _: EndTranscodingSessionResponse = same_bytes(&unframed(name));
    }
}

#[test]
fn a_ping_is_answered_with_the_orchestrators_signature() {
    let request: PingPong = same_bytes(&unframed("onchain/wire/ping-selftest.req.bin"));
    let response: PingPong = same_bytes(&unframed("onchain/wire/ping-selftest.resp.bin"));
    let verified = sign::verify(&request.value, &response.value, orchestrator());
    assert_eq!(verified, Ok(()));

    let _: PingPong = same_bytes(&unframed("video/rtmp/01-ping.request.bin"));
    let _: PingPong = same_bytes(&unframed("video/rtmp/01-ping.response.bin"));
}
