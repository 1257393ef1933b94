use axum::body::Body;
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use futures::stream;
use pointsman_policy::Bundle;
use pointsman_policy::bundle::MAX_COMPONENT;

use super::*;

/// A server with the bundle at `/b`, its signature beside it if there is one, and more.
async fn serve(signature: Option<String>, more: Router) -> (Server, Digest) {
    let (packed, _) = bundle();
    let digest = Digest::of(&packed);
    let mut router = more.route("/b", get(|| async { packed }));
    if let Some(signature) = signature {
        router = router.route("/b.minisig", get(|| async { signature }));
    }
    (Server::start(router).await, digest)
}

fn to(place: String) -> axum::routing::MethodRouter {
    get(move || async move { (StatusCode::FOUND, [(LOCATION, place)]).into_response() })
}

async fn fetched(server: &Server, path: &str, digest: Digest) -> Result<Fetched, FetchError> {
    fetch_over(
        &Names::network(&[]),
        &server.reference(path, digest),
        &server.rules(),
    )
    .await
}

#[tokio::test]
async fn a_pinned_file_becomes_a_bundle() {
    let (server, digest) = serve(None, Router::new()).await;
    let fetched = fetched(&server, "/b?token=hush", digest)
        .await
        .expect("fetched");
    assert_eq!(fetched.digest, digest);
    assert_eq!(
        fetched.source,
        format!("{}#sha256={digest}", server.url("/b"))
    );
    assert_eq!(fetched.signed, None);
    Bundle::from_files(fetched.files, MAX_COMPONENT).expect("a whole bundle");
}

#[tokio::test]
async fn other_bytes_than_the_pinned_ones_are_not_unpacked() {
    // What would be an error of the archive is one of the digest: nothing looked inside.
    let (server, _) = serve(None, Router::new().route("/no", get(|| async { "no tar" }))).await;
    let error = fetched(&server, "/no", Digest::of(b"a tar")).await;
    assert!(
        matches!(error, Err(FetchError::Digest { found, .. }) if found == Digest::of(b"no tar")),
        "{error:?}"
    );
    let error = fetched(&server, "/no", Digest::of(b"no tar")).await;
    assert!(
        matches!(error, Err(FetchError::Archive(ArchiveError::Broken(_)))),
        "{error:?}"
    );
}

#[tokio::test]
async fn three_redirects_are_followed_and_not_four() {
    let more = Router::new()
        .route("/1", to("b".into()))
        .route("/2", to("/1".into()))
        .route("/3", to("./2?x".into()));
    let (server, digest) = serve(
        None,
        more.route("/4", to("/3".into()))
            .route("/loop", to("/loop".into())),
    )
    .await;
    assert_eq!(
        fetched(&server, "/3", digest).await.expect("three").digest,
        digest
    );
    for path in ["/4", "/loop"] {
        let error = fetched(&server, path, digest).await;
        assert!(
            matches!(error, Err(FetchError::Redirects(_))),
            "{path}: {error:?}"
        );
    }
}

