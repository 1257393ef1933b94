//! Transactions of the gateway's own account: funding, unlocking, withdrawing.
//!
//! # Contract
//!
//! [`Wallet::plan`] asks what a [`Deed`] costs and whether the contract would take it, and sends nothing: what it returns is for a person, or a
//! policy, to confirm. [`Wallet::send`] signs and sends it and waits until it is in a block, one deed at a time. A transaction that is stuck is replaced by one
//! with the same nonce and higher fees, so at most one of them counts; fees never pass [`Fees::cap`], nor what was planned by more than replacing needs.
//!
//! When no answer comes, the money's state is not guessed: the error names the hash and says that it may still happen.

use std::time::Duration;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U128, U256};
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::abi::TicketBroker;
use crate::chain::Chain;
use crate::head::{Head, RawHead};
use crate::keystore::Key;
use crate::rpc::{Call, RefusalKind, RpcError};

mod account;
mod error;

pub use account::Account;
pub use error::WalletError;

/// What is done with the account's money. All amounts in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Moves money from the account into the TicketBroker. Ends an unlocking that is under way.
    Fund {
        /// To the deposit.
        deposit: U256,
        /// To the reserve.
        reserve: U256,
    },
    /// Begins the wait after which everything can be withdrawn. No orchestrator takes tickets from then on.
    Unlock,
    /// Ends that wait.
    CancelUnlock,
    /// Moves deposit and reserve back to the account.
    Withdraw,
}

/// How much a transaction may cost and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Most wei for one gas, tip included. `None`: what the chain asks.
    pub cap: Option<u128>,
    /// Most gas for one transaction. `None`: a fifth more than the node reckons.
    pub gas: Option<u64>,
    /// A transaction that is in no block for so long is replaced.
    pub patience: Duration,
    /// Most replacements.
    pub replacements: u32,
    /// From one look for the receipt to the next.
    pub look: Duration,
}

/// A deed with its price, not yet sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What.
    pub deed: Deed,
    /// By whom.
    pub from: Address,
    /// The TicketBroker.
    pub to: Address,
    /// `eth_chainId`.
    pub chain_id: u64,
    /// Wei that go with it.
    pub value: U256,
    /// Most gas it can use.
    pub gas: u64,
    /// Most wei for one gas.
    pub max_fee: u128,
    /// Of these, to who makes the block.
    pub tip: u128,
    /// What the account has.
    pub balance: U256,
    nonce: u64,
}

/// A deed that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Of the transaction that counted.
    pub hash: B256,
    /// Where it is.
    pub block: u64,
    /// Wei that it cost beside its value.
    pub fee: U256,
    /// How often it was replaced.
    pub replaced: u32,
}

/// The account, one deed at a time.
#[derive(Debug)]
pub struct Wallet {
    chain: Chain,
    key: Key,
    fees: parking_lot::Mutex<Fees>,
    turn: Mutex<()>,
}

/// A receipt as nodes write it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    block_number: U64,
    status: U64,
    gas_used: U64,
    effective_gas_price: U128,
}

// === impl Deed ===

impl Deed {
    fn call(self) -> (U256, Bytes) {
        match self {
            Self::Fund { deposit, reserve } => {
                let call = TicketBroker::fundDepositAndReserveCall {
                    depositAmount: deposit,
                    reserveAmount: reserve,
                };
                (deposit.saturating_add(reserve), call.abi_encode().into())
            }
            Self::Unlock => (U256::ZERO, TicketBroker::unlockCall {}.abi_encode().into()),
            Self::CancelUnlock => {
                let call = TicketBroker::cancelUnlockCall {};
                (U256::ZERO, call.abi_encode().into())
            }
            Self::Withdraw => (
                U256::ZERO,
                TicketBroker::withdrawCall {}.abi_encode().into(),
            ),
        }
    }
}

// === impl Fees ===

impl Default for Fees {
    fn default() -> Self {
        Self {
            cap: None,
            gas: None,
            patience: Duration::from_secs(300),
            replacements: 1,
            look: Duration::from_secs(1),
        }
    }
}

// === impl Plan ===

impl Plan {
    /// The most that it can cost beside its value, wei.
    #[must_use]
    pub fn fees(&self) -> U256 {
        U256::from(self.gas) * U256::from(self.max_fee)
    }

    /// The same with fees that nodes take for a replacement: a tenth more and a little, within `cap`. `None`: the cap leaves no room.
    fn dearer(&self, cap: Option<u128>) -> Option<Self> {
        let more = |fee: u128| fee.saturating_add(fee / 9).saturating_add(1);
        let (max_fee, tip) = (more(self.max_fee), more(self.tip));
        (cap.is_none_or(|cap| max_fee <= cap)).then(|| Self {
            max_fee,
            tip,
            ..self.clone()
        })
    }
}

