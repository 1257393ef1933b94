//! What an operator reads when something is wrong.

use super::{file, problems, run, settings};
use crate::cli::{EX_USAGE, Error};

/// Words of the command line, and the one problem they make.
const FLAGS: &[(&str, &str)] = &[
    (
        "--orch-adr a",
        "--orch-adr: no setting has this name; did you mean --orch-addr?",
    ),
    (
        "--orch_addr=a",
        "--orch_addr: no setting has this name; did you mean --orch-addr?",
    ),
    (
        "-orch-addr a",
        "-orch-addr: no setting has this name; did you mean --orch-addr?",
    ),
    (
        "-orchaddr=a",
        "-orchaddr: no setting has this name; did you mean --orch-addr?",
    ),
    (
        "--kafkaUsr=a",
        "--kafkaUsr: no setting has this name; did you mean go-livepeer's -kafkaUser?",
    ),
    (
        "--frobnicate",
        "--frobnicate: no setting has this name; `pointsman run --help` lists them all",
    ),
    (
        "--max-sessions auto",
        "--max-sessions: `auto` is not a whole number from 1 to 100000",
    ),
    (
        "-maxSessions auto",
        "-maxSessions: `auto` is not a whole number from 1 to 100000",
    ),
    (
        "--max-sessions 0",
        "--max-sessions: `0` is not a whole number from 1 to 100000",
    ),
    (
        "--max-attempts -1",
        "--max-attempts: `-1` is not a whole number from 0 to 100",
    ),
    (
        "--segment-duration 2",
        "--segment-duration: `2` has no unit: write 2s or 2ms",
    ),
    (
        "--segment-duration 5m",
        "--segment-duration: 5m is not within 500ms to 30s",
    ),
    (
        "--max-segment-bytes 2GiB",
        "--max-segment-bytes: 2GiB is not within 64.0 KiB to 1.0 GiB",
    ),
    (
        "--http-addr 9935",
        "--http-addr: `9935` is not an address: write :9935",
    ),
    (
        "--http-addr a,,b:1 --http-addr :1",
        "--http-addr: `a` is not an address: write IP:PORT, such as 0.0.0.0:9935, or :PORT for 127.0.0.1",
    ),
    (
        "--current-manifest=yes",
        "--current-manifest: `yes` is neither true nor false",
    ),
    (
        "--log verbose",
        "--log: `verbose` is not a level; did you mean info?",
    ),
    (
        "--log debgu",
        "--log: `debgu` is not a level; did you mean debug?",
    ),
    (
        "--log-format xml",
        "--log-format: `xml` is neither text nor json",
    ),
    (
        "--orch-addr a,",
        "--orch-addr: an entry is empty: remove the extra comma",
    ),
    (
        "--orch-addr ftp://a",
        "--orch-addr: orchestrator \"ftp://a\" has scheme \"ftp\": use https or http",
    ),
    (
        "-orchAddr 0x00000000000000000000000000000000000000aa",
        "-orchAddr: `0x00000000000000000000000000000000000000aa` is an Ethereum address: an orchestrator is listed by its URI, such as https://host:8935",
    ),
    (
        "-orchBlocklist 0x00aa",
        "-orchBlocklist: `0x00aa` is not an Ethereum address: write 0x and 40 hexadecimal digits",
    ),
    (
        "-orchBlocklist ftp://a",
        "-orchBlocklist: orchestrator \"ftp://a\" has scheme \"ftp\": use https or http",
    ),
    (
        "--orch-registry",
        "--orch-registry: there is no registry off-chain: give a --network too, or leave this out",
    ),
    (
        "--orch-allow-private",
        "--orch-allow-private: no registered orchestrators are taken, so this allows nothing: whom you list may be anywhere. Leave it out",
    ),
    (
        "-orchPerfStatsUrl https://stats.example",
        "-orchPerfStatsUrl: scores are by region: give the --region that counts, such as FRA",
    ),
    (
        "-minPerfScore 2",
        "-minPerfScore: `2` is not a number from 0 to 1",
    ),
    (
        "--auth-webhook-url s3cret",
        "--auth-webhook-url: not a URL: relative URL without a base",
    ),
    (
        "--transcoding-options P999",
        "--transcoding-options: unknown preset \"P999\"",
    ),
    (
        "--transcoding-options ./none.json",
        "--transcoding-options: there is no file ./none.json",
    ),
    (
        "--transcoding-options=",
        "--transcoding-options: names no rendition: leave it out for the default ones",
    ),
    (
        "--policy /nonexistent",
        "--policy: there is no folder or file /nonexistent",
    ),
    (
        "--policy https://example.org/b.tar",
        "--policy: https://example.org/b.tar is not pinned: write https://example.org/b.tar#sha256=HEX, with what `sha256sum FILE` says of the file",
    ),
    (
        "--policy-key /nonexistent",
        "--policy-key: /nonexistent: No such file or directory (os error 2)",
    ),
    (
        "--policy-credentials-file /nonexistent",
        "--policy-credentials-file: /nonexistent: No such file or directory (os error 2)",
    ),
    (
        "--policy-ca-file /nonexistent",
        "--policy-ca-file: there is no file /nonexistent",
    ),
    (
        "--admin-token-file /nonexistent",
        "--admin-token-file: /nonexistent is missing, empty or not readable",
    ),
    (
        "--livepeer-cli-writes --cli-addr 192.0.2.1:5935",
        "--livepeer-cli-writes: cli-addr 192.0.2.1:5935 is not loopback: whoever reaches it could move money without a token. Use a loopback address, or send the token",
    ),
    (
        "--allowed-hosts gw.example:80",
        "--allowed-hosts: `gw.example:80` is not a host: leave out the port, every one is meant",
    ),
    (
        "--config /nonexistent",
        "--config: /nonexistent cannot be read: No such file or directory (os error 2)",
    ),
    (
        "--playlist-window 20",
        "--playlist-window: playlist-keep 12 is not more than playlist-window 20: listed segments would be gone before they are played. Keep at least 21",
    ),
    (
        "--http-addr :1935",
        "--http-addr: rtmp-addr 127.0.0.1:1935 takes the same port as http-addr 127.0.0.1:1935: give each listener its own",
    ),
    (
        "--http-addr :8935,:8935",
        "--http-addr: http-addr 127.0.0.1:8935 takes the same port as http-addr 127.0.0.1:8935: give each listener its own",
    ),
    (
        "--rtmp-addr off --http-ingest=false",
        "--rtmp-addr: no stream can come in: http-ingest is off and so is rtmp-addr. Set http-ingest to true (an auth-webhook-url then says who may push) or give an rtmp-addr",
    ),
    (
        "--rtmp-addr off --http-addr 0.0.0.0:8935",
        "--rtmp-addr: no stream can come in: http-ingest is off and so is rtmp-addr. Set http-ingest to true (an auth-webhook-url then says who may push) or give an rtmp-addr",
    ),
    (
        "--cli-addr 0.0.0.0:5935",
        "--cli-addr: cli-addr 0.0.0.0:5935 is not loopback, and there is no token: whoever reaches it could change policies. Use a loopback address, or put a token into /nonexistent/home/.pointsman/admin-token or into a file named by admin-token-file",
    ),
    (
        "-remoteSigner",
        "-remoteSigner: pointsman is a gateway and no signer: start the signer beside it, and name it with remote-signer-url",
    ),
    (
        "-gateway=false",
        "-gateway: pointsman is a gateway and nothing else",
    ),
    (
        "-gateway true",
        "`true`: is neither a flag nor the value of one; true and false follow a flag behind `=`",
    ),
];

