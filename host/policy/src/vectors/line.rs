//! One vector as a line of JSON; `sdk/README.md` has the format.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Job, Question, Request, Table, What};
use crate::bundle::{Setting, Value};
use crate::wit::{self, Attempt, Blame, Fact, Failure, Price};
use pointsman_facts::{Symbol, Values};

/// The version of the format.
const VERSION: u32 = 1;

/// A question, who was asked it, and what was answered.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Name of the policy, as its `describe` gives it.
    pub policy: String,
    /// What it was configured with.
    pub settings: Vec<Setting>,
    /// What it answered to that.
    pub plan: wit::Plan,
    /// The question.
    pub question: Question,
    /// The answer, as [`Answer::shown`](super::Answer::shown) gives it.
    pub answer: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    vector: u32,
    policy: String,
    hook: String,
    function: String,
    settings: Vec<SettingLine>,
    plan: PlanLine,
    question: QuestionLine,
    answer: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingLine {
    key: String,
    value: ValueLine,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ValueLine {
    Bool(bool),
    Integer(i64),
    Number(Float),
    Text((String, Hex)),
    Texts(Vec<(String, Hex)>),
    Numbers(Vec<Float>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanLine {
    columns: Vec<String>,
    facts: Vec<String>,
    causes: Vec<CauseLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseLine {
    text: String,
    column: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionLine {
    job: JobLine,
    candidates: Option<TableLine>,
    attempts: Option<Vec<AttemptLine>>,
    before: Option<PriceLine>,
    after: Option<PriceLine>,
    remaining: Option<TableLine>,
    request: Option<RequestLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestLine {
    capability: String,
    path: String,
    parameters: String,
    labels: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct JobLine {
    now_ms: u64,
    seed: u64,
    workload: Hex,
    capability: Hex,
    model: Hex,
    affinity: u64,
    deadline_ms: u32,
    units: u64,
    facts: Vec<FactLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FactLine {
    Unknown,
    Number(Float),
    Count(u64),
    Mark(bool),
    Symbol(Hex),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableLine {
    rows: u32,
    columns: Vec<ColumnLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ColumnLine {
    Numbers(Vec<Float>),
    Counts(Vec<u64>),
    Marks(Vec<u8>),
    Symbols(Vec<Hex>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceLine {
    num: u64,
    den: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AttemptLine {
    candidate: Hex,
    row: Option<u32>,
    started_ms: u32,
    elapsed_ms: u32,
    running: bool,
    failure: Option<FailureLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FailureLine {
    blame: BlameLine,
    kind: u16,
    retry_safe: bool,
    http_status: u16,
    retry_after_ms: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BlameLine {
    Orchestrator,
    Input,
    Gateway,
    Payment,
    Network,
}

/// 16 hexadecimal digits.
struct Hex(u64);

/// The bits of a float, as 16 hexadecimal digits.
struct Float(f64);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits
            .then(|| u64::from_str_radix(&text, 16).ok())
            .flatten();
        let number = number.ok_or_else(|| D::Error::custom("16 hexadecimal digits are wanted"))?;
        Ok(Self(number))
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Hex::deserialize(from).map(|Hex(bits)| Self(f64::from_bits(bits)))
    }
}

// === impl Vector ===

impl Vector {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if line.vector != VERSION {
            return Err(format!(
                "it is of version {} of the format, this program reads {VERSION}: record it again",
                line.vector
            ));
        }
        let question = question(line.question, &line.function)?;
        if question.hook().name() != line.hook {
            return Err(format!("{} is no function of {}", line.function, line.hook));
        }
        let table = question.table();
        let whole = |values: &Values<'_>| values.len() == table.rows as usize;
        if !table.columns.iter().all(whole) {
            return Err("a column has not one value a row".to_owned());
        }
        // There are no candidates yet when the byoc hook is asked.
        let columns = match question.what {
            What::Route(_) => 0,
            _ => line.plan.columns.len(),
        };
        if table.columns.len() != columns || question.job.facts.len() != line.plan.facts.len() {
            return Err("the question has not what the plan asks for".to_owned());
        }
        Ok(Self {
            policy: line.policy,
            settings: line.settings.into_iter().map(setting).collect(),
            plan: plan(line.plan),
            question,
            answer: line.answer,
        })
    }
}

fn setting(line: SettingLine) -> Setting {
    let text = |(text, Hex(symbol))| (text, Symbol(symbol));
    let value = match line.value {
        ValueLine::Bool(value) => Value::Bool(value),
        ValueLine::Integer(value) => Value::Integer(value),
        ValueLine::Number(Float(value)) => Value::Number(value),
        ValueLine::Text(pair) => {
            let (text, symbol) = text(pair);
            Value::Text(text, symbol)
        }
        ValueLine::Texts(pairs) => Value::Texts(pairs.into_iter().map(text).collect()),
        ValueLine::Numbers(values) => Value::Numbers(floats(values)),
    };
    Setting {
        key: line.key,
        value,
    }
}

fn plan(line: PlanLine) -> wit::Plan {
    let cause = |cause: CauseLine| wit::Cause {
        text: cause.text,
        column: cause.column,
    };
    wit::Plan {
        columns: line.columns,
        facts: line.facts,
        causes: line.causes.into_iter().map(cause).collect(),
    }
}

fn question(line: QuestionLine, function: &str) -> Result<Question, String> {
    let missing = |what: &str| format!("{function} is asked with {what}, which is missing");
    let remaining = line.remaining.map(table);
    let remaining = || remaining.ok_or_else(|| missing("remaining"));
    let attempts = line
        .attempts
        .map(|attempts| attempts.into_iter().map(attempt).collect());
    let attempts = || attempts.ok_or_else(|| missing("attempts"));
    let what = match function {
        "judge" => What::Judge(
            line.candidates
                .map(table)
                .ok_or_else(|| missing("candidates"))?,
        ),
        "on-failure" => What::OnFailure(attempts()?, remaining()?),
        "on-slow" => What::OnSlow(attempts()?, remaining()?),
        "on-price-change" => What::OnPriceChange(
            line.before.map(price).ok_or_else(|| missing("before"))?,
            line.after.map(price).ok_or_else(|| missing("after"))?,
            remaining()?,
        ),
        "route" => What::Route(
            line.request
                .map(request)
                .ok_or_else(|| missing("request"))?,
        ),
        other => return Err(format!("this host asks no function {other:?}")),
    };
    Ok(Question {
        job: job(line.job),
        what,
    })
}

fn request(line: RequestLine) -> Request {
    Request {
        capability: line.capability,
        path: line.path,
        parameters: line.parameters,
        labels: line.labels,
    }
}

fn job(line: JobLine) -> Job {
    let fact = |fact| match fact {
        FactLine::Unknown => Fact::Unknown,
        FactLine::Number(Float(value)) => Fact::Number(value),
        FactLine::Count(value) => Fact::Count(value),
        FactLine::Mark(value) => Fact::Mark(value),
        FactLine::Symbol(Hex(value)) => Fact::Symbol(value),
    };
    Job {
        now_ms: line.now_ms,
        seed: line.seed,
        workload: line.workload.0,
        capability: line.capability.0,
        model: line.model.0,
        affinity: line.affinity,
        deadline_ms: line.deadline_ms,
        units: line.units,
        facts: line.facts.into_iter().map(fact).collect(),
    }
}

fn table(line: TableLine) -> Table {
    let column = |column| match column {
        ColumnLine::Numbers(values) => Values::Numbers(floats(values).into()),
        ColumnLine::Counts(values) => Values::Counts(values.into()),
        ColumnLine::Marks(values) => Values::Marks(values.into()),
        ColumnLine::Symbols(values) => {
            let values: Vec<u64> = values.into_iter().map(|Hex(symbol)| symbol).collect();
            Values::Symbols(values.into())
        }
    };
    Table {
        rows: line.rows,
        columns: line.columns.into_iter().map(column).collect(),
    }
}

fn floats(values: Vec<Float>) -> Vec<f64> {
    values.into_iter().map(|Float(value)| value).collect()
}

fn price(line: PriceLine) -> Price {
    Price {
        num: line.num,
        den: line.den,
    }
}

fn attempt(line: AttemptLine) -> Attempt {
    let failure = |failure: FailureLine| Failure {
        blame: match failure.blame {
            BlameLine::Orchestrator => Blame::Orchestrator,
            BlameLine::Input => Blame::Input,
            BlameLine::Gateway => Blame::Gateway,
            BlameLine::Payment => Blame::Payment,
            BlameLine::Network => Blame::Network,
        },
        kind: failure.kind,
        retry_safe: failure.retry_safe,
        http_status: failure.http_status,
        retry_after_ms: failure.retry_after_ms,
    };
    Attempt {
        candidate: line.candidate.0,
        row: line.row,
        started_ms: line.started_ms,
        elapsed_ms: line.elapsed_ms,
        running: line.running,
        failure: line.failure.map(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line that the sdk's README shows.
    fn shown() -> &'static str {
        let readme = include_str!("../../../../sdk/README.md");
        let line = readme.lines().find(|line| line.starts_with("{\"vector\""));
        line.expect("the format is shown")
    }

    #[test]
    fn the_line_of_the_readme_is_read() {
        let vector = Vector::parse(shown()).expect("as the format says");
        assert_eq!(vector.policy, "full");
        let What::Judge(table) = &vector.question.what else {
            panic!("it judges");
        };
        let free = Values::Counts(vec![3, 0, u64::MAX].into());
        assert_eq!((table.rows, &table.columns[..]), (3, &[free][..]));
        assert_eq!(vector.plan.causes[0].text, "no capacity left");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let change = |from: &str, to: &str| {
            assert!(shown().contains(from), "{from}");
            Vector::parse(&shown().replace(from, to)).expect_err(to)
        };
        for (from, to, words) in [
            ("\"vector\":1", "\"vector\":2", "record it again"),
            ("\"judge\"", "\"guess\"", "no function \"guess\""),
            ("\"judge\"", "\"on-slow\"", "attempts"),
            (
                "\"hook\":\"selection\"",
                "\"hook\":\"failover\"",
                "no function of failover",
            ),
            ("[3,0,", "[3,", "one value a row"),
            ("1ca959f09d69a9cf", "1ca9", "16 hexadecimal"),
            ("\"rows\":3", "\"rows\":3,\"more\":1", "more"),
            (
                "\"columns\":[\"capacity-free\"]",
                "\"columns\":[]",
                "what the plan asks for",
            ),
        ] {
            let error = change(from, to);
            assert!(error.contains(words), "{to}: {error}");
        }
    }
}
