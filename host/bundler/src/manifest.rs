//! The manifest of a source, and of the bundle made from it.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{BuildError, Component};

/// A source's manifest. Only the stages' `component`, `crate` and `sha256` mean something here.
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
}

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

    /// Every component once: its file name and where it comes from.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.components
            .iter()
            .map(|(file, origin)| (file.as_str(), origin))
    }

    /// The bundle's manifest: crates out, digests in.
    pub(crate) fn with_digests(&self, built: &[Component]) -> Result<String, BuildError> {
        let fail = |reason: String| BuildError::Manifest {
            path: self.path.clone(),
            reason,
        };
        let mut table = self.table.clone();
        for stage in table
            .iter_mut()
            .filter_map(|(_, value)| value.as_array_mut())
            .flatten()
            .filter_map(Value::as_table_mut)
        {
            let file = stage.get("component").and_then(Value::as_str);
            let Some(component) = built
                .iter()
                .find(|component| Some(component.file.as_str()) == file)
            else {
                continue;
            };
            stage.remove("crate");
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

fn component(stage: &Table) -> Result<(String, Origin), String> {
    let text = |key: &str| match stage.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("{key} must be a string")),
    };
    let file = text("component")?.ok_or("component is missing: the name of a .wasm file")?;
    let plain = file.len() <= MAX_NAME
        && file
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !plain || file.starts_with('.') || !file.ends_with(".wasm") {
        return Err(format!(
            "component = \"{file}\" must be a file name of letters, digits, - and _ that ends in .wasm"
        ));
    }
    let origin = match text("crate")? {
        None => Origin::File,
        Some(folder) if stage.contains_key("sha256") => {
            return Err(format!(
                "crate = \"{folder}\" is compiled, so sha256 cannot be known; leave it out"
            ));
        }
        Some(folder) => Origin::Crate(folder.into()),
    };
    Ok((file.to_owned(), origin))
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
            .with_digests(&[built("rank.wasm", "aa"), built("ready.wasm", "bb")])
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
        assert!(manifest.with_digests(&[built("a.wasm", "aa")]).is_ok());
        assert!(manifest.with_digests(&[built("a.wasm", "bb")]).is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("name = 1 2", "line 1, column"),
            ("name = \"empty\"", "there is no stage"),
            ("[[selection]]\ncrate = \".\"", "component is missing"),
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
