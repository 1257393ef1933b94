//! Streams that a remote signer pays for: the gateway has no key, and the books agree all the same.

use pointsman_devnet::signer::{SignerChange, SignerProfile, Trouble};
use pointsman_payments::U256;

use crate::harness::eventually;
use crate::harness::hired::{Hired, SECRET, Setup};

#[tokio::test]
async fn a_stream_is_paid_by_the_signer_and_every_winner_is_redeemed() {
    let hired = Setup::paid(2).start(2, &["--log", "debug"]).await;
    let gateway = hired.gateway();
    let before = hired.sender().await;
    for sequence in 0..4 {
        gateway.push("hired", sequence).await.assert_whole();
    }
    let moved = hired.redeemed().await;
    assert!(moved > U256::ZERO, "winners were redeemed");
    let after = hired.sender().await;
    assert_eq!(before.deposit - after.deposit, moved, "out of the deposit");

    let spend = hired.spend().await;
    assert!(spend.unconfirmed.is_empty());
    let mut tickets = 0;
    for takings in hired.takings() {
        assert_eq!((takings.refused, takings.failed), (0, 0), "{takings:?}");
        let spent = spend.recipients.get(&takings.address.to_string()).cloned();
        let spent = spent.unwrap_or_default();
        assert_eq!(spent.tickets, takings.tickets, "every ticket arrived");
        assert_eq!(spent.spent(), takings.credited, "the ledger agrees");
        tickets += takings.tickets;
        if takings.tickets > 0 {
            // Four segments: what was paid ahead is less than one of them.
            let ahead = takings.credited - takings.debited;
            assert!(ahead < takings.debited / U256::from(2), "{takings:?}");
        }
    }
    let signed = hired.signer().signed();
    assert_eq!(signed.tickets, tickets, "and so does the signer");
    assert_eq!(signed.segments, 4, "each is signed once");

    let payments = hired.payments().await;
    assert_eq!(payments["address"], hired.signer().address().to_string());
    assert_eq!(payments["cannot_pay"], serde_json::Value::Null);
    assert_eq!(payments["chain"], serde_json::Value::Null);
    let (_, status) = gateway.admin("/api/v1/status").await;
    for shown in [gateway.log(), status, payments.to_string()] {
        assert!(!shown.contains("s3cret"), "{SECRET} is nobody's business");
    }
}

#[tokio::test]
async fn a_gateway_that_follows_the_chain_too_knows_what_its_signer_has() {
    let setup = Setup {
        follows: true,
        ..Setup::paid(1)
    };
    let hired = setup.start(1, &[]).await;
    hired.gateway().push("known", 0).await.assert_whole();
    hired.redeemed().await;
    let deposit = hired.sender().await.deposit.to_string();
    eventually("the deposit is known", async || {
        hired.payments().await["deposit"] == deposit.as_str()
    })
    .await;
}

#[tokio::test]
async fn a_signer_that_finds_an_offer_old_is_brought_another() {
    let hired = Setup::paid(1).start(1, &[]).await;
    let once = Trouble::status(480).times(1);
    hired.signer().set(SignerChange::payment(once));
    hired.gateway().push("old", 0).await.assert_whole();
    let tried = hired.gateway().tried("old/0").await;
    assert_eq!(tried.len(), 1, "within one attempt: {tried:?}");
    assert_eq!(hired.signer().signed().asked, 2);
}

#[tokio::test]
async fn whom_the_signer_does_not_pay_is_left_for_the_next() {
    for status in [481, 400] {
        let hired = Setup::paid(2).start(2, &[]).await;
        let once = Trouble::status(status).times(1);
        hired.signer().set(SignerChange::payment(once));
        hired.gateway().push("dear", 0).await.assert_whole();
        let tried = hired.gateway().tried("dear/0").await;
        assert_eq!(tried.len(), 2, "{status}: {tried:?}");
        assert_ne!(tried[0].uri, tried[1].uri);
    }
}

#[tokio::test]
async fn where_the_signer_finds_the_credit_sufficient_the_orchestrator_decides() {
    let hired = Setup::paid(1).start(1, &[]).await;
    let once = Trouble::status(482).times(1);
    hired.signer().set(SignerChange::payment(once));
    // There is none, so that the orchestrator refuses, and is paid in a session of its own.
    hired.gateway().push("enough", 0).await.assert_whole();
    let tried = hired.gateway().tried("enough/0").await;
    assert_eq!(tried.len(), 1, "{tried:?}");
    let spend = hired.spend().await;
    assert_eq!(spend.all_time.spent(), hired.takings()[0].credited);
}

#[tokio::test]
async fn a_signer_that_fails_once_is_asked_again() {
    let hired = Setup::paid(1).start(1, &[]).await;
    let once = Trouble::status(500).times(1);
    hired.signer().set(SignerChange::payment(once));
    hired.gateway().push("again", 0).await.assert_whole();
    assert_eq!(hired.signer().signed().asked, 2);
    let tried = hired.gateway().tried("again/0").await;
    assert_eq!(tried.len(), 1, "{tried:?}");
}

