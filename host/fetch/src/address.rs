//! Which addresses a fetch may connect to.
//!
//! A reference is an operator's word, but where a redirect, a token realm or a name server leads is not. None of them may make the gateway
//! call into the network it stands in. The check is made on the addresses that a connection is then opened to, not on an answer that is
//! asked for again: a name that changes its mind in between gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

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

/// Whether `address` belongs to the public internet, going by IANA's special-purpose registries. An address that carries an IPv4 one
/// (mapped, or through NAT64) is what that is.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)    // this network, private, loopback, multicast and reserved
            | (100, 64..=127, _)            // carrier-grade NAT
            | (169, 254, _)                 // link-local, where clouds keep their metadata
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)               // protocol assignments, documentation
            | (192, 88, 99)                 // 6to4 relays
            | (198, 18..=19, _)             // benchmarking
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        [0x2001, second, ..] if second < 0x200 => false, // protocol assignments, Teredo among them
        [0x2001, 0xdb8, ..] | [0x2002, ..] => false,     // documentation, 6to4
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

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
    fn private_loopback_link_local_and_reserved_addresses_are_not_public() {
        for barred in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(barred)), "{barred}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2001:4860::8888",
            "2606:4700::1111",
            "3fff:1000::1",
        ] {
            assert!(is_public(address(public)), "{public}");
        }
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
