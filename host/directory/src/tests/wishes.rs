use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Candidates, Column, Hints, Name, Symbol, Values, Workload};
use pointsman_wire::net::{GpuComputeInfo, HardwareInformation};
use pointsman_wire::uri::ServiceUri;
use proptest::prelude::*;

use super::fake::{Fakes, answers, directory, id, offer};
use crate::directory::Directory;
use crate::source::identity;
use crate::view::{Query, View};

const LONG: Duration = Duration::from_secs(60);

fn view(directory: &Directory, hints: Hints) -> View {
    directory.candidates(&Query {
        workload: Workload::Transcode,
        model: Symbol::UNKNOWN,
        required: Arc::default(),
        incumbent: None,
        hints: Arc::new(hints),
    })
}

fn name(text: &str) -> Symbol {
    text.parse::<Name>().expect("a name").symbol()
}

/// The names of those that are marked.
fn marked(view: &View, column: &Column) -> Vec<String> {
    let Values::Marks(marks) = view.values(column) else {
        panic!("marks");
    };
    let marked = marks.iter().zip(0..).filter(|(mark, _)| **mark == 1);
    let mut names: Vec<String> = marked
        .map(|(_, row)| view.orchestrator(row).uri.host().to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test(start_paused = true)]
async fn an_address_means_everybody_who_signs_with_it() {
    let fakes = Fakes::answering(&["a", "b", "c"]);
    for (who, byte) in [("a", 1), ("b", 1), ("c", 2)] {
        let mut info = offer(who, 1);
        info.address = vec![byte; 20];
        fakes.set(who, answers(info));
    }
    let directory = directory(&fakes, &["a", "b", "c", "silent"]).await;
    directory.settled(LONG).await;
    let (ones, twos, threes) = (
        format!("0x{}", "01".repeat(20)),
        format!("0X{}", "02".repeat(20)),
        format!("0x{}", "03".repeat(20)),
    );
    let hints = Hints {
        order: vec![name(&twos), name("silent")],
        only: Some(vec![name(&ones), id("c")]),
        ignore: vec![name(&ones)],
        ..Hints::default()
    };
    let seen = view(&directory, hints);
    assert_eq!(marked(&seen, &Column::HintOnly), ["a", "b", "c"]);
    assert_eq!(marked(&seen, &Column::HintIgnore), ["a", "b"]);
    assert_eq!(seen.hints().order, [id("c"), id("silent")]);
    let listed = seen.hints().only.as_deref().expect("a list");
    assert!(
        [id("a"), id("b"), id("c")]
            .iter()
            .all(|id| listed.contains(id))
    );

    let nobody = Hints {
        only: Some(vec![name(&threes)]),
        ..Hints::default()
    };
    let seen = view(&directory, nobody);
    assert_eq!(marked(&seen, &Column::HintOnly), Vec::<String>::new());
    assert_eq!(
        seen.hints().allows(id("a")),
        Some(false),
        "a list all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn the_largest_card_counts_as_it_is_sold() {
    let fakes = Fakes::answering(&["without"]);
    let mut info = offer("with", 1);
    let card = |mebibytes: i64| GpuComputeInfo {
        memory_total: mebibytes << 20,
        ..Default::default()
    };
    info.hardware = vec![HardwareInformation {
        gpu_info: [("0".into(), card(8192)), ("1".into(), card(24564))].into(),
        ..Default::default()
    }];
    fakes.set("with", answers(info));
    let directory = directory(&fakes, &["with", "without"]).await;
    directory.settled(LONG).await;
    let seen = view(&directory, Hints::default());
    let column = Column::parse("gpu/memory-gb").expect("a column");
    let row = |who| seen.row_of(id(who)).expect("known");
    assert_eq!(seen.values(&column).shown(row("with")), 24.0);
    assert!(seen.values(&column).shown(row("without")).is_nan());
}

/// The two forms of a URI, that of names and that of the directory.
fn assert_same(text: &str) {
    let (named, listed) = (text.parse::<Name>(), ServiceUri::from_static(text));
    match (&named, &listed) {
        (Ok(named), Ok(listed)) => assert_eq!(named.symbol(), identity(listed), "{text}"),
        (Err(_), Err(_)) => {}
        _ => panic!("{text:?}: {named:?} and {listed:?}"),
    }
}

#[test]
fn a_name_is_the_identity_of_the_uri_that_it_is() {
    for text in [
        "203.0.113.7",
        " Orch.Example ",
        "orch.example:9000",
        ":9000",
        "https://Orch.Example/",
        "https://orch.example:443",
        "http://127.0.0.1:80",
        "[::1]",
        "HTTPS://ORCH.EXAMPLE:8935/a/",
        "https://0x7f.1:8935",
        "https://bücher.example",
        "https://user@a",
        "https://a?b",
        "https://a#b",
        "ftp://a",
        "a b",
        "a:b:c",
        "",
    ] {
        assert_same(text);
    }
    proptest!(|(text in "(https?://)?[a-zA-Z0-9.:\\[\\]@#?/ -]{0,20}")| {
        // Ids and addresses are no URIs, though some hosts look like them.
        prop_assume!(text.trim().len() != 16);
        assert_same(&text);
    });
}
