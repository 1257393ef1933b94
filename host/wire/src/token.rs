//! Auth tokens: the key by which an orchestrator knows its sessions again (`orchestrator-rpc` protocol, check 6).
//!
//! A token is `HMAC-SHA256(secret, session_id || expiration)`, the expiration as minimal big-endian bytes. The secret is
//! random and lives as long as the orchestrator's process, so every token dies with it. A gateway cannot look inside: it
//! copies the token and renews it in time ([`needs_refresh`]). Making and checking are the orchestrator's side.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::limits::TOKEN_RENEWAL;
use crate::net::AuthToken;

/// What an orchestrator signs its tokens with.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// Why a token is refused; `Display` is what go-livepeer answers, with status 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The message carries none.
    #[error("missing auth token")]
    Missing,
    /// Made with another secret, or altered.
    #[error("invalid auth token")]
    Invalid,
    /// Genuine and too old.
    #[error("expired auth token")]
    Expired,
}

/// Whether a token must be renewed before it is used: 180 s or less remain. Both are unix seconds.
#[must_use]
pub fn needs_refresh(token: &AuthToken, now: i64) -> bool {
    now > token
        .expiration
        .saturating_sub(TOKEN_RENEWAL.as_secs() as i64)
}

// === impl Secret ===

impl Secret {
    /// A secret of the caller's random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A token for `session_id` that holds until `expiration`, unix seconds.
    #[must_use]
    pub fn issue(&self, session_id: &str, expiration: i64) -> AuthToken {
        let token = self.mac(session_id, expiration).finalize().into_bytes();
        AuthToken {
            token: token.to_vec(),
            session_id: session_id.to_owned(),
            expiration,
        }
    }

    /// Checks a token at `now`, unix seconds.
    ///
    /// # Errors
    ///
    /// In the protocol's order: missing, invalid, expired.
    pub fn check<'t>(
        &self,
        token: Option<&'t AuthToken>,
        now: i64,
    ) -> Result<&'t AuthToken, TokenError> {
        let token = self.authenticate(token)?;
        if now > token.expiration {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }

    /// Checks that the token is ours, however old: the end of a session asks no more.
    ///
    /// # Errors
    ///
    /// Missing or invalid.
    pub fn authenticate<'t>(
        &self,
        token: Option<&'t AuthToken>,
    ) -> Result<&'t AuthToken, TokenError> {
        let token = token.ok_or(TokenError::Missing)?;
        self.mac(&token.session_id, token.expiration)
            .verify_slice(&token.token)
            .map_err(|_| TokenError::Invalid)?;
        Ok(token)
    }

    fn mac(&self, session_id: &str, expiration: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        mac.update(session_id.as_bytes());
        // Go's big.Int keeps the magnitude only and no leading zeros.
        let magnitude = expiration.unsigned_abs().to_be_bytes();
        let zeros = magnitude.iter().take_while(|&&byte| byte == 0).count();
        mac.update(&magnitude[zeros..]);
        mac
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new(std::array::from_fn(|i| i as u8))
    }

    #[test]
    fn the_published_vector_is_reproduced() {
        let token = secret().issue("deadbeef", 1_700_000_000);
        assert_eq!(
            hex::encode(token.token),
            "5c037c669aad3190039b37020b7880ff2333bf17c17c89fe03fa72ece28963eb"
        );
    }

    #[test]
    fn refusals_come_in_the_protocols_order() {
        let token = secret().issue("deadbeef", 1000);
        assert_eq!(secret().check(Some(&token), 1000), Ok(&token));
        assert_eq!(secret().check(None, 0), Err(TokenError::Missing));
        assert_eq!(secret().check(Some(&token), 1001), Err(TokenError::Expired));
        assert_eq!(secret().authenticate(Some(&token)), Ok(&token));

        let stretched = AuthToken {
            expiration: 9000,
            ..token.clone()
        };
        assert_eq!(
            secret().check(Some(&stretched), 1001),
            Err(TokenError::Invalid)
        );
        let other = Secret::new([7; 32]);
        assert_eq!(other.check(Some(&token), 1001), Err(TokenError::Invalid));
        assert_eq!(
            secret().check(Some(&AuthToken::default()), 0),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn the_last_three_minutes_ask_for_a_new_one() {
        let token = secret().issue("deadbeef", 1800);
        assert!(!needs_refresh(&token, 1620));
        assert!(needs_refresh(&token, 1621));
        let broken = AuthToken {
            expiration: i64::MIN,
            ..token
        };
        assert!(needs_refresh(&broken, 0));
    }
}
