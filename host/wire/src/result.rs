//! The answer to a segment: a [`TranscodeResult`], read after a 200 to the end of the body.
//!
//! A 200 says only that the upload was taken. What became of the segment is in the message, and a message that claims
//! renditions is not believed blindly: their number must be that of the profiles (an orchestrator that fails to store
//! some lists fewer, under a signature over all), their addresses must be absolute `http` or `https`, their pixels not
//! negative, since pixels are what is paid.

use http::Uri;
use prost::Message as _;

use crate::limits::MAX_RESULT_BYTES;
use crate::net::transcode_result::Result as Wire;
use crate::net::{OrchestratorInfo, TranscodeResult, TranscodedSegmentData};
use crate::rejection::Rejection;

/// A result that can be acted on.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Number of the segment, as the orchestrator says it.
    pub sequence: i64,
    /// Its next offer, which replaces the session's whole. Not checked.
    pub info: Option<OrchestratorInfo>,
    /// Renditions, or why there are none.
    pub outcome: Result<Transcoded, Rejection>,
}

/// Renditions of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcoded {
    /// In the order of the profiles, one for each.
    pub renditions: Vec<Rendition>,
    /// Over the hashes of all; empty off-chain.
    pub signature: Vec<u8>,
}

/// One rendition, still at the orchestrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// Where to fetch it.
    pub uri: Uri,
    /// Encoded pixels; what is paid.
    pub pixels: u64,
    /// Where to fetch its perceptual hash.
    pub perceptual_hash: Option<Uri>,
}

/// A result that cannot be acted on. Always the orchestrator's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// Larger than any real one.
    #[error("a result of {0} bytes is too large")]
    TooLarge(usize),
    /// No message.
    #[error("the result is no TranscodeResult: {0}")]
    Garbage(#[from] prost::DecodeError),
    /// Neither renditions nor an error.
    #[error("the result holds neither renditions nor an error")]
    Empty,
    /// Not as many renditions as profiles.
    #[error("the result has {found} renditions for {expected} profiles")]
    Count {
        /// Profiles.
        expected: usize,
        /// Renditions.
        found: usize,
    },
    /// An address that cannot be fetched.
    #[error("rendition {index} has the address {address:?}, which is not an http URL")]
    Address {
        /// Which rendition.
        index: usize,
        /// The text, shortened.
        address: String,
    },
    /// Fewer than no pixels.
    #[error("rendition {index} claims {pixels} pixels")]
    Pixels {
        /// Which rendition.
        index: usize,
        /// The claim.
        pixels: i64,
    },
}

/// Decodes a body for a segment of `profiles` profiles.
///
/// # Errors
///
/// When it is no result, or not one for this segment.
pub fn decode(body: &[u8], profiles: usize) -> Result<Answer, ResultError> {
    if body.len() > MAX_RESULT_BYTES {
        return Err(ResultError::TooLarge(body.len()));
    }
    let message = TranscodeResult::decode(body)?;
    let outcome = match message.result {
        None => return Err(ResultError::Empty),
        Some(Wire::Error(text)) => Err(Rejection::in_band(&text)),
        Some(Wire::Data(data)) => {
            if data.segments.len() != profiles {
                return Err(ResultError::Count {
                    expected: profiles,
                    found: data.segments.len(),
                });
            }
            let renditions = (0..).zip(&data.segments);
            Ok(Transcoded {
                renditions: renditions
                    .map(|(index, segment)| rendition(index, segment))
                    .collect::<Result<_, _>>()?,
                signature: data.sig,
            })
        }
    };
    Ok(Answer {
        sequence: message.seq,
        info: message.info,
        outcome,
    })
}

fn rendition(index: usize, segment: &TranscodedSegmentData) -> Result<Rendition, ResultError> {
    Ok(Rendition {
        uri: address(index, &segment.url)?,
        pixels: u64::try_from(segment.pixels).map_err(|_| ResultError::Pixels {
            index,
            pixels: segment.pixels,
        })?,
        perceptual_hash: match segment.perceptual_hash_url.as_str() {
            "" => None,
            url => Some(address(index, url)?),
        },
    })
}

fn address(index: usize, url: &str) -> Result<Uri, ResultError> {
    let uri = url.parse::<Uri>().ok();
    uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
        .ok_or_else(|| ResultError::Address {
            index,
            address: url.chars().take(120).collect(),
        })
}

// === impl Transcoded ===

impl Transcoded {
    /// Pixels of all renditions.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        let pixels = self.renditions.iter().map(|rendition| rendition.pixels);
        pixels.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TranscodeData;

    fn encoded(result: Option<Wire>) -> Vec<u8> {
        let message = TranscodeResult {
            result,
            ..Default::default()
        };
        message.encode_to_vec()
    }

    fn one(url: &str, pixels: i64, hash: &str) -> Result<Answer, ResultError> {
        let segment = TranscodedSegmentData {
            url: url.to_owned(),
            pixels,
            perceptual_hash_url: hash.to_owned(),
        };
        let segments = vec![segment];
        let data = TranscodeData {
            segments,
            ..Default::default()
        };
        decode(&encoded(Some(Wire::Data(data))), 1)
    }

    #[test]
    fn neither_renditions_nor_an_error_is_no_result() {
        assert_eq!(decode(&encoded(None), 0).err(), Some(ResultError::Empty));
        let body = vec![0; MAX_RESULT_BYTES + 1];
        let too_large = ResultError::TooLarge(body.len());
        assert_eq!(decode(&body, 0).err(), Some(too_large));
        assert!(matches!(decode(b"<html>", 0), Err(ResultError::Garbage(_))));
    }

    #[test]
    fn no_profiles_make_a_result_without_renditions() {
        let body = encoded(Some(Wire::Data(TranscodeData::default())));
        let answer = decode(&body, 0).expect("an answer");
        assert_eq!(answer.outcome.expect("none asked for").renditions, []);
    }

    #[test]
    fn renditions_must_be_fetchable_and_countable() {
        let good = one("https://127.0.0.1:8936/stream/id/P/0.ts", 9, "");
        let transcoded = good.expect("an answer").outcome.expect("renditions");
        assert_eq!(
            (
                transcoded.pixels(),
                &transcoded.renditions[0].perceptual_hash
            ),
            (9, &None)
        );
        for url in [
            "",
            "/stream/0.ts",
            "file:///etc/passwd",
            "0.ts",
            "https://",
            "https:///x",
        ] {
            let error = one(url, 9, "").expect_err("refused");
            assert!(
                matches!(error, ResultError::Address { index: 0, .. }),
                "{url}: {error}"
            );
        }
        let hash = one("https://o/0.ts", 9, "data:,x").expect_err("refused");
        assert!(matches!(hash, ResultError::Address { .. }), "{hash}");
        let pixels = one("https://o/0.ts", -1, "").expect_err("refused");
        assert_eq!(
            pixels,
            ResultError::Pixels {
                index: 0,
                pixels: -1
            }
        );
    }
}
