//! What an author can get wrong, and what the workbench says to it.

mod support;

use std::path::Path;

use pointsman_workbench::{Error, check, conformance, open};
use support::{component, counter, folder, gateway, guest, write};

fn wrong(path: &Path) -> String {
    let gateway = gateway();
    let checked = open(Some(path), &gateway, true).and_then(|opened| check(&opened, &gateway));
    match checked {
        Ok(checked) => panic!("it is taken: {checked}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_says_what_to_do() {
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        (
            "text",
            b"fn main() {}".to_vec(),
            &["pointsman policy build"],
        ),
        (
            "core",
            b"\0asm\x01\0\0\0".to_vec(),
            &["core module", "pointsman policy build"],
        ),
        (
            "version",
            component("wrong-version"),
            &["version", "0.1.x", "sdk"],
        ),
        (
            "wasi",
            component("wasi-import"),
            &["wasi:", "wasm32-unknown-unknown"],
        ),
        ("column", guest("unknown-column"), &["did you mean"]),
        (
            "settings",
            guest("configure-refuses"),
            &["refuses its settings"],
        ),
    ];
    for (name, bytes, words) in cases {
        let said = wrong(folder(name, &bytes).path());
        for word in words {
            assert!(said.contains(word), "{name}: {word:?} is not in: {said}");
        }
    }
}

#[test]
fn a_place_without_a_bundle_is_said_to_be_one() {
    let empty = tempfile::tempdir().expect("a folder");
    assert!(wrong(empty.path()).contains("pointsman policy new"));
    write(empty.path(), "b.tar.zst", b"no tar");
    let said = wrong(&empty.path().join("b.tar.zst"));
    assert!(
        said.contains("b.tar.zst") && said.contains("--pack"),
        "{said}"
    );
}

#[test]
fn a_builtin_that_is_none_comes_with_a_list() {
    let source = tempfile::tempdir().expect("a folder");
    write(
        source.path(),
        "bundle.toml",
        b"name = 'b'\nversion = '1'\n[[selection]]\nbuiltin = 'rnak'\n",
    );
    let said = wrong(source.path());
    assert!(said.contains("\"rnak\"") && said.contains("rank"), "{said}");
}

#[test]
fn faulty_components_do_not_conform() {
    for (name, words) in [
        ("trap-on-odd-seed", "trap"),
        ("nan-score", "nan-score"),
        ("out-of-range-row", "bad-index"),
        ("wrong-length", "wrong-length"),
        ("endless-loop", "out-of-fuel"),
        ("memory-bomb", "memory"),
    ] {
        let found = conformance(name, &guest(name), &[]).expect("it can be asked");
        assert!(!found.ok, "{name}: {found}");
        assert!(found.to_string().contains(words), "{name}: {found}");
    }
}

#[test]
fn a_counter_between_two_questions_does_not_conform() {
    let sane = guest("hedge");
    let found = conformance("hedge", &sane, &[]).expect("it can be asked");
    let pure = |found: &pointsman_workbench::Conformance| {
        let mut checks = found.checks.iter();
        checks
            .find(|check| check.name.contains("the question alone"))
            .is_some_and(|check| check.ok)
    };
    assert!(pure(&found), "{found}");
    let found = conformance("counter", &counter(), &[]).expect("it can be asked");
    assert!(!pure(&found), "{found}");
    assert!(
        found.to_string().contains("asked in order after others"),
        "{found}"
    );
}

#[test]
fn a_component_without_a_hook_names_what_it_has() {
    let error = conformance("missing", &component("missing-export"), &[]);
    let error = error.expect_err("it has no hook");
    assert!(
        matches!(error, Error::Load(_) | Error::NoHook { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("export"), "{error}");
}
