//! What the gateway comes with, on the workbench: without a bundle at hand everything is about that.

mod support;

use std::num::NonZeroU32;

use pointsman_default_bundle as default_bundle;
use pointsman_workbench::test::{Options, test};
use pointsman_workbench::{Opened, Origin, bench, check, conformance, inspect};
use support::gateway;

fn opened() -> Opened {
    Opened {
        bundle: gateway().bundle,
        vectors: None,
        origin: Origin::Gateway,
    }
}

#[test]
fn it_is_checked_and_described() {
    let checked = check(&opened(), &gateway()).expect("it loads");
    assert!(checked.ok, "{checked}");
    let told = inspect(&opened()).expect("it loads");
    let rank = told.stages.iter().find(|stage| stage.policy == "rank");
    let rank = rank.expect("it ranks");
    assert_eq!(
        (rank.hook, &*rank.wit, &rank.hooks[..]),
        ("selection", "0.1.0", &["selection".to_owned()][..])
    );
    assert!(
        rank.columns.iter().any(|name| name == "incumbent") && rank.settings_schema.is_object()
    );
    assert!(
        rank.imports
            .iter()
            .all(|name| name.starts_with("pointsman:policy/")),
        "{:?}",
        rank.imports
    );
    assert!(test(&opened(), Options::default()).expect("it loads").ok);
}

#[test]
fn its_figures_are_all_there() {
    let rows = NonZeroU32::new(10).expect("above zero");
    let measured = bench::bench(&opened(), &gateway(), rows, true).expect("it loads");
    assert!(measured.p50_us > 0.0 && measured.p50_us <= measured.p99_us);
    assert!(measured.native_p50_us.is_some_and(|native| native > 0.0));
    assert!(measured.fuel > 1000, "{}", measured.fuel);
    for stage in &measured.stages {
        assert!(stage.fuel > 0 && stage.fuel < stage.fuel_limit, "{stage:?}");
        let pages = stage.memory_bytes >> 16;
        assert!((1..64).contains(&pages), "{stage:?}");
        assert!(stage.native_p50_us.is_some(), "{stage:?}");
    }
    let json = serde_json::to_value(&measured).expect("it is JSON");
    for key in ["p50_us", "p99_us", "native_p50_us", "fuel", "memory_bytes"] {
        assert!(json[key].is_number(), "{key}: {json}");
    }
}

#[test]
fn its_library_keeps_the_contract() {
    for (file, bytes) in default_bundle::library() {
        match conformance(file, bytes, &[]) {
            Ok(found) => assert!(found.ok, "{found}"),
            // A policy that cannot do without settings says so.
            Err(error) => assert!(error.to_string().contains("settings"), "{file}: {error}"),
        }
    }
}
