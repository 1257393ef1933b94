//! Fetching renditions, and looking at them before anyone plays them.

use bytes::Bytes;
use futures::future::try_join_all;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_media::probe::check_rendition;
use pointsman_transport::{Connections, read_body};
use pointsman_wire::profile::Profile;
use pointsman_wire::result::Rendition as Offered;
use pointsman_wire::uri::ServiceUri;

use super::attempt::{of_http, of_read};
use super::{Rendition, Renditions, Segment};

/// What a rendition may weigh beyond its bit rate: short segments, key frames, audio.
const SLACK: u64 = 1 << 20;
/// What no rendition may exceed, whatever bit rate and duration the application names.
const MOST: u64 = 128 << 20;

/// Fetches every rendition at once, each whole and checked, in the order of the profiles.
pub(super) async fn all(
    connections: &Connections,
    orchestrator: &ServiceUri,
    renditions: &[Offered],
    profiles: &[Profile],
    segment: &Segment,
) -> Result<Renditions, Failure> {
    let fetches = renditions
        .iter()
        .zip(profiles)
        .map(|(rendition, profile)| async move {
            let cap = most_bytes(profile, segment);
            let media = one(connections, orchestrator, &rendition.uri, cap)
                .await
                .map_err(|failure| in_rendition(profile, failure))?;
            let facts = check_rendition(&media).map_err(|error| {
                let failure = Failure::new(
                    Blame::Orchestrator,
                    FailureKind::BadRendition,
                    error.to_string(),
                );
                in_rendition(profile, failure)
            })?;
            Ok(Rendition { media, facts })
        });
    try_join_all(fetches).await
}

async fn one(
    connections: &Connections,
    orchestrator: &ServiceUri,
    uri: &Uri,
    cap: usize,
) -> Result<Bytes, Failure> {
    // What we are told to fetch is a stranger's word: it may only lead back to the orchestrator, or it could make this gateway
    // call into its own network.
    if !is_at(orchestrator, uri) {
        let detail = format!("{uri} is not at {}", orchestrator.origin());
        return Err(Failure::new(
            Blame::Orchestrator,
            FailureKind::BadRendition,
            detail,
        ));
    }
    let request = Request::get(uri).body(Full::default()).map_err(|error| {
        Failure::new(
            Blame::Orchestrator,
            FailureKind::BadRendition,
            error.to_string(),
        )
    })?;
    let response = connections
        .http()
        .send(request)
        .await
        .map_err(|error| of_http(&error))?;
    let status = response.status();
    if status != StatusCode::OK {
        let failure = Failure::new(
            Blame::Orchestrator,
            FailureKind::Download,
            format!("{uri} answers {status}"),
        );
        return Err(failure.with_status(status.as_u16()));
    }
    read_body(response.into_body(), cap)
        .await
        .map_err(|error| of_read(&error, FailureKind::BadRendition))
}

/// Whether `uri` has the orchestrator's scheme, host and port.
fn is_at(orchestrator: &ServiceUri, uri: &Uri) -> bool {
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    ServiceUri::from_webhook(&format!("{scheme}://{authority}"))
        .is_ok_and(|found| found.origin() == orchestrator.origin())
}

/// Four times what its bit rate makes of the segment: encoders overshoot, but memory is ours.
fn most_bytes(profile: &Profile, segment: &Segment) -> usize {
    let millis = u64::try_from(segment.duration.as_millis()).unwrap_or(u64::MAX);
    let expected = u64::from(profile.bitrate).saturating_mul(millis) / 8000;
    let source = segment.media.len() as u64;
    usize::try_from((expected.max(source) * 4).saturating_add(SLACK).min(MOST))
        .unwrap_or(usize::MAX)
}

fn in_rendition(profile: &Profile, failure: Failure) -> Failure {
    failure.within(&format!("rendition {}", profile.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_orchestrators_own_port_is_fetched_from() {
        let orchestrator = ServiceUri::from_static("203.0.113.7:8935").expect("a URI");
        let is_at = |uri: &str| is_at(&orchestrator, &uri.parse().expect("a URI"));
        assert!(is_at("https://203.0.113.7:8935/stream/a/P/0.ts"));
        assert!(!is_at("https://203.0.113.7:22/stream/a/P/0.ts"));
        assert!(!is_at("http://203.0.113.7:8935/stream/a/P/0.ts"));
        assert!(!is_at("https://169.254.169.254/latest/meta-data"));
        assert!(!is_at("/stream/a/P/0.ts"));
    }
}
