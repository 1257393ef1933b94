//! A bundle that carries golden vectors is loaded when its components answer as those say.

mod support;

use pointsman_policy::{LoadError, Loaded};
use support::{Made, config, host};

/// The guests' policy is asked about two rows; `answer` is JSON.
fn vector(policy: &str, answer: &str) -> String {
    let plan = r#"{"columns":["latency-ms/p50"],"facts":[],"causes":[{"text":"because","column":null},{"text":"slow","column":0}]}"#;
    let job = r#"{"now-ms":1,"seed":2,"workload":"1ca959f09d69a9cf","capability":"1ca959f09d69a9cf","model":"0000000000000000","affinity":3,"deadline-ms":4,"units":5,"facts":[]}"#;
    let candidates =
        r#"{"rows":2,"columns":[{"numbers":["3ff0000000000000","4000000000000000"]}]}"#;
    format!(
        r#"{{"vector":1,"policy":"{policy}","hook":"selection","function":"judge","settings":[],"plan":{plan},"question":{{"job":{job},"candidates":{candidates}}},"answer":{answer}}}"#
    ) + "\n"
}

fn load(lines: &str) -> Result<Loaded, LoadError> {
    let host = host(&Made::new("reject").select("abstain", "").bundle());
    let loaded = host.load(
        &Made::new("reject")
            .select("hedge", "")
            .golden(lines)
            .bundle(),
    );
    assert_eq!(host.active().number(), 1, "whatever comes of it");
    loaded
}

#[test]
fn right_answers_load() {
    let both = vector("guest", r#"{"hedge":250}"#) + &vector("stranger", r#""abstain""#);
    let loaded = load(&both).expect("it answers so; a stranger is not asked");
    assert!(loaded.manifest().vectors.is_some());
}

#[test]
fn a_wrong_answer_refuses_the_bundle_in_words() {
    let lines = vector("guest", r#"{"hedge":250}"#) + &vector("guest", r#"{"hedge":251}"#);
    let error = load(&lines).expect_err("it answers 250");
    assert!(matches!(error, LoadError::Vectors { .. }));
    let text = error.to_string();
    for word in ["question 2", "guest", "250", "251"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn vectors_that_cannot_be_read_refuse_it_too() {
    let text = load("{}\n").expect_err("no vector").to_string();
    assert!(text.contains("line 1"), "{text}");
    assert!(load("").is_ok(), "none is none");
}

#[test]
fn faults_of_a_vector_are_told() {
    let host = pointsman_policy::Host::new(config(), None).expect("an engine");
    let lines = vector("guest", r#""abstain""#);
    let bundle = Made::new("reject").select("trap", "").golden(&lines);
    let error = host.load(&bundle.bundle()).expect_err("it traps");
    assert!(error.to_string().contains("trap"), "{error}");
}
