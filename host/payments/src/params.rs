//! Whether tickets by an orchestrator's parameters may be made.
//!
//! # Contract
//!
//! [`check`] is go-livepeer's validation (`payments` §3), in its order: the first thing that is wrong is what is said. It is
//! made before every batch, with the number of tickets in it. Parameters whose tickets are worth nothing pass at once,
//! since none will be made.
//!
//! The limits are the host's and hold whatever a policy chose: an orchestrator sets face value and probability, so these
//! are what keeps it from asking for the whole deposit in one ticket.

use std::num::NonZeroU64;

use alloy::primitives::U256;
use num_traits::Signed as _;
use pointsman_wire::amount::{Ratio, ceil, floor, whole};
use pointsman_wire::ticket::{Params, ParamsError};

use crate::show::Wei;
use crate::standing::{CannotPay, Lack, Standing};
use crate::verdict::Verdict;

/// What tickets may be worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most expected value of one ticket, in wei. go-livepeer's `-maxTicketEV`, 3 000 000 000 000.
    pub max_ticket_value: Ratio,
    /// Most expected value of one payment, in wei. go-livepeer's `-maxTotalEV`, 20 000 000 000 000.
    pub max_payment_value: Ratio,
    /// A ticket's face value may be this part of the deposit. go-livepeer's `-depositMultiplier`, 1.
    pub deposit_multiplier: NonZeroU64,
}

