//! Winners, and how they become money.

use std::collections::VecDeque;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall as _, SolEvent as _};
use parking_lot::Mutex;
use pointsman_wire::ticket::Ticket;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Account;
use crate::chain::abi::{RoundsManager, TicketBroker};
use crate::chain::{Receipt, RpcError};
use crate::payments::Redeem;

/// How often winners that wait for their expiry, or for the chain, are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Most redemptions on their way at once.
const BATCH: usize = 16;
/// The contract's word when nobody has begun the round yet. Anyone may.
const NO_ROUND: &str = "current round is not initialized";

/// A ticket that won.
#[derive(Clone, Debug)]
pub(super) struct Winner {
    pub(super) ticket: Ticket,
    pub(super) signature: Vec<u8>,
    pub(super) recipient_rand: U256,
    /// L1 block at which the parameters expire.
    pub(super) expires: u64,
}

/// Winners that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Winner>>,
    came: Notify,
    /// Held by whoever redeems: one transaction of this key at a time.
    turn: tokio::sync::Mutex<()>,
}

// === impl Queue ===

impl Queue {
    pub(super) fn push(&self, winner: Winner) {
        self.waiting.lock().push_back(winner);
        self.came.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Face value of a sender's winners that wait.
    pub(super) fn pending(&self, sender: Address) -> U256 {
        let waiting = self.waiting.lock();
        let of_sender = waiting.iter().filter(|w| w.ticket.sender == sender);
        of_sender.fold(U256::ZERO, |sum, w| sum.saturating_add(w.ticket.face_value))
    }
}

// === impl Account ===

impl Account {
    /// Redeems winners when their time has come, until `ended`. A redemption that has begun is brought to its end: cut off
    /// in between, nobody would know what became of the ticket.
    pub(crate) async fn redeem_until(&self, ended: CancellationToken) {
        loop {
            // Only when there is something to look at later does it wake without being told.
            let later = async {
                match self.settings.redeem {
                    Redeem::Never => std::future::pending().await,
                    _ if self.queue.len() == 0 => std::future::pending().await,
                    _ => tokio::time::sleep(LOOK).await,
                }
            };
            tokio::select! {
                () = ended.cancelled() => return,
                () = self.queue.came.notified() => {}
                () = later => {}
            }
            let done = match self.settings.redeem {
                Redeem::Never => Ok(()),
                Redeem::AtOnce => self.redeem_all().await,
                Redeem::AfterExpiry => self.redeem_expired().await,
            };
            if let Err(cause) = done {
                tracing::warn!(%cause, "winners cannot be redeemed now");
            }
        }
    }

    /// Redeems all winners that wait, whatever the settings say. Returns when none is left.
    pub(crate) async fn redeem_all(&self) -> Result<(), RpcError> {
        self.redeem_before(u64::MAX).await
    }

    async fn redeem_expired(&self) -> Result<(), RpcError> {
        let standing = self.view.standing(Address::ZERO, self.address()).await?;
        self.redeem_before(standing.l1Block.saturating_to()).await
    }

    /// Redeems winners that expire at this block or before. Several are sent before the first is waited for: where blocks
    /// come by the clock they share one.
    async fn redeem_before(&self, block: u64) -> Result<(), RpcError> {
        let _turn = self.queue.turn.lock().await;
        loop {
            let batch: Vec<Winner> = {
                let waiting = self.queue.waiting.lock();
                let ready = waiting.iter().filter(|winner| winner.expires <= block);
                ready.take(BATCH).cloned().collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            let mut sent = Vec::with_capacity(batch.len());
            for winner in batch {
                let hash = self.submit(&winner).await;
                let gone = matches!(&hash, Err(cause) if !is_final(cause));
                sent.push((winner, hash));
                if gone {
                    break;
                }
            }
            for (winner, hash) in sent {
                let redeemed = match hash {
                    Ok(hash) => self.view.rpc.receipt(hash).await,
                    Err(cause) => Err(cause),
                };
                match redeemed {
                    Ok(receipt) => self.tally.redeemed(transferred(&receipt)),
                    Err(cause) if !is_final(&cause) => return Err(cause),
                    Err(RpcError::Reverted(why)) => {
                        tracing::warn!(%why, "a winner was not redeemed");
                        self.tally.failed(why);
                    }
                    Err(cause) => self.tally.failed(cause.to_string()),
                }
                // It waits until it is counted, so that it is never neither.
                let done = winner.ticket.hash();
                let mut waiting = self.queue.waiting.lock();
                waiting.retain(|winner| winner.ticket.hash() != done);
            }
        }
    }

    /// Sends the redemption of one.
    async fn submit(&self, winner: &Winner) -> Result<B256, RpcError> {
        let ticket = &winner.ticket;
        let call = TicketBroker::redeemWinningTicketCall {
            ticket: TicketBroker::Ticket {
                recipient: ticket.recipient,
                sender: ticket.sender,
                faceValue: ticket.face_value,
                winProb: ticket.win_prob,
                senderNonce: U256::from(ticket.sender_nonce),
                recipientRandHash: ticket.recipient_rand_hash,
                auxData: ticket.expiration.aux_data().into(),
            },
            sig: winner.signature.clone().into(),
            recipientRand: winner.recipient_rand,
        };
        let input = Bytes::from(call.abi_encode());
        let (view, key) = (&self.view, &self.key);
        let broker = Some(view.ticket_broker);
        let submit = || view.rpc.submit(key, broker, U256::ZERO, input.clone());
        match submit().await {
            Err(RpcError::Reverted(why)) if why == NO_ROUND => {
                let begin = RoundsManager::initializeRoundCall {};
                // Somebody else may be faster; then this reverts, and the next try tells.
                let begun = view.rpc.send(key, view.rounds_manager, U256::ZERO, &begin);
                if let Err(cause) = begun.await {
                    tracing::debug!(%cause, "the round was not initialized");
                }
                submit().await
            }
            other => other,
        }
    }
}

/// Whether trying again is of no use.
fn is_final(cause: &RpcError) -> bool {
    !matches!(cause, RpcError::Transport(_))
}

/// What a redemption moved.
fn transferred(receipt: &Receipt) -> U256 {
    let transfers = receipt.logs.iter().filter_map(|log| {
        TicketBroker::WinningTicketTransfer::decode_raw_log(&log.topics, &log.data).ok()
    });
    transfers.fold(U256::ZERO, |sum, transfer| {
        sum.saturating_add(transfer.amount)
    })
}
