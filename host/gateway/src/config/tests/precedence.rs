//! Which layer wins, and that all mean the same.

use std::time::Duration;

use pointsman_fetch::Reference;
use pointsman_payments::price::Ceilings;

use super::{file, run, settings};
use crate::config::setting::{self, Initial};
use crate::config::{LogFormat, Settings, TokenFile};

/// A setting, two values of it, and what the settings say then.
type Case = (&'static str, [&'static str; 2], fn(&Settings) -> String);

const CASES: &[Case] = &[
    ("http-addr", ["127.0.0.1:1", "127.0.0.1:2"], |s| {
        format!("{:?}", s.listeners.http)
    }),
    ("rtmp-addr", ["127.0.0.1:1", "off"], |s| {
        format!("{:?}", s.listeners.rtmp)
    }),
    ("policy-allow-private", ["true", "false"], |s| {
        format!("{:?}", s.policy.allow_private)
    }),
    ("cli-addr", ["127.0.0.1:1", "127.0.0.1:2"], |s| {
        s.listeners.cli.to_string()
    }),
    ("http-ingest", ["true", "false"], |s| {
        s.listeners.http_ingest.to_string()
    }),
    ("orch-addr", ["a", "b"], |s| {
        format!("{:?}", s.orchestrators.addresses)
    }),
    ("orch-webhook-url", ["http://a", "http://b"], |s| {
        format!("{:?}", s.orchestrators.webhook)
    }),
    ("orch-blocklist", ["a", "b"], |s| {
        format!("{:?}", s.orchestrators.blocklist)
    }),
    ("min-perf-score", ["0.5", "1"], |s| {
        s.orchestrators.least_perf.to_string()
    }),
    ("probe-interval", ["1s", "2s"], |s| {
        format!("{:?}", s.orchestrators.probe_interval)
    }),
    ("max-price-per-unit", ["1", "2"], |s| {
        format!("{:?}", s.prices.ceilings)
    }),
    ("ignore-max-price-if-needed", ["true", "false"], |s| {
        s.prices.ignore_if_needed.to_string()
    }),
    (
        "transcoding-options",
        ["P720p30fps16x9", "P144p30fps16x9"],
        |s| format!("{:?}", s.streams.profiles),
    ),
    ("segment-duration", ["1s", "3s"], |s| {
        format!("{:?}", s.streams.segment_duration)
    }),
    ("max-segment-bytes", ["1MB", "2MB"], |s| {
        s.streams.max_segment_bytes.to_string()
    }),
    ("max-sessions", ["1", "2"], |s| {
        s.streams.max_sessions.to_string()
    }),
    ("max-attempts", ["1", "2"], |s| {
        s.streams.max_attempts.to_string()
    }),
    ("retry-budget-percent", ["1", "2"], |s| {
        s.streams.retries.percent.to_string()
    }),
    ("retry-budget-floor", ["1", "3"], |s| {
        s.streams.retries.floor_per_second.to_string()
    }),
    ("hedge-budget-percent", ["1", "2"], |s| {
        s.streams.hedges.percent.to_string()
    }),
    ("hedge-budget-floor", ["1", "3"], |s| {
        s.streams.hedges.floor_per_second.to_string()
    }),
    ("playlist-window", ["3", "4"], |s| {
        s.streams.playlist_window.to_string()
    }),
    ("playlist-keep", ["7", "8"], |s| {
        s.streams.playlist_keep.to_string()
    }),
    ("playlist-bytes", ["1MiB", "2MiB"], |s| {
        s.streams.playlist_bytes.to_string()
    }),
    ("rtmp-waiting-per-address", ["1", "2"], |s| {
        s.streams.rtmp_waiting_per_address.to_string()
    }),
    ("reconnect-grace", ["1s", "2s"], |s| {
        format!("{:?}", s.streams.reconnect_grace)
    }),
    ("publisher-silence", ["1s", "2s"], |s| {
        format!("{:?}", s.streams.publisher_silence)
    }),
    ("current-manifest", ["true", "false"], |s| {
        s.streams.current_manifest.to_string()
    }),
    ("auth-webhook-url", ["http://a", "http://b"], |s| {
        format!("{:?}", s.access.auth_webhook)
    }),
    ("auth-webhook-timeout", ["1s", "2s"], |s| {
        format!("{:?}", s.access.auth_webhook_timeout)
    }),
    ("livepeer-cli-writes", ["true", "false"], |s| {
        s.access.livepeer_cli_writes.to_string()
    }),
    ("allowed-hosts", ["a", "b"], |s| {
        format!("{:?}", s.access.allowed_hosts)
    }),
    ("record", ["off", "10%"], |s| {
        format!("{:?}", s.recording.share)
    }),
    ("record-bytes", ["1MiB", "2MiB"], |s| {
        s.recording.bytes.to_string()
    }),
    ("record-age", ["1h", "2h"], |s| {
        format!("{:?}", s.recording.age)
    }),
    ("data-dir", ["/nonexistent/a", "/nonexistent/b"], |s| {
        s.data.dir.display().to_string()
    }),
    ("log", ["warn", "debug"], |s| s.logging.filter.to_string()),
    ("log-format", ["text", "json"], |s| {
        format!("{:?}", s.logging.format)
    }),
];

