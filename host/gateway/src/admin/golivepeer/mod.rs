//! go-livepeer's CLI API, as far as operators script it against a gateway: same paths, same forms, same answers.
//!
//! # Contract
//!
//! Parameters come in the query or in an urlencoded body. Answers are texts or JSON as go-livepeer writes them, errors texts with its statuses:
//! 400 for a request that cannot be, 500 for what cannot be done now, `missing ETH client` off-chain. Amounts are wei.
//!
//! Reading takes GET or POST; changing takes POST alone and needs the admin token, unless the operator lets `livepeer_cli` write on
//! loopback. Who may ask is the [guard](super::guard)'s affair, for these paths as for all others.
//!
//! What only orchestrators and delegators do answers 400 and says so. Whatever is set here holds until the gateway ends, as there.

mod account;
mod answer;
mod ask;
mod capabilities;
mod config;
mod form;
mod node;
mod protocol;

use axum::Router;
use axum::routing::{get, post};

use super::AdminState;
use answer::Fault;

pub use node::Verbosity;

/// Paths that change nothing, whatever the method.
pub(super) const READS: &[&str] = &[
    "/status",
    "/streamID",
    "/manifestID",
    "/localStreams",
    "/EthChainID",
    "/currentBlock",
    "/IsOrchestrator",
    "/IsRedeemer",
    "/getLogLevel",
    "/getBroadcastConfig",
    "/getAvailableTranscodingOptions",
    "/getNetworkCapabilities",
    "/getAISessionPoolsInfo",
    "/currentRound",
    "/roundInitialized",
    "/protocolParameters",
    "/registeredOrchestrators",
    "/contractAddresses",
    "/delegatorInfo",
    "/ethAddr",
    "/ethBalance",
    "/tokenBalance",
    "/senderInfo",
    "/ticketBrokerParams",
    "/maxGasPrice",
    "/minGasPrice",
];

/// Paths that change something.
pub(super) const WRITES: &[&str] = &[
    "/setBroadcastConfig",
    "/setMaxPriceForCapability",
    "/fundDepositAndReserve",
    "/fundDeposit",
    "/unlock",
    "/cancelUnlock",
    "/withdraw",
    "/setMaxGasPrice",
    "/setLogLevel",
];

/// Paths of what a gateway does not do, and why.
const OTHERS: &[(&str, &str)] = &[
    ("/orchestratorInfo", ORCHESTRATOR),
    ("/activateOrchestrator", ORCHESTRATOR),
    ("/setOrchestratorConfig", ORCHESTRATOR),
    ("/setMaxFaceValue", ORCHESTRATOR),
    ("/setPriceForBroadcaster", ORCHESTRATOR),
    ("/orchestratorEarningPoolsForRound", ORCHESTRATOR),
    ("/reward", ORCHESTRATOR),
    ("/bond", STAKE),
    ("/rebond", STAKE),
    ("/unbond", STAKE),
    ("/unbondingLocks", STAKE),
    ("/withdrawStake", STAKE),
    ("/withdrawFees", STAKE),
    ("/claimEarnings", STAKE),
    ("/transferTokens", STAKE),
    ("/requestTokens", STAKE),
    ("/vote", STAKE),
    ("/voteOnProposal", STAKE),
    (
        "/signMessage",
        "this gateway signs tickets and nothing else: whoever has its signature under a text of his own choice could have a \
                      ticket. Sign with the keystore in another tool",
    ),
    (
        "/initializeRound",
        "this gateway initialises no rounds: orchestrators do, and anyone can with a transaction",
    ),
    (
        "/setMinGasPrice",
        "there is no least gas price here: transactions offer what the chain asks",
    ),
    (
        "/setMaxSessions",
        "this cannot be changed while the gateway runs: start it with --max-sessions",
    ),
    ("/debug", "see /api/v1/status and /api/v1/streams"),
];

const ORCHESTRATOR: &str = "this is for orchestrators, and this is a gateway";
const STAKE: &str =
    "this moves LPT or stake, which a gateway needs none of: use another wallet for it";

/// The routes.
pub(super) fn router() -> Router<AdminState> {
    macro_rules! read {
        ($handler:path) => {
            get($handler).post($handler)
        };
    }
    let known = Router::new()
        .route("/status", read!(node::status))
        .route("/streamID", read!(node::stream_id))
        .route("/manifestID", read!(node::manifest_id))
        .route("/localStreams", read!(node::local_streams))
        .route("/EthChainID", read!(node::chain_id))
        .route("/currentBlock", read!(node::current_block))
        .route("/IsOrchestrator", read!(node::no))
        .route("/IsRedeemer", read!(node::no))
        .route("/getLogLevel", read!(node::log_level))
        .route("/setLogLevel", post(node::set_log_level))
        .route("/getBroadcastConfig", read!(config::get))
        .route("/setBroadcastConfig", post(config::set))
        .route("/getAvailableTranscodingOptions", read!(config::options))
        .route("/setMaxPriceForCapability", post(config::set_capability))
        .route("/getNetworkCapabilities", read!(capabilities::network))
        .route("/getAISessionPoolsInfo", read!(capabilities::pools))
        .route("/currentRound", read!(protocol::current_round))
        .route("/roundInitialized", read!(protocol::round_initialized))
        .route("/protocolParameters", read!(protocol::parameters))
        .route("/registeredOrchestrators", read!(protocol::orchestrators))
        .route("/contractAddresses", read!(protocol::contracts))
        .route("/delegatorInfo", read!(protocol::delegator))
        .route("/ethAddr", read!(account::address))
        .route("/ethBalance", read!(account::eth_balance))
        .route("/tokenBalance", read!(account::token_balance))
        .route("/senderInfo", read!(account::sender))
        .route("/ticketBrokerParams", read!(account::broker))
        .route("/maxGasPrice", read!(account::max_gas_price))
        .route("/minGasPrice", read!(account::min_gas_price))
        .route("/setMaxGasPrice", post(account::set_max_gas_price))
        .route("/fundDepositAndReserve", post(account::fund_both))
        .route("/fundDeposit", post(account::fund_deposit))
        .route("/unlock", post(account::unlock))
        .route("/cancelUnlock", post(account::cancel_unlock))
        .route("/withdraw", post(account::withdraw))
        .route(
            "/registerLiveRunners",
            post(async || Fault::missing("live runners are not supported")),
        );
    OTHERS.iter().fold(known, |router, &(path, why)| {
        let answer = move || async move { Fault::request(why) };
        router.route(path, get(answer).post(answer))
    })
}
