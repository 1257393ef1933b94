use super::*;

fn golden(name: &str) -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/onchain/wire"
    );
    let path = PathBuf::from(folder).join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A real gateway's stream, paid again: each payment must be the recorded one to the byte, so credit, fee, nonces, rounds and
/// signatures all are.
#[tokio::test]
async fn the_recorded_stream_is_paid_to_the_byte() {
    let key = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
    let fixture = fixture_of(key.parse().expect("a key"), Caps::default());
    fixture.purse.observe(Standing {
        l1_block: 213,
        ..standing()
    });
    let profiles = presets("P144p30fps16x9,P240p30fps16x9").expect("presets");
    let framed = golden("get-orchestrator-stream-start.resp.bin");
    let mut info = OrchestratorInfo::decode(&framed[5..]).expect("an offer");
    for segment in 0..4 {
        let offer = fixture.purse.offer(&info).expect("an offer");
        let fee = fee::video(&profiles, 2000, offer.price());
        let paid = fixture
            .purse
            .pay(&charge(&offer, &fee))
            .await
            .expect("paid");
        let recorded = golden(&format!("segment-{segment}.payment.bin"));
        assert_eq!(
            STANDARD.decode(&paid.header).expect("base64"),
            recorded,
            "segment {segment}"
        );

        let result = golden(&format!("segment-{segment}.result.bin"));
        let result = TranscodeResult::decode(result.as_slice()).expect("a result");
        info = result.info.expect("the next offer");
        let Some(pointsman_wire::net::transcode_result::Result::Data(data)) = result.result else {
            panic!("no renditions");
        };
        let pixels = data
            .segments
            .iter()
            .map(|segment| segment.pixels.unsigned_abs())
            .sum();
        paid.receipt.accepted(fee::encoded(pixels, offer.price()));
    }
    let (accepted, _, _) = fixture.spent().await;
    let one = Amount::from_ratio(&pointsman_wire::amount::expected_value(
        U256::from(0x03_b9ac_a000_u64),
        win_prob(U256::from(VALUE), U256::from(2 * VALUE)),
    ));
    assert_eq!(Some(accepted), one.and_then(|one| one.times(5)));
}
