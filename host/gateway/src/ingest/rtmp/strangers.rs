//! Who may be connected without publishing.
//!
//! # Contract
//!
//! Every connection [`enter`](Strangers::enter)s when it is accepted and gives its place back when it publishes or ends. There are so many
//! places in all, and so many for each address, so that one that opens connections and says nothing cannot keep out everybody else.
//!
//! # Why IPv6 counts by networks
//!
//! Whoever has one IPv6 address has 2^64 of them: the first 64 bits are what is given to a customer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of a gateway.
#[derive(Debug)]
pub(super) struct Strangers {
    places: Arc<Semaphore>,
    each: NonZeroU32,
    /// Only those that have any.
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Stranger {
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
    _place: OwnedSemaphorePermit,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Crowded {
    #[error("too many have not published yet")]
    All,
    #[error("too many from its address have not published yet (--rtmp-waiting-per-address)")]
    Address,
}

// === impl Strangers ===

impl Strangers {
    /// `all` places, of which an address may have `each`.
    pub(super) fn new(all: usize, each: NonZeroU32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(all)),
            each,
            by_address: Arc::default(),
        }
    }

    /// A place for a connection from `address`.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Stranger, Crowded> {
        let address = counted(address);
        let mut by_address = self.by_address.lock();
        let there = by_address.get(&address).copied().unwrap_or(0);
        if there >= self.each.get() {
            return Err(Crowded::Address);
        }
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Crowded::All)?;
        by_address.insert(address, there + 1);
        Ok(Stranger {
            address,
            by_address: self.by_address.clone(),
            _place: place,
        })
    }

    /// Places that nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.places.available_permits()
    }
}

fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

// === impl Stranger ===

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut by_address = self.by_address.lock();
        if let Some(there) = by_address.get_mut(&self.address) {
            *there -= 1;
            if *there == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers(all: usize, each: u32) -> Strangers {
        Strangers::new(all, NonZeroU32::new(each).expect("some"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let strangers = strangers(5, 3);
        let mut ours: Vec<_> = (0..3)
            .map(|_| strangers.enter(ip("192.0.2.1")).expect("a place"))
            .collect();
        let again = || strangers.enter(ip("192.0.2.1")).err();
        assert_eq!(again(), Some(Crowded::Address));
        assert_eq!(
            strangers.enter(ip("::ffff:192.0.2.1")).err(),
            Some(Crowded::Address),
            "the same"
        );
        let theirs = [2, 3].map(|last| strangers.enter(ip(&format!("192.0.2.{last}"))));
        assert!(theirs.iter().all(Result::is_ok));
        assert_eq!(strangers.enter(ip("192.0.2.4")).err(), Some(Crowded::All));
        ours.pop();
        assert_eq!(again(), None);
        drop((ours, theirs));
        assert_eq!(strangers.free(), 5);
        assert!(strangers.by_address.lock().is_empty(), "nothing is kept");
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let strangers = strangers(10, 2);
        let _ours = ["2001:db8::1", "2001:db8::2:3:4:5"].map(|one| strangers.enter(ip(one)));
        assert_eq!(
            strangers.enter(ip("2001:db8::ffff:ffff:ffff:ffff")).err(),
            Some(Crowded::Address)
        );
        assert!(strangers.enter(ip("2001:db8:0:1::1")).is_ok());
    }
}
