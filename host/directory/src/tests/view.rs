use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::column::TABLE;
use pointsman_facts::values::UNKNOWN_COUNT;
use pointsman_facts::{Blame, Candidates, Column, Failure, FailureKind, Symbol, Values, Workload};
use pointsman_wire::capabilities::Capability;
use pointsman_wire::net::Capabilities;
use pointsman_wire::net::capabilities::capability_constraints::ModelConstraint;
use pointsman_wire::net::capabilities::{CapabilityConstraints, Constraints};
use tokio::time::sleep;

use super::fake::{Does, Fakes, answers, capabilities, directory, id, offer, start, uri};
use crate::directory::{Directory, Settings};
use crate::history::Outcome;
use crate::rest::Rest;
use crate::source::{Entry, Sources};
use crate::view::{Query, View};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

fn query(required: &Arc<Capabilities>) -> Query {
    Query {
        workload: Workload::Transcode,
        model: Symbol::UNKNOWN,
        required: Arc::clone(required),
        incumbent: None,
        hints: Arc::default(),
    }
}

fn requiring(numbers: &[u32]) -> Arc<Capabilities> {
    let set: pointsman_wire::capabilities::Set = numbers.iter().copied().collect();
    Arc::new(Capabilities {
        bitstring: set.words().to_vec(),
        ..Default::default()
    })
}

fn transcoding() -> Arc<Capabilities> {
    requiring(&[0, 1, 12])
}

fn view(directory: &Directory) -> View {
    directory.candidates(&query(&transcoding()))
}

/// The value of one candidate, as people would read it: NaN unknown.
fn shown(view: &View, column: &str, name: &str) -> f64 {
    let column = Column::parse(column).expect("a column");
    let row = view.row_of(id(name)).expect("a known orchestrator");
    view.values(&column).shown(row)
}

fn symbol(view: &View, column: &str, name: &str) -> Symbol {
    let column = Column::parse(column).expect("a column");
    let row = view.row_of(id(name)).expect("a known orchestrator");
    match view.values(&column) {
        Values::Symbols(values) => Symbol(values[row]),
        other => panic!("{other:?}"),
    }
}

fn why(view: &View, name: &str) -> String {
    let row = view.row_of(id(name)).expect("a known orchestrator");
    view.why_unfit(row).unwrap_or_default()
}

fn succeed(directory: &Directory, name: &str, ms: u64) {
    let running = directory.begin(id(name), Workload::Transcode, Symbol::UNKNOWN);
    running.finish(Outcome::Success {
        elapsed: Duration::from_millis(ms),
        duration: Some(2 * SECOND),
    });
}

fn fail(directory: &Directory, name: &str) {
    let failure = Failure::new(Blame::Orchestrator, FailureKind::ServerError, "500");
    let running = directory.begin(id(name), Workload::Transcode, Symbol::UNKNOWN);
    running.finish(Outcome::Failure {
        failure: &failure,
        elapsed: SECOND,
    });
}

