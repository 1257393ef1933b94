//! The renditions of streams that ask for none themselves.

use std::sync::Arc;

use parking_lot::RwLock;
use pointsman_wire::profile::Profile;

/// Set by the operator, at the start and while the gateway runs. Clones share them; a stream keeps what it began with.
#[derive(Clone, Debug)]
pub struct Renditions(Arc<RwLock<Vec<Profile>>>);

// === impl Renditions ===

impl Renditions {
    /// These, to begin with.
    #[must_use]
    pub fn new(profiles: Vec<Profile>) -> Self {
        Self(Arc::new(RwLock::new(profiles)))
    }

    /// What they are now.
    #[must_use]
    pub fn get(&self) -> Vec<Profile> {
        self.0.read().clone()
    }

    /// What streams that begin from now on get.
    pub fn set(&self, profiles: Vec<Profile>) {
        *self.0.write() = profiles;
    }
}
