//! Lengths of time.

use std::time::Duration;

use humantime::{format_duration, parse_duration};

/// A parser of durations from `least` to `most`, both included: `2s`, `1.5s`, `500ms`, `1m30s`. A bare number is
/// refused, since half of all programs mean milliseconds by it.
pub(in crate::config) fn between(
    least: Duration,
    most: Duration,
) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| {
        if text.parse::<f64>().is_ok_and(|number| number != 0.0) {
            return Err(format!("`{text}` has no unit: write {text}s or {text}ms"));
        }
        let duration = parse_duration(text)
            .map_err(|_| format!("`{text}` is not a duration such as 2s, 500ms or 1m30s"))?;
        if !(least..=most).contains(&duration) {
            let (least, most) = (format_duration(least), format_duration(most));
            return Err(format!("{text} is not within {least} to {most}"));
        }
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn go_spellings_are_durations() {
        for (text, ms) in [
            ("2s", 2000),
            ("1.5s", 1500),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("0s", 0),
            ("0", 0),
        ] {
            let parse = between(Duration::ZERO, 100 * SECOND);
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, message) in [
            ("2", "`2` has no unit: write 2s or 2ms"),
            (
                "2 parsecs",
                "`2 parsecs` is not a duration such as 2s, 500ms or 1m30s",
            ),
            ("-1s", "`-1s` is not a duration such as 2s, 500ms or 1m30s"),
            ("2m", "2m is not within 1s to 1m"),
        ] {
            let parse = between(SECOND, 60 * SECOND);
            assert_eq!(parse(text), Err(message.to_owned()));
        }
    }
}
