use pointsman_sdk::testing::{self, Job, Outcome, Table};
use pointsman_sdk::{Fact, Value};

use super::*;

fn texts(texts: &[&str]) -> Value {
    testing::texts(texts)
}

fn judge(settings: &[(&'static str, Value)], table: &Table) -> Outcome {
    testing::selection::<Region>(settings.iter().cloned()).judge(table)
}

fn table() -> Table {
    Table::new().symbols("region", ["fra", "nyc", "", "AMS", "sin"])
}

fn causes(outcome: &Outcome) -> Vec<String> {
    let excluded = outcome.excluded.iter();
    excluded
        .map(|(row, cause)| format!("{row} {cause}"))
        .collect()
}

fn scores(verdict: Verdict) -> Vec<f64> {
    match verdict {
        Verdict::Score(scoring) => scoring.scores,
        other => panic!("{other:?}"),
    }
}

#[test]
fn required_and_avoided_places_leave_out_with_their_causes() {
    let outcome = judge(&[("require", texts(&["fra", "ams"]))], &table());
    assert_eq!(outcome.order, [0, 3]);
    let elsewhere = "in none of the required places";
    let expected = [
        format!("1 {elsewhere}"),
        "2 nobody says in which place".to_owned(),
        format!("4 {elsewhere}"),
    ];
    assert_eq!(causes(&outcome), expected);
    let outcome = judge(&[("avoid", texts(&["NYC"]))], &table());
    assert_eq!(causes(&outcome), ["1 in a place to avoid"]);
    let both = [
        ("require", texts(&["fra", "ams"])),
        ("avoid", texts(&["ams"])),
        ("unknown", testing::text("pass")),
    ];
    assert_eq!(judge(&both, &table()).order, [0, 2]);
}

#[test]
fn preferred_places_score_by_their_place_in_the_list() {
    let outcome = judge(&[("prefer", texts(&["ams", "fra"]))], &table());
    assert_eq!(outcome.order, [3, 0, 1, 2, 4]);
    assert_eq!(scores(outcome.verdict), [0.5, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn the_applications_own_place_comes_before_the_preferred() {
    let policy = || {
        testing::selection::<Region>([("near", testing::text("from")), ("prefer", texts(&["fra"]))])
    };
    let said = Job::new().fact("label/from", Fact::Symbol(symbol("sin")));
    let verdict = policy().job(said).judge(&table()).verdict;
    assert_eq!(scores(verdict), [0.5, 0.0, 0.0, 0.0, 1.0]);
    let unsaid = policy().judge(&table()).verdict;
    assert_eq!(scores(unsaid), [0.5, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn strict_tiers_keep_inside_them_what_was_there_before() {
    let strict = [("prefer", texts(&["fra"])), ("strict", true.into())];
    let regions = Table::new().symbols("region", ["nyc", "fra", "sin", "fra"]);
    let scored = regions.clone().numbers("score/sum", [0.9, 0.1, 0.95, 0.2]);
    assert_eq!(judge(&strict, &scored).order, [3, 1, 2, 0]);
    let ordered = scored.counts("position", [3, 0, 1, 2]);
    assert_eq!(judge(&strict, &ordered).order, [1, 3, 2, 0]);
    let without = [
        ("prefer", texts(&["fra"])),
        ("strict", true.into()),
        ("avoid", texts(&["sin"])),
    ];
    assert_eq!(judge(&without, &ordered).order, [1, 3, 0]);
}

#[test]
fn any_label_can_be_the_place() {
    let table = Table::new().symbols("label/country", ["de", "us"]);
    let settings = [
        ("label", testing::text("country")),
        ("require", texts(&["de"])),
    ];
    assert_eq!(judge(&settings, &table).order, [0]);
}

#[test]
fn without_settings_everybody_passes() {
    assert_eq!(judge(&[], &table()).verdict, Verdict::Exclude(Vec::new()));
}