/// Settings with cases of their own below, since they need files or each other.
const OTHERS: &[&str] = &[
    "policy",
    "policy-key",
    "policy-credentials-file",
    "policy-ca-file",
    "admin-token-file",
    "pixels-per-unit",
    "max-price-per-capability",
    "price-feed-addr",
    "config",
    "network",
    "eth-url",
    "eth-controller",
    "eth-acct-addr",
    "eth-keystore-path",
    "eth-password",
    "block-polling-interval",
    "orch-registry",
    "orch-allow-private",
    "orch-perf-stats-url",
    "region",
    "remote-signer-url",
    "remote-signer-headers",
    "remote-signer-timeout",
    "remote-discovery",
    "max-ticket-ev",
    "max-total-ev",
    "deposit-multiplier",
    "max-spend-per-stream",
    "max-spend-per-key-and-day",
    "max-spend-per-day",
    "max-gas-price",
    "gas-limit",
    "transaction-timeout",
    "max-transaction-replacements",
    "auto-top-up-below",
    "auto-top-up-to",
    "auto-top-up-reserve",
    "auto-top-up-per-day",
];

#[test]
fn every_setting_has_a_case() {
    let cases = CASES.iter().map(|case| case.0);
    let mut cases: Vec<&str> = cases.chain(OTHERS.iter().copied()).collect();
    let mut keys: Vec<&str> = setting::all().map(|setting| setting.key).collect();
    cases.sort_unstable();
    keys.sort_unstable();
    assert_eq!(cases, keys);
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    for (key, [low, high], read) in CASES {
        let variable = setting::find(key).expect("a setting").variable();
        let [low_flag, high_flag] = [low, high].map(|value| format!("--{key}={value}"));
        let expected = [&low_flag, &high_flag].map(|flag| read(&settings(flag, &[])));
        assert_ne!(
            expected[0], expected[1],
            "{key}: the case must tell its values apart"
        );

        let (_folder, path) = file("gateway.toml", &format!("{key} = \"{low}\"\n"));
        let with_file = format!("--config {}", path.display());
        let said = read(&settings(&with_file, &[]));
        assert_eq!(said, expected[0], "{key} in the file");
        let said = read(&settings(&with_file, &[(&variable, high)]));
        assert_eq!(said, expected[1], "{variable} over the file");
        let said = read(&settings(&low_flag, &[(&variable, high)]));
        assert_eq!(said, expected[0], "--{key} over {variable}");
    }
}

#[test]
fn defaults_are_those_of_the_table() {
    let given = |initial| match initial {
        Initial::Value(text) => Some(text),
        Initial::Unset(_) => None,
    };
    let plain = settings("", &[]);
    for (key, _, read) in CASES {
        if let Some(default) = given(setting::find(key).expect("a setting").default) {
            let said = settings(&format!("--{key}={default}"), &[]);
            assert_eq!(read(&said), read(&plain), "{key}");
        }
    }
    assert_eq!(plain.streams.segment_duration, Duration::from_secs(2));
    assert_eq!(plain.streams.profiles.len(), 2);
    assert_eq!(plain.logging.format, LogFormat::Text);
    assert_eq!(plain.policy.bundle, None);
    assert_eq!(plain.prices.ceilings, Ceilings::default());
    assert!(plain.listeners.http_ingest);
    assert!(matches!(plain.access.admin_token, TokenFile::Kept(_)));
    assert!(plain.describe().is_empty());
}