#[test]
fn a_wrong_flag_says_what_is_wrong_and_what_would_be_right() {
    for (words, message) in FLAGS {
        assert_eq!(problems(words, &[])[0], *message, "{words}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, message) in [
        (
            "POINTSMAN_ORCH_ADR",
            "a",
            "POINTSMAN_ORCH_ADR: no setting has this name; did you mean POINTSMAN_ORCH_ADDR?",
        ),
        (
            "POINTSMAN_ORCHADDR",
            "a",
            "POINTSMAN_ORCHADDR: no setting has this name; did you mean POINTSMAN_ORCH_ADDR?",
        ),
        (
            "POINTSMAN_X",
            "",
            "POINTSMAN_X: no setting has this name; `pointsman run --help` lists them all",
        ),
        (
            "LP_ORCHADR",
            "a",
            "LP_ORCHADR: no setting has this name; did you mean LP_ORCHADDR?",
        ),
        (
            "LP_MINGASPRICE",
            "s3cret",
            "LP_MINGASPRICE: gas has no least price here: leave it out",
        ),
        (
            "POINTSMAN_MAX_SESSIONS",
            "many",
            "POINTSMAN_MAX_SESSIONS: `many` is not a whole number from 1 to 100000",
        ),
        (
            "LP_MAXSESSIONS",
            "many",
            "LP_MAXSESSIONS: `many` is not a whole number from 1 to 100000",
        ),
    ] {
        assert_eq!(problems("", &[(name, value)]), [message]);
    }
}

#[test]
fn two_variables_may_not_disagree() {
    let variables = [("POINTSMAN_MAX_SESSIONS", "7"), ("LP_MAXSESSIONS", "8")];
    assert_eq!(
        problems("", &variables),
        ["POINTSMAN_MAX_SESSIONS: contradicts LP_MAXSESSIONS: keep one of them"]
    );
    let variables = [("POINTSMAN_MAX_SESSIONS", "7"), ("LP_MAXSESSIONS", "7")];
    assert_eq!(settings("", &variables).streams.max_sessions.get(), 7);
}

#[test]
fn a_wrong_line_of_the_file_is_named() {
    for (text, message) in [
        (
            "\n\norch-adr = \"a\"",
            "3: orch-adr: no setting has this name; did you mean orch-addr?",
        ),
        (
            "orchAddr = \"a\"",
            "1: orchAddr: is go-livepeer's name: write orch-addr here",
        ),
        (
            "minGasPrice = \"a\"",
            "1: minGasPrice: cannot be used: gas has no least price here: leave it out",
        ),
        (
            "monitor = true",
            "1: monitor: has no effect: metrics are always served, at /metrics on cli-addr: remove it",
        ),
        (
            "config = \"b.toml\"",
            "1: config: a config file cannot name another one",
        ),
        (
            "max-sessions = [1, 2]",
            "1: max-sessions: takes one value, not a list",
        ),
        (
            "max-sessions = { a = 1 }",
            "1: max-sessions: takes a text, a number or true/false, not a table",
        ),
        (
            "max-sessions = 0",
            "1: max-sessions: `0` is not a whole number from 1 to 100000",
        ),
        (
            "segment-duration = 2",
            "1: segment-duration: `2` has no unit: write 2s or 2ms",
        ),
        (
            "[listeners]\nhttp-addr = \":1\"",
            "1: listeners: there is no such table; settings stand at the top of the file, before [orchestrators.\"URI\"]",
        ),
        (
            "[orchestrator.\"https://a\"]",
            "1: orchestrator: no setting has this name; did you mean orchestrators?",
        ),
        (
            "[orchestrators.\"https://a\"]\nregoin = \"fra\"",
            "2: regoin: unknown here; did you mean region?",
        ),
        (
            "[orchestrators.\"https://a\"]\ntier = \"gold\"",
            "2: tier: unknown here: write labels = { tier = … }",
        ),
        (
            "[orchestrators.\"https://a\"]\nregion = 5",
            "2: region: takes a text of 1 to 64 bytes",
        ),
        (
            "[orchestrators.\"https://a\"]\nlabels = { \"a b\" = \"c\" }",
            "2: a b: a label's name has 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`",
        ),
        (
            "[orchestrators.\"https://a\"]\n[orchestrators.\"https://A/\"]",
            "2: https://A/: https://a is in this table already",
        ),
        (
            "[orchestrators.\"ftp://a\"]",
            "1: ftp://a: orchestrator \"ftp://a\" has scheme \"ftp\": use https or http",
        ),
        (
            "orchestrators = \"a\"",
            "1: orchestrators: is a table: write [orchestrators.\"https://host:8935\"]",
        ),
        ("max-sessions 7 =", "1: not TOML: "),
    ] {
        let (_folder, path) = file("gateway.toml", text);
        let said = problems(&format!("--config {}", path.display()), &[]);
        let whole = format!("{}:{message}", path.display());
        assert!(
            said[0].starts_with(&whole),
            "{text}\n  said     {}\n  expected {whole}",
            said[0]
        );
    }
}

#[test]
fn a_file_of_go_livepeer_is_shown_in_toml() {
    let (_folder, path) = file(
        "lp.conf",
        "# gateway\ngateway\norchAddr a:8935,b:8935 # ours\nmaxSessions 20\nmonitor\nhttpIngest\nminGasPrice 7\nv 6\n",
    );
    let said = problems(&format!("-config {}", path.display()), &[]);
    let toml = "# gateway: needs no setting\n\
                orch-addr = \"a:8935,b:8935\"\n\
                max-sessions = 20\n\
                # monitor: has no effect: metrics are always served, at /metrics on cli-addr\n\
                http-ingest = true\n\
                # minGasPrice cannot be used: gas has no least price here: leave it out\n\
                log = \"trace\"\n";
    let start = format!("{}:", path.display());
    assert!(
        said[0].starts_with(&start) && said[0].ends_with(toml),
        "{}",
        said[0]
    );
    assert!(
        said[0].contains("this is go-livepeer's format; pointsman reads TOML"),
        "{}",
        said[0]
    );

    let (_folder, path) = file("gateway.toml", toml);
    let read = settings(&format!("--config {}", path.display()), &[]);
    assert_eq!(
        read.orchestrators.addresses.len(),
        2,
        "what is shown can be used"
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let (_folder, path) = file("gateway.toml", "max-attempts = \"x\"\nfoo = 1\n");
    let words = format!("--config {} --bar --max-sessions 0", path.display());
    let variables = [("POINTSMAN_LOG_FORMAT", "xml"), ("LP_BAZ", "1")];
    let Err(error) = run(&words, &variables) else {
        panic!("six settings are wrong");
    };
    assert_eq!(error.exit_code(), EX_USAGE);
    let text = error.to_string();
    assert!(
        text.starts_with("error: 6 settings are wrong\n  "),
        "{text}"
    );
    for part in [
        ":1: max-attempts: ",
        ":2: foo: ",
        "--bar: ",
        "--max-sessions: ",
        "POINTSMAN_LOG_FORMAT: ",
        "LP_BAZ: ",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn shapes_are_for_clap_to_judge() {
    for (words, message) in [
        (
            "--orch-addr",
            "a value is required for '--orch-addr <URI>' but none was supplied",
        ),
        (
            "-orchAddr --http-addr :1",
            "a value is required for '--orch-addr <URI>' but none was supplied",
        ),
        (
            "--max-sessions 1 -maxSessions 2",
            "the argument '--max-sessions <N>' cannot be used multiple times",
        ),
    ] {
        let Err(error @ Error::Arguments(_)) = run(words, &[]) else {
            panic!("{words} is wrong");
        };
        assert!(error.to_string().contains(message), "{words}: {error}");
        assert_eq!(error.exit_code(), EX_USAGE);
    }
}

#[test]
fn what_has_no_effect_is_said() {
    for (words, notice) in [
        (
            "-monitor --orch-addr a",
            "-monitor has no effect: metrics are always served, at /metrics on cli-addr",
        ),
        (
            "-localVerify=false -orchAddr a",
            "-localVerify has no effect: results are not verified yet",
        ),
        (
            "",
            "no orchestrators: streams play from their source alone. Set orch-addr or orch-webhook-url",
        ),
        (
            "--http-addr 0.0.0.0:8935 --orch-addr a",
            "HTTP push is off: http-addr 0.0.0.0:8935 is not loopback and there is no auth-webhook-url to ask who may push. Set http-ingest to true to take pushes from anyone",
        ),
    ] {
        assert_eq!(settings(words, &[]).notices, [notice], "{words}");
    }
    assert!(
        settings(
            "-gateway -network offchain -reward=false --orch-addr a",
            &[]
        )
        .notices
        .is_empty()
    );
}

#[test]
fn without_a_home_the_data_directory_must_be_named() {
    let parse = |words: &[&str]| {
        let words = words.iter().map(Into::into);
        crate::cli::parse(words, [])
    };
    let Err(Error::Settings(problems)) = parse(&["pointsman", "run"]) else {
        panic!("no home, no default");
    };
    assert_eq!(
        problems[0].to_string(),
        "default: data-dir is ~/.pointsman, but HOME is not set: give --data-dir"
    );
    assert!(parse(&["pointsman", "run", "--data-dir", "/nonexistent/data"]).is_ok());
}
