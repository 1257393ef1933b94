use proptest::prelude::*;

use super::*;
use crate::bundle::settings::Value;

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn good() -> String {
    format!(
        r#"
        name = "eu-first"
        version = "1.2.0"

        [[selection]]
        component = "capability.wasm"
        sha256 = "{DIGEST}"
        required = true

        [[selection]]
        component = "rank.wasm"
        sha256 = "{DIGEST}"
        on-empty = "skip"
        weight = 2
        settings = {{ latency = 0.6 }}

        [[failover]]
        component = "failover.wasm"
        sha256 = "{DIGEST}"

        [limits]
        fuel-base = 100000
        "#
    )
}

fn mistakes(text: &str) -> Vec<String> {
    match Manifest::parse(text) {
        Err(ManifestError::Mistakes(mistakes)) => mistakes.iter().map(Mistake::to_string).collect(),
        other => panic!("expected mistakes, got {other:?}"),
    }
}

#[test]
fn a_manifest_is_read_whole() {
    let manifest = Manifest::parse(&good()).expect("a good manifest");
    assert_eq!(
        manifest.on_failure,
        OnFailure::Previous,
        "custom bundles do not open the gate"
    );
    let [capability, rank] = &manifest.selection[..] else {
        panic!("two stages")
    };
    assert!(capability.required && capability.on_empty == OnEmpty::Fail);
    assert_eq!(
        (rank.name(), rank.weight, rank.on_empty),
        ("rank", 2.0, OnEmpty::Skip)
    );
    assert_eq!(rank.settings[0].value, Value::Number(0.6));
    assert_eq!(rank.sha256, Digest::of(b"abc"));
    assert_eq!(manifest.failover.len(), 1);
    assert_eq!(manifest.limits.fuel_base, NonZeroU64::new(100_000));
}

#[test]
fn a_misspelt_key_gets_the_nearest_right_one() {
    let text = good().replace("on-empty", "on-emty");
    assert_eq!(
        mistakes(&text),
        ["selection[1].on-emty: is no key here; did you mean \"on-empty\"?"]
    );
    let text = good().replace("fuel-base", "time");
    assert_eq!(
        mistakes(&text),
        ["limits.time: is no key here; there are fuel-base, fuel-row, memory-kib, time-ms"]
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = good()
        .replace("\"eu-first\"", "\"../x\"")
        .replace("required = true", "required = 1")
        .replace("weight = 2", "weight = -1")
        .replace("\"skip\"", "\"maybe\"");
    let found = mistakes(&text);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found[2].contains("should be one of fail, skip"),
        "{found:?}"
    );
}

#[test]
fn a_component_is_a_plain_file_name() {
    for bad in [
        "../rank.wasm",
        "/rank.wasm",
        "a/b.wasm",
        ".wasm",
        "..wasm",
        "rank.wat",
        "a\\b.wasm",
    ] {
        let text = good().replace("rank.wasm", &bad.replace('\\', "\\\\"));
        assert!(
            mistakes(&text)[0].starts_with("selection[1].component"),
            "{bad}"
        );
    }
}

#[test]
fn weight_and_on_empty_belong_to_selection() {
    let text = good().replace("[limits]", "weight = 1\n[limits]");
    assert!(mistakes(&text)[0].starts_with("failover[0].weight: is no key here"));
}

#[test]
fn what_is_missing_is_named() {
    let found = mistakes("version = '1'");
    assert_eq!(found[0], "name: is missing");
    assert!(found[1].contains("at least one [[selection]]"));
    assert!(matches!(
        Manifest::parse("name ="),
        Err(ManifestError::Syntax(_))
    ));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(at in 0..600usize, text in "[\\[\\]a-z0-9={}.,'\" \n-]{0,12}") {
        let mut manifest = good();
        let at = manifest.floor_char_boundary(at.min(manifest.len()));
        manifest.insert_str(at, &text);
        let _ = Manifest::parse(&manifest);
    }
}
