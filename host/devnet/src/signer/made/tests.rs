//! Against what a real signer made of the same question.

use alloy::primitives::B256;

use super::*;

/// `remote-signer` §9.
const OFFER: &str = "ChZodHRwczovLzEyNy4wLjAuMTo4OTM1ErABChRQUKT0s/kzjDRy3MAah8dqFEs8nBIHA41+pMaAABoehje9Ba9sabWmP5pJwsGxD9fkWAPNFBppN9PXdVAAIiDIB4ZW/sHlkVxS7asgY7PSUBQzD5EimnUMok1jN5sgDyogEREREREREREREREREREREREREREREREREREREREREREyBAExLSg6JQiAGxIgIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIaBQiwCRABIhRQUKT0s/kzjDRy3MAah8dqFEs8nDIyCiAzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMxIIY2FmZTAwMDEYgK6ZpA8=";
const PAYMENT: &str = "CokBChRQUKT0s/kzjDRy3MAah8dqFEs8nBIHA41+pMaAABoehje9Ba9sabWmP5pJwsGxD9fkWAPNFBppN9PXdVAAIiDIB4ZW/sHlkVxS7asgY7PSUBQzD5EimnUMok1jN5sgDyogEREREREREREREREREREREREREREREREREREREREREREyBAExLSgSFBpkLw48OvVF56y9OLByUbOZCRTxGiUIgBsSICIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIkUIARJBQlV5lIJ6d3+06069DXS2R4/mPPrpULcLsAk7NtbvqJVCbgSxGcM4dDMV6CsYXzgzJ3Ff7W+ce9oSHIltSIuvcxwqBQiwCRAB";
const CREDENTIALS: &str = "CghkZWFkYmVlZhogxdJGAYb3IzySfn2y3McDwOUAtlPKgic7e/rYBF2FpHAiB2ludmFsaWQqQeZrQEmG7UKj14An/YASvUFlPTBeTM7+nPXqv5ZZPC8HUjOmIUwlNegfGP9kPL3VxloR5mV0Dq+ZjtzahAeC0sYbQjIKIDMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzEghjYWZlMDAwMRiArpmkDw==";
const BALANCE: &str = "61755771663201498573942224785621416826711363560076194236465588843393279366949628805200/7719472615821079694904732333912527190217998977709370935963838933860875309329";

