//! The JSON-RPC 2.0 envelope: calls out, answers in, matched by id.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fault::{Fault, Refusal, RpcError};

/// One call of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Such as `eth_call`.
    pub method: &'static str,
    /// An array.
    pub params: Value,
}

/// What a node said to one call: JSON that nobody has looked at yet, or why not.
#[derive(Clone, Debug)]
pub struct Answer {
    method: &'static str,
    result: Result<Box<RawValue>, Refusal>,
}

#[derive(Serialize)]
struct Out<'a> {
    jsonrpc: &'static str,
    id: usize,
    method: &'a str,
    params: &'a Value,
}

#[derive(Deserialize)]
struct In<'a> {
    #[serde(default)]
    id: Option<u64>,
    /// Present and null is an answer too: a block that does not exist.
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<RawError<'a>>,
}

/// A node's error object.
#[derive(Debug, Deserialize)]
pub(super) struct RawError<'a> {
    #[serde(default)]
    pub(super) code: i64,
    #[serde(borrow, default)]
    pub(super) message: Cow<'a, str>,
}

// === impl Call ===

impl Call {
    /// A call. `params` must be an array.
    #[must_use]
    pub fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

// === impl Answer ===

impl Answer {
    /// The result, parsed.
    ///
    /// # Errors
    ///
    /// [`RpcError::Refused`] where the node refused, [`RpcError::Shape`] where the result is something else; `wanted` names what.
    pub fn parse<T: for<'de> Deserialize<'de>>(&self, wanted: &'static str) -> Result<T, RpcError> {
        let method = self.method;
        let raw = self.result.as_ref().map_err(|refusal| RpcError::Refused {
            method,
            refusal: refusal.clone(),
        })?;
        serde_json::from_str(raw.get()).map_err(|_| RpcError::Shape { method, wanted })
    }

    /// Why not.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.result.as_ref().err()
    }
}

/// The body that asks `calls`. One call goes as an object: some nodes know no arrays.
pub(super) fn encode(calls: &[&Call]) -> Bytes {
    let out = |(id, call): (usize, &&Call)| {
        Out {
            jsonrpc: "2.0",
            id,
            method: call.method,
            params: &call.params,
        }
        .to_json()
    };
    let mut parts: Vec<String> = calls
        .iter()
        .enumerate()
        .map(|(id, call)| out((id, call)))
        .collect();
    let body = match parts.len() {
        1 => parts.remove(0),
        _ => format!("[{}]", parts.join(",")),
    };
    Bytes::from(body)
}

/// The answers to `calls`, in their order.
pub(super) fn decode(
    calls: &[&Call],
    body: &[u8],
    scrub: impl Fn(&str) -> String,
) -> Result<Vec<Answer>, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::Garbage("it is not UTF-8"))?;
    if calls.len() == 1 {
        let one: In<'_> =
            serde_json::from_str(text).map_err(|_| Fault::Garbage("no answer object"))?;
        return Ok(vec![one.into_answer(calls[0].method, &scrub)?]);
    }
    let all: Vec<In<'_>> = match serde_json::from_str(text) {
        Ok(all) => all,
        Err(_) => return Err(whole(text, calls.len(), scrub)),
    };
    let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
    for one in all {
        let at = one.id.and_then(|id| usize::try_from(id).ok());
        let at = at.filter(|&at| at < calls.len());
        let at = at.ok_or(Fault::Garbage("an answer to a call that was not made"))?;
        if answers[at].is_some() {
            return Err(Fault::Garbage("two answers to one call"));
        }
        answers[at] = Some(one.into_answer(calls[at].method, &scrub)?);
    }
    answers
        .into_iter()
        .map(|answer| answer.ok_or(Fault::Garbage("a call has no answer")))
        .collect()
}

/// What one object in place of a batch's answers means.
fn whole(text: &str, calls: usize, scrub: impl Fn(&str) -> String) -> Fault {
    use super::fault::RefusalKind;
    let Ok(In {
        error: Some(error), ..
    }) = serde_json::from_str::<In<'_>>(text)
    else {
        return Fault::Garbage("no array of answers");
    };
    let batch = error.message.to_lowercase().contains("batch");
    match Refusal::new(&error, scrub).kind {
        RefusalKind::Throttled if !batch => Fault::Throttled(None),
        _ => Fault::BatchRefused(calls),
    }
}

// === impl Out ===

impl Out<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and JSON values always encode")
    }
}

// === impl In ===

impl In<'_> {
    fn into_answer(
        self,
        method: &'static str,
        scrub: impl Fn(&str) -> String,
    ) -> Result<Answer, Fault> {
        let result = match (self.result, self.error) {
            (_, Some(error)) => Err(Refusal::new(&error, scrub)),
            (Some(result), None) => Ok(result.to_owned()),
            (None, None) => return Err(Fault::Garbage("neither result nor error")),
        };
        Ok(Answer { method, result })
    }
}

/// A field that is there, even if it is null.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    field: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn calls(n: usize) -> Vec<Call> {
        (0..n)
            .map(|_| Call::new("eth_chainId", json!([])))
            .collect()
    }

    fn decoded(n: usize, body: &str) -> Result<Vec<Answer>, Fault> {
        let calls = calls(n);
        let calls: Vec<&Call> = calls.iter().collect();
        decode(&calls, body.as_bytes(), str::to_owned)
    }

    #[test]
    fn answers_come_back_in_the_order_of_the_calls() {
        let body = r#"[{"id":1,"result":"0x2"},{"jsonrpc":"2.0","id":0,"result":"0x1"}]"#;
        let answers = decoded(2, body).unwrap();
        let texts: Vec<String> = answers.iter().map(|a| a.parse("a text").unwrap()).collect();
        assert_eq!(texts, ["0x1", "0x2"]);
    }

    #[test]
    fn a_null_result_is_an_answer() {
        let answers = decoded(1, r#"{"id":0,"result":null}"#).unwrap();
        assert_eq!(answers[0].parse::<Option<String>>("a text"), Ok(None));
    }

    #[test]
    fn what_does_not_fit_the_calls_is_garbage() {
        for body in [
            "",
            "[]",
            "<html>502</html>",
            "null",
            r#"[{"id":0,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":0,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":7,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":1}]"#,
            r#"[{"id":0,"result":1},{"id":-1,"result":1}]"#,
        ] {
            assert!(matches!(decoded(2, body), Err(Fault::Garbage(_))), "{body}");
        }
    }

    #[test]
    fn an_error_in_place_of_a_batch_is_told_from_a_rate_limit() {
        let refused =
            r#"{"id":null,"error":{"code":-32600,"message":"batches are not supported"}}"#;
        assert_eq!(decoded(2, refused).unwrap_err(), Fault::BatchRefused(2));
        let limit = r#"{"id":null,"error":{"code":-32005,"message":"batch limit exceeded"}}"#;
        assert_eq!(decoded(2, limit).unwrap_err(), Fault::BatchRefused(2));
        let busy = r#"{"id":null,"error":{"code":429,"message":"too many requests"}}"#;
        assert_eq!(decoded(2, busy).unwrap_err(), Fault::Throttled(None));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in ".{0,200}", n in 1usize..4) {
            let _ = decoded(n, &body);
        }
    }
}
