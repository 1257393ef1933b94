//! Paid streams, on a chain of their own: tickets go out, winners are redeemed, and all books agree.

mod budget;
#[cfg(target_os = "linux")]
mod disk;
mod funds;
mod l1;
mod rpc;
mod terms;

use std::process::Stdio;

use pointsman_devnet::{Change, Payments, Price};
use pointsman_payments::U256;

use crate::harness::till::{CERTAIN, ETH, Setup};
use crate::harness::{NO_HEDGES, eventually};

#[tokio::test]
async fn a_stream_is_paid_and_every_winner_is_redeemed() {
    let till = Setup::certain(2).start(2, &NO_HEDGES).await;
    let (gateway, devnet) = (&till.stage.gateway, &till.stage.devnet);
    let before = till.sender().await;
    for sequence in 0..4 {
        gateway.push("paid", sequence).await.assert_whole();
    }
    let moved = till.redeemed().await;
    assert!(moved > U256::ZERO, "winners were redeemed");
    let after = till.sender().await;
    assert_eq!(before.deposit - after.deposit, moved, "out of the deposit");
    assert_eq!(before.reserve, after.reserve, "and of nothing else");

    let accounts = gateway.settled().await;
    assert_eq!(accounts.cannot_pay, None);
    assert!(accounts.spend.unconfirmed.is_empty());
    let mut fees = U256::ZERO;
    for one in devnet.orchestrators() {
        let (address, takings) = (
            one.address().expect("an account"),
            one.takings().expect("takings"),
        );
        let earned = till.chain.fees(address).await.expect("an answer");
        assert_eq!(earned, takings.received, "what it was paid is its own");
        fees += earned;
        assert_eq!((takings.refused, takings.failed), (0, 0), "{takings:?}");
        let spent = accounts.spend.recipients.get(&address.to_string()).cloned();
        let spent = spent.unwrap_or_default();
        assert_eq!(
            spent.tickets, takings.tickets,
            "every ticket that left arrived"
        );
        if takings.tickets > 0 {
            assert_eq!(
                spent.spent(),
                takings.credited,
                "the ledger says what the orchestrator says"
            );
            assert_eq!(spent.accepted(), takings.credited);
            // Four segments: what was paid ahead is less than one of them.
            let ahead = takings.credited - takings.debited;
            assert!(ahead < takings.debited / U256::from(2), "{takings:?}");
        }
    }
    assert_eq!(fees, moved, "what left the deposit is the orchestrators'");
    eventually("the gateway knows what is left", async || {
        gateway.payments().await.deposit == Some(after.deposit)
    })
    .await;
}

#[tokio::test]
async fn a_paid_stream_goes_on_when_its_orchestrator_dies_and_after_a_restart() {
    let mut till = Setup::certain(2).start(2, &NO_HEDGES).await;
    till.stage.gateway.push("on", 0).await.assert_whole();
    let first = till.stage.winner("on/0").await;
    first.kill().await;
    till.stage.gateway.push("on", 1).await.assert_whole();
    let second = till.stage.winner("on/1").await;
    assert_ne!(first.uri(), second.uri());
    let spent = till.stage.gateway.settled().await.spend.all_time;
    till.stage.gateway = till.stage.gateway.restart().await;
    assert_eq!(
        till.stage.gateway.payments().await.spend.all_time,
        spent,
        "the ledger stays"
    );
    till.stage.gateway.usable(1).await;
    till.stage.gateway.push("on", 2).await.assert_whole();
    till.redeemed().await;
    let accounts = till.stage.gateway.settled().await;
    for one in [first, second] {
        let takings = one.takings().expect("takings");
        let spent = &accounts.spend.recipients[&takings.address.to_string()];
        // What broke off when it died may have left.
        assert!(spent.spent() >= takings.credited);
        assert_eq!(spent.accepted(), takings.credited);
        assert_eq!(
            takings.failed, 0,
            "no nonce twice, no ticket that is none: {takings:?}"
        );
    }
}

