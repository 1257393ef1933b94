//! Orchestrators that want to use the gateway up.

use std::time::Duration;

use futures::future::join_all;
use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule};

use crate::harness::{SHORT, Stage, eventually};

/// Streams at once.
const STREAMS: usize = 200;
/// What all of them together may add, in bytes: about 2 MB each, source and playlists included.
const BOUND: u64 = 400 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pushes_to_orchestrators_that_drip_and_flood_keep_memory_bounded() {
    let limit = STREAMS.to_string();
    let stage = Stage::passthrough(3, &["--max-sessions", &limit]).await;
    let before = stage.gateway.peak_memory();
    let interval = Duration::from_millis(100);
    let bad = [
        Rule::always(Kind::SlowDrip { interval }).on(Method::Segment),
        Rule::always(Kind::EndlessBody).on(Method::Segment),
        Rule::always(Kind::EndlessBody).on(Method::Download),
    ];
    for (orchestrator, rule) in stage.devnet.orchestrators().iter().zip(bad) {
        orchestrator.set(Change {
            capacity: Some(STREAMS),
            ..Change::rule(rule)
        });
    }
    let names: Vec<_> = (0..STREAMS)
        .map(|stream| format!("stream-{stream}"))
        .collect();
    let pushes = names.iter().map(|name| {
        let push = stage.gateway.pushing(&format!("/live/{name}/0.ts"));
        push.lasting(SHORT).send()
    });
    let pushed = join_all(pushes).await;
    for pushed in &pushed {
        // Where the machine is so slow that nobody can be connected to, nobody is left for the last ones.
        assert!(matches!(pushed.status, 422 | 503), "{}", pushed.text());
    }
    if let (Some(before), Some(after)) = (before, stage.gateway.peak_memory()) {
        let added = after - before;
        println!("{} MiB more at the peak", added >> 20);
        assert!(added < BOUND, "{} MiB more at the peak", added >> 20);
    }
    for orchestrator in stage.devnet.orchestrators() {
        orchestrator.set(Change::heal());
    }
    eventually("one of them is asked again", async || {
        stage.gateway.push("stream-0", 1).await.status == 200
    })
    .await;
}
