//! What is written in several places says the same: the sdk's constants and the registry, settings, their schemas and READMEs.

use pointsman_default_bundle::{natives, stage};
use pointsman_facts::{FailureKind, Symbol, Workload};
use pointsman_sdk::{Setting, Value, kind, symbol};
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
fn a_readme_has_every_setting_and_stages_that_load() {
    for native in natives().iter().map(|native| native()) {
        let policy = native.describe().name;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
        let readme = std::fs::read_to_string(format!("{path}/{policy}/README.md"))
            .unwrap_or_else(|error| panic!("{policy}: {error}"));
        for hook in native.hooks() {
            let stage = stage(&policy, hook, ask::needed(&policy)).expect("it is there");
            for known in stage.expect("settings are right").known() {
                let row = format!("| `{}` |", known.key);
                assert!(readme.contains(&row), "{policy}: no row {row}");
            }
        }
        let mut named = false;
        let blocks = readme.split("```toml\n").skip(1);
        for block in blocks.map(|block| block.split("```").next().unwrap_or_default()) {
            let bundle: toml::Table = toml::from_str(block)
                .unwrap_or_else(|error| panic!("the example in {policy}'s README: {error}"));
            for (hook, stages) in &bundle {
                for example in stages.as_array().expect("a list of stages") {
                    let builtin = example["builtin"].as_str().expect("a name");
                    named |= builtin == policy;
                    let mut settings = Vec::new();
                    if let Some(given) = example.get("settings") {
                        flatten("", given, &mut settings);
                    }
                    match stage(builtin, hook, settings) {
                        Some(Ok(_)) => {}
                        Some(Err(problems)) => panic!("{policy}: {builtin}: {problems:?}"),
                        None => panic!("{policy}: there is no {hook} stage {builtin}"),
                    }
                }
            }
        }
        assert!(named, "{policy}'s README has no example of it");
    }
}

/// TOML as settings: tables inside become dotted keys.
fn flatten(key: &str, value: &toml::Value, settings: &mut Vec<Setting>) {
    let text = |text: &str| (text.to_owned(), symbol(text));
    let value = match value {
        toml::Value::Table(table) => {
            for (inner, value) in table {
                let key = match key {
                    "" => inner.clone(),
                    _ => format!("{key}.{inner}"),
                };
                flatten(&key, value, settings);
            }
            return;
        }
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Integer(value) => Value::Integer(*value),
        toml::Value::Float(value) => Value::Number(*value),
        toml::Value::String(value) => Value::Text(text(value)),
        toml::Value::Array(values) => {
            let strings = values.iter().map(|value| value.as_str().map(text));
            Value::Texts(
                strings
                    .collect::<Option<_>>()
                    .expect("the lists of these settings are of strings"),
            )
        }
        toml::Value::Datetime(_) => panic!("{key}: no setting is a date"),
    };
    settings.push(Setting {
        key: key.to_owned(),
        value,
    });
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
                            assert_eq!(
                                (property["type"].as_str(), value.as_str()),
                                (Some("string"), ""),
                                "{}",
                                known.key
                            );
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
