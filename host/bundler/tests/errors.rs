//! Every way in which a source can be wrong that only cargo or the component shows. Each says what to do.

use std::path::Path;

use pointsman_bundler::{BuildError, Options, build};

const CDYLIB: &str = "[lib]\ncrate-type = [\"cdylib\"]";

/// Builds a bundle of one crate without dependencies.
fn error(lib: &str, manifest_tail: &str) -> BuildError {
    let source = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(source.path().join(name), text).expect("a file");
    write(
        "bundle.toml",
        "[[selection]]\ncomponent = \"guest.wasm\"\ncrate = \".\"",
    );
    write(
        "Cargo.toml",
        &format!("[package]\nname = \"guest\"\nedition = \"2024\"\n[workspace]\n{manifest_tail}"),
    );
    std::fs::create_dir(source.path().join("src")).expect("a folder");
    write("src/lib.rs", lib);
    let out = source.path().join("bundle");
    let options = Options {
        offline: true,
        ..Options::default()
    };
    let error = build(source.path(), &out, &options).expect_err("it cannot be built");
    assert!(!out.exists(), "nothing is written");
    error
}

fn says(error: &BuildError, words: &str) {
    let text = error.to_string();
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_crate_that_is_no_cdylib_gets_the_lines_to_add() {
    let error = error("", "");
    assert!(matches!(error, BuildError::NotCdylib { .. }), "{error}");
    says(&error, "crate-type = [\"cdylib\", \"rlib\"]");
}

#[test]
fn what_does_not_compile_comes_with_the_compilers_words() {
    let error = error("compile_error!(\"half a policy\");", CDYLIB);
    assert!(matches!(error, BuildError::Cargo { .. }), "{error}");
    says(&error, "half a policy");
}

#[test]
fn a_library_without_the_export_macro_is_told_of_it() {
    let error = error("", CDYLIB);
    assert!(matches!(error, BuildError::NoExport { .. }), "{error}");
    says(&error, "export!(YourPolicy)");
}

#[test]
fn a_wasi_import_is_named() {
    let lib = "#[link(wasm_import_module = \"wasi_snapshot_preview1\")]\n\
               unsafe extern \"C\" { fn random_get(to: *mut u8, len: usize) -> u16; }\n\
               #[unsafe(no_mangle)] pub extern \"C\" fn f() -> u16 { unsafe { random_get(core::ptr::null_mut(), 0) } }";
    let error = error(lib, CDYLIB);
    assert!(matches!(error, BuildError::Import { .. }), "{error}");
    says(&error, "wasi_snapshot_preview1.random_get");
}

#[test]
fn a_file_that_is_no_component_is_refused() {
    let source = tempfile::tempdir().expect("a folder");
    std::fs::write(
        source.path().join("bundle.toml"),
        "[[selection]]\ncomponent = \"a.wasm\"",
    )
    .expect("a file");
    let error = || {
        build(
            source.path(),
            &source.path().join("bundle"),
            &Options::default(),
        )
        .expect_err("it cannot be built")
    };
    assert!(
        matches!(error(), BuildError::Io { doing: "read", .. }),
        "there is none"
    );
    std::fs::write(source.path().join("a.wasm"), b"\0asm\x01\0\0\0").expect("a file");
    says(&error(), "a.wasm");
    assert!(
        matches!(
            error(),
            BuildError::NotComponent { .. } | BuildError::NoExport { .. }
        ),
        "a core module"
    );
}

#[test]
fn a_missing_cargo_is_said() {
    let source = tempfile::tempdir().expect("a folder");
    std::fs::write(
        source.path().join("bundle.toml"),
        "[[selection]]\ncomponent = \"a.wasm\"\ncrate = \".\"",
    )
    .expect("a file");
    let options = Options {
        cargo: Path::new("no-such-cargo").to_owned(),
        ..Options::default()
    };
    let error = build(source.path(), &source.path().join("bundle"), &options)
        .expect_err("it cannot be built");
    assert!(matches!(error, BuildError::NoCargo { .. }), "{error}");
}
