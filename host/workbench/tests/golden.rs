//! Golden vectors: what a bundle says of itself is held against it, on the workbench and at every load.

mod support;

use pointsman_policy::bundle::Digest;
use pointsman_workbench::{check, open, test};
use support::{folder, gateway, guest, write};

/// A question to the guest `hedge`, which always answers 250 ms.
fn vector(ms: u32) -> String {
    format!(
        "{}{}{}{ms}}}}}\n",
        r#"{"vector":1,"policy":"guest","hook":"selection","function":"judge","settings":[],"plan":{"columns":["latency-ms/p50"],"facts":[],"causes":[{"text":"because","column":null},{"text":"slow","column":0}]},"#,
        r#""question":{"job":{"now-ms":1700000000000,"seed":1,"workload":"1ca959f09d69a9cf","capability":"1ca959f09d69a9cf","model":"0000000000000000","affinity":1,"deadline-ms":10000,"units":0,"facts":[]},"#,
        r#""candidates":{"rows":1,"columns":[{"numbers":["7ff8000000000000"]}]}},"answer":{"hedge":"#
    )
}

fn bundle(vectors: &str) -> tempfile::TempDir {
    let folder = folder("hedge", &guest("hedge"));
    let manifest = folder.path().join("bundle.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let digest = Digest::of(vectors.as_bytes());
    let entry = format!("[vectors]\nfile = \"vectors.jsonl\"\nsha256 = \"{digest}\"\n");
    write(folder.path(), "bundle.toml", (text + &entry).as_bytes());
    write(folder.path(), "vectors.jsonl", vectors.as_bytes());
    folder
}

#[test]
fn a_bundle_that_answers_as_recorded_is_taken() {
    let (folder, gateway) = (bundle(&vector(250)), gateway());
    let opened = open(Some(folder.path()), &gateway, true).expect("a bundle");
    let checked = check(&opened, &gateway).expect("it loads");
    assert!(checked.ok && checked.vectors_alike == 1, "{checked}");
    let tested = test::test(&opened, test::Options::default()).expect("it can be asked");
    assert!(tested.ok && tested.alike == 1, "{tested}");
}

#[test]
fn one_that_answers_otherwise_is_not_and_both_answers_are_shown() {
    let (folder, gateway) = (bundle(&vector(251)), gateway());
    let opened = open(Some(folder.path()), &gateway, true).expect("a bundle");
    let said = check(&opened, &gateway)
        .expect_err("it is refused")
        .to_string();
    assert!(
        said.contains("{\"hedge\":250}") && said.contains("{\"hedge\":251}"),
        "{said}"
    );
    let tested = test::test(&opened, test::Options::default()).expect("it can be asked");
    assert!(!tested.ok && tested.questions == 1, "{tested}");
}

#[test]
fn lines_that_are_none_are_counted_to() {
    let (folder, gateway) = (bundle("\nno vector\n"), gateway());
    let opened = open(Some(folder.path()), &gateway, true).expect("a bundle");
    let said = check(&opened, &gateway)
        .expect_err("it is refused")
        .to_string();
    assert!(said.contains("line 2"), "{said}");
}
