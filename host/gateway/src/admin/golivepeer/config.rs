//! What streams get, and what they may cost.

use axum::extract::State;
use pointsman_payments::Ratio;
use pointsman_payments::price::{Currency, Quote, Wanted, Work, capability_named};
use pointsman_wire::profile::{PRESETS, Profile, preset};
use std::num::NonZeroU64;

use super::answer::{Json, Object, Text, list, quoted};
use super::form::Form;
use super::{AdminState, Fault};

/// Longest number, in bytes.
const MAX_NUMBER: usize = 80;

pub(super) async fn get(State(state): State<AdminState>) -> Result<Json, Fault> {
    let ceiling = state.prices.of([], Work::Running, now(&state));
    let ceiling = ceiling.map_err(|error| Fault::internal(error.to_string()))?;
    let price = ceiling.map_or_else(
        || "null".to_owned(),
        |price| quoted(&price.wei().to_string()),
    );
    let names: Vec<String> = state
        .profiles
        .get()
        .iter()
        .map(|profile| profile.name.as_str().to_owned())
        .collect();
    let config = Object::default()
        .json("MaxPrice", price)
        .text("TranscodingOptions", &names.join(","));
    Ok(Json(config.end()))
}

pub(super) async fn set(State(state): State<AdminState>, form: Form) -> Result<Text, Fault> {
    let (price, pixels) = (form.get("maxPricePerUnit"), form.get("pixelsPerUnit"));
    let options = form.get("transcodingOptions");
    let has_price = !price.is_empty() && !pixels.is_empty();
    if !has_price && options.is_empty() {
        let message =
            "missing form params (maxPricePerUnit AND pixelsPerUnit) or transcodingOptions";
        return Err(Fault::request(message));
    }
    // Both are read before one of them is set.
    let quote = match has_price {
        true => Some(quote(&state, price, pixels, form.get("currency"))?),
        false => None,
    };
    let profiles = match options {
        "" => None,
        options => Some(profiles(options)?),
    };
    if let Some(quote) = quote {
        tracing::info!(?quote, "the maximum price is set");
        state.prices.set_everything(quote);
    }
    if let Some(profiles) = profiles {
        tracing::info!(options, "the renditions of new streams are set");
        state.profiles.set(profiles);
    }
    Ok(Text(String::new()))
}

pub(super) async fn options() -> Json {
    Json(list(PRESETS.iter().map(|(name, ..)| quoted(name))))
}

pub(super) async fn set_capability(
    State(state): State<AdminState>,
    form: Form,
) -> Result<Text, Fault> {
    form.need(&[
        "maxPricePerUnit",
        "pixelsPerUnit",
        "currency",
        "pipeline",
        "modelID",
    ])?;
    let (pipeline, model) = (form.get("pipeline"), form.get("modelID"));
    let capability = capability_named(pipeline);
    let capability = capability.ok_or_else(|| Fault::request("pipeline not supported"))?;
    let (price, pixels) = (form.get("maxPricePerUnit"), form.get("pixelsPerUnit"));
    let quote = quote(&state, price, pixels, form.get("currency"))?;
    let quote =
        quote.ok_or_else(|| Fault::request(format!("pricePerPixel needs to be > 0: {price}")))?;
    tracing::info!(pipeline, model, %quote, "the maximum price of a model is set");
    state.prices.set(Wanted { capability, model }, Some(quote));
    Ok(Text(String::new()))
}

/// A price that can be kept now; `None` for one that is not above 0.
fn quote(
    state: &AdminState,
    price: &str,
    pixels: &str,
    currency: &str,
) -> Result<Option<Quote>, Fault> {
    let amount = number(price)
        .ok_or_else(|| Fault::request(format!("Error parsing pricePerUnit value: {price}")))?;
    let units = number(pixels)
        .ok_or_else(|| Fault::request(format!("Error parsing pixelsPerUnit value: {pixels}")))?;
    let zero = Ratio::from_integer(0.into());
    if units <= zero {
        let message = format!("pixels per unit must be greater than 0, provided {pixels}");
        return Err(Fault::request(message));
    }
    let per_unit = amount / units;
    if per_unit <= zero {
        return Ok(None);
    }
    let converting = |why: String| Fault::request(format!("error converting price: {why}"));
    let currency: Currency = currency
        .trim()
        .parse()
        .map_err(|error: pointsman_payments::price::QuoteError| converting(error.to_string()))?;
    let quote = Quote::new(per_unit, currency, NonZeroU64::MIN);
    let quote = quote.map_err(|error| converting(error.to_string()))?;
    if let Some(quote) = &quote {
        let checked = state.prices.check(quote, now(state));
        checked.map_err(|error| converting(error.to_string()))?;
    }
    Ok(quote)
}

/// A number as Go reads a ratio: `3/2`, `0.5`, `1e3`.
fn number(text: &str) -> Option<Ratio> {
    if text.len() > MAX_NUMBER {
        return None;
    }
    match text.split_once('/') {
        Some(_) => text.parse().ok(),
        None => {
            let (sign, digits) = match text.strip_prefix('-') {
                Some(digits) => (-1, digits),
                None => (1, text),
            };
            let plain = digits.bytes().all(|byte| {
                byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
            });
            let read = Quote::parse(digits, NonZeroU64::MIN)
                .ok()
                .filter(|_| plain)?;
            let amount = match read {
                Some(quote) => quote.price(None).ok()?.wei().clone(),
                None => Ratio::from_integer(0.into()),
            };
            Some(amount * Ratio::from_integer(sign.into()))
        }
    }
}

fn profiles(options: &str) -> Result<Vec<Profile>, Fault> {
    let names = options.split(',').map(str::trim);
    names
        .map(preset)
        .collect::<Result<_, _>>()
        .map_err(|error| Fault::request(format!("invalid transcoding options: {options}: {error}")))
}

fn now(state: &AdminState) -> u64 {
    state.directory.clock().unix_ms() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ratios() {
        let ratio = |num: i64, den: i64| Some(Ratio::new(num.into(), den.into()));
        for (text, read) in [
            ("3/2", ratio(3, 2)),
            ("0.5", ratio(1, 2)),
            ("1e3", ratio(1000, 1)),
            ("-1", ratio(-1, 1)),
            ("0", ratio(0, 1)),
            ("1/0", None),
            ("x", None),
            ("", None),
            ("1USD", None),
            ("5eth", None),
        ] {
            assert_eq!(number(text), read, "{text}");
        }
    }
}
