//! A thousand swaps of the policy while segments are pushed: nothing is lost, and the next segment is the new bundle's.
//!
//! One bundle takes the cheapest orchestrator, the other the fastest; of the two orchestrators one is cheap and one is fast. So the choice
//! itself says whose it was, beside the generation that the decision names.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tokio::process::Command;
use tokio::task::LocalSet;

use crate::client::{Client, Pusher};
use crate::media;
use crate::program::{Devnet, Gateway, POINTSMAN, Wanted};
use crate::report::{Report, Target, quantile};

const SWAPS: usize = 1000;
/// Streams that are pushed meanwhile.
const STREAMS: usize = 4;

const CHEAP: Wanted = Wanted {
    price: 1,
    latency_ms: 15,
};
const FAST: Wanted = Wanted {
    price: 100,
    latency_ms: 0,
};

/// What happens to the segments that are pushed meanwhile.
#[derive(Debug, Default)]
struct Tally {
    pushed: Cell<u64>,
    lost: Cell<u64>,
    over: Cell<bool>,
}

/// Who swaps and looks.
struct Operator {
    admin: Client,
    token: String,
    probe: Pusher,
    /// Bundles that were refused because the machine was too busy to configure them in time.
    refused: usize,
}

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bundles = [cheapest(folder.path()).await?, fastest()?];
    let devnet = Devnet::start(&[CHEAP, FAST]).await?;
    let gateway = Gateway::start(&devnet, &[]).await?;
    let tally = Rc::new(Tally::default());
    let local = LocalSet::new();
    for stream in 0..STREAMS {
        let pusher =
            Pusher::connect(gateway.http, &format!("load-{stream}"), media::segment()?).await?;
        local.spawn_local(push(pusher, tally.clone()));
    }
    let mut operator = Operator {
        admin: Client::connect(gateway.admin).await?,
        token: gateway.token()?,
        probe: Pusher::connect(gateway.http, "probe", media::segment()?).await?,
        refused: 0,
    };
    let swapped = local
        .run_until(async { operator.swap(&bundles).await })
        .await;
    tally.over.set(true);
    local.await;
    let (mut times, wrong) = swapped?;
    report.part(&format!("{SWAPS} swaps under load"));
    report.figure(
        "segments pushed meanwhile",
        tally.pushed.get() as f64,
        "",
        Target::None,
    );
    report.figure(
        "from the upload of a bundle to its activity, p50",
        quantile(&mut times, 0.5),
        "ms",
        Target::None,
    );
    report.figure(
        "the same, p99",
        quantile(&mut times, 0.99),
        "ms",
        Target::None,
    );
    report.figure(
        "uploads refused because the machine was too busy",
        operator.refused as f64,
        "",
        Target::None,
    );
    report.must(
        tally.lost.get() == 0,
        format!("no segment is lost ({} were)", tally.lost.get()),
    );
    report.must(
        wrong == 0,
        format!("the next segment is the new bundle's choice ({wrong} were not)"),
    );
    Ok(())
}

async fn push(mut pusher: Pusher, tally: Rc<Tally>) {
    while !tally.over.get() {
        match pusher.push().await {
            Ok(_) => tally.pushed.set(tally.pushed.get() + 1),
            Err(error) => {
                eprintln!("bench: lost: {error:#}");
                tally.lost.set(tally.lost.get() + 1);
                return;
            }
        }
    }
}

// === impl Operator ===

