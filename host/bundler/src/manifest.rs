//! The manifest of a source, and of the bundle made from it.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{BuildError, Component};

/// A source's manifest. Only the stages' `component`, `crate`, `builtin` and `sha256` mean something here.
#[derive(Debug)]
pub(crate) struct Manifest {
    path: PathBuf,
    table: Table,
    components: Vec<(String, Origin)>,
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is finished, beside the manifest.
    File,
    /// It is compiled from the crate in that folder, relative to the manifest.
    Crate(PathBuf),
    /// It comes with the program that builds, under that name.
    Builtin(String),
}

/// The key of the golden vectors in a bundle's manifest.
const VECTORS: &str = "vectors";

/// Longest name of a component's file, bytes.
const MAX_NAME: usize = 100;

// === impl Manifest ===

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Self, BuildError> {
        let text = std::fs::read_to_string(path).map_err(BuildError::io("read", path))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BuildError> {
        let fail = |reason: String| BuildError::Manifest {
            path: path.to_owned(),
            reason,
        };
        let table: Table = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        let mut components: Vec<(String, Origin)> = Vec::new();
        for (hook, stage) in stages(&table) {
            let (file, origin) = component(stage)
                .map_err(|reason| fail(format!("a stage of [[{hook}]]: {reason}")))?;
            match components.iter().find(|(known, _)| *known == file) {
                None => components.push((file, origin)),
                Some((_, known)) if *known == origin => {}
                Some(_) => {
                    return Err(fail(format!(
                        "{file} comes from two places; give one of them another name"
                    )));
                }
            }
        }
        if components.is_empty() {
            return Err(fail("there is no stage; a bundle has at least one [[selection]] or [[failover]] with a component".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            table,
            components,
        })
    }

    /// The folders of its crates, relative to it, by the component that each becomes.
    pub(crate) fn crates(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.components().filter_map(|(file, origin)| match origin {
            Origin::Crate(folder) => Some((file, folder.as_path())),
            Origin::File | Origin::Builtin(_) => None,
        })
    }

    /// Whether it is a source: something in it is yet to be made, or a digest to be found.
    pub(crate) fn is_source(&self) -> bool {
        let made = |stage: &Table| stage.contains_key("sha256");
        !stages(&self.table).all(|(_, stage)| made(stage))
    }

    /// Every component once: its file name and where it comes from.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.components
            .iter()
            .map(|(file, origin)| (file.as_str(), origin))
    }

    /// The bundle's manifest: crates and builtins out, digests in; also that of the golden vectors, if there are some.
    pub(crate) fn with_digests(
        &self,
        built: &[Component],
        vectors: Option<&Component>,
    ) -> Result<String, BuildError> {
        let fail = |reason: String| BuildError::Manifest {
            path: self.path.clone(),
            reason,
        };
        let mut table = self.table.clone();
        if let Some(vectors) = vectors {
            let mut entry = Table::new();
            entry.insert("file".to_owned(), Value::String(vectors.file.clone()));
            entry.insert("sha256".to_owned(), Value::String(vectors.sha256.clone()));
            table.insert(VECTORS.to_owned(), Value::Table(entry));
        }
        for stage in table
            .iter_mut()
            .filter_map(|(_, value)| value.as_array_mut())
            .flatten()
            .filter_map(Value::as_table_mut)
        {
            let file = file_name(stage).ok().flatten();
            let Some(component) = built
                .iter()
                .find(|component| Some(component.file.as_str()) == file.as_deref())
            else {
                continue;
            };
            stage.remove("crate");
            stage.remove("builtin");
            stage.insert(
                "component".to_owned(),
                Value::String(component.file.clone()),
            );
            let stated = stage.insert("sha256".to_owned(), Value::String(component.sha256.clone()));
            if stated.is_some_and(|stated| stated.as_str() != Some(&component.sha256)) {
                let reason = format!(
                    "{} is not the file that its sha256 says; it is {}",
                    component.file, component.sha256
                );
                return Err(fail(reason));
            }
        }
        toml::to_string_pretty(&table).map_err(|error| fail(error.to_string()))
    }
}

/// Every stage with its hook: the tables of top-level arrays.
fn stages(table: &Table) -> impl Iterator<Item = (&str, &Table)> {
    let arrays = table
        .iter()
        .filter_map(|(hook, value)| Some((hook.as_str(), value.as_array()?)));
    arrays.flat_map(|(hook, stages)| {
        stages
            .iter()
            .filter_map(move |stage| Some((hook, stage.as_table()?)))
    })
}

fn text<'a>(stage: &'a Table, key: &str) -> Result<Option<&'a str>, String> {
    match stage.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{key} must be a string")),
    }
}

/// The name of the stage's file: its `component`, or that of its builtin.
fn file_name(stage: &Table) -> Result<Option<String>, String> {
    if let Some(file) = text(stage, "component")? {
        return Ok(Some(file.to_owned()));
    }
    Ok(text(stage, "builtin")?.map(|name| format!("{}.wasm", stem(name))))
}

/// A name with or without its `.wasm`.
pub(crate) fn stem(name: &str) -> &str {
    name.strip_suffix(".wasm").unwrap_or(name)
}

