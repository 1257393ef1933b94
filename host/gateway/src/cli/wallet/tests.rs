use std::path::Path;

use clap::CommandFactory;
use pointsman_chain::Deed;
use pointsman_payments::U256;

use super::Wallet;
use crate::cli::{Arguments, Command, EX_USAGE, Error, parse};

const KEYSTORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore/signer.json"
);
const HOME: (&str, &str) = ("HOME", "/home/operator");

fn with(words: &str, variables: &[(&str, &str)]) -> Result<Wallet, Error> {
    let words = format!("pointsman wallet {words}");
    let variables = [HOME].iter().chain(variables);
    let command = parse(
        words.split_whitespace().map(Into::into),
        variables.map(|(name, value)| (name.into(), value.into())),
    )?;
    match command {
        Command::Wallet(wallet) => Ok(wallet),
        other => panic!("{words}: {other:?}"),
    }
}

/// A command line of a gateway that pays, behind these words.
fn paid(words: &str) -> String {
    format!("{words} -network arbitrum-one-mainnet -ethUrl https://rpc -ethKeystorePath {KEYSTORE}")
}

#[test]
fn the_words_of_a_gateway_serve_its_wallet() {
    let words = paid("fund --deposit 0.1eth --yes -gateway -orchAddr a -httpAddr :9935")
        + " -maxGasPrice 1000 -gasLimit 200000 -transactionTimeout 2m0s -maxTransactionReplacements 3 --reserve=7 --json";
    let Ok(Wallet::Move {
        deed,
        settings,
        yes,
        json,
    }) = with(&words, &[])
    else {
        panic!("{words}");
    };
    let deposit = U256::from(100_000_000_000_000_000_u64);
    let reserve = U256::from(7);
    assert_eq!(deed, Deed::Fund { deposit, reserve });
    assert!(yes && json);
    let chain = settings.chain.expect("a chain");
    assert_eq!(chain.keystore, Path::new(KEYSTORE));
    let fees = settings.wallet.fees;
    assert_eq!((fees.cap, fees.gas), (Some(1000), Some(200_000)));
    assert_eq!((fees.patience.as_secs(), fees.replacements), (120, 3));
}

#[test]
fn variables_serve_as_well() {
    let variables = [
        ("POINTSMAN_NETWORK", "arbitrum-one-mainnet"),
        ("LP_ETHURL", "https://rpc"),
        ("LP_ETHKEYSTOREPATH", KEYSTORE),
    ];
    for (words, wanted) in [
        ("unlock", Deed::Unlock),
        ("cancel-unlock", Deed::CancelUnlock),
        ("withdraw", Deed::Withdraw),
    ] {
        let Ok(Wallet::Move {
            deed, yes, json, ..
        }) = with(words, &variables)
        else {
            panic!("{words}");
        };
        assert_eq!((deed, yes, json), (wanted, false, false));
    }
    assert!(matches!(
        with("status --json", &variables),
        Ok(Wallet::Status { json: true, .. })
    ));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, said) in [
        (paid("fund"), "give --deposit, --reserve or both"),
        (
            paid("fund --deposit 0"),
            "give --deposit, --reserve or both",
        ),
        (paid("fund --deposit 1.5"), "not a whole number of wei"),
        (paid("fund --deposit lots"), "is not an amount"),
        (paid("fund --deposit"), "a value is required"),
        (
            paid("unlock --deposit 1"),
            "unexpected argument '--deposit'",
        ),
        (
            paid("withdraw --max-gas-prize 1"),
            "did you mean --max-gas-price",
        ),
        (paid("status --yes"), "unexpected argument '--yes'"),
        (
            "status -network arbitrum-one-mainnet".to_owned(),
            "give its URL with --eth-url",
        ),
        (
            "status -network arbitrum-one-mainnet -ethUrl https://rpc".to_owned(),
            "`pointsman wallet new` makes one",
        ),
        ("drain".to_owned(), "unrecognized subcommand 'drain'"),
    ] {
        let error = with(&words, &[]).expect_err(&words);
        assert!(error.to_string().contains(said), "{words}: {error}");
        assert_eq!(error.exit_code(), EX_USAGE, "{words}");
    }
}

#[test]
fn a_new_key_needs_nothing_of_a_gateway() {
    let Ok(Wallet::New { key, another, json }) = with("new", &[]) else {
        panic!("nothing is required");
    };
    assert_eq!(key.folder, Path::new("/home/operator/.pointsman/keystore"));
    assert_eq!((key.password, another, json), (None, false, false));

    let words = format!("new --another -ethKeystorePath keys --eth-password {KEYSTORE} --json");
    let Ok(Wallet::New { key, another, json }) = with(&words, &[("LP_DATADIR", "/data")]) else {
        panic!("{words}");
    };
    assert_eq!(key.folder, Path::new("keys"));
    assert_eq!(key.password.as_deref(), Some(Path::new(KEYSTORE)));
    assert!(another && json);

    for (words, said) in [
        ("new --eth-password s3cret", "is no file"),
        (
            &format!("new --eth-keystore-path {KEYSTORE}"),
            "name a folder",
        ),
        ("new --yes", "unexpected argument"),
    ] {
        let error = with(words, &[]).expect_err(words).to_string();
        assert!(error.contains(said), "{words}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn help_shows_what_matters_here() {
    let mut command = Arguments::command();
    let wallet = command.find_subcommand_mut("wallet").expect("a command");
    for verb in [
        "status",
        "fund",
        "unlock",
        "cancel-unlock",
        "withdraw",
        "new",
    ] {
        let help = wallet.find_subcommand_mut(verb).expect(verb);
        let help = help.render_long_help().to_string();
        for flag in [
            "--network",
            "--eth-url",
            "--max-gas-price",
            "--data-dir",
            "--json",
        ] {
            assert!(help.contains(flag), "{verb}: {flag}");
        }
        for flag in ["--http-addr", "--auto-top-up-to", "--policy"] {
            assert!(!help.contains(&format!("{flag} ")), "{verb}: {flag}");
        }
    }
    for words in ["", "--help", "fund --help", "status -h", "new -help"] {
        let error = with(words, &[]).expect_err(words);
        assert_eq!(
            error.exit_code(),
            if words.is_empty() { EX_USAGE } else { 0 },
            "{words}: {error}"
        );
    }
}