#[tokio::test(start_paused = true)]
async fn every_column_has_its_kind_and_a_value_for_every_row() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b", "dead"]).await;
    directory.settled(LONG).await;
    for past in [false, true] {
        if past {
            succeed(&directory, "a", 5);
            directory.publish();
        }
        let view = view(&directory);
        assert_eq!(view.rows(), 3);
        for entry in TABLE {
            let name = entry
                .name
                .replace("<class>", "reset")
                .replace("<key>", "tier");
            let column = Column::parse(&name).expect("a name of the table");
            let values = view.values(&column);
            assert_eq!((values.kind(), values.len()), (entry.kind, 3), "{name}");
            let unknown = (0..3).filter(|&row| values.shown(row).is_nan()).count();
            if entry.unknown == "never" && entry.name != "score/sum" {
                assert_eq!(unknown, 0, "{name} is never unknown");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fit_says_yes_no_and_not_yet_and_why() {
    let fakes = Fakes::answering(&["able", "full"]);
    let mut old = offer("old", 1);
    old.capabilities = None;
    fakes.set("old", answers(old));
    let mut idle = offer("idle", 1);
    idle.transcoder.clear();
    fakes.set("idle", answers(idle));
    fakes.set("hangs", Does::Hangs);
    let names = ["able", "old", "idle", "hangs", "dead"];
    let directory = directory(&fakes, &names).await;
    sleep(2 * SECOND).await;
    let view = view(&directory);
    let fit = |name| shown(&view, "fit", name);
    assert_eq!(
        (fit("able"), fit("old"), fit("idle"), fit("dead")),
        (1.0, 0.0, 0.0, 0.0)
    );
    assert!(fit("hangs").is_nan());
    let answers = |name| shown(&view, "answers", name);
    assert_eq!(
        (answers("able"), answers("old"), answers("dead")),
        (1.0, 1.0, 0.0)
    );
    assert!(answers("hangs").is_nan());
    assert_eq!(why(&view, "able"), "");
    assert_eq!(why(&view, "old"), "sends no capabilities");
    assert!(why(&view, "idle").contains("no transcoder"));
    assert_eq!(why(&view, "hangs"), "has not answered a probe yet");
    assert!(why(&view, "dead").contains("connection refused"));

    let hevc = requiring(&[Capability::HevcEncode.number()]);
    let view = directory.candidates(&query(&hevc));
    assert_eq!(shown(&view, "fit", "able"), 0.0);
    assert_eq!(why(&view, "able"), "lacks HEVC encode");
}

#[tokio::test(start_paused = true)]
async fn verdicts_are_kept_while_only_history_changes() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    let place = |view: &View| match view.values(&Column::Fit) {
        Values::Marks(marks) => marks.as_ptr(),
        other => panic!("{other:?}"),
    };
    let before = view(&directory);
    succeed(&directory, "a", 5);
    sleep(SECOND).await;
    let after = view(&directory);
    assert!(after.snapshot() > before.snapshot());
    assert_eq!(
        place(&before),
        place(&after),
        "an equal question from another stream"
    );

    fakes.set("a", answers(offer("a", 2)));
    sleep(LONG).await;
    assert_ne!(place(&after), place(&view(&directory)));
    assert_eq!(shown(&after, "price", "a"), 1.0, "a view never changes");
    assert_eq!(shown(&view(&directory), "price", "a"), 2.0);
}

#[tokio::test(start_paused = true)]
async fn attempts_show_within_a_tenth_of_a_second() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b"]).await;
    directory.settled(LONG).await;
    succeed(&directory, "a", 100);
    fail(&directory, "a");
    sleep(Duration::from_millis(100)).await;
    let view = view(&directory);
    assert_eq!(shown(&view, "latency-ms/p50", "a"), 100.0);
    assert_eq!(shown(&view, "latency-score", "a"), 0.05);
    assert_eq!(shown(&view, "success-rate", "a"), 0.5);
    assert_eq!(shown(&view, "error-rate/status", "a"), 0.5);
    assert_eq!(shown(&view, "samples", "a"), 2.0);
    assert_eq!(
        shown(&view, "price/effective", "a"),
        2.0,
        "every other one is lost"
    );
    assert!(shown(&view, "latency-ms/p50", "b").is_nan());
    assert_eq!(shown(&view, "samples", "b"), 0.0);
    let other = directory.candidates(&Query {
        workload: Workload::Llm,
        ..query(&transcoding())
    });
    assert!(
        shown(&other, "latency-ms/p50", "a").is_nan(),
        "another kind of work"
    );
}

#[tokio::test(start_paused = true)]
async fn forgetting_shows_without_any_new_attempt() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    fail(&directory, "a");
    sleep(LONG).await;
    assert_eq!(shown(&view(&directory), "success-rate", "a"), 0.0);
    sleep(31 * LONG).await;
    assert!(shown(&view(&directory), "success-rate", "a").is_nan());
}

