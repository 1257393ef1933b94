//! Questions and their answers, written down so that the component can be asked the same.
//!
//! Off unless `POINTSMAN_VECTORS` names a folder. The format is in the sdk's README, and is the same to the byte for the same
//! question, so that a file under version control changes when an answer does.
//!
//! # Why only the first of each place
//!
//! Tests of a draw ask the same question with thousands of seeds; that is hundreds of MB which say nothing that the first
//! dozens do not. So each place in the source gets [`MOST`] lines a test. Questions are counted as they are asked,
//! not as they are written, so that which ones are kept does not depend on the threads of the tests.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{File, create_dir_all};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::panic::Location;
use std::path::Path;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;

use super::json::{Json, object};
use crate::Setting;
use crate::bindings::policy::Plan;

/// Names the folder that vectors are written to.
const FOLDER: &str = "POINTSMAN_VECTORS";

/// Version of the format.
const FORMAT: u32 = 1;

/// Lines for one place of one test.
const MOST: u32 = 64;

/// One question that was asked.
pub(super) struct Vector<'a> {
    pub(super) policy: &'a str,
    pub(super) hook: &'a str,
    pub(super) function: &'a str,
    pub(super) settings: &'a [Setting],
    pub(super) plan: &'a Plan,
    /// JSON.
    pub(super) question: &'a str,
    pub(super) answer: &'a dyn Json,
}

/// What this process did so far.
#[derive(Default)]
struct Done {
    /// By test, which is a thread of that name, and place in the source.
    asked: HashMap<(String, &'static Location<'static>), u32>,
    /// Hashes of the lines written.
    written: HashSet<u64>,
}

static DONE: LazyLock<Mutex<Done>> = LazyLock::new(Mutex::default);

/// JSON that is there already.
struct Ready<'a>(&'a str);

/// The parameters of a question as JSON; `None` when nobody wants vectors, or no more of them from there.
#[track_caller]
pub(super) fn question(parameters: &[(&str, &dyn Json)]) -> Option<String> {
    folder()?;
    let test = thread::current().name().unwrap_or_default().to_owned();
    let place = Location::caller();
    let asked = done(|done| {
        let asked = done.asked.entry((test, place)).or_default();
        *asked = asked.saturating_add(1);
        *asked
    });
    if asked > MOST {
        return None;
    }
    let mut out = String::new();
    object(&mut out, parameters);
    Some(out)
}

/// Writes a vector down, unless this process has already.
///
/// # Panics
///
/// When it cannot be written: a test whose vectors are missing must not pass.
pub(super) fn write(vector: &Vector<'_>) {
    let Some(folder) = folder() else { return };
    let line = line(vector);
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    let file = format!("{}-{}.jsonl", vector.policy, std::process::id());
    let path = Path::new(folder).join(file);
    let written = done(|done| match done.written.insert(hasher.finish()) {
        true => append(&path, &line),
        false => Ok(()),
    });
    if let Err(error) = written {
        panic!("cannot write {} ({FOLDER}): {error}", path.display());
    }
}

fn done<T>(with: impl FnOnce(&mut Done) -> T) -> T {
    // A test that failed meanwhile says so itself.
    with(&mut DONE.lock().unwrap_or_else(PoisonError::into_inner))
}

fn folder() -> Option<&'static OsString> {
    static ASKED: OnceLock<Option<OsString>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()));
    asked.as_ref()
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())
}

fn line(vector: &Vector<'_>) -> String {
    let mut out = String::new();
    object(
        &mut out,
        &[
            ("vector", &FORMAT),
            ("policy", &vector.policy),
            ("hook", &vector.hook),
            ("function", &vector.function),
            ("settings", &vector.settings),
            ("plan", vector.plan),
            ("question", &Ready(vector.question)),
            ("answer", &Ready(&answer(vector.answer))),
        ],
    );
    out.push('\n');
    out
}

fn answer(answer: &dyn Json) -> String {
    let mut out = String::new();
    answer.json(&mut out);
    out
}

impl Json for Ready<'_> {
    fn json(&self, out: &mut String) {
        out.push_str(self.0);
    }
}
