//! Follows the chain: one request a poll, more only when something is out of date.
//!
//! # Contract
//!
//! A poll asks for the newest block and, in the same request, for the logs since the last one. What they make out of date is
//! remembered until a reading as of that block has succeeded, so an outage between the two loses nothing. A gap of any length is closed by reading
//! everything once: no logs are fetched for the past. An error leaves the last state standing.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolCall;
use serde_json::json;
use tokio::time::Instant;

use crate::abi::RoundsManager::blockNumCall;
use crate::chain::{Options, Shared};
use crate::contracts::Contracts;
use crate::error::ChainError;
use crate::events::{Dirt, Log, OVERLAP, Seen, Watch};
use crate::feed::Feed;
use crate::head::{Guard, Head, L1Source, RawHead, Verdict};
use crate::network::MULTICALL3;
use crate::read::{Reader, Reading};
use crate::rpc::{Answer, Answered, Call, Rpc};
use crate::snapshot::{Kept, Snapshots};
use crate::state::State;
use crate::views::Views;

/// How often everything is read where nodes refuse logs.
const BLIND: Duration = Duration::from_secs(60);

/// The running part of a chain.
#[derive(Debug)]
pub(crate) struct Follower {
    options: Arc<Options>,
    rpc: Arc<Rpc>,
    shared: Arc<Shared>,
    snapshots: Option<Arc<Snapshots>>,
    guard: Guard,
    seen: Seen,
    dirt: Dirt,
    feed: Feed,
    live: Option<Live>,
    /// Nodes run creation code in a call, as far as is known.
    walks: AtomicBool,
    read: Option<Instant>,
    feed_read: Option<Instant>,
}

/// What is known once a node has answered.
#[derive(Clone, Copy, Debug)]
struct Live {
    contracts: Contracts,
    multicall: bool,
    l1: L1Source,
    /// The L1 block of the head that is followed, where it is known.
    l1_block: Option<u64>,
    /// Newest block whose logs were asked for.
    logs_to: u64,
    /// Logs were refused the last time.
    blind: bool,
    /// Who told the head.
    endpoint: usize,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(
        options: Arc<Options>,
        rpc: Arc<Rpc>,
        shared: Arc<Shared>,
        snapshots: Option<Arc<Snapshots>>,
    ) -> Self {
        let feed = Feed::new(options.feed, shared.quote());
        Self {
            options,
            rpc,
            shared,
            snapshots,
            guard: Guard::default(),
            seen: Seen::default(),
            dirt: Dirt::default(),
            feed,
            live: None,
            walks: AtomicBool::new(true),
            read: None,
            feed_read: None,
        }
    }

    /// Follows until the task is aborted.
    pub(crate) async fn run(mut self) {
        loop {
            let error = self.tick().await.err();
            self.shared.tell(error.as_ref());
            tokio::select! {
                () = tokio::time::sleep(self.options.poll) => {}
                () = self.shared.nudged() => self.dirt = self.dirt.or(Dirt::ALL),
            }
        }
    }

    async fn tick(&mut self) -> Result<(), ChainError> {
        match self.live {
            None => self.begin().await?,
            Some(live) => while !self.poll(live).await? {},
        }
        self.catch_up().await?;
        self.check_progress()
    }

    /// The first answer: the head, and what there is on this chain.
    async fn begin(&mut self) -> Result<(), ChainError> {
        let code = |address| Call::new("eth_getCode", json!([address, "latest"]));
        let mut calls = vec![latest(), code(MULTICALL3)];
        calls.extend(self.options.network.ai_registry.map(code));
        let Answered { answers, endpoint } = self.rpc.batch(&calls).await?;
        let head = head_of(&answers[0])?;
        let has_code = |answer: Option<&Answer>| match answer {
            // A node that does not tell is taken for one without.
            Some(answer) => answer
                .parse::<Bytes>("bytes")
                .is_ok_and(|code| !code.is_empty()),
            None => false,
        };
        let multicall = has_code(answers.get(1));
        let views = Views {
            rpc: &self.rpc,
            multicall,
        };
        let ai = has_code(answers.get(2));
        let network = &self.options.network;
        let contracts = Contracts::resolve(views, network, ai, head.number).await?;
        self.guard = Guard::default();
        self.guard.judge(head, Instant::now());
        self.seen = Seen::default();
        self.dirt = Dirt::ALL;
        self.live = Some(Live {
            contracts,
            multicall,
            l1: L1Source::Number,
            l1_block: None,
            logs_to: head.number,
            blind: false,
            endpoint,
        });
        Ok(())
    }

