//! What a chain makes of its stages' verdicts, and what the host lets pass.

mod support;

use pointsman_facts::{Hints, Price, Symbol};
use pointsman_policy::wit::{Refusal, Verdict};
use pointsman_policy::{DropReason, Fallback, FaultKind, Hedge, Host, Shown};
use support::scripted::{Scripted, counts, exclude, numbers, order, score};
use support::{Made, Rows, activate, config, host, job};

const LATENCY: &[&str] = &["latency-ms/p50"];
const SLOW: &[(&str, Option<u16>)] = &[("too slow", Some(0))];

/// Excludes rows of 30 ms and more.
fn fast_only(script: Scripted) -> Scripted {
    script.stage("fast", LATENCY, SLOW, |_, table| {
        let slow = numbers(table, 0).iter().enumerate();
        exclude(
            slow.filter(|(_, ms)| **ms >= 30.0)
                .map(|(row, _)| u32::try_from(row).expect("few")),
        )
    })
}

/// Orders by latency, fastest first.
fn fastest_first(script: Scripted) -> Scripted {
    script.stage("fastest", LATENCY, &[], |_, table| {
        let latency = numbers(table, 0);
        let mut rows: Vec<u32> = (0..table.rows).collect();
        rows.sort_by(|a, b| latency[*a as usize].total_cmp(&latency[*b as usize]));
        order(rows)
    })
}

#[test]
fn a_chain_that_only_filters_keeps_the_shuffled_order() {
    let script = Scripted::default().stage("all", &[], &[], |_, _| exclude([]));
    let host = script.host(Made::new("reject").native("all", ""));
    let rows = Rows::slower(8);
    let first = host.select(job(42), &rows);
    assert_eq!(first.order(), [4, 3, 2, 0, 7, 6, 1, 5]);
    assert_eq!(
        host.select(job(42), &rows).order(),
        first.order(),
        "the seed decides"
    );
    assert_ne!(host.select(job(43), &rows).order(), first.order());
}

#[test]
fn only_survivors_are_handed_on_and_each_with_its_own_values() {
    let script = fast_only(Scripted::default()).stage(
        "check",
        &["latency-ms/p50", "id"],
        &[],
        |_, table| {
            assert_eq!(table.rows, 2);
            let mut seen = numbers(table, 0).to_vec();
            seen.sort_by(f64::total_cmp);
            assert_eq!(seen, [10.0, 20.0]);
            Verdict::Abstain
        },
    );
    let host = script.host(Made::new("reject").native("fast", "").native("check", ""));
    for seed in 0..20 {
        let selection = host.select(job(seed), &Rows::slower(5));
        assert_eq!(selection.decision.fault, None);
        let mut order = selection.order().to_vec();
        order.sort_unstable();
        assert_eq!(order, [0, 1]);
    }
}

#[test]
fn an_exclusion_tells_stage_cause_column_and_value() {
    let host = fast_only(Scripted::default()).host(Made::new("reject").native("fast", ""));
    let decision = host.select(job(1), &Rows::slower(3)).decision.clone();
    let excluded: Vec<_> = decision.exclusions().collect();
    assert_eq!(excluded.len(), 1);
    assert_eq!(excluded[0].row, 2);
    assert_eq!(excluded[0].id.0, 1002);
    assert_eq!((excluded[0].stage, excluded[0].cause), ("fast", "too slow"));
    assert_eq!(excluded[0].column, Some("latency-ms/p50"));
    assert_eq!(excluded[0].shown, Shown::Number(30.0));
}

#[test]
fn scores_add_up_with_their_weights() {
    let script = Scripted::default()
        .stage("slow", LATENCY, &[], |_, table| {
            score(numbers(table, 0).iter().map(|ms| ms / 100.0))
        })
        .stage("fast", LATENCY, &[], |_, table| {
            score(numbers(table, 0).iter().map(|ms| 1.0 - ms / 100.0))
        });
    let made = Made::new("reject")
        .native("slow", "weight = 1.0")
        .native("fast", "weight = 3.0");
    let host = script.host(made);
    let selection = host.select(job(1), &Rows::slower(4));
    assert_eq!(selection.order(), [0, 1, 2, 3]);
    let best = selection.decision.score(0).expect("scored");
    assert!((best - (0.1 + 3.0 * 0.9)).abs() < 1e-9, "{best}");
}

#[test]
fn an_order_stands_and_scores_after_it_do_not_count() {
    let script = fastest_first(Scripted::default()).stage("score", LATENCY, &[], |_, table| {
        score(numbers(table, 0).iter().map(|ms| ms / 100.0))
    });
    let host = script.host(
        Made::new("reject")
            .native("fastest", "")
            .native("score", ""),
    );
    assert_eq!(host.select(job(1), &Rows::slower(4)).order(), [0, 1, 2, 3]);
}

