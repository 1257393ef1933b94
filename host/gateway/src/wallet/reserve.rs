//! What the reserve guarantees, and what too small a one costs.
//!
//! An orchestrator that adjusts its price, as go-livepeer's do, adds what redeeming winners costs it: the fee of one redemption over a winner's face
//! value. It wants winners of a hundred redemptions' worth, one percent, but never larger than its share of the sender's reserve, since no
//! more is guaranteed to it. So with a smaller reserve every segment is dearer, and with a very small one it makes no offer at all.
//! Protocol: `payments` §10, `chain` §6.

use pointsman_chain::Account;
use pointsman_payments::{Ratio, U256};
use pointsman_wire::amount::{floor, whole};
use pointsman_wire::sign::Address;

/// Arbitrum One.
pub(crate) const ARBITRUM: u64 = 42161;
/// Gas that go-livepeer reckons a redemption with: on Arbitrum, where it pays for L1 too, and elsewhere.
const REDEEM_GAS: (u64, u64) = (1_200_000, 350_000);
/// Winners are worth this many redemptions, or this many tickets where those are worth more.
const MULTIPLIER: u64 = 100;
/// What tickets of orchestrators are worth unless they say otherwise, in wei.
const TICKET_VALUE: u64 = 8_000_000_000;
/// What gas costs on average, by go-livepeer's word: 3 gwei.
const AVERAGE_GAS_PRICE: u64 = 3_000_000_000;

/// The reserve as orchestrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// What one orchestrator can claim of it in a round, in wei.
    pub share: U256,
    /// Who has claimed how much in this round, in wei.
    pub claims: Vec<(Address, U256)>,
    /// What prices carry because of it.
    pub surcharge: Surcharge,
}

/// What redeeming winners adds to the prices of orchestrators that adjust them, as of the present price of gas and go-livepeer's usual
/// settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surcharge {
    /// What a redemption costs an orchestrator, in wei.
    pub redemption: U256,
    /// Added to a price of 1; `None`: orchestrators take no tickets with so small a reserve.
    pub now: Option<Ratio>,
    /// The least that is ever added.
    pub least: Ratio,
    /// The reserve from which on no more than that is added, in wei.
    pub enough: U256,
}

// === impl Reserve ===

impl Reserve {
    pub(super) fn new(account: &Account, chain_id: u64, claims: Vec<(Address, U256)>) -> Self {
        let sender = &account.sender;
        let pool = U256::from(account.pool_size);
        // Of what was there when the round began.
        let whole = sender.reserve.saturating_add(sender.claimed);
        let share = whole.checked_div(pool).unwrap_or_default();
        Self {
            share,
            claims,
            surcharge: Surcharge::new(share, pool, account.gas_price, chain_id),
        }
    }

    /// What is left of this orchestrator's share in this round, in wei.
    #[must_use]
    pub fn free(&self, orchestrator: Address) -> U256 {
        let claimed = self.claims.iter().find(|(by, _)| *by == orchestrator);
        self.share
            .saturating_sub(claimed.map_or(U256::ZERO, |(_, wei)| *wei))
    }
}

// === impl Surcharge ===

impl Surcharge {
    fn new(share: U256, pool: U256, gas_price: U256, chain_id: u64) -> Self {
        let gas = match chain_id {
            ARBITRUM => REDEEM_GAS.0,
            _ => REDEEM_GAS.1,
        };
        let cost = |gas_price: U256| U256::from(gas).saturating_mul(gas_price);
        let redemption = cost(gas_price);
        let multiplier = U256::from(MULTIPLIER);
        let ticket = U256::from(TICKET_VALUE);
        let mut wanted = redemption.saturating_mul(multiplier);
        if wanted < ticket {
            wanted = ticket.saturating_mul(multiplier);
        }
        let face_value = wanted.min(share);
        let average = cost(U256::from(AVERAGE_GAS_PRICE));
        let dear = face_value < redemption && face_value < average;
        let now = (face_value >= ticket && !dear).then(|| over(redemption, face_value));
        Self {
            redemption,
            now,
            least: over(redemption, wanted),
            enough: wanted.saturating_mul(pool),
        }
    }

