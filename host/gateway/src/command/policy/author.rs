//! `pointsman policy new | build | check | inspect | test | bench`.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use pointsman_bundler::{Options, VECTORS, build};
use pointsman_default_bundle as default_bundle;
use pointsman_fetch::Compression;
use pointsman_native::Native;
use pointsman_policy::Bundle;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT, Manifest, Setting};
use pointsman_workbench::{self as workbench, Gateway, Opened, bench, test};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Bench, Build, Conformance, Look, New, Test};

pub(super) fn new(wanted: &New) -> Result<()> {
    answer(wanted.json, || {
        let made = workbench::new::new(&wanted.name, wanted.template, &wanted.dir)?;
        Ok((made, None))
    })
}

pub(super) fn build_bundle(wanted: &Build) -> Result<()> {
    answer(wanted.json, || {
        let options = Options {
            offline: wanted.offline || Options::default().offline,
            library: default_bundle::library(),
            ..Options::default()
        };
        let made = build(&wanted.dir, &wanted.out, &options)?;
        let files = made.components.iter().chain(&made.vectors);
        let files = files.map(|file| File {
            file: file.file.clone(),
            size_bytes: file.size,
            sha256: file.sha256.clone(),
        });
        let built = Built {
            files: files.collect(),
            dir: wanted.out.display().to_string(),
            packed: wanted.pack.as_ref().map(|file| file.display().to_string()),
        };
        if let Some(file) = &wanted.pack {
            pack(&wanted.out, file)?;
        }
        Ok((built, None))
    })
}

pub(super) fn check(wanted: &Look) -> Result<()> {
    answer(wanted.json, || {
        let gateway = gateway()?;
        let checked = workbench::check(&open(wanted, &gateway)?, &gateway)?;
        let wrong =
            (!checked.ok).then_some("the bundle does not answer its golden vectors as recorded");
        Ok((checked, wrong))
    })
}

pub(super) fn inspect(wanted: &Look) -> Result<()> {
    answer(wanted.json, || {
        let opened = open(wanted, &gateway()?)?;
        Ok((workbench::inspect(&opened)?, None))
    })
}

pub(super) fn run_tests(wanted: &Test) -> Result<()> {
    answer(wanted.look.json, || {
        let opened = open(&wanted.look, &gateway()?)?;
        let options = test::Options {
            record: wanted.record,
            offline: wanted.look.offline,
            quiet: wanted.look.json,
        };
        let tested = test::test(&opened, options)?;
        let wrong = (!tested.ok).then_some("the tests do not pass");
        Ok((tested, wrong))
    })
}

pub(super) fn conformance(wanted: &Conformance) -> Result<()> {
    answer(wanted.json, || {
        let read =
            |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let bytes = read(&wanted.component)?;
        let settings = match &wanted.settings {
            Some(path) => typed(&String::from_utf8(read(path)?)?)
                .with_context(|| format!("{} holds no settings", path.display()))?,
            None => Vec::new(),
        };
        let name = wanted.component.file_name().unwrap_or_default();
        let found = workbench::conformance(&name.to_string_lossy(), &bytes, &settings)?;
        let wrong = (!found.ok).then_some("the component does not keep the contract");
        Ok((found, wrong))
    })
}

pub(super) fn measure(wanted: &Bench) -> Result<()> {
    answer(wanted.look.json, || {
        let gateway = gateway()?;
        let opened = open(&wanted.look, &gateway)?;
        let measured = bench::bench(&opened, &gateway, wanted.candidates, wanted.look.offline)?;
        Ok((measured, None))
    })
}

/// Prints what `work` found, or why it found nothing; with the second of what it gives, that is a failure all the same.
fn answer<T: Serialize + fmt::Display>(
    json: bool,
    work: impl FnOnce() -> Result<(T, Option<&'static str>)>,
) -> Result<()> {
    crate::logging::errors();
    let found = work();
    match &found {
        Ok((found, _)) if json => println!("{}", serde_json::to_string_pretty(found)?),
        Ok((found, _)) => println!("{found}"),
        Err(error) if json => {
            let told = json!({ "ok": false, "error": format!("{error:#}") });
            println!("{}", serde_json::to_string_pretty(&told)?);
        }
        Err(_) => {}
    }
    match found?.1 {
        Some(wrong) => bail!(wrong),
        None => Ok(()),
    }
}

/// What this program comes with.
fn gateway() -> Result<Gateway> {
    let owned = |(name, bytes): &default_bundle::File| ((*name).to_owned(), bytes.to_vec());
    let files = default_bundle::bundle().iter().map(owned);
    Ok(Gateway {
        bundle: Bundle::from_files(files, MAX_COMPONENT)?,
        library: default_bundle::library(),
        twins: std::sync::Arc::new(Native::new(default_bundle::stage)),
    })
}

fn open(wanted: &Look, gateway: &Gateway) -> Result<Opened> {
    Ok(workbench::open(
        wanted.bundle.as_deref(),
        gateway,
        wanted.offline,
    )?)
}

/// The settings in a TOML file, typed as a bundle's are.
fn typed(text: &str) -> Result<Vec<Setting>> {
    let settings: toml::Table = text.parse()?;
    let mut manifest = toml::toml! {
        name = "settings"
        version = "1"
        [[selection]]
        component = "component.wasm"
    };
    let stage = manifest["selection"][0].as_table_mut();
    let stage = stage.context("a stage is a table")?;
    stage.insert("sha256".to_owned(), Digest::of(b"").to_string().into());
    stage.insert("settings".to_owned(), settings.into());
    let mut stages = Manifest::parse(&manifest.to_string())?.selection;
    Ok(stages.pop().map(|stage| stage.settings).unwrap_or_default())
}

/// Writes the bundle in `folder` to the single file `path`.
fn pack(folder: &Path, path: &Path) -> Result<()> {
    let bundle = Bundle::from_dir(folder, MAX_COMPONENT)?;
    let mut files: Vec<(String, Vec<u8>)> = bundle
        .files()
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    if files.iter().all(|(name, _)| name != VECTORS)
        && let Ok(vectors) = fs::read(folder.join(VECTORS))
    {
        files.push((VECTORS.to_owned(), vectors));
    }
    let zstd = path.extension().is_some_and(|ending| ending == "zst");
    let compression = if zstd {
        Compression::Zstd
    } else {
        Compression::None
    };
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let packed = pointsman_fetch::pack(files, compression)?;
    fs::write(path, packed).with_context(|| format!("cannot write {}", path.display()))
}

/// A bundle that was built.
#[derive(Serialize)]
struct Built {
    dir: String,
    packed: Option<String>,
    files: Vec<File>,
}

/// A file of it.
#[derive(Serialize)]
struct File {
    file: String,
    size_bytes: u64,
    sha256: String,
}

// === impl Built ===

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for File {
            file,
            size_bytes,
            sha256,
        } in &self.files
        {
            writeln!(f, "{file}  {size_bytes} bytes  sha256 {sha256}")?;
        }
        if let Some(packed) = &self.packed {
            writeln!(f, "packed in {packed}")?;
        }
        write!(
            f,
            "bundle in {0}; activate it with `pointsman policy activate {0}`",
            self.dir
        )
    }
}
