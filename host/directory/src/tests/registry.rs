//! Orchestrators of a chain's registry, and what it says of them.

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Candidates, Column, Price, Symbol, Values, Workload};
use pointsman_wire::amount::{U256, to_bytes};
use pointsman_wire::net::{Capabilities, OrchestratorInfo, TicketParams};
use pointsman_wire::sign::Address;
use tempfile::TempDir;

use super::fake::{Fakes, answers, id, offer, start, uri};
use crate::directory::{Directory, Settings};
use crate::source::{Blocklist, FromRegistry, Member, Registry, Sources, Told, Which};
use crate::view::{Query, View};

const LONG: Duration = Duration::from_secs(60);

fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// An offer that asks for tickets to `recipient`, of 4000 wei that win every other time.
fn asking(name: &str, recipient: u8) -> OrchestratorInfo {
    OrchestratorInfo {
        address: account(recipient).to_vec(),
        ticket_params: Some(TicketParams {
            recipient: account(recipient).to_vec(),
            face_value: to_bytes(U256::from(4000)),
            win_prob: to_bytes(U256::MAX >> 1),
            seed: vec![7; 32],
            ..Default::default()
        }),
        ..offer(name, 1)
    }
}

fn member(number: u8, stake: f64, name: &str) -> Member {
    Member {
        address: account(number),
        active: true,
        activation_round: 3,
        stake,
        reward_cut: 0.25,
        fee_share: 0.5,
        entries: vec![
            (Which::Service, Told::Text(uri(name).to_string())),
            (Which::Ai, Told::Unset),
        ],
    }
}

fn registry(members: Vec<Member>) -> Registry {
    Registry { round: 10, members }
}

fn settings() -> Settings {
    Settings {
        sources: Sources {
            registry: Some(FromRegistry::default()),
            ..Sources::default()
        },
        ..Settings::default()
    }
}

async fn settled(directory: &Directory, members: Vec<Member>) {
    directory.register(registry(members));
    directory.settled(LONG).await;
}

fn view(directory: &Directory) -> View {
    directory.candidates(&Query {
        workload: Workload::Transcode,
        model: Symbol::UNKNOWN,
        required: Arc::new(Capabilities::default()),
        incumbent: None,
        hints: Arc::default(),
    })
}

fn shown(directory: &Directory, column: &str, name: &str) -> f64 {
    let (column, view) = (Column::parse(column).expect("a column"), view(directory));
    let row = view.row_of(id(name)).expect("a known orchestrator");
    view.values(&column).shown(row)
}

