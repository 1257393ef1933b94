use pointsman_sdk::Value;
use pointsman_sdk::testing::{self, Job, Outcome, Table};

use super::*;

/// The example of NaaP's how-to guide, with what the API adds.
const EXAMPLE: &str = r#"{
    "id": "ckxyz123abc",
    "billingPlanId": "prod-stream-v1",
    "name": "Production \"Stream\" Diffusion",
    "description": null,
    "capabilities": ["streamdiffusion-sdxl", "streamdiffusion-sdxl-v2v"],
    "topN": 15,
    "sortBy": "slaScore",
    "slaMinScore": 0.6,
    "slaWeights": { "latency": 0.5, "swapRate": 0.3, "price": 0.2 },
    "filters": { "maxAvgLatencyMs": 400, "maxSwapRatio": 0.2 },
    "enabled": true,
    "createdAt": "2026-05-01T12:00:00.000Z"
}"#;

fn value(json: &str) -> Value {
    // Its symbol means nothing, and not every plan is ASCII.
    Value::Text((json.to_owned(), 1))
}

fn judge_with(settings: &[(&'static str, Value)], json: &str, table: &Table) -> Outcome {
    let settings = settings.iter().cloned().chain([("plan", value(json))]);
    let job = Job::new().with(|job| job.model = symbol("streamdiffusion-sdxl"));
    testing::selection::<NaapPlan>(settings)
        .job(job)
        .judge(table)
}

fn judge(json: &str, table: &Table) -> Outcome {
    judge_with(&[], json, table)
}

/// A plan for the job with more fields.
fn plan(fields: &str) -> String {
    let mut json = String::from(r#"{"capabilities": ["streamdiffusion-sdxl"]"#);
    for part in [if fields.is_empty() { "" } else { "," }, fields, "}"] {
        json.push_str(part);
    }
    json
}

fn table() -> Table {
    Table::new()
        .numbers(
            "latency-ms/p50",
            [Some(100.0), Some(300.0), Some(500.0), None],
        )
        .numbers("success-rate", [Some(0.9), Some(1.0), Some(0.95), None])
        .numbers("price", [Some(10.0), Some(20.0), Some(30.0), Some(5.0)])
        .counts("capacity-free", [Some(1), Some(3), Some(2), None])
}

#[test]
fn naaps_own_example_runs_as_it_is() {
    let outcome = judge(EXAMPLE, &table());
    // Of those that pass the filters 0 has latency 1, swaps 0, price 2/3; 1 has 0, 1, 0; 3 has a half, a half, 1.
    assert_eq!(outcome.order, [0, 3]);
    let causes = [
        (2, "latency above the plan's maxAvgLatencyMs, ms"),
        (1, "SLA score below the plan's minimum"),
    ];
    assert_eq!(
        outcome.excluded,
        causes.map(|(row, cause)| (row, cause.to_owned()))
    );
    let Verdict::Order(ranking) = outcome.verdict else {
        panic!("it orders")
    };
    let values = [ranking.excluded[0].value, ranking.excluded[1].value];
    assert_eq!(values, [500.0, 0.3]);
}

#[test]
fn scores_are_places_between_the_worst_and_the_best() {
    // Latency 1, .5, 0, .5; swaps 0, 1, .5, .5; price .8, .4, 0, 1; weights .4, .3, .3.
    let order = judge(&plan(r#""sortBy": "slaScore""#), &table()).order;
    assert_eq!(order, [3, 0, 1, 2]);
    // With only prices that are all the same, everybody is best.
    let flat = Table::new().numbers("price", [7.0, 7.0]);
    let all = judge(
        &plan(r#""slaWeights": {"latency": 0, "swapRate": 0, "price": 1}, "slaMinScore": 1"#),
        &flat,
    );
    assert_eq!(all.order, [0, 1]);
    // Weights that sum to zero are the default ones.
    let none = r#""slaWeights": {"latency": 0, "swapRate": 0, "price": 0}"#;
    assert_eq!(judge(&plan(none), &table()).order, order);
}

#[test]
fn each_sort_has_its_direction_and_puts_the_unknown_last() {
    let sorted = |by: &str| {
        let mut fields = String::from("\"sortBy\": \"");
        fields.push_str(by);
        fields.push('"');
        judge(&plan(&fields), &table()).order
    };
    assert_eq!(sorted("latency"), [0, 1, 2, 3]);
    assert_eq!(sorted("price"), [3, 0, 1, 2]);
    assert_eq!(sorted("swapRate"), [1, 2, 0, 3]);
    assert_eq!(sorted("avail"), [1, 2, 0, 3]);
    assert_eq!(
        judge(&plan(""), &table()).order,
        [0, 1, 2, 3],
        "as they came"
    );
}

#[test]
fn top_n_is_ten_unless_the_plan_says_more_or_less() {
    let many = Table::of(12);
    assert_eq!(judge(&plan(""), &many).order.len(), 10);
    let outcome = judge(&plan(r#""topN": 1, "sortBy": "price""#), &table());
    assert_eq!(outcome.order, [3]);
    assert_eq!(
        outcome.excluded[0],
        (0, "not among the plan's topN".to_owned())
    );
}

#[test]
fn filters_have_their_causes_and_the_unknown_is_the_operators_choice() {
    let json = plan(r#""filters": {"priceMax": 20, "maxSwapRatio": 0.0625, "gpuRamGbMin": 16}"#);
    let gpus = table().numbers("gpu/memory-gb", [Some(24.0), Some(24.0), Some(24.0), None]);
    assert_eq!(judge(&json, &gpus).order, [1, 3]);
    let strict = [("unknown", testing::text("exclude"))];
    assert_eq!(judge_with(&strict, &json, &gpus).order, [1]);
    let small = gpus.numbers("gpu/memory-gb", [24.0, 8.0, 24.0, 80.0]);
    assert_eq!(judge(&json, &small).order, [3]);
}

#[test]
fn a_stream_stays_while_its_orchestrator_is_in_the_plan() {
    let held = |row: usize, rest: u64| {
        table()
            .marks("incumbent", (0..4).map(|other| other == row))
            .counts(
                "rest-ms",
                (0..4).map(|other| if other == row { rest } else { 0 }),
            )
    };
    let json = plan(r#""sortBy": "price", "topN": 3"#);
    assert_eq!(judge(&json, &held(1, 0)).order, [1, 3, 0]);
    assert_eq!(judge(&json, &held(1, 9)).order, [3, 0, 1]);
    assert_eq!(
        judge(&json, &held(2, 0)).order,
        [3, 0, 1],
        "not among the topN"
    );
    let free = [("keep", false.into())];
    assert_eq!(judge_with(&free, &json, &held(1, 0)).order, [3, 0, 1]);
}

#[test]
fn jobs_of_other_capabilities_are_none_of_its_business() {
    let policy = |change: fn(&mut pointsman_sdk::Job)| {
        let settings = [("plan", value(EXAMPLE))];
        let job = Job::new().with(change);
        testing::selection::<NaapPlan>(settings)
            .job(job)
            .judge(&table())
            .verdict
    };
    assert_eq!(policy(|_| ()), Verdict::Abstain);
    let named = policy(|job| job.capability = symbol("streamdiffusion-SDXL-v2v"));
    assert!(matches!(named, Verdict::Order(_)));
}

#[test]
fn what_is_no_plan_is_refused_with_what_to_write() {
    let cases = [
        ("", "must be a discovery plan as JSON"),
        ("{}", "must be a discovery plan as JSON"),
        (
            "{\"capabilities\": [\"a\"]} x",
            "must be a discovery plan as JSON",
        ),
        ("{\"capabilities\": []}", "capabilities must be"),
        ("{\"capabilities\": [\"a b\"]}", "capabilities must be"),
        ("{\"capabilities\": [\"a\"], \"topN\": 0}", "topN must be"),
        (
            "{\"capabilities\": [\"a\"], \"sortBy\": \"best\"}",
            "must be a discovery plan",
        ),
        (
            "{\"capabilities\": [\"a\"], \"slaMinScore\": 2}",
            "slaWeights and slaMinScore",
        ),
        (
            "{\"capabilities\": [\"a\"], \"filters\": {\"priceMax\": -1}}",
            "filters must not",
        ),
        (
            "{\"capabilities\": [\"a\"], \"enabled\": false}",
            "the plan is disabled",
        ),
    ];
    for (json, said) in cases {
        let problems = testing::problems::<NaapPlan>([("plan", value(json))]);
        assert!(
            matches!(problems.as_slice(), [problem] if problem.starts_with("plan: ") && problem.contains(said)),
            "{json}: {problems:?}"
        );
    }
}
