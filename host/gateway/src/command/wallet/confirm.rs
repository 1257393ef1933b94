//! What will happen, and whether it may.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use pointsman_chain::{Deed, Done};
use pointsman_payments::U256;
use pointsman_payments::show::Wei;

use crate::wallet::{Prepared, about, gwei};

/// What a deed does and costs, a line each.
pub(super) fn words(prepared: &Prepared, network: &str) -> String {
    let Prepared { plan, account } = prepared;
    let sender = &account.sender;
    let mut text = String::new();
    let mut row = |name: &str, what: String| {
        let _ = writeln!(text, "  {name:<14}{what}");
    };
    let address = plan.from.to_checksum(None);
    row(
        "account",
        format!("{address} on {network}, {}", Wei(account.balance)),
    );
    if account.pending > 0 {
        row(
            "",
            format!(
                "it has transactions in no block yet: {}; this one comes after them",
                account.pending
            ),
        );
    }
    match plan.deed {
        Deed::Fund { deposit, reserve } => {
            let grows = |from: U256, by: U256| {
                let to = from.saturating_add(by);
                format!("{} + {} = {}", Wei(from), Wei(by), Wei(to))
            };
            if !deposit.is_zero() {
                row("deposit", grows(sender.deposit, deposit));
            }
            if !reserve.is_zero() {
                row("reserve", grows(sender.reserve, reserve));
            }
            if account.unlocking() {
                row("", "this ends the unlocking that is under way".to_owned());
            }
        }
        Deed::Unlock => {
            let round = account.round.saturating_add(account.unlock_period);
            let blocks = account.blocks_until(round);
            let about = about(blocks, plan.chain_id == crate::wallet::ARBITRUM);
            row(
                "unlock",
                format!(
                    "deposit {} and reserve {} can be withdrawn from round {round} on, now is round {}; that is {blocks} L1 blocks{about}",
                    Wei(sender.deposit),
                    Wei(sender.reserve),
                    account.round
                ),
            );
            row(
                "",
                "orchestrators stop taking payments a round before that".to_owned(),
            );
        }
        Deed::CancelUnlock => row(
            "cancel-unlock",
            format!(
                "deposit {} and reserve {} are locked again, and can be paid with",
                Wei(sender.deposit),
                Wei(sender.reserve)
            ),
        ),
        Deed::Withdraw => {
            let all = sender.deposit.saturating_add(sender.reserve);
            row(
                "withdraw",
                format!(
                    "deposit {} and reserve {}, {} in all, go to the account; nobody can be paid then",
                    Wei(sender.deposit),
                    Wei(sender.reserve),
                    Wei(all)
                ),
            );
        }
    }
    row(
        "gas",
        format!(
            "{} at {} at most: up to {}",
            plan.gas,
            gwei(plan.max_fee),
            Wei(plan.fees())
        ),
    );
    let left = account
        .balance
        .saturating_sub(plan.value.saturating_add(plan.fees()));
    row("left", format!("{} in the account, at least", Wei(left)));
    text
}

/// Asks.
pub(super) fn agreed() -> io::Result<bool> {
    eprint!("send it? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}

/// What happened.
pub(super) fn done(done: &Done) -> String {
    let replaced = match done.replaced {
        0 => String::new(),
        times => format!(", after it was replaced (times: {times})"),
    };
    format!(
        "done in block {} for {}{replaced}: {}",
        done.block,
        Wei(done.fee),
        done.hash
    )
}
