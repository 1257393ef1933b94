//! Names of hosts.

use url::Host;

/// A host without port: a name, an IPv4 address or an IPv6 address, with or without brackets. Names are lower-cased.
pub(in crate::config) fn host(text: &str) -> Result<Host, String> {
    if let Ok(address) = text.parse() {
        return Ok(Host::Ipv6(address));
    }
    if text.contains("://") || text.contains('/') {
        return Err(format!(
            "`{text}` is not a host: leave out the scheme and the path"
        ));
    }
    if !text.starts_with('[') && text.contains(':') {
        return Err(format!(
            "`{text}` is not a host: leave out the port, every one is meant"
        ));
    }
    Host::parse(text).map_err(|cause| format!("`{text}` is not a host: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_compare_as_written_in_a_request() {
        for (text, right) in [
            ("Gateway.Example", "gateway.example"),
            ("203.0.113.7", "203.0.113.7"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("2001:db8::1", "[2001:db8::1]"),
        ] {
            assert_eq!(
                host(text).map(|host| host.to_string()),
                Ok(right.to_owned())
            );
        }
    }

    #[test]
    fn errors_say_what_to_leave_out() {
        for (text, message) in [
            (
                "gw.example:80",
                "`gw.example:80` is not a host: leave out the port, every one is meant",
            ),
            (
                "https://gw.example",
                "`https://gw.example` is not a host: leave out the scheme and the path",
            ),
        ] {
            assert_eq!(host(text), Err(message.to_owned()));
        }
        assert!(host("a b").is_err());
    }
}