// === impl Wallet ===

impl Wallet {
    /// The wallet of `key` on `chain`.
    #[must_use]
    pub fn new(chain: Chain, key: Key, fees: Fees) -> Self {
        Self {
            chain,
            key,
            fees: parking_lot::Mutex::new(fees),
            turn: Mutex::new(()),
        }
    }

    /// What transactions may cost.
    #[must_use]
    pub fn fees(&self) -> Fees {
        *self.fees.lock()
    }

    /// Changes that, from the next plan and the next replacement on.
    pub fn set_fees(&self, fees: Fees) {
        *self.fees.lock() = fees;
    }

    /// Whose it is.
    #[must_use]
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// What `deed` costs now, and whether it can be done. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`WalletError`], with the contract's own words where it refuses.
    pub async fn plan(&self, deed: Deed) -> Result<Plan, WalletError> {
        let state = self.chain.state().ok_or(WalletError::NoChain)?;
        let (from, to) = (self.address(), state.contracts.ticket_broker);
        let (value, data) = deed.call();
        let what = json!({ "from": from, "to": to, "value": value, "data": data });
        let calls = [
            Call::new("eth_getBlockByNumber", json!(["latest", false])),
            Call::new("eth_getTransactionCount", json!([from, "pending"])),
            Call::new("eth_getBalance", json!([from, "latest"])),
            Call::new("eth_maxPriorityFeePerGas", json!([])),
            Call::new("eth_estimateGas", json!([what])),
        ];
        let answers = self.chain.rpc().batch(&calls).await?.answers;
        let head: Head = answers[0].parse::<RawHead>("a block")?.into();
        let nonce: U64 = answers[1].parse("a number")?;
        let balance: U256 = answers[2].parse("a number")?;
        // Nodes that know no tip need none.
        let tip = answers[3]
            .parse::<U128>("a number")
            .unwrap_or_default()
            .to();
        let base = head.base_fee.unwrap_or_default();
        let (max_fee, tip) = self.price(base, tip)?;
        let broke = |fees| WalletError::NotEnough {
            account: from,
            balance,
            value,
            fees,
        };
        if value > balance {
            return Err(broke(U256::ZERO));
        }
        if let Some(refusal) = answers[4].refusal() {
            return Err(WalletError::Refused(refusal.message.clone()));
        }
        let needed = answers[4].parse::<U64>("a number")?.to::<u64>();
        let gas = match self.fees().gas {
            Some(limit) if limit < needed => {
                return Err(WalletError::TooLittleGas { needed, limit });
            }
            Some(limit) => limit,
            // The state may be another when it is run.
            None => needed.saturating_mul(6) / 5,
        };
        let plan = Plan {
            deed,
            from,
            to,
            chain_id: state.chain_id,
            value,
            gas,
            max_fee,
            tip,
            balance,
            nonce: nonce.to(),
        };
        match value.saturating_add(plan.fees()) > balance {
            true => Err(broke(plan.fees())),
            false => Ok(plan),
        }
    }

    /// Sends what was planned and waits for it to be in a block. Has the chain read anew then.
    ///
    /// # Errors
    ///
    /// [`WalletError`]. Only [`WalletError::Unknown`] and [`WalletError::Reverted`] mean that something was sent.
    pub async fn send(&self, plan: &Plan) -> Result<Done, WalletError> {
        let _turn = self.turn.lock().await;
        let mut plan = plan.clone();
        // Another deed may have been done since it was planned.
        plan.nonce = self.nonce().await?;
        let mut since = Instant::now();
        let mut sent = vec![self.first(&plan).await?];
        let mut replacements = 0;
        let mut why = "no block had it".to_owned();
        loop {
            let fees = self.fees();
            sleep(fees.look).await;
            match self.receipt(&sent).await {
                Ok(Some(receipt)) => return self.done(&receipt, &sent),
                Ok(None) => {}
                Err(error) => why = error.to_string(),
            }
            if since.elapsed() < fees.patience {
                continue;
            }
            since = Instant::now();
            // One that the nodes refuse is one as well: fees do not grow without end.
            let enough = replacements >= fees.replacements;
            replacements += 1;
            let dearer = plan.dearer(fees.cap).filter(|_| !enough);
            let Some(dearer) = dearer else {
                let hash = sent.last().copied().unwrap_or_default();
                return Err(WalletError::Unknown { hash, why });
            };
            plan = dearer;
            match self.submit(&plan).await {
                Ok((hash, _)) => sent.push(hash),
                Err(error) => why = error.to_string(),
            }
        }
    }

