//! `Retry-After`: how long an orchestrator asks to be left alone (RFC 9110 §10.2.3).
//!
//! go-livepeer sends none; the proxies that operators put before it do. It is a stranger's word: what is no number of seconds and no
//! date counts as not said, and nobody is left alone for longer than [`LONGEST`] because he says so. Whether the orchestrator
//! rests at all, and for how long of it, is the failover policy's to say.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// The most that is believed.
const LONGEST: Duration = Duration::from_secs(600);

/// What the answer asks for; `now_ms` is unix time. A date that has passed asks for nothing.
pub(super) fn read(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let after = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than is believed, too.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let now = UNIX_EPOCH + Duration::from_millis(now_ms);
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or_default()
    };
    (!after.is_zero()).then(|| after.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// 2026-01-01 00:00:00 UTC.
    const NEW_YEAR_MS: u64 = 1_767_225_600_000;

    fn asked(text: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).expect("a header"));
        let after = read(&headers, NEW_YEAR_MS)?;
        Some(u64::try_from(after.as_millis()).expect("capped"))
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(asked("7"), Some(7000));
        assert_eq!(asked(" 120 "), Some(120_000));
        assert_eq!(asked("Thu, 01 Jan 2026 00:00:30 GMT"), Some(30_000));
        assert_eq!(asked("Thursday, 01-Jan-26 00:00:30 GMT"), Some(30_000));
        assert_eq!(read(&HeaderMap::new(), NEW_YEAR_MS), None);
    }

    #[test]
    fn nobody_is_left_alone_for_ever() {
        let longest = Some(600_000);
        assert_eq!(asked("86400"), longest);
        assert_eq!(asked("99999999999999999999999999"), longest);
        assert_eq!(asked("Fri, 01 Jan 2100 00:00:00 GMT"), longest);
    }

    #[test]
    fn what_says_nothing_asks_for_nothing() {
        for text in [
            "0",
            "",
            "-5",
            "1.5",
            "soon",
            "Wed, 31 Dec 2025 23:59:59 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Thu, 99 Jan 2026 00:00:00 GMT",
        ] {
            assert_eq!(asked(text), None, "{text:?}");
        }
    }
}
