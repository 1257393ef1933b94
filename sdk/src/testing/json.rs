//! The contract's values as JSON, by the rules in the sdk's README.
//!
//! Written by hand: a policy's crate depends on nothing but wit-bindgen, and the bytes must be the same on every machine.

use crate::bindings::policy::{Cause, Plan};
use crate::byoc::{Change, Request, Routing};
use crate::failover::{Attempt, Bargain, Blame, Failure, Patience, Recovery, Remedy};
use crate::{
    Column, Exclusion, Fact, Job, Price, Ranking, Refusal, Scoring, Setting, Symbol, Table, Value,
    Verdict,
};

/// What can be written.
pub(super) trait Json {
    /// Appends it.
    fn json(&self, out: &mut String);
}

/// A symbol: hex.
struct Sign(Symbol);

/// An object of these fields, in this order.
pub(super) fn object(out: &mut String, fields: &[(&str, &dyn Json)]) {
    listed(out, ('{', '}'), fields, |out, (name, value)| {
        name.json(out);
        out.push(':');
        value.json(out);
    });
}

fn case(out: &mut String, name: &str, value: &dyn Json) {
    object(out, &[(name, value)]);
}

fn hex(out: &mut String, bits: u64) {
    format!("{bits:016x}").as_str().json(out);
}

