//! What a process uses, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks a second: 100 on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// CPU time of a process since it started, its threads and the kernel's work for it included.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .context("CPU time is read from /proc, which is not here")?;
    // The name, in brackets, may hold spaces.
    let (_, fields) = stat.rsplit_once(')').context("a stat without a name")?;
    let tick = |place: usize| {
        fields
            .split_whitespace()
            .nth(place)
            .and_then(|ticks| ticks.parse::<f64>().ok())
    };
    let ticks = tick(11).zip(tick(12)).map(|(user, kernel)| user + kernel);
    Ok(Duration::from_secs_f64(
        ticks.context("a stat without times")? / TICKS,
    ))
}

/// Memory of a process that is in RAM, bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .context("memory is read from /proc, which is not here")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kibibytes.context("a status without VmRSS")? * 1024)
}
