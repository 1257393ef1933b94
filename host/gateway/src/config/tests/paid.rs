//! Settings of the chain and of payments.

use super::{file, problems, settings};

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
    let keystore = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/onchain/keystore/signer.json"
    );
    let paid = |password: &str| {
        let words = format!(
            "-network arbitrum-one-mainnet -ethUrl https://rpc/k3y,https://rpc-2 -ethKeystorePath {keystore} -ethPassword {password} --orch-addr a"
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
