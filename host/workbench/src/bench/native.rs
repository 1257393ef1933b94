//! Timing an author's policy without its component.
//!
//! A policy's crate is an ordinary library whose export is there natively too (`pointsman_native`). A program of a few lines that links it
//! and asks it the same question is made below the crate's target folder, compiled for speed, and run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pointsman_bundler::{Options, for_speed};
use pointsman_facts::Values;
use pointsman_policy::bundle::{Setting, Value};
use pointsman_policy::vectors::Question;
use pointsman_policy::wit::Fact;
use serde::Deserialize;

use crate::Error;
use crate::open::{Origin, Part};

/// The crates of a source, as far as they were compiled.
pub(super) struct Crates<'a> {
    origin: &'a Origin,
    offline: bool,
    made: BTreeMap<String, Made>,
}

/// A program of a few lines.
#[derive(Clone)]
struct Made {
    folder: PathBuf,
    /// Where cargo keeps what it compiles for the policy.
    target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

// === impl Crates ===

impl<'a> Crates<'a> {
    pub(super) fn new(origin: &'a Origin, offline: bool) -> Self {
        Self {
            origin,
            offline,
            made: BTreeMap::new(),
        }
    }

    /// Half of the answers took no longer, µs. `None`: its source is not at hand.
    pub(super) fn time(
        &mut self,
        part: &Part<'_>,
        question: &Question,
    ) -> Result<Option<f64>, Error> {
        let mut crates = self.origin.crates().iter();
        let Some((_, package)) = crates.find(|(file, _)| *file == part.spec.component) else {
            return Ok(None);
        };
        let made = match self.made.get(&part.spec.component) {
            Some(made) => made.clone(),
            None => {
                let made = self.make(package)?;
                self.made.insert(part.spec.component.clone(), made.clone());
                made
            }
        };
        let main = made.folder.join("src/main.rs");
        let text = program(part.hook.name(), &part.spec.settings);
        fs::write(&main, text).map_err(Error::io("write", &main))?;
        let asked = made.folder.join("question");
        fs::write(&asked, bytes(question)).map_err(Error::io("write", &asked))?;
        // The compiler's helpers that the component's own build made are not compiled again.
        let mut cargo = self.cargo(&made.folder);
        cargo
            .args(["run", "--quiet", "--target-dir"])
            .arg(&made.target);
        for_speed(&mut cargo);
        cargo.arg("--").arg(&asked);
        let output = run(cargo)?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().parse() {
            Ok(us) if output.status.success() => Ok(Some(us)),
            _ => Err(failed(package, &output)),
        }
    }

    /// The program's folder, but for its code.
    fn make(&self, package: &Path) -> Result<Made, Error> {
        let package = package.canonicalize().map_err(Error::io("find", package))?;
        let mut cargo = self.cargo(&package);
        cargo.args(["metadata", "--format-version", "1"]);
        let output = run(cargo)?;
        let metadata: Metadata = match serde_json::from_slice(&output.stdout) {
            Ok(metadata) if output.status.success() => metadata,
            _ => return Err(failed(&package, &output)),
        };
        let manifest = package.join("Cargo.toml");
        let name = |found: &dyn Fn(&Package) -> bool| {
            metadata.packages.iter().find(|package| found(package))
        };
        let own = name(&|package| package.manifest_path == manifest);
        let sdk = name(&|package| package.name == "pointsman-sdk");
        let (Some(own), Some(sdk)) = (own, sdk) else {
            return Err(Error::Native {
                package,
                stderr: "it does not depend on pointsman-sdk".to_owned(),
            });
        };
        let sdk = sdk.manifest_path.parent().unwrap_or(Path::new("/"));
        let folder = metadata
            .target_directory
            .join("pointsman-bench")
            .join(&own.name);
        let source = folder.join("src");
        fs::create_dir_all(&source).map_err(Error::io("make", &source))?;
        let text = format!(
            "[package]\nname = \"timing\"\nedition = \"2024\"\n\n[dependencies]\npolicy = {{ package = {:?}, path = {package:?} }}\n\
             pointsman-sdk = {{ path = {sdk:?} }}\n\n[workspace]\n",
            own.name
        );
        let path = folder.join("Cargo.toml");
        fs::write(&path, text).map_err(Error::io("write", &path))?;
        // The same versions, also offline. Without one, cargo finds some.
        let lock = folder.join("Cargo.lock");
        if !lock.exists() {
            let _ = fs::copy(package.join("Cargo.lock"), lock);
        }
        Ok(Made {
            folder,
            target: metadata.target_directory,
        })
    }

    fn cargo(&self, folder: &Path) -> Command {
        let options = Options::default();
        let offline = self.offline || options.offline;
        pointsman_bundler::cargo(folder, &Options { offline, ..options })
    }
}

fn run(mut cargo: Command) -> Result<Output, Error> {
    cargo.output().map_err(|cause| Error::NoCargo {
        program: cargo.get_program().into(),
        cause,
    })
}

fn failed(package: &Path, output: &Output) -> Error {
    Error::Native {
        package: package.to_owned(),
        stderr: String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned(),
    }
}

/// The program: `template.rs` with the settings, as code.
fn program(hook: &str, settings: &[Setting]) -> String {
    let mut code = String::new();
    for setting in settings {
        let float = |value: &f64| format!("f64::from_bits({})", value.to_bits());
        let text = |text: &str, symbol: u64| format!("({text:?}.to_owned(), {symbol})");
        let value = match &setting.value {
            Value::Bool(value) => format!("Bool({value})"),
            Value::Integer(value) => format!("Integer({value})"),
            Value::Number(value) => format!("Number({})", float(value)),
            Value::Text(words, symbol) => format!("Text({})", text(words, symbol.0)),
            Value::Texts(texts) => {
                let texts: Vec<_> = texts
                    .iter()
                    .map(|(words, symbol)| text(words, symbol.0))
                    .collect();
                format!("Texts(vec![{}])", texts.join(", "))
            }
            Value::Numbers(values) => {
                let values: Vec<_> = values.iter().map(float).collect();
                format!("Numbers(vec![{}])", values.join(", "))
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            code,
            "Setting {{ key: {:?}.to_owned(), value: Value::{value} }},",
            setting.key
        );
    }
    include_str!("../../templates/timing.rs")
        .replace("{{hook}}", hook)
        .replace("{{settings}}", &code)
}

/// The question for the program: rows, then each column and each fact as its kind and its values, all in eight bytes.
fn bytes(question: &Question) -> Vec<u8> {
    let table = question.table();
    let mut words: Vec<u64> = vec![
        u64::from(table.rows),
        table.columns.len() as u64,
        question.job.facts.len() as u64,
    ];
    for values in &table.columns {
        match values {
            Values::Numbers(values) => {
                words.push(0);
                words.extend(values.iter().map(|value| value.to_bits()));
            }
            Values::Counts(values) => {
                words.push(1);
                words.extend_from_slice(values);
            }
            Values::Marks(values) => {
                words.push(2);
                words.extend(values.iter().map(|mark| u64::from(*mark)));
            }
            Values::Symbols(values) => {
                words.push(3);
                words.extend_from_slice(values);
            }
        }
    }
    for fact in &question.job.facts {
        words.extend(match *fact {
            Fact::Unknown => [0, 0],
            Fact::Number(value) => [1, value.to_bits()],
            Fact::Count(value) => [2, value],
            Fact::Mark(value) => [3, value.into()],
            Fact::Symbol(value) => [4, value],
        });
    }
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}
