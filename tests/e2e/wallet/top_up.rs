//! Filling up, within the day's cap.

use pointsman_payments::U256;

use super::Cli;
use crate::harness::eventually;
use crate::harness::till::{ETH, Setup, Till};

async fn holds(till: &Till, deposit: u64, reserve: u64) {
    let wanted = (U256::from(deposit), U256::from(reserve));
    eventually("it is filled up", async || {
        let sender = till.sender().await;
        (sender.deposit, sender.reserve) == wanted
    })
    .await;
}

#[tokio::test]
async fn it_fills_up_to_the_cap_and_a_restart_does_not_forget_it() {
    let setup = Setup {
        deposit: ETH / 2,
        reserve: ETH,
        ..Setup::certain(1)
    };
    let flags = ["--auto-top-up-below", "1eth", "--auto-top-up-to", "2eth"];
    let cap = [
        "--auto-top-up-reserve",
        "3eth",
        "--auto-top-up-per-day",
        "4eth",
    ];
    let mut till = setup.start(1, &[flags, cap].concat()).await;
    holds(&till, 2 * ETH, 3 * ETH).await;
    let gateway = &till.stage.gateway;
    gateway.logs("deposit and reserve were topped up").await;
    let counted = "pointsman_wallet_top_ups_total{result=\"ok\"} 1";
    assert!(gateway.admin("/metrics").await.1.contains(counted));

    // 3.5 ETH of 4 are used; now 3 ETH lack.
    let stopped = till.stage.gateway.stop().await;
    let stopped = stopped
        .without("--auto-top-up-below")
        .without("--auto-top-up-to");
    let more = ["--auto-top-up-below", "4eth", "--auto-top-up-to", "5eth"];
    till.stage.gateway = stopped.start(&more).await;
    holds(&till, 2 * ETH + ETH / 2, 3 * ETH).await;
    till.stage
        .gateway
        .logs("the day's cap of top-ups is used up")
        .await;
    let (_, status) = till.stage.gateway.admin("/api/v1/wallet").await;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["auto_top_up"]["today"], (4 * ETH).to_string());
    holds(&till, 2 * ETH + ETH / 2, 3 * ETH).await;
}

#[tokio::test]
async fn money_that_is_being_unlocked_is_left_alone() {
    let mut till = Setup::certain(1).start(1, &[]).await;
    let cli = Cli::of(&till);
    cli.json("unlock --yes").await;
    let flags = ["--auto-top-up-below", "2eth", "--auto-top-up-to", "3eth"];
    let cap = ["--auto-top-up-per-day", "100eth"];
    let stopped = till.stage.gateway.stop().await;
    till.stage.gateway = stopped.start(&[&flags[..], &cap].concat()).await;
    let cli = Cli::of(&till);
    let gateway = &till.stage.gateway;
    // It looks, and looks again.
    for _ in 0..2 {
        till.chain.mine(1).await.expect("mined");
        let now = till.chain.block().await.expect("an answer");
        eventually("the gateway has looked", async || {
            gateway.payments().await.chain.l1_block == Some(now)
        })
        .await;
    }
    // A top-up would have ended the unlocking, and there would be nothing to cancel.
    assert_eq!(till.sender().await.withdraw_round, 5);
    cli.json("cancel-unlock --yes").await;
    holds(&till, 3 * ETH, ETH).await;
}

#[tokio::test]
async fn an_account_without_money_is_said_and_harms_nobody() {
    let till = Setup {
        deposit: ETH / 2,
        ..Setup::certain(1)
    };
    let flags = [
        "--auto-top-up-below",
        "1eth",
        "--auto-top-up-to",
        "1000000eth",
    ];
    let cap = ["--auto-top-up-per-day", "1000000eth"];
    let till = till.start(1, &[&flags[..], &cap].concat()).await;
    let gateway = &till.stage.gateway;
    gateway.logs("cannot be topped up").await;
    assert!(gateway.log().contains("send at least"), "{}", gateway.log());
    gateway.push("on", 0).await.assert_whole();
    let (_, status) = gateway.admin("/api/v1/wallet").await;
    assert!(status.contains("\"today\":\"0\""), "nothing left: {status}");
}

#[tokio::test]
async fn a_stream_that_uses_the_deposit_up_goes_on() {
    const GIGA: u64 = 1_000_000_000;
    let setup = Setup {
        deposit: 300 * GIGA,
        ..Setup::certain(1)
    };
    let line = (200 * GIGA).to_string();
    let aim = (1000 * GIGA).to_string();
    let flags = ["--auto-top-up-below", &line, "--auto-top-up-to", &aim];
    let till = setup
        .start(
            1,
            &[&flags[..], &["--auto-top-up-per-day", "1eth"]].concat(),
        )
        .await;
    let gateway = &till.stage.gateway;
    // Each segment costs more than 100 GIGA, and its winners are redeemed at once.
    for sequence in 0..6 {
        gateway.push("on", sequence).await.assert_whole();
        till.redeemed().await;
        let enough = U256::from(200 * GIGA);
        eventually("the deposit is above the line", async || {
            let known = gateway.payments().await.deposit;
            known == Some(till.sender().await.deposit) && known >= Some(enough)
        })
        .await;
    }
    let (_, status) = gateway.admin("/api/v1/wallet").await;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let filled = super::wei(&status["auto_top_up"]["today"]);
    let moved = till.redeemed().await;
    assert!(
        moved > U256::from(300 * GIGA),
        "more than there was at first"
    );
    let left = till.sender().await.deposit;
    assert_eq!(U256::from(300 * GIGA) + filled, moved + left);
}