    fn price(&self, base: u128, tip: u128) -> Result<(u128, u128), WalletError> {
        let most = base.saturating_mul(2).saturating_add(tip);
        let needed = base.saturating_add(tip);
        match self.fees().cap {
            Some(cap) if needed > cap => Err(WalletError::TooDear { needed, cap }),
            Some(cap) => Ok((most.min(cap), tip)),
            None => Ok((most, tip)),
        }
    }

    async fn nonce(&self) -> Result<u64, WalletError> {
        let params = json!([self.address(), "pending"]);
        let call = Call::new("eth_getTransactionCount", params);
        let nonce: U64 = self.chain.rpc().call(call).await?.parse("a number")?;
        Ok(nonce.to())
    }

    /// Sends the first of a nonce. Where the nonce is said to be used, it may be by this very transaction, through another node, or by one of
    /// another process.
    async fn first(&self, plan: &Plan) -> Result<B256, WalletError> {
        let (hash, used) = self.submit(plan).await?;
        if used {
            let call = Call::new("eth_getTransactionByHash", json!([hash]));
            let answer = self.chain.rpc().call(call).await;
            let known = answer.and_then(|answer| answer.parse::<Option<Value>>("a transaction"));
            if let Ok(None) = known {
                let why = format!(
                    "another transaction of the account came first (nonce {}): try again",
                    plan.nonce
                );
                return Err(WalletError::Refused(why));
            }
        }
        Ok(hash)
    }

    /// Signs and sends. A node that has it already is a node that has it. Tells whether the nonce is said to be used.
    async fn submit(&self, plan: &Plan) -> Result<(B256, bool), WalletError> {
        let (hash, raw) = self.sign(plan)?;
        let call = Call::new("eth_sendRawTransaction", json!([Bytes::from(raw)]));
        let unknown = |why: String| WalletError::Unknown { hash, why };
        let answer = match self.chain.rpc().call(call).await {
            Ok(answer) => answer,
            // It may have arrived before the connection broke.
            Err(error) => return Err(unknown(error.to_string())),
        };
        let Some(refusal) = answer.refusal() else {
            return Ok((hash, false));
        };
        let text = refusal.message.to_lowercase();
        let there = ["already known", "known transaction", "already imported"];
        match there.iter().any(|words| text.contains(words)) {
            true => Ok((hash, false)),
            false if text.contains("nonce too low") => Ok((hash, true)),
            false if refusal.kind == RefusalKind::Other => {
                Err(WalletError::Refused(refusal.message.clone()))
            }
            false => Err(unknown(refusal.message.clone())),
        }
    }

    fn sign(&self, plan: &Plan) -> Result<(B256, Vec<u8>), WalletError> {
        let chain_id = self.chain.rpc().chain_id().ok_or(WalletError::NoChain)?;
        let tx = TxEip1559 {
            chain_id,
            nonce: plan.nonce,
            gas_limit: plan.gas,
            max_fee_per_gas: plan.max_fee,
            max_priority_fee_per_gas: plan.tip,
            to: TxKind::Call(plan.to),
            value: plan.value,
            access_list: Default::default(),
            input: plan.deed.call().1,
        };
        let signature = self.key.signer().sign_hash_sync(&tx.signature_hash());
        let signed = tx.into_signed(signature.map_err(|_| WalletError::Signing)?);
        let hash = *signed.hash();
        Ok((hash, TxEnvelope::from(signed).encoded_2718()))
    }

    /// The receipt of whichever of `sent` is in a block.
    async fn receipt(&self, sent: &[B256]) -> Result<Option<Receipt>, RpcError> {
        let call = |hash: &B256| Call::new("eth_getTransactionReceipt", json!([hash]));
        let calls: Vec<Call> = sent.iter().map(call).collect();
        for answer in self.chain.rpc().batch(&calls).await?.answers {
            let receipt = answer.parse::<Option<Value>>("a receipt")?;
            let Some(receipt) = receipt.filter(|receipt| !receipt["blockNumber"].is_null()) else {
                continue;
            };
            let receipt = serde_json::from_value(receipt).map_err(|_| RpcError::Shape {
                method: "eth_getTransactionReceipt",
                wanted: "a receipt",
            })?;
            return Ok(Some(receipt));
        }
        Ok(None)
    }

    fn done(&self, receipt: &Receipt, sent: &[B256]) -> Result<Done, WalletError> {
        self.chain.refresh();
        let (hash, block) = (receipt.transaction_hash, receipt.block_number.to());
        if receipt.status.is_zero() {
            return Err(WalletError::Reverted { hash, block });
        }
        let price = U256::from(receipt.effective_gas_price);
        Ok(Done {
            hash,
            block,
            fee: price.saturating_mul(U256::from(receipt.gas_used)),
            replaced: sent.len().saturating_sub(1) as u32,
        })
    }
}

#[cfg(test)]
mod tests;
