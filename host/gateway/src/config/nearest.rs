//! The nearest right name.

/// Names less alike than this are not worth offering.
const ALIKE: f64 = 0.6;
/// No name is longer; the comparison is quadratic, so longer texts are not compared.
const MAX_BYTES: usize = 64;

/// The candidate spelled most like `name`, if any is near. Case, dashes and underscores do not count, so that
/// `HTTP_ADDR`, `httpaddr` and `http-addr` are one.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > MAX_BYTES {
        return None;
    }
    let wanted = folded(name);
    candidates
        .into_iter()
        .map(|candidate| {
            let alike = strsim::normalized_damerau_levenshtein(&wanted, &folded(candidate));
            (candidate, alike)
        })
        .filter(|&(_, alike)| alike >= ALIKE)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(candidate, _)| candidate)
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["http-addr", "orch-addr", "policy", "max-sessions"];

    #[test]
    fn spelling_and_typing_errors_find_their_name() {
        for (wrong, right) in [
            ("http_addr", "http-addr"),
            ("httpAddr", "http-addr"),
            ("http-address", "http-addr"),
            ("orch-adr", "orch-addr"),
            ("polcy", "policy"),
            ("max-session", "max-sessions"),
        ] {
            assert_eq!(nearest(wrong, NAMES), Some(right), "{wrong}");
        }
    }

    #[test]
    fn nothing_near_is_nothing_offered() {
        assert_eq!(nearest("frobnicate", NAMES), None);
        assert_eq!(nearest("", NAMES), None);
        assert_eq!(nearest(&"http-addr".repeat(1000), NAMES), None);
    }
}
