//! Several endpoints as one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use super::envelope::{decode, encode};
use super::fault::Faults;
use super::rest::Rest;
use super::{Answer, Call, Endpoint, Fault, Http, Limits, RefusalKind, RpcError, Transport};

/// Asks nodes, whichever of them answers. Share it; every call may run beside others.
#[derive(Debug)]
pub struct Rpc {
    slots: Vec<Slot>,
    limits: Limits,
    /// What every endpoint must serve: given by the network, or learnt from the first that answers.
    chain_id: OnceLock<u64>,
}

/// The answers to a batch and who gave them.
#[derive(Debug)]
pub struct Answered {
    /// In the order of the calls.
    pub answers: Vec<Answer>,
    /// For [`Rpc::distrust`].
    pub endpoint: usize,
}

/// One endpoint, for status pages and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointStatus {
    /// Scheme, host and port.
    pub label: String,
    /// HTTP exchanges begun.
    pub requests: u64,
    /// JSON-RPC calls in them.
    pub calls: u64,
    /// Exchanges that failed.
    pub failures: u64,
    /// What is wrong with it now.
    pub fault: Option<Fault>,
    /// How much longer it rests. Zero: it is in use, or next.
    pub rests: Duration,
    /// It is never asked again: it serves another chain.
    pub barred: bool,
}

#[derive(Debug)]
struct Slot {
    label: String,
    endpoint: Option<Endpoint>,
    transport: Box<dyn Transport>,
    rest: Mutex<Rest>,
    /// Most calls in one exchange; halves when it refuses.
    batch: AtomicUsize,
    /// It has shown its chain id.
    known: AtomicBool,
    requests: AtomicU64,
    calls: AtomicU64,
    failures: AtomicU64,
}

// === impl Rpc ===

impl Rpc {
    /// Endpoints over HTTP, the preferred one first. `chain_id`: what they must serve, where that is known.
    ///
    /// # Errors
    ///
    /// What the TLS library says when it cannot start.
    pub fn http(
        endpoints: impl IntoIterator<Item = Endpoint>,
        chain_id: Option<u64>,
        limits: Limits,
    ) -> Result<Self, String> {
        let slots = endpoints.into_iter().map(|endpoint| {
            let transport = Http::new(endpoint.clone())?;
            let label = endpoint.label();
            Ok(Slot::new(
                label,
                Some(endpoint),
                Box::new(transport),
                &limits,
            ))
        });
        Ok(Self::of(
            slots.collect::<Result<_, String>>()?,
            chain_id,
            limits,
        ))
    }

    /// Endpoints over anything, by name.
    #[must_use]
    pub fn with_transports(
        transports: Vec<(String, Box<dyn Transport>)>,
        chain_id: Option<u64>,
        limits: Limits,
    ) -> Self {
        let slots = transports
            .into_iter()
            .map(|(label, transport)| Slot::new(label, None, transport, &limits));
        Self::of(slots.collect(), chain_id, limits)
    }

