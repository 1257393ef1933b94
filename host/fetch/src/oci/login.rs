//! Answering a registry's 401: with credentials, or with a token that they, or nobody's, are good for.
//!
//! The scope is ours and not the challenge's: a registry that asks for a token to other repositories does not get one.

use reqwest::Response;
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use crate::client::{Client, read};
use crate::reference::shown;
use crate::{Credentials, FetchError};

/// Largest answer of a token service, bytes.
const MAX_ANSWER: usize = 64 << 10;
/// Longest challenge, bytes.
const MAX_CHALLENGE: usize = 4096;

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The header that answers the challenge of `refused`.
pub(super) async fn answer(
    client: &Client,
    refused: &Response,
    scope: &str,
    credentials: Option<&Credentials>,
) -> Result<HeaderValue, FetchError> {
    let wrong = |why| FetchError::Login {
        url: shown(refused.url()),
        why,
    };
    let challenges = refused.headers().get_all(WWW_AUTHENTICATE).iter();
    let mut challenges: Vec<Challenge> = challenges
        .filter_map(|value| parse(value.to_str().ok()?))
        .collect();
    // A token says less about who asks.
    challenges.sort_by_key(|challenge| *challenge == Challenge::Basic);
    let basic = || match credentials {
        None => Ok(None),
        Some(credentials) => match credentials.basic() {
            Some(header) => Ok(Some(header)),
            None => Err(wrong("a user's name with a colon cannot be sent")),
        },
    };
    match challenges.into_iter().next() {
        None => Err(wrong("it asks for neither a token nor a password")),
        Some(Challenge::Basic) => {
            basic()?.ok_or_else(|| wrong("it wants a user and password: give credentials"))
        }
        Some(Challenge::Bearer { realm, service }) => {
            let mut url = refused
                .url()
                .join(&realm)
                .map_err(|_| wrong("its token service is no URL"))?;
            if let Some(service) = &service {
                url.query_pairs_mut().append_pair("service", service);
            }
            url.query_pairs_mut().append_pair("scope", scope);
            token(client, &url, basic()?).await
        }
    }
}

async fn token(
    client: &Client,
    url: &Url,
    basic: Option<HeaderValue>,
) -> Result<HeaderValue, FetchError> {
    let bytes = read(client.get(url, None, basic.as_ref()).await?, MAX_ANSWER).await?;
    let wrong = || FetchError::Login {
        url: shown(url),
        why: "its answer has no token",
    };
    let answer: Token = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let token = answer
        .token
        .or(answer.access_token)
        .filter(|token| !token.is_empty())
        .ok_or_else(wrong)?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| wrong())?;
    header.set_sensitive(true);
    Ok(header)
}

/// One challenge of RFC 9110 §11.6.1, if it is one that can be answered.
fn parse(text: &str) -> Option<Challenge> {
    if text.len() > MAX_CHALLENGE {
        return None;
    }
    let (scheme, parameters) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    let mut rest = parameters;
    while let Some((name, value, after)) = parameter(rest) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer {
        realm: realm?,
        service,
    })
}

/// `name=value` or `name="value"` at the start of `text`, and what follows.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.trim_start_matches([' ', ',']).split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(',').unwrap_or(rest.len());
        return Some((name.trim(), rest[..end].trim().to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((name.trim(), value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
        })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let usual = r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#;
        assert_eq!(
            parse(usual),
            bearer("https://auth.example/token", Some("r.example"))
        );
        assert_eq!(parse(r#"bearer Realm = x"#), bearer("x", None));
        assert_eq!(
            parse(r#"Bearer service=a, realm="b\"c,d", error="insufficient""#),
            bearer("b\"c,d", Some("a"))
        );
        assert_eq!(parse(r#"Basic realm="r""#), Some(Challenge::Basic));
        assert_eq!(parse("Basic"), Some(Challenge::Basic));
        for wrong in [
            "",
            "Bearer",
            "Bearer service=\"x\"",
            "Negotiate abc",
            "Bearer realm=\"open",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            parse(&format!("Bearer realm=\"{}\"", "x".repeat(MAX_CHALLENGE))),
            None
        );
    }

    proptest! {
        #[test]
        fn no_challenge_panics(text in "(Bearer )?[ -~é]{0,60}") {
            let _ = parse(&text);
        }
    }
}
