//! The rule as the operator writes it.

use pointsman_sdk::byoc::Change;
use pointsman_sdk::prelude::*;

use crate::{Then, Wanted, When};

// === impl When ===

impl When {
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.text).collect();
        let labels = settings.texts("when-labels").into_iter();
        let when = Self {
            capabilities: texts(settings.texts("capabilities")),
            paths: texts(settings.texts("paths")),
            labels: labels.map(|label| Wanted::read(&label.text)).collect(),
        };
        if when.paths.iter().any(|path| !path.starts_with(['/', '*'])) {
            settings.problem("paths", "a path begins with /");
        }
        if when.labels.iter().any(|wanted| wanted.key.is_empty()) {
            settings.problem("when-labels", "must be \"key\" or \"key=value\"");
        }
        when
    }
}

impl Wanted {
    fn read(label: &str) -> Self {
        let (key, value) = match label.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (label, None),
        };
        Self {
            key: key.to_ascii_lowercase(),
            value,
        }
    }
}

// === impl Then ===

impl Then {
    pub(crate) fn read(settings: &mut Settings, plan: &mut Plan) -> Self {
        let reject = settings.text("reject");
        let status = settings.count("status", 403, 400..=599);
        let change = change(settings);
        match reject {
            None if change == Change::new() => {
                settings.problem(
                    "",
                    "the rule does nothing: say what, such as reject, only or max-price",
                );
            }
            Some(_) if change != Change::new() => {
                settings.problem(
                    "reject",
                    "a rule that rejects cannot change anything as well",
                );
            }
            _ => {}
        }
        match reject {
            None => Self::Change(change),
            Some(message) => Self::Refuse {
                cause: plan.cause("rejected by a rule"),
                status: u16::try_from(status).unwrap_or(403),
                message: message.text,
            },
        }
    }
}

fn change(settings: &mut Settings) -> Change {
    let mut change = Change::new();
    change.capability = settings.text("use").map(|name| name.text);
    let orchestrators = |texts: Vec<Text>| texts.into_iter().map(|text| text.text);
    change = change.only(orchestrators(settings.texts("only")));
    change = change.ignore(orchestrators(settings.texts("ignore")));
    if let Some(text) = settings.text("max-price") {
        change.max_price = price(&text.text);
        if change.max_price.is_none() {
            settings.problem(
                "max-price",
                "must be wei per second, a whole number or a fraction: \"1200\", \"1200/7\"",
            );
        }
    }
    change.timeout_ms = match settings.count("timeout-ms", 0, 0..=86_400_000) {
        0 => None,
        ms => Some(ms),
    };
    for label in settings.texts("add-labels") {
        match pair(&label.text) {
            Some((key, value)) => change = change.label(&key, value),
            None => settings.problem("add-labels", "must be \"key=value\""),
        }
    }
    change
}

/// A label as key, in lower case, and value.
fn pair(label: &str) -> Option<(String, &str)> {
    let (key, value) = label.split_once('=')?;
    (!key.is_empty()).then(|| (key.to_ascii_lowercase(), value))
}

fn price(text: &str) -> Option<Price> {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    Price::new(num.trim().parse().ok()?, den.trim().parse().ok()?)
}
