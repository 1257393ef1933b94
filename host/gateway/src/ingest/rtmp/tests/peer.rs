//! A peer over a pipe, which says what the test wants it to say.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Its end of the pipe.
pub(super) struct Peer(pub(super) DuplexStream);

/// A ping, and what it is answered with is as long.
pub(super) const PING: [u8; 18] = [2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0];

// === impl Peer ===

impl Peer {
    /// Gets through handshake and commands; answers what it was told of its wish to publish.
    pub(super) async fn publish(&mut self, name: &str) -> String {
        self.handshake().await;
        self.say(&commands(name)).await;
        self.hear_until("NetStream.Publish").await
    }

    pub(super) async fn handshake(&mut self) {
        self.say(&[&[3][..], &[0; 1536]].concat()).await;
        let mut answer = vec![0; 1 + 2 * 1536];
        self.0.read_exact(&mut answer).await.expect("an answer");
        self.say(&[0; 1536]).await;
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it is read");
    }

    /// What it is told, up to a buffer in which there is `word`.
    pub(super) async fn hear_until(&mut self, word: &str) -> String {
        let mut heard = String::new();
        let mut buffer = vec![0; 4096];
        while !heard.contains(word) {
            let read = self.0.read(&mut buffer).await.expect("it is open");
            assert_ne!(read, 0, "closed after {heard:?}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        heard
    }

    /// What it is told to the end.
    pub(super) async fn hear(mut self) -> String {
        let mut heard = Vec::new();
        self.0.read_to_end(&mut heard).await.expect("an end");
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// Handshake and commands at once, by a peer that waits for no answer.
pub(super) fn everything(name: &str) -> Vec<u8> {
    [&[3][..], &[0; 2 * 1536], &commands(name)].concat()
}

fn commands(name: &str) -> Vec<u8> {
    let app = [&[3, 0, 3][..], b"app", &string("live"), &[0, 0, 9]].concat();
    let connect = [&string("connect")[..], &number(1.0), &app].concat();
    let create = [&string("createStream")[..], &number(2.0), &[5]].concat();
    let publish = [&string("publish")[..], &number(3.0), &[5], &string(name)].concat();
    [
        message(3, 20, 0, 0, &connect),
        message(3, 20, 0, 0, &create),
        message(3, 20, 1, 0, &publish),
    ]
    .concat()
}

/// Says that the stream has ended.
pub(super) fn close() -> Vec<u8> {
    let close = [
        &string("deleteStream")[..],
        &number(4.0),
        &[5],
        &number(1.0),
    ]
    .concat();
    message(3, 20, 0, 0, &close)
}

/// A message of one chunk; at most 128 bytes.
pub(super) fn message(
    chunk_stream: u8,
    kind: u8,
    stream: u8,
    timestamp: u32,
    payload: &[u8],
) -> Vec<u8> {
    assert!(payload.len() <= 128, "one chunk");
    let [_, time @ ..] = timestamp.to_be_bytes();
    let header = [
        &[chunk_stream][..],
        &time,
        &[0, 0, payload.len() as u8, kind],
    ];
    [&header.concat()[..], &[stream, 0, 0, 0], payload].concat()
}

/// Headers of a video track, 1280x720.
pub(super) fn header() -> Vec<u8> {
    let sps = [
        0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03,
        0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    ];
    let pps = [0x68, 0xeb, 0xe3, 0xc4, 0x48, 0x44];
    let record = [
        &[
            0x17,
            0,
            0,
            0,
            0,
            1,
            0x64,
            0,
            0x1f,
            0xff,
            0xe1,
            0,
            sps.len() as u8,
        ][..],
        &sps,
        &[1, 0, pps.len() as u8],
        &pps,
    ];
    message(6, 9, 1, 0, &record.concat())
}

/// An IDR picture, as far as anyone looks.
pub(super) fn key_frame(timestamp: u32) -> Vec<u8> {
    let mut body = vec![0x17, 1, 0, 0, 0, 0, 0, 0, 100, 0x65];
    body.resize(9 + 100, 0x55);
    message(6, 9, 1, timestamp, &body)
}

fn string(text: &str) -> Vec<u8> {
    [&[2, 0, text.len() as u8], text.as_bytes()].concat()
}

fn number(value: f64) -> Vec<u8> {
    [&[0][..], &value.to_be_bytes()].concat()
}