#[test]
fn go_livepeers_spellings_mean_the_same() {
    let ours = settings(
        "--orch-addr=a,b --max-sessions=7 --http-addr=:8935 --current-manifest",
        &[],
    );
    let read = |s: &Settings| {
        let addresses = &s.orchestrators.addresses;
        let (sessions, http) = (s.streams.max_sessions, &s.listeners.http);
        format!(
            "{addresses:?} {sessions} {http:?} {}",
            s.streams.current_manifest
        )
    };
    for words in [
        "-orchAddr a,b -maxSessions 7 -httpAddr :8935 -currentManifest",
        "-orchAddr=a,b --maxSessions=7 -httpAddr=:8935 --currentManifest=true",
        "--orchAddr a,b -maxSessions 7 --http-addr :8935 -currentManifest=1",
    ] {
        assert_eq!(read(&settings(words, &[])), read(&ours), "{words}");
    }
    let variables = [
        ("LP_ORCHADDR", "a,b"),
        ("LP_MAXSESSIONS", "7"),
        ("LP_HTTPADDR", ":8935"),
        ("LP_CURRENTMANIFEST", "true"),
    ];
    assert_eq!(read(&settings("", &variables)), read(&ours));
    assert_eq!(
        read(&settings(
            "-maxSessions 7",
            &[
                ("LP_ORCHADDR", "a,b"),
                ("LP_MAXSESSIONS", "9"),
                ("LP_HTTPADDR", ":8935"),
                ("LP_CURRENTMANIFEST", "true"),
            ]
        )),
        read(&ours)
    );
}

