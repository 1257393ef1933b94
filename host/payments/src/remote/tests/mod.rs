//! Against a signer that answers as a real one was recorded.

mod paying;
mod segments;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use pointsman_wire::net::{Capabilities, OrchestratorInfo};
use prost::Message;
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;
use crate::verdict::Verdict;

/// Tells the signer which recorded call this is; also proves that headers are sent.
const CASE: &str = "x-case";

/// Recorded calls by name, and what was asked here under each.
struct Tape {
    cases: HashMap<String, Value>,
    asked: Mutex<Vec<(String, Value)>>,
}

async fn answer(
    Shared(signer): Shared<Arc<Tape>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path() == "/sign-segment" {
        return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
    }
    let name = match uri.path() {
        "/sign-orchestrator-info" => "sign-orchestrator-info",
        _ => headers[CASE].to_str().expect("a name"),
    };
    let case = &signer.cases[name];
    let asked = serde_json::from_slice(&body).unwrap_or(Value::Null);
    signer.asked.lock().push((name.to_owned(), asked));
    let response = &case["response"];
    let status = response["status"].as_u64().expect("a status") as u16;
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let status = StatusCode::from_u16(status).expect("a status");
    (status, body).into_response()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn recorded() -> (Arc<Tape>, String) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/signer/cases.json"
    );
    let file = std::fs::read(path).expect("the recorded calls");
    let list: Vec<Value> = serde_json::from_slice(&file).expect("JSON");
    let named = |case: Value| (case["name"].as_str().expect("a name").to_owned(), case);
    let signer = Arc::new(Tape {
        cases: list.into_iter().map(named).collect(),
        asked: Mutex::default(),
    });
    let url = serve(
        Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&signer)),
    )
    .await;
    (signer, url)
}

fn settings(url: &str, case: &str) -> Settings {
    Settings {
        headers: vec![(CASE.to_owned(), case.to_owned())],
        pause: Duration::ZERO,
        ..Settings::new(url)
    }
}

async fn connected(url: &str, case: &str) -> Remote {
    Remote::connect(&settings(url, case))
        .await
        .expect("a signer")
}

fn message<M: Message + Default>(value: &Value) -> Option<M> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    M::decode(bytes.as_slice()).ok()
}

/// What a recorded call asked, where this crate would ask the same.
struct Recorded {
    offer: OrchestratorInfo,
    capabilities: Option<Capabilities>,
    ceiling: Option<Price>,
    body: Value,
}

