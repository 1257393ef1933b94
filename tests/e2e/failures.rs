//! One orchestrator fails, in every way that can be had: the segment comes back from another one within its own duration.

use std::time::Duration;

use pointsman_devnet::failure::{Kind, Method, Rule, Rules};
use pointsman_devnet::{Change, Orchestrator};

use crate::harness::{NO_HEDGES, SEGMENT, Stage, Tried, eventually};

/// Three orchestrators and a stream that is with one of them.
async fn settled(flags: &[&str]) -> (Stage, Orchestrator) {
    let stage = Stage::passthrough(3, flags).await;
    stage.gateway.push("movie", 0).await.assert_whole();
    let incumbent = stage.winner("movie/0").await;
    (stage, incumbent)
}

/// Fails the one that has the stream by `rule` and pushes on: expects `faults` of it, then success elsewhere.
async fn fails(rule: Rule, faults: &[&str], rests: bool) {
    let (stage, broken) = settled(&NO_HEDGES).await;
    broken.set(Change::rule(rule));
    stage.gateway.push("movie", 1).await.assert_in_time();
    // At once: a rest lasts for ten seconds.
    let known = stage.gateway.orchestrators().await.into_iter();
    let resting = known.filter(|one| one.rest_ms > 0).map(|one| one.uri);
    let expected: &[&str] = if rests { &[broken.uri()] } else { &[] };
    assert_eq!(
        resting.collect::<Vec<_>>(),
        expected,
        "a fault lets it rest, a full house does not"
    );
    let other = stage.winner("movie/1").await;
    assert_ne!(other.uri(), broken.uri());
    let mut expected: Vec<_> = faults
        .iter()
        .map(|fault| Tried::new(broken.uri(), fault))
        .collect();
    expected.push(Tried::new(other.uri(), "ok"));
    assert_eq!(stage.gateway.tried("movie/1").await, expected);

    stage.gateway.push("movie", 2).await.assert_in_time();
    assert_eq!(
        stage.gateway.tried("movie/2").await,
        [Tried::new(other.uri(), "ok")],
        "the stream stays where it is well"
    );
    let stream = stage.gateway.stream().await;
    assert_eq!((stream.transcoded, stream.failed, stream.gaps), (3, 0, 0));
}

/// A failure that only time shows: a second copy is sent, and the first one counts as too slow: for the gateway, or, where the machine
/// takes its time as well, for what the orchestrator had to send by then.
async fn hangs(rule: Rule) {
    let (stage, broken) = settled(&[]).await;
    broken.set(Change::rule(rule));
    stage.gateway.push("movie", 1).await.assert_in_time();
    let other = stage.winner("movie/1").await;
    let tried = stage.gateway.tried("movie/1").await;
    let slow = ["gateway/cancelled", "orchestrator/header-timeout"];
    assert!(
        tried[0].uri == broken.uri() && slow.contains(&tried[0].outcome.as_str()),
        "{tried:?}"
    );
    assert!(
        tried
            .iter()
            .any(|tried| tried.hedge && tried.outcome == "ok" && tried.uri == other.uri()),
        "{tried:?}"
    );
    stage.gateway.push("movie", 2).await.assert_in_time();
    let next = stage.gateway.tried("movie/2").await;
    assert_ne!(
        next[0].uri,
        broken.uri(),
        "the next decision avoids it: {next:?}"
    );
}

#[tokio::test]
async fn it_refuses_connections() {
    let (stage, broken) = settled(&NO_HEDGES).await;
    broken.set(Change::fail(Kind::Refuse));
    let address = broken.uri().trim_start_matches("https://").to_owned();
    eventually("its port is closed", async || {
        tokio::net::TcpStream::connect(&address).await.is_err()
    })
    .await;
    stage.gateway.push("movie", 1).await.assert_in_time();
    let other = stage.winner("movie/1").await;
    let tried = stage.gateway.tried("movie/1").await;
    // Until the gateway has seen that they were cut, it may send on a connection that was open before.
    let refused = tried[0].outcome == "network/connect" || tried[0].outcome == "network/reset";
    assert!(refused && tried[0].uri == broken.uri(), "{tried:?}");
    assert_eq!(tried[1..], [Tried::new(other.uri(), "ok")]);
    stage.gateway.push("movie", 2).await.assert_in_time();
    assert_eq!(
        stage.gateway.tried("movie/2").await,
        [Tried::new(other.uri(), "ok")]
    );
}

#[tokio::test]
async fn it_cuts_the_connection_before_an_answer() {
    fails(
        Rule::always(Kind::Disconnect).on(Method::Segment),
        &["network/reset"],
        true,
    )
    .await;
}

#[tokio::test]
async fn it_hangs_before_its_headers() {
    hangs(Rule::always(Kind::HangBeforeHeaders)).await;
}

#[tokio::test]
async fn it_hangs_after_its_headers() {
    hangs(Rule::always(Kind::HangAfterHeaders)).await;
}

