//! Settings of a stage: TOML in, the contract's flat and typed list out.

use pointsman_facts::Symbol;

/// One setting, as a policy gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Dotted where the TOML nests: `weights.latency`.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// The value of a setting. Strings carry their symbols, so that a policy can compare them with a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A float, never NaN.
    Number(f64),
    /// A string.
    Text(String, Symbol),
    /// Strings; an empty array too, whatever it was meant to hold.
    Texts(Vec<(String, Symbol)>),
    /// Numbers, whole or not.
    Numbers(Vec<f64>),
}

/// Most settings of a stage.
const MAX_SETTINGS: usize = 256;
/// Longest dotted key, bytes.
const MAX_KEY: usize = 128;

/// Flattens `table` in the order of its keys.
///
/// # Errors
///
/// The key and what is wrong with it.
pub(super) fn flatten(table: &toml::Table) -> Result<Vec<Setting>, (String, String)> {
    let mut settings = Vec::new();
    nested("", table, &mut settings)?;
    Ok(settings)
}

fn nested(
    prefix: &str,
    table: &toml::Table,
    settings: &mut Vec<Setting>,
) -> Result<(), (String, String)> {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        if name.is_empty() || name.contains('.') {
            let message = "a key is not empty and has no dot of its own: write nested tables";
            return Err((key, message.to_owned()));
        }
        if key.len() > MAX_KEY {
            return Err((key, format!("a key has at most {MAX_KEY} bytes")));
        }
        if let toml::Value::Table(inner) = value {
            nested(&key, inner, settings)?;
            continue;
        }
        if settings.len() == MAX_SETTINGS {
            return Err((key, format!("a stage has at most {MAX_SETTINGS} settings")));
        }
        match typed(value) {
            Ok(value) => settings.push(Setting { key, value }),
            Err(message) => return Err((key, message)),
        }
    }
    Ok(())
}

fn typed(value: &toml::Value) -> Result<Value, String> {
    match value {
        toml::Value::Boolean(value) => Ok(Value::Bool(*value)),
        toml::Value::Integer(value) => Ok(Value::Integer(*value)),
        toml::Value::Float(value) => number(*value).map(Value::Number),
        toml::Value::String(text) => Ok(Value::Text(text.clone(), Symbol::of(text))),
        toml::Value::Array(items) => array(items),
        toml::Value::Datetime(_) => Err("dates are no settings: write a string".to_owned()),
        toml::Value::Table(_) => Err("tables cannot be here".to_owned()),
    }
}

fn array(items: &[toml::Value]) -> Result<Value, String> {
    if items.iter().all(toml::Value::is_str) {
        let texts = items.iter().filter_map(toml::Value::as_str);
        return Ok(Value::Texts(
            texts
                .map(|text| (text.to_owned(), Symbol::of(text)))
                .collect(),
        ));
    }
    let numbers: Result<Vec<f64>, String> = items
        .iter()
        .map(|item| match item {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a list of numbers is a list of floats in the contract"
            )]
            toml::Value::Integer(value) => Ok(*value as f64),
            toml::Value::Float(value) => number(*value),
            _ => Err("an array holds only strings or only numbers".to_owned()),
        })
        .collect();
    numbers.map(Value::Numbers)
}

fn number(value: f64) -> Result<f64, String> {
    if value.is_nan() {
        return Err("nan is no setting".to_owned());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Result<Vec<Setting>, (String, String)> {
        flatten(&text.parse().expect("TOML"))
    }

    #[test]
    fn nested_tables_become_dotted_keys_and_strings_bring_their_symbols() {
        let settings = flat("prefer = ['FRA']\nweights = { latency = 0.5, deep = { stake = 1 } }")
            .expect("good settings");
        let find = |key: &str| settings.iter().find(|setting| setting.key == key);
        assert_eq!(
            find("prefer").map(|setting| &setting.value),
            Some(&Value::Texts(vec![("FRA".into(), Symbol::of("fra"))]))
        );
        assert_eq!(
            find("weights.deep.stake").map(|setting| &setting.value),
            Some(&Value::Integer(1))
        );
        assert_eq!(settings.len(), 3);
    }

    #[test]
    fn numbers_may_be_mixed_and_other_mixtures_are_refused() {
        assert_eq!(
            flat("a = [1, 2.5]").expect("numbers")[0].value,
            Value::Numbers(vec![1.0, 2.5])
        );
        assert_eq!(flat("a = [1, 'x']").expect_err("mixed").0, "a");
        assert_eq!(flat("a.b = nan").expect_err("nan").0, "a.b");
        assert_eq!(flat("'a.b' = 1").expect_err("a dot").0, "a.b");
        assert_eq!(flat("a = [{ b = 1 }]").expect_err("tables").0, "a");
    }

    #[test]
    fn there_is_a_most() {
        let many: String = (0..=MAX_SETTINGS).map(|n| format!("k{n} = 1\n")).collect();
        assert!(flat(&many).is_err());
    }
}
