//! Keeps connections out of the network that the gateway stands in.
//!
//! An orchestrator's name is a stranger's word, and so is where a name server leads it. The check is made on the addresses that a
//! connection is then opened to: a name that changes its mind in between gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::address::is_public;

/// Who may be at private addresses. Everyone, until somebody says otherwise.
#[derive(Clone, Default)]
pub(crate) struct Guard(Arc<OnceLock<Box<Exempt>>>);

/// Whether a host may be anywhere.
type Exempt = dyn Fn(&str) -> bool + Send + Sync;

/// The system's resolver, less what the guard bars.
#[derive(Clone)]
pub(crate) struct Resolver {
    guard: Guard,
    system: GaiResolver,
}

/// A host that is where it may not be.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} is at {address}, which is no public address: only orchestrators that the operator names may be there"
)]
struct Barred {
    host: String,
    address: IpAddr,
}

// === impl Guard ===

impl Guard {
    /// From now on only hosts that `exempt` says yes to may be at private addresses. The first to say so is heard.
    pub(crate) fn close(&self, exempt: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(exempt));
    }

    pub(crate) fn resolver(&self) -> Resolver {
        Resolver {
            guard: self.clone(),
            system: GaiResolver::new(),
        }
    }

    /// Checks a host that is an address: no resolver is asked for those.
    pub(crate) fn check(&self, host: &str) -> io::Result<()> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) => self.allow(bare, [SocketAddr::new(address, 0)]).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// What of `found` may be connected to; an error when that is nothing.
    fn allow(
        &self,
        host: &str,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> io::Result<Vec<SocketAddr>> {
        let mut found: Vec<SocketAddr> = found.into_iter().collect();
        let barred = found.iter().map(SocketAddr::ip).find(|ip| !is_public(*ip));
        let (Some(exempt), Some(address)) = (self.0.get(), barred) else {
            return Ok(found);
        };
        if exempt(host) {
            return Ok(found);
        }
        found.retain(|address| is_public(address.ip()));
        if found.is_empty() {
            let host = host.to_owned();
            return Err(io::Error::other(Barred { host, address }));
        }
        Ok(found)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.0.get().is_some();
        f.debug_struct("Guard").field("closed", &closed).finish()
    }
}

// === impl Resolver ===

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (guard, asked) = (self.guard.clone(), self.system.call(name.clone()));
        Box::pin(async move {
            let found = guard.allow(name.as_str(), asked.await?)?;
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(addresses: &[&str]) -> Vec<SocketAddr> {
        let socket = |text: &&str| SocketAddr::new(text.parse().expect("an address"), 0);
        addresses.iter().map(socket).collect()
    }

    fn closed() -> Guard {
        let guard = Guard::default();
        guard.close(|host| host == "mine.example");
        guard
    }

    #[test]
    fn a_stranger_is_connected_to_at_public_addresses_only() {
        let guard = closed();
        let error = guard.allow("stranger.example", at(&["169.254.169.254"]));
        let error = error.expect_err("barred").to_string();
        assert!(
            error.contains("stranger.example is at 169.254.169.254"),
            "{error}"
        );
        let both = guard.allow("stranger.example", at(&["10.0.0.1", "1.1.1.1"]));
        assert_eq!(both.expect("one is left"), at(&["1.1.1.1"]));
    }

    #[test]
    fn whoever_is_exempt_may_be_anywhere_and_an_open_guard_bars_nobody() {
        let here = at(&["127.0.0.1"]);
        for (guard, host) in [(closed(), "mine.example"), (Guard::default(), "any")] {
            assert_eq!(guard.allow(host, here.clone()).expect("allowed"), here);
        }
    }

    #[test]
    fn a_host_that_is_an_address_is_checked_as_it_stands() {
        let guard = closed();
        for host in ["127.0.0.1", "[::1]", "[fd00::1]", "10.9.8.7"] {
            assert!(guard.check(host).is_err(), "{host}");
        }
        for host in ["1.1.1.1", "[2606:4700::1111]", "a.example"] {
            assert!(guard.check(host).is_ok(), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let name = || "localhost".parse::<Name>().expect("a name");
        let error = closed().resolver().call(name()).await.expect_err("barred");
        assert!(error.to_string().contains("localhost is at "), "{error}");
        assert!(Guard::default().resolver().call(name()).await.is_ok());
    }
}
