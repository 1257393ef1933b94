//! HTTP push: one client's wait, and how much eight get through.
//!
//! # Two ways to read it
//!
//! The targets were set where the relay took 1.0 ms and got 1340 pushes a second through. Where orchestrators, TLS and sockets cost a fifth of
//! that, the ratio says little about the gateway: its hash alone (keccak of 52 kB, which the protocol asks for) is half of what such a relay
//! takes in all. So beside the ratio stands what the gateway adds to the relay's time, which is its own work: at most 1.4 - 1.0 ms for one
//! client, and at most 1/1000 - 1/1340 s of the machine's time for one of many.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures::future::try_join_all;

use crate::client::Pusher;
use crate::media;
use crate::program::{Devnet, Gateway, Relay, Wanted};
use crate::report::{Report, Target, median, quantile};

/// Rounds of gateway and relay in turn, and pushes in one.
const ROUNDS: usize = 40;
const PUSHES: usize = 50;
/// Clients at once, rounds in turn, and how long one lasts.
const CLIENTS: usize = 8;
const BUSY_ROUNDS: usize = 12;
const BUSY: Duration = Duration::from_millis(1000);

/// Clients of the two that are compared.
struct Pair {
    gateway: Vec<Pusher>,
    relay: Vec<Pusher>,
}

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let devnet = Devnet::start(
        &[Wanted {
            price: 1,
            latency_ms: 0,
        }; 3],
    )
    .await?;
    let gateway = Gateway::start(&devnet, &[]).await?;
    let relay = Relay::start(&devnet.uris[0]).await?;
    let media = media::segment()?;
    let mut pair = Pair::connect(&gateway, &relay, &media).await?;
    // Connections, sessions and the allocators' arenas are there from the first round on.
    for pushers in [&mut pair.gateway, &mut pair.relay] {
        busy(pushers, BUSY).await?;
    }
    report.part(&format!(
        "HTTP push, segment of {} kB, two renditions",
        media.len() / 1000
    ));
    alone(&mut pair, report).await?;
    together(&mut pair, report).await
}

async fn alone(pair: &mut Pair, report: &mut Report) -> Result<()> {
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut a = in_turn(&mut pair.gateway[0]).await?;
        let mut b = in_turn(&mut pair.relay[0]).await?;
        ratios.push(median(&a) / median(&b));
        ours.append(&mut a);
        theirs.append(&mut b);
    }
    report.figure(
        "one client, p50",
        quantile(&mut ours, 0.5),
        "ms",
        Target::Below(1.4),
    );
    report.figure(
        "one client, p99",
        quantile(&mut ours, 0.99),
        "ms",
        Target::None,
    );
    report.figure(
        "the relay's p50",
        quantile(&mut theirs, 0.5),
        "ms",
        Target::None,
    );
    report.figure(
        "the relay's p99",
        quantile(&mut theirs, 0.99),
        "ms",
        Target::None,
    );
    let added = quantile(&mut ours, 0.5) - quantile(&mut theirs, 0.5);
    report.figure(
        "what the gateway adds, p50",
        added,
        "ms",
        Target::Below(0.4),
    );
    report.figure(
        "p50 as a multiple of the relay's",
        median(&ratios),
        "",
        Target::Below(1.4),
    );
    Ok(())
}

async fn together(pair: &mut Pair, report: &mut Report) -> Result<()> {
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..BUSY_ROUNDS {
        let a = busy(&mut pair.gateway, BUSY).await?;
        let b = busy(&mut pair.relay, BUSY).await?;
        ratios.push(a / b);
        ours.push(a);
        theirs.push(b);
    }
    report.figure(
        "eight clients, pushes a second",
        median(&ours),
        "/s",
        Target::Above(1000.0),
    );
    report.figure("the relay's", median(&theirs), "/s", Target::None);
    report.figure(
        "as a share of the relay's",
        median(&ratios),
        "",
        Target::Above(0.75),
    );
    let added = 1e3 / median(&ours) - 1e3 / median(&theirs);
    report.figure(
        "what the gateway adds to a push, of the machine's time",
        added,
        "ms",
        Target::Below(0.25),
    );
    Ok(())
}

/// One push after the other: how long each takes, ms.
async fn in_turn(pusher: &mut Pusher) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(PUSHES);
    for _ in 0..PUSHES {
        times.push(pusher.push().await?.as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// All at once for so long: pushes a second.
async fn busy(pushers: &mut [Pusher], time: Duration) -> Result<f64> {
    let started = Instant::now();
    let counts = try_join_all(pushers.iter_mut().map(|pusher| async move {
        let mut count = 0;
        while started.elapsed() < time {
            pusher.push().await?;
            count += 1;
        }
        anyhow::Ok(count)
    }));
    let total: u32 = counts.await?.into_iter().sum();
    Ok(f64::from(total) / started.elapsed().as_secs_f64())
}

// === impl Pair ===

impl Pair {
    async fn connect(gateway: &Gateway, relay: &Relay, media: &Bytes) -> Result<Self> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for client in 0..CLIENTS {
            ours.push(
                Pusher::connect(gateway.http, &format!("bench-{client}"), media.clone()).await?,
            );
            theirs.push(
                Pusher::connect(relay.http, &format!("bench-{client}"), media.clone()).await?,
            );
        }
        Ok(Self {
            gateway: ours,
            relay: theirs,
        })
    }
}
