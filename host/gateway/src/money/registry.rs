//! The chain's orchestrators, as the directory is told of them.
//!
//! # Contract
//!
//! Whatever the chain was last read to say is told at once, the former process's last reading included, so that a start without a
//! node still finds them; and again whenever a reading differs: by round, by a changed entry of a registry, by stake. An outage tells
//! nothing, and so takes nobody away.

use std::sync::Arc;

use pointsman_chain::{Chain, Orchestrator, ServiceUri, State};
use pointsman_directory::{Directory, Member, Registry, Told, Which};
use pointsman_payments::U256;
use tokio_util::sync::CancellationToken;

use super::Money;

/// Wei of LPT, in LPT.
const LPT: f64 = 1e18;
/// Parts that cuts and shares are counted in.
const PARTS: f64 = 1e6;

// === impl Money ===

impl Money {
    /// Tells `directory` who is registered. What is returned goes on telling until `stop`.
    #[must_use]
    pub fn enlist(
        &self,
        directory: &Directory,
        stop: CancellationToken,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let chain = self.chain.clone()?;
        let told = chain.state();
        if let Some(state) = &told {
            directory.register(registry(state));
        }
        let directory = directory.clone();
        Some(async move {
            stop.run_until_cancelled(follow(chain, directory, told))
                .await;
        })
    }
}

async fn follow(chain: Chain, directory: Directory, mut told: Option<Arc<State>>) {
    let mut changes = chain.changes();
    // What came between the two is seen as well.
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let Some(state) = changes.borrow_and_update().clone() else {
            continue;
        };
        if told.as_ref().is_some_and(|told| same(told, &state)) {
            continue;
        }
        directory.register(registry(&state));
        told = Some(state);
    }
}

/// Most states differ in nothing but the block.
fn same(one: &State, other: &State) -> bool {
    Arc::ptr_eq(&one.orchestrators, &other.orchestrators)
        && one.round.last_initialized == other.round.last_initialized
}

fn registry(state: &State) -> Registry {
    Registry {
        round: state.round.last_initialized,
        members: state.orchestrators.iter().map(member).collect(),
    }
}

fn member(one: &Orchestrator) -> Member {
    let part = |parts: u32| f64::from(parts) / PARTS;
    Member {
        address: one.address,
        active: one.active,
        activation_round: one.activation_round,
        stake: lpt(one.stake),
        reward_cut: part(one.reward_cut),
        fee_share: part(one.fee_share),
        entries: vec![
            (Which::Service, told(&one.uri)),
            (Which::Ai, told(&one.ai_uri)),
        ],
    }
}

fn lpt(wei: U256) -> f64 {
    f64::from(wei) / LPT
}

fn told(uri: &ServiceUri) -> Told {
    match uri {
        ServiceUri::Unset => Told::Unset,
        ServiceUri::Text(text) => Told::Text(text.clone()),
        ServiceUri::TooLong(bytes) => Told::TooLong(*bytes),
        ServiceUri::Unreadable(why) => Told::Unreadable(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use pointsman_wire::sign::Address;

    use super::*;

    #[test]
    fn stake_and_shares_are_as_people_write_them() {
        let one = Orchestrator {
            address: Address::repeat_byte(1),
            in_pool: true,
            active: true,
            stake: U256::from(1_500_000_000_000_000_000_u64),
            activation_round: 7,
            deactivation_round: u64::MAX,
            last_reward_round: 9,
            reward_cut: 100_000,
            fee_share: 1_000_000,
            uri: ServiceUri::Text(" https://a ".to_owned()),
            ai_uri: ServiceUri::TooLong(10_240),
        };
        let member = member(&one);
        assert_eq!(
            (member.stake, member.reward_cut, member.fee_share),
            (1.5, 0.1, 1.0)
        );
        assert_eq!(
            member.entries,
            [
                (Which::Service, Told::Text(" https://a ".to_owned())),
                (Which::Ai, Told::TooLong(10_240))
            ]
        );
    }
}
