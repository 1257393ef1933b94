//! Reading `multipart/mixed`, by `Content-Length` as go-livepeer's clients may.

use bytes::Bytes;

/// One part.
#[derive(Debug)]
pub(crate) struct Part {
    headers: Vec<(String, String)>,
    pub(crate) media: Bytes,
}

/// Reads every part; fails the test on anything malformed.
pub(crate) fn parse(boundary: &str, body: &Bytes) -> Vec<Part> {
    let (delimiter, mut parts, mut at) = (format!("--{boundary}"), Vec::new(), 0);
    loop {
        assert!(
            body[at..].starts_with(delimiter.as_bytes()),
            "a boundary at byte {at}"
        );
        at += delimiter.len();
        if &body[at..] == b"--\r\n" {
            return parts;
        }
        let end = body[at..]
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("headers")
            + at;
        let headers = std::str::from_utf8(&body[at + 2..end])
            .expect("text")
            .split("\r\n");
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let mut part = Part {
            headers: headers.map(header).collect(),
            media: Bytes::new(),
        };
        let length: usize = part.header("content-length").parse().expect("a length");
        part.media = body.slice(end + 4..end + 4 + length);
        parts.push(part);
        at = end + 4 + length + 2;
    }
}

// === impl Part ===

impl Part {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(other, _)| other == name);
        &header
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .1
    }
}
