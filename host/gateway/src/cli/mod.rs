//! The command line: from arguments and environment to a [`Command`] with typed arguments.
//!
//! [`parse`] reads nothing but what it is given and the files that settings name; it prints nothing and never exits.

mod admin;
mod demo;
mod devnet;
mod error;
mod explain;
mod policy;
mod run;
mod wallet;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::config::{self, Settings};

pub use admin::Admin;
pub use demo::Demo;
pub use devnet::Devnet;
pub use error::{EX_USAGE, Error};
pub use explain::{Explain, From as ExplainFrom};
pub use policy::{
    Activate, Bench, Build, Conformance, List, Log, Look, New, Policy, Push, Replay, Rollback,
    Test, Trial,
};
pub use wallet::Wallet;

/// What the operator wants done.
#[derive(Clone, Debug)]
pub enum Command {
    /// Run the gateway.
    Run(Box<Settings>),
    /// Run orchestrators for development.
    Devnet(Devnet),
    /// Show it all on one machine.
    Demo(Demo),
    /// Build policies, or change those of a running gateway.
    Policy(Policy),
    /// Say why a job went where it went.
    Explain(Explain),
    /// Look after the account that pays.
    Wallet(Wallet),
}

/// A Livepeer gateway whose choice of orchestrators is a WebAssembly policy.
#[derive(Debug, Parser)]
#[command(
    name = "pointsman",
    version,
    propagate_version = true,
    max_term_width = 110,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Run the gateway: take streams over RTMP and HTTP, have them transcoded, serve them as HLS
    Run(run::Run),
    /// Run orchestrators for development that speak the real protocol and really transcode
    Devnet(devnet::Arguments),
    /// Show it all on one machine: a devnet, a gateway, a test stream, a page to watch, and things that happen
    Demo(demo::Arguments),
    /// Write, build, test and measure policies, and change the active bundle of a running gateway
    Policy {
        #[command(subcommand)]
        verb: policy::Verb,
    },
    /// Say why a job went where it went: who was ranked, who was taken out by which policy, and what happened
    Explain(explain::ExplainArguments),
    /// Look after the account that pays: say where its money is, fund, unlock and withdraw, make a key
    Wallet {
        #[command(subcommand)]
        verb: wallet::Verb,
    },
}

/// Reads a command line, `arguments[0]` being the program, with the environment `variables`.
///
/// # Errors
///
/// What is wrong with it, or the help or version that was asked for: see [`Error::exit_code`].
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Command, Error> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let variables: Vec<_> = variables.into_iter().collect();
    let mut flags = config::Rewritten::default();
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("run") => {
            flags = config::rewrite(arguments.split_off(2));
            arguments.append(&mut flags.arguments);
        }
        Some("wallet") if arguments.len() > 3 => {
            let (mut own, settings) = wallet::split(arguments.split_off(3));
            flags = config::rewrite(settings);
            arguments.append(&mut own);
            arguments.append(&mut flags.arguments);
        }
        Some("-version" | "--version") => arguments[1] = "--version".into(),
        Some(word) if config::is_setting(word) => return Err(Error::NoVerb),
        _ => {}
    }
    let parsed = match read(arguments) {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() && !flags.problems().is_empty() => {
            return Err(Error::Settings(flags.problems().to_vec()));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match parsed.verb {
        Verb::Run(run) => {
            let settings = config::load(flags, run.flags, &variables).map_err(Error::Settings)?;
            Command::Run(Box::new(settings))
        }
        Verb::Devnet(arguments) => Command::Devnet(arguments.decode()?),
        Verb::Demo(arguments) => Command::Demo(arguments.decode()),
        Verb::Policy { verb } => Command::Policy(verb.decode(&variables)?),
        Verb::Explain(arguments) => Command::Explain(arguments.decode(&variables)?),
        Verb::Wallet { verb } => Command::Wallet(verb.decode(flags, &variables)?),
    })
}

fn read(arguments: Vec<OsString>) -> Result<Arguments, clap::Error> {
    let mut matches = Arguments::command().try_get_matches_from(arguments)?;
    Arguments::from_arg_matches_mut(&mut matches)
}

#[cfg(test)]
mod tests;
