//! What an application says about a stream: in the auth webhook's answer, or in the header
//! `Livepeer-Transcode-Configuration` of a push. Both are the same JSON, go-livepeer's.
//!
//! # Contract
//!
//! Every field go-livepeer knows is parsed. What is not supported yet (object stores, recording, verification) refuses the stream
//! with the reason: to accept and ignore it would lose what the application relies on. Unknown fields are ignored, as they are there.

use pointsman_facts::Hints;
use pointsman_media::name::{NameError, StreamKey, StreamName, StreamPath};
use pointsman_wire::profile::{Profile, ProfileError, from_json, preset};
use serde::Deserialize;
use serde_json::Value;

use super::hints::{HEADER, HintsError, from_value};

/// Longest id of the application's that is taken, in bytes: they are on every line of the log about the stream.
const MAX_ID: usize = 256;

/// The JSON, as it comes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    #[serde(rename = "manifestID")]
    manifest_id: Option<String>,
    stream_key: Option<String>,
    #[serde(rename = "streamID")]
    stream_id: Option<String>,
    #[serde(rename = "sessionID")]
    session_id: Option<String>,
    presets: Option<Vec<String>>,
    profiles: Option<Value>,
    object_store: Option<String>,
    record_object_store: Option<String>,
    record_object_store_url: Option<String>,
    previous_sessions: Option<Vec<String>>,
    verification_freq: Option<u32>,
    timeout_multiplier: Option<i32>,
    force_session_reinit: Option<bool>,
    hints: Option<Value>,
}

/// The same, checked.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Name the stream goes by, instead of the one it was published under.
    pub name: Option<StreamName>,
    /// Key that the publish URL must carry.
    pub key: Option<StreamKey>,
    /// The application's own id, for logs and the admin API.
    pub stream_id: Option<String>,
    /// The application's session, for logs.
    pub session_id: Option<String>,
    /// Renditions; `None`: the gateway's default ones. Empty: only the source.
    pub profiles: Option<Vec<Profile>>,
    /// Earlier sessions, for recordings.
    pub previous_sessions: Vec<String>,
    /// Scales the time an orchestrator gets, where above 1.
    pub timeout_multiplier: u32,
    /// Whether orchestrators must start their encoders anew for this segment.
    pub reinit: bool,
    /// What the application wants of routing; only the webhook says so here.
    pub hints: Hints,
}

