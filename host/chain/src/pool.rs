//! The transcoder pool: a linked list in the BondingManager, highest stake first.
//!
//! # Contract
//!
//! The list is read in one of three ways, the cheapest that works:
//!
//! 1. **With a list from before**, the first member, everybody's successor and the pool's size are views of the ordinary read. [`Links`] follows
//!    them: members that moved need nothing more, each new one is asked for its successor by itself.
//! 2. **Without one**, by [`walk_code`]: creation code in an `eth_call`, which walks the list on the node and returns it in one answer.
//! 3. Where a node takes no such call, one successor at a time.
//!
//! However it was read, the list must end, hold nobody twice and be as long as the pool says.
//!
//! # Why the creation code is written by hand
//!
//! It is a hundred bytes of a loop that has not changed since the contract was deployed. A compiled contract would be five times that, and a
//! compiler to keep beside it.

use std::collections::{HashMap, HashSet};

use alloy::primitives::{Address, Bytes, hex};
use alloy::sol_types::SolCall;

use crate::abi::BondingManager::{getFirstTranscoderInPoolCall, getNextTranscoderInPoolCall};

/// Most members that are believed. The protocol's own limit is 100, and a parameter.
pub(crate) const MAX_POOL: usize = 700;

/// Where the longest list ends in the memory of [`walk_code`].
const WALK_END: u16 = 0x40 + 32 * MAX_POOL as u16;

/// Who follows whom, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Links {
    first: Address,
    next: HashMap<Address, Address>,
}

/// Where following the links led.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// To the end.
    Whole(Vec<Address>),
    /// To a member whose successor is not known.
    Missing(Address),
}

/// The pool's list is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A member comes twice.
    #[error("the list of orchestrators comes back to {0}: the node mixes states of the chain")]
    Circle(Address),
    /// It is longer than any pool.
    #[error("the list of orchestrators has more than {MAX_POOL} members")]
    TooLong,
    /// It is not as long as the pool says.
    #[error(
        "the list has {listed} orchestrators, the pool {size}: the node mixes states of the chain"
    )]
    Size {
        /// Members found.
        listed: usize,
        /// `getTranscoderPoolSize`.
        size: u64,
    },
    /// The creation code's answer is no list.
    #[error("the node does not run creation code in a call")]
    NoWalk,
}

// === impl Links ===

impl Links {
    pub(crate) fn new(first: Address) -> Self {
        Self {
            first,
            next: HashMap::new(),
        }
    }

    /// `next` follows `member`; zero ends the list.
    pub(crate) fn link(&mut self, member: Address, next: Address) {
        self.next.insert(member, next);
    }

    /// How many successors are known.
    pub(crate) fn len(&self) -> usize {
        self.next.len()
    }

    /// From the first member as far as the links go.
    pub(crate) fn follow(&self) -> Result<Followed, PoolError> {
        let (mut list, mut seen) = (Vec::new(), HashSet::new());
        let mut at = self.first;
        while !at.is_zero() {
            if !seen.insert(at) {
                return Err(PoolError::Circle(at));
            }
            if list.len() == MAX_POOL {
                return Err(PoolError::TooLong);
            }
            list.push(at);
            match self.next.get(&at) {
                Some(&next) => at = next,
                None => return Ok(Followed::Missing(at)),
            }
        }
        Ok(Followed::Whole(list))
    }
}

/// Creation code that walks `manager`'s pool and returns, in words of 32 bytes, the successor of the last member it asked (zero at the end) and
/// then the members in order. It reverts where the manager does not answer.
///
/// Memory: 0x00 the selector in the last bytes of the word, 0x20 the argument, which each answer overwrites, 0x40 on the members.
/// Stack: the manager, then where the next member goes.
pub(crate) fn walk_code(manager: Address) -> Bytes {
    let mut code = Vec::with_capacity(0x62);
    code.push(0x73); // 00 PUSH20 manager
    code.extend_from_slice(manager.as_slice());
    code.push(0x63); // 15 PUSH4 getFirstTranscoderInPool()
    code.extend_from_slice(&getFirstTranscoderInPoolCall::SELECTOR);
    code.extend_from_slice(&hex!("600052")); // 1a MSTORE at 0
    code.extend_from_slice(&hex!("6040")); // 1d PUSH1 0x40
    code.extend_from_slice(&hex!("5b 6020 6020 6024 601c 85 5a fa")); // 1f loop: STATICCALL, answer to 0x20
    code.extend_from_slice(&hex!("601f 3d 11 16 6037 57 6000 80 fd")); // 2b fewer than 32 bytes, or failed: REVERT
    code.extend_from_slice(&hex!("5b 6020 51 80 15 6059 57")); // 37 zero: done
    code.extend_from_slice(&hex!("81 61")); // 40 PUSH2 end of the longest list
    code.extend_from_slice(&WALK_END.to_be_bytes());
    code.extend_from_slice(&hex!("11 15 6059 57")); // 44 no room: done
    code.extend_from_slice(&hex!("81 52 6020 01")); // 49 MSTORE the member, move on by 32
    code.push(0x63); // 4e PUSH4 getNextTranscoderInPool(address)
    code.extend_from_slice(&getNextTranscoderInPoolCall::SELECTOR);
    code.extend_from_slice(&hex!("600052 601f 56")); // 53 MSTORE at 0, JUMP loop
    code.extend_from_slice(&hex!("5b 50 6020 90 03 6020 f3")); // 59 done: RETURN from 0x20
    code.into()
}