#[tokio::test]
async fn redirects_lead_by_https_to_no_password_and_somewhere() {
    let more = Router::new()
        .route("/plain", to("http://a.test/b?hush".into()))
        .route("/file", to("file:///etc/passwd".into()))
        .route("/password", to("https://u:hush@a.test/b".into()))
        .route("/bad", to("https://[".into()))
        .route("/nowhere", get(|| async { StatusCode::FOUND }));
    let (server, digest) = serve(None, more).await;
    for path in ["/plain", "/file"] {
        let error = fetched(&server, path, digest).await.expect_err("refused");
        assert!(matches!(error, FetchError::Scheme(_)), "{path}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
    for path in ["/password", "/bad", "/nowhere"] {
        let error = fetched(&server, path, digest).await.expect_err("refused");
        assert!(
            matches!(error, FetchError::Location(_)),
            "{path}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
}

#[tokio::test]
async fn a_redirect_into_the_gateways_own_network_is_not_followed() {
    let more = Router::new()
        .route("/address", to(format!("https://{INSIDE}/b")))
        .route("/mapped", to("https://[::ffff:10.0.0.1]/b".into()))
        .route("/name", to("https://inside.test/b".into()));
    let (server, digest) = serve(None, more).await;
    for path in ["/address", "/mapped", "/name"] {
        let network = Names::network(&[OUTSIDE, INSIDE]);
        let error = fetch_over(&network, &server.reference(path, digest), &server.rules()).await;
        assert!(
            matches!(error, Err(FetchError::Address(_))),
            "{path}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let (packed, _) = bundle();
    let (key, signature) = signed(&packed);
    let (server, digest) = serve(Some(signature), Router::new()).await;
    let rules = Rules {
        key: Some(key),
        ..server.rules()
    };
    let reference = server.reference("/b", digest);
    // One question a connection: the address that passed is the one that is connected to.
    let once = Names::network(&[OUTSIDE, OUTSIDE, INSIDE]);
    assert!(fetch_over(&once, &reference, &rules).await.is_ok());
    let error = fetch_over(&once, &reference, &rules).await;
    assert!(matches!(error, Err(FetchError::Address(_))), "{error:?}");
    // Between the file and its signature.
    let between = Names::network(&[OUTSIDE, INSIDE]);
    let error = fetch_over(&between, &reference, &rules)
        .await
        .expect_err("refused");
    assert!(matches!(error, FetchError::Address(_)), "{error:?}");
    assert!(
        error.to_string().contains("a.test is at 127.0.0.2"),
        "{error}"
    );
}

#[tokio::test]
async fn this_machine_is_not_fetched_from_unless_that_is_allowed() {
    let (server, digest) = serve(None, Router::new()).await;
    let rules = server.rules();
    for host in ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433"] {
        let reference = format!("https://{host}:{}/b#sha256={digest}", server.port)
            .parse()
            .expect("a reference");
        let error = fetch(&reference, &rules).await;
        assert!(
            matches!(error, Err(FetchError::Address(_))),
            "{host}: {error:?}"
        );
        let oci = format!("oci://{host}:{}/b@sha256:{digest}", server.port)
            .parse()
            .expect("a reference");
        let error = fetch(&oci, &rules).await;
        assert!(
            matches!(error, Err(FetchError::Address(_))),
            "{host}: {error:?}"
        );
    }
    let network = Network {
        reach: None,
        ..Names::network(&[])
    };
    let rules = Rules {
        allow_private: true,
        ..rules
    };
    assert!(
        fetch_over(&network, &server.reference("/b", digest), &rules)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (server, digest) = serve(None, Router::new()).await;
    let reference = server.reference("/b", digest);
    let error = fetch_over(&Names::network(&[]), &reference, &Rules::default()).await;
    assert!(
        matches!(error, Err(FetchError::Request { .. })),
        "{error:?}"
    );
    let other = format!("https://c.test:{}/b#sha256={digest}", server.port)
        .parse()
        .expect("a reference");
    let error = fetch_over(&Names::network(&[]), &other, &server.rules()).await;
    assert!(
        matches!(error, Err(FetchError::Request { .. })),
        "{error:?}"
    );
    let empty = tempfile::NamedTempFile::new().expect("a file");
    let rules = Rules {
        ca_file: Some(empty.path().to_owned()),
        ..Rules::default()
    };
    let error = fetch_over(&Names::network(&[]), &reference, &rules).await;
    assert!(
        matches!(error, Err(FetchError::Authorities(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_cap_holds_for_announced_and_for_endless_bodies() {
    let endless = || async {
        Body::from_stream(stream::repeat_with(|| {
            Ok::<_, std::io::Error>(vec![0; 1000])
        }))
    };
    let (server, digest) = serve(None, Router::new().route("/endless", get(endless))).await;
    let (packed, _) = bundle();
    for (path, cap, holds) in [
        ("/b", packed.len(), true),
        ("/b", packed.len() - 1, false),
        ("/endless", 5000, false),
    ] {
        let mut rules = server.rules();
        rules.limits.archive = cap;
        let fetched = fetch_over(
            &Names::network(&[]),
            &server.reference(path, digest),
            &rules,
        )
        .await;
        match fetched {
            Ok(_) => assert!(holds, "{path}"),
            Err(FetchError::TooLarge { most, .. }) => assert!(!holds && most == cap, "{path}"),
            Err(other) => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_and_a_torn_answer_is_an_error() {
    let torn = || async {
        let parts = [Ok(vec![1; 100]), Err(std::io::Error::other("torn"))];
        Body::from_stream(stream::iter(parts))
    };
    let stuck = || async {
        let first = stream::iter([Ok::<_, std::io::Error>(vec![1; 100])]);
        Body::from_stream(futures::StreamExt::chain(first, stream::pending()))
    };
    let more = Router::new()
        .route("/torn", get(torn))
        .route("/stuck", get(stuck))
        .route("/silent", get(std::future::pending::<()>));
    let (server, digest) = serve(None, more).await;
    let error = fetched(&server, "/torn", digest).await;
    assert!(
        matches!(error, Err(FetchError::Request { .. })),
        "{error:?}"
    );
    let rules = Rules {
        timeout: Duration::from_millis(50),
        ..server.rules()
    };
    for path in ["/stuck", "/silent"] {
        let error = fetch_over(
            &Names::network(&[]),
            &server.reference(path, digest),
            &rules,
        )
        .await;
        assert!(
            matches!(error, Err(FetchError::Timeout(_))),
            "{path}: {error:?}"
        );
    }
}

#[tokio::test]
async fn with_a_key_there_must_be_its_signature() {
    let (packed, files) = bundle();
    let (key, signature) = signed(&packed);
    let (other, _) = signed(&packed);
    for (signature, key, expected) in [
        (Some(signature.clone()), &key, None),
        (
            Some(signature.clone()),
            &other,
            Some(SignatureError::OtherKey),
        ),
        (
            Some(signature.replace("by the author", "by someone")),
            &key,
            Some(SignatureError::Wrong),
        ),
        (Some("x".repeat(100)), &key, Some(SignatureError::Malformed)),
        (None, &key, Some(SignatureError::Missing)),
    ] {
        let (server, digest) = serve(signature, Router::new()).await;
        let rules = Rules {
            key: Some(key.clone()),
            ..server.rules()
        };
        let fetched = fetch_over(
            &Names::network(&[]),
            &server.reference("/b?query", digest),
            &rules,
        )
        .await;
        match (fetched, expected) {
            (Ok(fetched), None) => {
                assert_eq!(fetched.files, files);
                assert_eq!(fetched.signed.as_deref(), Some("by the author"));
            }
            (Err(FetchError::Signature(found)), Some(expected)) => assert_eq!(found, expected),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn credentials_go_to_the_references_host_and_not_along_a_redirect() {
    let (packed, _) = bundle();
    let (inner, outer) = (packed.clone(), Digest::of(&packed));
    let wanted = "Basic dXNlcjpodXNo";
    let behind = get(move |headers: HeaderMap| async move {
        match headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value == wanted)
        {
            true => packed.into_response(),
            false => StatusCode::UNAUTHORIZED.into_response(),
        }
    });
    let open = get(move |headers: HeaderMap| async move {
        match headers.get(AUTHORIZATION) {
            Some(_) => StatusCode::BAD_REQUEST.into_response(),
            None => inner.into_response(),
        }
    });
    let other = Server::start(Router::new().route("/open", open)).await;
    let place = format!("https://b.test:{}/open", other.port);
    let router = Router::new()
        .route("/behind", behind)
        .route("/away", to(place))
        .route("/near", to("/behind".into()));
    let server = Server::start(router).await;
    let both = tempfile::NamedTempFile::new().expect("a file");
    let pem = |server: &Server| std::fs::read_to_string(server.certificate.path()).expect("read");
    std::fs::write(both.path(), pem(&server) + &pem(&other)).expect("written");
    let with = |password: &str| Rules {
        ca_file: Some(both.path().to_owned()),
        credentials: Some(Credentials {
            user: "user".into(),
            password: password.into(),
        }),
        ..Rules::default()
    };
    for path in ["/behind", "/near", "/away"] {
        let fetched = fetch_over(
            &Names::network(&[]),
            &server.reference(path, outer),
            &with("hush"),
        )
        .await;
        assert!(fetched.is_ok(), "{path}: {fetched:?}");
    }
    let rules = with("wrong-hush");
    let error = fetch_over(
        &Names::network(&[]),
        &server.reference("/behind", outer),
        &rules,
    )
    .await
    .expect_err("refused");
    assert!(
        matches!(error, FetchError::Status { status: 401, .. }),
        "{error:?}"
    );
    assert!(
        !format!("{error} {error:?} {rules:?}").contains("hush"),
        "{rules:?}"
    );
}
