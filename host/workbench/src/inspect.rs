//! `policy inspect`: everything that a bundle says of itself.

use std::fmt;

use pointsman_policy::bundle::{OnEmpty, OnFailure, Setting, Value};
use pointsman_policy::vectors::{Rig, Vectors};
use pointsman_policy::{Limits, LoadError};
use serde::Serialize;
use serde_json::json;
use wasmparser::{Parser, Payload};

use crate::Error;
use crate::open::{Opened, Part, parts};

/// A bundle, described.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What identifies it.
    pub digest: String,
    /// Where it came from.
    pub origin: String,
    /// What a fault does to the job.
    pub on_failure: &'static str,
    /// Manifest, components and vectors together.
    pub size_bytes: usize,
    /// Golden vectors in it.
    pub vectors: usize,
    /// Its stages, in the order they are asked, hook by hook.
    pub stages: Vec<Stage>,
}

/// A stage, described.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What it is asked.
    pub hook: &'static str,
    /// Its component's file.
    pub component: String,
    /// Of that file.
    pub sha256: String,
    /// Of that file.
    pub size_bytes: usize,
    /// The policy's own name.
    pub policy: String,
    /// The policy's own version.
    pub version: String,
    /// The policy, in a sentence.
    pub summary: String,
    /// The version of the contract that it is built against.
    pub wit: String,
    /// Every hook that it has.
    pub hooks: Vec<String>,
    /// What it needs of the host.
    pub imports: Vec<String>,
    /// Whether a fault of it always rejects.
    pub required: bool,
    /// Whether it is skipped when it leaves nobody.
    pub skips: bool,
    /// What its scores are multiplied with.
    pub weight: f64,
    /// What it is configured with.
    pub settings: serde_json::Value,
    /// What it can be configured with.
    pub settings_schema: serde_json::Value,
    /// Facts of candidates that it asks for.
    pub columns: Vec<String>,
    /// Facts of the job that it asks for.
    pub facts: Vec<String>,
    /// Why it may leave somebody out.
    pub causes: Vec<String>,
}

/// Describes a bundle.
///
/// # Errors
///
/// When a component is no policy for this host.
pub fn inspect(opened: &Opened) -> Result<Inspected, Error> {
    let rig = Rig::new()?;
    let bundle = &opened.bundle;
    let manifest = bundle.manifest();
    let limits = Limits::default()
        .tighten(&manifest.limits)
        .map_err(LoadError::from)?;
    let stages = parts(bundle)
        .iter()
        .map(|part| stage(&rig, part, limits))
        .collect::<Result<_, _>>()?;
    let vectors = opened.vectors.as_deref();
    Ok(Inspected {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        digest: bundle.digest().to_string(),
        origin: opened.origin.to_string(),
        on_failure: match manifest.on_failure {
            OnFailure::Default => "default",
            OnFailure::Previous => "previous",
            OnFailure::Reject => "reject",
        },
        size_bytes: bundle.files().map(|(_, bytes)| bytes.len()).sum(),
        vectors: vectors
            .map(Vectors::parse)
            .transpose()?
            .unwrap_or_default()
            .len(),
        stages,
    })
}

fn stage(rig: &Rig, part: &Part<'_>, limits: Limits) -> Result<Stage, Error> {
    let spec = part.spec;
    let subject = rig.subject(
        &spec.component,
        part.bytes,
        part.hook,
        &spec.settings,
        limits,
    )?;
    let said = subject.fresh()?.describe()?;
    let (imports, exports) = edge(part.bytes);
    let schema = serde_json::from_str(&said.settings_schema);
    let plan = subject.plan();
    Ok(Stage {
        hook: part.hook.name(),
        component: spec.component.clone(),
        sha256: spec.sha256.to_string(),
        size_bytes: part.bytes.len(),
        policy: said.name,
        version: said.version,
        summary: said.summary,
        wit: contract(&exports),
        hooks: hooks(&exports),
        imports,
        required: spec.required,
        skips: spec.on_empty == OnEmpty::Skip,
        weight: spec.weight,
        settings: settings(&spec.settings),
        settings_schema: schema.unwrap_or(serde_json::Value::String(said.settings_schema)),
        columns: plan.columns.clone(),
        facts: plan.facts.clone(),
        causes: plan.causes.iter().map(|cause| cause.text.clone()).collect(),
    })
}

/// Names of what a component imports and exports. One that passed the host's check has no others.
pub(crate) fn edge(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                let names = section.into_iter().filter_map(Result::ok);
                imports.extend(names.map(|import| import.name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                let names = section.into_iter().filter_map(Result::ok);
                exports.extend(names.map(|export| export.name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

/// The hooks among a component's exports.
pub(crate) fn hooks(exports: &[String]) -> Vec<String> {
    let names = exports.iter().filter_map(|export| {
        let name = export.strip_prefix("pointsman:policy/")?;
        Some(name.split('@').next().unwrap_or(name).to_owned())
    });
    names.filter(|name| name != "policy").collect()
}

/// The version of the contract among a component's exports.
fn contract(exports: &[String]) -> String {
    let version = exports
        .iter()
        .find_map(|export| export.split_once('@').map(|(_, version)| version));
    version.unwrap_or("?").to_owned()
}

fn settings(settings: &[Setting]) -> serde_json::Value {
    let value = |setting: &Setting| match &setting.value {
        Value::Bool(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Number(value) => json!(value),
        Value::Text(text, _) => json!(text),
        Value::Texts(texts) => texts.iter().map(|(text, _)| text.as_str()).collect(),
        Value::Numbers(values) => json!(values),
    };
    settings
        .iter()
        .map(|setting| (setting.key.clone(), value(setting)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

// === impl Inspected ===

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}  ({})", self.name, self.version, self.origin)?;
        writeln!(
            f,
            "  {} bytes, {} golden vectors, on-failure {}, digest {}",
            self.size_bytes, self.vectors, self.on_failure, self.digest
        )?;
        for (number, stage) in (1..).zip(&self.stages) {
            write!(f, "\n{number}. {stage}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {} {}: {}",
            self.hook, self.policy, self.version, self.summary
        )?;
        let (hooks, imports) = (self.hooks.join(", "), self.imports.join(", "));
        writeln!(
            f,
            "   component  {}, {} bytes, contract {}, hooks {hooks}, imports {imports}",
            self.component, self.size_bytes, self.wit
        )?;
        if self.hook == "selection" {
            let required = if self.required { ", required" } else { "" };
            let skips = if self.skips {
                ", skipped when it leaves nobody"
            } else {
                ""
            };
            writeln!(f, "   in chain   weight {}{required}{skips}", self.weight)?;
        }
        writeln!(f, "   settings   {}", self.settings)?;
        let known = self.settings_schema["properties"].as_object();
        for (key, about) in known.into_iter().flatten() {
            let text = about["description"].as_str().unwrap_or_default();
            writeln!(f, "              {key} [{}]  {text}", about["default"])?;
        }
        for (what, names) in [
            ("columns", &self.columns),
            ("job facts", &self.facts),
            ("causes", &self.causes),
        ] {
            if !names.is_empty() {
                writeln!(f, "   {what:<10} {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}
