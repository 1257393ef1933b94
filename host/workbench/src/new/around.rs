//! The workspace that a new policy lies in.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// A workspace of somebody else's around a policy, which is one of its own. Cargo refuses the outer one if its `members` take the policy
/// in, and that is for its owner to change.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Around {
    /// The manifest of the workspace.
    pub manifest: PathBuf,
    /// What keeps the policy out of it, in its `[workspace]`.
    pub exclude: String,
}

// === impl Around ===

impl Around {
    /// The nearest workspace above `dir` that does not exclude it.
    pub(super) fn of(dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().ok()?;
        let above = dir.ancestors().skip(1);
        let (root, workspace) = above
            .filter_map(|folder| Some((folder, workspace(&folder.join("Cargo.toml"))?)))
            .next()?;
        let inside = dir.strip_prefix(root).ok()?;
        let excluded = workspace
            .get("exclude")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|path| inside.starts_with(path));
        (!excluded).then(|| Self {
            manifest: root.join("Cargo.toml"),
            exclude: inside.to_string_lossy().replace('\\', "/"),
        })
    }
}

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "note: it lies in the workspace of {}; should cargo there speak of multiple workspace roots, add to its [workspace]: exclude = [{:?}]",
            self.manifest.display(),
            self.exclude
        )
    }
}

fn workspace(manifest: &Path) -> Option<Table> {
    let mut whole: Table = fs::read_to_string(manifest).ok()?.parse().ok()?;
    match whole.remove("workspace") {
        Some(Value::Table(workspace)) => Some(workspace),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(manifest: &str) -> Option<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let policy = folder.path().join("crates/mine");
        fs::create_dir_all(&policy).expect("a folder");
        fs::write(folder.path().join("Cargo.toml"), manifest).expect("written");
        Around::of(&policy).map(|around| around.exclude)
    }

    #[test]
    fn a_workspace_is_told_of_unless_it_excludes_the_folder() {
        let told = Some("crates/mine".to_owned());
        assert_eq!(around("[workspace]\nmembers = [\"crates/*\"]"), told);
        assert_eq!(around("[workspace]\nexclude = [\"crates/min\"]"), told);
        assert_eq!(around("[workspace]\nexclude = [\"crates\"]"), None);
        assert_eq!(around("[package]\nname = \"alone\""), None);
        assert_eq!(around("no manifest"), None);
    }
}
