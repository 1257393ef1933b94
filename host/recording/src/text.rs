//! Numbers and times for people to read.

use std::time::{Duration, UNIX_EPOCH};

use pointsman_policy::Shown;

/// A moment, from unix ms.
pub(crate) fn time(unix_ms: u64) -> String {
    // Its year has five digits beyond this, and no clock is there.
    const LAST_MS: u64 = 253_402_300_799_000;
    let moment = UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS));
    humantime::format_rfc3339_millis(moment).to_string()
}

/// A share, in per cent.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        _ => format!("{:.1} %", part as f64 / whole as f64 * 100.0),
    }
}

/// What a column held.
pub(crate) fn shown(shown: Shown) -> String {
    match shown {
        Shown::Unknown => "unknown".to_owned(),
        Shown::Number(value) => number(value),
        Shown::Count(value) => value.to_string(),
        Shown::Mark(true) => "yes".to_owned(),
        Shown::Mark(false) => "no".to_owned(),
        Shown::Symbol(value) => format!("{value:016x}"),
    }
}

/// A float with as many digits as are worth reading.
pub(crate) fn number(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 1000.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:e}"),
    };
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (1200.0, "1200"),
            (12.5, "12.5"),
            (0.8312, "0.8312"),
            (0.5, "0.5"),
            (1e-9, "1e-9"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn any_time_can_be_shown() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert!(time(u64::MAX).starts_with("9999-12-31"));
    }
}
