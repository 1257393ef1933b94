//! An RTMP publisher that sends byte by byte what the test wants.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::Gateway;
use crate::harness::publisher::Clip;

/// A connection of its own.
pub(super) struct Client {
    socket: TcpStream,
}

/// An RTMP message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// 8 audio, 9 video, 18 data, 20 command.
    pub(super) kind: u8,
    /// Message stream: 0 is the connection.
    pub(super) stream: u8,
    /// Milliseconds, below 2^24.
    pub(super) timestamp: u32,
    pub(super) payload: Bytes,
}

/// What a client that says nothing of it sends in one chunk.
const CHUNK: usize = 128;

// === impl Client ===

impl Client {
    pub(super) async fn connect(gateway: &Gateway) -> Self {
        let socket = TcpStream::connect(&gateway.rtmp).await;
        Self {
            socket: socket.expect("it listens"),
        }
    }

    /// A connection that can hold little of what it is sent.
    pub(super) async fn narrow(gateway: &Gateway) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let address = gateway.rtmp.parse().expect("an address");
        Self {
            socket: socket.connect(address).await.expect("it listens"),
        }
    }

    pub(super) async fn handshake(&mut self) {
        self.say(&[&[3][..], &[0; 1536]].concat()).await;
        let mut answer = vec![0; 1 + 2 * 1536];
        self.socket
            .read_exact(&mut answer)
            .await
            .expect("a handshake");
        self.say(&[0; 1536]).await;
    }

    /// Handshake and commands; answers what it was told of its wish to publish.
    pub(super) async fn publish(&mut self, name: &str) -> String {
        self.handshake().await;
        let app = [&[3, 0, 3][..], b"app", &string("live"), &[0, 0, 9]].concat();
        self.command(0, &[&string("connect"), &number(1.0), &app])
            .await;
        self.command(0, &[&string("createStream"), &number(2.0), &[5]])
            .await;
        let words = [&string("publish")[..], &number(3.0), &[5], &string(name)];
        self.command(1, &words).await;
        let mut heard = String::new();
        let mut buffer = vec![0; 4096];
        while !heard.contains("NetStream.Publish") {
            let read = self.socket.read(&mut buffer).await.expect("it is open");
            assert_ne!(read, 0, "closed after {heard:?}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        heard
    }

    /// The same, where it ought to be let in.
    pub(super) async fn publishing(gateway: &Gateway, name: &str) -> Self {
        let mut client = Self::connect(gateway).await;
        let told = client.publish(name).await;
        assert!(told.contains("NetStream.Publish.Start"), "{told}");
        client
    }

    async fn command(&mut self, stream: u8, values: &[&[u8]]) {
        let message = Message {
            kind: 20,
            stream,
            timestamp: 0,
            payload: values.concat().into(),
        };
        self.say(&message.bytes()).await;
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("it is read");
    }

    pub(super) async fn send(&mut self, messages: &[Message]) {
        let bytes: Vec<u8> = messages.iter().flat_map(Message::bytes).collect();
        self.say(&bytes).await;
    }

    /// The same, where the gateway may close before all is sent.
    pub(super) async fn try_send(&mut self, messages: &[Message]) {
        let bytes: Vec<u8> = messages.iter().flat_map(Message::bytes).collect();
        let _ = self.socket.write_all(&bytes).await;
    }

    /// Says the same over and over, reads nothing, and returns once the gateway has closed.
    pub(super) async fn pester(mut self, bytes: &[u8]) {
        while self.socket.write_all(bytes).await.is_ok() {}
    }

    /// Reads until the gateway closes; answers what it said.
    pub(super) async fn closed(mut self) -> String {
        let mut heard = Vec::new();
        // A reset is an end too.
        let _ = self.socket.read_to_end(&mut heard).await;
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Ends the stream, and waits until the gateway has seen it.
    pub(super) async fn finish(mut self) {
        let words = [
            &string("deleteStream")[..],
            &number(4.0),
            &[5],
            &number(1.0),
        ];
        self.command(0, &words).await;
        self.closed().await;
    }
}

// === impl Message ===

impl Message {
    /// The media of a clip, in order.
    pub(super) fn of(clip: &Clip) -> Vec<Self> {
        let file = std::fs::read(&clip.file).expect("a clip");
        let mut rest = &file[9 + 4..];
        let mut messages = Vec::new();
        while let Some((header, tail)) = rest.split_first_chunk::<11>() {
            let &[kind, a, b, c, d, e, f, g, ..] = header;
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            messages.push(Self {
                kind,
                stream: 1,
                timestamp: u32::from_be_bytes([g, d, e, f]),
                payload: Bytes::copy_from_slice(&tail[..length]),
            });
            rest = &tail[length + 4..];
        }
        messages
    }

    pub(super) fn data(payload: &[u8]) -> Self {
        Self {
            kind: 18,
            stream: 1,
            timestamp: 0,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    pub(super) fn is_key_frame(&self) -> bool {
        self.kind == 9 && self.payload.starts_with(&[0x17, 1])
    }

    pub(super) fn is_picture(&self) -> bool {
        self.kind == 9 && self.payload.get(1) == Some(&1)
    }

    /// A chunk stream for each kind of message.
    fn chunk_stream(&self) -> u8 {
        match self.kind {
            8 => 4,
            9 => 6,
            18 => 5,
            _ => 3,
        }
    }

    /// Its chunks, the first one with a full header.
    fn chunks(&self) -> Vec<Vec<u8>> {
        let id = self.chunk_stream();
        let [_, time @ ..] = self.timestamp.to_be_bytes();
        let [_, length @ ..] = (self.payload.len() as u32).to_be_bytes();
        let full = [
            &[id][..],
            &time,
            &length,
            &[self.kind, self.stream, 0, 0, 0],
        ]
        .concat();
        if self.payload.is_empty() {
            return vec![full];
        }
        let chunk = |(at, piece): (usize, &[u8])| match at {
            0 => [&full, piece].concat(),
            _ => [&[0xC0 | id], piece].concat(),
        };
        self.payload.chunks(CHUNK).enumerate().map(chunk).collect()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.chunks().concat()
    }

    /// The chunks of two messages in turns, as some hardware sends them.
    pub(super) fn interleaved(&self, other: &Self) -> Vec<u8> {
        let (mut ours, mut theirs) = (self.chunks().into_iter(), other.chunks().into_iter());
        let mut bytes = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return bytes,
                (our, their) => bytes.extend(our.into_iter().chain(their).flatten()),
            }
        }
    }
}

/// AMF0.
pub(super) fn string(text: &str) -> Vec<u8> {
    [&[2, 0, text.len() as u8], text.as_bytes()].concat()
}

fn number(value: f64) -> Vec<u8> {
    [&[0][..], &value.to_be_bytes()].concat()
}
