//! Core modules of other toolchains: what they export makes components of them.

use std::path::Path;

use pointsman_bundler::{BuildError, MANIFEST, Options, build};
use wit_component::DecodedWasm;

/// A selector that abstains, as a compiler without the component model leaves it. `judge` and its signature are the caller's.
fn module(judge: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            (func (export "pointsman:policy/policy@0.1.0#describe") (result i32) i32.const 0)
            (func (export "pointsman:policy/policy@0.1.0#configure") (param i32 i32 i32 i32) (result i32) i32.const 0)
            {judge})"#
    );
    wat::parse_str(text).expect("it is text")
}

const JUDGE: &str = r#"(func (export "pointsman:policy/selection@0.1.0#judge")
    (param i64 i64 i64 i64 i64 i64 i32 i64 i32 i32 i32 i32 i32) (result i32) i32.const 0)"#;

fn built(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest =
        "name = \"spread\"\nversion = \"0.1.0\"\n[[selection]]\ncomponent = \"spread.wasm\"\n";
    std::fs::write(folder.path().join(MANIFEST), manifest).expect("written");
    std::fs::write(folder.path().join("spread.wasm"), module).expect("written");
    let out = folder.path().join("dist");
    build(folder.path(), &out, &Options::default())?;
    Ok(std::fs::read(Path::new(&out).join("spread.wasm")).expect("built"))
}

#[test]
fn a_module_becomes_a_component_of_the_hooks_it_exports() {
    let component = built(&module(JUDGE)).expect("it builds");
    let decoded = wit_component::decode(&component).expect("it decodes");
    let DecodedWasm::Component(resolve, world) = decoded else {
        panic!("a component")
    };
    let world = &resolve.worlds[world];
    let names = |keys: Vec<&wit_parser::WorldKey>| -> Vec<String> {
        keys.into_iter()
            .map(|key| resolve.name_world_key(key))
            .filter(|name| !name.contains("/types@"))
            .collect()
    };
    let mut exports = names(world.exports.keys().collect());
    exports.sort();
    assert_eq!(
        exports,
        [
            "pointsman:policy/policy@0.1.0",
            "pointsman:policy/selection@0.1.0"
        ]
    );
    assert!(names(world.imports.keys().collect()).is_empty());
}

#[test]
fn a_module_that_is_no_policy_is_told_what_is_wrong() {
    let other = JUDGE.replace("selection@0.1.0", "selection@9.0.0");
    let narrow = JUDGE.replace("(param i64 ", "(param ");
    let unknown = JUDGE.replace("/selection@", "/election@");
    for (judge, reason) in [
        (other.as_str(), "selection@9.0.0"),
        (narrow.as_str(), "pointsman:policy/selection@0.1.0#judge"),
        (unknown.as_str(), "election"),
    ] {
        let error = built(&module(judge)).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
    let none = wat::parse_str("(module (memory (export \"memory\") 1))").expect("it is text");
    assert!(matches!(built(&none), Err(BuildError::NoExport { .. })));
}
