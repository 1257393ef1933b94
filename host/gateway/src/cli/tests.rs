use std::num::{NonZeroU16, NonZeroU32};
use std::path::Path;

use clap::CommandFactory;
use pointsman_fetch::Reference;

use super::{
    Activate, Admin, Arguments, Bench, Build, Command, EX_USAGE, Error, List, Look, Policy,
    Rollback, Test, parse,
};
use crate::config::{TokenFile, setting};

const HOME: (&str, &str) = ("HOME", "/home/operator");

fn with(words: &str, variables: &[(&str, &str)]) -> Result<Command, Error> {
    parse(
        words.split_whitespace().map(Into::into),
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    )
}

fn policy(words: &str, variables: &[(&str, &str)]) -> Policy {
    match with(words, variables) {
        Ok(Command::Policy(policy)) => policy,
        other => panic!("{words}: {other:?}"),
    }
}

fn admin(url: &str, token: TokenFile) -> Admin {
    let url = url.parse().expect("a URL");
    Admin { url, token }
}

fn help(words: &str) -> String {
    let mut command = Arguments::command();
    let run = words
        .split_whitespace()
        .fold(&mut command, |command, word| {
            command.find_subcommand_mut(word).expect("a command")
        });
    run.render_long_help().to_string()
}

#[test]
fn help_has_every_setting_once_with_its_default() {
    let help = help("run");
    let joined = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in setting::all() {
        let (key, default) = (setting.key, setting.default.text());
        let head = |line: &&str| {
            let flag = line
                .strip_prefix("      --")
                .and_then(|line| line.split([' ', '[']).next());
            flag == Some(key)
        };
        assert_eq!(help.lines().filter(head).count(), 1, "--{key}");
        assert!(
            joined.contains(&format!("{} {}", setting.summary, setting.detail)),
            "{key}"
        );
        let tail = format!("{} [default: {default}]", setting.detail);
        assert!(joined.contains(&tail), "{key}: {tail}");
    }
}

