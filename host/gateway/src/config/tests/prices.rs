//! The most that work may cost, as operators write it.

use pointsman_payments::Ratio;
use pointsman_payments::price::{Rate, Wanted};

use super::{file, problems, settings};
use crate::config::Settings;

const TEXT_TO_IMAGE: u32 = 27;
const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);

/// Words of the command line, and the one problem they make.
const FLAGS: &[(&str, &str)] = &[
    (
        "--max-price-per-unit 0.50USD",
        "--max-price-per-unit: a price in USD needs a price feed, and off-chain there is none: write the price in wei",
    ),
    (
        "--max-price-per-unit 1.2.3",
        "--max-price-per-unit: \"1.2.3\" is not an amount: write a number that is not negative and optionally wei, eth or a currency, as 0.50USD",
    ),
    (
        "--max-price-per-capability {\"capabilities_prices\":[{\"pipeline\":\"byoc\",\"price_per_unit\":1}]}",
        "--max-price-per-capability: no pipeline is named \"byoc\": write its name in small letters with dashes, as text-to-image",
    ),
    (
        "--max-price-per-capability ./none.json",
        "--max-price-per-capability: ./none.json: No such file or directory (os error 2)",
    ),
    (
        "--price-feed-addr 0x639Fe6ab55C921f74e7fac1ee960C0B6293ba612",
        "--price-feed-addr: says nothing off-chain: give a --network too, or leave this out",
    ),
    (
        "-pixelsPerUnit 1000",
        "-pixelsPerUnit: pixels-per-unit limits nothing without max-price-per-unit: set that too, or leave both out",
    ),
];

/// A ceiling, with a dollar at 1000 wei.
fn ceiling(settings: &Settings, wanted: Option<&str>) -> Option<String> {
    let rate = Rate {
        currency: "USD".to_owned(),
        wei: Ratio::from_integer(1000.into()),
    };
    let wanted = wanted.map(|model| Wanted {
        capability: TEXT_TO_IMAGE,
        model,
    });
    let price = settings.prices.ceilings.of(wanted, Some(&rate));
    price.expect("a rate").map(|price| price.wei().to_string())
}

fn price(words: &str) -> Option<String> {
    ceiling(&settings(words, &[]), None)
}

/// On the live network, whose feed is known.
fn live(words: &str) -> Settings {
    let network = format!(
        "-network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath {KEYSTORE} {words}"
    );
    settings(&network, &[])
}

#[test]
fn a_ceiling_is_an_exact_price_of_one_pixel() {
    assert_eq!(
        price("--max-price-per-unit 1200 --pixels-per-unit 1000").as_deref(),
        Some("6/5")
    );
    assert_eq!(price("-maxPricePerUnit 0.5").as_deref(), Some("1/2"));
    assert_eq!(price("-maxPricePerUnit 1e-18eth").as_deref(), Some("1"));
    assert_eq!(
        price("-maxPricePerUnit 0"),
        None,
        "0 takes any price, as in go-livepeer"
    );
    let (_folder, path) = file("gateway.toml", "max-price-per-unit = 0.30\n");
    let words = format!("--config {}", path.display());
    assert_eq!(
        price(&words).as_deref(),
        Some("3/10"),
        "a TOML float is not rounded"
    );
}

#[test]
fn dollars_need_a_feed() {
    let dollars = live("-maxPricePerUnit 0.50USD -pixelsPerUnit 1000");
    assert_eq!(ceiling(&dollars, None).as_deref(), Some("1/2"));
    let own = "-network mine -ethController 0x5FbDB2315678afecb367f032d93F642f64180aa3 -ethUrl http://a -maxPricePerUnit 1USD";
    let said = problems(own, &[]).join("\n");
    assert!(
        said.contains("this network has none of its own: name one with --price-feed-addr"),
        "{said}"
    );
    let named = format!(
        "{own} -ethKeystorePath {KEYSTORE} -priceFeedAddr 0x639Fe6ab55C921f74e7fac1ee960C0B6293ba612"
    );
    let named = settings(&named, &[]);
    let feed = named
        .chain
        .as_ref()
        .and_then(|chain| chain.network.price_feed);
    assert!(feed.is_some());
}

#[test]
fn models_have_ceilings_of_their_own_in_json_or_in_a_file() {
    const LIST: &str = r#"{"capabilities_prices":[{"pipeline":"text-to-image","model_id":"sdxl","price_per_unit":0.25,"currency":"USD"}]}"#;
    let (_folder, path) = file("prices.json", LIST);
    for given in [LIST.to_owned(), path.display().to_string()] {
        let settings = live(&format!(
            "-maxPricePerUnit 7 -maxPricePerCapability {given}"
        ));
        assert_eq!(ceiling(&settings, Some("sdxl")).as_deref(), Some("250"));
        assert_eq!(ceiling(&settings, Some("other")).as_deref(), Some("7"));
        assert_eq!(ceiling(&settings, None).as_deref(), Some("7"));
    }
}

#[test]
fn a_wrong_price_says_what_is_wrong_and_what_would_be_right() {
    for (words, message) in FLAGS {
        assert_eq!(problems(words, &[]), [*message], "{words}");
    }
}
