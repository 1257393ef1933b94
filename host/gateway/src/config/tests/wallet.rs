//! Settings of the wallet.

use std::time::Duration;

use pointsman_payments::U256;

use super::{problems, settings};
use crate::config::TopUp;

const PAID: &str = concat!(
    "-network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath ",
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json "
);

#[test]
fn both_spellings_limit_transactions() {
    let ours = "--max-gas-price 2gwei --gas-limit 300000 --transaction-timeout 90s --max-transaction-replacements 4";
    let theirs = "-maxGasPrice 2000000000 -gasLimit 300000 -transactionTimeout 1m30s -maxTransactionReplacements 4";
    let read = |words: &str| settings(&format!("{PAID}{words}"), &[]).wallet;
    assert_eq!(read(ours), read(theirs));
    let fees = read(ours).fees;
    assert_eq!((fees.cap, fees.gas), (Some(2_000_000_000), Some(300_000)));
    assert_eq!(
        (fees.patience, fees.replacements),
        (Duration::from_secs(90), 4)
    );
    assert_eq!(
        read("-maxGasPrice 0 -gasLimit 0"),
        read(""),
        "0 is no limit there"
    );
    assert_eq!(read("").fees, pointsman_chain::Fees::default());
}

#[test]
fn a_top_up_has_a_line_an_aim_and_a_cap() {
    let read = |words: &str| settings(&format!("{PAID}{words}"), &[]).wallet.top_up;
    assert_eq!(read(""), None);
    let wei = |wei: u64| U256::from(wei);
    let words = "--auto-top-up-below 5 --auto-top-up-to 10 --auto-top-up-per-day 100";
    let whole = TopUp {
        below: wei(5),
        to: wei(10),
        reserve: None,
        per_day: wei(100),
    };
    assert_eq!(read(words), Some(whole));
    assert_eq!(
        read(&format!("{words} --auto-top-up-reserve 7")),
        Some(TopUp {
            reserve: Some(wei(7)),
            ..whole
        })
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, said) in [
        (
            "--auto-top-up-below 5",
            "--auto-top-up-below: needs --auto-top-up-to and --auto-top-up-per-day as well",
        ),
        (
            "--auto-top-up-reserve 5 --auto-top-up-below 1 --auto-top-up-to 2",
            "--auto-top-up-below: needs --auto-top-up-per-day as well",
        ),
        (
            "--auto-top-up-below 5 --auto-top-up-to 4 --auto-top-up-per-day 9",
            "--auto-top-up-to: auto-top-up-to is under auto-top-up-below: nothing would be filled up",
        ),
        (
            "--auto-top-up-below 0 --auto-top-up-to 4 --auto-top-up-per-day 9",
            "--auto-top-up-below: 0 would let nothing be paid: write what may be",
        ),
        (
            "-maxGasPrice 1USD",
            "-maxGasPrice: `1USD` is no price of gas: write a whole number of wei, or a number with gwei behind it",
        ),
        (
            "-transactionTimeout 0s",
            "-transactionTimeout: 0s is not within 1s to 1h",
        ),
        (
            "-gasLimit -1",
            "-gasLimit: `-1` is not a whole number from 0 to 1000000000",
        ),
        (
            "-maxTransactionReplacements 21",
            "-maxTransactionReplacements: `21` is not a whole number from 0 to 20",
        ),
        (
            "-minGasPrice 1",
            "-minGasPrice: gas has no least price here: leave it out",
        ),
    ] {
        assert_eq!(problems(&format!("{PAID}{words}"), &[]), [said], "{words}");
    }
    assert_eq!(
        problems("-gasLimit 5", &[]),
        ["-gasLimit: there is no wallet off-chain: leave it out, or give a --network"]
    );
}
