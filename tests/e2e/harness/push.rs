//! Segments pushed over HTTP.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;

use super::multipart::{self, Part};
use super::{Gateway, SEGMENT, media};

/// A push to be sent: a segment of MPEG-TS that wants its renditions back, unless told otherwise.
pub(crate) struct Push<'g> {
    gateway: &'g Gateway,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// A push that was answered.
#[derive(Debug)]
pub(crate) struct Pushed {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// Renditions; none unless the answer is multipart.
    pub(crate) parts: Vec<Part>,
    /// From the first byte sent to the last one received.
    pub(crate) elapsed: Duration,
}

// === impl Gateway ===

impl Gateway {
    /// A push of segment `sequence` of the stream `name`.
    pub(crate) async fn push(&self, name: &str, sequence: u64) -> Pushed {
        self.pushing(&format!("/live/{name}/{sequence}.ts"))
            .send()
            .await
    }

    /// A push to any path, to be changed before it is sent.
    pub(crate) fn pushing(&self, path: &str) -> Push<'_> {
        let push = Push {
            gateway: self,
            method: Method::PUT,
            path: path.to_owned(),
            headers: Vec::new(),
            body: media::segment(),
        };
        push.header("Accept", "multipart/mixed")
            .lasting(SEGMENT)
            .header("Content-Resolution", "320x180")
    }
}

// === impl Push ===

impl Push<'_> {
    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header instead of the one there is.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        let mut push = self.without(name);
        push.headers.push((name.to_owned(), value.to_owned()));
        push
    }

    /// Sets how long the segment lasts.
    pub(crate) fn lasting(self, duration: Duration) -> Self {
        self.header("Content-Duration", &duration.as_millis().to_string())
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Sets what `Livepeer-Transcode-Configuration` says.
    pub(crate) fn configured(self, json: &str) -> Self {
        self.header("Livepeer-Transcode-Configuration", json)
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self) -> Pushed {
        let url = format!("{}{}", self.gateway.http, self.path);
        let mut request = self
            .gateway
            .client
            .request(self.method, url)
            .body(self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let started = Instant::now();
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .map(|kind| kind.to_str().expect("text").to_owned());
        let body = response.bytes().await.expect("a body");
        let elapsed = started.elapsed();
        let parts = match kind
            .as_deref()
            .and_then(|kind| kind.strip_prefix("multipart/mixed; boundary="))
        {
            Some(boundary) => multipart::parse(boundary, &body),
            None => Vec::new(),
        };
        Pushed {
            status,
            body,
            parts,
            elapsed,
        }
    }
}

// === impl Pushed ===

impl Pushed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Names of the renditions, in order.
    pub(crate) fn renditions(&self) -> Vec<&str> {
        self.parts
            .iter()
            .map(|part| part.header("rendition-name"))
            .collect()
    }

    /// Fails unless it was answered with both default renditions, each the source as it was: what passthrough orchestrators give.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.renditions(), ["P240p30fps16x9", "P360p30fps16x9"]);
        for part in &self.parts {
            assert!(
                part.media == media::segment(),
                "{}: not the media that was sent",
                part.header("rendition-name")
            );
        }
    }

    /// The same, in the time that a live stream has.
    #[track_caller]
    pub(crate) fn assert_in_time(&self) {
        self.assert_whole();
        assert!(self.elapsed < SEGMENT, "answered after {:?}", self.elapsed);
    }
}
