//! `pointsman wallet new`.

use std::io::IsTerminal;

use anyhow::{Result, bail};
use pointsman_chain::keystore::{Keystore, KeystoreError, Password};
use serde_json::json;

use super::terminal;
use crate::config::NewKey;

pub(super) async fn run(wanted: &NewKey, another: bool, json: bool) -> Result<()> {
    let there = match Keystore::find(&wanted.folder, None) {
        Ok(keystore) => vec![keystore.address()],
        Err(KeystoreError::Several { found, .. }) => found,
        Err(_) => Vec::new(),
    };
    let folder = wanted.folder.display();
    if !another && let [first, ..] = there[..] {
        bail!(
            "no key was made: {folder} has one, of {first}. Name another folder with --eth-keystore-path, or say --another to have both there"
        );
    }
    let password = match &wanted.password {
        Some(file) => Password::from_file(file)?,
        None if std::io::stdin().is_terminal() => match terminal::new_password()? {
            Some(password) => password,
            None => bail!("no key was made: the two passwords differ"),
        },
        None => bail!(
            "no key was made: there is no terminal to ask for a password on; name a file with one, with --eth-password"
        ),
    };
    let to = wanted.folder.clone();
    let made = tokio::task::spawn_blocking(move || Keystore::create(&to, &password)).await??;
    let address = made.address().to_checksum(None);
    if json {
        let answer = json!({ "address": address, "file": made.path() });
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    println!("{address}");
    let which = match there.is_empty() {
        true => String::new(),
        false => format!(" --eth-acct-addr {address}"),
    };
    println!(
        "its key is in {}, encrypted. Keep that file and its password, each in a second place: without both the money is lost.",
        made.path().display()
    );
    println!(
        "Next: send ETH to {address} on the network where you pay (Arbitrum One), then\n  \
         pointsman wallet fund --deposit 0.1eth --reserve 0.12eth --network arbitrum-one-mainnet --eth-url URL --eth-keystore-path {folder}{which}"
    );
    Ok(())
}
