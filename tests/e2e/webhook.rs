//! An application decides who may publish, and what becomes of it.

use crate::harness::webhook::{Answer, Webhook};
use crate::harness::{Stage, eventually, media};

fn say(status: u16, body: &str) -> Answer {
    Answer::Say(status, body.to_owned())
}

/// A gateway whose streams are let in by `rule`.
async fn guarded(
    rule: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
) -> (Stage, Webhook) {
    let webhook = Webhook::start(rule).await;
    let flags = [
        "--auth-webhook-url",
        &webhook.url,
        "--auth-webhook-timeout",
        "10s",
    ];
    (Stage::passthrough(1, &flags).await, webhook)
}

#[tokio::test]
async fn it_is_asked_once_a_stream_with_the_url_and_without_the_query() {
    let (stage, webhook) = guarded(|_| say(200, "")).await;
    stage
        .gateway
        .pushing("/live/movie/0.ts?token=secret")
        .send()
        .await
        .assert_whole();
    stage.gateway.push("movie", 1).await.assert_whole();
    let question = format!(r#"{{"url":"{}/live/movie/0.ts"}}"#, stage.gateway.http);
    assert_eq!(webhook.asked(), [question]);
}

#[tokio::test]
async fn a_refused_stream_gets_403_and_nobody_hears_of_it() {
    let (stage, _webhook) =
        guarded(|question| say(if question.contains("good") { 200 } else { 401 }, "")).await;
    let refused = stage.gateway.push("bad", 0).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("401"), "{}", refused.text());
    assert_eq!(stage.segments(), 0);
    stage.gateway.push("good", 0).await.assert_whole();
    assert_eq!(stage.gateway.stream().await.name, "good");
}

#[tokio::test]
async fn a_webhook_that_hangs_refuses_its_stream_and_holds_up_no_other() {
    let rule = |question: &str| {
        if question.contains("slow") {
            Answer::Hang
        } else {
            say(200, "")
        }
    };
    let (stage, _webhook) = guarded(rule).await;
    let (hung, other) = tokio::join!(
        stage.gateway.push("slow", 0),
        stage.gateway.push("other", 0)
    );
    other.assert_whole();
    assert_eq!(hung.status, 403, "{}", hung.text());
    assert!(hung.text().contains("took too long"), "{}", hung.text());
}

