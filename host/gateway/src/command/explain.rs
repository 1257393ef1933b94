//! `pointsman explain`.

use anyhow::{Context, Result, bail};
use pointsman_recording::{Explanation, Reader, Which};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::admin::read_token;
use crate::cli::{Admin, Explain, ExplainFrom};

pub(super) fn run(wanted: &Explain, runtime: &Runtime) -> Result<()> {
    match &wanted.from {
        ExplainFrom::Gateway(admin) => {
            crate::tls::install();
            print!("{}", runtime.block_on(ask(admin, wanted))?);
        }
        ExplainFrom::Recordings(paths) => {
            let mut reader = Reader::open(paths)?;
            let found = Explanation::find(&mut reader, &Which::new(&wanted.job));
            for remark in reader.remarks() {
                eprintln!("note: {}: {}", remark.file.display(), remark.message);
            }
            if found.is_empty() {
                bail!(
                    "no decision about {} is in these recordings: jobs are named STREAM/SEQUENCE",
                    wanted.job
                );
            }
            if wanted.json {
                let found = json!({ "decisions": found });
                println!("{}", serde_json::to_string_pretty(&found)?);
                return Ok(());
            }
            let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
            print!("{}", texts.join("\n"));
        }
    }
    Ok(())
}

/// What a running gateway says.
async fn ask(admin: &Admin, wanted: &Explain) -> Result<String> {
    let mut url = admin.url.join("/api/v1/decisions")?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(wanted.job.split('/'));
    }
    let accept = if wanted.json {
        "application/json"
    } else {
        "text/plain"
    };
    let mut request = reqwest::Client::new()
        .get(url)
        .header(http::header::ACCEPT, accept);
    // Off loopback it needs one, and says so.
    if let Ok(token) = read_token(admin.token.path()) {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.with_context(|| {
        format!(
            "no gateway answers at {}: is it running, and is --addr its --cli-addr? Recordings are read with --from DIR",
            admin.url
        )
    })?;
    let good = response.status().is_success();
    let text = response.text().await?;
    if good && wanted.json {
        let answer: Value = serde_json::from_str(&text)?;
        return Ok(format!("{}\n", serde_json::to_string_pretty(&answer)?));
    }
    if good {
        return Ok(text);
    }
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    bail!(
        "{}",
        answer["error"]["message"]
            .as_str()
            .unwrap_or("the gateway refused without a reason")
    )
}
