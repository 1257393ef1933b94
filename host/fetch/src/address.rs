//! Which addresses a fetch may connect to.
//!
//! A reference is an operator's word, but where a redirect, a token realm or a name server leads is not. None of them may make the gateway
//! call into the network it stands in. The check is made on the addresses that a connection is then opened to, not on an answer that is
//! asked for again: a name that changes its mind in between gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use pointsman_transport::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the public internet.
    Public,
    /// This machine's own and no other: a registry that is spoken to without TLS.
    Loopback,
    /// All.
    Any,
    /// One. Tests have no other way to stand for the public internet.
    #[cfg(test)]
    Only(IpAddr),
}

/// A host that may not be connected to, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at {address}, {why}")]
pub struct BarredAddress {
    host: String,
    address: IpAddr,
    why: &'static str,
}

/// Resolves names and leaves only addresses within reach. What is left is what is connected to.
pub(crate) struct Guard {
    pub(crate) reach: Reach,
    pub(crate) names: Arc<dyn Resolve>,
}

/// The system's resolver.
#[derive(Debug)]
pub(crate) struct System;

// === impl Reach ===

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Loopback => address.to_canonical().is_loopback(),
            Self::Any => true,
            #[cfg(test)]
            Self::Only(only) => address == only,
        }
    }

    /// Checks a URL whose host is an address: those are connected to without the resolver being asked.
    pub(crate) fn check(self, url: &Url) -> Result<(), BarredAddress> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.allows(address) {
            return Ok(());
        }
        Err(self.barred(&address.to_string(), address))
    }

    fn barred(self, host: &str, address: IpAddr) -> BarredAddress {
        BarredAddress {
            host: host.to_owned(),
            address,
            why: match self {
                Self::Loopback => "not on this machine, and a registry without TLS must be",
                _ => "no public address: allow private addresses if that is meant",
            },
        }
    }
}

// === impl Guard ===

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, host) = (self.reach, name.as_str().to_owned());
        let asked = self.names.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = asked.await?.collect();
            let allowed = found.iter().filter(|found| reach.allows(found.ip()));
            let allowed: Vec<SocketAddr> = allowed.copied().collect();
            match found.first() {
                Some(first) if allowed.is_empty() => Err(reach.barred(&host, first.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

// === impl System ===

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn every_spelling_of_an_address_in_a_url_is_checked() {
        for barred in [
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://0177.0.0.1/x",
            "https://127.1/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[fe80::1]/x",
            "https://169.254.169.254/x",
        ] {
            let url = Url::parse(barred).expect("a URL");
            assert!(Reach::Public.check(&url).is_err(), "{barred}");
            assert!(Reach::Any.check(&url).is_ok(), "{barred}");
        }
    }

    #[test]
    fn a_registry_without_tls_is_on_this_machine() {
        for (text, allowed) in [
            ("http://127.0.0.1/", true),
            ("http://[::1]/", true),
            ("http://10.0.0.1/", false),
            ("http://8.8.8.8/", false),
        ] {
            let url = Url::parse(text).expect("a URL");
            assert_eq!(Reach::Loopback.check(&url).is_ok(), allowed, "{text}");
        }
    }

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.clone();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn of_a_names_addresses_only_those_within_reach_are_left() {
        let resolve = |found: &[&str]| {
            let found = found.iter().map(|text| SocketAddr::new(address(text), 0));
            let guard = Guard {
                reach: Reach::Public,
                names: Arc::new(Fixed(found.collect())),
            };
            guard.resolve("h.example".parse().expect("a name"))
        };
        let left = resolve(&["10.0.0.1", "8.8.8.8", "::1"])
            .await
            .expect("one is left");
        assert_eq!(
            left.map(|left| left.ip()).collect::<Vec<_>>(),
            [address("8.8.8.8")]
        );
        let barred = resolve(&["10.0.0.1", "::1"])
            .await
            .err()
            .expect("none is left");
        let barred = barred.downcast::<BarredAddress>().expect("why");
        assert!(
            barred.to_string().starts_with("h.example is at 10.0.0.1"),
            "{barred}"
        );
    }
}
