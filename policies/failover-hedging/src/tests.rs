use pointsman_sdk::Value;
use pointsman_sdk::testing::{self, Job, Table};

use super::*;

fn hedge(settings: &[(&'static str, Value)], job: Job, table: &Table) -> Option<u32> {
    let policy = testing::selection::<Hedging>(settings.iter().cloned()).job(job);
    match policy.judge(table).verdict {
        Verdict::Hedge(ms) => Some(ms),
        Verdict::Abstain => None,
        other => panic!("{other:?}"),
    }
}

fn slow(settings: &[(&'static str, Value)], attempts: &[Attempt], soft_left: u64) -> Patience {
    let job = Job::new().count("soft-ms", soft_left).deadline_ms(5000);
    let remaining = Table::new().numbers("latency-ms/p95", [Some(300.0), Some(90.0), None]);
    testing::failover::<Hedging>(settings.iter().cloned())
        .job(job)
        .on_slow(attempts, &remaining)
}

fn running(row: Option<u32>, elapsed_ms: u32) -> Attempt {
    Attempt {
        candidate: 7,
        row,
        started_ms: 0,
        elapsed_ms,
        running: true,
        failure: None,
    }
}

fn soft(ms: u64) -> Job {
    Job::new().count("soft-ms", ms)
}

fn p95() -> (&'static str, Value) {
    ("after", testing::text("p95"))
}

#[test]
fn a_share_of_the_soft_deadline_sets_the_delay() {
    let two = Table::of(2);
    assert_eq!(hedge(&[], soft(2000), &two), Some(800));
    assert_eq!(
        hedge(&[("share", 0.25.into())], soft(2000), &two),
        Some(500)
    );
    assert_eq!(hedge(&[], soft(60), &two), Some(50), "not below min-ms");
    assert_eq!(hedge(&[], Job::new(), &two), None);
    assert_eq!(hedge(&[], soft(2000), &Table::of(0)), None);
}

#[test]
fn the_p95_is_that_of_the_candidate_that_gets_the_job_first() {
    let table = Table::new().numbers("latency-ms/p95", [Some(500.0), Some(300.0), None]);
    let of = |table: &Table| hedge(&[p95()], soft(2000), table);
    assert_eq!(of(&table), Some(500), "nobody has said more");
    let scored = table.numbers("score/sum", [0.2, 0.9, 0.5]);
    assert_eq!(of(&scored), Some(300));
    let ordered = scored.counts("position", [1, 2, 0]);
    assert_eq!(of(&ordered), Some(800), "nothing measured: the share");
    let doubled = [p95(), ("factor", 2.into())];
    let late = Table::new().numbers("latency-ms/p95", [400.0]);
    assert_eq!(hedge(&doubled, soft(2000), &late), Some(800));
    assert_eq!(
        hedge(&doubled, soft(1000), &late),
        Some(700),
        "not after latest"
    );
}

#[test]
fn a_copy_is_sent_when_it_is_due_and_not_before() {
    assert_eq!(
        slow(&[], &[running(Some(0), 800)], 1200),
        Patience::Hedge(1)
    );
    assert_eq!(
        slow(&[], &[running(Some(0), 500)], 1500),
        Patience::Wait(300)
    );
    assert_eq!(slow(&[], &[running(None, 800)], 1200), Patience::Hedge(0));
    assert_eq!(slow(&[], &[running(Some(0), 4000)], 0), Patience::Hedge(1));
    assert_eq!(
        slow(&[p95()], &[running(Some(1), 60)], 1940),
        Patience::Wait(30)
    );
    assert_eq!(
        slow(&[p95()], &[running(Some(1), 90)], 1910),
        Patience::Hedge(0)
    );
    assert_eq!(
        slow(&[p95()], &[running(None, 90)], 1910),
        Patience::Hedge(0)
    );
}

#[test]
fn a_third_copy_waits_twice_as_long() {
    let attempts = |elapsed_ms| [running(Some(0), elapsed_ms), running(Some(1), 100)];
    let wait = Patience::Wait(5000);
    assert_eq!(slow(&[], &attempts(900), 1100), wait, "two are enough");
    let three = [("copies", 3.into())];
    assert_eq!(slow(&three, &attempts(900), 1100), Patience::Wait(700));
    assert_eq!(slow(&three, &attempts(1600), 400), Patience::Hedge(2));
    // Of orchestrators that are no candidates any more nothing is known: the share.
    let unknown = |elapsed_ms| [running(None, elapsed_ms), running(None, 100)];
    let by_p95 = [p95(), ("copies", 3.into())];
    assert_eq!(slow(&by_p95, &unknown(900), 1100), Patience::Wait(700));
    assert_eq!(slow(&by_p95, &unknown(1600), 400), Patience::Hedge(0));
}

#[test]
fn without_budget_or_candidates_it_waits_and_the_rest_is_left_to_others() {
    let policy = testing::failover::<Hedging>([]);
    let late = [running(Some(0), 5000)];
    let wait = Patience::Wait(10_000);
    assert_eq!(policy.on_slow(&late, &Table::of(1)), wait);
    let spent = testing::failover::<Hedging>([]).job(Job::new().count("hedges-left", 0));
    assert_eq!(spent.on_slow(&late, &Table::of(3)), wait);
    assert_eq!(policy.on_slow(&[], &Table::of(3)), Patience::Abstain);
    let remedy = policy.on_failure(&late, &Table::of(3));
    assert_eq!((remedy.rest_ms, remedy.recovery), (0, Recovery::Abstain));
}
