//! Bundles on their way to a gateway: a tar of plain files, without folders.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::MAX_UPLOAD;

/// Most files in a bundle.
const MAX_FILES: usize = 64;

/// The files in `tar`: names and contents.
///
/// # Errors
///
/// When it is no tar, or holds anything but plain files at its top.
pub(super) fn unpack(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    const HOW: &str = "send a tar of the bundle's files: `tar -C DIR -cf - bundle.toml *.wasm`";
    let mut files = Vec::new();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().context(HOW)? {
        let entry = entry.context(HOW)?;
        let path = entry.path().context(HOW)?.into_owned();
        if entry.header().entry_type().is_dir() && path == Path::new(".") {
            continue;
        }
        ensure!(
            entry.header().entry_type().is_file(),
            "{} is no plain file; {HOW}",
            path.display()
        );
        let path = path.strip_prefix(".").unwrap_or(&path);
        let Some(name) = path
            .to_str()
            .filter(|name| !name.is_empty() && !name.contains(['/', '\\']))
        else {
            bail!("{} is in a folder; {HOW}", path.display());
        };
        ensure!(files.len() < MAX_FILES, "more than {MAX_FILES} files");
        let mut bytes = Vec::new();
        entry
            .take(MAX_UPLOAD as u64)
            .read_to_end(&mut bytes)
            .context(HOW)?;
        files.push((name.to_owned(), bytes));
    }
    ensure!(!files.is_empty(), "the upload is empty; {HOW}");
    Ok(files)
}

/// The bundle in `folder` as a tar: its manifest and components.
///
/// # Errors
///
/// When a file cannot be read.
pub fn pack(folder: &Path) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let wanted = name == pointsman_bundler::MANIFEST
            || path.extension().is_some_and(|ending| ending == "wasm");
        if wanted && path.is_file() {
            archive.append_path_with_name(&path, name)?;
        }
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn plain_files_come_out_and_folders_do_not() {
        let files = unpack(&tar(&[("./bundle.toml", "a"), ("x.wasm", "b")])).unwrap();
        assert_eq!(
            files,
            [
                ("bundle.toml".to_owned(), b"a".to_vec()),
                ("x.wasm".to_owned(), b"b".to_vec())
            ]
        );
        assert!(
            unpack(&tar(&[("up/x.wasm", "b")]))
                .unwrap_err()
                .to_string()
                .contains("in a folder")
        );
        assert!(unpack(b"no tar at all").is_err());
        assert!(unpack(&tar(&[])).is_err());
    }
}
