//! What the tests of this crate share: a town, a host over the embedded policies, and decisions of the two.

pub(crate) mod town;

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use pointsman_default_bundle as embedded;
use pointsman_facts::{Blame, Failure, FailureKind, Job, Symbol};
use pointsman_native::Native;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_policy::{AttemptRecord, Bundle, Config, Host, NativeBundle};
use pointsman_recording::{Bounds, Recorder, Settings, Verdict};

use town::Town;

/// The embedded bundle.
pub(crate) fn default_bundle() -> Bundle {
    let files = embedded::bundle().iter();
    let files = files.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    Bundle::from_files(files, MAX_COMPONENT).expect("the embedded bundle is whole")
}

/// A bundle of embedded policies, each with its settings as TOML.
pub(crate) fn bundle_of(name: &str, stages: &[(&str, &str)]) -> Bundle {
    let mut manifest = format!("name = \"{name}\"\nversion = \"1.0.0\"\non-failure = \"reject\"\n");
    let mut files = Vec::new();
    for (policy, settings) in stages {
        let file = format!("{policy}.wasm");
        let library = embedded::library().iter();
        let bytes = library
            .clone()
            .find(|(name, _)| *name == file)
            .expect("an embedded policy")
            .1;
        let digest = Digest::of(bytes);
        let _ = write!(
            manifest,
            "[[selection]]\ncomponent = \"{file}\"\nsha256 = \"{digest}\"\nsettings = {settings}\n"
        );
        files.push((file, bytes.to_vec()));
    }
    files.push(("bundle.toml".to_owned(), manifest.into_bytes()));
    Bundle::from_files(files, MAX_COMPONENT).expect("a whole bundle")
}

pub(crate) fn twins() -> Arc<dyn NativeBundle> {
    Arc::new(Native::new(embedded::stage))
}

/// A host that decides by `bundle`.
pub(crate) fn host(bundle: &Bundle) -> Host {
    let host = Host::new(Config::default(), Some(twins())).expect("an engine");
    host.activate(host.load(bundle).expect("it loads"), "test");
    host
}

/// A recorder into `folder`.
pub(crate) fn recorder(folder: &Path, bounds: Bounds) -> Arc<Recorder> {
    let settings = Settings {
        bounds,
        queue: NonZeroUsize::new(1 << 14).expect("above zero"),
        ..Settings::new(folder.to_owned())
    };
    Arc::new(Recorder::start(settings).expect("a recorder"))
}

/// One decision over `town`, with two attempts that followed. Who observes the host hears of it.
pub(crate) fn decide(host: &Host, town: &Town, job: &Job) -> Verdict {
    let selection = host.select(job.clone(), town);
    for (place, ok) in [(0, false), (1, true)] {
        let failure = Failure::new(Blame::Network, FailureKind::Reset, "broken pipe");
        if let Some(&row) = selection.order().get(place) {
            selection.decision.record_attempt(AttemptRecord {
                candidate: selection.decision.id_of(row),
                started_ms: job.now_ms + 100 * place as u64,
                elapsed: std::time::Duration::from_micros(1234),
                hedge: ok,
                outcome: if ok { Ok(()) } else { Err(failure) },
            });
        }
    }
    Verdict::of(&selection.decision)
}

/// Records `count` decisions of the default bundle over a town that changes; `also` is called after each.
pub(crate) fn traffic(
    recorder: &Arc<Recorder>,
    count: u64,
    mut also: impl FnMut(&Town, &Job, &Verdict),
) {
    let host = host(&default_bundle());
    host.observe(recorder.clone());
    let mut town = Town::new(20, 11);
    for seed in 0..count {
        town.step();
        if seed % 997 == 996 {
            town.settle(15 + (seed % 10) as usize);
        }
        let job = town::job(&format!("cam/{seed}"), seed);
        let verdict = decide(&host, &town, &job);
        also(&town, &job, &verdict);
    }
}

/// The symbol of the orchestrator in `row`.
pub(crate) fn id(row: usize) -> Symbol {
    Symbol::of(&format!("https://{row}.test"))
}
