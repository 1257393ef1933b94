//! The embedded bundle: its components and their native twins decide alike, through the whole host.

mod support;

use pointsman_facts::hints::Sort;
use pointsman_facts::{Blame, Candidates, Failure, FailureKind, Hints, Price};
use pointsman_policy::{AttemptView, Call, Host, Remaining};
use support::fleet::Fleet;
use support::twin::{default_bundle, twins};
use support::{Made, config, job};

/// Nothing for one seed in two; else lists of some of `fleet`, and something to sort by.
fn wishes(seed: u64, fleet: &Fleet) -> Hints {
    if seed.is_multiple_of(2) {
        return Hints::default();
    }
    let every = |nth: usize| (0..fleet.rows()).step_by(nth).map(|row| fleet.id(row));
    Hints {
        order: every(7).filter(|_| seed.is_multiple_of(3)).collect(),
        only: seed.is_multiple_of(5).then(|| every(2).collect()),
        ignore: every(5).filter(|_| seed.is_multiple_of(7)).collect(),
        sort: Sort::ALL.get(seed as usize % 5).copied(),
        ..Hints::default()
    }
}

#[test]
fn components_and_twins_decide_alike() {
    let host = || Host::new(config(), Some(twins())).expect("an engine");
    let (wasm, native) = (host(), host());
    let loaded = wasm
        .load(&default_bundle())
        .expect("the embedded bundle loads");
    assert!(loaded.about().iter().all(|about| !about.summary.is_empty()));
    wasm.activate(loaded, "test");
    let loaded = native.load_native(&default_bundle()).expect("it has twins");
    native.activate(loaded, "test");
    let mut refused = 0;
    for seed in 0..300u64 {
        let rows = [1, 2, 3, 10, 50, 200][seed as usize % 6];
        let fleet = Fleet::new(rows, seed, seed % 40);
        let mut job = job(seed);
        job.max_price = (seed % 3 > 0).then(|| Price::new(600, 1)).flatten();
        job.price_is_hard = seed % 2 == 0;
        job.hints = wishes(seed, &fleet);
        let (ours, theirs) = (
            wasm.select(job.clone(), &fleet),
            native.select(job.clone(), &fleet),
        );
        let (ours, theirs) = (&ours.decision, &theirs.decision);
        assert_eq!(ours.fault, None);
        assert_eq!(ours.order(), theirs.order(), "seed {seed}");
        assert_eq!(ours.refusal, theirs.refusal);
        assert_eq!(ours.hedge, theirs.hedge);
        let told = |decision: &pointsman_policy::Decision| {
            let all = decision.exclusions();
            all.map(|gone| format!("{gone:?}")).collect::<Vec<_>>()
        };
        assert_eq!(told(ours), told(theirs), "seed {seed}");
        refused += u32::from(ours.refusal.is_some());
    }
    assert!((1..150).contains(&refused), "{refused} of 300 were refused");
}

#[test]
fn components_and_twins_rescue_alike() {
    let host = || Host::new(config(), Some(twins())).expect("an engine");
    let (wasm, native) = (host(), host());
    let loaded = wasm
        .load(&default_bundle())
        .expect("the embedded bundle loads");
    wasm.activate(loaded, "test");
    let loaded = native.load_native(&default_bundle()).expect("it has twins");
    native.activate(loaded, "test");
    let fleet = Fleet::new(6, 3, 10);
    let remaining = Remaining {
        candidates: &fleet,
        rows: &[4, 2, 5],
    };
    let mut opinions = 0;
    for &(kind, ..) in FailureKind::TABLE {
        for blame in [
            Blame::Orchestrator,
            Blame::Input,
            Blame::Payment,
            Blame::Network,
        ] {
            let failure = Failure::new(blame, kind, "");
            let attempts = [AttemptView {
                candidate: fleet.id(1),
                row: None,
                started_ms: 0,
                elapsed_ms: 300,
                running: false,
                failure: Some(&failure),
            }];
            let ask = |host: &Host| host.active().on_failure(&job(1), &attempts, remaining);
            let (ours, theirs) = (ask(&wasm), ask(&native));
            assert_eq!(ours, theirs, "{failure:?}");
            assert_eq!(ours.fault, None);
            opinions += u32::from(ours.stage.is_some());
        }
    }
    assert!(opinions > 0, "the failover policy says something");
    let running = [AttemptView {
        candidate: fleet.id(1),
        row: None,
        started_ms: 0,
        elapsed_ms: 900,
        running: true,
        failure: None,
    }];
    let ask = |host: &Host| host.active().on_slow(&job(1), &running, remaining);
    assert_eq!(ask(&wasm), ask(&native));
    let price = |num| Price::new(num, 1).expect("a price");
    let ask = |host: &Host| {
        host.active()
            .on_price_change(&job(1), price(10), price(90), remaining)
    };
    assert_eq!(ask(&wasm), ask(&native));
}

#[test]
fn an_exclusion_of_the_price_ceiling_shows_the_price() {
    let host = Host::new(config(), Some(twins())).expect("an engine");
    let loaded = host
        .load(&default_bundle())
        .expect("the embedded bundle loads");
    host.activate(loaded, "test");
    let mut job = job(1);
    job.max_price = Price::new(600, 1);
    let decision = host
        .select(job.clone(), &Fleet::new(50, 1, 0))
        .decision
        .clone();
    let gone: Vec<_> = decision
        .exclusions()
        .filter(|gone| gone.stage == "price-ceiling")
        .collect();
    assert!(!gone.is_empty());
    for gone in gone {
        assert!(gone.value.is_some_and(|price| price > 600.0), "{gone:?}");
    }
}

#[test]
fn components_and_twins_route_alike() {
    let policy = |name: &str| {
        let found = pointsman_default_bundle::library()
            .iter()
            .find(|(known, _)| known.strip_suffix(".wasm").unwrap_or(known) == name);
        found.expect("in the library").1
    };
    let rules = "required = true\nsettings = { capabilities = [\"video-*\"], when-labels = [\"tier=free\"], \
        use = \"video-small\", max-price = \"7/2\", timeout-ms = 3000, ignore = [\"https://b.test\"], add-labels = [\"lane=slow\"] }";
    let made = Made::new("reject")
        .stage("selection", "capability", policy("capability"), "")
        .stage("byoc", "byoc-rules", policy("byoc-rules"), rules);
    let bundle = made.bundle();
    let host = || Host::new(config(), Some(twins())).expect("an engine");
    let (wasm, native) = (host(), host());
    wasm.activate(wasm.load(&bundle).expect("a good bundle"), "test");
    native.activate(native.load_native(&bundle).expect("it has twins"), "test");
    let mut changed = 0;
    for seed in 0..60u64 {
        let mut job = job(seed);
        let tier = ["free", "gold"][seed as usize % 2];
        job.labels.insert("tier".to_owned(), tier.to_owned());
        job.max_price = Price::new(seed % 5 + 1, 1);
        let call = Call {
            capability: ["video-large", "image"][seed as usize / 2 % 2].to_owned(),
            path: "/".to_owned(),
            parameters: "{}".to_owned(),
            ..Call::default()
        };
        let (ours, theirs) = (wasm.route(&job, &call), native.route(&job, &call));
        assert_eq!(ours.record.fault, None);
        assert_eq!(ours.terms, theirs.terms, "seed {seed}");
        assert_eq!(ours.record.steps, theirs.record.steps);
        changed += u32::from(ours.terms.capability == "video-small");
    }
    assert_eq!(changed, 15, "a rule that applies to a quarter");
}
