//! What can go wrong between the gateway and a node, and whose word it is.

use std::fmt;
use std::time::Duration;

use super::envelope::RawError;

/// Longest text of a node that is shown, characters.
const MAX_TEXT: usize = 200;

/// Why an endpoint gave no answer that can be used. It rests; the next one is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing came in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// No connection, or it broke.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// HTTP 429 or a node's words for it, with how long it asks to be left alone.
    #[error("rate limit reached{}", retry(.0))]
    Throttled(Option<Duration>),
    /// Any other HTTP status than 200.
    #[error("HTTP {}{}", .0, hint(*.0))]
    Status(u16),
    /// The answer is longer than is read.
    #[error("answer of more than {0} bytes")]
    TooLarge(usize),
    /// Not the JSON-RPC that was asked for.
    #[error("not a JSON-RPC answer: {0}")]
    Garbage(&'static str),
    /// It refused the batch as such: too many calls at once, or any.
    #[error("refuses batches of {0} calls")]
    BatchRefused(usize),
    /// It does not know the block that was asked about: it lags behind another node.
    #[error("is behind: {0}")]
    Behind(String),
    /// It serves another chain.
    #[error("serves chain {got}, not {want}: check the URL or the network")]
    WrongChain {
        /// Its `eth_chainId`.
        got: u64,
        /// What the network or the first endpoint said.
        want: u64,
    },
    /// Its head does not move, or jumps where no chain goes.
    #[error("its head is not believed: {0}")]
    Head(String),
}

/// An error object in an answer: the node understood and will not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As the node gave it.
    pub code: i64,
    /// Cut to 200 characters, without control characters and without parts of the endpoint's URL.
    pub message: String,
    /// What follows from it.
    pub kind: RefusalKind,
}

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The contract said no, or ran out of gas. Every node will say the same.
    Reverted,
    /// Too many results or too long a range: ask for less.
    TooMuch,
    /// The node does not know the method.
    Unsupported,
    /// The node lags. Inside the pool only.
    Behind,
    /// Too many requests. Inside the pool only.
    Throttled,
    /// Anything else: the other endpoints were asked as well.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// Every endpoint failed or rests.
    #[error("no RPC endpoint answers ({0})")]
    Down(Faults),
    /// The answer is longer than is read: ask for less.
    #[error("an RPC answer has more than {0} bytes")]
    TooLarge(usize),
    /// The node refused.
    #[error("{method}: {refusal}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Why not.
        refusal: Refusal,
    },
    /// The answer is JSON-RPC, of another type than the method has.
    #[error("{method}: the answer is not {wanted}")]
    Shape {
        /// What was asked.
        method: &'static str,
        /// What was expected.
        wanted: &'static str,
    },
}

/// Last fault of each endpoint, by its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<(String, Fault)>);

// === impl Refusal ===

impl Refusal {
    /// `scrub` takes out what may not be shown.
    pub(super) fn new(raw: &RawError<'_>, scrub: impl Fn(&str) -> String) -> Self {
        let text: String = raw
            .message
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(4 * MAX_TEXT)
            .collect();
        let kind = RefusalKind::of(raw.code, &text.to_lowercase());
        let message = scrub(&text).chars().take(MAX_TEXT).collect();
        Self {
            code: raw.code,
            message,
            kind,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

// === impl RefusalKind ===

impl RefusalKind {
    /// Nodes agree on few codes, so words count as well. `text` is lower case.
    fn of(code: i64, text: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let too_much = [
            "more than",
            "block range",
            "range is too",
            "response size",
            "results",
        ];
        let behind = [
            "header not found",
            "unknown block",
            "block not found",
            "could not find block",
            "unsupported block number",
            "missing trie node",
            "blockoutofrange",
            "block is out of range",
            "block number out of range",
        ];
        let throttled = [
            "rate limit",
            "too many requests",
            "compute units",
            "request limit",
        ];
        if has(&behind) {
            Self::Behind
        } else if code == 3 || has(&["revert", "out of gas", "outofgas", "invalid opcode"]) {
            Self::Reverted
        } else if has(&too_much) {
            Self::TooMuch
        } else if code == 429 || code == -32005 || has(&throttled) {
            Self::Throttled
        } else if code == -32601 {
            Self::Unsupported
        } else {
            Self::Other
        }
    }
}

// === impl Faults ===

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (label, fault)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}{label}: {fault}")?;
        }
        Ok(())
    }
}

fn retry(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |after| {
        format!(", asks to be left alone for {} s", after.as_secs())
    })
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => " (check the API key)",
        404 => " (check the URL)",
        300..=399 => " (redirects are not followed: give the final URL)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i64, message: &str) -> RefusalKind {
        let raw = RawError {
            code,
            message: message.into(),
        };
        Refusal::new(&raw, str::to_owned).kind
    }

    #[test]
    fn the_words_of_known_nodes_are_understood() {
        use RefusalKind::*;
        for (code, message, want) in [
            (-32000, "header not found", Behind),
            (
                -32602,
                "BlockOutOfRangeError: block height is 5 but requested was 9",
                Behind,
            ),
            (-32000, "unsupported block number 7", Behind),
            (3, "execution reverted: system is paused", Reverted),
            (-32000, "out of gas", Reverted),
            (-32005, "query returned more than 10000 results", TooMuch),
            (
                -32600,
                "eth_getLogs is limited to a 1000 block range",
                TooMuch,
            ),
            (
                -32005,
                "daily request count exceeded, request rate limited",
                Throttled,
            ),
            (
                429,
                "Your app has exceeded its compute units per second",
                Throttled,
            ),
            (-32601, "the method eth_foo does not exist", Unsupported),
            (-32603, "Internal error", Other),
        ] {
            assert_eq!(kind(code, message), want, "{message}");
        }
    }

    #[test]
    fn a_nodes_text_is_cut_and_cannot_steer_a_terminal() {
        let raw = RawError {
            code: -1,
            message: format!("\u{1b}[2J{}", "x".repeat(10_000)).into(),
        };
        let refusal = Refusal::new(&raw, str::to_owned);
        assert_eq!(refusal.message.chars().count(), MAX_TEXT);
        assert!(!refusal.message.contains('\u{1b}'));
    }
}
