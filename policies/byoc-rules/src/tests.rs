use pointsman_sdk::Value;
use pointsman_sdk::testing::{self, text, texts};

use super::*;

type Set = (&'static str, Value);

fn request(capability: &str, path: &str, labels: &[(&str, &str)]) -> Request {
    Request {
        capability: capability.to_owned(),
        path: path.to_owned(),
        parameters: "{}".to_owned(),
        labels: labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// Whether a rule with these conditions applies.
fn applies(when: &[Set], request: &Request) -> bool {
    let rule = when.iter().cloned().chain([("timeout-ms", 1.into())]);
    testing::byoc::<ByocRules>(rule).route(request) != Routing::Abstain
}

fn changed(then: &[Set]) -> Change {
    let rule = testing::byoc::<ByocRules>(then.iter().cloned());
    match rule.route(&request("video", "/", &[])) {
        Routing::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_conditions_must_hold_and_any_pattern_of_each() {
    let when = [
        ("capabilities", texts(&["video-*", "image"])),
        ("paths", texts(&["/v1/generate", "/v2/*"])),
        ("when-labels", texts(&["Tier=free", "team"])),
    ];
    let labels = [("tier", "free"), ("team", "a")];
    let cases = [
        (
            request("video-upscale", "/v1/generate?fast=1", &labels),
            true,
        ),
        (request("image", "/v2/any/thing", &labels), true),
        (request("images", "/v2/any", &labels), false),
        (request("image", "/v1/generate/more", &labels), false),
        (request("image", "/v2/any", &labels[..1]), false),
        (
            request("image", "/v2/any", &[("tier", "gold"), ("team", "a")]),
            false,
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(applies(&when, &request), expected, "{request:?}");
    }
    assert!(applies(&[], &request("anything", "/", &[])));
}

#[test]
fn a_label_pattern_can_end_in_anything() {
    let when = [("when-labels", texts(&["team=red-*"]))];
    assert!(applies(&when, &request("a", "/", &[("team", "red-7")])));
    assert!(!applies(&when, &request("a", "/", &[("team", "blue")])));
}

#[test]
fn everything_that_is_set_changes() {
    let change = changed(&[
        ("use", text("video-small")),
        ("only", texts(&["https://a:8935", "https://b:8935"])),
        ("ignore", texts(&["https://c:8935"])),
        ("max-price", text("1200/7")),
        ("timeout-ms", 5000.into()),
        ("add-labels", texts(&["Lane=slow", "note=a=b"])),
    ]);
    let expected = Change::new()
        .capability("video-small")
        .only(["https://a:8935", "https://b:8935"])
        .ignore(["https://c:8935"])
        .max_price(Price::new(1200, 7).expect("a denominator above zero"))
        .timeout_ms(5000)
        .label("lane", "slow")
        .label("note", "a=b");
    assert_eq!(change, expected);
    let whole = changed(&[("max-price", text("1200"))]).max_price;
    assert_eq!(whole, Price::new(1200, 1));
}

#[test]
fn a_rejection_has_its_status_and_message() {
    let rule = testing::byoc::<ByocRules>([
        ("reject", text("upgrade for video")),
        ("status", 402.into()),
    ]);
    let Routing::Reject(refusal) = rule.route(&request("video", "/", &[])) else {
        panic!("it rejects")
    };
    assert_eq!(
        (refusal.status, refusal.message.as_str()),
        (402, "upgrade for video")
    );
}

#[test]
fn a_rule_that_cannot_be_meant_is_refused() {
    let cases: [(&[Set], &str); 7] = [
        (&[], ": the rule does nothing"),
        (
            &[("reject", text("no")), ("timeout-ms", 5.into())],
            "reject: a rule that rejects",
        ),
        (&[("max-price", text("1.5"))], "max-price: must be wei"),
        (&[("max-price", text("1/0"))], "max-price: must be wei"),
        (&[("add-labels", texts(&["lane"]))], "add-labels: must be"),
        (
            &[("paths", texts(&["v1"])), ("timeout-ms", 5.into())],
            "paths: a path begins",
        ),
        (
            &[("when-labels", texts(&["=free"])), ("timeout-ms", 5.into())],
            "when-labels: must be",
        ),
    ];
    for (settings, said) in cases {
        let problems = testing::problems::<ByocRules>(settings.iter().cloned());
        assert!(
            problems.iter().any(|problem| problem.starts_with(said)),
            "{said}: {problems:?}"
        );
    }
}