#[tokio::test]
async fn without_a_deposit_it_says_so_and_goes_on_as_soon_as_there_is_one() {
    let setup = Setup {
        deposit: 0,
        ..Setup::certain(1)
    };
    let till = setup.start(1, &[]).await;
    let gateway = &till.stage.gateway;
    let refused = gateway.push("poor", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused.text().contains("there is no deposit"),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("reserve 1 ETH"),
        "{}",
        refused.text()
    );
    let cannot = gateway.payments().await.cannot_pay.expect("it says why");
    assert!(cannot.contains("there is no deposit"), "{cannot}");
    let (_, metrics) = gateway.admin("/metrics").await;
    assert!(
        metrics.contains("pointsman_payments_failed_total{why=\"funds\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("pointsman_payments_able 0"), "{metrics}");
    let source = gateway
        .pushing("/live/source/0.ts")
        .configured(r#"{"profiles":[]}"#);
    assert_eq!(
        source.send().await.status,
        200,
        "what costs nothing goes on"
    );

    till.fund(ETH, 0).await;
    eventually("the deposit is seen", async || {
        gateway.payments().await.cannot_pay.is_none()
    })
    .await;
    gateway.push("poor", 0).await.assert_whole();
}

#[tokio::test]
async fn without_a_reserve_nobody_answers_and_the_reason_is_said() {
    let setup = Setup {
        reserve: 0,
        ..Setup::certain(1)
    };
    let till = setup.start(0, &[]).await;
    let refused = till.stage.gateway.push("poor", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused.text().contains("there is no reserve"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn whoever_asks_for_too_large_tickets_is_left_out() {
    let dear = Payments {
        ticket_ev: 4_000_000_000_000,
        max_face_value: 8_000_000_000_000,
        ..CERTAIN
    };
    let setup = Setup {
        orchestrators: vec![dear, CERTAIN],
        ..Setup::certain(0)
    };
    let till = setup.start(1, &[]).await;
    let gateway = &till.stage.gateway;
    eventually("both have answered", async || {
        let known = gateway.orchestrators().await;
        known.iter().any(|one| one.unusable.is_some())
    })
    .await;
    let known = gateway.orchestrators().await;
    let why = known
        .iter()
        .find_map(|one| one.unusable.clone())
        .expect("one is left out");
    assert!(why.contains("a ticket is worth"), "{why}");
    assert!(why.contains("max-ticket-ev"), "{why}");
    gateway.push("thrifty", 0).await.assert_whole();
    let takings = till.stage.devnet.orchestrators()[0]
        .takings()
        .expect("takings");
    assert_eq!((takings.tickets, takings.refused), (0, 0));
}

#[tokio::test]
async fn terms_that_are_too_old_are_renewed_and_the_segment_is_sent_again() {
    let flags = ["--block-polling-interval", "1m"];
    let till = Setup::certain(1)
        .start(1, &[&flags[..], &NO_HEDGES].concat())
        .await;
    let gateway = &till.stage.gateway;
    gateway.push("old", 0).await.assert_whole();
    till.redeemed().await;
    // The gateway does not look, so it is the orchestrator that refuses.
    till.chain.mine(50).await.expect("mined");
    gateway.push("old", 1).await.assert_whole();
    let takings = till.stage.devnet.orchestrators()[0]
        .takings()
        .expect("takings");
    assert_eq!(takings.refused, 1, "{takings:?}");
    let tried = gateway.tried("old/1").await;
    assert_eq!(tried.len(), 1, "within one attempt: {tried:?}");
    let accounts = gateway.settled().await;
    let spent = &accounts.spend.all_time;
    assert!(
        spent.spent() > spent.accepted(),
        "what was refused has left all the same"
    );
    assert_eq!(spent.accepted(), takings.credited);
}

#[tokio::test]
async fn a_price_that_rose_above_the_ceiling_is_not_paid() {
    let flags = ["--max-price-per-unit", "2000"];
    let till = Setup::certain(1)
        .start(1, &[&flags[..], &NO_HEDGES].concat())
        .await;
    let gateway = &till.stage.gateway;
    gateway.push("dear", 0).await.assert_whole();
    till.redeemed().await;
    let only = &till.stage.devnet.orchestrators()[0];
    let before = only.takings().expect("takings");
    only.set(Change {
        price: Some(Some(Price::per_pixel(5000))),
        ..Default::default()
    });
    // The session's terms grow too old, so that another one is opened, at the price of now.
    till.chain.mine(50).await.expect("mined");
    let now = till.chain.block().await.expect("an answer");
    eventually("the gateway has seen it", async || {
        gateway.payments().await.chain.l1_block == Some(now)
    })
    .await;
    let refused = gateway.push("dear", 1).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused.text().contains("above the ceiling of 2000 wei"),
        "{}",
        refused.text()
    );
    assert_eq!(only.takings().expect("takings").tickets, before.tickets);
}

#[tokio::test]
async fn a_spent_cap_stops_new_work_in_words() {
    // A segment costs about 1.2 · 10^11 wei.
    let till = Setup::certain(1)
        .start(1, &["--max-spend-per-stream", "200000000000"])
        .await;
    let gateway = &till.stage.gateway;
    gateway.push("capped", 0).await.assert_whole();
    let refused = gateway.push("capped", 1).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused
            .text()
            .contains("the cap per job is 200000000000 wei"),
        "{}",
        refused.text()
    );
    let (_, metrics) = gateway.admin("/metrics").await;
    assert!(
        metrics.contains("pointsman_payments_failed_total{why=\"job\"} 1"),
        "{metrics}"
    );
    let takings = till.stage.devnet.orchestrators()[0]
        .takings()
        .expect("takings");
    let accounts = gateway.settled().await;
    assert_eq!(accounts.spend.all_time.spent(), takings.credited);
}

#[tokio::test]
async fn a_wrong_password_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "not-it\n").expect("a file");
    let keystore = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/onchain/keystore/signer.json"
    );
    let started = tokio::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .env_clear()
        .args([
            "run",
            "--http-addr",
            "127.0.0.1:0",
            "--cli-addr",
            "127.0.0.1:0",
        ])
        .args([
            "--rtmp-addr",
            "off",
            "--network",
            "devnet",
            "--eth-url",
            "http://127.0.0.1:1",
        ])
        .args([
            "--eth-controller",
            "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        ])
        .args(["--eth-keystore-path", keystore, "--eth-password"])
        .arg(&password)
        .arg("--data-dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = started.await.expect("the binary");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("password"), "{said}");
    assert!(!said.contains("not-it"), "{said}");
    assert!(
        !folder.path().join("ledger.sqlite3").exists(),
        "nothing is begun with a key that does not open"
    );
}