#[test]
fn a_later_order_replaces_an_earlier_one_and_what_it_leaves_out_is_unlisted() {
    let script =
        fastest_first(Scripted::default()).stage("last-two", &["position"], &[], |_, table| {
            assert_eq!(counts(table, 0), [0, 1, 2, 3], "the order before");
            order([3, 2])
        });
    let host = script.host(
        Made::new("reject")
            .native("fastest", "")
            .native("last-two", ""),
    );
    let selection = host.select(job(1), &Rows::slower(4));
    assert_eq!(selection.order(), [3, 2]);
    let decision = &selection.decision;
    let unlisted: Vec<_> = decision
        .exclusions()
        .map(|gone| (gone.row, gone.cause))
        .collect();
    assert_eq!(unlisted, [(0, "unlisted"), (1, "unlisted")]);
}

#[test]
fn the_chains_own_columns_tell_what_was_before() {
    let script = Scripted::default()
        .stage("half", &["position", "score/sum"], &[], |_, table| {
            assert!(
                counts(table, 0).iter().all(|place| *place == u64::MAX),
                "nobody ordered yet"
            );
            assert_eq!(numbers(table, 1), [0.0, 0.0]);
            score([0.5, 0.5])
        })
        .stage("sum", &["score/sum"], &[], |_, table| {
            assert_eq!(numbers(table, 0), [1.0, 1.0]);
            Verdict::Abstain
        });
    let host = script.host(
        Made::new("reject")
            .native("half", "weight = 2")
            .native("sum", ""),
    );
    assert_eq!(host.select(job(1), &Rows::slower(2)).decision.fault, None);
}

#[test]
fn a_stage_that_excludes_everybody_fails_the_job_or_is_skipped() {
    let nobody = |script: Scripted| {
        script.stage("nobody", &[], &[("no", None)], |_, table| {
            exclude(0..table.rows)
        })
    };
    let made = |on_empty: &str| {
        Made::new("reject")
            .native("fast", "")
            .native("nobody", &format!("on-empty = \"{on_empty}\""))
    };
    let host = nobody(fast_only(Scripted::default())).host(made("fail"));
    let selection = host.select(job(1), &Rows::slower(5));
    let refusal = selection.refusal().expect("refused");
    assert_eq!(
        (refusal.status, refusal.cause.as_str()),
        (503, "all-excluded")
    );
    assert!(refusal.leaves_nobody());
    assert_eq!(refusal.stage.as_deref(), Some("nobody"));
    assert_eq!(selection.decision.exclusions().count(), 5, "all are told");

    let host = nobody(fast_only(Scripted::default())).host(made("skip"));
    let selection = host.select(job(1), &Rows::slower(5));
    assert_eq!(selection.order().len(), 2, "what it excluded comes back");
    assert_eq!(selection.decision.skipped().collect::<Vec<_>>(), ["nobody"]);
    assert_eq!(
        selection.decision.exclusions().count(),
        3,
        "and only what it did"
    );
}

#[test]
fn the_last_hedge_counts() {
    let script = Scripted::default()
        .stage("first", &[], &[], |_, _| Verdict::Hedge(100))
        .stage("second", &[], &[], |_, _| Verdict::Hedge(u32::MAX));
    let host = script.host(Made::new("reject").native("first", ""));
    assert_eq!(
        host.select(job(1), &Rows::slower(1)).hedge(),
        Hedge::AfterMs(100)
    );
    let loaded = host
        .load_native(
            &Made::new("reject")
                .native("first", "")
                .native("second", "")
                .bundle(),
        )
        .expect("natively");
    host.activate(loaded, "test");
    assert_eq!(host.select(job(1), &Rows::slower(1)).hedge(), Hedge::Never);
}

#[test]
fn a_refusal_ends_the_chain() {
    let script = Scripted::default()
        .stage("closed", &[], &[("closed on Sundays", None)], |_, _| {
            Verdict::Reject(Refusal {
                status: 451,
                reason: 0,
                message: "come back tomorrow".to_owned(),
            })
        })
        .stage("never", &[], &[], |_, _| panic!("the chain has ended"));
    let host = script.host(Made::new("reject").native("closed", "").native("never", ""));
    let selection = host.select(job(1), &Rows::slower(3));
    let refusal = selection.refusal().expect("refused");
    assert_eq!(refusal.status, 451);
    assert_eq!(refusal.cause, "closed on Sundays");
    assert_eq!(refusal.message, "come back tomorrow");
    assert!(!refusal.leaves_nobody(), "the policy refuses the job");
    assert_eq!(refusal.stage.as_deref(), Some("closed"));
    assert_eq!(selection.decision.fault, None, "a refusal is no fault");
}

