//! What a job will cost, before it is done.
//!
//! # Contract
//!
//! A [`Fee`] is an estimate in units of work and in wei, exact for what it estimates. It decides how much credit an
//! orchestrator must hold before the job is sent, and it is what live video and AI jobs are charged; a segment is charged
//! for the pixels that came back ([`encoded`]). Numbers that no real job has saturate: the caps refuse them.
//!
//! | job | units | module |
//! |---|---|---|
//! | transcoding | pixels of all renditions, and 2 % for what rounds up | [`video`] |
//! | batch AI, LLM, speech | by pipeline | [`ai::Work`] |
//! | live video | 27 648 000 pixels a second, whatever the stream | [`live::Meter`] |
//! | containers | seconds | [`byoc`] |
//!
//! Protocol: `payments` §5.

pub mod ai;
pub mod byoc;
pub mod live;

use num_bigint::BigInt;
use pointsman_wire::amount::Ratio;
use pointsman_wire::limits::DEFAULT_SEGMENT;
use pointsman_wire::profile::Profile;

use crate::price::Price;

/// Frame rate that is reckoned with where a rendition keeps the source's.
const PASSED_THROUGH: u64 = 60;

/// 1.02 as go-livepeer has it: the nearest binary double. Orchestrators do not check fees, but two gateways that share a
/// sender should not differ by a ticket.
const OVER_NUMERATOR: u64 = 2_296_835_809_958_953;
const OVER_DENOMINATOR: u64 = 2_251_799_813_685_248;

/// An estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Units of work: pixels, seconds, tokens and the like.
    pub units: u64,
    /// What they cost, in wei.
    pub wei: Ratio,
}

/// What a segment of `duration_ms` costs. 0 ms counts as 2000, as for orchestrators.
#[must_use]
pub fn video(profiles: &[Profile], duration_ms: u32, price: &Price) -> Fee {
    let units = pixels(profiles, duration_ms);
    let over = Ratio::new_raw(BigInt::from(OVER_NUMERATOR), BigInt::from(OVER_DENOMINATOR));
    Fee {
        units,
        wei: price.of(units) * over,
    }
}

/// Pixels that a segment's renditions will have, frame rates and seconds rounded up.
#[must_use]
pub fn pixels(profiles: &[Profile], duration_ms: u32) -> u64 {
    let duration = match duration_ms {
        0 => DEFAULT_SEGMENT.as_millis() as u64,
        duration => u64::from(duration),
    };
    let seconds = duration.div_ceil(1000);
    let of = |profile: &Profile| {
        let rate = match profile.fps {
            0 => PASSED_THROUGH,
            fps => u64::from(fps.div_ceil(profile.fps_den.max(1))),
        };
        u64::from(profile.width)
            .saturating_mul(profile.height.into())
            .saturating_mul(rate)
            .saturating_mul(seconds)
    };
    profiles.iter().map(of).fold(0, u64::saturating_add)
}

/// What a segment cost after all: for the pixels that the orchestrator says it encoded, in wei.
#[must_use]
pub fn encoded(pixels: u64, price: &Price) -> Ratio {
    price.of(pixels)
}

// === impl Fee ===

impl Fee {
    /// `units` at a price, no more and no less.
    #[must_use]
    pub fn of(units: u64, price: &Price) -> Self {
        Self {
            units,
            wei: price.of(units),
        }
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::net::PriceInfo;
    use pointsman_wire::profile::presets;

    use super::*;

    fn price(wei: i64, units: i64) -> Price {
        Price::read(Some(&PriceInfo {
            price_per_unit: wei,
            pixels_per_unit: units,
            ..PriceInfo::default()
        }))
        .expect("a price")
    }

    /// The recorded run: two seconds of 256x144 and 426x240 at 30, 1000153/1000 wei a pixel, tickets of 8e9: two tickets.
    #[test]
    fn the_recorded_segment_costs_what_was_paid_for_it() {
        let profiles = presets("P144p30fps16x9,P240p30fps16x9").expect("presets");
        let fee = video(&profiles, 2000, &price(1_000_153, 1000));
        assert_eq!(fee.units, (256 * 144 + 426 * 240) * 30 * 2);
        let tickets = (fee.wei / BigInt::from(8_000_000_000_u64)).ceil();
        assert_eq!(tickets, Ratio::from_integer(2.into()));
    }

    #[test]
    fn rounding_is_up_and_the_factor_is_gos() {
        let mut profile = presets("P144p30fps16x9").expect("presets").remove(0);
        let pixels_of = |fps, fps_den, duration| {
            profile.fps = fps;
            profile.fps_den = fps_den;
            pixels(std::slice::from_ref(&profile), duration) / (256 * 144)
        };
        let mut of = pixels_of;
        assert_eq!(of(30, 1, 2000), 60);
        assert_eq!(of(30, 0, 2001), 90);
        assert_eq!(of(30_000, 1001, 1), 30);
        assert_eq!(of(0, 0, 1000), 60);
        assert_eq!(of(30, 1, 0), 60);
        profile.fps = u32::MAX;
        assert_eq!(pixels(&vec![profile; 64], u32::MAX), u64::MAX);

        let one = presets("P144p30fps16x9").expect("presets");
        let fee = video(&one, 1000, &price(1, 1));
        let pixels = 256 * 144 * 30;
        let expected = Ratio::new(
            BigInt::from(pixels) * BigInt::from(OVER_NUMERATOR),
            OVER_DENOMINATOR.into(),
        );
        assert_eq!(fee.wei, expected);
        // The double's bits: nothing else is as close to 1.02.
        assert_eq!(OVER_NUMERATOR as f64 / OVER_DENOMINATOR as f64, 1.02);
        assert_eq!(encoded(7, &price(1, 3)), Ratio::new(7.into(), 3.into()));
    }
}
