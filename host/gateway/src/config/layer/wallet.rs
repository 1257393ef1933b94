//! The flags of `run` for a command that uses only some of the settings.

use clap::FromArgMatches;

use super::flags::Flags;
use crate::config::setting::GROUPS;

/// All flags of `run` are taken, so that its command line can be used again; help shows those that matter here.
#[derive(Clone, Debug, Default)]
pub struct WalletFlags(pub(crate) Flags);

/// Headings that matter for the wallet.
const HEADINGS: [&str; 3] = ["Chain", "Wallet", "Data"];

// === impl WalletFlags ===

impl clap::Args for WalletFlags {
    fn augment_args(command: clap::Command) -> clap::Command {
        let mut command = Flags::augment_args(command);
        let others = GROUPS
            .iter()
            .filter(|group| !HEADINGS.contains(&group.heading));
        for setting in others.flat_map(|group| group.settings) {
            command = command.mut_arg(setting.key, |argument| argument.hide(true));
        }
        for setting in GROUPS.iter().flat_map(|group| group.settings) {
            if setting.key.starts_with("auto-top-up") {
                command = command.mut_arg(setting.key, |argument| argument.hide(true));
            }
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for WalletFlags {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Flags::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}