fn listed<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    write: impl Fn(&mut String, &T),
) {
    out.push(open);
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

// === plain values ===

macro_rules! as_displayed {
    ($($plain:ty),+) => {
        $(impl Json for $plain {
            fn json(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        })+
    };
}

as_displayed!(bool, u8, u16, u32, u64, i64);

/// What every NaN is written as: its other bits mean nothing, and differ between machines.
const NAN: u64 = 0x7ff8_0000_0000_0000;

impl Json for f64 {
    fn json(&self, out: &mut String) {
        hex(out, if self.is_nan() { NAN } else { self.to_bits() });
    }
}

impl Json for Sign {
    fn json(&self, out: &mut String) {
        hex(out, self.0);
    }
}

impl Json for &str {
    fn json(&self, out: &mut String) {
        out.push('"');
        for char in self.chars() {
            match char {
                '"' | '\\' => out.extend(['\\', char]),
                '\0'..'\x20' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
                _ => out.push(char),
            }
        }
        out.push('"');
    }
}

impl Json for String {
    fn json(&self, out: &mut String) {
        self.as_str().json(out);
    }
}

impl<T: Json> Json for Option<T> {
    fn json(&self, out: &mut String) {
        match self {
            Some(value) => value.json(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Json> Json for &[T] {
    fn json(&self, out: &mut String) {
        listed(out, ('[', ']'), self, |out, item| item.json(out));
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self, out: &mut String) {
        self.as_slice().json(out);
    }
}

impl<A: Json, B: Json> Json for (A, B) {
    fn json(&self, out: &mut String) {
        out.push('[');
        self.0.json(out);
        out.push(',');
        self.1.json(out);
        out.push(']');
    }
}

fn signs(symbols: &[Symbol]) -> Vec<Sign> {
    symbols.iter().copied().map(Sign).collect()
}

fn text((text, symbol): &(String, Symbol)) -> (String, Sign) {
    (text.clone(), Sign(*symbol))
}

// === records ===

macro_rules! records {
    ($($record:ty { $($name:literal: $field:ident),+ })+) => {
        $(impl Json for $record {
            fn json(&self, out: &mut String) {
                object(out, &[$(($name, &self.$field as &dyn Json)),+]);
            }
        })+
    };
}

records! {
    Price { "num": num, "den": den }
    Table { "rows": rows, "columns": columns }
    Exclusion { "row": row, "reason": reason, "value": value }
    Refusal { "status": status, "reason": reason, "message": message }
    Setting { "key": key, "value": value }
    Cause { "text": text, "column": column }
    Plan { "columns": columns, "facts": facts, "causes": causes }
    Scoring { "excluded": excluded, "scores": scores }
    Ranking { "excluded": excluded, "order": order }
    Request { "capability": capability, "path": path, "parameters": parameters, "labels": labels }
    Change {
        "capability": capability, "only": only, "ignore": ignore, "max-price": max_price,
        "timeout-ms": timeout_ms, "labels": labels
    }
    Failure {
        "blame": blame, "kind": kind, "retry-safe": retry_safe, "http-status": http_status,
        "retry-after-ms": retry_after_ms
    }
    Remedy { "rest-ms": rest_ms, "recovery": recovery }
}

impl Json for Job {
    fn json(&self, out: &mut String) {
        object(
            out,
            &[
                ("now-ms", &self.now_ms),
                ("seed", &self.seed),
                ("workload", &Sign(self.workload)),
                ("capability", &Sign(self.capability)),
                ("model", &Sign(self.model)),
                ("affinity", &self.affinity),
                ("deadline-ms", &self.deadline_ms),
                ("units", &self.units),
                ("facts", &self.facts),
            ],
        );
    }
}

impl Json for Attempt {
    fn json(&self, out: &mut String) {
        object(
            out,
            &[
                ("candidate", &Sign(self.candidate)),
                ("row", &self.row),
                ("started-ms", &self.started_ms),
                ("elapsed-ms", &self.elapsed_ms),
                ("running", &self.running),
                ("failure", &self.failure),
            ],
        );
    }
}

// === variants ===

impl Json for Column {
    fn json(&self, out: &mut String) {
        match self {
            Self::Numbers(values) => case(out, "numbers", values),
            Self::Counts(values) => case(out, "counts", values),
            Self::Marks(values) => case(out, "marks", values),
            Self::Symbols(values) => case(out, "symbols", &signs(values)),
        }
    }
}

impl Json for Fact {
    fn json(&self, out: &mut String) {
        match self {
            Self::Unknown => "unknown".json(out),
            Self::Number(value) => case(out, "number", value),
            Self::Count(value) => case(out, "count", value),
            Self::Mark(value) => case(out, "mark", value),
            Self::Symbol(value) => case(out, "symbol", &Sign(*value)),
        }
    }
}

impl Json for Value {
    fn json(&self, out: &mut String) {
        match self {
            Self::Bool(value) => case(out, "bool", value),
            Self::Integer(value) => case(out, "integer", value),
            Self::Number(value) => case(out, "number", value),
            Self::Text(value) => case(out, "text", &text(value)),
            Self::Texts(values) => {
                let texts: Vec<_> = values.iter().map(text).collect();
                case(out, "texts", &texts);
            }
            Self::Numbers(values) => case(out, "numbers", values),
        }
    }
}

impl Json for Verdict {
    fn json(&self, out: &mut String) {
        match self {
            Self::Abstain => "abstain".json(out),
            Self::Exclude(excluded) => case(out, "exclude", excluded),
            Self::Score(scoring) => case(out, "score", scoring),
            Self::Order(ranking) => case(out, "order", ranking),
            Self::Hedge(ms) => case(out, "hedge", ms),
            Self::Reject(refusal) => case(out, "reject", refusal),
        }
    }
}

impl Json for Routing {
    fn json(&self, out: &mut String) {
        match self {
            Self::Abstain => "abstain".json(out),
            Self::Change(change) => case(out, "change", change),
            Self::Reject(refusal) => case(out, "reject", refusal),
        }
    }
}

impl Json for Blame {
    fn json(&self, out: &mut String) {
        let name = match self {
            Self::Orchestrator => "orchestrator",
            Self::Input => "input",
            Self::Gateway => "gateway",
            Self::Payment => "payment",
            Self::Network => "network",
        };
        name.json(out);
    }
}

impl Json for Recovery {
    fn json(&self, out: &mut String) {
        match self {
            Self::Abstain => "abstain".json(out),
            Self::RetrySame(ms) => case(out, "retry-same", ms),
            Self::Next(row) => case(out, "next", row),
            Self::Rerank => "rerank".json(out),
            Self::Stop(refusal) => case(out, "stop", refusal),
        }
    }
}

impl Json for Patience {
    fn json(&self, out: &mut String) {
        match self {
            Self::Abstain => "abstain".json(out),
            Self::Wait(ms) => case(out, "wait", ms),
            Self::Hedge(row) => case(out, "hedge", row),
            Self::Abandon => "abandon".json(out),
        }
    }
}

impl Json for Bargain {
    fn json(&self, out: &mut String) {
        match self {
            Self::Abstain => "abstain".json(out),
            Self::Accept => "accept".json(out),
            Self::Renegotiate => "renegotiate".json(out),
            Self::Next(row) => case(out, "next", row),
            Self::Stop(refusal) => case(out, "stop", refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &dyn Json) -> String {
        let mut out = String::new();
        value.json(&mut out);
        out
    }

    #[test]
    fn numbers_keep_every_bit() {
        assert_eq!(written(&u64::MAX), "18446744073709551615");
        assert_eq!(written(&-0.0), r#""8000000000000000""#);
        assert_eq!(written(&1.5), r#""3ff8000000000000""#);
        let nan = r#""7ff8000000000000""#;
        let payload = f64::from_bits(0xfff0_0000_0000_0001);
        assert_eq!(
            (written(&f64::NAN).as_str(), written(&payload).as_str()),
            (nan, nan)
        );
    }

    #[test]
    fn strings_escape_what_they_must() {
        let text = "a \"quoted\" \\ path,\n\u{1f} and \u{e9}\u{1f68a}";
        let expected = "\"a \\\"quoted\\\" \\\\ path,\\u000a\\u001f and \u{e9}\u{1f68a}\"";
        assert_eq!(written(&text), expected);
    }

    #[test]
    fn values_are_named_as_in_the_wit() {
        let setting = Setting {
            key: "prefer".into(),
            value: Value::Texts(vec![("fra".into(), 1)]),
        };
        assert_eq!(
            written(&setting),
            r#"{"key":"prefer","value":{"texts":[["fra","0000000000000001"]]}}"#
        );
        let remedy = Remedy {
            rest_ms: 5,
            recovery: Recovery::RetrySame(7),
        };
        assert_eq!(
            written(&remedy),
            r#"{"rest-ms":5,"recovery":{"retry-same":7}}"#
        );
        let routing = Routing::from(Change::new().max_price(Price { num: 1, den: 3 }));
        assert_eq!(
            written(&routing),
            r#"{"change":{"capability":null,"only":[],"ignore":[],"max-price":{"num":1,"den":3},"timeout-ms":null,"labels":[]}}"#
        );
    }
}
