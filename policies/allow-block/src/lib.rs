//! Lets through or keeps out orchestrators by identity, region and label.
//!
//! # Contract
//!
//! On a block list is out. Where an allow list is set, not on it is out, and so is the unknown: a list that lets through what it
//! cannot see is none. Several allow lists must all be met. The lists compare symbols, so case does not matter.
//!
//! # Why identities are checked for their spelling
//!
//! An entry with a slash too many would match nobody, and nobody would notice until the orchestrator that was blocked gets the
//! next job. So what cannot be a service URI in its normal form is refused when the bundle is loaded.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// One column against its two lists.
#[derive(Debug)]
struct Gate {
    of: Symbols,
    allow: Vec<Symbol>,
    block: Vec<Symbol>,
    not_allowed: Cause,
    blocked: Cause,
}

/// Filters by lists.
#[derive(Debug)]
pub struct AllowBlock(Vec<Gate>);

// === impl AllowBlock ===

impl Policy for AllowBlock {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let (allow, block) = (identities(settings, "allow"), identities(settings, "block"));
        let regions = (
            settings.texts("allow-regions"),
            settings.texts("block-regions"),
        );
        let key = settings.text("label");
        let labels = (
            settings.texts("allow-labels"),
            settings.texts("block-labels"),
        );
        let column = match &key {
            Some(key) => {
                let mut column = String::from("label/");
                column.push_str(&key.text);
                column
            }
            None => {
                if !labels.0.is_empty() || !labels.1.is_empty() {
                    settings.problem("label", "say which label the lists of labels are about");
                }
                String::new()
            }
        };
        let gates = [
            ("id", allow, block),
            ("region", regions.0, regions.1),
            (&*column, labels.0, labels.1),
        ];
        let gates = gates.into_iter().filter(|(name, allow, block)| {
            !name.is_empty() && (!allow.is_empty() || !block.is_empty())
        });
        Self(
            gates
                .map(|(name, allow, block)| Gate::new(plan, name, allow, block))
                .collect(),
        )
    }
}

impl Selection for AllowBlock {
    fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
        if self.0.is_empty() {
            return Verdict::Abstain;
        }
        let out = |row: Row<'_>| self.0.iter().find_map(|gate| gate.closed_to(row));
        candidates.exclude(out).verdict()
    }
}

// === impl Gate ===

impl Gate {
    fn new(plan: &mut Plan, name: &str, allow: Vec<Text>, block: Vec<Text>) -> Self {
        let symbols = |texts: Vec<Text>| texts.into_iter().map(|text| text.symbol).collect();
        let (not_allowed, blocked) = match name {
            "id" => ("not on the allow list", "on the block list"),
            "region" => ("not in an allowed region", "in a blocked region"),
            _ => ("without an allowed label", "with a blocked label"),
        };
        let of = plan.symbols(name);
        Self {
            of,
            allow: symbols(allow),
            block: symbols(block),
            not_allowed: plan.cause_of(not_allowed, of),
            blocked: plan.cause_of(blocked, of),
        }
    }

    fn closed_to(&self, row: Row<'_>) -> Option<Cause> {
        let value = row.or(self.of, 0);
        if value != 0 && self.block.contains(&value) {
            Some(self.blocked)
        } else if self.allow.is_empty() || (value != 0 && self.allow.contains(&value)) {
            None
        } else {
            Some(self.not_allowed)
        }
    }
}

/// The setting `key`, each entry in the form that identities have.
fn identities(settings: &mut Settings, key: &'static str) -> Vec<Text> {
    let entries = settings.texts(key);
    let normal = |text: &str| {
        let rest = text
            .strip_prefix("https://")
            .map(|rest| (rest, ":443"))
            .or_else(|| text.strip_prefix("http://").map(|rest| (rest, ":80")));
        match rest {
            Some((rest, own_port)) => {
                !rest.is_empty() && !rest.ends_with('/') && !rest.ends_with(own_port)
            }
            // An address of the chain.
            None => text.starts_with("0x"),
        }
    };
    if entries.iter().any(|entry| !normal(&entry.text)) {
        let how = "must be service URIs as the gateway shows them: https://host:8935, no / at the end, no port 443";
        settings.problem(key, how);
    }
    entries
}

export!(AllowBlock, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::Value;
    use pointsman_sdk::testing::{self, Outcome, Table};

    use super::*;

    fn judge(settings: &[(&'static str, &[&str])]) -> Outcome {
        let table = Table::new()
            .symbols("id", ["https://a:8935", "https://b:8935", "https://c:8935"])
            .symbols("region", ["fra", "", "nyc"])
            .symbols("label/tier", ["gold", "", "trial"]);
        let lists = settings
            .iter()
            .map(|&(key, texts)| (key, testing::texts(texts)));
        let label = ("label", testing::text("tier"));
        testing::selection::<AllowBlock>(lists.chain([label])).judge(&table)
    }

    #[test]
    fn an_allow_list_keeps_out_the_rest_and_the_unknown() {
        assert_eq!(
            judge(&[("allow", &["https://A:8935", "https://c:8935"])]).order,
            [0, 2]
        );
        assert_eq!(judge(&[("allow-regions", &["fra", "ams"])]).order, [0]);
        assert_eq!(judge(&[("allow-labels", &["trial"])]).order, [2]);
    }

    #[test]
    fn a_block_list_keeps_out_only_what_is_on_it() {
        assert_eq!(judge(&[("block", &["https://b:8935"])]).order, [0, 2]);
        let outcome = judge(&[("block-regions", &["nyc"]), ("block-labels", &["gold"])]);
        assert_eq!(outcome.order, [1]);
        let causes = [(0, "with a blocked label"), (2, "in a blocked region")];
        assert_eq!(
            outcome.excluded,
            causes.map(|(row, cause)| (row, cause.to_owned()))
        );
    }

    #[test]
    fn all_lists_must_be_met_and_blocked_beats_allowed() {
        let lists: [(&str, &[&str]); 3] = [
            ("allow", &["https://a:8935", "https://b:8935"]),
            ("block", &["https://a:8935"]),
            ("allow-regions", &["fra"]),
        ];
        assert_eq!(judge(&lists).order, [0; 0]);
        assert_eq!(judge(&lists[..1]).order, [0, 1]);
    }

    #[test]
    fn without_lists_there_is_no_opinion_and_no_column() {
        let policy = testing::selection::<AllowBlock>([]);
        assert_eq!(policy.judge(&Table::of(2)).verdict, Verdict::Abstain);
        assert!(policy.columns().is_empty());
    }

    #[test]
    fn what_would_match_nobody_is_refused() {
        let problems = |entry: &str| {
            testing::problems::<AllowBlock>([("block", testing::texts(&[entry]))]).len()
        };
        for good in [
            "https://a:8935",
            "http://10.0.0.1",
            "https://a/base",
            "0xabc",
        ] {
            assert_eq!(problems(good), 0, "{good}");
        }
        for bad in [
            "a:8935",
            "https://a:8935/",
            "https://a:443",
            "http://a:80",
            "https://",
            "",
        ] {
            assert_eq!(problems(bad), 1, "{bad}");
        }
        let lost = [("allow-labels", Value::Texts(vec![("gold".to_owned(), 1)]))];
        let said = testing::problems::<AllowBlock>(lost);
        assert_eq!(
            said,
            ["label: say which label the lists of labels are about"]
        );
    }
}
