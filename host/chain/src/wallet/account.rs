//! Where an account's money is, asked anew.

use alloy::primitives::{Address, U64, U256};
use alloy::sol_types::SolCall;
use serde_json::json;

use super::WalletError;
use crate::abi::{BondingManager, Controller, RoundsManager, TicketBroker};
use crate::chain::Chain;
use crate::rpc::{Answer, Call, RpcError};
use crate::state::Sender;
use crate::views::{Plan, Views};

/// An account and its part of the TicketBroker, as one node tells it at one moment. All amounts in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The newest block that the node knows.
    pub block: u64,
    /// What it has beside what is in the TicketBroker.
    pub balance: U256,
    /// What is in there.
    pub sender: Sender,
    /// Of its transactions, those in no block yet.
    pub pending: u64,
    /// The round by block number.
    pub round: u64,
    /// L1 blocks until the next.
    pub round_left: u64,
    /// L1 blocks a round.
    pub round_length: u64,
    /// Rounds from unlock to withdrawal.
    pub unlock_period: u64,
    /// The reserve is shared among so many.
    pub pool_size: u64,
    /// The Controller is paused: no money moves.
    pub paused: bool,
    /// What gas costs now.
    pub gas_price: U256,
}

// === impl Account ===

impl Account {
    /// Deposit and reserve are being unlocked, or are unlocked.
    #[must_use]
    pub fn unlocking(&self) -> bool {
        // After a withdrawal the round stays, of nothing.
        !self.sender.withdraw_round.is_zero() && !self.empty()
    }

    /// There is neither a deposit nor a reserve.
    #[must_use]
    pub fn empty(&self) -> bool {
        self.sender.deposit.is_zero() && self.sender.reserve.is_zero()
    }

    /// The round from which everything can be withdrawn; 0 when it is locked.
    #[must_use]
    pub fn withdraw_round(&self) -> u64 {
        match self.unlocking() {
            true => self.sender.withdraw_round.saturating_to(),
            false => 0,
        }
    }

    /// L1 blocks until that round; 0 when it has begun.
    #[must_use]
    pub fn blocks_until(&self, round: u64) -> u64 {
        match round.saturating_sub(self.round) {
            0 => 0,
            rounds => self
                .round_left
                .saturating_add((rounds - 1).saturating_mul(self.round_length)),
        }
    }
}

// === impl Chain ===

impl Chain {
    /// Where the money of `address` is, by one request.
    ///
    /// # Errors
    ///
    /// [`WalletError::NoChain`] or [`WalletError::Rpc`].
    pub async fn account(&self, address: Address) -> Result<Account, WalletError> {
        let state = self.state().ok_or(WalletError::NoChain)?;
        let contracts = &state.contracts;
        let (broker, rounds) = (contracts.ticket_broker, contracts.rounds_manager);
        let count = |block: &str| Call::new("eth_getTransactionCount", json!([address, block]));
        let calls = [
            Call::new("eth_getBalance", json!([address, "latest"])),
            count("latest"),
            count("pending"),
            Call::new("eth_gasPrice", json!([])),
            view(broker, &TicketBroker::getSenderInfoCall { sender: address }),
            view(broker, &TicketBroker::unlockPeriodCall {}),
            view(rounds, &RoundsManager::currentRoundCall {}),
            view(rounds, &RoundsManager::currentRoundStartBlockCall {}),
            view(rounds, &RoundsManager::roundLengthCall {}),
            view(rounds, &RoundsManager::blockNumCall {}),
            view(
                contracts.bonding_manager,
                &BondingManager::getTranscoderPoolSizeCall {},
            ),
            view(self.network().controller, &Controller::pausedCall {}),
            Call::new("eth_blockNumber", json!([])),
        ];
        let answers = self.rpc().batch(&calls).await?.answers;
        let number = |at: usize| answers[at].parse::<U64>("a number");
        let info = read::<TicketBroker::getSenderInfoCall>(&answers[4])?;
        let start = read::<RoundsManager::currentRoundStartBlockCall>(&answers[7])?;
        let length = read::<RoundsManager::roundLengthCall>(&answers[8])?;
        let now = read::<RoundsManager::blockNumCall>(&answers[9])?;
        let pending = number(2)?.to::<u64>();
        Ok(Account {
            block: number(12)?.to(),
            balance: answers[0].parse("a number")?,
            sender: Sender {
                address,
                deposit: info.sender.deposit,
                withdraw_round: info.sender.withdrawRound,
                reserve: info.reserve.fundsRemaining,
                claimed: info.reserve.claimedInCurrentRound,
            },
            pending: pending.saturating_sub(number(1)?.to()),
            round: read::<RoundsManager::currentRoundCall>(&answers[6])?.saturating_to(),
            round_left: start
                .saturating_add(length)
                .saturating_sub(now)
                .saturating_to(),
            round_length: length.saturating_to(),
            unlock_period: read::<TicketBroker::unlockPeriodCall>(&answers[5])?.saturating_to(),
            pool_size: read::<BondingManager::getTranscoderPoolSizeCall>(&answers[10])?
                .saturating_to(),
            paused: read::<Controller::pausedCall>(&answers[11])?,
            gas_price: answers[3].parse("a number")?,
        })
    }

    /// What each of `claimants` has claimed of a sender's reserve in this round, wei, in their order. One that does not answer is left out.
    ///
    /// # Errors
    ///
    /// As [`account`](Self::account).
    pub async fn claimed(
        &self,
        holder: Address,
        claimants: &[Address],
    ) -> Result<Vec<(Address, U256)>, WalletError> {
        let state = self.state().ok_or(WalletError::NoChain)?;
        let mut plan = Plan::default();
        let asked = claimants.iter().map(|&claimant| {
            let call = TicketBroker::claimedReserveCall {
                reserveHolder: holder,
                claimant,
            };
            (claimant, plan.ask(state.contracts.ticket_broker, &call))
        });
        let asked: Vec<_> = asked.collect();
        let views = Views {
            rpc: self.rpc(),
            multicall: false,
        };
        let readings = views.read(plan, state.head.number).await?;
        let claimed = asked
            .into_iter()
            .filter_map(|(claimant, ask)| Some((claimant, readings.get(&ask).ok()?)));
        Ok(claimed.collect())
    }
}

fn view<C: SolCall>(to: Address, call: &C) -> Call {
    let data = alloy::primitives::Bytes::from(call.abi_encode());
    Call::new("eth_call", json!([{ "to": to, "data": data }, "latest"]))
}

fn read<C: SolCall>(answer: &Answer) -> Result<C::Return, RpcError> {
    let data: alloy::primitives::Bytes = answer.parse("bytes")?;
    C::abi_decode_returns(&data).map_err(|_| RpcError::Shape {
        method: "eth_call",
        wanted: C::SIGNATURE,
    })
}
