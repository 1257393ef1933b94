//! Views of contracts that nothing else here needs, asked one by one.

use pointsman_chain::Chain;
use pointsman_chain::rpc::Call;
use pointsman_payments::U256;
use pointsman_wire::sign::{Address, keccak256};
use serde_json::json;

use super::Fault;

/// A view: of whom, its signature, and the addresses it takes.
pub(super) type View<'a> = (Address, &'a str, &'a [Address]);

/// A word of 32 bytes.
const WORD: usize = 32;

/// The words that each view answers, by one request; none where the contract refuses, or is not there.
pub(super) async fn views(chain: &Chain, views: &[View<'_>]) -> Result<Vec<Vec<U256>>, Fault> {
    let calls: Vec<Call> = views.iter().map(call).collect();
    let answered = chain.rpc().batch(&calls).await;
    let answered = answered.map_err(|error| Fault::internal(error.to_string()))?;
    let answers = answered.answers.iter();
    Ok(answers
        .map(|answer| words(&answer.parse::<String>("bytes").unwrap_or_default()))
        .collect())
}

/// The first word of each.
pub(super) async fn numbers(chain: &Chain, asked: &[View<'_>]) -> Result<Vec<U256>, Fault> {
    let all = views(chain, asked).await?;
    let first = |words: Vec<U256>| words.first().copied().unwrap_or_default();
    Ok(all.into_iter().map(first).collect())
}

/// Contracts by their names in the Controller; zero where it knows none.
pub(super) async fn contracts<const N: usize>(
    chain: &Chain,
    names: [&str; N],
) -> Result<[Address; N], Fault> {
    let controller = chain.network().controller;
    let call = |name: &str| {
        let id = keccak256(name.as_bytes());
        let mut data = selector("getContract(bytes32)");
        data.extend_from_slice(id.as_slice());
        eth_call(controller, &data)
    };
    let calls = names.map(call);
    let answered = chain.rpc().batch(&calls).await;
    let answered = answered.map_err(|error| Fault::internal(error.to_string()))?;
    let mut found = [Address::ZERO; N];
    for (found, answer) in found.iter_mut().zip(&answered.answers) {
        let words = words(&answer.parse::<String>("bytes").unwrap_or_default());
        if let Some(word) = words.first() {
            *found = Address::from_slice(&word.to_be_bytes::<WORD>()[12..]);
        }
    }
    Ok(found)
}

fn call(&(to, signature, arguments): &View<'_>) -> Call {
    let mut data = selector(signature);
    for argument in arguments {
        data.extend_from_slice(&[0; 12]);
        data.extend_from_slice(argument.as_slice());
    }
    eth_call(to, &data)
}

fn eth_call(to: Address, data: &[u8]) -> Call {
    let data: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    Call::new(
        "eth_call",
        json!([{ "to": to, "data": format!("0x{data}") }, "latest"]),
    )
}

fn selector(signature: &str) -> Vec<u8> {
    keccak256(signature.as_bytes())[..4].to_vec()
}

/// The words of an answer in hexadecimal; what is no whole word is dropped.
fn words(answer: &str) -> Vec<U256> {
    let digits = answer.strip_prefix("0x").unwrap_or_default().as_bytes();
    let word = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        U256::from_str_radix(digits, 16).ok()
    };
    digits.chunks_exact(2 * WORD).map_while(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_words() {
        let two = format!("0x{:064x}{:064x}", 7, 9);
        assert_eq!(words(&two), [U256::from(7), U256::from(9)]);
        for nothing in ["", "0x", "0x12", "zz", &"0xé".repeat(40)] {
            assert!(words(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn selectors_are_the_protocols() {
        assert_eq!(selector("getContract(bytes32)"), [0xe1, 0x6c, 0x7d, 0x98]);
        assert_eq!(
            selector("getTranscoderPoolSize()"),
            [0x2a, 0x4e, 0x0d, 0x55]
        );
    }
}
