use super::registry::{Login, Registry, TOKEN};
use super::*;
use crate::oci::{BUNDLE_TAR, BUNDLE_TAR_ZSTD};

fn rules() -> Rules {
    Rules {
        loopback_http: true,
        ..Rules::default()
    }
}

fn reference(registry: &Registry, digest: Digest) -> Reference {
    format!("oci://{}/team/eu-first@sha256:{digest}", registry.address)
        .parse()
        .expect("a reference")
}

fn manifest(digest: Digest, size: usize, kind: &str) -> Vec<u8> {
    format!(r#"{{"layers":[{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}]}}"#)
        .into_bytes()
}

/// Puts the bundle in, and returns the digests of its manifest and its layer.
fn fill(registry: &Registry) -> (Digest, Digest) {
    let (packed, _) = bundle();
    let layer = Digest::of(&packed);
    registry.blob(&layer.to_string(), &packed);
    let manifest = manifest(layer, packed.len(), BUNDLE_TAR_ZSTD);
    let digest = Digest::of(&manifest);
    registry.manifest(&digest.to_string(), &manifest);
    (digest, layer)
}

/// A registry with the bundle in it, the reference to it, and its layer.
async fn filled(login: Login) -> (Registry, Reference, Digest) {
    let registry = Registry::start(login).await;
    let (digest, layer) = fill(&registry);
    let reference = reference(&registry, digest);
    (registry, reference, layer)
}

#[tokio::test]
async fn elsewhere_registries_and_their_token_services_speak_tls() {
    for (login, refused) in [
        (Login::Nothing, false),
        (Login::Token(Some("http://a.test/token".to_owned())), true),
    ] {
        let registry = Registry::at((OUTSIDE, 0).into(), login);
        let (digest, _) = fill(&registry);
        let server = Server::start(registry.router()).await;
        let text = format!("oci://a.test:{}/team/eu-first@sha256:{digest}", server.port);
        let reference = text.parse().expect("a reference");
        let rules = Rules {
            loopback_http: true,
            ..server.rules()
        };
        match fetch_over(&Names::network(&[]), &reference, &rules).await {
            Ok(fetched) => assert!(!refused && fetched.files == bundle().1),
            Err(error) => {
                let plain =
                    matches!(&error, FetchError::Scheme(url) if url == "http://a.test/token");
                assert!(refused && plain, "{error:?}");
            }
        }
        // A name that changes its address between the manifest and the layer.
        let error = fetch_over(&Names::network(&[OUTSIDE, INSIDE]), &reference, &rules).await;
        assert!(
            refused || matches!(error, Err(FetchError::Address(_))),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_pull_is_two_requests_where_nobody_asks_for_a_login() {
    let (registry, reference, layer) = filled(Login::Nothing).await;
    let fetched = fetch(&reference, &rules()).await.expect("pulled");
    assert_eq!(fetched.files, bundle().1);
    assert_eq!(fetched.source, reference.to_string());
    let asked = registry.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(
        asked[1],
        format!("GET /v2/team/eu-first/blobs/sha256:{layer}")
    );
}

#[tokio::test]
async fn a_token_is_fetched_once_and_shown_nowhere() {
    let (registry, reference, layer) = filled(Login::Token(None)).await;
    fetch(&reference, &rules()).await.expect("pulled");
    let asked = registry.asked();
    let kinds: Vec<&str> = asked
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(
        (kinds[1], kinds[2], kinds[3]),
        ("/token", "Bearer", "Bearer")
    );
    let path = format!("/v2/team/eu-first/blobs/sha256:{layer}");
    registry.answer(&path, 403, "");
    let error = fetch(&reference, &rules()).await.expect_err("refused");
    assert!(
        matches!(error, FetchError::Status { status: 403, .. }),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_token_service_is_held_to_the_same_addresses() {
    for realm in [
        "https://10.0.0.1/token",
        "http://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/token",
    ] {
        let (_, reference, _) = filled(Login::Token(Some(realm.to_owned()))).await;
        let error = fetch(&reference, &rules()).await;
        assert!(
            matches!(error, Err(FetchError::Address(_))),
            "{realm}: {error:?}"
        );
    }
    let (_, reference, _) = filled(Login::Token(Some("ftp://h/token".to_owned()))).await;
    let error = fetch(&reference, &rules()).await;
    assert!(matches!(error, Err(FetchError::Scheme(_))), "{error:?}");
}

#[tokio::test]
async fn neither_passwords_nor_tokens_follow_a_layer_elsewhere() {
    let (registry, reference, layer) = filled(Login::TokenForPassword).await;
    let store = Registry::start(Login::Nothing).await;
    let path = format!("/v2/team/eu-first/blobs/sha256:{layer}");
    store.blob(&layer.to_string(), &bundle().0);
    registry.answer(
        &path,
        307,
        &format!("http://{}{path}?signature=hush", store.address),
    );
    let credentials = Credentials {
        user: "user".into(),
        password: "open sesame".into(),
    };
    let rules = Rules {
        credentials: Some(credentials),
        ..rules()
    };
    fetch(&reference, &rules).await.expect("pulled");
    assert_eq!(store.asked(), [format!("GET {path}")]);
    // Somebody else's 401 is no reason to log in.
    store.answer(&path, 401, "");
    let error = fetch(&reference, &rules).await.expect_err("refused");
    let text = format!("{error} {error:?}");
    assert!(
        matches!(error, FetchError::Status { status: 401, .. }),
        "{text}"
    );
    assert!(
        !text.contains("hush") && !text.contains("sesame") && !text.contains(TOKEN),
        "{text}"
    );
    registry.answer(&path, 307, "http://10.0.0.1/layer");
    let error = fetch(&reference, &rules).await;
    assert!(matches!(error, Err(FetchError::Address(_))), "{error:?}");
}

#[tokio::test]
async fn what_the_registry_changes_is_seen() {
    let (registry, pinned, layer) = filled(Login::Nothing).await;
    let (mut packed, _) = bundle();
    packed[100] ^= 1;
    registry.blob(&layer.to_string(), &packed);
    let error = fetch(&pinned, &rules()).await;
    assert!(
        matches!(error, Err(FetchError::Digest { wanted, .. }) if wanted == layer),
        "{error:?}"
    );
    registry.blob(&layer.to_string(), &packed[..packed.len() - 1]);
    let error = fetch(&pinned, &rules()).await;
    assert!(matches!(error, Err(FetchError::Digest { .. })), "{error:?}");
    packed.push(0);
    registry.blob(&layer.to_string(), &packed);
    let error = fetch(&pinned, &rules()).await;
    assert!(
        matches!(error, Err(FetchError::TooLarge { .. })),
        "longer than its manifest says: {error:?}"
    );

    let digest = Digest::of(b"another");
    registry.manifest(&digest.to_string(), &manifest(layer, 1, BUNDLE_TAR));
    let error = fetch(&reference(&registry, digest), &rules()).await;
    assert!(
        matches!(error, Err(FetchError::Digest { wanted, .. }) if wanted == digest),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_too_large_is_not_asked_for() {
    let registry = Registry::start(Login::Nothing).await;
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        registry.manifest(&digest.to_string(), bytes);
        reference(&registry, digest)
    };
    let huge = put(&manifest(Digest::of(b""), usize::MAX, BUNDLE_TAR));
    let error = fetch(&huge, &rules()).await;
    assert!(
        matches!(error, Err(FetchError::TooLarge { .. })),
        "{error:?}"
    );
    assert_eq!(registry.asked().len(), 1, "the layer was not asked for");
    let long = put(&vec![b' '; 300 << 10]);
    let error = fetch(&long, &rules()).await;
    assert!(
        matches!(error, Err(FetchError::TooLarge { .. })),
        "{error:?}"
    );
    let image = put(&manifest(
        Digest::of(b""),
        1,
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ));
    let error = fetch(&image, &rules()).await;
    assert!(
        matches!(error, Err(FetchError::Manifest { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn with_a_key_a_layer_must_be_its_signature() {
    let (_, reference, _) = filled(Login::Nothing).await;
    let (key, _) = signed(b"anything");
    let error = fetch(
        &reference,
        &Rules {
            key: Some(key),
            ..rules()
        },
    )
    .await;
    assert!(
        matches!(error, Err(FetchError::Signature(SignatureError::Missing))),
        "{error:?}"
    );
}

#[tokio::test]
async fn logins_that_cannot_be_answered_say_what_is_missing() {
    let (_, reference, _) = filled(Login::Password).await;
    let error = fetch(&reference, &rules()).await.expect_err("refused");
    assert!(error.to_string().contains("give credentials"), "{error}");
    let colon = Credentials {
        user: "a:b".into(),
        password: "hush".into(),
    };
    let error = fetch(
        &reference,
        &Rules {
            credentials: Some(colon),
            ..rules()
        },
    )
    .await
    .expect_err("refused");
    assert!(matches!(error, FetchError::Login { .. }), "{error:?}");
    let right = Credentials {
        user: "user".into(),
        password: "open sesame".into(),
    };
    assert!(
        fetch(
            &reference,
            &Rules {
                credentials: Some(right),
                ..rules()
            }
        )
        .await
        .is_ok()
    );
}