#[tokio::test]
async fn it_hangs_in_the_middle_of_a_rendition() {
    hangs(Rule::always(Kind::HangAfterHeaders).on(Method::Download)).await;
}

#[tokio::test]
async fn it_drips_its_result() {
    let interval = Duration::from_millis(200);
    hangs(Rule::always(Kind::SlowDrip { interval }).on(Method::Segment)).await;
}

#[tokio::test]
async fn it_drips_a_rendition() {
    let interval = Duration::from_millis(200);
    hangs(Rule::always(Kind::SlowDrip { interval }).on(Method::Download)).await;
}

#[tokio::test]
async fn it_resets_in_the_middle_of_its_result() {
    fails(
        Rule::always(Kind::ResetMidBody).on(Method::Segment),
        &["network/reset"],
        true,
    )
    .await;
}

#[tokio::test]
async fn it_resets_in_the_middle_of_a_rendition() {
    fails(
        Rule::always(Kind::ResetMidBody).on(Method::Download),
        &["network/reset"],
        true,
    )
    .await;
}

#[tokio::test]
async fn it_answers_500() {
    fails(
        Rule::always(unavailable(500, None)).on(Method::Segment),
        &["orchestrator/server-error"],
        true,
    )
    .await;
}

#[tokio::test]
async fn it_rests_as_long_as_it_asks_to() {
    let (stage, broken) = settled(&NO_HEDGES).await;
    // The default bundle lets a fault rest for ten seconds, and what is asked for up to a minute.
    broken.set(Change::fail(unavailable(503, Some("45"))));
    stage.gateway.push("movie", 1).await.assert_in_time();
    let known = stage.gateway.orchestrators().await;
    let rest_ms = |uri: &str| {
        let it = known.iter().find(|one| one.uri == uri);
        it.expect("known").rest_ms
    };
    let rest = rest_ms(broken.uri());
    assert!((10_001..=45_000).contains(&rest), "{rest} ms");
    let other = stage.winner("movie/1").await;
    assert_eq!(rest_ms(other.uri()), 0);
}

fn unavailable(status: u16, retry_after: Option<&str>) -> Kind {
    Kind::Status {
        status,
        text: String::new(),
        retry_after: retry_after.map(str::to_owned),
    }
}

#[tokio::test]
async fn it_answers_an_error_of_its_own_in_the_result() {
    let text = "the GPU is on fire".to_owned();
    fails(
        Rule::always(Kind::Error { text }),
        &["orchestrator/transcoder"],
        true,
    )
    .await;
}

#[tokio::test]
async fn its_result_is_garbage() {
    fails(
        Rule::always(Kind::GarbageResult).on(Method::Segment),
        &["orchestrator/garbage"],
        true,
    )
    .await;
}

#[tokio::test]
async fn its_result_never_ends() {
    fails(
        Rule::always(Kind::EndlessBody).on(Method::Segment),
        &["orchestrator/garbage"],
        true,
    )
    .await;
}

#[tokio::test]
async fn a_rendition_never_ends() {
    fails(
        Rule::always(Kind::EndlessBody).on(Method::Download),
        &["orchestrator/bad-rendition"],
        true,
    )
    .await;
}

#[tokio::test]
async fn a_rendition_is_corrupt() {
    fails(
        Rule::always(Kind::CorruptRendition),
        &["orchestrator/bad-rendition"],
        true,
    )
    .await;
}

#[tokio::test]
async fn a_rendition_is_not_there() {
    fails(
        Rule::always(Kind::MissingRendition),
        &["orchestrator/download"],
        true,
    )
    .await;
}

#[tokio::test]
async fn a_rendition_is_not_listed() {
    fails(
        Rule::always(Kind::FewerRenditions),
        &["orchestrator/bad-rendition"],
        true,
    )
    .await;
}

#[tokio::test]
async fn it_is_busy() {
    fails(Rule::always(Kind::Busy), &["orchestrator/busy"], false).await;
}

#[tokio::test]
async fn it_is_full() {
    fails(Rule::always(Kind::Capped), &["orchestrator/capped"], false).await;
}

#[tokio::test]
async fn all_its_tokens_are_expired() {
    let twice = ["orchestrator/token", "orchestrator/token"];
    fails(Rule::always(Kind::ExpiredToken), &twice, false).await;
}

#[tokio::test]
async fn one_expired_token_is_renewed_and_the_segment_sent_again_to_the_same() {
    let (stage, incumbent) = settled(&NO_HEDGES).await;
    incumbent.set(Change::rule(
        Rule::next(Kind::ExpiredToken, 1).on(Method::Segment),
    ));
    let asked = incumbent.counters().get_orchestrator;
    stage.gateway.push("movie", 1).await.assert_in_time();
    let expected = [
        Tried::new(incumbent.uri(), "orchestrator/token"),
        Tried::new(incumbent.uri(), "ok"),
    ];
    assert_eq!(stage.gateway.tried("movie/1").await, expected);
    assert_eq!(
        incumbent.counters().get_orchestrator,
        asked + 1,
        "one fresh offer"
    );
    stage.gateway.push("movie", 2).await.assert_in_time();
    assert_eq!(
        stage.gateway.tried("movie/2").await,
        [Tried::new(incumbent.uri(), "ok")]
    );
}