#[test]
fn nobody_to_choose_from_and_nobody_to_ask() {
    let host = Host::new(config(), None).expect("an engine");
    let refused = |host: &Host, rows| {
        let selection = host.select(job(1), &Rows::slower(rows));
        let refusal = selection.refusal().expect("refused");
        (refusal.cause.clone(), refusal.leaves_nobody())
    };
    assert_eq!(refused(&host, 3), ("no-policy".to_owned(), false));
    activate(&host, &Made::new("reject").select("abstain", "").bundle());
    assert_eq!(refused(&host, 0), ("no-candidates".to_owned(), true));
}

#[test]
fn the_host_drops_what_no_policy_may_let_through() {
    let host = fastest_first(Scripted::default()).host(Made::new("reject").native("fastest", ""));
    let unknown = (u64::MAX, u64::MAX);
    let rows = Rows {
        fit: vec![0, 1, 2, 1, 1],
        // A third in floats is below and above itself; as fractions it is exactly at the ceiling, or just above.
        price: vec![
            (1, 3),
            (333_333_333_333_333_334, 1_000_000_000_000_000_000),
            (2, 6),
            unknown,
            (1, 4),
        ],
        ..Rows::slower(5)
    };
    let drops = |selection: &pointsman_policy::Selection| {
        selection
            .decision
            .host_drops()
            .map(|(id, reason)| (id.0, reason))
            .collect::<Vec<_>>()
    };
    let mut job = job(1);
    job.max_price = Price::new(1, 3);
    let soft = host.select(job.clone(), &rows);
    assert_eq!(
        soft.order(),
        [1, 2, 3, 4],
        "a soft ceiling is the policy's to keep"
    );
    assert_eq!(drops(&soft), [(1000, DropReason::Unfit)]);

    job.price_is_hard = true;
    let hard = host.select(job.clone(), &rows);
    assert_eq!(hard.order(), [2, 3, 4]);
    assert_eq!(
        drops(&hard),
        [(1000, DropReason::Unfit), (1001, DropReason::AboveCeiling)]
    );

    // A ceiling that the operator lets policies pass, and the application does not; and its lists, of which no policy knows here.
    let mut wished = job.clone();
    wished.price_is_hard = false;
    wished.hints = Hints {
        only: Some(vec![Symbol(1001), Symbol(1002), Symbol(1003)]),
        ignore: vec![Symbol(1002)],
        max_price: Price::new(1, 3),
        ..Hints::default()
    };
    let wished = host.select(wished.clone(), &rows);
    assert_eq!(wished.order(), [3]);
    let mut dropped = drops(&wished);
    dropped.sort_unstable_by_key(|drop| drop.0);
    assert_eq!(
        dropped,
        [
            (1000, DropReason::Unfit),
            (1001, DropReason::AboveCeiling),
            (1002, DropReason::Ignored),
            (1004, DropReason::NotOnly),
        ]
    );

    let mut strict = config();
    strict.unpriced_passes = false;
    let script = fastest_first(Scripted::default());
    let host = Host::new(strict, Some(std::sync::Arc::new(script))).expect("an engine");
    let loaded = host
        .load_native(&Made::new("reject").native("fastest", "").bundle())
        .expect("natively");
    host.activate(loaded, "test");
    let strict = host.select(job.clone(), &rows);
    assert_eq!(strict.order(), [2, 4]);
    assert!(drops(&strict).contains(&(1003, DropReason::Unpriced)));

    let unfit = Rows {
        fit: vec![0; 5],
        ..rows
    };
    let refusal = host.select(job.clone(), &unfit);
    let refusal = refusal.refusal().expect("refused");
    assert_eq!(refusal.cause, "host-invariants");
    assert!(refusal.leaves_nobody());
}

#[test]
fn the_native_twin_answers_for_bundles_that_say_so() {
    let reversed =
        |script: Scripted| script.stage("trap", &[], &[], |_, table| order((0..table.rows).rev()));
    let host = reversed(Scripted::default()).twins();
    activate(&host, &Made::new("default").select("trap", "").bundle());
    let selection = host.select(job(42), &Rows::slower(8));
    let decision = &selection.decision;
    assert_eq!(
        decision.fault.as_ref().expect("a fault").kind,
        FaultKind::Trap
    );
    assert_eq!(decision.fallback, Some(Fallback::Native));
    assert_eq!(
        selection.order(),
        [5, 1, 6, 7, 0, 2, 3, 4],
        "the shuffle, reversed"
    );

    let host = Scripted::default().twins();
    let error = host
        .load(&Made::new("default").select("trap", "").bundle())
        .expect_err("no twin");
    assert!(error.to_string().contains("no native twin"), "{error}");
}

