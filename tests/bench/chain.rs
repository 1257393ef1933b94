//! What following a chain with a hundred orchestrators takes: requests at the start, cold and warm, and while nothing happens, beside go-livepeer's.
//!
//! Each request takes 25 ms, as go-livepeer's were measured: 724 at the start in 19.8 s, 36 a minute afterwards. Requests do not depend on the
//! machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use pointsman_devnet::chain::{Chain, key};
use pointsman_payments::U256;
use serde_json::Value;

use crate::client::Client;
use crate::paid::{flags, funded};
use crate::program::{Devnet, Gateway, Wanted};
use crate::report::{Report, Target};

const ORCHESTRATORS: u32 = 100;
/// Of a request.
const LATENCY: Duration = Duration::from_millis(25);
/// Looks at the chain that are counted, how often one is made then, and how often by default.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(500);
const LOOK_BY_DEFAULT: f64 = 5.0;
/// go-livepeer: requests at the start, seconds, requests a minute.
const THEIRS: (f64, f64, f64) = (724.0, 19.8, 36.0);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    pointsman::tls::install();
    let chain = funded().await?;
    for account in 0..ORCHESTRATORS {
        let address = key(10 + account).address();
        let uri = format!("https://orchestrator-{account}.invalid:8935");
        chain
            .activate(address, U256::from(1 + account), &uri)
            .await?;
    }
    let url = slow(&chain).await?;
    let devnet = Devnet::start(&[Wanted::default()]).await?;
    let flags = flags(&chain, &url);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let look = format!("{}ms", LOOK.as_millis());
    let often = [&flags[..], &["--block-polling-interval", &look]].concat();

    report.part(&format!(
        "a chain with {ORCHESTRATORS} orchestrators, {} ms a request",
        LATENCY.as_millis()
    ));
    let begun = Instant::now();
    let gateway = Gateway::start(&devnet, &flags).await?;
    let (cold, waited) = (requests(&gateway).await?, begun.elapsed());
    report.figure("requests at a cold start", cold, "", Target::Below(11.0));
    report.figure(
        "go-livepeer's as a multiple",
        THEIRS.0 / cold,
        "",
        Target::None,
    );
    report.figure(
        "until it is ready, the keystore included",
        waited.as_secs_f64(),
        "s",
        Target::Below(THEIRS.1),
    );
    let gateway = gateway.again(&devnet, &flags).await?;
    let warm = requests(&gateway).await?;
    report.figure("requests at a warm start", warm, "", Target::Below(11.0));

    let gateway = gateway.again(&devnet, &often).await?;
    let (before, begun) = (requests(&gateway).await?, Instant::now());
    while begun.elapsed() < LOOK * LOOKS {
        chain.mine(1).await?;
        tokio::time::sleep(LOOK).await;
    }
    let looks = begun.elapsed().as_secs_f64() / LOOK.as_secs_f64();
    let each = (requests(&gateway).await? - before) / looks;
    let hour = each * 3600.0 / LOOK_BY_DEFAULT;
    report.figure(
        "requests an hour, at a look each 5 s",
        hour,
        "/h",
        Target::Below(THEIRS.2 * 60.0),
    );
    report.figure(
        "go-livepeer's as a multiple",
        THEIRS.2 * 60.0 / hour,
        "",
        Target::None,
    );
    Ok(())
}

/// Requests so far, once the chain is known.
async fn requests(gateway: &Gateway) -> Result<f64> {
    let mut client = Client::connect(gateway.admin).await?;
    loop {
        let money = client.json("/api/v1/payments").await?;
        if !money["chain"]["l1_block"].is_null() && money["chain"]["heard_ms_ago"].is_number() {
            let endpoint: &Value = &money["chain"]["endpoints"][0];
            return endpoint["requests"].as_f64().context("a number");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The chain by a way that takes its time.
async fn slow(chain: &Chain) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (client, to) = (
        reqwest::Client::builder().no_proxy().build()?,
        chain.url().to_owned(),
    );
    let pass = async move |body: Bytes| -> Result<Bytes, String> {
        tokio::time::sleep(LATENCY).await;
        let sent = client
            .post(&to)
            .header("content-type", "application/json")
            .body(body)
            .send();
        let answer = sent.await.map_err(|error| error.to_string())?;
        answer.bytes().await.map_err(|error| error.to_string())
    };
    let router = Router::new().route(
        "/",
        post(move |body: Bytes| {
            let pass = pass.clone();
            async move { pass(body).await }
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}
