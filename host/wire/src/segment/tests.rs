use super::*;
use crate::profile::{preset, presets};
use crate::sign::keccak256;

fn padded(text: &str) -> B256 {
    let mut hash = [0; 32];
    hash[..text.len()].copy_from_slice(text.as_bytes());
    B256::from(hash)
}

fn token() -> AuthToken {
    AuthToken {
        token: vec![7; 32],
        session_id: "deadbeef".to_owned(),
        expiration: 1_700_000_000,
    }
}

fn with_order<T>(profiles: &[Profile], then: impl FnOnce(Order<'_>) -> T) -> T {
    then(Order {
        manifest_id: "abcdef",
        sequence: 1234,
        hash: padded("browns"),
        duration_ms: 2000,
        profiles,
        capabilities: &Capabilities::default(),
        auth_token: &token(),
        slice: None,
        reinit: false,
        perceptual_hash: false,
        storage: None,
    })
}

#[test]
fn the_preimage_is_the_published_one() {
    let profiles = presets("P144p30fps16x9,P240p30fps16x9").expect("presets");
    let preimage = with_order(&profiles, |order| order.preimage());
    assert_eq!(preimage.len(), 86);
    assert!(preimage.ends_with(b"fca40bf9c0a6517a"));
    let hash = "08a398e7e7a5a545b0b07d9e7e1eab52b4131e0df1621bd53ee6e7550a15465b";
    assert_eq!(hex::encode(keccak256(preimage)), hash);
}

#[test]
fn the_oldest_list_that_can_say_it_is_filled() {
    let base = preset("P144p30fps16x9").expect("a preset");
    let other = preset("P240p30fps16x9").expect("a preset");
    let cases = [
        (base.clone(), ProfileList::First),
        (
            Profile {
                quality: 23,
                encoder: crate::profile::Encoder::Hevc,
                ..base.clone()
            },
            ProfileList::First,
        ),
        (
            Profile {
                format: Some(Format::MpegTs),
                ..base.clone()
            },
            ProfileList::First,
        ),
        (
            Profile {
                format: Some(Format::Mp4),
                ..base.clone()
            },
            ProfileList::Second,
        ),
        (
            Profile {
                fps_den: 1,
                ..base.clone()
            },
            ProfileList::Third,
        ),
        (
            Profile {
                encoder_profile: EncoderProfile::High,
                ..base.clone()
            },
            ProfileList::Third,
        ),
        (
            Profile {
                gop: Gop::Intra,
                ..base.clone()
            },
            ProfileList::Third,
        ),
        (
            Profile {
                gop: Gop::Millis(1),
                format: Some(Format::Mp4),
                ..base
            },
            ProfileList::Third,
        ),
    ];
    for (profile, expected) in cases {
        let profiles = [other.clone(), profile];
        assert_eq!(profile_list(&profiles), expected);
        let data = with_order(&profiles, |order| order.message(&[])).expect("an order");
        let filled = [
            &data.full_profiles,
            &data.full_profiles2,
            &data.full_profiles3,
        ];
        let lengths = filled.map(Vec::len);
        let position = expected as usize;
        assert!(
            (0..3).all(|i| lengths[i] == if i == position { 2 } else { 0 }),
            "{lengths:?}"
        );
    }
}

#[test]
fn everything_asked_for_is_written() {
    let profiles = presets("P144p30fps16x9").expect("presets");
    let storage = OsInfo::default();
    let data = with_order(&profiles, |order| {
        let order = Order {
            slice: Some(Slice {
                from_ms: 500,
                to_ms: 1500,
            }),
            reinit: true,
            perceptual_hash: true,
            storage: Some(&storage),
            ..order
        };
        order.message(&[1; 65])
    })
    .expect("an order");
    assert_eq!(
        data.segment_parameters,
        Some(SegParameters {
            from: 500,
            to: 1500
        })
    );
    assert!(data.force_session_reinit && data.calc_perceptual_hash);
    assert_eq!(
        (data.storage.len(), data.sig.len(), data.duration),
        (1, 65, 2000)
    );
    assert_eq!(
        (data.profiles.as_slice(), data.auth_token.as_ref()),
        (&b"invalid"[..], Some(&token()))
    );

    let received = decode(&encode(&data)).expect("readable");
    assert_eq!(received.data, data);
}

#[test]
fn an_order_out_of_range_is_not_written() {
    let message = |sequence, duration_ms| {
        with_order(&[], |order| {
            Order {
                sequence,
                duration_ms,
                ..order
            }
            .message(&[])
            .map(drop)
        })
    };
    assert_eq!(message(i64::MAX as u64, 300_000), Ok(()));
    assert_eq!(message(1 << 63, 0), Err(OrderError::Sequence(1 << 63)));
    assert_eq!(message(0, 300_001), Err(OrderError::Duration(300_001)));
    assert_eq!(message(0, u32::MAX), Err(OrderError::Duration(u32::MAX)));
}

#[test]
fn an_orchestrator_reads_the_newest_list_and_fills_names_in() {
    let named = preset("P144p30fps16x9").expect("a preset").to_message();
    let mut nameless = named.clone();
    nameless.name.clear();
    let data = SegData {
        full_profiles: vec![named.clone()],
        full_profiles2: vec![nameless],
        ..Default::default()
    };
    let received = decode(&encode(&data)).expect("readable");
    assert_eq!(received.profiles[0].name, "net_256x144_400000");
    assert_eq!(received.duration.as_millis(), 2000, "0 counts as 2 s");
}

#[test]
fn an_orchestrator_refuses_what_it_does_not_know() {
    let base = preset("P144p30fps16x9").expect("a preset").to_message();
    let refused = |change: &dyn Fn(&mut SegData)| {
        let mut data = SegData {
            full_profiles3: vec![base.clone()],
            ..Default::default()
        };
        change(&mut data);
        decode(&encode(&data)).expect_err("refused").text
    };
    let format = |data: &mut SegData| data.full_profiles3[0].format = 2;
    assert_eq!(refused(&format), "unrecognized profile output format");
    let profile = |data: &mut SegData| data.full_profiles3[0].profile = 5;
    assert_eq!(refused(&profile), "unrecognized encoder profile");
    let encoder = |data: &mut SegData| data.full_profiles3[0].encoder = -1;
    assert_eq!(refused(&encoder), "unrecognized video codec");
    assert_eq!(refused(&|data| data.duration = -1), "invalid duration");
    assert_eq!(refused(&|data| data.duration = 300_001), "invalid duration");
    assert!(
        decode("").is_ok(),
        "an absent header is refused for its token"
    );
}
