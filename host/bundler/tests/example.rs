//! Bundles that operators write: the one in `examples/`, and one whose policy has both hooks.

use std::path::Path;

use pointsman_bundler::{MANIFEST, Options, build};
use wit_component::DecodedWasm;

/// A policy with both hooks, a log message and a choice.
const BOTH: &str = r#"
use pointsman_sdk::prelude::*;

policy! { struct Both { price: Numbers = "price", none: Cause = "nobody" } }

impl Selection for Both {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let weights: Vec<f64> = candidates.iter().map(|row| row.or(self.price, 1.0)).collect();
        match job.rng().weighted(&weights) {
            Some(best) => candidates.order_by(|row| row.index() as usize != best),
            None => Verdict::Reject(self.none.refuse(503, "nobody")),
        }
    }
}

impl Failover for Both {
    fn on_failure(&self, _: &Job, attempts: &[Attempt], _: &Candidates) -> Remedy {
        pointsman_sdk::warn!("{} attempts", attempts.len());
        Remedy { rest_ms: 0, recovery: Recovery::Abstain }
    }
}

export!(Both: Selection + Failover);
"#;

/// The nested cargo's folder: kept between runs, shared by the tests of this file.
fn options() -> Options {
    let target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies"));
    Options {
        target_dir,
        locked: true,
        ..Options::default()
    }
}

#[test]
fn prefer_cheapest_builds_to_one_component_with_its_digest() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prefer-cheapest");
    let out = tempfile::tempdir().expect("a folder");
    let built = build(&source, out.path(), &options()).unwrap_or_else(|error| panic!("{error}"));

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

#[test]
fn builds_at_the_same_moment_wait_for_each_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prefer-cheapest");
    let out = tempfile::tempdir().expect("a folder");
    let one = || build(&source, out.path(), &options()).map(|built| built.components);
    let built: Vec<_> = std::thread::scope(|scope| {
        let builds: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        let ended = builds
            .into_iter()
            .map(|build| build.join().expect("it ends"));
        ended
            .map(|built| built.unwrap_or_else(|error| panic!("{error}")))
            .collect()
    });
    assert!(built.windows(2).all(|pair| pair[0] == pair[1]), "{built:?}");
    let left = std::fs::read_dir(out.path()).expect("a folder").count();
    assert_eq!(left, 2, "no half-written files");
}

#[test]
fn a_policy_with_both_hooks_is_one_component_for_two_stages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = root.join("examples/prefer-cheapest");
    let source = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(source.path().join(name), text).expect("a file");
    let renamed = |name: &str| {
        let text = std::fs::read_to_string(example.join(name)).expect("the example has it");
        text.replace("prefer-cheapest", "both")
    };
    let sdk = root.join("sdk").canonicalize().expect("the sdk is there");
    write(
        "Cargo.toml",
        &renamed("Cargo.toml").replace("../../sdk", &sdk.display().to_string()),
    );
    write("Cargo.lock", &renamed("Cargo.lock"));
    std::fs::create_dir(source.path().join("src")).expect("a folder");
    write("src/lib.rs", BOTH);
    let stage = |hook: &str| format!("[[{hook}]]\ncomponent = \"both.wasm\"\ncrate = \".\"\n");
    write(MANIFEST, &(stage("selection") + &stage("failover")));

    let out = source.path().join("bundle");
    let built = build(source.path(), &out, &options()).unwrap_or_else(|error| panic!("{error}"));
    let [component] = built.components.as_slice() else {
        panic!("one component")
    };
    let bytes = std::fs::read(out.join(&component.file)).expect("it is there");
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).expect("it decodes")
    else {
        panic!("a component");
    };
    let exports = resolve.worlds[world]
        .exports
        .keys()
        .map(|key| resolve.name_world_key(key));
    let mut exports: Vec<String> = exports.collect();
    exports.sort();
    assert_eq!(
        exports,
        [
            "pointsman:policy/failover@0.1.0",
            "pointsman:policy/policy@0.1.0",
            "pointsman:policy/selection@0.1.0"
        ]
    );
}
