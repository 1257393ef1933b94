//! Settings of the chain and of payments.

use std::time::Duration;

use pointsman_payments::{Ratio, U256};

use super::{file, problems, settings};

const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);

/// Words of the command line, and the one problem they make.
const FLAGS: &[(&str, &str)] = &[
    (
        "-ethUrl https://rpc",
        "-ethUrl: says nothing off-chain: give a --network too, or leave this out",
    ),
    (
        "-network arbitrum-one-mainnet",
        "-network: network arbitrum-one-mainnet is read through a node: give its URL with --eth-url",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc",
        "-network: keystore /nonexistent/home/.pointsman/keystore: No such file or directory (os error 2). No key is ever made silently: `pointsman wallet new` makes one",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath ../../tests/golden/onchain/keystore/signer.json -ethPassword /nonexistent/password",
        "-ethPassword: there is no file /nonexistent/password",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath ../../tests/golden/onchain/keystore/signer.json -ethAcctAddr 0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c",
        "-ethKeystorePath: ../../tests/golden/onchain/keystore/signer.json has no key of 0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c: it has 0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    ),
    (
        "-network mainnet -ethUrl https://rpc",
        "-network: network \"mainnet\" is no longer served by Livepeer: the live one is arbitrum-one-mainnet",
    ),
    (
        "-network mine -ethUrl https://rpc",
        "-network: network \"mine\" is not known here: give its Controller's address with --eth-controller, or use arbitrum-one-mainnet",
    ),
    (
        "-network mine -ethUrl https://rpc --eth-controller 0x12",
        "--eth-controller: `0x12` is not an Ethereum address: write 0x and 40 hexadecimal digits",
    ),
    (
        "-network mine -ethUrl wss://rpc/s3cret --eth-controller 0x5FbDB2315678afecb367f032d93F642f64180aa3",
        "-ethUrl: an RPC endpoint must be http or https (WebSockets are not used: nothing here subscribes)",
    ),
    (
        "-maxTicketEV 1",
        "-maxTicketEV: no tickets are sent off-chain, so this limit would limit nothing: leave it out, or give a --network",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc -maxTicketEV 2 -maxTotalEV 1",
        "-maxTicketEV: max-ticket-ev is above max-total-ev: no payment could hold one such ticket",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc -maxTicketEV 0",
        "-maxTicketEV: 0 would let nothing be paid: write what may be",
    ),
    (
        "-network arbitrum-one-mainnet -ethUrl https://rpc --max-spend-per-day 1.5",
        "--max-spend-per-day: `1.5` is not a whole number of wei below 2^256",
    ),
];

#[test]
fn a_wrong_flag_says_what_is_wrong_and_what_would_be_right() {
    for (words, message) in FLAGS {
        assert_eq!(problems(words, &[])[0], *message, "{words}");
    }
}

#[test]
fn a_password_is_read_from_its_file_and_never_shown() {
    let (_folder, path) = file("password", " s3cret \n");
    let paid = |password: &str| {
        let words = format!(
            "-network arbitrum-one-mainnet -ethUrl https://rpc/k3y,https://rpc-2 -ethKeystorePath {KEYSTORE} -ethPassword {password} --orch-addr a"
        );
        settings(&words, &[])
    };
    let from_file = paid(&path.display().to_string());
    let chain = from_file.chain.as_ref().expect("a chain");
    assert_eq!(chain.endpoints.len(), 2);
    assert_eq!(chain.network.chain_id, Some(42161));
    assert!(from_file.notices.is_empty(), "{:?}", from_file.notices);
    let literal = paid("s3cret");
    assert!(
        literal.notices[0].contains("put it in a file"),
        "{:?}",
        literal.notices
    );
    for settings in [from_file, literal] {
        let shown = format!("{settings:?} {:?}", settings.describe());
        assert!(
            !shown.contains("s3cret") && !shown.contains("k3y"),
            "{shown}"
        );
    }
}

#[test]
fn offchain_nothing_is_paid() {
    assert!(settings("-network offchain", &[]).chain.is_none());
    let limits = settings("", &[]).payments.limits;
    assert_eq!(limits, pointsman_payments::params::Limits::default());
}

#[test]
fn every_setting_is_read_in_both_spellings() {
    let controller = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    let account = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
    let spends = "--max-spend-per-stream 10 --max-spend-per-key-and-day 11 --max-spend-per-day 12";
    let ours = format!(
        "--network mine --eth-url http://a,http://b --eth-controller {controller} --eth-acct-addr {account} \
         --eth-keystore-path {KEYSTORE} --eth-password s3cret --block-polling-interval 3s \
         --max-ticket-ev 7 --max-total-ev 0.5eth --deposit-multiplier 2 {spends}"
    );
    let theirs = format!(
        "-network mine -ethUrl http://a,http://b -ethController {controller} -ethAcctAddr {account} \
         -ethKeystorePath {KEYSTORE} -ethPassword s3cret -blockPollingInterval 3 \
         -maxTicketEV 7 -maxTotalEV 500000000000000000 -depositMultiplier 2 {spends}"
    );
    let (ours, theirs) = (settings(&ours, &[]), settings(&theirs, &[]));
    assert_eq!(ours.payments, theirs.payments);
    assert_eq!(format!("{:?}", ours.chain), format!("{:?}", theirs.chain));
    let chain = ours.chain.expect("a chain");
    assert_eq!(chain.network.controller.to_string(), controller);
    assert_eq!(chain.account.expect("an account").to_string(), account);
    assert_eq!(chain.endpoints.len(), 2);
    assert_eq!(chain.keystore.display().to_string(), KEYSTORE);
    assert_eq!(chain.interval, Duration::from_secs(3));
    let (limits, caps) = (ours.payments.limits, ours.payments.caps);
    assert_eq!(limits.max_ticket_value, Ratio::from_integer(7.into()));
    assert_eq!(limits.deposit_multiplier.get(), 2);
    let wei = |wei: u64| Some(U256::from(wei));
    assert_eq!((caps.ticket, caps.job), (wei(7), wei(10)));
    assert_eq!((caps.key_day, caps.day), (wei(11), wei(12)));
    assert_eq!(caps.payment, wei(500_000_000_000_000_000));
}
