//! The admin API: what it tells, whom, and what it keeps to itself.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use http::Method;
use serde_json::Value;
use tokio::process::Command;

use crate::harness::webhook::{Answer, Webhook};
use crate::harness::{Gateway, Stage, eventually};

/// Sends a request with `headers`; answers the status and, where the body is JSON, the body.
async fn ask(
    gateway: &Gateway,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let mut request = gateway
        .client
        .request(method, format!("{}{path}", gateway.admin));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("text");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Fails unless the answer has the shape of errors, with that code.
#[track_caller]
fn assert_error(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    let error = &answer.1["error"];
    assert_eq!(error["code"], code, "{}", answer.1);
    assert!(error["message"].as_str().is_some_and(|it| !it.is_empty()));
}

const READS: [&str; 5] = ["status", "orchestrators", "streams", "policy", "decisions"];

#[tokio::test]
async fn every_read_answers_and_shows_the_stream() {
    let stage = Stage::passthrough(2, &[]).await;
    let gateway = &stage.gateway;
    gateway.push("cam", 0).await.assert_whole();
    for read in READS {
        let path = format!("/api/v1/{read}");
        let (status, body) = ask(gateway, Method::GET, &path, &[]).await;
        assert_eq!(status, 200, "{path}");
        match read {
            "status" => {
                assert_eq!(body["streams"], 1);
                assert_eq!(body["orchestrators"]["usable"], 2);
                assert_eq!(body["policy"]["name"], "default");
            }
            "orchestrators" => assert_eq!(body[read].as_array().map(Vec::len), Some(2)),
            "streams" => assert_eq!(body[read][0]["name"], "cam"),
            "policy" => assert_eq!(body["generations"][0]["state"], "active"),
            _ => {
                assert_eq!(body[read][0]["job"], "cam/0");
                assert_eq!(body[read][0]["generation"], 1);
            }
        }
    }
    let (status, body) = ask(gateway, Method::GET, "/api/v1/decisions?job=other", &[]).await;
    assert_eq!((status, &body["decisions"]), (200, &Value::Array(vec![])));
    let bad = ask(gateway, Method::GET, "/api/v1/decisions?limit=many", &[]).await;
    assert_error(&bad, 400, "bad-request");
}

#[tokio::test]
async fn wrong_paths_and_methods_are_errors_in_json() {
    let stage = Stage::passthrough(1, &[]).await;
    let token = stage.gateway.token();
    let bearer = format!("Bearer {token}");
    let with_token = [("Authorization", bearer.as_str())];
    let missing = ask(&stage.gateway, Method::GET, "/api/v1/none", &[]).await;
    assert_error(&missing, 404, "not-found");
    let wrong = ask(
        &stage.gateway,
        Method::DELETE,
        "/api/v1/streams",
        &with_token,
    )
    .await;
    assert_error(&wrong, 405, "method-not-allowed");
    let wrong = ask(&stage.gateway, Method::GET, "/api/v1/policy/rollback", &[]).await;
    assert_error(&wrong, 405, "method-not-allowed");
}

#[tokio::test]
async fn it_is_ready_when_an_orchestrator_is() {
    let gateway = Gateway::start(&[]).await;
    assert_eq!(gateway.admin("/healthz").await.0, 200);
    let unready = ask(&gateway, Method::GET, "/readyz", &[]).await;
    assert_error(&unready, 503, "unavailable");
    let stage = Stage::passthrough(1, &[]).await;
    assert_eq!(stage.gateway.admin("/readyz").await.0, 200);
}

#[tokio::test]
async fn changes_need_the_token_and_pages_of_other_sites_get_nothing() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    for path in ["/api/v1/policy/activate", "/api/v1/policy/rollback"] {
        let answer = ask(gateway, Method::POST, path, &[]).await;
        assert_error(&answer, 401, "unauthorized");
        let wrong = [("Authorization", "Bearer 0123456789abcdef0123456789abcdef")];
        let answer = ask(gateway, Method::POST, path, &wrong).await;
        assert_error(&answer, 401, "unauthorized");
    }
    let bearer = format!("Bearer {}", gateway.token());
    for foreign in [
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let headers = [foreign, ("Authorization", &bearer)];
        for (method, path) in [
            (Method::GET, "/api/v1/status"),
            (Method::GET, "/metrics"),
            (Method::POST, "/api/v1/policy/rollback"),
        ] {
            let answer = ask(gateway, method, path, &headers).await;
            assert_error(&answer, 403, "forbidden");
        }
    }
    let ours = [("Origin", gateway.admin.as_str())];
    let (status, _) = ask(gateway, Method::GET, "/api/v1/status", &ours).await;
    assert_eq!(status, 200);
}