#[tokio::test]
async fn its_token_is_expired_and_it_does_not_give_another() {
    let (stage, broken) = settled(&[]).await;
    broken.set(Change {
        failure: Some(Rules(vec![
            Rule::always(Kind::ExpiredToken).on(Method::Segment),
            Rule::always(Kind::HangBeforeHeaders).on(Method::GetOrchestrator),
        ])),
        ..Change::default()
    });
    stage.gateway.push("movie", 1).await.assert_in_time();
    let tried = stage.gateway.tried("movie/1").await;
    let of_broken = tried.iter().filter(|tried| tried.uri == broken.uri());
    let outcomes: Vec<_> = of_broken.map(|tried| tried.outcome.as_str()).collect();
    // Where the machine is so slow that another one is at work before the token is refused, nobody asks for a new one.
    assert!(
        matches!(
            outcomes[..],
            ["orchestrator/token", "gateway/cancelled"] | ["orchestrator/token"]
        ),
        "{tried:?}"
    );
    assert_eq!(
        tried.iter().filter(|tried| tried.outcome == "ok").count(),
        1,
        "{tried:?}"
    );
}

#[tokio::test]
async fn it_is_killed_and_later_comes_back() {
    let (stage, broken) = settled(&NO_HEDGES).await;
    broken.kill().await;
    stage.gateway.push("movie", 1).await.assert_in_time();
    let tried = stage.gateway.tried("movie/1").await;
    assert_eq!((tried.len(), tried[0].uri.as_str()), (2, broken.uri()));
    assert!(tried[0].outcome.starts_with("network/"), "{tried:?}");
    broken.start().await.expect("its port is kept");
    stage.gateway.push("movie", 2).await.assert_in_time();
    assert_eq!(stage.gateway.tried("movie/2").await.len(), 1);
}

#[tokio::test]
async fn it_was_restarted_between_two_segments() {
    let (stage, incumbent) = settled(&NO_HEDGES).await;
    incumbent.kill().await;
    incumbent.start().await.expect("its port is kept");
    stage.gateway.push("movie", 1).await.assert_in_time();
    let tried = stage.gateway.tried("movie/1").await;
    assert_eq!((tried.len(), tried[0].uri.as_str()), (2, incumbent.uri()));
    if tried[0].outcome == "network/reset" {
        // It was sent on a connection of which the gateway had not seen yet that it was cut: as if it were killed.
        assert_eq!(tried[1].outcome, "ok");
    } else {
        let expected = [
            Tried::new(incumbent.uri(), "orchestrator/token"),
            Tried::new(incumbent.uri(), "ok"),
        ];
        assert_eq!(
            tried, expected,
            "it knows the old token no more, and gives another"
        );
    }
}

#[tokio::test]
async fn without_hedges_a_hang_counts_as_what_it_is() {
    let (stage, broken) = settled(&NO_HEDGES).await;
    broken.set(Change::rule(
        Rule::always(Kind::HangBeforeHeaders).on(Method::Segment),
    ));
    let pushed = stage.gateway.push("movie", 1).await;
    pushed.assert_whole();
    assert!(pushed.elapsed >= SEGMENT / 2, "the headers had half of it");
    let other = stage.winner("movie/1").await;
    let expected = [
        Tried::new(broken.uri(), "orchestrator/header-timeout"),
        Tried::new(other.uri(), "ok"),
    ];
    assert_eq!(stage.gateway.tried("movie/1").await, expected);
}

#[tokio::test]
async fn one_that_wants_its_own_storage_is_excluded_with_the_reason() {
    let toml = "[[orchestrator]]\nname = \"storage\"\nmode = \"passthrough\"\nfailure = \"wants-storage\"\n\
                [[orchestrator]]\nname = \"good\"\nmode = \"passthrough\"";
    let profile = pointsman_devnet::Profile::from_toml(toml).expect("a profile");
    let stage = Stage::unready(profile, &[]).await;
    stage.gateway.usable(1).await;
    stage.gateway.push("movie", 0).await.assert_in_time();
    assert_eq!(stage.winner("movie/0").await.name(), "good");
    let known = stage.gateway.orchestrators().await;
    let excluded = known
        .iter()
        .find(|one| !one.usable)
        .expect("one of the two");
    assert!(
        excluded
            .unusable
            .as_deref()
            .is_some_and(|why| why.contains("storage")),
        "{excluded:?}"
    );
    let decision = stage.gateway.decisions("movie/0").await.remove(0);
    assert_eq!(decision.excluded.len(), 1, "{decision:?}");
}
