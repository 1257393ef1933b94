//! Two orchestrators of which one is dear, for tests of who is chosen.

use pointsman_devnet::{Change, Price, Profile};

use super::{NO_HEDGES, Stage, some};

/// Name, and wei a pixel.
const BOTH: [(&str, u32); 2] = [("dear", 500), ("cheap", 1)];

// === impl Stage ===

impl Stage {
    /// `dear` and `cheap`, and a gateway that never hedges.
    pub(crate) async fn dear_and_cheap(flags: &[&str]) -> Self {
        let mut profile = Profile::passthrough(some(BOTH.len()));
        for (orchestrator, (name, price)) in profile.orchestrators.iter_mut().zip(BOTH) {
            orchestrator.name = name.to_owned();
            orchestrator.price = Some(Price::per_pixel(price));
        }
        Self::start(profile, &[&NO_HEDGES, flags].concat()).await
    }

    /// The same, where `dear` holds the stream `cam`: segment 0 was sent while `cheap` was full.
    pub(crate) async fn held_by_dear(flags: &[&str]) -> Self {
        let stage = Self::dear_and_cheap(flags).await;
        let room = |sessions| Change {
            capacity: Some(sessions),
            ..Change::default()
        };
        let cheap = stage.devnet.orchestrator("cheap").expect("there");
        cheap.set(room(0));
        assert_eq!(stage.served(0).await, "dear");
        cheap.set(room(10));
        stage
    }

    /// Pushes a segment of the stream `cam`; answers the name of who did it.
    pub(crate) async fn served(&self, sequence: u64) -> String {
        self.gateway.push("cam", sequence).await.assert_whole();
        let winner = self.winner(&format!("cam/{sequence}")).await;
        winner.name().to_owned()
    }

    /// The URI of an orchestrator by its name.
    pub(crate) fn uri(&self, name: &str) -> String {
        let orchestrator = self.devnet.orchestrator(name).expect("there");
        orchestrator.uri().to_owned()
    }
}
