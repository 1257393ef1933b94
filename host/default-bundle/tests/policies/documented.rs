//! What is written in two places says the same: the sdk's constants and the registry, settings and their schemas.

use pointsman_default_bundle::{natives, stage};
use pointsman_facts::{FailureKind, Symbol, Workload};
use pointsman_sdk::{Value, kind, symbol};
use serde_json::{Map, Value as Json};

use crate::ask;

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
    let natives = natives().iter().map(|native| native());
    let hooks = natives.flat_map(|native| {
        let name = native.describe().name;
        native.hooks().map(move |hook| (name.clone(), hook))
    });
    for (component, hook) in hooks {
        let stage = stage(&component, hook, ask::needed(&component))
            .expect("it is there")
            .unwrap_or_else(|problems| panic!("{component}: {problems:?}"));
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
                    // A choice lists its words; any other string is empty until it is set.
                    match property["enum"].as_array() {
                        Some(choices) => assert!(choices.contains(default), "{}", known.key),
                        None => {
                            assert_eq!((&property["type"], value.as_str()), (&"string".into(), ""))
                        }
                    }
                }
                Value::Texts(none) => {
                    assert!(none.is_empty(), "{}", known.key);
                    assert_eq!(property["type"], "array", "{}", known.key);
                    assert_eq!(default.as_array(), Some(&Vec::new()), "{}", known.key);
                }
                other => panic!("{}: {other:?} is no default", known.key),
            }
        }
    }
}