    /// The newest block and the logs since the last. `false`: it was not believed, and another endpoint can be asked.
    async fn poll(&mut self, mut live: Live) -> Result<bool, ChainError> {
        let state = self.shared.state();
        let watch = Watch {
            contracts: &live.contracts,
            sender: self.shared.sender(),
            orchestrators: state.as_ref().map_or(&[], |state| &state.orchestrators),
        };
        let from = live.logs_to.saturating_sub(OVERLAP);
        let mut calls = vec![latest(), Call::new("eth_getLogs", watch.filter(from))];
        if live.l1_block.is_none() || live.l1 == L1Source::Contract {
            calls.push(block_num(&live.contracts));
        }
        let answered = self.rpc.batch(&calls).await?;
        let head = head_of(&answered.answers[0])?;
        let now = Instant::now();
        match self.guard.judge(head, now) {
            // A head that stands still is no proof of honesty.
            Verdict::Good if self.guard.last().is_some_and(|(_, at)| at == now) => {
                self.rpc.trust(answered.endpoint);
            }
            Verdict::Good => {}
            Verdict::Moved => return self.begin().await.map(|()| true),
            Verdict::Doubtful => {
                let last = self.guard.last().map_or(0, |(last, _)| last.number);
                let said = head.number;
                let error = ChainError::Doubtful { said, last };
                return match self.rpc.distrust(answered.endpoint, error.to_string()) {
                    true => Ok(false),
                    false => Err(error),
                };
            }
        }
        let logs = answered.answers[1].parse::<Vec<Log>>("a list of logs");
        let dirt = match &logs {
            Ok(logs) => self.seen.take(&watch, logs, from, head.number),
            Err(error) => {
                tracing::debug!(%error, "no logs: everything is read instead");
                let old = self.read.is_none_or(|read| read.elapsed() >= BLIND);
                match live.blind && !old {
                    true => Dirt::default(),
                    false => Dirt::ALL,
                }
            }
        };
        live.blind = logs.is_err();
        live.logs_to = head.number;
        let told = answered.answers.get(2).and_then(|answer| {
            let word = answer.parse::<Bytes>("bytes").ok()?;
            let number = blockNumCall::abi_decode_returns(&word).ok()?;
            u64::try_from(number).ok()
        });
        live.l1_block = live.l1.l1(&head).or(told);
        self.dirt = self.dirt.or(dirt);
        live.endpoint = answered.endpoint;
        self.live = Some(live);
        Ok(true)
    }

    /// Reads what is out of date and publishes.
    async fn catch_up(&mut self) -> Result<(), ChainError> {
        let (Some(live), Some((head, _))) = (self.live, self.guard.last()) else {
            return Ok(());
        };
        let before = self.shared.state();
        if let Some(before) = self.usable(before.as_ref(), &live) {
            // Expiry is compared with L1 whatever comes of the readings below.
            let mut state = State::clone(before);
            state.head = head;
            state.l1_block = live.l1_block.unwrap_or(state.l1_block);
            self.shared.publish(state, live.l1_block.is_some());
        }
        if self.dirt.contracts {
            let views = self.views(&live);
            let ai = live.contracts.ai_registry.is_some();
            let network = &self.options.network;
            let contracts = Contracts::resolve(views, network, ai, head.number).await?;
            self.live = Some(Live { contracts, ..live });
            self.dirt.contracts = false;
        }
        let due = |last: Option<Instant>, every| last.is_none_or(|last| last.elapsed() >= every);
        if self.dirt.all || due(self.read, self.options.refresh) {
            return self.read_all(head).await;
        }
        let sender = self.shared.sender();
        let followed = self.shared.state().and_then(|state| state.sender);
        if self.dirt.sender || followed.map(|followed| followed.address) != sender {
            let sender = self.reader(&live).sender(head.number).await?;
            self.dirt.sender = false;
            if let Some(state) = self.shared.state() {
                let mut state = State::clone(&state);
                state.sender = sender;
                self.shared.publish(state, true);
                self.keep().await;
            }
        }
        if due(self.feed_read, self.options.feed_every) {
            let report = self.reader(&live).feed(head.number).await?;
            self.take_report(report, head);
        }
        Ok(())
    }

