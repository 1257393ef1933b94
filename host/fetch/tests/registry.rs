//! Bundles pushed to and pulled from a registry process, and the same from a registry in this process.
//!
//! The process is the one that `POINTSMAN_REGISTRY` names, or `docker-registry` on the path. Where there is none its half does not run,
//! unless `POINTSMAN_REGISTRY_REQUIRED` is set: then that is a failure. `make test-all` sets it and brings the program.

#[allow(dead_code, reason = "the unit tests use the rest")]
#[path = "support/registry.rs"]
mod here;

#[path = "support/process.rs"]
mod process;

use pointsman_fetch::{
    Archive, Compression, Credentials, FetchError, Fetched, Limits, Reference, Repository, Rules,
    SignatureError, fetch, pack, push,
};
use pointsman_policy::Bundle;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};

use here::Login;
use process::Process;

/// A registry to be tried.
enum Registry {
    Here(here::Registry),
    Process(Process),
}

// === impl Registry ===

impl Registry {
    /// One of each kind there is.
    async fn each(password: bool) -> Vec<Self> {
        let login = if password {
            Login::TokenForPassword
        } else {
            Login::Token(None)
        };
        let mut all = vec![Self::Here(here::Registry::start(login).await)];
        all.extend(Process::start(password).map(Self::Process));
        all
    }

    fn repository(&self, tag: &str) -> Repository {
        let address = match self {
            Self::Here(registry) => registry.address,
            Self::Process(process) => process.address,
        };
        format!("oci://{address}/team/eu-first{tag}")
            .parse()
            .expect("a repository")
    }
}

fn rules() -> Rules {
    Rules {
        loopback_http: true,
        ..Rules::default()
    }
}

fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials {
        user: "user".to_owned(),
        password: password.to_owned(),
    })
}

/// A bundle that is whole, though its component is none.
fn archive(compression: Compression, signature: Option<String>) -> Archive {
    let component = [7; 3000];
    let manifest = format!(
        "name = 'eu-first'\nversion = '1'\n[[selection]]\ncomponent = 'a.wasm'\nsha256 = '{}'\n",
        Digest::of(&component)
    );
    let packed = pack(
        [("bundle.toml", manifest.as_bytes()), ("a.wasm", &component)],
        compression,
    )
    .expect("packed");
    Archive::new(packed.into(), signature, &Limits::default()).expect("a bundle")
}

fn assert_whole(fetched: Fetched, pinned: &Reference) {
    assert_eq!(fetched.source, pinned.to_string());
    assert!(fetched.source.ends_with(&fetched.digest.to_string()));
    let bundle = Bundle::from_files(fetched.files, MAX_COMPONENT).expect("a whole bundle");
    assert_eq!(bundle.manifest().name, "eu-first");
}

#[tokio::test]
async fn what_is_pushed_is_pulled_by_the_reference_that_the_push_returns() {
    for registry in Registry::each(false).await {
        for (tag, compression) in [(":1", Compression::Zstd), ("", Compression::None)] {
            let archive = archive(compression, None);
            let to = registry.repository(tag);
            let pinned = push(&archive, &to, &rules()).await.expect("pushed");
            assert!(
                pinned.to_string().starts_with(&format!("{to}@sha256:")),
                "{pinned}"
            );
            assert_whole(fetch(&pinned, &rules()).await.expect("pulled"), &pinned);
            assert_eq!(
                push(&archive, &to, &rules()).await.expect("pushed again"),
                pinned
            );
        }
    }
}

#[tokio::test]
async fn a_signature_travels_with_the_bundle() {
    let keys = minisign::KeyPair::generate_unencrypted_keypair().expect("keys");
    let key = keys
        .pk
        .to_box()
        .expect("a box")
        .to_string()
        .parse()
        .expect("a key");
    let rules = Rules {
        key: Some(key),
        ..rules()
    };
    let unsigned = archive(Compression::Zstd, None);
    let signature = minisign::sign(
        None,
        &keys.sk,
        &unsigned.bytes()[..],
        Some("by the author"),
        None,
    )
    .expect("signed");
    let signed = archive(Compression::Zstd, Some(signature.to_string()));
    for registry in Registry::each(false).await {
        let to = registry.repository(":signed");
        let refused = push(&unsigned, &to, &rules).await;
        assert!(
            matches!(refused, Err(FetchError::Signature(SignatureError::Missing))),
            "{refused:?}"
        );
        let pinned = push(&signed, &to, &rules).await.expect("pushed");
        let fetched = fetch(&pinned, &rules).await.expect("pulled");
        assert_eq!(fetched.signed.as_deref(), Some("by the author"));
        assert_whole(fetched, &pinned);
    }
}

#[tokio::test]
async fn passwords_are_asked_for_and_not_told() {
    for registry in Registry::each(true).await {
        let archive = archive(Compression::Zstd, None);
        let to = registry.repository(":1");
        for password in [None, credentials("wrong-and-hush")] {
            let given = password.is_some();
            let refused = push(
                &archive,
                &to,
                &Rules {
                    credentials: password,
                    ..rules()
                },
            )
            .await;
            let error = refused.expect_err("refused");
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("credentials") && !text.contains("hush"),
                "{given}: {text}"
            );
        }
        let rules = Rules {
            credentials: credentials("open sesame"),
            ..rules()
        };
        let pinned = push(&archive, &to, &rules).await.expect("pushed");
        assert_whole(fetch(&pinned, &rules).await.expect("pulled"), &pinned);
    }
}

#[tokio::test]
async fn another_digest_is_another_bundle_and_a_tag_is_not_believed() {
    for registry in Registry::each(false).await {
        let to = registry.repository(":1");
        let pinned = push(&archive(Compression::Zstd, None), &to, &rules())
            .await
            .expect("pushed");
        push(&archive(Compression::None, None), &to, &rules())
            .await
            .expect("the tag is moved");
        assert_whole(
            fetch(&pinned, &rules()).await.expect("still the first"),
            &pinned,
        );
        let other = Reference::Oci {
            repository: to,
            digest: Digest::of(b"other"),
        };
        let missing = fetch(&other, &rules()).await;
        assert!(
            matches!(missing, Err(FetchError::Status { status: 404, .. })),
            "{missing:?}"
        );
    }
}

#[tokio::test]
async fn a_registry_without_tls_is_spoken_to_only_when_that_is_allowed() {
    let registry = Registry::Here(here::Registry::start(Login::Nothing).await);
    let to = registry.repository("");
    let refused = push(&archive(Compression::Zstd, None), &to, &Rules::default()).await;
    assert!(
        matches!(refused, Err(FetchError::Address(_))),
        "{refused:?}"
    );
    let Registry::Here(registry) = registry else {
        return;
    };
    assert_eq!(registry.asked(), Vec::<String>::new());
}