fn why(directory: &Directory, name: &str) -> String {
    let list = directory.list();
    let one = list.iter().find(|one| one.uri == uri(name)).expect("known");
    let fit = if one.usable { 1.0 } else { 0.0 };
    assert_eq!(shown(directory, "fit", name), fit);
    one.unusable.clone().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn who_is_registered_is_a_candidate_with_what_the_chain_says() {
    let fakes = Fakes::answering(&[]);
    fakes.set("a", answers(asking("a", 1)));
    fakes.set("b", answers(asking("b", 2)));
    let directory = start(&fakes, &[], settings()).await;
    assert!(directory.registered().is_none());
    settled(
        &directory,
        vec![member(1, 500.0, "a"), member(2, 20.0, "b")],
    )
    .await;
    assert_eq!(directory.list().iter().filter(|one| one.usable).count(), 2);
    for (column, a, b) in [
        ("stake", 500.0, 20.0),
        ("stake/rank", 0.0, 1.0),
        ("active", 1.0, 1.0),
        ("reward-cut", 0.25, 0.25),
        ("fee-share", 0.5, 0.5),
        ("rounds-active", 7.0, 7.0),
        ("ticket/face-value", 4000.0, 4000.0),
        ("ticket/win-prob", 0.5, 0.5),
        ("ticket/value", 2000.0, 2000.0),
    ] {
        let both = (
            shown(&directory, column, "a"),
            shown(&directory, column, "b"),
        );
        assert_eq!(both, (a, b), "{column}");
    }
    let view = view(&directory);
    let row = view.row_of(id("a")).expect("a row");
    let of = |column: &Column| match view.values(column) {
        Values::Symbols(symbols) => Symbol(symbols[row]),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(&Column::Source), Symbol::of("chain"));
    assert_eq!(
        of(&Column::Recipient),
        Symbol::of(&format!("{:#x}", account(1)))
    );
    let list = serde_json::to_value(directory.list()).expect("plain data");
    assert_eq!(list[0]["origins"], serde_json::json!(["chain"]));
    assert_eq!(
        list[0]["owners"],
        serde_json::json!([account(1).to_checksum(None)])
    );
    assert_eq!(list[0]["registered"]["stake"], 500.0);
}

#[tokio::test(start_paused = true)]
async fn a_new_reading_adds_moves_and_takes_away_and_the_same_changes_nothing() {
    let fakes = Fakes::answering(&[]);
    for (name, number) in [("a", 1), ("b", 2), ("c", 2)] {
        fakes.set(name, answers(asking(name, number)));
    }
    let directory = start(&fakes, &[], settings()).await;
    settled(&directory, vec![member(1, 2.0, "a"), member(2, 1.0, "b")]).await;
    let before = directory.snapshot().number();
    directory.register(registry(vec![member(1, 2.0, "a"), member(2, 1.0, "b")]));
    assert_eq!(directory.snapshot().number(), before);
    let inactive = Member {
        active: false,
        ..member(1, 2.0, "a")
    };
    settled(&directory, vec![inactive, member(2, 3.0, "c")]).await;
    let known: Vec<_> = directory.list().iter().map(|one| one.uri.clone()).collect();
    assert_eq!(known, [uri("c")]);
    assert_eq!(shown(&directory, "stake", "c"), 3.0);
    let registered = directory.registered().expect("read");
    let refused = registered[0].refused.clone().unwrap_or_default();
    assert!(
        refused.contains("not in the active set of round 10"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn another_recipient_than_the_registrys_owner_is_left_out_until_it_is_the_owner() {
    let fakes = Fakes::answering(&[]);
    fakes.set("a", answers(asking("a", 1)));
    fakes.set("silent", answers(offer("silent", 1)));
    let directory = start(&fakes, &[], settings()).await;
    settled(
        &directory,
        vec![member(9, 5.0, "a"), member(1, 5.0, "silent")],
    )
    .await;
    let wrong = why(&directory, "a");
    assert!(
        wrong.contains(&format!("asks to be paid to {}", account(1))),
        "{wrong}"
    );
    assert!(wrong.contains(&account(9).to_string()), "{wrong}");
    assert!(why(&directory, "silent").contains("names nobody to be paid"));
    assert!(directory.take_offer(id("a")).is_none());
    let orchestrator = directory.orchestrator(id("a")).expect("known");
    assert!(orchestrator.bars(&asking("a", 1)).is_some());
    assert!(orchestrator.bars(&asking("a", 9)).is_none());

    // The true owner registers it too.
    settled(&directory, vec![member(9, 5.0, "a"), member(1, 7.0, "a")]).await;
    assert_eq!(why(&directory, "a"), "");
    assert_eq!(shown(&directory, "stake", "a"), 7.0, "of whom it works for");
    assert!(orchestrator.bars(&asking("a", 1)).is_none());
}

#[tokio::test(start_paused = true)]
async fn whom_the_operator_names_is_taken_at_its_word() {
    let fakes = Fakes::answering(&[]);
    fakes.set("a", answers(asking("a", 1)));
    let directory = start(&fakes, &["a"], settings()).await;
    settled(&directory, vec![member(9, 5.0, "a")]).await;
    assert_eq!(why(&directory, "a"), "");
    assert!(
        shown(&directory, "stake", "a").is_nan(),
        "1 is not registered"
    );
    assert!((directory.vouching())("a"));
    let mut elsewhere = asking("a", 1);
    elsewhere.transcoder = "https://work.example".to_owned();
    directory.observe(id("a"), &elsewhere);
    assert!((directory.vouching())("work.example"));
    settled(&directory, vec![member(9, 5.0, "b")]).await;
    assert!(!(directory.vouching())("b"));
}

#[tokio::test(start_paused = true)]
async fn where_the_registry_is_no_source_it_still_says_who_is_who() {
    let fakes = Fakes::answering(&[]);
    fakes.set("a", answers(asking("a", 1)));
    let directory = start(&fakes, &["a"], Settings::default()).await;
    settled(&directory, vec![member(1, 5.0, "elsewhere")]).await;
    assert_eq!(directory.list().len(), 1);
    assert_eq!(shown(&directory, "stake", "a"), 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_account_gets_nothing_whoever_names_it() {
    let fakes = Fakes::answering(&[]);
    fakes.set("listed", answers(asking("listed", 1)));
    fakes.set("registered", answers(asking("registered", 2)));
    let mut settings = settings();
    settings.sources.blocklist = Arc::new(Blocklist {
        accounts: [account(1), account(2)].into(),
        ..Blocklist::default()
    });
    let directory = start(&fakes, &["listed"], settings).await;
    settled(&directory, vec![member(2, 1.0, "registered")]).await;
    assert!(why(&directory, "listed").contains("is on the blocklist"));
    assert_eq!(
        directory.list().len(),
        1,
        "who registered it is known beforehand"
    );
    assert_eq!(fakes.asked("registered").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn credit_is_that_of_the_streams_own_sessions() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = start(&fakes, &["a", "b"], Settings::default()).await;
    directory.settled(LONG).await;
    let credit = |view: &View, name: &str| {
        let row = view.row_of(id(name)).expect("a row");
        view.values(&Column::Credit).shown(row)
    };
    let without = view(&directory);
    let with = without
        .clone()
        .with_credit([(id("b"), 12.5), (id("gone"), 1.0)]);
    assert_eq!((credit(&with, "a"), credit(&with, "b")), (0.0, 12.5));
    assert_eq!(credit(&without, "b"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_sees_the_prices_of_its_own_sessions() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = start(&fakes, &["a", "b"], Settings::default()).await;
    directory.settled(LONG).await;
    let shown = |view: &View, column: &Column, name: &str| {
        let row = view.row_of(id(name)).expect("a row");
        view.values(column).shown(row)
    };
    let asked = view(&directory);
    let price = Price::new(7, 2).expect("a price");
    let agreed = asked
        .clone()
        .with_prices([(id("b"), price), (id("gone"), price)]);
    for (column, value) in [
        (Column::Price, 3.5),
        (Column::PriceNum, 7.0),
        (Column::PriceDen, 2.0),
        (Column::PriceEffective, 3.5),
    ] {
        assert_eq!(shown(&agreed, &column, "b"), value, "{column}");
        let others = shown(&asked, &column, "a");
        assert_ne!(others, value, "{column}");
        assert_eq!(shown(&agreed, &column, "a"), others, "{column}");
        assert_eq!(shown(&asked, &column, "b"), others, "{column}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_it_claimed_outlives_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let fakes = Fakes::answering(&[]);
    fakes.set("a", answers(asking("a", 1)));
    fakes.set("b", answers(asking("b", 1)));
    let with_database = || Settings {
        database: Some(folder.path().join("directory.db")),
        ..settings()
    };
    let members = || vec![member(1, 5.0, "a"), member(9, 1.0, "b")];
    let first = start(&fakes, &[], with_database()).await;
    settled(&first, members()).await;
    first.shutdown().await;
    drop(first);
    let again = start(&fakes, &[], with_database()).await;
    again.register(registry(members()));
    // Before anybody has answered.
    assert_eq!(why(&again, "a"), "");
    assert_eq!(shown(&again, "ticket/value", "a"), 2000.0);
    assert!(why(&again, "b").contains("asks to be paid to"));
}

#[tokio::test(start_paused = true)]
async fn who_scores_too_little_gets_nothing_while_there_is_somebody_better() {
    let fakes = Fakes::answering(&[]);
    for (name, number) in [("a", 1), ("b", 2), ("unscored", 3)] {
        fakes.set(name, answers(asking(name, number)));
    }
    let settings = Settings {
        least_perf: 0.5,
        ..settings()
    };
    let directory = start(&fakes, &[], settings).await;
    let members = [("a", 1), ("b", 2), ("unscored", 3)];
    let members = members.map(|(name, number)| member(number, 1.0, name));
    settled(&directory, members.to_vec()).await;
    let fit = || ["a", "b", "unscored"].map(|name| shown(&directory, "fit", name));
    assert_eq!(fit(), [1.0; 3], "nobody has a score");
    directory
        .core
        .scored([(account(1), 0.8), (account(2), 0.3)].into());
    assert_eq!(fit(), [1.0, 0.0, 0.0]);
    assert_eq!(shown(&directory, "score/perf", "b"), 0.3);
    assert!(shown(&directory, "score/perf", "unscored").is_nan());
    let view = view(&directory);
    let row = view.row_of(id("b")).expect("a row");
    let why = view.why_unfit(row).unwrap_or_default();
    assert!(why.contains("0.3 is below 0.5 (min-perf-score)"), "{why}");
    directory
        .core
        .scored([(account(1), 0.4), (account(2), 0.3)].into());
    assert_eq!(fit(), [1.0; 3], "nobody has enough");
}