/// The list in an answer to [`walk_code`].
pub(crate) fn walked(answer: &[u8]) -> Result<Vec<Address>, PoolError> {
    let words = answer.chunks_exact(32);
    if answer.is_empty() || !words.remainder().is_empty() || words.len() > MAX_POOL + 1 {
        return Err(PoolError::NoWalk);
    }
    let mut members = Vec::with_capacity(words.len());
    for word in words {
        let (zeros, member) = word.split_at(12);
        if zeros.iter().any(|&byte| byte != 0) {
            return Err(PoolError::NoWalk);
        }
        members.push(Address::from_slice(member));
    }
    if !members.remove(0).is_zero() {
        return Err(PoolError::TooLong);
    }
    let mut seen = HashSet::new();
    match members.iter().find(|&member| !seen.insert(*member)) {
        Some(&twice) => Err(PoolError::Circle(twice)),
        None => Ok(members),
    }
}

/// Checks a list's length against the pool's own word.
pub(crate) fn sized(list: Vec<Address>, size: u64) -> Result<Vec<Address>, PoolError> {
    match list.len() {
        listed if listed as u64 == size => Ok(list),
        listed => Err(PoolError::Size { listed, size }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    fn links(list: &[u8]) -> Links {
        let mut links = Links::new(list.first().map_or(Address::ZERO, |&n| member(n)));
        for (at, &n) in list.iter().enumerate() {
            let next = list.get(at + 1).map_or(Address::ZERO, |&n| member(n));
            links.link(member(n), next);
        }
        links
    }

    #[test]
    fn links_lead_to_the_end_or_to_the_one_that_is_missing() {
        assert_eq!(links(&[]).follow(), Ok(Followed::Whole(vec![])));
        let list = vec![member(3), member(1), member(2)];
        assert_eq!(links(&[3, 1, 2]).follow(), Ok(Followed::Whole(list)));
        let mut links = links(&[3, 1]);
        links.link(member(1), member(9));
        assert_eq!(links.follow(), Ok(Followed::Missing(member(9))));
    }

    #[test]
    fn a_circle_ends() {
        let mut links = links(&[1, 2, 3]);
        links.link(member(3), member(2));
        assert_eq!(links.follow(), Err(PoolError::Circle(member(2))));
    }

    #[test]
    fn a_walks_answer_is_believed_only_as_a_list() {
        let word = |n: u8| member(n).into_word().0;
        let end = [0; 32];
        let answer = [end, word(7), word(8)].concat();
        assert_eq!(walked(&answer), Ok(vec![member(7), member(8)]));
        assert_eq!(walked(&end), Ok(vec![]));
        assert_eq!(walked(&[]), Err(PoolError::NoWalk));
        assert_eq!(walked(&answer[..95]), Err(PoolError::NoWalk));
        assert_eq!(walked(&[end, [0xff; 32]].concat()), Err(PoolError::NoWalk));
        assert_eq!(
            walked(&[word(9), word(7)].concat()),
            Err(PoolError::TooLong)
        );
        let twice = [end, word(7), word(7)].concat();
        assert_eq!(walked(&twice), Err(PoolError::Circle(member(7))));
    }

    #[test]
    fn the_longest_walk_fits_into_created_code() {
        assert!(usize::from(WALK_END) - 0x20 <= 24_576);
    }

    proptest! {
        #[test]
        fn no_answer_panics(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = walked(&answer);
        }
    }
}