impl Recorded {
    fn of(case: &Value) -> Self {
        let body = case["request"]["body"].clone();
        let ceiling = body["maxPrice"]["price"].as_u64().map(|wei| {
            Price::new(pointsman_wire::amount::Ratio::from_integer(wei.into())).expect("a price")
        });
        Self {
            offer: message(&body["orchestrator"]).unwrap_or_default(),
            capabilities: message(&body["capabilities"]),
            ceiling,
            body,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    fn ask(&self) -> Ask<'_> {
        let kind = match self.text("type") {
            "live" => Kind::Live,
            "fixed" => Kind::Fixed,
            "" if self.body["inPixels"].is_i64() => {
                Kind::Units(self.body["inPixels"].as_i64().expect("a number"))
            }
            _ => Kind::LiveVideo,
        };
        Ask {
            offer: &self.offer,
            manifest_id: self.text("ManifestID"),
            kind,
            app: self.text("app"),
            capabilities: self.capabilities.as_ref(),
            ceiling: self.ceiling.as_ref(),
        }
    }

    /// That what was asked here is what was asked then. Messages count as what they decode to: Go writes maps in any order.
    fn assert_same(&self, name: &str, asked: &Value) {
        let offer: OrchestratorInfo = message(&asked["orchestrator"]).expect("an offer");
        assert_eq!(offer, self.offer, "{name}");
        assert_eq!(message(&asked["capabilities"]), self.capabilities, "{name}");
        let pixels = |body: &Value| body["inPixels"].as_i64().unwrap_or_default();
        assert_eq!(pixels(asked), pixels(&self.body), "{name}");
        for field in ["type", "ManifestID", "app"] {
            let asked = asked[field].as_str().unwrap_or_default();
            assert_eq!(asked, self.text(field), "{name}: {field}");
        }
        assert_eq!(asked["state"], self.body["state"], "{name}: state");
        assert_eq!(asked["maxPrice"], self.body["maxPrice"], "{name}: maxPrice");
    }
}

/// Calls whose request cannot be made by this crate; their answers are read all the same.
const FOREIGN: [&str; 10] = [
    "err-empty-body",
    "err-not-json",
    "err-missing-orchestrator",
    "err-orchestrator-garbage",
    "err-orchestrator-not-base64",
    "err-unknown-type",
    "err-no-units",
    "err-maxprice-unit",
    "err-maxprice-currency",
    "err-maxprice-zero",
];

const STATE_FAULTS: [&str; 6] = [
    "err-app-mismatch",
    "err-type-mismatch",
    "err-state-no-manifest",
    "err-state-sig",
    "err-state-altered",
    "err-orch-mismatch",
];

#[tokio::test]
async fn every_recorded_call_is_asked_and_understood() {
    let (signer, url) = recorded().await;
    let mut counted = HashMap::new();
    for (name, case) in &signer.cases {
        if case["request"]["path"] != "/generate-live-payment" {
            continue;
        }
        let recorded = Recorded::of(case);
        let stream = connected(&url, name).await.stream();
        let slot = stream.slot(&recorded.offer.address);
        let state = serde_json::from_value(recorded.body["state"].clone()).ok();
        *slot.lock().await = state.clone();
        let generated = stream.generate(&recorded.ask()).await;

        let body = &case["response"]["body"];
        let text = body["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let status = case["response"]["status"].as_u64().expect("a status");
        let after = match status {
            200 => {
                let generated = generated.expect(name).expect(name);
                let tickets = case["decoded"]["payment"]["ticket_sender_params"].as_array();
                assert_eq!(
                    generated.tickets as usize,
                    tickets.expect("tickets").len(),
                    "{name}"
                );
                let headers = generated.commit();
                assert_eq!(Some(headers.0.as_str()), body["payment"].as_str(), "{name}");
                assert_eq!(
                    Some(headers.1.as_str()),
                    body["segCreds"].as_str(),
                    "{name}"
                );
                serde_json::from_value(body["state"].clone()).ok()
            }
            482 => {
                assert!(generated.expect(name).is_none(), "{name}");
                state
            }
            _ => {
                let error = generated.expect_err(name);
                let (expected, verdict) = match status {
                    480 => (RemoteError::Stale, Verdict::Refresh),
                    481 => (RemoteError::Price(text), Verdict::Next),
                    400 => (RemoteError::Refused(text), Verdict::Next),
                    500 => (
                        RemoteError::Failed(format!("status 500: {text}")),
                        Verdict::Stop,
                    ),
                    other => panic!("{name}: status {other}"),
                };
                assert_eq!(error, expected, "{name}");
                assert_eq!(error.verdict(), verdict, "{name}");
                if STATE_FAULTS.contains(&name.as_str()) {
                    None
                } else {
                    state
                }
            }
        };
        assert_eq!(
            *slot.lock().await,
            after,
            "{name}: what the next call sends"
        );

        let asked = signer.asked.lock();
        let asked: Vec<_> = asked.iter().filter(|(asked, _)| asked == name).collect();
        assert_eq!(
            asked.len(),
            if status == 500 { 3 } else { 1 },
            "{name}: tries"
        );
        if !FOREIGN.contains(&name.as_str()) {
            recorded.assert_same(name, &asked[0].1);
        }
        *counted.entry(status).or_insert(0) += 1;
    }
    let mut counted: Vec<(u64, u32)> = counted.into_iter().collect();
    counted.sort_unstable();
    assert_eq!(
        counted
            .iter()
            .map(|&(status, _)| status)
            .collect::<Vec<_>>(),
        [200, 400, 480, 481, 482, 500]
    );
    let calls: u32 = counted.iter().map(|&(_, count)| count).sum();
    assert_eq!(calls, 38, "as many as were recorded");
}

#[tokio::test]
async fn its_identity_is_that_of_every_request() {
    let (_, url) = recorded().await;
    let remote = connected(&url, "none").await;
    let address = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
    assert_eq!(remote.address().to_string(), address);
    let signature = remote
        .sign_message(address.as_bytes())
        .expect("the one it gave");
    assert_eq!(
        verify(address.as_bytes(), &signature, remote.address()),
        Ok(())
    );
    assert_eq!(
        remote.sign_message(b"a message"),
        Err(SignError::Remote("messages"))
    );
    assert_eq!(remote.signs_segments(), Some(false));
    assert_eq!(remote.trouble(), None);
}

#[tokio::test]
async fn payments_of_a_stream_take_turns_and_count_only_when_committed() {
    let (signer, url) = recorded().await;
    let recorded = Recorded::of(&signer.cases["lv2v-first"]);
    let stream = connected(&url, "lv2v-first").await.stream();
    let ask = recorded.ask();
    let made = stream.generate(&ask).await.expect("made").expect("tickets");
    drop(made);
    let once = async || {
        let made = stream.generate(&ask).await.expect("made").expect("tickets");
        // Others run now; the state is this one's until it is committed.
        tokio::task::yield_now().await;
        made.commit()
    };
    let _ = tokio::join!(once(), once(), once());
    let states: Vec<Value> = signer
        .asked
        .lock()
        .iter()
        .filter(|(name, _)| name == "lv2v-first")
        .map(|(_, body)| body["state"].clone())
        .collect();
    let next = signer.cases["lv2v-first"]["response"]["body"]["state"].clone();
    let none = Value::Null;
    assert_eq!(states, [none.clone(), none, next.clone(), next]);
    stream.forget(&recorded.offer.address);
    assert!(stream.slot(&recorded.offer.address).lock().await.is_none());
}

#[tokio::test]
async fn a_payment_for_someone_else_is_not_sent() {
    let (signer, url) = recorded().await;
    let stream = connected(&url, "lv2v-first").await.stream();
    let altered = async |change: &dyn Fn(&mut OrchestratorInfo)| {
        let mut recorded = Recorded::of(&signer.cases["lv2v-first"]);
        change(&mut recorded.offer);
        let made = stream.generate(&recorded.ask()).await;
        made.map(drop).expect_err("another payment").to_string()
    };
    let params =
        altered(&|offer| offer.ticket_params.as_mut().expect("parameters").seed[0] ^= 1).await;
    assert!(params.contains("other ticket parameters"), "{params}");
    let price =
        altered(&|offer| offer.price_info.as_mut().expect("a price").price_per_unit += 1).await;
    assert!(price.contains("another price"), "{price}");
    let session = altered(&|offer| {
        offer
            .auth_token
            .as_mut()
            .expect("a token")
            .session_id
            .push('x');
    })
    .await;
    assert!(session.contains("not for this session"), "{session}");
}

#[tokio::test]
async fn a_signer_that_hangs_talks_on_or_is_another_is_an_error() {
    let hangs = serve(Router::new().fallback(async || std::future::pending::<()>().await)).await;
    let impatient = Settings {
        identity_timeout: Duration::from_millis(20),
        retries: 1,
        ..settings(&hangs, "none")
    };
    let error = Remote::connect(&impatient).await.expect_err("silence");
    assert_eq!(
        error,
        RemoteError::Failed("it did not answer in time".to_owned())
    );
    assert_eq!(error.verdict(), Verdict::Stop);

    let long = serve(Router::new().fallback(async || "x".repeat(300 << 10))).await;
    let error = Remote::connect(&settings(&long, "none"))
        .await
        .expect_err("too long");
    assert_eq!(error, RemoteError::Malformed("it is too long"));

    let tries = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&tries);
    let fails = serve(Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        StatusCode::BAD_GATEWAY
    }));
    let fails = fails.await;
    let error = Remote::connect(&settings(&fails, "none"))
        .await
        .expect_err("502");
    assert!(matches!(error, RemoteError::Failed(_)), "{error}");
    assert_eq!(tries.load(Ordering::Relaxed), 3);

    let other = serve(Router::new().fallback(
        async || r#"{"address":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","signature":"0x00"}"#,
    ));
    let error = Remote::connect(&settings(&other.await, "none"))
        .await
        .expect_err("no signature");
    assert_eq!(
        error,
        RemoteError::Malformed("its signature is not that of its address")
    );

    let closed = serve(Router::new().fallback(async || StatusCode::FORBIDDEN)).await;
    let error = Remote::connect(&settings(&closed, "none"))
        .await
        .expect_err("403");
    assert!(
        matches!(error, RemoteError::Unauthorised { status: 403, .. }),
        "{error}"
    );
}