#[test]
fn a_native_policy_that_panics_is_a_fault() {
    let script = Scripted::default().stage("broken", &[], &[], |_, _| panic!("broken"));
    let host = script.host(Made::new("reject").native("broken", ""));
    let selection = host.select(job(1), &Rows::slower(2));
    assert_eq!(
        selection.decision.fault.as_ref().expect("a fault").kind,
        FaultKind::Trap
    );
    assert!(selection.refusal().is_some());
}

#[test]
fn a_component_sees_what_a_native_policy_sees() {
    let made = Made::new("reject")
        .select("exclude-slow", "")
        .select("score-latency", "");
    let host = host(&made.bundle());
    let rows = Rows {
        latency: vec![300.0, 800.0, 100.0, 501.0, 500.0],
        ..Rows::slower(5)
    };
    for seed in 0..20 {
        let selection = host.select(job(seed), &rows);
        let decision = &selection.decision;
        assert_eq!(decision.fault, None);
        assert_eq!(selection.order(), [4, 0, 2]);
        assert_eq!(decision.score(1), Some(0.3));
        let mut excluded: Vec<_> = decision
            .exclusions()
            .map(|gone| (gone.row, gone.cause, gone.value, gone.shown))
            .collect();
        excluded.sort_by_key(|gone| gone.0);
        assert_eq!(
            excluded,
            [
                (1, "slow", Some(800.0), Shown::Number(800.0)),
                (3, "slow", Some(501.0), Shown::Number(501.0))
            ]
        );
        assert_eq!(decision.snapshot, 42);
        assert!(decision.fuel > 0);
    }
}

#[test]
fn a_component_can_refuse_and_set_the_hedge_delay() {
    let rows = Rows::slower(2);
    let refusing = host(&Made::new("reject").select("reject", "").bundle());
    let selection = refusing.select(job(1), &rows);
    let refusal = selection.refusal().expect("refused");
    assert_eq!(refusal.status, 503, "200 is no refusal");
    assert_eq!(
        refusal.message, " say no ",
        "as text without control characters"
    );
    assert_eq!(refusal.cause, "because");
    let hedging = host(&Made::new("reject").select("hedge", "").bundle());
    assert_eq!(hedging.select(job(1), &rows).hedge(), Hedge::AfterMs(250));
}

#[test]
fn five_thousand_rows_fit_into_an_answer() {
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    let rows = Rows {
        latency: (0..5000).map(|row| f64::from(row % 1000)).collect(),
        ..Rows::slower(5000)
    };
    let selection = host.select(job(1), &rows);
    assert_eq!(selection.decision.fault, None);
    assert_eq!(selection.order().len(), 5000);
    assert_eq!(selection.order()[0] % 1000, 999);
}

#[test]
fn more_threads_than_warm_instances_are_all_answered() {
    let host = host(
        &Made::new("reject")
            .select("score-latency", "")
            .select("hedge", "")
            .bundle(),
    );
    let rows = Rows::slower(10);
    std::thread::scope(|scope| {
        for thread in 0..24 {
            let (host, rows) = (&host, &rows);
            scope.spawn(move || {
                for n in 0..50 {
                    let selection = host.select(job(thread * 1000 + n), rows);
                    assert_eq!(selection.decision.fault, None);
                    assert_eq!(selection.order(), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
                }
            });
        }
    });
    assert_eq!(host.decisions().latest(10_000).len(), 24 * 50);
}

#[test]
fn a_host_and_what_it_gives_can_be_shared_between_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Host>();
    shared::<pointsman_policy::Selection>();
    shared::<pointsman_policy::Loaded>();
    shared::<pointsman_policy::LoadError>();
}

#[test]
fn the_same_component_twice_has_two_names() {
    let twice = Made::new("reject")
        .select("abstain", "")
        .select("abstain", "");
    let host = Host::new(config(), None).expect("an engine");
    let loaded = host.load(&twice.bundle()).expect("a good bundle");
    let names: Vec<_> = loaded.about().iter().map(|about| &*about.stage).collect();
    assert_eq!(names, ["abstain", "abstain#2"]);
    assert_eq!(loaded.about()[0].name, "guest");
}
