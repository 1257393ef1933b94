//! Settings of where orchestrators come from on a chain, and of who is left out.

use pointsman_directory::FromRegistry;

use super::{problems, settings};
use crate::config::Settings;

const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);

fn on_chain(words: &str) -> Settings {
    let chain = "-network arbitrum-one-mainnet -ethUrl https://rpc -ethPassword s3cret";
    let words = format!("{chain} -ethKeystorePath {KEYSTORE} {words}");
    settings(&words, &[])
}

fn registry(words: &str) -> Option<FromRegistry> {
    on_chain(words).orchestrators.registry
}

#[test]
fn on_a_chain_the_registry_is_the_source_unless_others_are_given() {
    let strict = Some(FromRegistry::default());
    assert_eq!(registry(""), strict);
    assert_eq!(registry("--orch-addr a"), None);
    assert_eq!(registry("--orch-webhook-url http://a"), None);
    assert_eq!(registry("--orch-addr a --orch-registry"), strict);
    assert_eq!(registry("--orch-registry=false"), None);
    let own = registry("--orch-allow-private").expect("taken");
    assert!(own.allow_private);
    assert_eq!(settings("", &[]).orchestrators.registry, None);
    let none = |settings: Settings| {
        let mut notices = settings.notices.into_iter();
        notices.any(|notice| notice.starts_with("no orchestrators"))
    };
    assert!(!none(on_chain("")) && none(on_chain("--orch-registry=false")));
}

#[test]
fn private_addresses_are_not_allowed_for_nothing() {
    let words = format!(
        "-network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath {KEYSTORE} --orch-addr a --orch-allow-private"
    );
    let problem = &problems(&words, &[])[0];
    assert!(
        problem.contains("whom you list may be anywhere"),
        "{problem}"
    );
}

#[test]
fn the_blocklist_takes_uris_and_accounts() {
    let account = "0xD8E8328501E9645d16Cf49539efC04f734606ee4";
    let bare = account[2..].to_lowercase();
    let words = format!("-orchBlocklist a,{account},{bare},https://a:8935");
    let list = settings(&words, &[]).orchestrators.blocklist;
    assert_eq!((list.uris.len(), list.accounts.len()), (1, 1));
    let blocked = list.accounts.first().expect("one");
    assert_eq!(blocked.to_string(), account);
}

#[test]
fn scores_are_of_one_region_in_capitals() {
    let words = "-orchPerfStatsUrl https://stats.example -region fra -minPerfScore 0.25";
    let known = settings(words, &[]).orchestrators;
    let (url, region) = known.leaderboard.expect("a leaderboard");
    assert_eq!(
        (url.as_str(), region.as_str()),
        ("https://stats.example/", "FRA")
    );
    assert!((known.least_perf - 0.25).abs() < f64::EPSILON);
    let without = settings("-region fra -minPerfScore 0.25", &[]);
    assert!(without.orchestrators.leaderboard.is_none());
    let notices = without.notices.join("\n");
    assert!(
        notices.contains("min-perf-score has no effect"),
        "{notices}"
    );
}
