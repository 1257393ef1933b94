//! What a segment may cost, as policies and the purse are told.

use num_bigint::BigInt;
use num_traits::ToPrimitive as _;
use pointsman_dispatch::{StopReason, Stopped};
use pointsman_facts::Price;
use pointsman_payments::Ratio;
use pointsman_payments::price::{self, Wanted, Work};
use pointsman_wire::net::Capabilities;

use super::{Stream, Transcoder};

// === impl Transcoder ===

impl Transcoder {
    /// The operator's ceiling for the next segment of `stream`; `None` is any price. A stream that was served runs: it goes on while the price
    /// feed is silent.
    pub(super) fn max_price(&self, stream: &Stream) -> Result<Option<Price>, Stopped> {
        let work = match stream.sessions().incumbent() {
            Some(_) => Work::Running,
            None => Work::New,
        };
        let now = self.dispatcher.directory().clock().unix_ms() / 1000;
        let required = stream.required();
        match self.prices.of(wanted(required), work, now) {
            Ok(ceiling) => Ok(ceiling.as_ref().map(rounded_down)),
            Err(_) if !self.dispatcher.price_is_hard() => Ok(None),
            Err(error) => Err(Stopped {
                reason: StopReason::Unpaid,
                status: None,
                message: error.to_string(),
                failure: None,
                decision: None,
                attempts: 0,
            }),
        }
    }
}

/// The models that are asked for: each has a price of its own. Transcoding asks for none.
fn wanted(required: &Capabilities) -> impl Iterator<Item = Wanted<'_>> {
    let constraints = required.constraints.iter();
    let capabilities = constraints.flat_map(|constraints| &constraints.per_capability);
    capabilities.flat_map(|(&capability, constraints)| {
        constraints
            .models
            .keys()
            .map(move |model| Wanted { capability, model })
    })
}

/// A price as policies compare it. One that two 64-bit numbers do not hold is rounded down: a ceiling is never raised.
pub(super) fn rounded_down(price: &price::Price) -> Price {
    let (num, den) = (price.wei().numer(), price.wei().denom());
    let exact = num.to_u64().zip(den.to_u64());
    if let Some(exact) = exact.and_then(|(num, den)| Price::new(num, den)) {
        return exact;
    }
    let scaled = |shift: u32| {
        let num: BigInt = (num << shift) / den;
        num.to_u64().and_then(|num| Price::new(num, 1 << shift))
    };
    let most = Price::new(u64::MAX, 1).unwrap_or(Price::FREE);
    (0..64).rev().find_map(scaled).unwrap_or(most)
}

/// The same, as it is paid.
pub(super) fn exact(price: Price) -> price::Price {
    let wei = Ratio::new(price.num.into(), price.den.get().into());
    price::Price::new(wei).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(num: &str, den: &str) -> price::Price {
        let number = |text: &str| text.parse::<BigInt>().expect("a number");
        price::Price::new(Ratio::new(number(num), number(den))).expect("not negative")
    }

    #[test]
    fn what_fits_stays_and_what_does_not_loses_less_than_a_trillionth() {
        let fits = rounded_down(&price("1000153", "1000"));
        assert_eq!((fits.num, fits.den.get()), (1_000_153, 1000));
        // A cent at 3000.12345678 USD for an ETH.
        let cent = price("1000000000000000000000000", "300012345678");
        let rounded = exact(rounded_down(&cent));
        assert!(rounded <= cent);
        let lost = (cent.wei() - rounded.wei()) / cent.wei();
        assert!(
            lost < Ratio::new(1.into(), 1_000_000_000_000_u64.into()),
            "{lost}"
        );
        let huge = price("100000000000000000000", "1");
        assert_eq!(rounded_down(&huge).num, u64::MAX);
    }

    proptest! {
        #[test]
        fn no_ceiling_is_raised(num: u128, den in 1u128..) {
            let wanted = price(&num.to_string(), &den.to_string());
            prop_assert!(exact(rounded_down(&wanted)) <= wanted);
        }
    }
}
