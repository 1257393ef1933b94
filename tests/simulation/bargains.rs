//! Prices that rise within a session, under the default policy: up to twice is accepted, above that the next is taken.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pointsman_directory::Orchestrator;
use pointsman_dispatch::{
    Allowance, Asked, Deadlines, Delivered, Exchange, Request, Sessions, Stopped,
};
use pointsman_facts::{Blame, Failure, FailureKind, Price, Symbol, Workload};
use pointsman_wire::net::Capabilities;

use crate::world::{SEGMENT, World, uri};

/// What orchestrators ask, by URI.
#[derive(Default)]
struct Market {
    prices: Mutex<HashMap<String, u64>>,
    /// Added to a price whenever somebody looks at it.
    greed: u64,
    /// What the price becomes in the middle of the next attempt.
    surprise: Mutex<Option<u64>>,
    sent: Mutex<u32>,
    opened: Mutex<u32>,
}

struct Held {
    name: String,
    /// When it began, and the most that was agreed since.
    prices: Mutex<(Price, Price)>,
}

fn wei(wei: u64) -> Price {
    Price::new(wei, 1).expect("a price")
}

/// What everybody asks at first.
const FIRST: u64 = 1000;

// === impl Market ===

impl Market {
    fn now(&self, name: &str) -> u64 {
        *self.prices.lock().get(name).unwrap_or(&FIRST)
    }

    fn set(&self, name: &str, wei: u64) {
        self.prices.lock().insert(name.to_owned(), wei);
    }
}

impl Exchange for Market {
    type Session = Held;
    type Output = String;

    async fn open(&self, orchestrator: &Arc<Orchestrator>) -> Result<Held, Failure> {
        *self.opened.lock() += 1;
        let name = orchestrator.uri.to_string();
        Ok(Held {
            prices: Mutex::new((wei(self.now(&name)), wei(self.now(&name)))),
            name,
        })
    }

    fn expired(&self, _: &Held) -> bool {
        false
    }

    fn asked(&self, session: &Held) -> Option<Asked> {
        let now = self.now(&session.name);
        if now > FIRST {
            self.set(&session.name, now + self.greed);
        }
        let (began, agreed) = *session.prices.lock();
        Some(Asked {
            began,
            agreed,
            now: wei(now),
        })
    }

    fn agree(&self, session: &Held, began: Price, agreed: Price) {
        *session.prices.lock() = (began, agreed);
    }

    async fn attempt(&self, session: &Held, _: Allowance) -> Result<String, Failure> {
        if let Some(price) = self.surprise.lock().take() {
            self.set(&session.name, price);
            let rose = Failure::new(Blame::Payment, FailureKind::Price, "it asks more");
            return Err(rose);
        }
        *self.sent.lock() += 1;
        Ok(session.name.clone())
    }
}

async fn segment(
    world: &World,
    sessions: &Sessions<Held>,
    market: &Market,
    sequence: u64,
) -> Result<Delivered<String>, Stopped> {
    let request = Request {
        id: format!("stream/{sequence}"),
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        model: Symbol::UNKNOWN,
        affinity: 1,
        required: Arc::new(Capabilities::default()),
        segment: Some(SEGMENT),
        sequence: Some(sequence),
        units: 0,
        deadlines: Deadlines::live(SEGMENT),
        max_price: None,
        hints: Arc::default(),
    };
    world.dispatcher.exchange(&request, sessions, market).await
}

#[tokio::test(start_paused = true)]
async fn what_rises_in_the_middle_of_an_attempt_is_asked_about_and_the_attempt_goes_on() {
    let world = World::of(&["a"]).await;
    let (sessions, market) = (Sessions::new(), Market::default());
    *market.surprise.lock() = Some(2 * FIRST);
    let served = segment(&world, &sessions, &market, 0)
        .await
        .expect("served");
    assert_eq!(served.attempts, 1);
    assert_eq!((*market.sent.lock(), *market.opened.lock()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_more_each_time_is_left_before_the_deadline() {
    let world = World::of(&["a", "b"]).await;
    let sessions = Sessions::new();
    let market = Market {
        greed: 1,
        ..Market::default()
    };
    let first = segment(&world, &sessions, &market, 0)
        .await
        .expect("served");
    market.set(&first.output, FIRST + 1);
    let second = segment(&world, &sessions, &market, 1)
        .await
        .expect("served");
    assert_ne!(second.output, first.output);
    assert_eq!(second.attempts, 2);
    assert_eq!(*market.sent.lock(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rise_is_measured_by_what_the_session_began_with() {
    let world = World::of(&["a"]).await;
    let (sessions, market) = (Sessions::new(), Market::default());
    for (sequence, price) in [FIRST, 3 * FIRST / 2, 2 * FIRST].into_iter().enumerate() {
        market.set(uri("a").as_str(), price);
        let served = segment(&world, &sessions, &market, sequence as u64).await;
        served.expect("up to twice");
    }
    market.set(uri("a").as_str(), 2 * FIRST + 1);
    let stopped = segment(&world, &sessions, &market, 3).await;
    stopped.expect_err("more than twice");
}

#[tokio::test(start_paused = true)]
async fn a_price_that_rose_too_far_is_not_paid_by_a_gateway_that_knows_nobody_else() {
    let world = World::of(&["a"]).await;
    let (sessions, market) = (Sessions::new(), Market::default());
    segment(&world, &sessions, &market, 0)
        .await
        .expect("served");
    market.set(uri("a").as_str(), 2 * FIRST + 1);
    for sequence in 1..3 {
        let stopped = segment(&world, &sessions, &market, sequence).await;
        let stopped = stopped.expect_err("too dear");
        assert_eq!(stopped.status, Some(503));
        assert!(
            stopped
                .message
                .contains("it asks 2001 wei per unit now, 1000 was agreed"),
            "{stopped}"
        );
    }
    assert_eq!(*market.sent.lock(), 1, "nothing was sent at that price");
    market.set(uri("a").as_str(), FIRST);
    let third = segment(&world, &sessions, &market, 3).await;
    third.expect("the old price is paid without a question");
}
