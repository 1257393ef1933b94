//! The answer to a push: one part a rendition, as go-livepeer frames it.
//!
//! Parts go out as the buffers they came in as; only the few bytes between them are new.

use std::convert::Infallible;
use std::fmt::Write;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use pointsman_wire::profile::Format;

/// One rendition of a pushed segment.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name of its profile.
    pub rendition: String,
    /// The profile's, whatever the pushed segment was called.
    pub format: Format,
    /// The media.
    pub media: Bytes,
}

/// A 200 with `parts` in order.
#[must_use]
pub fn response(parts: Vec<Part>, sequence: u64) -> Response {
    let boundary = format!("{:020x}", fastrand::u128(..) >> 48);
    let mut chunks = Vec::with_capacity(parts.len() * 2 + 1);
    let mut head = String::new();
    for part in parts {
        let Part {
            rendition,
            format,
            media,
        } = part;
        let media_type = format.media_type();
        let file = format!("{rendition}_{sequence}.{}", format.extension());
        let length = media.len();
        write!(
            head,
            "--{boundary}\r\n\
             Content-Disposition: attachment; filename=\"{file}\"\r\n\
             Content-Length: {length}\r\n\
             Content-Type: {media_type}; name=\"{file}\"\r\n\
             Rendition-Name: {rendition}\r\n\r\n"
        )
        .expect("writing to a string cannot fail");
        chunks.push(Bytes::from(std::mem::take(&mut head)));
        chunks.push(media);
        head.push_str("\r\n");
    }
    write!(head, "--{boundary}--\r\n").expect("writing to a string cannot fail");
    chunks.push(Bytes::from(head));

    let length: usize = chunks.iter().map(Bytes::len).sum();
    let body = futures::stream::iter(chunks.into_iter().map(Ok::<_, Infallible>));
    Response::builder()
        .header(
            CONTENT_TYPE,
            format!("multipart/mixed; boundary={boundary}"),
        )
        .header(CONTENT_LENGTH, length)
        .body(Body::from_stream(body))
        .expect("every header is plain ASCII: rendition names are checked where they are parsed")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(parts: Vec<Part>) -> (String, String) {
        let response = response(parts, 7);
        let content_type = response.headers()[CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        (content_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn parts_come_in_order_with_the_headers_clients_read() {
        let part = |rendition: &str, format, media: &'static str| Part {
            rendition: rendition.to_owned(),
            format,
            media: media.into(),
        };
        let parts = vec![
            part("P240p", Format::MpegTs, "one"),
            part("P360p", Format::Mp4, "two"),
        ];
        let (content_type, body) = text(parts).await;
        let boundary = content_type.split_once("boundary=").unwrap().1;
        assert_eq!(boundary.len(), 20);
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: attachment; filename=\"P240p_7.ts\"\r\nContent-Length: 3\r\n\
             Content-Type: video/mp2t; name=\"P240p_7.ts\"\r\nRendition-Name: P240p\r\n\r\none\r\n\
             --{boundary}\r\nContent-Disposition: attachment; filename=\"P360p_7.mp4\"\r\nContent-Length: 3\r\n\
             Content-Type: video/mp4; name=\"P360p_7.mp4\"\r\nRendition-Name: P360p\r\n\r\ntwo\r\n--{boundary}--\r\n"
        );
        assert_eq!(body, expected);
    }
}
