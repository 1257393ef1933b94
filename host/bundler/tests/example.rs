//! The bundle in `examples/` is built as its operator would build it.

use std::path::Path;

use pointsman_bundler::{MANIFEST, Options, build};

#[test]
fn prefer_cheapest_builds_to_one_component_with_its_digest() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prefer-cheapest");
    let out = tempfile::tempdir().expect("a folder");
    let target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies"));
    let options = Options {
        target_dir,
        locked: true,
        ..Options::default()
    };
    let built = build(&source, out.path(), &options).unwrap_or_else(|error| panic!("{error}"));

    let [component] = built.components.as_slice() else {
        panic!("one component")
    };
    assert_eq!(component.file, "prefer-cheapest.wasm");
    assert!(component.size < 52_000, "{} bytes", component.size);
    let written = std::fs::metadata(out.path().join(&component.file)).expect("it is there");
    assert_eq!(written.len(), component.size);

    let manifest = std::fs::read_to_string(out.path().join(MANIFEST)).expect("it is there");
    assert_eq!(built.manifest, out.path().join(MANIFEST));
    assert!(
        manifest.contains(&format!("sha256 = \"{}\"", component.sha256)),
        "{manifest}"
    );
    assert!(!manifest.contains("crate ="), "{manifest}");
    let left: Vec<_> = std::fs::read_dir(out.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2, "no half-written files");
}
