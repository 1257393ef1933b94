//! `kill -9` of a real process under load, again and again on one ledger.
//!
//! The child is this test's own program. It pays from sixteen tasks and tells the parent through a pipe before each step: that it will
//! draft, what it was issued *before* that counts as sent, that it will settle, that the end is on disk. A pipe keeps what was written to it when the
//! writer dies. After each kill the parent opens a copy of the two files and holds it against all it was ever told:
//! no nonce twice, and the spend is what ended for certain plus exactly the attempts that were open.
//!
//! `POINTSMAN_KILLS` says how often; 15 without it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use alloy::primitives::{Address, B256, U256};
use pointsman_payments::Ratio;
use pointsman_payments::ledger::{
    Amount, Draft, End, Ledger, LedgerError, Options, Totals, Unconfirmed,
};

/// Where the child finds its ledger.
const LEDGER: &str = "POINTSMAN_TEST_LEDGER";
const RUN: &str = "POINTSMAN_TEST_RUN";

/// What the child's lines begin with; the test harness prints others.
const MARK: &str = "@ ";

/// An attempt as the parent was told of it.
#[derive(Debug, Default)]
struct Told {
    tickets: u32,
    settling: Option<String>,
    settled: bool,
}

/// Everything the parent was ever told.
#[derive(Debug, Default)]
struct Heard {
    attempts: BTreeMap<String, Told>,
    /// Drafts that were begun; those that were issued are taken out.
    drafting: HashSet<String>,
    nonces: HashSet<(String, u32)>,
}

fn ticket() -> Ratio {
    Ratio::new(31.into(), 3.into())
}

fn worth(tickets: u32) -> Amount {
    let ticket = Amount::from_ratio(&ticket()).expect("an amount");
    ticket.times(tickets).expect("a small amount")
}

fn draft(task: u8, hash: B256, tickets: u32) -> Draft {
    Draft {
        recipient: Address::repeat_byte(task % 3),
        sender: Address::repeat_byte(0xaa),
        rand_hash: hash,
        tickets,
        expected_value: ticket(),
        face_value: U256::from(1000),
        session: format!("session {}", task % 5),
        job: format!("job {task}"),
        key: task.is_multiple_of(2).then(|| "key".to_owned()),
        workload: "transcode",
        units: 1,
    }
}

// --- the child ---

fn tell(line: &str) {
    let line = format!("{MARK}{line}\n");
    let mut out = std::io::stdout().lock();
    // One write of less than a page: all of it is in the pipe, or none.
    out.write_all(line.as_bytes())
        .expect("a parent that listens");
    out.flush().expect("a parent that listens");
}

/// Pays until it is killed.
#[test]
#[ignore = "the other process of these tests, which start it themselves"]
fn child() {
    let path = std::env::var_os(LEDGER).expect("a parent that says where the ledger is");
    let run: u64 = std::env::var(RUN)
        .expect("a run")
        .parse()
        .expect("a number");
    tell("started");
    let ledger = Ledger::open(PathBuf::from(path), Options::default()).expect("a ledger");
    tell("opened");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks = (0..16).map(|task| tokio::spawn(pay(ledger.clone(), run, task)));
        futures::future::join_all(tasks).await;
    });
}

async fn pay(ledger: Ledger, run: u64, task: u8) {
    for count in 0_u64.. {
        let name = format!("{run}/{task}/{count}");
        let fresh = B256::from(U256::from(run << 40 | u64::from(task) << 32 | count));
        // Every fourth payment's hash is one that earlier runs used too.
        let mut hash = match count % 4 {
            0 => B256::repeat_byte(u8::try_from(run / 4 % 64).expect("below 64") * 4 + task % 4),
            _ => fresh,
        };
        let tickets = 1 + u32::from(task % 4);
        let issued = loop {
            tell(&format!("draft {name}"));
            match ledger.draft(draft(task, hash, tickets)).await {
                Ok(issued) => break issued,
                Err(LedgerError::NoncesSpent { .. }) => {
                    tell(&format!("none {name}"));
                    hash = fresh;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let (attempt, first) = (issued.attempt, issued.first_nonce);
        tell(&format!(
            "issued {name} {attempt} {hash} {first} {}",
            issued.count
        ));
        tokio::task::yield_now().await;
        let (end, word) = match count % 7 {
            0 => (End::Unsent, "unsent"),
            1 => (End::Lost, "lost"),
            2 => (End::Refused, "refused"),
            3 if task == 0 => continue,
            _ => (End::Accepted, "accepted"),
        };
        tell(&format!("settling {attempt} {word}"));
        ledger.settle(attempt, end);
        if count % 5 == 0 {
            ledger.flush().await.expect("flushed");
            tell(&format!("settled {attempt}"));
        }
    }
}

// --- the parent ---

#[test]
fn a_killed_process_loses_nothing_and_repeats_nothing() {
    let kills =
        std::env::var("POINTSMAN_KILLS").map_or(15, |kills| kills.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("ledger"), folder.path().join("copy"));
    let mut heard = Heard::default();
    let mut rng = fastrand::Rng::with_seed(5);
    for run in 0..kills {
        // Some while they open, most soon, some after a while: the log is emptied then.
        let lines = match run % 10 {
            3 => 0,
            7 => 1,
            9 => rng.usize(1000..3000),
            _ => rng.usize(1..300),
        };
        let (mut child, mut out) = start(&path, run);
        for _ in 0..=lines {
            let line = next(&mut out).expect("the child lives until it is killed");
            heard.hear(&line);
        }
        child.kill().expect("killed");
        child.wait().expect("dead");
        while let Some(line) = next(&mut out) {
            heard.hear(&line);
        }
        if !path.exists() {
            continue;
        }
        heard.check(&found(&path, &copy, Options::default()), run);
        if run % 4 == 0 {
            // Had the machine gone too, there would be covers; no less is listed.
            let unknown = Options {
                boot: None,
                ..Options::default()
            };
            heard.check_covered(&found(&path, &copy, unknown), run);
        }
    }
    assert!(
        heard.attempts.len() as u64 > kills,
        "too little happened to prove anything"
    );
}

#[test]
fn a_second_process_is_told_who_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger");
    let (mut child, mut out) = start(&path, 0);
    while next(&mut out).expect("a child") != "opened" {}
    let error = Ledger::open(&path, Options::default()).expect_err("taken");
    let pid = Some(child.id());
    assert_eq!(
        error,
        LedgerError::InUse {
            path: path.clone(),
            pid
        }
    );
    child.kill().expect("killed");
    child.wait().expect("dead");
    Ledger::open(&path, Options::default()).expect("free again");
}

fn start(path: &Path, run: u64) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(LEDGER, path)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let out = child.stdout.take().expect("a pipe");
    (child, BufReader::new(out))
}

/// The next of the child's own lines.
fn next(out: &mut impl BufRead) -> Option<String> {
    loop {
        let mut line = String::new();
        if out.read_line(&mut line).expect("a pipe") == 0 {
            return None;
        }
        // The harness ends no line before the first of these.
        if let Some(at) = line.find(MARK) {
            return Some(line[at + MARK.len()..].trim_end().to_owned());
        }
    }
}

/// What a start after this finds, without doing it to the ledger itself.
fn found(path: &Path, copy: &Path, options: Options) -> Totals {
    let log = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name)
    };
    fs::copy(path, copy).expect("a copy");
    match fs::copy(log(path), log(copy)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            drop(fs::remove_file(log(copy)));
        }
        copied => drop(copied.expect("a copy")),
    }
    let ledger = Ledger::open(copy, options).expect("a ledger");
    let totals = ledger.totals();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(ledger.close()).expect("closed");
    totals
}

