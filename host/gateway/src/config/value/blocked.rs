//! Who is never used: a service URI, or an account.

use pointsman_wire::ServiceUri;
use pointsman_wire::sign::Address;

use super::account;
use crate::config::section::orchestrators::uri;

/// An entry of the blocklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Blocked {
    /// Where it is asked.
    Uri(ServiceUri),
    /// What it signs with or is paid to.
    Account(Address),
}

/// A service URI as in the static list, or an Ethereum address; go-livepeer writes those without `0x` too.
pub(in crate::config) fn blocked(text: &str) -> Result<Blocked, String> {
    let lower = text.to_ascii_lowercase();
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    // No host: the parser of URLs would take it for a number, and that for an IPv4 address.
    let account = match lower.strip_prefix("0x") {
        Some(rest) => !rest.contains(['.', ':', '/']),
        None => lower.len() == 40 && hex(&lower),
    };
    if !account {
        return uri(text).map(Blocked::Uri);
    }
    let digits = text.trim_start_matches("0x").trim_start_matches("0X");
    let address = account::address(&format!("0x{digits}"))?;
    Ok(Blocked::Account(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "0xD8E8328501E9645d16Cf49539efC04f734606ee4";

    #[test]
    fn accounts_and_uris_are_told_apart() {
        let account = Blocked::Account(ADDRESS.parse().expect("an address"));
        for text in [
            ADDRESS.to_owned(),
            ADDRESS.to_lowercase(),
            ADDRESS.replacen("0x", "0X", 1),
            ADDRESS[2..].to_owned(),
            ADDRESS[2..].to_lowercase(),
        ] {
            assert_eq!(blocked(&text), Ok(account.clone()), "{text}");
        }
        for (text, uri) in [
            ("slow.example", "https://slow.example:8935"),
            ("0x7f.1:8935", "https://127.0.0.1:8935"),
            ("https://0xab.example", "https://0xab.example"),
        ] {
            let uri = uri.parse().expect("a URI");
            assert_eq!(blocked(text), Ok(Blocked::Uri(uri)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_says_what_to_write() {
        for (text, why) in [
            ("0x12", "write 0x and 40 hexadecimal digits"),
            ("0xzz", "write 0x and 40 hexadecimal digits"),
            ("0xD8E8328501E9645d16Cf49539efC04f734606eE4", "mistyped"),
            ("0x0000000000000000000000000000000000000000", "nobody's"),
            ("ftp://slow.example", "scheme \"ftp\""),
        ] {
            let error = blocked(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
