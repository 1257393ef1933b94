//! `policy new`: a folder with a policy that works, to be changed into another one.
//!
//! # Contract
//!
//! The folder stands alone: a workspace of its own, with the sdk and the WIT of this very program in `.pointsman/`, so that only what
//! the sdk is built from comes from a registry, in the versions of the gateway's own lock file. It can be moved and shared. A
//! folder that has anything in it is not touched. Inside a workspace it works all the same; what the owner of that may have to add is said.

mod around;
mod name;
mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use around::Around;
pub use name::{Name, NameError};
pub use template::Template;

use crate::kit;

/// Where the sdk and the WIT are, in the new folder.
const KIT: &str = ".pointsman";

/// A folder that was made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Made {
    /// The policy's name.
    pub name: Name,
    /// What it began as.
    pub template: Template,
    /// Where it is.
    pub dir: PathBuf,
    /// What the author may want to change, by path from there.
    pub files: Vec<&'static str>,
    /// The workspace that the folder lies in, if it is somebody's.
    pub around: Option<Around>,
}

/// There is no new policy.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// Something is there already.
    #[error("{} is not empty: give a folder that is, with --dir", .0.display())]
    Occupied(PathBuf),
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
}

/// Makes the folder `dir`, or fills it, with a policy.
///
/// # Errors
///
/// [`NewError`]; what is there already stays as it is.
pub fn new(name: &Name, template: Template, dir: &Path) -> Result<Made, NewError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |cause| NewError::Io { doing, path, cause }
    };
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(NewError::Occupied(dir.to_owned()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io("look into", dir)(error)),
    }
    let own = template.files(name);
    let kit = kit::FILES
        .iter()
        .map(|(file, text)| (Path::new(KIT).join(file), (*text).to_owned()));
    let lock = (PathBuf::from("Cargo.lock"), kit::lock(name.as_str()));
    let all = own
        .iter()
        .map(|(file, text)| (PathBuf::from(file), text.clone()));
    for (file, text) in all.chain(kit).chain([lock]) {
        let path = dir.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io("make", folder))?;
        }
        fs::write(&path, text).map_err(io("write", &path))?;
    }
    Ok(Made {
        name: name.clone(),
        template,
        dir: dir.to_owned(),
        files: own.into_iter().map(|(file, _)| file).collect(),
        around: Around::of(dir),
    })
}

// === impl Made ===

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dir = self.dir.display();
        writeln!(f, "{dir}: a policy that works, made from {}", self.template)?;
        writeln!(f, "  src/lib.rs   the policy and its tests")?;
        writeln!(f, "  bundle.toml  where in the chain it is asked")?;
        write!(
            f,
            "next: cd {dir}, then pointsman policy test, build, bench; and activate dist"
        )?;
        match &self.around {
            Some(around) => write!(f, "\n{around}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("a folder")
            .map(|entry| entry.expect("readable").file_name())
            .map(|name| name.into_string().expect("text"))
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_template_has_what_it_takes() {
        for template in Template::ALL {
            let folder = tempfile::tempdir().expect("a folder");
            let name = Name::parse("night-owl").expect("a name");
            new(&name, template, folder.path()).expect("made");
            let names = names(folder.path());
            for file in [
                ".gitignore",
                ".pointsman",
                "Cargo.lock",
                "Cargo.toml",
                "README.md",
                "bundle.toml",
                "src",
            ] {
                assert!(names.iter().any(|name| name == file), "{template}: {file}");
            }
            let lib = fs::read_to_string(folder.path().join("src/lib.rs")).expect("a library");
            assert!(
                lib.contains("NightOwl") && lib.contains("#[test]"),
                "{template}: {lib}"
            );
            for (file, text) in template.files(&name) {
                assert!(!text.contains("{{"), "{template}: {file}: {text}");
            }
        }
    }

    #[test]
    fn the_kit_inherits_nothing() {
        let (_, manifest) = kit::FILES
            .iter()
            .find(|(file, _)| *file == "sdk/Cargo.toml")
            .expect("the sdk's manifest");
        assert!(!manifest.contains("workspace"), "{manifest}");
        assert!(
            kit::FILES.iter().any(|(file, _)| *file == "wit/policy.wit"),
            "the WIT is in it"
        );
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("mine"), "mine").expect("written");
        let name = Name::parse("mine").expect("a name");
        let error = new(&name, Template::Score, folder.path()).expect_err("occupied");
        assert!(error.to_string().contains("not empty"), "{error}");
        assert_eq!(names(folder.path()), ["mine"]);
    }
}
