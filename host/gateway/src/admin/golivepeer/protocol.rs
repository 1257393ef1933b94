//! The protocol: rounds, parameters, contracts, who is registered.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use pointsman_chain::State as Chained;
use pointsman_payments::U256;
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;

use super::account::{account, chain, money};
use super::answer::{Json, Object, Text, list, quoted};
use super::node::lower;
use super::{AdminState, Fault, ask};

pub(super) async fn current_round(State(state): State<AdminState>) -> Result<Text, Fault> {
    Ok(Text(account(&state).await?.round.to_string()))
}

pub(super) async fn round_initialized(State(state): State<AdminState>) -> Result<Text, Fault> {
    Ok(Text(known(&state)?.round.initialized.to_string()))
}

pub(super) async fn contracts(State(state): State<AdminState>) -> Result<Json, Fault> {
    let contracts = known(&state)?.contracts;
    let names = ["LivepeerToken", "LivepeerTokenFaucet", "Minter"];
    let found = ask::contracts(chain(&state)?, names).await?;
    let all = [
        ("BondingManager", contracts.bonding_manager),
        ("Controller", contracts.controller),
        ("LivepeerToken", found[0]),
        ("LivepeerTokenFaucet", found[1]),
        ("Minter", found[2]),
        ("RoundsManager", contracts.rounds_manager),
        ("TicketBroker", contracts.ticket_broker),
    ];
    let object = all
        .iter()
        .fold(Object::default(), |object, (name, address)| {
            object.text(name, &lower(*address))
        });
    Ok(Json(object.end()))
}

pub(super) async fn parameters(State(state): State<AdminState>) -> Result<Json, Fault> {
    let (known, chain) = (known(&state)?, chain(&state)?);
    let (bonding, rounds) = (
        known.contracts.bonding_manager,
        known.contracts.rounds_manager,
    );
    let [minter] = ask::contracts(chain, ["Minter"]).await?;
    let asked: [ask::View<'_>; 7] = [
        (bonding, "getTranscoderPoolMaxSize()", &[]),
        (rounds, "roundLockAmount()", &[]),
        (bonding, "unbondingPeriod()", &[]),
        (minter, "inflation()", &[]),
        (minter, "inflationChange()", &[]),
        (minter, "targetBondingRate()", &[]),
        (minter, "getGlobalTotalSupply()", &[]),
    ];
    let numbers = ask::numbers(chain, &asked).await?;
    let parameters = Object::default()
        .json("NumActiveTranscoders", numbers[0])
        .json("RoundLength", known.round.length)
        .json("RoundLockAmount", numbers[1])
        .json("UnbondingPeriod", numbers[2].saturating_to::<u64>())
        .json("VerificationRate", 0)
        .json("VerificationPeriod", "null")
        .json("SlashingPeriod", "null")
        .json("FailedVerificationSlashAmount", "null")
        .json("MissedVerificationSlashAmount", "null")
        .json("DoubleClaimSegmentSlashAmount", "null")
        .json("FinderFee", "null")
        .json("Inflation", numbers[3])
        .json("InflationChange", numbers[4])
        .json("TargetBondingRate", numbers[5])
        .text("VerificationCodeHash", "")
        .json("TotalBonded", known.total_stake)
        .json("TotalSupply", numbers[6])
        .json("Paused", known.broker.paused);
    Ok(Json(parameters.end()))
}

/// The pool, highest stake first. Prices are those that were last heard of.
pub(super) async fn orchestrators(State(state): State<AdminState>) -> Result<Json, Fault> {
    let known = known(&state)?;
    let heard: HashMap<String, String> = state
        .directory
        .list()
        .into_iter()
        .filter_map(|one| Some((one.uri.to_string(), one.price?)))
        .collect();
    let pool = known.orchestrators.iter().filter(|one| one.in_pool);
    let pool = pool.map(|one| {
        let uri = one.uri.text().unwrap_or_default().trim();
        let same = ServiceUri::from_static(uri).ok();
        let price = same.and_then(|same| heard.get(same.as_str()));
        let price = price.map_or("0", |price| price.strip_suffix("/1").unwrap_or(price));
        let left = match one.deactivation_round {
            u64::MAX => U256::MAX,
            round => U256::from(round),
        };
        Object::default()
            .text("Address", &lower(one.address))
            .text("ServiceURI", uri)
            .json("LastRewardRound", one.last_reward_round)
            .json("RewardCut", one.reward_cut)
            .json("FeeShare", one.fee_share)
            .json("DelegatedStake", one.stake)
            .json("ActivationRound", one.activation_round)
            .json("DeactivationRound", left)
            .json("LastActiveStakeUpdateRound", "null")
            .json("Active", one.active)
            .text("Status", "Registered")
            .json("PricePerPixel", quoted(price))
            .end()
    });
    Ok(Json(list(pool)))
}

/// The account as a delegator, which a gateway seldom is. A chain without delegation answers zeros.
pub(super) async fn delegator(State(state): State<AdminState>) -> Result<Json, Fault> {
    let bonding = known(&state)?.contracts.bonding_manager;
    let address = money(&state)?.address();
    let who: &[Address] = &[address];
    let asked: [ask::View<'_>; 2] = [
        (bonding, "getDelegator(address)", who),
        (bonding, "delegatorStatus(address)", who),
    ];
    let answers = ask::views(chain(&state)?, &asked).await?;
    let word = |at: usize| answers[0].get(at).copied().unwrap_or_default();
    let delegate = Address::from_slice(&word(2).to_be_bytes::<32>()[12..]);
    let status = match answers[1]
        .first()
        .map(|status| status.saturating_to::<u64>())
    {
        Some(0) => "Pending",
        Some(1) => "Bonded",
        _ => "Unbonded",
    };
    let info = Object::default()
        .text("Address", &lower(address))
        .json("BondedAmount", word(0))
        .json("Fees", word(1))
        .text("DelegateAddress", &lower(delegate))
        .json("DelegatedAmount", word(3))
        .json("StartRound", word(4))
        .json("LastClaimRound", word(5))
        .json("NextUnbondingLockId", word(6))
        // go-livepeer's word for "ask for it": what is pending depends on rounds that are still to be claimed.
        .json("PendingStake", if word(0).is_zero() { 0 } else { -1 })
        .json("PendingFees", if word(0).is_zero() { 0 } else { -1 })
        .text("Status", status);
    Ok(Json(info.end()))
}

fn known(state: &AdminState) -> Result<Arc<Chained>, Fault> {
    let known = chain(state)?.state();
    known.ok_or_else(|| Fault::internal("nothing is known of the chain yet: no node has answered"))
}