/// Why the terms cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// Not the JSON it should be.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A profile or preset that cannot be.
    #[error("{0}")]
    Profile(#[from] ProfileError),
    /// A name or key that cannot be.
    #[error("{field}: {error}")]
    Name {
        /// The field.
        field: &'static str,
        /// What is wrong.
        error: NameError,
    },
    /// Something this gateway does not do yet.
    #[error("{field}: {problem} is not supported yet; leave it out")]
    Unsupported {
        /// The field.
        field: &'static str,
        /// What it asks for.
        problem: &'static str,
    },
    /// An id that would fill the log.
    #[error("{0}: longer than {MAX_ID} bytes")]
    LongId(&'static str),
    /// Hints that cannot be taken.
    #[error("hints: {0}")]
    Hints(#[from] HintsError),
    /// Hints in go-livepeer's header.
    #[error("hints: a push sends them in the header {HEADER}")]
    HintsElsewhere,
    /// The webhook must name the stream.
    #[error("manifestID: missing or empty")]
    NoName,
}

// === impl Terms ===

impl Terms {
    /// Reads the header of a push.
    ///
    /// # Errors
    ///
    /// [`TermsError`], naming the field.
    pub fn from_header(json: &[u8]) -> Result<Self, TermsError> {
        let document: Document = serde_json::from_slice(json)?;
        if document.hints.is_some() {
            return Err(TermsError::HintsElsewhere);
        }
        document.checked()
    }

    /// Reads a webhook's answer. Empty means: accepted as it is.
    ///
    /// # Errors
    ///
    /// [`TermsError`], naming the field.
    pub fn from_webhook(json: &[u8]) -> Result<Self, TermsError> {
        if json.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let terms = serde_json::from_slice::<Document>(json)?.checked()?;
        if terms.name.is_none() {
            return Err(TermsError::NoName);
        }
        Ok(terms)
    }
}

// === impl Document ===

impl Document {
    fn checked(mut self) -> Result<Terms, TermsError> {
        self.refuse_unsupported()?;
        let name = |id: &String| {
            let path = StreamPath::parse(id).map_err(|error| TermsError::Name {
                field: "manifestID",
                error,
            })?;
            Ok::<_, TermsError>(path.name)
        };
        let key = |key: String| {
            key.parse::<StreamKey>().map_err(|error| TermsError::Name {
                field: "streamKey",
                error,
            })
        };
        let hints = self.hints.take().filter(|hints| !hints.is_null());
        Ok(Terms {
            hints: hints.map(from_value).transpose()?.unwrap_or_default(),
            name: self.manifest_id.as_ref().map(name).transpose()?.flatten(),
            key: self
                .stream_key
                .clone()
                .filter(|key| !key.is_empty())
                .map(key)
                .transpose()?,
            profiles: self.renditions()?,
            stream_id: id("streamID", self.stream_id)?,
            session_id: id("sessionID", self.session_id)?,
            previous_sessions: self.previous_sessions.unwrap_or_default(),
            timeout_multiplier: self
                .timeout_multiplier
                .and_then(|times| u32::try_from(times).ok())
                .unwrap_or(1)
                .clamp(1, 10),
            reinit: self.force_session_reinit.unwrap_or(false),
        })
    }

    fn refuse_unsupported(&self) -> Result<(), TermsError> {
        let set = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let unsupported = [
            ("objectStore", set(&self.object_store), "an object store"),
            (
                "recordObjectStore",
                set(&self.record_object_store),
                "recording",
            ),
            (
                "recordObjectStoreUrl",
                set(&self.record_object_store_url),
                "recording",
            ),
            (
                "verificationFreq",
                self.verification_freq.is_some_and(|n| n > 0),
                "fast verification",
            ),
        ];
        match unsupported.into_iter().find(|(_, asked, _)| *asked) {
            Some((field, _, problem)) => Err(TermsError::Unsupported { field, problem }),
            None => Ok(()),
        }
    }

    /// Presets, then profiles. Neither: the gateway's default; an empty list of profiles and no presets: none at all.
    fn renditions(&self) -> Result<Option<Vec<Profile>>, ProfileError> {
        let presets = self.presets.as_deref().unwrap_or_default();
        let profiles = self.profiles.as_ref().filter(|value| !value.is_null());
        if presets.is_empty() && profiles.is_none() {
            return Ok(None);
        }
        let mut all = presets
            .iter()
            .map(|name| preset(name))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(profiles) = profiles {
            all.extend(from_json(profiles, "profiles")?);
        }
        pointsman_wire::profile::check_list(&all)?;
        Ok(Some(all))
    }
}

/// An id of the application's. Empty is none.
fn id(field: &'static str, id: Option<String>) -> Result<Option<String>, TermsError> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) if id.len() > MAX_ID => Err(TermsError::LongId(field)),
        id => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        Terms::from_webhook(json.as_bytes())
            .expect_err(json)
            .to_string()
    }

    #[test]
    fn an_empty_answer_accepts_and_an_answer_without_name_refuses() {
        assert!(
            Terms::from_webhook(b" \n")
                .expect("accepted")
                .profiles
                .is_none()
        );
        assert_eq!(error("{}"), "manifestID: missing or empty");
        assert_eq!(
            error(r#"{"manifestID":""}"#),
            "manifestID: missing or empty"
        );
    }

    #[test]
    fn presets_come_before_profiles_and_an_empty_list_means_source_only() {
        let terms = Terms::from_webhook(
            br#"{"manifestID":"m","presets":["P144p30fps16x9"],"profiles":[{"width":320,"height":180,"bitrate":300000}]}"#,
        )
        .expect("valid");
        let names: Vec<_> = terms
            .profiles
            .expect("given")
            .iter()
            .map(|p| p.name.to_string())
            .collect();
        assert_eq!(names, ["P144p30fps16x9", "custom_320x180_300000"]);
        let none = Terms::from_header(br#"{"profiles":[]}"#).expect("valid");
        assert_eq!(none.profiles.expect("given"), []);
    }

    #[test]
    fn what_is_not_supported_refuses_and_names_the_field() {
        for (json, field) in [
            (
                r#"{"manifestID":"m","objectStore":"s3://k:s@r/b"}"#,
                "objectStore",
            ),
            (
                r#"{"manifestID":"m","recordObjectStore":"s3://k:s@r/b"}"#,
                "recordObjectStore",
            ),
            (
                r#"{"manifestID":"m","recordObjectStoreUrl":"https://cdn"}"#,
                "recordObjectStoreUrl",
            ),
            (
                r#"{"manifestID":"m","verificationFreq":3}"#,
                "verificationFreq",
            ),
        ] {
            let error = error(json);
            assert!(error.starts_with(field), "{error}");
            assert!(!error.contains("k:s"), "no credentials: {error}");
        }
        assert!(
            Terms::from_webhook(br#"{"manifestID":"m","verificationFreq":0,"objectStore":""}"#)
                .is_ok()
        );
    }

    #[test]
    fn a_wrong_profile_is_named() {
        let error =
            error(r#"{"manifestID":"m","profiles":[{"width":0,"height":180,"bitrate":1}]}"#);
        assert!(error.starts_with("profiles[0].width"), "{error}");
        let error = error_of_header(r#"{"presets":["P720p30fps16x8"]}"#);
        assert!(error.contains("P720p30fps16x9"), "{error}");
    }

    #[test]
    fn ids_are_kept_unless_they_would_fill_the_log() {
        let json = |field: &str, length| {
            let id = "x".repeat(length);
            format!(r#"{{"manifestID":"m","{field}":"{id}"}}"#)
        };
        for field in ["streamID", "sessionID"] {
            let terms = Terms::from_webhook(json(field, 256).as_bytes()).expect("valid");
            let id = terms.stream_id.or(terms.session_id);
            assert_eq!(id.map(|id| id.len()), Some(256));
            let refused = error(&json(field, 257));
            assert!(refused.starts_with(field), "{refused}");
            let empty = Terms::from_webhook(json(field, 0).as_bytes()).expect("valid");
            assert_eq!((empty.stream_id, empty.session_id), (None, None));
        }
    }

    fn error_of_header(json: &str) -> String {
        Terms::from_header(json.as_bytes())
            .expect_err(json)
            .to_string()
    }
}
