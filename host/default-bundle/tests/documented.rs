//! What is written in two places says the same: the sdk's constants and the registry, settings and their schemas.

use pointsman_default_bundle::stage;
use pointsman_facts::{FailureKind, Symbol, Workload};
use pointsman_sdk::{Value, kind, symbol};
use serde_json::{Map, Value as Json};

#[test]
fn the_sdks_failure_kinds_are_the_registrys() {
    let registry: Vec<_> = FailureKind::TABLE
        .iter()
        .map(|(_, number, name)| (name.to_uppercase().replace('-', "_"), *number))
        .collect();
    let sdk: Vec<_> = kind::ALL
        .iter()
        .map(|(name, number)| ((*name).to_owned(), *number))
        .collect();
    assert_eq!(sdk, registry);
}

#[test]
fn the_sdks_symbols_are_the_registrys() {
    let long = "a".repeat(200);
    let workloads = Workload::ALL.map(Workload::name);
    for text in ["", "a", "FRA", "https://orchestrator.example:8935", &long]
        .into_iter()
        .chain(workloads)
    {
        assert_eq!(Symbol(symbol(text)), Symbol::of(text), "{text}");
    }
}

#[test]
fn a_schema_has_every_setting_with_its_type_and_default() {
    let stages = [
        ("capability", "selection"),
        ("price-ceiling", "selection"),
        ("rank", "selection"),
        ("failover", "failover"),
    ];
    for (component, hook) in stages {
        let stage = stage(component, hook, Vec::new())
            .expect("it is there")
            .expect("defaults are right");
        let schema: Json =
            serde_json::from_str(&stage.describe().settings_schema).expect("a schema is JSON");
        assert_eq!(
            schema["additionalProperties"],
            Json::Bool(false),
            "{component}"
        );
        let properties: &Map<String, Json> = schema["properties"].as_object().expect("an object");
        let mut known: Vec<&str> = stage.known().iter().map(|known| known.key).collect();
        known.sort_unstable();
        let mut documented: Vec<&str> = properties.keys().map(String::as_str).collect();
        documented.sort_unstable();
        assert_eq!(known, documented, "{component}");
        for known in stage.known() {
            let property = &properties[known.key];
            assert!(
                property["description"].is_string(),
                "{component}: {}",
                known.key
            );
            let default = &property["default"];
            match &known.default {
                Value::Bool(value) => assert_eq!(default.as_bool(), Some(*value), "{}", known.key),
                Value::Integer(value) => {
                    assert_eq!(default.as_i64(), Some(*value), "{}", known.key);
                }
                Value::Number(value) => assert_eq!(default.as_f64(), Some(*value), "{}", known.key),
                Value::Text((value, _)) => {
                    assert_eq!(default.as_str(), Some(value.as_str()));
                    let choices = property["enum"]
                        .as_array()
                        .expect("a choice lists its words");
                    assert!(choices.contains(default), "{}", known.key);
                }
                other => panic!("{}: {other:?} is no default", known.key),
            }
        }
    }
}
