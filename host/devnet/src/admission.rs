//! The checks of a segment before its body is read, in the protocol's order.
//!
//! Numbers 1 to 7 are made here. 8 to 10 are in `pay`. 11 to 13 need the body.

use http::HeaderMap;
use pointsman_wire::capabilities::compatible;
use pointsman_wire::net::{AuthToken, Capabilities, Payment};
use pointsman_wire::refusal::Refusal;
use pointsman_wire::segment::Received;
use pointsman_wire::token::TokenError;
use pointsman_wire::{payment, segment, sign};

use crate::failure::Kind;
use crate::node::{Life, now};
use crate::session::NoPlace;

/// A segment that may be uploaded.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) segment: Received,
    pub(crate) token: AuthToken,
    pub(crate) payment: Payment,
}

/// Makes the checks; a failure refuses where the check that it stands for would.
pub(crate) fn admit(
    life: &Life,
    headers: &HeaderMap,
    kind: Option<&Kind>,
) -> Result<Admitted, Refusal> {
    let forbidden = |text: &dyn ToString| Refusal::new(403, text.to_string());

    let payment = payment::decode(&header(headers, payment::HEADER))?;
    let segment = segment::decode(&header(headers, segment::HEADER))?;

    // Off-chain nobody is named and nothing is signed; on-chain nobody is spared.
    let sender = payment::sender(&payment);
    if !sender.is_zero() || life.recipient.is_some() {
        sign::verify(&segment.preimage(), &segment.data.sig, sender)
            .map_err(|_| forbidden(&"ErrSegSig"))?;
    }

    let none = Capabilities::default();
    let job = segment.data.capabilities.as_ref().unwrap_or(&none);
    compatible(job, Some(&life.node.capabilities))
        .map_err(|_| forbidden(&"incompatible capabilities"))?;

    let token = segment.data.auth_token.as_ref();
    if kind == Some(&Kind::ExpiredToken) {
        let error = life.secret.authenticate(token).err();
        return Err(forbidden(&error.unwrap_or(TokenError::Expired)));
    }
    let token = life
        .secret
        .check(token, now())
        .map_err(|error| forbidden(&error))?
        .clone();

    if kind == Some(&Kind::Capped) {
        return Err(forbidden(&NoPlace::Capped));
    }
    life.sessions
        .admit(Some(&token.session_id), life.node.settings().capacity)
        .map_err(|error| forbidden(&error))?;

    Ok(Admitted {
        segment,
        token,
        payment,
    })
}

/// A header's first value, empty when absent. Bytes that are no text become ones that no base64 has.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> std::borrow::Cow<'h, str> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .unwrap_or_default()
}