    async fn read_all(&mut self, head: Head) -> Result<(), ChainError> {
        let Some(mut live) = self.live else {
            return Ok(());
        };
        let before = self.shared.state();
        let before = self.usable(before.as_ref(), &live);
        let orchestrators = before.map_or(&[][..], |before| &before.orchestrators);
        let reading = self
            .reader(&live)
            .everything(head.number, orchestrators)
            .await?;
        let Reading {
            round,
            broker,
            pool_size,
            total_stake,
            orchestrators,
            sender,
            block_num,
            feed,
        } = reading;
        live.l1 = L1Source::of(&head, block_num);
        let l1_block = live.l1.l1(&head).unwrap_or(block_num);
        live.l1_block = Some(l1_block);
        self.live = Some(live);
        let state = State {
            chain_id: self.rpc.chain_id().unwrap_or_default(),
            head,
            l1_block,
            l1_source: live.l1,
            read_at: head.number,
            read_ms: now_ms(),
            reading: before.map_or(0, |before| before.reading) + 1,
            contracts: live.contracts,
            round,
            broker,
            pool_size,
            total_stake,
            orchestrators: orchestrators.into(),
            sender,
        };
        self.shared.publish(state, true);
        self.dirt = Dirt::default();
        self.read = Some(Instant::now());
        self.take_report(feed, head);
        self.keep().await;
        Ok(())
    }

    fn take_report(
        &mut self,
        report: Option<Result<crate::feed::Reported, crate::views::ViewError>>,
        head: Head,
    ) {
        self.feed_read = Some(Instant::now());
        if let Some(report) = report {
            self.feed.take(report, head.timestamp);
            self.shared.price(self.feed.quote(), self.feed.error());
        }
    }

    /// Writes the snapshot. A disk that does not take it costs a cold start, nothing else.
    async fn keep(&self) {
        let (Some(snapshots), Some(state)) = (self.snapshots.clone(), self.shared.state()) else {
            return;
        };
        let options = Arc::clone(&self.options);
        let kept = Kept {
            state: State::clone(&state),
            quote: self.feed.quote().cloned(),
        };
        let save = move || snapshots.save(&options.network, &kept);
        match tokio::task::spawn_blocking(save).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the chain's snapshot was not written"),
            Err(error) => tracing::warn!(%error, "the chain's snapshot was not written"),
        }
    }

    /// A head that has not moved for long, where chains do not rest.
    fn check_progress(&self) -> Result<(), ChainError> {
        let (Some(stall), Some(live)) = (self.options.stall, self.live) else {
            return Ok(());
        };
        let Some((head, since)) = self.guard.last() else {
            return Ok(());
        };
        let still = since.elapsed();
        if still < stall {
            return Ok(());
        }
        let error = ChainError::Stalled {
            number: head.number,
            seconds: still.as_secs(),
        };
        self.rpc.distrust(live.endpoint, error.to_string());
        Err(error)
    }

    /// `state`, if it is of this very chain.
    fn usable<'s>(&self, state: Option<&'s Arc<State>>, live: &Live) -> Option<&'s State> {
        let same = |state: &&Arc<State>| {
            Some(state.chain_id) == self.rpc.chain_id()
                && state.contracts.controller == live.contracts.controller
        };
        state.filter(same).map(|state| &**state)
    }

    fn views(&self, live: &Live) -> Views<'_> {
        Views {
            rpc: &self.rpc,
            multicall: live.multicall,
        }
    }

    fn reader(&self, live: &Live) -> Reader<'_> {
        Reader {
            views: self.views(live),
            contracts: live.contracts,
            sender: self.shared.sender(),
            feed: self.options.network.price_feed,
            walks: &self.walks,
        }
    }
}

fn latest() -> Call {
    Call::new("eth_getBlockByNumber", json!(["latest", false]))
}

fn block_num(contracts: &Contracts) -> Call {
    let data = Bytes::from(blockNumCall {}.abi_encode());
    let what = json!({ "to": contracts.rounds_manager, "data": data });
    Call::new("eth_call", json!([what, "latest"]))
}

fn head_of(answer: &Answer) -> Result<Head, ChainError> {
    let raw = answer.parse::<Option<RawHead>>("a block")?;
    Ok(raw.ok_or(ChainError::NoHead)?.into())
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| U256::from(since.as_millis()).saturating_to())
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