    fn of(slots: Vec<Slot>, chain_id: Option<u64>, limits: Limits) -> Self {
        Self {
            slots,
            limits,
            chain_id: chain_id.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    /// The chain that is served, once any endpoint has answered or where the network says so.
    #[must_use]
    pub fn chain_id(&self) -> Option<u64> {
        self.chain_id.get().copied()
    }

    /// HTTP exchanges begun, over all endpoints.
    #[must_use]
    pub fn requests(&self) -> u64 {
        let count = |slot: &Slot| slot.requests.load(Ordering::Relaxed);
        self.slots.iter().map(count).sum()
    }

    /// Each endpoint as it is now.
    #[must_use]
    pub fn status(&self) -> Vec<EndpointStatus> {
        let now = Instant::now();
        self.slots.iter().map(|slot| slot.status(now)).collect()
    }

    /// Asks one thing.
    ///
    /// # Errors
    ///
    /// [`RpcError::Down`] or [`RpcError::TooLarge`]. A refusal is in the answer.
    pub async fn call(&self, call: Call) -> Result<Answer, RpcError> {
        let mut answered = self.batch(&[call]).await?;
        Ok(answered.answers.remove(0))
    }

    /// Asks several things at once, in as few HTTP exchanges as the endpoint takes.
    ///
    /// # Errors
    ///
    /// As [`Rpc::call`].
    pub async fn batch(&self, calls: &[Call]) -> Result<Answered, RpcError> {
        let deadline = Instant::now() + self.limits.overall;
        let mut failures = 0;
        // Who refused without a reason that every node shares; asked last, if at all.
        let mut refused: Option<Answered> = None;
        let mut skip = vec![false; self.slots.len()];
        while failures < self.limits.attempts {
            let Some((at, ready)) = self.choose(&skip) else {
                break;
            };
            if ready > Instant::now() {
                if refused.is_some() || ready > deadline {
                    break;
                }
                sleep_until(ready).await;
            }
            let slot = &self.slots[at];
            match self.exchange(slot, calls).await {
                Ok(answers) => {
                    slot.rest.lock().recovered();
                    let answered = Answered {
                        answers,
                        endpoint: at,
                    };
                    if !answered.refused() {
                        return Ok(answered);
                    }
                    skip[at] = true;
                    refused = Some(answered);
                }
                Err(Fault::TooLarge(most)) => return Err(RpcError::TooLarge(most)),
                Err(fault) => {
                    failures += 1;
                    self.rest(slot, fault);
                }
            }
        }
        refused.ok_or_else(|| RpcError::Down(self.faults()))
    }

    /// What the endpoint said was believed: earlier doubts are forgotten.
    pub fn trust(&self, endpoint: usize) {
        if let Some(slot) = self.slots.get(endpoint) {
            slot.rest.lock().trusted();
        }
    }

    /// Lets the endpoint that gave an answer rest, longer each time until [`Rpc::trust`]: what it said cannot be. Tells whether another
    /// may be asked at once.
    pub fn distrust(&self, endpoint: usize, why: String) -> bool {
        if let Some(slot) = self.slots.get(endpoint) {
            self.rest(slot, Fault::Head(why));
        }
        let next = self.choose(&vec![false; self.slots.len()]);
        next.is_some_and(|(_, ready)| ready <= Instant::now())
    }

    /// The preferred endpoint of those that may be asked soonest.
    fn choose(&self, skip: &[bool]) -> Option<(usize, Instant)> {
        let now = Instant::now();
        let ready = |(at, slot): (usize, &Slot)| Some((at, slot.rest.lock().ready_at(now)?));
        let slots = self.slots.iter().enumerate();
        let slots = slots.filter(|&(at, _)| !skip[at]).filter_map(ready);
        slots.min_by_key(|&(at, ready)| (ready, at))
    }

    fn rest(&self, slot: &Slot, fault: Fault) {
        tracing::debug!(endpoint = slot.label, %fault, "RPC endpoint rests");
        slot.failures.fetch_add(1, Ordering::Relaxed);
        slot.rest.lock().failed(fault, &self.limits, Instant::now());
    }

    fn faults(&self) -> Faults {
        let fault = |slot: &Slot| Some((slot.label.clone(), slot.rest.lock().last()?.clone()));
        Faults(self.slots.iter().filter_map(fault).collect())
    }

    async fn exchange(&self, slot: &Slot, calls: &[Call]) -> Result<Vec<Answer>, Fault> {
        let identify = Call::new("eth_chainId", json!([]));
        let known = slot.known.load(Ordering::Relaxed);
        let mut open: Vec<&Call> = calls.iter().collect();
        if !known {
            open.insert(0, &identify);
        }
        let mut answers = Vec::with_capacity(open.len());
        while answers.len() < open.len() {
            let rest = &open[answers.len()..];
            let some = &rest[..slot.batch.load(Ordering::Relaxed).min(rest.len())];
            match self.post(slot, some).await {
                Ok(more) => answers.extend(more),
                Err(Fault::BatchRefused(n)) if some.len() > 1 => {
                    slot.batch.fetch_min(n.max(2) / 2, Ordering::Relaxed);
                }
                Err(fault) => return Err(fault),
            }
            if !known && !answers.is_empty() && !slot.known.load(Ordering::Relaxed) {
                self.identify(slot, &answers[0])?;
            }
        }
        if !known {
            answers.remove(0);
        }
        Ok(answers)
    }

    /// Compares an endpoint's chain with what it must be.
    fn identify(&self, slot: &Slot, answer: &Answer) -> Result<(), Fault> {
        let text: String = answer
            .parse("a text")
            .map_err(|_| Fault::Garbage("eth_chainId is no number"))?;
        let got = text.strip_prefix("0x");
        let got = got.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let got = got.ok_or(Fault::Garbage("eth_chainId is no number"))?;
        let want = *self.chain_id.get_or_init(|| got);
        if got != want {
            return Err(Fault::WrongChain { got, want });
        }
        slot.known.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn post(&self, slot: &Slot, calls: &[&Call]) -> Result<Vec<Answer>, Fault> {
        slot.requests.fetch_add(1, Ordering::Relaxed);
        slot.calls.fetch_add(calls.len() as u64, Ordering::Relaxed);
        let limit = self.limits.timeout;
        let post = slot.transport.post(encode(calls), self.limits.answer);
        let body = timeout(limit, post)
            .await
            .map_err(|_| Fault::Timeout(limit))?;
        let body = body.map_err(|fault| match fault {
            Fault::BatchRefused(_) | Fault::Status(400 | 413) if calls.len() > 1 => {
                Fault::BatchRefused(calls.len())
            }
            fault => fault,
        })?;
        let answers = decode(calls, &body, |text| slot.scrub(text))?;
        // One lagging or throttled answer spoils the batch: all of it is asked again elsewhere.
        for refusal in answers.iter().filter_map(Answer::refusal) {
            match refusal.kind {
                RefusalKind::Behind => return Err(Fault::Behind(refusal.message.clone())),
                RefusalKind::Throttled => return Err(Fault::Throttled(None)),
                _ => {}
            }
        }
        Ok(answers)
    }
}

// === impl Answered ===

impl Answered {
    /// Whether another node might do better.
    fn refused(&self) -> bool {
        let shared = |kind| matches!(kind, RefusalKind::Reverted | RefusalKind::TooMuch);
        let refusals = self.answers.iter().filter_map(Answer::refusal);
        refusals.into_iter().any(|refusal| !shared(refusal.kind))
    }
}

// === impl Slot ===

impl Slot {
    fn new(
        label: String,
        endpoint: Option<Endpoint>,
        transport: Box<dyn Transport>,
        limits: &Limits,
    ) -> Self {
        Self {
            label,
            endpoint,
            transport,
            rest: Mutex::default(),
            batch: AtomicUsize::new(limits.batch.max(1)),
            known: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    fn scrub(&self, text: &str) -> String {
        let endpoint = self.endpoint.as_ref();
        endpoint.map_or_else(|| text.to_owned(), |endpoint| endpoint.scrub(text))
    }

    fn status(&self, now: Instant) -> EndpointStatus {
        let rest = self.rest.lock();
        EndpointStatus {
            label: self.label.clone(),
            requests: self.requests.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            fault: rest.last().cloned(),
            rests: rest
                .ready_at(now)
                .map_or(Duration::MAX, |ready| ready.saturating_duration_since(now)),
            barred: rest.is_barred(),
        }
    }
}
