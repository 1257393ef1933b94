//! `pointsman policy …`.

mod author;
mod log;
mod push;
mod send;
mod trial;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::admin::read_token;
use crate::cli::{Activate, Admin, List, Policy, Rollback};

pub(super) fn run(policy: Policy, runtime: &Runtime) -> Result<()> {
    crate::tls::install();
    match policy {
        Policy::New(wanted) => author::new(&wanted),
        Policy::Build(wanted) => author::build_bundle(&wanted),
        Policy::Check(wanted) => author::check(&wanted),
        Policy::Inspect(wanted) => author::inspect(&wanted),
        Policy::Test(wanted) => author::run_tests(&wanted),
        Policy::Conformance(wanted) => author::conformance(&wanted),
        Policy::Bench(wanted) => author::measure(&wanted),
        Policy::Replay(wanted) => super::replay::run(&wanted),
        Policy::Push(wanted) => runtime.block_on(push::run(&wanted)),
        Policy::Activate(Activate { bundle, admin }) => {
            let answer = runtime.block_on(send::send(&admin, "policy/activate", &bundle, &[]))?;
            say_active(&answer)
        }
        Policy::Shadow(wanted) => runtime.block_on(trial::begin("shadow", &wanted)),
        Policy::Canary(wanted) => runtime.block_on(trial::begin("canary", &wanted)),
        Policy::Promote(admin) => runtime.block_on(trial::promote(&admin)),
        Policy::Stop(admin) => runtime.block_on(trial::stop(&admin)),
        Policy::Log(wanted) => runtime.block_on(log::run(&wanted)),
        Policy::Rollback(Rollback { admin }) => {
            let answer =
                runtime.block_on(call(&admin, Method::POST, "policy/rollback", Vec::new()))?;
            say_active(&answer)
        }
        Policy::List(List { admin, json }) => {
            let answer = runtime.block_on(call(&admin, Method::GET, "policy", Vec::new()))?;
            list(&answer, json)
        }
    }
}

pub(in crate::command) async fn call(
    admin: &Admin,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<Value> {
    let url = admin.url.join(&format!("/api/v1/{path}"))?;
    let request = reqwest::Client::new().request(method, url).body(body);
    answer(admin, request).await
}

/// Sends `request` with the token. What is no success is an error in the gateway's own words.
async fn answer(admin: &Admin, request: reqwest::RequestBuilder) -> Result<Value> {
    let mut request = request.build()?;
    let url = request.url().clone();
    match read_token(admin.token.path()) {
        Ok(token) => {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"))?;
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        Err(error) if request.method() != Method::GET => return Err(error),
        Err(_) => {}
    }
    let response = reqwest::Client::new().execute(request).await;
    let response = response.with_context(|| {
        format!(
            "no gateway answers at {}: is it running, and is --addr its --cli-addr?",
            admin.url
        )
    })?;
    let failed = !response.status().is_success();
    let status = response.status();
    let answer: Value = response
        .json()
        .await
        .with_context(|| format!("{url} answers {status}, and not in JSON"))?;
    if failed {
        bail!(
            "{}",
            answer["error"]["message"]
                .as_str()
                .unwrap_or("the gateway refused without a reason")
        );
    }
    Ok(answer)
}

fn say_active(answer: &Value) -> Result<()> {
    let active = &answer["active"];
    println!("active: {}", line(active));
    Ok(())
}

fn list(answer: &Value, json: bool) -> Result<()> {
    let generations = &answer["generations"];
    if json {
        println!("{}", serde_json::to_string_pretty(generations)?);
        return Ok(());
    }
    for generation in generations.as_array().into_iter().flatten() {
        println!("{}", line(generation));
    }
    for line in trial::lines(&answer["trials"]) {
        println!("{line}");
    }
    Ok(())
}

fn line(generation: &Value) -> String {
    let text = |key: &str| generation[key].as_str().unwrap_or("?").to_owned();
    format!(
        "generation {}  {} {}  {}  {} decisions, {} faults  from {}",
        generation["number"],
        text("name"),
        text("version"),
        text("state"),
        generation["decisions"],
        generation["faults"],
        text("origin"),
    )
}