#[tokio::test]
async fn answers_that_cannot_be_met_refuse_with_the_field() {
    let answers = [
        ("nameless", "{}", "manifestID"),
        ("broken", "{nope", "line 1"),
        (
            "store",
            r#"{"manifestID":"m","objectStore":"s3://key:secret@region/bucket"}"#,
            "objectStore",
        ),
        (
            "record",
            r#"{"manifestID":"m","recordObjectStore":"s3://key:secret@region/bucket"}"#,
            "recordObjectStore",
        ),
        (
            "verify",
            r#"{"manifestID":"m","verificationFreq":3}"#,
            "verificationFreq",
        ),
        ("preset", r#"{"manifestID":"m","presets":["P1p"]}"#, "P1p"),
        ("dots", r#"{"manifestID":"../x"}"#, "manifestID"),
    ];
    let (stage, _webhook) = guarded(move |question| {
        let (_, answer, _) = answers
            .iter()
            .find(|(name, _, _)| question.contains(name))
            .expect("one of these");
        say(200, answer)
    })
    .await;
    for (name, _, field) in answers {
        let refused = stage.gateway.push(name, 0).await;
        let text = refused.text();
        assert_eq!(refused.status, 403, "{name}: {text}");
        assert!(
            text.contains(field) && !text.contains("secret"),
            "{name}: {text}"
        );
    }
    assert!(!stage.gateway.log().contains("secret"), "nor in the log");
}

#[tokio::test]
async fn it_renames_streams_and_chooses_renditions() {
    let (stage, _webhook) = guarded(|_| {
        say(
            200,
            r#"{"manifestID":"other","presets":["P144p30fps16x9"]}"#,
        )
    })
    .await;
    let pushed = stage.gateway.push("movie", 0).await;
    assert_eq!(
        (pushed.status, pushed.renditions()),
        (200, vec!["P144p30fps16x9"])
    );
    assert_eq!(
        stage.gateway.push("movie", 1).await.renditions(),
        ["P144p30fps16x9"]
    );
    let stream = stage.gateway.stream().await;
    assert_eq!((stream.name.as_str(), stream.segments), ("other", 2));
    assert_eq!(stage.gateway.play("other.m3u8").await.0, 200);
    assert_eq!(
        stage.gateway.play("movie.m3u8").await.0,
        404,
        "the pushed name is not public"
    );
}

#[tokio::test]
async fn a_new_path_for_the_same_stream_ends_the_old_one() {
    let (stage, _webhook) = guarded(|_| say(200, r#"{"manifestID":"one"}"#)).await;
    stage.gateway.push("first-path", 0).await.assert_whole();
    stage.gateway.push("first-path", 1).await.assert_whole();
    stage.gateway.push("second-path", 0).await.assert_whole();
    let stream = stage.gateway.stream().await;
    assert_eq!(
        (stream.name.as_str(), stream.segments),
        ("one", 1),
        "a stream of its own"
    );
}

#[tokio::test]
async fn the_header_wins_over_the_webhook_but_may_not_contradict_its_profiles() {
    const ONE: &str = r#"{"manifestID":"hook","profiles":[{"name":"w","width":256,"height":144,"bitrate":200000}]}"#;
    let rule = |question: &str| {
        say(
            200,
            if question.contains("profiles") {
                ONE
            } else {
                r#"{"manifestID":"hook"}"#
            },
        )
    };
    let (stage, _webhook) = guarded(rule).await;
    let config = r#"{"manifestID":"header","profiles":[{"name":"h","width":160,"height":90,"bitrate":100000}]}"#;
    let pushed = stage
        .gateway
        .pushing("/live/plain/0.ts")
        .configured(config)
        .send()
        .await;
    assert_eq!((pushed.status, pushed.renditions()), (200, vec!["h"]));
    let stream = stage.gateway.stream().await;
    assert_eq!(
        (stream.name.as_str(), stream.renditions),
        ("header", vec!["h".to_owned()])
    );

    let pushed = stage
        .gateway
        .pushing("/live/profiles/0.ts")
        .configured(config)
        .send()
        .await;
    assert_eq!(pushed.status, 500, "{}", pushed.text());
    assert!(
        pushed.text().contains("different profiles"),
        "{}",
        pushed.text()
    );
    let agreed = stage
        .gateway
        .pushing("/live/profiles/0.ts")
        .configured(ONE)
        .send()
        .await;
    assert_eq!((agreed.status, agreed.renditions()), (200, vec!["w"]));
}

#[tokio::test]
async fn an_empty_list_of_profiles_means_the_source_alone() {
    let (stage, _webhook) = guarded(|_| say(200, r#"{"manifestID":"raw","profiles":[]}"#)).await;
    let pushed = stage.gateway.push("raw", 0).await;
    assert_eq!((pushed.status, pushed.body.len()), (200, 0));
    assert_eq!(stage.segments(), 0);
    let (status, playlist) = stage.gateway.play("raw/source.m3u8").await;
    assert_eq!(status, 200, "{playlist}");
    let segment = playlist
        .lines()
        .find(|line| line.ends_with(".ts"))
        .expect("a segment");
    let base = reqwest::Url::parse(&format!("{}/stream/raw/source.m3u8", stage.gateway.http))
        .expect("a URL");
    let url = base.join(segment).expect("a URL");
    let played = stage
        .gateway
        .client
        .get(url)
        .send()
        .await
        .expect("an answer")
        .bytes()
        .await
        .expect("a body");
    assert!(played == media::segment(), "what was pushed is played");
}

#[tokio::test]
async fn the_applications_ids_are_on_the_lines_of_the_log() {
    let rule = |question: &str| {
        say(
            200,
            if question.contains("marked") {
                r#"{"manifestID":"marked","streamID":"app-1","sessionID":"visit\n7"}"#
            } else {
                ""
            },
        )
    };
    let (stage, _webhook) = guarded(rule).await;
    stage.gateway.push("plain", 0).await.assert_whole();
    stage.gateway.push("marked", 0).await.assert_whole();
    let of = |stream: &str, event: &str| {
        let log = stage.gateway.log();
        let stream = format!("stream=\"{stream}\"");
        let mut lines = log.lines();
        let line = lines.find(|line| line.contains(event) && line.contains(&stream));
        line.map(str::to_owned)
    };
    for event in ["stream started", "orchestrator chosen"] {
        eventually("both are logged", async || {
            of("plain", event).is_some() && of("marked", event).is_some()
        })
        .await;
        let line = of("marked", event).expect("just seen");
        assert!(line.contains(r#"stream_id="app-1""#), "{line}");
        assert!(line.contains(r#"session_id="visit\n7""#), "{line}");
        let line = of("plain", event).expect("just seen");
        assert!(!line.contains("_id"), "{line}");
    }
}