/// Why no ticket is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// The orchestrator sent none.
    #[error("the orchestrator sent no ticket parameters")]
    Missing,
    /// They cannot be read.
    #[error("the orchestrator's ticket parameters cannot be read: {0}")]
    Unreadable(#[from] ParamsError),
    /// They say 0 for the block at which they expire.
    #[error("the orchestrator's ticket parameters name no expiration block")]
    NoExpiration,
    /// They are too old, or will be with the next block.
    #[error("the ticket parameters expire at L1 block {expires}, and block {now} has been seen")]
    Expired {
        /// Their block.
        expires: u64,
        /// The last L1 block.
        now: u64,
    },
    /// Every ticket would win.
    #[error("every ticket would win its face value of {}: the orchestrator's probability is no probability", Wei(*.0))]
    Certain(U256),
    /// A ticket is worth too much.
    #[error("a ticket is worth {}, above the limit of {} a ticket (max-ticket-ev)", Wei(*.value), Wei(*.most))]
    TicketValue {
        /// Expected value of one, in wei, rounded up.
        value: U256,
        /// The limit, rounded down.
        most: U256,
    },
    /// The sender's money does not allow it.
    #[error(transparent)]
    Funds(#[from] CannotPay),
    /// The tickets together are worth too much.
    #[error("{tickets} tickets worth {} are needed, above the limit of {} a payment (max-total-ev)", Wei(*.value), Wei(*.most))]
    PaymentValue {
        /// How many.
        tickets: u32,
        /// Expected value of all, in wei, rounded up.
        value: U256,
        /// The limit, rounded down.
        most: U256,
    },
}

/// Checks parameters for a batch of `tickets`.
///
/// # Errors
///
/// The first of the protocol's reasons that holds.
pub fn check(
    params: Option<&Params>,
    tickets: u32,
    standing: &Standing,
    limits: &Limits,
) -> Result<(), Unpayable> {
    let params = params.ok_or(Unpayable::Missing)?;
    let (expires, now) = (params.expiration_block, standing.l1_block);
    if expires == 0 {
        return Err(Unpayable::NoExpiration);
    }
    if expires.saturating_sub(now) <= 1 {
        return Err(Unpayable::Expired { expires, now });
    }
    let value = params.expected_value();
    if !value.is_positive() {
        return Ok(());
    }
    if value >= whole(params.face_value) {
        return Err(Unpayable::Certain(params.face_value));
    }
    if value > limits.max_ticket_value {
        return Err(Unpayable::TicketValue {
            value: ceil(&value),
            most: floor(&limits.max_ticket_value),
        });
    }
    let multiplier = U256::from(limits.deposit_multiplier.get());
    let needed = params.face_value.saturating_mul(multiplier);
    let funds = standing.check(needed)?;
    let value = value * Ratio::from_integer(tickets.into());
    if value > limits.max_payment_value {
        return Err(Unpayable::PaymentValue {
            tickets,
            value: ceil(&value),
            most: floor(&limits.max_payment_value),
        });
    }
    if params.face_value > funds.deposit / multiplier {
        let round = standing.round.round;
        return Err(Unpayable::Funds(CannotPay {
            lack: Lack::FaceValue,
            funds,
            needed,
            round,
        }));
    }
    Ok(())
}

// === impl Unpayable ===

impl Unpayable {
    /// What to do about it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Expired { .. } => Verdict::Refresh,
            // Face values differ between orchestrators.
            Self::Funds(CannotPay {
                lack: Lack::FaceValue,
                ..
            }) => Verdict::Next,
            Self::Funds(_) => Verdict::Stop,
            Self::Missing
            | Self::Unreadable(_)
            | Self::NoExpiration
            | Self::Certain(_)
            | Self::TicketValue { .. }
            | Self::PaymentValue { .. } => Verdict::Next,
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_ticket_value: Ratio::from_integer(3_000_000_000_000_u64.into()),
            max_payment_value: Ratio::from_integer(20_000_000_000_000_u64.into()),
            deposit_multiplier: NonZeroU64::MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::sign::{Address, B256};
    use pointsman_wire::ticket::{Expiration, win_prob};
    use proptest::prelude::*;

    use super::*;
    use crate::standing::Funds;

    const NOW: u64 = 100;

    fn params(value: u64, face_value: u64) -> Params {
        Params {
            recipient: Address::repeat_byte(1),
            face_value: U256::from(face_value),
            win_prob: win_prob(U256::from(value), U256::from(face_value)),
            recipient_rand_hash: B256::repeat_byte(2),
            seed: U256::from(3),
            expiration_block: NOW + 40,
            expiration: None,
        }
    }

    fn standing(deposit: u64) -> Standing {
        Standing {
            l1_block: NOW,
            round: Expiration {
                round: 10,
                ..Expiration::default()
            },
            funds: Some(Funds {
                deposit: U256::from(deposit),
                reserve: U256::from(1),
                withdraw_round: 0,
            }),
        }
    }

    fn checked(params: &Params, tickets: u32, deposit: u64) -> Result<(), Unpayable> {
        check(
            Some(params),
            tickets,
            &standing(deposit),
            &Limits::default(),
        )
    }

    const GOOD: (u64, u64) = (8_000_000_000, 16_000_000_000);

    #[test]
    fn good_parameters_pass_up_to_their_last_block_but_one() {
        let (value, face) = GOOD;
        let at = |expiration_block| {
            let params = Params {
                expiration_block,
                ..params(value, face)
            };
            checked(&params, 1, face)
        };
        assert_eq!(at(NOW + 40), Ok(()));
        assert_eq!(at(NOW + 2), Ok(()));
        let expired = |expires| Err(Unpayable::Expired { expires, now: NOW });
        assert_eq!(at(NOW + 1), expired(NOW + 1));
        assert_eq!(at(1), expired(1));
        assert_eq!(at(u64::MAX), Ok(()));
        assert_eq!(at(0), Err(Unpayable::NoExpiration));
        assert_eq!(at(NOW).expect_err("expired").verdict(), Verdict::Refresh);
    }

    #[test]
    fn each_limit_is_met_to_the_wei() {
        let limit = 3_000_000_000_000;
        let face = 2 * limit;
        assert_eq!(
            checked(&params(limit, face), 1, face).map_err(|e| e.verdict()),
            Err(Verdict::Next),
            "rounding up the probability puts it a fraction above"
        );
        assert_eq!(checked(&params(limit - 1, face), 1, face), Ok(()));

        let small = params(8_000_000_000, 16_000_000_000);
        assert_eq!(checked(&small, 2499, u64::MAX), Ok(()));
        let error = checked(&small, 2501, u64::MAX).expect_err("too much");
        assert!(
            matches!(error, Unpayable::PaymentValue { tickets: 2501, .. }),
            "{error}"
        );

        assert_eq!(checked(&small, 1, 16_000_000_000), Ok(()));
        let error = checked(&small, 1, 15_999_999_999).expect_err("a deposit below the face value");
        assert_eq!(error.verdict(), Verdict::Next);
        assert!(
            error.to_string().contains("needed deposit 16000000000 wei"),
            "{error}"
        );
        let limits = Limits {
            deposit_multiplier: NonZeroU64::new(3).expect("not 0"),
            ..Limits::default()
        };
        let with = |deposit| check(Some(&small), 1, &standing(deposit), &limits);
        assert_eq!(with(48_000_000_000), Ok(()));
        assert!(with(47_999_999_999).is_err());
    }

    #[test]
    fn the_first_of_several_reasons_is_said() {
        let (value, face) = GOOD;
        let none = check(None, 1, &standing(0), &Limits::default());
        assert_eq!(none, Err(Unpayable::Missing));
        // Worth nothing: no ticket will be made, whatever else is wrong.
        assert_eq!(checked(&params(0, 0), 1, 0), Ok(()));
        let certain = Params {
            win_prob: U256::MAX,
            ..params(value, face)
        };
        assert_eq!(
            checked(&certain, 1, 0),
            Err(Unpayable::Certain(U256::from(face)))
        );
        let dear = checked(&params(4_000_000_000_000, 8_000_000_000_000), 1, 0);
        assert!(
            matches!(dear, Err(Unpayable::TicketValue { .. })),
            "{dear:?}"
        );
        let broke = checked(&params(value, face), 1, 0).expect_err("no deposit");
        assert_eq!(broke.verdict(), Verdict::Stop);
        assert!(
            broke
                .to_string()
                .starts_with("cannot pay: there is no deposit"),
            "{broke}"
        );
    }

    proptest! {
        /// Whatever an orchestrator sends: no panic, and what passes is within the limits.
        #[test]
        fn what_passes_is_within_the_limits(face: [u64; 4], prob: [u64; 4], shift in 0usize..256, tickets: u32, deposit: u64, block: u64) {
            let params = Params {
                face_value: U256::from_limbs(face) >> shift,
                win_prob: U256::from_limbs(prob),
                expiration_block: block,
                ..params(1, 2)
            };
            if checked(&params, tickets, deposit).is_ok() {
                let value = params.expected_value();
                let limits = Limits::default();
                prop_assert!(block > NOW + 1);
                prop_assert!(value <= limits.max_ticket_value);
                if value.is_positive() {
                    prop_assert!(value * Ratio::from_integer(tickets.into()) <= limits.max_payment_value);
                    prop_assert!(params.face_value <= U256::from(deposit));
                }
            }
        }
    }
}
