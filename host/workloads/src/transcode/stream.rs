//! What stays the same from segment to segment.

use std::sync::Arc;
use std::time::Duration;

use pointsman_dispatch::Sessions;
use pointsman_facts::Symbol;
use pointsman_wire::net::Capabilities;
use pointsman_wire::profile::Profile;

use super::Session;

/// What a stream is made of. Known when its first segment is.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    /// Its public name.
    pub name: String,
    /// What to make of it, in this order.
    pub profiles: Vec<Profile>,
    /// What an orchestrator must be able to do for it.
    pub required: Capabilities,
}

/// A live stream as orchestrators see it.
#[derive(Debug)]
pub struct Stream {
    name: String,
    manifest_id: String,
    /// Its name in the ledger.
    job: String,
    profiles: Vec<Profile>,
    required: Arc<Capabilities>,
    sessions: Sessions<Session>,
}

// === impl Stream ===

impl Stream {
    /// A stream without sessions.
    ///
    /// Orchestrators learn a random id and not the name: the name is what a viewer needs to watch.
    #[must_use]
    pub fn new(spec: StreamSpec) -> Self {
        let manifest_id = format!("{:016x}", fastrand::u64(..));
        Self {
            job: format!("{} {manifest_id}", spec.name),
            manifest_id,
            name: spec.name,
            profiles: spec.profiles,
            required: Arc::new(spec.required),
            sessions: Sessions::new(),
        }
    }

    /// Its public name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is made of it.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    pub(super) fn manifest_id(&self) -> &str {
        &self.manifest_id
    }

    /// Its name in the ledger: other than the public one it is never given twice.
    pub(super) fn job(&self) -> &str {
        &self.job
    }

    pub(super) fn required(&self) -> &Arc<Capabilities> {
        &self.required
    }

    pub(super) fn sessions(&self) -> &Sessions<Session> {
        &self.sessions
    }

    pub(super) fn affinity(&self) -> u64 {
        Symbol::of(&self.manifest_id).0
    }

    /// Pixels that `duration` of it costs, as orchestrators estimate them: whole seconds, whole frame rates, 60 where
    /// the source's rate is kept.
    pub(super) fn pixels(&self, duration: Duration) -> u64 {
        let seconds = duration.as_millis().div_ceil(1000) as u64;
        let frame = |profile: &Profile| u64::from(profile.width) * u64::from(profile.height);
        let rate = |profile: &Profile| match profile.whole_fps() {
            0 => 60,
            fps => u64::from(fps),
        };
        self.profiles
            .iter()
            .map(|profile| {
                frame(profile)
                    .saturating_mul(rate(profile))
                    .saturating_mul(seconds)
            })
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::profile::presets;

    use super::*;

    fn pixels(names: &str, ms: u64) -> u64 {
        let stream = Stream::new(StreamSpec {
            name: "movie".to_owned(),
            profiles: presets(names).expect("presets"),
            required: Capabilities::default(),
        });
        stream.pixels(Duration::from_millis(ms))
    }

    #[test]
    fn pixels_are_counted_as_the_network_counts_them() {
        assert_eq!(pixels("P144p30fps16x9", 2000), 2_211_840);
        assert_eq!(pixels("P144p30fps16x9,P240p30fps16x9", 2000), 8_346_240);
        assert_eq!(pixels("P144p30fps16x9,P240p30fps16x9", 2200), 12_519_360);
    }
}