#[test]
fn help_is_grouped() {
    let help = help("run");
    let headings = [
        "Listeners:",
        "Orchestrators:",
        "Chain:",
        "Payments:",
        "Streams:",
        "Policy:",
        "Access:",
        "Data:",
        "Logging:",
        "go-livepeer:",
        "Examples:",
    ];
    let places: Vec<_> = headings
        .iter()
        .map(|heading| {
            help.find(&format!("\n{heading}\n"))
                .unwrap_or_else(|| panic!("{heading}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn help_and_version_are_no_errors() {
    for words in [
        "pointsman --help",
        "pointsman run --help",
        "pointsman run -h",
        "pointsman run --bogus --help",
        "pointsman --version",
        "pointsman -version",
        "pointsman run -version",
        "pointsman policy build --help",
    ] {
        let Err(error) = with(words, &[]) else {
            panic!("{words} runs nothing");
        };
        assert_eq!(error.exit_code(), 0, "{words}: {error}");
    }
}

#[test]
fn a_command_must_be_named_and_known() {
    for (words, message) in [
        (
            "pointsman -gateway -orchAddr a",
            "error: name the command first: pointsman run FLAGS…",
        ),
        (
            "pointsman --orch-addr a",
            "error: name the command first: pointsman run FLAGS…",
        ),
        ("pointsman devnt", "a similar subcommand exists: 'devnet'"),
        (
            "pointsman policy activat x",
            "a similar subcommand exists: 'activate'",
        ),
        (
            "pointsman devnet --orchestrators 0",
            "invalid value '0' for '--orchestrators <N>'",
        ),
    ] {
        let error = with(words, &[HOME]).expect_err(words);
        assert!(error.to_string().contains(message), "{words}: {error}");
        assert_eq!(error.exit_code(), EX_USAGE, "{words}");
    }
    assert_eq!(
        with("pointsman", &[]).expect_err("no command").exit_code(),
        EX_USAGE
    );
}

#[test]
fn the_devnet_has_defaults_and_room_for_its_ports() {
    let Ok(Command::Devnet(devnet)) = with("pointsman devnet", &[]) else {
        panic!("nothing is required");
    };
    assert_eq!(devnet.orchestrators, NonZeroU16::new(3).expect("3"));
    assert_eq!(
        (devnet.base_port, devnet.passthrough, devnet.profile),
        (8935, false, None)
    );
    assert_eq!(devnet.control.to_string(), "127.0.0.1:7935");

    let words = "pointsman devnet --orchestrators 2 --profile faults.toml --base-port 9000 --control-addr :9100 --passthrough";
    let Ok(Command::Devnet(devnet)) = with(words, &[]) else {
        panic!("{words}");
    };
    assert_eq!(devnet.profile.as_deref(), Some(Path::new("faults.toml")));
    assert_eq!((devnet.base_port, devnet.passthrough), (9000, true));
    assert_eq!(devnet.control.to_string(), "127.0.0.1:9100");

    for (words, message) in [
        (
            "pointsman devnet --base-port 65534",
            "error: --base-port 65534: 3 orchestrators need the ports up to 65536, and 65535 is the last",
        ),
        (
            "pointsman devnet --base-port 7934",
            "error: --control-addr 127.0.0.1:7935: the orchestrators take the ports 7934 to 7936",
        ),
    ] {
        assert_eq!(with(words, &[]).expect_err(words).to_string(), message);
    }
    let error =
        with("pointsman devnet --control-addr 0.0.0.0:1", &[]).expect_err("faults for everyone");
    assert!(
        error.to_string().contains("use a loopback address"),
        "{error}"
    );
}

#[test]
fn a_build_goes_beside_its_source_unless_told_otherwise() {
    let build = |words: &str| match policy(words, &[]) {
        Policy::Build(build) => build,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        build("pointsman policy build p"),
        Build {
            dir: "p".into(),
            out: "p/dist".into(),
            pack: None,
            offline: false,
            json: false
        }
    );
    assert_eq!(
        build("pointsman policy build --out o --offline --pack b.tar.zst --json"),
        Build {
            dir: ".".into(),
            out: "o".into(),
            pack: Some("b.tar.zst".into()),
            offline: true,
            json: true
        }
    );
    assert_eq!(build("pointsman policy build").out, Path::new("dist"));
}

#[test]
fn an_authors_commands_are_about_the_folder_at_hand() {
    let look = Look {
        bundle: None,
        offline: false,
        json: false,
    };
    assert_eq!(
        policy("pointsman policy check", &[]),
        Policy::Check(look.clone())
    );
    assert_eq!(
        policy("pointsman policy bench --candidates 7", &[]),
        Policy::Bench(Bench {
            look: look.clone(),
            candidates: NonZeroU32::new(7).expect("above zero")
        })
    );
    let json = Look {
        bundle: Some("b.tar".into()),
        json: true,
        ..look
    };
    assert_eq!(
        policy("pointsman policy test b.tar --record --json", &[]),
        Policy::Test(Test {
            look: json,
            record: true
        })
    );
    let Policy::Conformance(held) = policy("pointsman policy test --conformance c.wasm", &[])
    else {
        panic!("a component is held against the contract");
    };
    assert_eq!(held.component, Path::new("c.wasm"));
    let Policy::New(new) = policy("pointsman policy new eu-first --template rank", &[]) else {
        panic!("it makes a policy");
    };
    assert_eq!(new.dir, Path::new("eu-first"));
    for (words, message) in [
        ("new EU --template rank", "begins with a letter"),
        ("new eu --template best", "there are: filter, score, rank"),
        ("bench --candidates 0", "invalid value '0'"),
        ("test --record --conformance c.wasm", "cannot be used with"),
    ] {
        let error = with(&format!("pointsman policy {words}"), &[]).expect_err(words);
        assert!(error.to_string().contains(message), "{words}: {error}");
    }
}

#[test]
fn commands_find_the_gateway_of_this_machine() {
    let kept = |dir: &str| TokenFile::Kept(format!("{dir}/admin-token").into());
    let local = "http://127.0.0.1:5935";
    assert_eq!(
        policy("pointsman policy rollback", &[HOME]),
        Policy::Rollback(Rollback {
            admin: admin(local, kept("/home/operator/.pointsman"))
        })
    );
    let variables = [
        HOME,
        ("POINTSMAN_CLI_ADDR", "0.0.0.0:7000"),
        ("POINTSMAN_DATA_DIR", "/data"),
    ];
    assert_eq!(
        policy("pointsman policy list --json", &variables),
        Policy::List(List {
            admin: admin("http://127.0.0.1:7000", kept("/data")),
            json: true
        })
    );
    assert_eq!(
        policy(
            "pointsman policy activate b --addr https://gw.example/admin --token-file t",
            &variables
        ),
        Policy::Activate(Activate {
            bundle: Reference::Path("b".into()),
            admin: admin("https://gw.example/admin", TokenFile::Given("t".into()))
        })
    );
    assert_eq!(
        policy(
            "pointsman policy rollback --addr :6000 --data-dir d",
            &variables
        ),
        Policy::Rollback(Rollback {
            admin: admin("http://127.0.0.1:6000", kept("d"))
        })
    );
    let error = with("pointsman policy rollback", &[]).expect_err("no home");
    assert_eq!(
        error.to_string(),
        "error: HOME is not set: give --token-file or --data-dir"
    );
}

#[test]
fn a_trial_has_a_share_and_a_log_may_be_followed() {
    let Policy::Canary(trial) = policy("pointsman policy canary b.tar --share 2.5%", &[HOME])
    else {
        panic!("it is a canary");
    };
    assert_eq!(trial.bundle, Reference::Path("b.tar".into()));
    assert!((trial.share.get() - 0.025).abs() < 1e-12);
    let Policy::Log(log) = policy("pointsman policy log --follow", &[HOME]) else {
        panic!("it is the log");
    };
    assert!(log.follow && !log.json);
    let words = "pointsman policy push b.tar oci://r.example/team/b:1 --allow-private";
    let login = ("POINTSMAN_POLICY_CREDENTIALS_FILE", "/login");
    let Policy::Push(push) = policy(words, &[login]) else {
        panic!("it is pushed");
    };
    assert_eq!(push.credentials.as_deref(), Some(Path::new("/login")));
    assert!(push.allow_private);
}