#[tokio::test(start_paused = true)]
async fn in_flight_and_rests_are_as_of_when_they_are_asked_for() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b"]).await;
    directory.settled(LONG).await;
    let view = view(&directory);
    let running = directory.begin(id("a"), Workload::Transcode, Symbol::UNKNOWN);
    assert_eq!(shown(&view, "in-flight", "a"), 1.0);
    drop(running);
    assert_eq!(shown(&view, "in-flight", "a"), 1.0, "once is for ever");
    assert_eq!(shown(&view.anew(), "in-flight", "a"), 0.0);
    sleep(SECOND).await;
    let now = self::view(&directory);
    assert_eq!(shown(&now, "samples", "a"), 0.0, "cancelled is no sample");

    assert_eq!(directory.rest(id("a"), LONG), Rest::Granted(LONG));
    assert_eq!(directory.rest(id("b"), LONG), Rest::Refused);
    assert_eq!(shown(&view.anew(), "rest-ms", "a"), 60_000.0);
    sleep(20 * SECOND).await;
    let later = view.anew();
    assert_eq!(shown(&later, "rest-ms", "a"), 40_000.0);
    assert_eq!(shown(&later, "rest-ms", "b"), 0.0);
    assert_eq!(later.snapshot(), view.snapshot());
}

#[tokio::test(start_paused = true)]
async fn the_incumbent_is_marked_and_the_excluded_do_not_fit() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b"]).await;
    directory.settled(LONG).await;
    let asked = Query {
        incumbent: Some(id("b")),
        ..query(&transcoding())
    };
    let view = directory
        .candidates(&asked)
        .excluding([id("a"), id("unknown")]);
    assert_eq!(shown(&view, "incumbent", "a"), 0.0);
    assert_eq!(shown(&view, "incumbent", "b"), 1.0);
    assert_eq!(shown(&view, "fit", "a"), 0.0);
    assert_eq!(shown(&view, "fit", "b"), 1.0);
    assert_eq!(why(&view, "a"), "is excluded from this job");
    assert_eq!(
        shown(&self::view(&directory), "fit", "a"),
        1.0,
        "of that job only"
    );
}

#[tokio::test(start_paused = true)]
async fn what_it_and_the_operator_say_are_columns() {
    let fakes = Fakes::answering(&["a"]);
    fakes.set("a", answers(offer("a", 1200)));
    let sources = Sources {
        table: vec![Entry {
            uri: uri("a"),
            region: Some("FRA".into()),
            labels: [("Tier".to_owned(), "gold".to_owned())].into(),
            only_describes: true,
        }],
        ..Sources::default()
    };
    let settings = Settings {
        sources,
        ..Settings::default()
    };
    let directory = start(&fakes, &["a", "dead"], settings).await;
    directory.settled(LONG).await;
    let view = view(&directory);
    assert_eq!(shown(&view, "price/num", "a"), 1200.0);
    assert_eq!(shown(&view, "price/den", "a"), 1.0);
    assert_eq!(shown(&view, "version", "a"), 9001.0);
    assert_eq!(symbol(&view, "id", "a"), id("a"));
    assert_eq!(symbol(&view, "region", "a"), Symbol::of("fra"));
    assert_eq!(symbol(&view, "label/region", "a"), Symbol::of("fra"));
    assert_eq!(symbol(&view, "label/tier", "a"), Symbol::of("gold"));
    assert_eq!(symbol(&view, "label/tier", "dead"), Symbol::UNKNOWN);
    assert!(shown(&view, "price", "dead").is_nan() && shown(&view, "version", "dead").is_nan());
}

