//! `wit/README.md` shows the registry as it is.

use std::fmt::Write as _;

use pointsman_facts::failure::Class;
use pointsman_facts::values::Kind;
use pointsman_facts::{FailureKind, Workload, column, job};

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Numbers => "numbers",
        Kind::Counts => "counts",
        Kind::Marks => "marks",
        Kind::Symbols => "symbols",
    }
}

fn rows<'a>(rows: impl Iterator<Item = Vec<&'a str>>) -> String {
    rows.fold(String::new(), |mut text, cells| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        text
    })
}

/// The table between `<!-- name -->` and the next empty line, without its two head lines.
fn shown(name: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/README.md");
    let text = std::fs::read_to_string(path).expect("the README is there");
    let (_, after) = text
        .split_once(&format!("<!-- {name} -->\n"))
        .expect("the table is there");
    after
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .fold(String::new(), |table, line| table + line + "\n")
}

#[test]
fn every_column() {
    let quoted: Vec<String> = column::TABLE
        .iter()
        .map(|entry| format!("`{}`", entry.name))
        .collect();
    let expected = rows(column::TABLE.iter().zip(&quoted).map(|(entry, name)| {
        vec![
            name.as_str(),
            kind(entry.kind),
            entry.unit,
            entry.unknown,
            entry.meaning,
        ]
    }));
    assert_eq!(shown("columns"), expected, "it should be:\n{expected}");
}

#[test]
fn every_job_fact() {
    let quoted: Vec<String> = job::TABLE
        .iter()
        .map(|row| format!("`{}`", row.0))
        .collect();
    let expected = rows(job::TABLE.iter().zip(&quoted).map(
        |(&(_, of, unit, unknown, meaning), name)| {
            // A fact is one value of the kind.
            vec![
                name.as_str(),
                kind(of).trim_end_matches('s'),
                unit,
                unknown,
                meaning,
            ]
        },
    ));
    assert_eq!(shown("facts"), expected, "it should be:\n{expected}");
}

#[test]
fn every_failure_kind_with_its_class() {
    let cells: Vec<[String; 3]> = FailureKind::TABLE
        .iter()
        .map(|(kind, number, name)| {
            [
                number.to_string(),
                format!("`{name}`"),
                kind.class().name().to_owned(),
            ]
        })
        .collect();
    let expected = rows(
        cells
            .iter()
            .map(|cells| cells.iter().map(String::as_str).collect()),
    );
    assert_eq!(shown("kinds"), expected, "it should be:\n{expected}");
}

#[test]
fn every_class_and_whether_it_counts_against_the_orchestrator() {
    let quoted: Vec<String> = Class::ALL
        .iter()
        .map(|class| format!("`{}`", class.name()))
        .collect();
    let expected = rows(
        Class::ALL
            .iter()
            .zip(&quoted)
            .map(|(class, name)| vec![name.as_str(), if class.is_fault() { "yes" } else { "no" }]),
    );
    assert_eq!(shown("classes"), expected, "it should be:\n{expected}");
}

#[test]
fn every_workload_with_its_symbol() {
    let cells: Vec<[String; 2]> = Workload::ALL
        .iter()
        .map(|workload| {
            [
                format!("`{}`", workload.name()),
                format!("`{}`", workload.symbol()),
            ]
        })
        .collect();
    let expected = rows(
        cells
            .iter()
            .map(|cells| cells.iter().map(String::as_str).collect()),
    );
    assert_eq!(shown("workloads"), expected, "it should be:\n{expected}");
}
