//! Bundles are swapped while jobs are decided: no decision is lost or wrong, and memory stays where it was.
//!
//! A short form always runs; `POINTSMAN_SOAK=5000`, as `make test-all` sets it, makes so many swaps.

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use pointsman_policy::{Config, Host, Share};
use support::{Made, Rows, config, job};

/// Bytes of this process that are in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[test]
fn swaps_leave_nothing_behind() {
    let swaps = std::env::var("POINTSMAN_SOAK").ok();
    let swaps: u64 = swaps.map_or(240, |swaps| swaps.parse().expect("a number of swaps"));
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        cache: Some(folder.path().to_owned()),
        decisions: std::num::NonZeroUsize::new(64).expect("above zero"),
        ..config()
    };
    let host = Host::new(config, None).expect("an engine");
    let ranking = Made::new("previous").select("score-latency", "").bundle();
    let filtering = Made::new("previous").version("filter");
    let filtering = filtering.select("exclude-slow", "").bundle();
    let activate = |swap: u64| {
        let bundle = if swap.is_multiple_of(2) {
            &ranking
        } else {
            &filtering
        };
        let loaded = host.load(bundle).expect("a good bundle");
        match swap % 7 {
            3 => {
                host.canary(loaded, Share::ALL, "soak")
                    .expect("one is active");
                host.promote().expect("the canary");
            }
            5 => {
                host.shadow(loaded, Share::ALL, "soak")
                    .expect("one is active");
            }
            _ => {
                host.activate(loaded, "soak");
            }
        }
    };
    activate(0);
    let (done, decided) = (AtomicBool::new(false), AtomicU64::new(0));
    let rows = Rows::slower(6);
    let (early, late) = thread::scope(|scope| {
        let deciding = [(); 2].map(|()| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let n = decided.fetch_add(1, Ordering::Relaxed);
                    let selection = host.select(job(n), &rows);
                    assert_eq!(selection.decision.fault, None);
                    assert_eq!(selection.refusal(), None);
                    let ranked = selection.order() == [5, 4, 3, 2, 1, 0];
                    assert!(ranked || selection.generation.version() == "filter");
                }
            })
        });
        let failed = || deciding.iter().any(thread::ScopedJoinHandle::is_finished);
        let mut early = None;
        for swap in 1..=swaps {
            activate(swap);
            let before = decided.load(Ordering::Relaxed);
            while decided.load(Ordering::Relaxed) == before && !failed() {
                thread::yield_now();
            }
            if swap == swaps / 3 {
                early = resident();
            }
        }
        done.store(true, Ordering::Relaxed);
        (early, resident())
    });
    let counted = decided.load(Ordering::Relaxed);
    assert_eq!(host.decisions().latest(1)[0].id, counted, "none was lost");
    assert_eq!(host.active().info().faults, 0);
    if let (Some(early), Some(late)) = (early, late) {
        // A generation that stayed behind holds some hundred KiB of code and instances; slack is for the allocator.
        let most = early + early / 4 + (24 << 20);
        assert!(
            late < most,
            "{early} bytes after a third, {late} at the end"
        );
    }
}
