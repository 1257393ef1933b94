//! Prices and ticket parameters, reckoned as go-livepeer reckons them.

use alloy::primitives::{Address, B256, U256};
use pointsman_wire::amount::{self, Ratio};
use pointsman_wire::net::PriceInfo;
use pointsman_wire::ticket::{Expiration, Params, RandSecret, rand_hash, win_prob};

use crate::chain::Standing;
use crate::payments::Payments;
use crate::price::Price;

/// For how many L1 blocks parameters hold.
const LIFE: u64 = 40;
/// A winner pays this many times what redeeming it costs, or this many times a ticket's worth.
const MULTIPLIER: u64 = 100;
/// What gas costs on average, in wei: 3 gwei.
const AVERAGE_GAS_PRICE: u64 = 3_000_000_000;
/// A deposit of so many times the winners that wait for redemption makes them count for nothing.
const DEPOSIT_RATIO: u64 = 3;
/// Adjusted prices are cut to thousandths of a wei.
const THOUSAND: u64 = 1000;

/// The sender's reserve, or what of it can be claimed, does not carry a single ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insufficient sender reserve")]
pub(crate) struct InsufficientReserve;

/// A price as a ratio; `None` for one that divides by 0.
pub(super) fn ratio(price: &PriceInfo) -> Option<Ratio> {
    let (wei, units) = (price.price_per_unit, price.pixels_per_unit);
    (units != 0).then(|| Ratio::new(wei.into(), units.into()))
}

/// So many times a price.
pub(super) fn times(price: PriceInfo, times: u32) -> PriceInfo {
    match ratio(&price) {
        Some(of_one) if times != 1 => info(&(of_one * Ratio::from_integer(times.into()))),
        _ => price,
    }
}

/// A price on the wire, in lowest terms.
pub(super) fn info(price: &Ratio) -> PriceInfo {
    PriceInfo {
        price_per_unit: i64::try_from(price.numer()).unwrap_or(i64::MAX),
        pixels_per_unit: i64::try_from(price.denom()).unwrap_or(i64::MAX),
        ..PriceInfo::default()
    }
}

/// What is asked for a pixel: what was set, and what redeeming adds to it.
pub(super) fn price(
    settings: &Payments,
    price: Option<Price>,
    standing: &Standing,
    pending: U256,
) -> Result<PriceInfo, InsufficientReserve> {
    let base = price.map(Price::info).and_then(|price| ratio(&price));
    let base = base.unwrap_or_else(|| Ratio::from_integer(0.into()));
    let base_info = info(&base);
    if !settings.adjust_price || base_info.price_per_unit == 0 {
        return Ok(base_info);
    }
    let face_value = face_value(settings, &base_info, standing, pending)?;
    let cost = cost(settings, settings.gas_price);
    let overhead = amount::whole(face_value + cost) / amount::whole(face_value);
    let thousandths = amount::floor(&(base * overhead * amount::whole(U256::from(THOUSAND))));
    let thousand = std::num::NonZeroU64::new(THOUSAND).expect("it is not 0");
    Ok(info(&amount::ratio(thousandths, thousand)))
}

/// What a winner pays. `pending` are the sender's winners that wait for redemption, in wei.
pub(super) fn face_value(
    settings: &Payments,
    price: &PriceInfo,
    standing: &Standing,
    pending: U256,
) -> Result<U256, InsufficientReserve> {
    if price.price_per_unit <= 0 {
        return Ok(U256::ZERO);
    }
    let ev = U256::from(settings.ticket_ev);
    let cost = cost(settings, settings.gas_price);
    let mut face_value = cost * U256::from(MULTIPLIER);
    if face_value < ev {
        face_value = ev * U256::from(MULTIPLIER);
    }
    face_value = face_value.min(max_float(standing, pending));
    if settings.max_face_value > 0 {
        face_value = face_value.min(U256::from(settings.max_face_value));
    }
    let dear = face_value < cost && face_value < self::cost(settings, AVERAGE_GAS_PRICE);
    if face_value < ev || dear {
        return Err(InsufficientReserve);
    }
    Ok(face_value)
}

/// Parameters, and in them the hash of a secret that nothing but the same parameters, price and sender give again.
#[expect(clippy::too_many_arguments, reason = "each goes into the HMAC")]
pub(super) fn make(
    secret: &RandSecret,
    recipient: Address,
    sender: Address,
    face_value: U256,
    seed: U256,
    price: &PriceInfo,
    settings: &Payments,
    standing: &Standing,
) -> Params {
    let mut params = Params {
        recipient,
        face_value,
        win_prob: win_prob(U256::from(settings.ticket_ev), face_value),
        recipient_rand_hash: B256::ZERO,
        seed,
        expiration_block: standing.l1Block.saturating_to::<u64>().saturating_add(LIFE),
        expiration: Some(expiration(standing)),
    };
    params.recipient_rand_hash = rand_hash(secret.recipient_rand(sender, &params, price));
    params
}

/// The last round that was initialized, or the one before where that has no hash.
fn expiration(standing: &Standing) -> Expiration {
    let round = standing.round.saturating_to::<u64>();
    match standing.roundHash.is_zero() {
        false => Expiration {
            round,
            block_hash: standing.roundHash,
        },
        true => Expiration {
            round: round.saturating_sub(1),
            block_hash: standing.previousRoundHash,
        },
    }
}

/// What redeeming costs, in wei.
fn cost(settings: &Payments, gas_price: u64) -> U256 {
    U256::from(settings.redeem_gas) * U256::from(gas_price)
}

/// What a sender can certainly pay one orchestrator: its share of the reserve, less what waits for redemption.
fn max_float(standing: &Standing, pending: U256) -> U256 {
    if standing.poolSize.is_zero() {
        return U256::ZERO;
    }
    let share = (standing.reserve + standing.claimedInRound) / standing.poolSize;
    let share = share.saturating_sub(standing.claimedByRecipient);
    let covered = pending.is_zero() || standing.deposit / pending >= U256::from(DEPOSIT_RATIO);
    match covered {
        true => share,
        false => share.saturating_sub(pending),
    }
}
