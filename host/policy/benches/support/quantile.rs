//! What many times come to.

/// The time that `share` of them do not exceed. Sorts them.
pub(crate) fn quantile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share) as usize]
}

/// Half of them do not exceed it.
pub(crate) fn median(times: &mut [f64]) -> f64 {
    quantile(times, 0.5)
}