/// Name and labels of a sample, its value.
fn sample(line: &str) -> Option<(&str, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let name = series.split('{').next()?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let closed = series.contains('{') == series.ends_with('}');
    (named && closed).then_some((name, value.parse().ok()?))
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_the_documented_names() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    gateway.push("cam", 0).await.assert_whole();
    let (status, text) = gateway.admin("/metrics").await;
    assert_eq!(status, 200);
    let mut names = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("# TYPE ") || line.starts_with("# HELP ") {
            continue;
        }
        let (name, value) = sample(line).unwrap_or_else(|| panic!("no sample: {line}"));
        assert!(value.is_finite(), "{line}");
        names.push(name);
    }
    for name in [
        "pointsman_streams",
        "pointsman_streams_started_total",
        "pointsman_segments_total",
        "pointsman_segment_seconds_bucket",
        "pointsman_policy_decisions_total",
        "pointsman_policy_decision_seconds_count",
        "pointsman_policy_generation",
        "pointsman_directory_orchestrators",
        "pointsman_directory_probes_total",
    ] {
        assert!(names.contains(&name), "{name} is missing:\n{text}");
    }
    let one = text.lines().any(|line| line == "pointsman_streams 1");
    assert!(one, "{text}");
}

#[tokio::test]
async fn secrets_are_for_their_owner_and_not_for_the_log() {
    let webhook = Webhook::start(|_| Answer::Say(401, String::new())).await;
    let secret = webhook.url.replace("://", "://user:pa55w0rd@") + "?token=s3cret";
    let flags = ["--auth-webhook-url", secret.as_str(), "--log", "debug"];
    let stage = Stage::passthrough(1, &flags).await;
    let gateway = &stage.gateway;
    let file = gateway.data().join("admin-token");
    let mode = std::fs::metadata(&file).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let token = gateway.token();
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    ask(gateway, Method::POST, "/api/v1/policy/rollback", &headers).await;
    assert_eq!(gateway.push("cam", 0).await.status, 403);
    eventually("the refusal is logged", async || {
        gateway.log().contains("push refused")
    })
    .await;
    let (_, settings) = gateway.admin("/api/v1/status").await;
    for (place, text) in [("log", gateway.log()), ("status", settings)] {
        for secret in [token.as_str(), "pa55w0rd", "s3cret"] {
            assert!(
                !text.contains(secret),
                "{secret} is in the {place}:\n{text}"
            );
        }
    }
}

/// Runs `pointsman run` with settings that must not start.
async fn refused(flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command
        .env_clear()
        .arg("run")
        .args(flags)
        .kill_on_drop(true);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(60), command.output());
    ended.await.expect("it does not start").expect("the binary")
}

#[tokio::test]
async fn others_than_this_machine_are_let_in_only_with_a_token_of_the_operator() {
    let data = tempfile::tempdir().expect("a folder");
    let path = data.path().to_str().expect("text");
    let base = [
        "--data-dir",
        path,
        "--http-addr",
        "127.0.0.1:0",
        "--rtmp-addr",
        "off",
    ];
    let public = ["--cli-addr", "0.0.0.0:0"];
    let output = refused(&[&base[..], &public].concat()).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("admin-token-file"), "{said}");

    let token = data.path().join("token");
    std::fs::write(&token, "short").expect("written");
    let given = ["--admin-token-file", token.to_str().expect("text")];
    let output = refused(&[&base[..], &public, &given].concat()).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("16"), "{said}");
    assert!(!said.contains("short"), "{said}");
}

#[tokio::test]
async fn a_token_that_others_can_read_stops_the_start_and_says_what_to_run() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let data = tempfile::tempdir().expect("a folder");
    let path = data.path().to_str().expect("text");
    let file = data.path().join("admin-token");
    std::fs::write(&file, TOKEN).expect("written");
    let mode = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&file, mode).expect("set");
    let free = "127.0.0.1:0";
    let flags = ["--data-dir", path, "--http-addr", free, "--cli-addr", free];
    let output = refused(&[&flags[..], &["--rtmp-addr", "off"]].concat()).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let mend = format!("chmod 600 {}", file.display());
    assert!(said.contains(&mend) && said.contains("644"), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
}