#[test]
fn lists_come_with_commas_repeated_or_as_toml() {
    let http = |s: Settings| {
        s.listeners
            .http
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let both = ["127.0.0.1:9935", "127.0.0.1:8935"];
    assert_eq!(
        http(settings("--http-addr :9935 --http-addr :8935", &[])),
        both
    );
    assert_eq!(http(settings("--http-addr :9935,:8935", &[])), both);
    assert_eq!(
        http(settings("", &[("POINTSMAN_HTTP_ADDR", ":9935, :8935")])),
        both
    );
    let (_folder, path) = file("gateway.toml", "http-addr = [\":9935\", \":8935\"]\n");
    let words = format!("--config {}", path.display());
    assert_eq!(http(settings(&words, &[])), both);
    assert_eq!(
        http(settings(&format!("{words} --http-addr :7"), &[])),
        ["127.0.0.1:7"],
        "a list is replaced, not joined"
    );
}

#[test]
fn an_empty_variable_is_not_set() {
    let (_folder, path) = file("gateway.toml", "max-sessions = 7\n");
    let config = path.display().to_string();
    let variables = [
        ("POINTSMAN_CONFIG", config.as_str()),
        ("POINTSMAN_MAX_SESSIONS", ""),
        ("LP_ETHURL", ""),
    ];
    assert_eq!(settings("", &variables).streams.max_sessions.get(), 7);
}

#[test]
fn relative_paths_start_at_the_file_that_names_them() {
    let (folder, path) = file(
        "gateway.toml",
        "data-dir = \"state\"\ntranscoding-options = \"r.json\"\n",
    );
    let profiles = r#"[{"name": "small", "width": 320, "height": 180, "bitrate": 300000}]"#;
    std::fs::write(folder.path().join("r.json"), profiles).expect("a file of profiles");
    let settings = settings(&format!("--config {}", path.display()), &[]);
    assert_eq!(settings.data.dir, folder.path().join("state"));
    assert_eq!(settings.streams.profiles[0].width, 320);
    let kept = TokenFile::Kept(folder.path().join("state/admin-token"));
    assert_eq!(settings.access.admin_token, kept);
}

#[test]
fn a_bundle_and_a_token_are_taken_from_where_they_are() {
    let (bundle, _manifest) = file("bundle.toml", "");
    let (_secret, token) = file("token", "s3cret\n");
    let words = format!(
        "--policy {} --admin-token-file {} --cli-addr 0.0.0.0:5935",
        bundle.path().display(),
        token.display()
    );
    let settings = settings(&words, &[]);
    let folder = Reference::Path(bundle.path().to_owned());
    assert_eq!(settings.policy.bundle, Some(folder));
    assert_eq!(settings.access.admin_token, TokenFile::Given(token));
}

#[test]
fn the_token_of_the_data_directory_opens_a_public_admin_address() {
    let (data, _token) = file("admin-token", "s3cret\n");
    let words = format!(
        "--data-dir {} --cli-addr 0.0.0.0:5935",
        data.path().display()
    );
    assert!(run(&words, &[]).is_ok());
}

#[test]
fn push_is_off_where_anyone_could_push() {
    let ingest = |words: &str| settings(words, &[]).listeners.http_ingest;
    assert!(ingest("--http-addr :8935"));
    assert!(!ingest("--http-addr 0.0.0.0:8935"));
    assert!(!ingest("--http-addr :9935 --http-addr 0.0.0.0:8935"));
    assert!(ingest(
        "--http-addr 0.0.0.0:8935 --auth-webhook-url http://auth"
    ));
    assert!(ingest("--http-addr 0.0.0.0:8935 --http-ingest"));
    assert!(!ingest("--http-ingest=false"));
}

#[test]
fn orchestrators_have_labels() {
    let (_folder, path) = file(
        "gateway.toml",
        "[orchestrators.\"HTTPS://Host:8935/\"]\nregion = \"fra\"\nlabels = { tier = \"gold\" }\n",
    );
    let settings = settings(&format!("--config {}", path.display()), &[]);
    let (uri, labels) = settings
        .orchestrators
        .labels
        .first_key_value()
        .expect("one entry");
    assert_eq!(uri.as_str(), "https://host:8935");
    assert_eq!(labels.region.as_deref(), Some("fra"));
    assert_eq!(labels.labels["tier"], "gold");
}

#[test]
fn the_start_can_say_what_was_set_where_without_secrets() {
    let (_folder, path) = file(
        "gateway.toml",
        "\nmax-sessions = 7\nsegment-duration = \"2s\"\n",
    );
    let words = format!("--config {} -orchAddr a,b --log debug", path.display());
    let variables = [(
        "POINTSMAN_AUTH_WEBHOOK_URL",
        "https://u:s3cret@auth.example/s3cret?k=s3cret",
    )];
    let settings = settings(&words, &variables);
    let described: Vec<_> = settings
        .describe()
        .iter()
        .filter(|row| row.key != "config")
        .map(|row| format!("{} = {} ({}, {})", row.key, row.value, row.from, row.source))
        .collect();
    let place = path.display();
    assert_eq!(
        described,
        [
            "orch-addr = a,b (flag, -orchAddr)".to_owned(),
            format!("max-sessions = 7 (file, {place}:2: max-sessions)"),
            "auth-webhook-url = https://auth.example/… (environment, POINTSMAN_AUTH_WEBHOOK_URL)"
                .to_owned(),
            "log = debug (flag, --log)".to_owned(),
        ]
    );
    let json = serde_json::to_string(settings.describe()).expect("plain data");
    assert!(
        json.contains(r#""source":"-orchAddr""#) && !json.contains("s3cret"),
        "{json}"
    );
}

#[test]
fn terms_for_bundles_are_read_and_checked() {
    let (_key, key) = file(
        "minisign.pub",
        include_str!("../../../../fetch/tests/minisign/key.pub"),
    );
    let (_login, login) = file("login", "user:open sesame\n");
    let (_ca, ca) = file("ca.pem", "");
    let reference = format!("oci://registry.example/team/eu@sha256:{}", "a".repeat(64));
    let words = format!(
        "--policy {reference} --policy-key {} --policy-credentials-file {} --policy-ca-file {}",
        key.display(),
        login.display(),
        ca.display()
    );
    let policy = settings(&words, &[]).policy;
    assert_eq!(policy.bundle, reference.parse().ok());
    assert!(policy.key.is_some());
    let rules = policy.rules().expect("credentials");
    let credentials = rules.credentials.expect("given");
    assert_eq!(
        (&*credentials.user, &*credentials.password),
        ("user", "open sesame")
    );
    assert_eq!((rules.ca_file, rules.allow_private), (Some(ca), false));
}
