//! The offer: what GetOrchestrator answers and every result repeats.
//!
//! As a real orchestrator off-chain makes it: its own URI, the zero address, capabilities, a token; no ticket parameters.
//! A price is in it when one is set, which a real one off-chain does not do. On-chain its terms are in it: address, price
//! and ticket parameters, which belong together.

use pointsman_wire::net::os_info::StorageType;
use pointsman_wire::net::{AuthToken, OrchestratorInfo, OsInfo, S3osInfo};

use crate::failure::Kind;
use crate::node::Node;
use crate::recipient::Terms;

/// Bytes of an Ethereum address.
const ADDRESS: usize = 20;

/// The offer around a token, bent by a failure.
pub(crate) fn offer(
    node: &Node,
    token: AuthToken,
    terms: Option<Terms>,
    kind: Option<&Kind>,
) -> OrchestratorInfo {
    let mut info = OrchestratorInfo {
        transcoder: node.uri.clone(),
        price_info: node.settings().price.map(crate::price::Price::info),
        address: vec![0; ADDRESS],
        capabilities: Some(node.capabilities.clone()),
        auth_token: Some(token),
        ..OrchestratorInfo::default()
    };
    if let Some(terms) = terms {
        info.address = terms.address.to_vec();
        info.price_info = Some(terms.price);
        info.ticket_params = Some(terms.params);
    }
    match kind {
        Some(Kind::WantsStorage) => info.storage = vec![storage(&info)],
        Some(Kind::WrongTranscoder { uri }) => info.transcoder.clone_from(uri),
        Some(Kind::WrongAddress) => fastrand::fill(&mut info.address),
        _ => {}
    }
    if let Some(params) = &mut info.ticket_params {
        match kind {
            Some(Kind::StaleTickets) => params.expiration_block = vec![1],
            Some(Kind::EndlessTickets) => params.expiration_block.clear(),
            Some(Kind::WrongRecipient) => fastrand::fill(&mut params.recipient),
            _ => {}
        }
    }
    info
}

/// Storage that does not exist, in the form of a POST policy.
fn storage(info: &OrchestratorInfo) -> OsInfo {
    let session = info.auth_token.as_ref().map(|token| &token.session_id);
    OsInfo {
        storage_type: StorageType::S3.into(),
        s3info: Some(S3osInfo {
            host: "http://127.0.0.1:1/bucket".to_owned(),
            key: session.cloned().unwrap_or_default(),
            policy: "e30=".to_owned(),
            signature: "00".repeat(32),
            credential: "devnet/20260101/us-east-1/s3/aws4_request".to_owned(),
            x_amz_date: "20260101T000000Z".to_owned(),
        }),
    }
}