/// Nothing is left of it once it is over: no orchestrator rests for it.
async fn goes_on(hired: &Hired, name: &str) {
    hired.signer().set(SignerChange::heal());
    eventually("the stream goes on", async || {
        hired.gateway().push(name, 1).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_signer_that_fails_is_said_and_blamed_on_nobody() {
    let hired = Setup::paid(2).start(2, &[]).await;
    hired
        .signer()
        .set(SignerChange::payment(Trouble::status(500)));
    let refused = hired.gateway().push("failed", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let words = "the remote signer failed: status 500";
    assert!(refused.text().contains(words), "{}", refused.text());
    let (_, metrics) = hired.gateway().admin("/metrics").await;
    let counted = "pointsman_payments_failed_total{why=\"signer\"}";
    assert!(metrics.contains(counted), "{metrics}");
    goes_on(&hired, "failed").await;
    assert_eq!(hired.stage.gateway.orchestrators().await.len(), 2);
}

#[tokio::test]
async fn a_signer_that_hangs_ends_no_wait_and_no_stream_that_can_go_on() {
    let flags = ["--remote-signer-timeout", "300ms"];
    let hired = Setup::paid(1).start(1, &flags).await;
    hired.signer().set(SignerChange::all(Trouble::HANG));
    let refused = hired.gateway().push("hung", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let words = "the remote signer failed: it did not answer in time";
    assert!(refused.text().contains(words), "{}", refused.text());
    goes_on(&hired, "hung").await;

    let setup = Setup {
        free: 1,
        ..Setup::paid(1)
    };
    let hired = setup.start(2, &flags).await;
    hired.signer().set(SignerChange::all(Trouble::HANG));
    for sequence in 0..3 {
        hired.gateway().push("free", sequence).await.assert_whole();
        let winner = hired.stage.winner(&format!("free/{sequence}")).await;
        assert!(winner.address().is_none(), "one that wants no tickets");
    }
}

#[tokio::test]
async fn a_gateway_starts_without_its_signer_and_pays_as_soon_as_it_answers() {
    let mut setup = Setup::paid(1);
    setup.signer.trouble = SignerChange::all(Trouble::status(503));
    let hired = setup.start(0, &[]).await;
    let refused = hired.gateway().push("early", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let words = "the remote signer has not answered yet";
    assert!(refused.text().contains(words), "{}", refused.text());
    let cannot = hired.payments().await["cannot_pay"].to_string();
    assert!(cannot.contains(words), "{cannot}");
    hired.signer().set(SignerChange::heal());
    hired.gateway().usable(1).await;
    hired.gateway().push("early", 1).await.assert_whole();
}

#[tokio::test]
async fn with_a_signer_that_signs_no_segments_only_the_free_transcode() {
    let setup = |free| Setup {
        free,
        signer: SignerProfile {
            segments: false,
            ..Setup::paid(1).signer
        },
        ..Setup::paid(1)
    };
    let hired = setup(1).start(1, &[]).await;
    hired.gateway().push("free", 0).await.assert_whole();
    let winner = hired.stage.winner("free/0").await;
    assert!(winner.address().is_none(), "one that wants no tickets");
    assert_eq!(hired.spend().await.all_time.tickets, 0);

    let hired = setup(0).start(0, &[]).await;
    let words = "the remote signer signs no segments";
    eventually("the orchestrator has answered", async || {
        let known = hired.gateway().orchestrators().await;
        known
            .iter()
            .any(|one| one.unusable.as_ref().is_some_and(|why| why.contains(words)))
    })
    .await;
    let refused = hired.gateway().push("unsigned", 0).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains(words), "{}", refused.text());
}

#[tokio::test]
async fn a_cap_holds_for_what_the_signer_would_make() {
    // A segment costs about 1.2 · 10^11 wei.
    let hired = Setup::paid(1)
        .start(1, &["--max-spend-per-stream", "200000000000"])
        .await;
    hired.gateway().push("capped", 0).await.assert_whole();
    let refused = hired.gateway().push("capped", 1).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let words = "the cap per job is 200000000000 wei";
    assert!(refused.text().contains(words), "{}", refused.text());
    let takings = &hired.takings()[0];
    assert_eq!(hired.spend().await.all_time.spent(), takings.credited);
    let made = hired.signer().signed().tickets;
    assert_eq!(made, takings.tickets, "the signer was not even asked");
}

#[tokio::test]
async fn without_a_list_the_signer_says_who_there_is() {
    let setup = Setup {
        listed: false,
        ..Setup::paid(2)
    };
    let hired = setup.start(2, &[]).await;
    hired.gateway().push("found", 0).await.assert_whole();
}
