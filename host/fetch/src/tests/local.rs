use std::fs;
use std::path::Path;

use pointsman_policy::Bundle;
use pointsman_policy::bundle::MAX_COMPONENT;

use super::*;

/// A folder with the bundle's files in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in bundle().1 {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

async fn fetched(path: &Path, rules: &Rules) -> Result<Fetched, FetchError> {
    fetch(&Reference::Path(path.to_owned()), rules).await
}

#[tokio::test]
async fn a_folder_is_its_manifest_components_and_vectors() {
    let folder = folder();
    fs::write(folder.path().join("vectors.jsonl"), "{}").expect("written");
    fs::write(folder.path().join("notes.txt"), "private").expect("written");
    let fetched = fetched(folder.path(), &Rules::default())
        .await
        .expect("fetched");
    let names: Vec<&str> = fetched
        .files
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["bundle.toml", "a.wasm", "vectors.jsonl"]);
    assert_eq!(fetched.digest, Digest::of(&fetched.files[0].1));
    Bundle::from_files(fetched.files, MAX_COMPONENT).expect("a whole bundle");
}

#[tokio::test]
async fn a_single_file_has_the_digest_of_its_bytes() {
    let folder = folder();
    let (packed, files) = bundle();
    let path = folder.path().join("b.tar.zst");
    fs::write(&path, &packed).expect("written");
    let fetched = fetched(&path, &Rules::default()).await.expect("fetched");
    assert_eq!(
        (fetched.files, fetched.digest),
        (files, Digest::of(&packed))
    );
    let archive = Archive::read(folder.path(), &Limits::default()).expect("packed");
    assert_eq!(
        archive.bytes()[..],
        packed[..],
        "a folder packs to the same file"
    );
}

#[tokio::test]
async fn with_a_key_folders_and_files_must_be_signed() {
    let folder = folder();
    let file = folder.path().join("b.tar.zst");
    let (packed, _) = bundle();
    fs::write(&file, &packed).expect("written");
    let manifest = fs::read(folder.path().join("bundle.toml")).expect("read");
    for (path, beside, bytes) in [
        (folder.path(), "bundle.toml.minisig", &manifest),
        (&file, "b.tar.zst.minisig", &packed),
    ] {
        let (key, signature) = signed(bytes);
        let rules = Rules {
            key: Some(key),
            ..Rules::default()
        };
        let missing = fetched(path, &rules).await;
        assert!(
            matches!(missing, Err(FetchError::Signature(SignatureError::Missing))),
            "{missing:?}"
        );
        fs::write(folder.path().join(beside), signed(bytes).1).expect("written");
        let other = fetched(path, &rules).await;
        assert!(
            matches!(other, Err(FetchError::Signature(SignatureError::OtherKey))),
            "{other:?}"
        );
        fs::write(folder.path().join(beside), signature).expect("written");
        assert_eq!(
            fetched(path, &rules)
                .await
                .expect("signed")
                .signed
                .as_deref(),
            Some("by the author")
        );
    }
    // A component is bound by the manifest that was signed.
    fs::write(folder.path().join("a.wasm"), "other").expect("written");
    let read = fetched(folder.path(), &Rules::default())
        .await
        .expect("read");
    assert!(Bundle::from_files(read.files, MAX_COMPONENT).is_err());
}

#[tokio::test]
async fn the_caps_hold_for_folders_and_files() {
    let folder = folder();
    let file = folder.path().join("b.tar.zst");
    fs::write(&file, bundle().0).expect("written");
    let limits = Limits::default();
    for (path, limits) in [
        (
            folder.path(),
            Limits {
                unpacked: 2999,
                ..limits
            },
        ),
        (
            &*file,
            Limits {
                unpacked: 2999,
                ..limits
            },
        ),
        (
            &*file,
            Limits {
                archive: 10,
                ..limits
            },
        ),
        (folder.path(), Limits { files: 1, ..limits }),
        (&*file, Limits { files: 1, ..limits }),
        (folder.path(), Limits { name: 5, ..limits }),
        (&*file, Limits { name: 5, ..limits }),
    ] {
        let error = fetched(
            path,
            &Rules {
                limits,
                ..Rules::default()
            },
        )
        .await;
        assert!(
            matches!(
                error,
                Err(FetchError::TooLarge { .. } | FetchError::Archive(_))
            ),
            "{limits:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().to_owned(), folder.path().join("missing.tar")] {
        let error = fetched(&path, &Rules::default())
            .await
            .expect_err("nothing there");
        assert!(matches!(error, FetchError::Read { .. }), "{error:?}");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_out_of_a_folder_and_pipes_are_refused() {
    let folder = folder();
    fs::remove_file(folder.path().join("a.wasm")).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a.wasm")).expect("linked");
    let error = fetched(folder.path(), &Rules::default()).await;
    assert!(matches!(error, Err(FetchError::NotAFile(_))), "{error:?}");
    let error = fetched(Path::new("/dev/zero"), &Rules::default()).await;
    assert!(matches!(error, Err(FetchError::NotAFile(_))), "{error:?}");
}