    /// Whether a larger reserve would make prices lower.
    #[must_use]
    pub fn is_least(&self) -> bool {
        self.now.as_ref() == Some(&self.least)
    }
}

/// A face value is never 0 here: it is at least a ticket's worth, which is a constant.
fn over(cost: U256, face_value: U256) -> Ratio {
    whole(cost) / whole(face_value.max(U256::ONE))
}

/// A ratio in percent, cut after three decimals.
pub(super) fn percent(ratio: &Ratio) -> String {
    let thousandths = floor(&(ratio * whole(U256::from(100_000))));
    let (percent, rest) = thousandths.div_rem(U256::from(1000));
    let decimals = format!("{rest:0>3}");
    match decimals.trim_end_matches('0') {
        "" if percent.is_zero() && ratio > &whole(U256::ZERO) => "under 0.001 %".to_owned(),
        "" => format!("{percent} %"),
        decimals => format!("{percent}.{decimals} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(over: u64, under: u64) -> Ratio {
        Ratio::new(over.into(), under.into())
    }

    fn surcharge(share: u64, gas_price: u64, chain_id: u64) -> Surcharge {
        let (share, gas_price) = (U256::from(share), U256::from(gas_price));
        Surcharge::new(share, U256::from(100), gas_price, chain_id)
    }

    #[test]
    fn a_small_reserve_was_seen_to_cost_this() {
        // Recorded: a reserve of 10^10 in a pool of one, gas at 7 wei; 200049/200 was asked instead of 1000.
        let small = surcharge(10_000_000_000, 7, 31337);
        assert_eq!(small.now, Some(ratio(245, 1_000_000)));
        let asked = ratio(1000, 1) * (ratio(1, 1) + small.now.expect("an offer"));
        assert_eq!(asked, ratio(200_049, 200));
    }

    #[test]
    fn enough_is_one_percent() {
        const GAS: u64 = 10_000_000;
        let cost = 1_200_000 * GAS;
        let enough = surcharge(100 * cost, GAS, ARBITRUM);
        assert_eq!(enough.redemption, U256::from(cost));
        assert_eq!(enough.least, ratio(1, 100));
        assert!(enough.is_least());
        assert_eq!(enough.enough, U256::from(cost) * U256::from(10_000));
        let half = surcharge(50 * cost, GAS, ARBITRUM);
        assert_eq!(half.now, Some(ratio(2, 100)));
        assert!(!half.is_least());
        // Twice the price for less than a redemption is still an offer while gas is cheaper than ever.
        assert_eq!(surcharge(cost, GAS, ARBITRUM).now, Some(ratio(1, 1)));
    }

    #[test]
    fn too_little_is_no_offer() {
        assert_eq!(surcharge(0, 7, 31337).now, None);
        assert_eq!(surcharge(TICKET_VALUE - 1, 7, 31337).now, None);
        assert!(surcharge(TICKET_VALUE, 7, 31337).now.is_some());
        // A winner would be worth less than redeeming it.
        let dear = 100_000_000_000;
        assert_eq!(
            surcharge(350_000 * 3_000_000_000 - 1, dear, 31337).now,
            None
        );
    }

    #[test]
    fn percents_are_cut() {
        assert_eq!(percent(&ratio(1, 100)), "1 %");
        assert_eq!(percent(&ratio(245, 1_000_000)), "0.024 %");
        assert_eq!(percent(&ratio(5, 2)), "250 %");
        assert_eq!(percent(&ratio(1, 1_000_000_000)), "under 0.001 %");
        assert_eq!(percent(&ratio(0, 1)), "0 %");
    }
}
