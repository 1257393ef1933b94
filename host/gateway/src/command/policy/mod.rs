//! `pointsman policy …`.

mod author;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::admin::read_token;
use crate::cli::{Activate, Admin, List, Policy, Rollback};
use crate::policies::pack;

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
        Policy::Activate(Activate { dir, admin }) => {
            let bundle = pack(&dir)?;
            let answer = runtime.block_on(call(&admin, Method::POST, "policy/activate", bundle))?;
            say_active(&answer)
        }
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
    let mut request = reqwest::Client::new()
        .request(method.clone(), url.clone())
        .body(body);
    match read_token(admin.token.path()) {
        Ok(token) => request = request.bearer_auth(token),
        Err(error) if method != Method::GET => return Err(error),
        Err(_) => {}
    }
    let response = request.send().await.with_context(|| {
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
