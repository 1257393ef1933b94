//! Parameters: of the body, then of the query, as Go's `FormValue` reads them.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use pointsman_payments::U256;

use super::Fault;

/// Longest body, bytes.
const MAX_BODY: usize = 64 << 10;

/// What a request says.
#[derive(Debug)]
pub(super) struct Form(HashMap<String, String>);

// === impl Form ===

impl Form {
    /// A parameter; empty when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Parameters that must be there.
    pub(super) fn need(&self, names: &[&str]) -> Result<(), Fault> {
        match names.iter().find(|name| self.get(name).is_empty()) {
            Some(name) => Err(Fault::request(format!("missing form param: {name}"))),
            None => Ok(()),
        }
    }

    /// A whole amount in wei.
    pub(super) fn wei(&self, name: &str) -> Result<U256, Fault> {
        self.need(&[name])?;
        let text = self.get(name);
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = text.parse().ok().filter(|_| digits);
        amount.ok_or_else(|| {
            Fault::request(format!("invalid {name}: a whole number of wei is needed"))
        })
    }

    fn read(query: &str, body: &[u8]) -> Self {
        let mut values = HashMap::new();
        let pairs =
            url::form_urlencoded::parse(body).chain(url::form_urlencoded::parse(query.as_bytes()));
        for (name, value) in pairs {
            values
                .entry(name.into_owned())
                .or_insert_with(|| value.into_owned());
        }
        Self(values)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let kind = request.headers().get(CONTENT_TYPE);
        let is_form = kind.is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
        if !is_form {
            return Ok(Self::read(&query, &[]));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| Fault::internal(format!("parse form error: {error}")))?;
        if body.len() > MAX_BODY {
            return Err(Fault::request("the form is longer than 64 KiB"));
        }
        Ok(Self::read(&query, &body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_comes_before_the_query_and_the_first_of_a_name_counts() {
        let form = Form::read("amount=1&to=b%20c", b"amount=2&amount=3");
        assert_eq!((form.get("amount"), form.get("to")), ("2", "b c"));
        assert_eq!(form.get("none"), "");
    }

    #[test]
    fn amounts_are_whole_and_of_any_length() {
        let amount = |text: &str| Form::read(&format!("a={text}"), &[]).wei("a").ok();
        assert_eq!(amount("12"), Some(U256::from(12)));
        assert_eq!(
            amount("340282366920938463463374607431768211456"),
            Some(U256::from(1) << 128)
        );
        for text in ["", "-1", "1.5", "0x10", "1e3", "9".repeat(100).as_str()] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