fn component(stage: &Table) -> Result<(String, Origin), String> {
    let file = file_name(stage)?.ok_or(
        "component is missing: the name of a .wasm file; or builtin, the name of a policy that the gateway comes with",
    )?;
    let plain = file.len() <= MAX_NAME
        && file
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !plain || file.starts_with('.') || !file.ends_with(".wasm") {
        return Err(format!(
            "component = \"{file}\" must be a file name of letters, digits, - and _ that ends in .wasm"
        ));
    }
    let origin = match (text(stage, "crate")?, text(stage, "builtin")?) {
        (None, None) => Origin::File,
        (Some(folder), Some(name)) => {
            return Err(format!(
                "it has crate = \"{folder}\" and builtin = \"{name}\"; leave one of them out"
            ));
        }
        (Some(folder), None) if stage.contains_key("sha256") => {
            return Err(format!(
                "crate = \"{folder}\" is compiled, so sha256 cannot be known; leave it out"
            ));
        }
        (Some(folder), None) => Origin::Crate(folder.into()),
        (None, Some(name)) => Origin::Builtin(stem(name).to_owned()),
    };
    Ok((file, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        name = "eu-first"
        version = "1.2.0"

        [[selection]]
        component = "rank.wasm"
        crate = "rank"
        settings = { latency = 0.6 }

        [[selection]]
        component = "ready.wasm"

        [[failover]]
        component = "rank.wasm"
        crate = "rank"

        [limits]
        fuel-base = 200000
    "#;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(Path::new("bundle.toml"), text).map_err(|error| error.to_string())
    }

    fn built(file: &str, sha256: &str) -> Component {
        Component {
            file: file.to_owned(),
            sha256: sha256.to_owned(),
            size: 1,
        }
    }

    #[test]
    fn a_component_named_twice_is_made_once() {
        let manifest = parse(SOURCE).expect("a manifest");
        let mut components: Vec<_> = manifest.components().collect();
        components.sort_by_key(|(file, _)| *file);
        let rank = Origin::Crate("rank".into());
        assert_eq!(
            components,
            [("rank.wasm", &rank), ("ready.wasm", &Origin::File)]
        );
    }

    #[test]
    fn the_bundles_manifest_has_digests_instead_of_crates_and_keeps_the_rest() {
        let manifest = parse(SOURCE).expect("a manifest");
        let text = manifest
            .with_digests(&[built("rank.wasm", "aa"), built("ready.wasm", "bb")], None)
            .expect("a manifest");
        let expected = SOURCE
            .replace("crate = \"rank\"", "sha256 = \"aa\"")
            .replace(
                "component = \"ready.wasm\"",
                "component = \"ready.wasm\"\nsha256 = \"bb\"",
            );
        let (made, expected): (Table, Table) = (
            toml::from_str(&text).expect("it is TOML"),
            toml::from_str(&expected).expect("so is this"),
        );
        assert_eq!(made, expected);
    }

    #[test]
    fn a_finished_component_must_be_the_one_its_digest_says() {
        let stated = "[[selection]]\ncomponent = \"a.wasm\"\nsha256 = \"aa\"";
        let manifest = parse(stated).expect("a manifest");
        assert!(
            manifest
                .with_digests(&[built("a.wasm", "aa")], None)
                .is_ok()
        );
        assert!(
            manifest
                .with_digests(&[built("a.wasm", "bb")], None)
                .is_err()
        );
    }

    #[test]
    fn a_builtin_becomes_a_component_with_its_digest() {
        let text = "name = \"b\"\n[[selection]]\nbuiltin = \"rank\"\nweight = 2.0\n[[failover]]\nbuiltin = \"failover.wasm\"";
        let manifest = parse(text).expect("a manifest");
        assert!(manifest.is_source());
        let names: Vec<_> = manifest.components().collect();
        let (rank, failover) = (
            Origin::Builtin("rank".to_owned()),
            Origin::Builtin("failover".to_owned()),
        );
        // TOML keeps its tables by name.
        assert_eq!(names, [("failover.wasm", &failover), ("rank.wasm", &rank)]);
        let built = [built("rank.wasm", "aa"), built("failover.wasm", "bb")];
        let vectors = Component {
            file: "vectors.jsonl".to_owned(),
            sha256: "cc".to_owned(),
            size: 1,
        };
        let text = manifest
            .with_digests(&built, Some(&vectors))
            .expect("a manifest");
        let expected = "name = \"b\"\nvectors = { file = \"vectors.jsonl\", sha256 = \"cc\" }
            [[selection]]\ncomponent = \"rank.wasm\"\nsha256 = \"aa\"\nweight = 2.0
            [[failover]]\ncomponent = \"failover.wasm\"\nsha256 = \"bb\"";
        let (made, expected): (Table, Table) = (
            toml::from_str(&text).expect("it is TOML"),
            toml::from_str(expected).expect("so is this"),
        );
        assert_eq!(made, expected);
        assert!(!parse(&text).expect("a manifest").is_source());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("name = 1 2", "line 1, column"),
            ("name = \"empty\"", "there is no stage"),
            ("[[selection]]\ncrate = \".\"", "component is missing"),
            (
                "[[selection]]\nbuiltin = \"rank\"\ncomponent = \"a.wasm\"\ncrate = \".\"",
                "leave one of them out",
            ),
            (
                "[[selection]]\nbuiltin = \"../rank\"",
                "must be a file name",
            ),
            ("[[selection]]\ncomponent = 7", "component must be a string"),
            (
                "[[selection]]\ncomponent = \"../a.wasm\"",
                "must be a file name",
            ),
            (
                "[[selection]]\ncomponent = \".wasm\"",
                "must be a file name",
            ),
            (
                "[[selection]]\ncomponent = \"a.toml\"",
                "must be a file name",
            ),
            (
                "[[selection]]\ncomponent = \"a.wasm\"\ncrate = \"a\"\nsha256 = \"00\"",
                "cannot be known",
            ),
            (
                "[[selection]]\ncomponent = \"a.wasm\"\ncrate = \"a\"\n[[failover]]\ncomponent = \"a.wasm\"\ncrate = \"b\"",
                "comes from two places",
            ),
        ];
        for (text, reason) in cases {
            let error = parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