#[tokio::test(start_paused = true)]
async fn free_capacity_and_warmth_are_those_of_the_jobs_model() {
    let model = |capability: u32, constraint: ModelConstraint| {
        let models = [("m".to_owned(), constraint)].into();
        Constraints {
            per_capability: [(capability, CapabilityConstraints { models })].into(),
            ..Default::default()
        }
    };
    let held = ModelConstraint {
        warm: true,
        capacity: 5,
        capacity_in_use: 2,
        ..Default::default()
    };
    for (capability, free) in [
        (Capability::TextToImage, 3.0),
        (Capability::LiveVideoToVideo, 5.0),
    ] {
        let number = capability.number();
        let fakes = Fakes::answering(&["without"]);
        let mut info = offer("a", 1);
        info.capabilities = Some(Capabilities {
            constraints: Some(model(number, held.clone())),
            ..capabilities()
        });
        fakes.set("a", answers(info));
        let directory = directory(&fakes, &["a", "without"]).await;
        directory.settled(LONG).await;
        let required = Arc::new(Capabilities {
            constraints: Some(model(number, ModelConstraint::default())),
            ..(*requiring(&[number])).clone()
        });
        let view = directory.candidates(&query(&required));
        assert_eq!(shown(&view, "capacity-free", "a"), free, "{capability:?}");
        assert_eq!(shown(&view, "warm", "a"), 1.0);
        assert!(shown(&view, "warm", "without").is_nan());
        let view = self::view(&directory);
        assert!(matches!(
            view.values(&Column::CapacityFree),
            Values::Counts(values) if values.iter().all(|&value| value == UNKNOWN_COUNT)
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_session_learns_counts_like_a_probe() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    directory.observe(id("a"), &offer("a", 9));
    directory.observe(id("unknown"), &offer("a", 9));
    assert_eq!(shown(&view(&directory), "price", "a"), 9.0);
}

#[tokio::test(start_paused = true)]
async fn the_list_for_people_holds_what_they_ask_for() {
    let fakes = Fakes::answering(&["a"]);
    let mut elsewhere = offer("a", 7);
    elsewhere.transcoder = "https://work.example".into();
    fakes.set("a", answers(elsewhere));
    let directory = directory(&fakes, &["a", "dead"]).await;
    directory.settled(LONG).await;
    succeed(&directory, "a", 40);
    fail(&directory, "a");
    sleep(5 * SECOND).await;
    let list = serde_json::to_value(directory.list()).expect("plain data");
    assert_eq!(list[0]["uri"], "https://a:8935");
    assert_eq!(list[0]["transcoder"], "https://work.example");
    assert_eq!(list[0]["price"], "7/1");
    assert_eq!(list[0]["version"], "0.9.1");
    assert_eq!(list[0]["origins"], serde_json::json!(["list"]));
    assert_eq!(list[0]["probed_ms_ago"], 5000);
    assert_eq!(list[0]["history"][0]["latency_ms_p95"], 40.0);
    assert_eq!(list[0]["history"][0]["faults"][0]["kind"], "server-error");
    assert_eq!(list[1]["reach"], "silent");
    assert_eq!(list[1]["usable"], false);
    assert!(
        list[1]["error"]
            .as_str()
            .expect("a cause")
            .contains("refused")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_stays_as_it_was() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b"]).await;
    directory.settled(LONG).await;
    let view = view(&directory).excluding([id("b")]);
    let running = directory.begin(id("a"), Workload::Transcode, Symbol::UNKNOWN);
    assert_eq!(
        directory.rest(id("a"), 5 * SECOND),
        Rest::Granted(5 * SECOND)
    );
    let kept = view.keep().expect("a view can be kept");
    drop(running);
    succeed(&directory, "a", 5);
    directory.publish();
    sleep(SECOND).await;
    let row = view.row_of(id("a")).expect("a known orchestrator");
    let shown = |column: &Column| {
        (
            view.anew().values(column).shown(row),
            kept.values(column).shown(row),
        )
    };
    assert_eq!(shown(&Column::InFlight), (0.0, 1.0));
    assert_eq!(shown(&Column::RestMs), (4000.0, 5000.0));
    let failures = |view: &dyn Candidates| view.values(&Column::ProbeFailures).shown(row);
    let orchestrator = directory.orchestrator(id("a")).expect("known");
    orchestrator.set_probes(7.0, 2);
    assert_eq!(shown(&Column::ProbeFailures), (2.0, 0.0));
    let later = view.anew();
    let again = later.keep().expect("again");
    orchestrator.set_probes(9.0, 3);
    assert_eq!((failures(&*again), failures(&later)), (2.0, 2.0));
    assert_eq!(failures(&view.anew()), 3.0);
    assert_eq!(again.values(&Column::ProbeMs).shown(row), 7.0);
    assert_eq!(kept.values(&Column::Fit), view.values(&Column::Fit));
    assert_eq!(kept.snapshot(), view.snapshot());
    assert_eq!(kept.address(row).as_deref(), Some("https://a:8935"));
    assert_eq!(kept.address(2), None);
    assert_eq!(kept.labels(), ["region"]);
}