fn ask(rest: &str) -> Ask {
    let json = format!(r#"{{"orchestrator":"{OFFER}","ManifestID":"deadbeef",{rest}}}"#);
    serde_json::from_str(&json).expect("a question")
}

fn standing() -> Standing {
    Standing {
        l1Block: U256::from(20_000_000),
        round: U256::from(3456),
        roundHash: B256::repeat_byte(0x22),
        previousRoundHash: B256::ZERO,
        active: true,
        poolSize: U256::from(1),
        deposit: U256::from(10_u64.pow(18)),
        withdrawRound: U256::ZERO,
        reserve: U256::from(10_u64.pow(18)),
        claimedInRound: U256::ZERO,
        claimedByRecipient: U256::ZERO,
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600 + seconds)
}

fn make(ask: &Ask, standing: &Standing, now: SystemTime) -> Result<Made, Refused> {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    let desk = Desk {
        key: &key,
        profile: &SignerProfile::default(),
        standing,
        now,
    };
    desk.make(ask, &Offer::read(ask)?)
}

fn opened(made: &Made) -> State {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    made.state.open(&key).expect("its own")
}

/// The next question, with the state of the last answer.
fn after(made: &Made, rest: &str) -> Ask {
    Ask {
        state: Some(made.state.clone()),
        ..ask(rest)
    }
}

#[test]
fn the_published_payment_is_made_to_the_byte() {
    let ask = ask(r#""type":"fixed","maxPrice":{"price":1200,"currency":"wei","unit":"fixed"}"#);
    let made = make(&ask, &standing(), at(0)).expect("a payment");
    assert_eq!(made.payment, PAYMENT);
    assert_eq!(made.credentials, CREDENTIALS);
    let state = opened(&made);
    assert_eq!(state.balance, BALANCE);
    assert_eq!((state.nonce, state.sequence), (1, 0));
    assert_eq!(
        state.rand_hash,
        "0xc8078656fec1e5915c52edab2063b3d25014330f91229a750ca24d63379b200f"
    );
}

#[test]
fn units_cost_what_they_cost_and_what_is_left_over_counts() {
    // A ticket is worth 8 · 10^9 and a bit: six million and a half pixels.
    let made = make(&ask(r#""inPixels":6666666"#), &standing(), at(0)).expect("a payment");
    assert_eq!(made.tickets, 1);
    let error = make(&after(&made, r#""inPixels":1"#), &standing(), at(1));
    assert!(error.is_ok(), "less than a ticket is left");
    let made = make(&ask(r#""inPixels":1"#), &standing(), at(0)).expect("a payment");
    let made = make(&after(&made, r#""inPixels":1"#), &standing(), at(0)).expect("a payment");
    assert_eq!(opened(&made).nonce, 2);
    let again = make(&after(&made, r#""inPixels":1"#), &standing(), at(0));
    let said = Refused::Said(482, "no tickets".to_owned());
    assert_eq!(again.map(|made| made.tickets), Err(said));
    let many = make(&ask(r#""inPixels":700000000"#), &standing(), at(0));
    let text = "numTickets 105 exceeds maximum of 100";
    assert_eq!(many.map(|made| made.tickets), Err(Refused::bad(text)));
}

#[test]
fn live_video_is_billed_by_the_clock() {
    let first = Desk {
        key: &PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key"),
        profile: &SignerProfile::default(),
        standing: &standing(),
        now: at(12),
    };
    let lv2v = ask(r#""type":"lv2v""#);
    let fresh = first.state(&lv2v, &Offer::read(&lv2v).expect("an offer"));
    let mut state = fresh.expect("a state");
    assert_eq!(first.units(&lv2v, &state), Ok(1_658_880_000));
    state.updated = "2026-01-01T00:00:00Z".to_owned();
    assert_eq!(first.units(&lv2v, &state), Ok(331_776_000));
    let live = ask(r#""type":"live""#);
    assert_eq!(first.units(&live, &state), Ok(12));
    let other = ask(r#""type":"other""#);
    assert_eq!(
        first.units(&other, &state),
        Err(Refused::bad("invalid job type"))
    );
    let missing = Refused::bad("missing billable unit or job type");
    assert_eq!(first.units(&ask(r#""app":"""#), &state), Err(missing));
}

#[test]
fn what_is_too_old_or_cannot_be_met_is_refused_in_its_words() {
    let ask = ask(r#""inPixels":1"#);
    let stale = Refused::Stale("https://127.0.0.1:8935".to_owned());
    let refused = |standing: Standing, now| make(&ask, &standing, now).map(|made| made.tickets);
    assert_eq!(refused(standing(), at(4_000_000_000)), Err(stale.clone()));
    let expired = Standing {
        l1Block: U256::from(20_000_039),
        ..standing()
    };
    assert_eq!(refused(expired, at(0)), Err(stale));
    let why = |words: &str| {
        let text = format!("remote signer could not check whether to refresh session: {words}");
        Err(Refused::bad(text))
    };
    let poor = Standing {
        deposit: U256::from(10_u64.pow(15) - 1),
        ..standing()
    };
    let words = "ticket faceValue 1000000000000000 > max faceValue 999999999999999";
    assert_eq!(refused(poor, at(0)), why(words));
    let bare = Standing {
        reserve: U256::ZERO,
        ..standing()
    };
    assert_eq!(refused(bare, at(0)), why("no sender reserve"));
    let leaving = Standing {
        withdrawRound: U256::from(3457),
        ..standing()
    };
    let words = "unable to validate sender: deposit and reserve is set to unlock soon";
    assert_eq!(refused(leaving, at(0)), why(words));
}

#[test]
fn a_state_is_for_one_orchestrator_and_one_job() {
    let made = make(&ask(r#""inPixels":1"#), &standing(), at(0)).expect("a payment");
    let refused = |ask: &Ask| match make(ask, &standing(), at(0)) {
        Err(Refused::Said(status, text)) => (status, text),
        other => panic!("{other:?}"),
    };
    let words = |text: &str| (400, text.to_owned());
    let app = after(&made, r#""inPixels":1,"app":"x""#);
    assert_eq!(refused(&app), words("app mismatch"));
    let nameless = Ask {
        manifest_id: String::new(),
        ..after(&made, r#""inPixels":1"#)
    };
    assert_eq!(refused(&nameless), words("missing manifestID"));
    let mut other = after(&made, r#""inPixels":1"#);
    let mut info = OrchestratorInfo::decode(other.orchestrator.0.as_slice()).expect("an offer");
    info.address[0] ^= 1;
    other.orchestrator.0 = info.encode_to_vec();
    assert_eq!(refused(&other), words("orchestratorAddress mismatch"));
    let mut dearer = after(&made, r#""inPixels":1"#);
    info.address[0] ^= 1;
    info.price_info.as_mut().expect("a price").price_per_unit = 1201;
    dearer.orchestrator.0 = info.encode_to_vec();
    let text = "orchestrator price 1201 exceeds initial session price ceiling 1200";
    assert_eq!(refused(&dearer), (481, text.to_owned()));
}
