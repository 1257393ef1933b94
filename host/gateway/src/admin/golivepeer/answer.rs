//! Answers as go-livepeer writes them.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

const TEXT: &str = "text/plain; charset=utf-8";

/// A text with status 200, without a line end.
#[derive(Debug)]
pub(super) struct Text(pub(super) String);

/// JSON that is written already.
#[derive(Debug)]
pub(super) struct Json(pub(super) String);

/// Why there is no answer, as a text with a line end.
#[derive(Debug)]
pub(super) struct Fault(StatusCode, String);

/// A JSON object in the making: numbers of any length stay whole, and fields stand in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Object(String);

// === impl Text ===

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, TEXT)], self.0).into_response()
    }
}

// === impl Json ===

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

// === impl Fault ===

impl Fault {
    /// The request cannot be.
    pub(super) fn request(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }

    /// It cannot be done now.
    pub(super) fn internal(why: impl Into<String>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, why.into())
    }

    /// There is no such thing here.
    pub(super) fn missing(why: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, why.into())
    }

    /// Off-chain.
    pub(super) fn no_chain() -> Self {
        Self::internal("missing ETH client")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, TEXT), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
        (self.0, headers, format!("{}\n", self.1)).into_response()
    }
}

// === impl Object ===

impl Object {
    /// Adds a field whose value is JSON already.
    pub(super) fn json(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        use std::fmt::Write as _;
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{comma}{}:{value}", quoted(name));
        self
    }

    /// Adds a text.
    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.json(name, quoted(value))
    }

    /// The whole.
    pub(super) fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list whose entries are JSON already.
pub(super) fn list(entries: impl IntoIterator<Item = String>) -> String {
    let entries: Vec<String> = entries.into_iter().collect();
    format!("[{}]", entries.join(","))
}
