//! Whole numbers.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A parser of whole numbers within a range.
pub(in crate::config) fn within<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let (least, most) = (range.start(), range.end());
            Err(format!(
                "`{text}` is not a whole number from {least} to {most}"
            ))
        }
    }
}

/// A parser of counts from 1 to `most`.
pub(in crate::config) fn count(most: u32) -> impl Fn(&str) -> Result<NonZeroU32, String> {
    count_from(1, most)
}

/// A parser of counts from `least`, which is above 0, to `most`.
pub(in crate::config) fn count_from(
    least: u32,
    most: u32,
) -> impl Fn(&str) -> Result<NonZeroU32, String> {
    move |text| {
        let number = within(least..=most)(text)?;
        NonZeroU32::new(number).ok_or_else(|| format!("`{text}` is not above 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_names_the_range() {
        for text in ["0", "21", "-1", "1.5", "auto", "99999999999"] {
            let message = format!("`{text}` is not a whole number from 1 to 20");
            assert_eq!(count(20)(text), Err(message));
        }
        assert_eq!(count(20)("20").map(NonZeroU32::get), Ok(20));
    }
}
