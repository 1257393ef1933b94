//! The name of a policy: of its folder, crate, component and bundle at once.

/// A name that all of them can have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// The name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has other characters, or too many.
    #[error(
        "\"{0}\" cannot be a policy's name: it has 1 to {MOST} of a-z, 0-9 and -, and begins with a letter, such as eu-first"
    )]
    Form(String),
    /// It means something to the compiler or to the sdk.
    #[error(
        "\"{0}\" cannot be a policy's name: it already means something to Rust, the sdk or a bundle; try {0}-policy"
    )]
    Taken(String),
    /// The gateway comes with a policy of that name.
    #[error(
        "\"{0}\" is the name of a policy that the gateway comes with: use that with builtin = \"{0}\" in a bundle, or try my-{0}"
    )]
    Builtin(String),
}

/// Longest name, bytes.
const MOST: usize = 48;

/// Words of the language, crates that are always there, and what the sdk is built from.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "pointsman-sdk",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "wit-bindgen",
    "yield",
    // Names of the sdk's prelude, which the policy's type would hide.
    "attempt",
    "bargain",
    "because",
    "blame",
    "byoc",
    "candidates",
    "cause",
    "change",
    "counts",
    "fact",
    "failover",
    "failure",
    "job",
    "job-fact",
    "marks",
    "numbers",
    "patience",
    "plan",
    "policy",
    "price",
    "price-fact",
    "prices",
    "recovery",
    "remedy",
    "request",
    "reverse",
    "rng",
    "routing",
    "row",
    "selection",
    "settings",
    "symbol",
    "symbols",
    "text",
    "verdict",
    "option",
    "some",
    "none",
    "result",
    "ok",
    "err",
    "vec",
    "string",
];

/// Policies that the gateway comes with.
const BUILTIN: &[&str] = &[
    "allow-block",
    "byoc-rules",
    "capability",
    "failover-hedging",
    "failover-standard",
    "go-livepeer-probability",
    "least-busy",
    "lowest-latency",
    "lowest-price",
    "naap-plan",
    "power-of-two",
    "price-ceiling",
    "rank",
    "region",
    "spend-budget",
    "sticky",
];

// === impl Name ===

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`NameError`], saying what one looks like.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let form = (1..=MOST).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !form || text.ends_with('-') || text.contains("--") {
            return Err(NameError::Form(text.to_owned()));
        }
        if BUILTIN.contains(&text) {
            return Err(NameError::Builtin(text.to_owned()));
        }
        if TAKEN.contains(&text) {
            return Err(NameError::Taken(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the Rust type: `eu-first` is `EuFirst`.
    pub(crate) fn type_name(&self) -> String {
        let words = self.0.split('-');
        words
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_ascii_uppercase() + rest
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_crates_and_a_bundles() {
        for good in ["a", "eu-first", "x2", "night-owl-3"] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "2x",
            "-a",
            "a-",
            "a--b",
            "Eu",
            "eu_first",
            "../a",
            "a b",
            &"a".repeat(49),
        ] {
            assert!(matches!(Name::parse(bad), Err(NameError::Form(_))), "{bad}");
        }
        for taken in ["test", "score-policy-is-not", "pointsman-sdk", "price"] {
            let parsed = Name::parse(taken);
            assert_eq!(parsed.is_ok(), taken == "score-policy-is-not", "{taken}");
        }
        assert_eq!(
            Name::parse("night-owl-3").expect("a name").type_name(),
            "NightOwl3"
        );
    }

    #[test]
    fn names_of_the_gateways_own_policies_are_refused_with_what_to_write() {
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
        let mut own: Vec<String> = std::fs::read_dir(policies)
            .expect("the gateway's policies")
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.join("Cargo.toml").exists())
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        own.sort_unstable();
        assert_eq!(own, BUILTIN, "the list is that of policies/");
        for name in own {
            let error = Name::parse(&name).expect_err("it is taken");
            assert!(matches!(error, NameError::Builtin(_)), "{error}");
            let words = format!("builtin = \"{name}\"");
            assert!(error.to_string().contains(&words), "{error}");
            assert!(Name::parse(&format!("my-{name}")).is_ok(), "{name}");
        }
    }
}