impl Operator {
    /// How long each swap takes, ms, and how many segments after one were not the new bundle's choice.
    async fn swap(&mut self, bundles: &[Bytes; 2]) -> Result<(Vec<f64>, u32)> {
        // Both orchestrators get a history first, and each bundle's choice is learnt.
        let mut choices = Vec::new();
        for bundle in [&bundles[0], &bundles[1], &bundles[0], &bundles[1]] {
            self.activate(bundle).await?;
            for _ in 0..20 {
                self.probe.push().await?;
            }
            choices.push(self.decision().await?.1);
        }
        ensure!(
            choices[..2] == choices[2..] && choices[0] != choices[1],
            "the bundles do not choose differently: {choices:?}"
        );
        let (mut times, mut wrong) = (Vec::new(), 0);
        for (bundle, choice) in bundles.iter().zip(&choices).cycle().take(SWAPS) {
            let started = Instant::now();
            let generation = self.activate(bundle).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            self.probe.push().await?;
            let found = self.decision().await?;
            if (found.0, &found.1) != (generation, choice) {
                eprintln!(
                    "bench: {} went to {} by generation {}, not to {choice} by {generation}",
                    self.probe.job(),
                    found.1,
                    found.0
                );
                wrong += 1;
            }
        }
        Ok((times, wrong))
    }

    /// Answers the generation. A policy's time is limited by the clock, so a machine that is busy enough refuses a good bundle
    /// now and then; the operator tries again.
    async fn activate(&mut self, bundle: &Bytes) -> Result<u64> {
        loop {
            let path = "/api/v1/policy/activate";
            let answer = self.admin.post(path, &self.token, bundle.clone()).await;
            match answer {
                Ok(answer) => {
                    let number = answer["active"]["number"].as_u64();
                    return number.with_context(|| format!("no generation in {answer}"));
                }
                Err(error) if error.to_string().contains("out-of-time") && self.refused < SWAPS => {
                    self.refused += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Generation and first choice for the segment that was pushed last.
    async fn decision(&mut self) -> Result<(u64, String)> {
        let path = format!("/api/v1/decisions?limit=1&job={}", self.probe.job());
        let answer = self.admin.json(&path).await?;
        let decision = &answer["decisions"][0];
        let first = decision["order"][0]["id"].as_str();
        let (generation, first) = decision["generation"]
            .as_u64()
            .zip(first)
            .with_context(|| format!("no decision in {answer}"))?;
        Ok((generation, first.to_owned()))
    }
}

/// The example of a custom policy, built as its author would.
async fn cheapest(folder: &Path) -> Result<Bytes> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prefer-cheapest");
    let out = folder.join("cheapest");
    let status = Command::new(POINTSMAN)
        .args(["policy", "build"])
        .arg(&source)
        .arg("--out")
        .arg(&out)
        .status()
        .await?;
    ensure!(
        status.success(),
        "pointsman policy build {}: {status}",
        source.display()
    );
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&out)? {
        let entry = entry?;
        files.push((
            entry.file_name().to_string_lossy().into_owned(),
            std::fs::read(entry.path())?,
        ));
    }
    pack(&files)
}

/// The default bundle's ranking by latency alone, without loyalty.
fn fastest() -> Result<Bytes> {
    let file = |wanted: &str| {
        let mut files = pointsman_default_bundle::bundle().iter();
        files
            .find(|(name, _)| *name == wanted)
            .map(|(_, bytes)| bytes.to_vec())
            .context("an embedded file")
    };
    let manifest: toml::Value = toml::from_str(&String::from_utf8(file("bundle.toml")?)?)?;
    let stages = manifest["selection"].as_array().context("stages")?;
    let rank = stages
        .iter()
        .find(|stage| stage["component"].as_str() == Some("rank.wasm"));
    let digest = rank
        .and_then(|stage| stage["sha256"].as_str())
        .context("the ranking's digest")?;
    let manifest = format!(
        "name = \"fastest\"\nversion = \"1\"\non-failure = \"previous\"\n[[selection]]\ncomponent = \"rank.wasm\"\nsha256 = \"{digest}\"\n\
         settings = {{ latency = 1, history = 0, load = 0, keep-margin = 0, step = 0.001, latency-ref-ms = 20 }}\n"
    );
    pack(&[
        ("rank.wasm".to_owned(), file("rank.wasm")?),
        ("bundle.toml".to_owned(), manifest.into_bytes()),
    ])
}

fn pack(files: &[(String, Vec<u8>)]) -> Result<Bytes> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice())?;
    }
    Ok(tar.into_inner()?.into())
}