// === impl Heard ===

impl Heard {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["started" | "opened"] => {}
            ["draft", name] => drop(self.drafting.insert((*name).to_owned())),
            ["none", name] => drop(self.drafting.remove(*name)),
            ["issued", name, attempt, hash, first, tickets] => {
                self.drafting.remove(*name);
                let first: u32 = first.parse().expect("a nonce");
                let tickets: u32 = tickets.parse().expect("a count");
                for nonce in first..first + tickets {
                    let new = self.nonces.insert(((*hash).to_owned(), nonce));
                    assert!(new, "nonce {nonce} of {hash} twice");
                }
                let told = Told {
                    tickets,
                    ..Told::default()
                };
                let before = self.attempts.insert((*attempt).to_owned(), told);
                assert!(before.is_none(), "attempt {attempt} twice");
            }
            ["settling", attempt, end] => {
                let told = self.attempts.get_mut(*attempt).expect("an attempt");
                told.settling = Some((*end).to_owned());
            }
            ["settled", attempt] => {
                self.attempts.get_mut(*attempt).expect("an attempt").settled = true;
            }
            other => panic!("the child says {other:?}"),
        }
    }

    /// The process died: the list is exact.
    fn check(&self, found: &Totals, run: u64) {
        let listed: BTreeSet<String> = found
            .unconfirmed
            .iter()
            .map(|one| one.attempt.to_string())
            .collect();
        assert!(
            found.unconfirmed.iter().all(|one| one.tickets > 0),
            "run {run}: a cover"
        );
        for (attempt, told) in &self.attempts {
            let there = listed.contains(attempt);
            assert!(
                there || told.settling.is_some(),
                "run {run}: {attempt} is open and not listed"
            );
            assert!(
                !(there && told.settled),
                "run {run}: {attempt} ended and is listed"
            );
        }
        // A draft whose answer was on its way is open as well.
        let untold = listed
            .iter()
            .filter(|attempt| !self.attempts.contains_key(*attempt))
            .count();
        assert!(
            untold <= self.drafting.len(),
            "run {run}: {untold} attempts that nobody made"
        );

        let ended = self.attempts.iter().filter(|(attempt, told)| {
            !listed.contains(*attempt) && told.settling.as_deref() != Some("unsent")
        });
        let ended = ended.fold(Amount::ZERO, |sum, (_, told)| {
            sum.saturating_add(worth(told.tickets))
        });
        let spend = ended.saturating_add(sum(&found.unconfirmed));
        assert_eq!(
            found.all_time.spend(),
            spend,
            "run {run}: what ended and what is listed"
        );
    }

    /// The machine may have died: what was sent is in the spend, covers come on top.
    fn check_covered(&self, found: &Totals, run: u64) {
        let sent = self
            .attempts
            .values()
            .filter(|told| told.settling.as_deref() != Some("unsent"));
        let sent = sent.fold(Amount::ZERO, |sum, told| {
            sum.saturating_add(worth(told.tickets))
        });
        assert!(
            found.all_time.spend() >= sent,
            "run {run}: less than was sent"
        );
        assert_eq!(
            found.all_time.unconfirmed,
            sum(&found.unconfirmed),
            "run {run}: the list"
        );
    }
}

fn sum(list: &[Unconfirmed]) -> Amount {
    list.iter()
        .fold(Amount::ZERO, |sum, one| sum.saturating_add(one.value))
}
