//! Live video: paid by the clock, before the time has passed and while it does.
//!
//! The network bills every stream as 1280x720 at 30 frames a second. A minute is paid with the request that starts it; from
//! then on, whatever time has gone by since the last payment. Whole pixels are paid, and what is left of one is carried
//! over, so that many small payments add up to one large one.

use std::time::Duration;

use crate::fee::Fee;
use crate::price::Price;

/// Pixels of a second.
pub const PIXELS_PER_SECOND: u64 = 1280 * 720 * 30;
/// What is paid with the request that starts a stream.
pub const PRELOAD: Duration = Duration::from_secs(60);
/// Shortest time between two payments.
pub const INTERVAL: Duration = Duration::from_secs(5);

const NANOS: u128 = 1_000_000_000;

/// What of a stream's time has been billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// Billionths of a pixel that are left over; below one pixel.
    carried: u128,
}

// === impl Meter ===

impl Meter {
    /// What is paid with the request that starts a stream: a minute.
    #[must_use]
    pub fn preload(price: &Price) -> Fee {
        Fee::of(PRELOAD.as_secs() * PIXELS_PER_SECOND, price)
    }

    /// What is paid for the time since the last call.
    pub fn lapse(&mut self, elapsed: Duration, price: &Price) -> Fee {
        let billionths = elapsed
            .as_nanos()
            .saturating_mul(PIXELS_PER_SECOND.into())
            .saturating_add(self.carried);
        self.carried = billionths % NANOS;
        Fee::of((billionths / NANOS).try_into().unwrap_or(u64::MAX), price)
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::amount::Ratio;
    use proptest::prelude::*;

    use super::*;

    fn price() -> Price {
        Price::new(Ratio::new(1_000_001.into(), 1000.into())).expect("a price")
    }

    #[test]
    fn a_minute_comes_first() {
        assert_eq!(Meter::preload(&price()).units, 1_658_880_000);
        assert_eq!(
            Meter::default().lapse(INTERVAL, &price()).units,
            138_240_000
        );
    }

    #[test]
    fn the_longest_time_saturates() {
        let fee = Meter::default().lapse(Duration::MAX, &price());
        assert_eq!(fee.units, u64::MAX);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(parts in prop::collection::vec(0u64..20_000_000_000, 0..20)) {
            let (mut meter, mut paid, mut cost) = (Meter::default(), 0, Ratio::from_integer(0.into()));
            for &nanos in &parts {
                let fee = meter.lapse(Duration::from_nanos(nanos), &price());
                paid += fee.units;
                cost += fee.wei;
            }
            let whole = Duration::from_nanos(parts.iter().sum());
            let at_once = Meter::default().lapse(whole, &price());
            prop_assert_eq!((paid, cost), (at_once.units, at_once.wei));
        }
    }
}
