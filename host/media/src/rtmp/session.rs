//! The dialogue: handshake, commands, control messages, and media passed through.

use std::fmt;
use std::mem;

use bytes::{Bytes, BytesMut};
use rml_rtmp::chunk_io::ChunkSerializer;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::sessions::{
    ServerSession, ServerSessionConfig, ServerSessionError, ServerSessionEvent, ServerSessionResult,
};
use rml_rtmp::time::RtmpTimestamp;

use super::chunk::{Chunks, Message};
use super::command::{self, Command, Metadata};
use super::{Config, Error, Event, Publish};

/// Most streams a peer may create on its connection. Publishers create one.
const MAX_CREATED: u32 = 16;
/// What we tell the peer to acknowledge after, and how much it may have under way, in bytes.
const WINDOW: u32 = 5_000_000;
/// Shortest acknowledgement window taken from a peer, in bytes.
const MIN_WINDOW: u32 = 4096;

/// One connection. See the [module](super).
pub struct Session {
    handshake: Option<Handshake>,
    /// What rml_rtmp wants to say first; sent when the handshake is done.
    greeting: Bytes,
    chunks: Chunks,
    max_message: usize,
    server: ServerSession,
    /// Writes to `server`, which expects chunks.
    feed: ChunkSerializer,
    tc_url: Option<String>,
    app: Option<String>,
    created: u32,
    /// Whether the peer was told that nothing is played here.
    refused_to_play: bool,
    publishing: Publishing,
    /// Bytes since the handshake, modulo 2^32 as acknowledgements count them.
    received: u32,
    acknowledged: u32,
    window: Option<u32>,
}

/// How far the one publish of this connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publishing {
    NotYet,
    Asked { request: u32, stream: u32 },
    Accepted { stream: u32 },
    Over,
}

// === impl Session ===

impl Session {
    /// A connection before its first byte.
    ///
    /// # Errors
    ///
    /// [`Error::Session`] when rml_rtmp cannot write its greeting; does not happen with these settings.
    pub fn new(config: Config) -> Result<Self, Error> {
        let (server, greeting) = ServerSession::new(ServerSessionConfig {
            peer_bandwidth: WINDOW,
            window_ack_size: WINDOW,
            ..ServerSessionConfig::new()
        })?;
        Ok(Self {
            handshake: Some(Handshake::new(PeerType::Server)),
            greeting: outbound(greeting),
            chunks: Chunks::new(),
            max_message: config.max_message,
            server,
            feed: ChunkSerializer::new(),
            tc_url: None,
            app: None,
            created: 0,
            refused_to_play: false,
            publishing: Publishing::NotYet,
            received: 0,
            acknowledged: 0,
            window: None,
        })
    }

    /// Takes what the socket gave and answers what happened, in order.
    ///
    /// # Errors
    ///
    /// The connection cannot go on: close it. What was understood before the fault is lost with it, at most the
    /// messages of this one buffer.
    pub fn input(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let Some(handshake) = &mut self.handshake else {
            self.read(bytes, &mut events)?;
            return Ok(events);
        };
        match handshake.process_bytes(bytes) {
            Err(error) => return Err(Error::Handshake(error.to_string())),
            Ok(HandshakeProcessResult::InProgress { response_bytes }) => {
                send(&mut events, response_bytes.into());
            }
            Ok(HandshakeProcessResult::Completed {
                response_bytes,
                remaining_bytes,
            }) => {
                self.handshake = None;
                send(&mut events, response_bytes.into());
                send(&mut events, mem::take(&mut self.greeting));
                self.read(&remaining_bytes, &mut events)?;
            }
        }
        Ok(events)
    }

    /// Lets the publisher go on; answers the bytes to write.
    ///
    /// # Errors
    ///
    /// [`Error::NoRequest`] when `request` is not the open one.
    pub fn accept(&mut self, request: u32) -> Result<Bytes, Error> {
        let stream = self.open_request(request)?;
        self.publishing = Publishing::Accepted { stream };
        Ok(outbound(self.server.accept_request(request)?))
    }

    /// Refuses the publisher: `code` in Adobe's words, such as `NetStream.Publish.BadName`, `description` for its user.
    /// Answers the bytes to write; then close the connection.
    ///
    /// # Errors
    ///
    /// [`Error::NoRequest`] when `request` is not the open one.
    pub fn reject(&mut self, request: u32, code: &str, description: &str) -> Result<Bytes, Error> {
        let stream = self.open_request(request)?;
        self.publishing = Publishing::Over;
        let mut bytes = BytesMut::from(&refusal(stream, code, description)?[..]);
        // Must be written: rml_rtmp's later headers count on it.
        bytes.extend_from_slice(&outbound(self.server.reject_request(
            request,
            code,
            description,
        )?));
        Ok(bytes.freeze())
    }

    fn open_request(&self, request: u32) -> Result<u32, Error> {
        match self.publishing {
            Publishing::Asked {
                request: open,
                stream,
            } if open == request => Ok(stream),
            _ => Err(Error::NoRequest(request)),
        }
    }

    fn read(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), Error> {
        self.received = self.received.wrapping_add(bytes.len() as u32);
        while let Some(message) = self.chunks.next(&mut bytes)? {
            self.message(message, events)?;
        }
        if let Some(window) = self.window
            && self.received.wrapping_sub(self.acknowledged) >= window
        {
            self.acknowledged = self.received;
            send(events, control(3, &self.received.to_be_bytes()));
        }
        Ok(())
    }

    fn message(&mut self, message: Message, events: &mut Vec<Event>) -> Result<(), Error> {
        let Message {
            kind,
            stream,
            timestamp,
            payload: data,
        } = message;
        match kind {
            1 => self.chunks.set_chunk_size(number(&data)?)?,
            2 => self.chunks.abort(number(&data)?),
            4 => {
                // A ping request; its timestamp goes back unchanged.
                if let [0, 6, timestamp @ ..] = &data[..] {
                    let pong = [&[0, 7], &timestamp[..timestamp.len().min(4)]].concat();
                    send(events, control(4, &pong));
                }
            }
            5 => self.window = Some(number(&data)?.max(MIN_WINDOW)),
            8 if self.carries(stream) && !data.is_empty() => {
                events.push(Event::Audio { timestamp, data });
            }
            9 if self.carries(stream) && !data.is_empty() => {
                events.push(Event::Video { timestamp, data });
            }
            15 | 18 if self.carries(stream) => {
                events.extend(Metadata::read(unwrap_amf3(kind, &data)).map(Event::Metadata));
            }
            17 | 20 => {
                let command = Command::read(unwrap_amf3(kind, &data))?;
                self.command(stream, command, events)?;
            }
            _ => tracing::trace!(kind, stream, "RTMP message ignored"),
        }
        Ok(())
    }

    /// Whether media on this message stream belongs to the publish.
    fn carries(&self, stream: u32) -> bool {
        match self.publishing {
            Publishing::Asked { stream: ours, .. } | Publishing::Accepted { stream: ours } => {
                ours == stream
            }
            Publishing::NotYet | Publishing::Over => false,
        }
    }

    fn command(
        &mut self,
        stream: u32,
        command: Command,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        match command {
            Command::Connect {
                transaction,
                app,
                tc_url,
            } => {
                if self.app.is_some() {
                    return Err(Error::Unexpected("connect twice"));
                }
                let results = self.tell(0, command::connect(transaction, &app)?)?;
                let request = requested(&results).ok_or(Error::Unexpected("connect"))?;
                send(events, outbound(self.server.accept_request(request)?));
                (self.app, self.tc_url) = (Some(app), tc_url);
            }
            Command::CreateStream { transaction } => {
                if self.created == MAX_CREATED {
                    return Err(Error::Unexpected("too many streams created"));
                }
                self.created += 1;
                let results = self.tell(0, command::create_stream(transaction)?)?;
                send(events, outbound(results));
            }
            Command::Publish { transaction, name } => {
                self.publish(stream, transaction, name, events)?;
            }
            Command::Play { .. } if self.refused_to_play => {
                return Err(Error::Unexpected("play again after it was refused"));
            }
            Command::Play { name } => {
                self.refused_to_play = true;
                let hint = "streams are not played over RTMP: play the HLS playlist";
                send(events, refusal(stream, "NetStream.Play.Failed", hint)?);
                events.push(Event::PlayRefused { name });
            }
            Command::Close => {
                if mem::replace(&mut self.publishing, Publishing::Over).is_open() {
                    events.push(Event::Finished);
                }
            }
            Command::Other => {}
        }
        Ok(())
    }

    fn publish(
        &mut self,
        stream: u32,
        transaction: f64,
        name: String,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let Some(app) = self.app.clone() else {
            return Err(Error::Unexpected("publish before connect"));
        };
        if stream == 0 || stream > self.created {
            return Err(Error::Unexpected(
                "publish on a stream that was not created",
            ));
        }
        if self.publishing != Publishing::NotYet {
            let hint = "one stream a connection: publish over a new one";
            send(events, refusal(stream, "NetStream.Publish.Failed", hint)?);
            return Ok(());
        }
        let results = self.tell(stream, command::publish(transaction, &name)?)?;
        let request = requested(&results).ok_or(Error::Unexpected("publish"))?;
        self.publishing = Publishing::Asked { request, stream };
        self.chunks.allow_video(self.max_message);
        events.push(Event::Publish(Publish {
            request,
            app,
            stream: name,
            tc_url: self.tc_url.clone(),
        }));
        Ok(())
    }

    /// Hands a command of our own writing to rml_rtmp.
    fn tell(&mut self, stream: u32, data: Bytes) -> Result<Vec<ServerSessionResult>, Error> {
        let message = MessagePayload {
            timestamp: RtmpTimestamp::new(0),
            type_id: 20,
            message_stream_id: stream,
            data,
        };
        let chunks = self.feed.serialize(&message, false, false);
        let chunks = chunks.map_err(|error| Error::Session(error.to_string()))?;
        Ok(self.server.handle_input(&chunks.bytes)?)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("handshaken", &self.handshake.is_none())
            .field("app", &self.app)
            .field("publishing", &self.publishing)
            .finish_non_exhaustive()
    }
}

// === impl Publishing ===

impl Publishing {
    fn is_open(self) -> bool {
        matches!(self, Self::Asked { .. } | Self::Accepted { .. })
    }
}

// === impl Error ===

impl From<ServerSessionError> for Error {
    fn from(error: ServerSessionError) -> Self {
        Self::Session(error.to_string())
    }
}

/// AMF3 messages (15, 17) that matter hold AMF0 behind one byte of zero.
fn unwrap_amf3(kind: u8, data: &[u8]) -> &[u8] {
    match (kind, data) {
        (15 | 17, [0, rest @ ..]) => rest,
        _ => data,
    }
}

/// The number that a control message carries.
fn number(data: &[u8]) -> Result<u32, Error> {
    match data.first_chunk() {
        Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
        None => Err(Error::Malformed("a control message cut short")),
    }
}

/// What rml_rtmp wants sent, in one piece.
fn outbound(results: Vec<ServerSessionResult>) -> Bytes {
    let mut bytes = BytesMut::new();
    for result in results {
        if let ServerSessionResult::OutboundResponse(packet) = result {
            bytes.extend_from_slice(&packet.bytes);
        }
    }
    bytes.freeze()
}

/// The request rml_rtmp raised.
fn requested(results: &[ServerSessionResult]) -> Option<u32> {
    results.iter().find_map(|result| match result {
        ServerSessionResult::RaisedEvent(
            ServerSessionEvent::ConnectionRequested { request_id, .. }
            | ServerSessionEvent::PublishStreamRequested { request_id, .. },
        ) => Some(*request_id),
        _ => None,
    })
}

fn send(events: &mut Vec<Event>, bytes: Bytes) {
    if !bytes.is_empty() {
        events.push(Event::Send(bytes));
    }
}

/// A protocol control message: one chunk with a full header on chunk stream 2.
fn control(kind: u8, payload: &[u8]) -> Bytes {
    chunk(2, kind, 0, payload)
}

fn refusal(stream: u32, code: &str, description: &str) -> Result<Bytes, Error> {
    // One chunk: rml_rtmp announced chunks of 4096 bytes.
    let description: String = description.chars().take(512).collect();
    let payload = command::refusal(code, &description)?;
    Ok(chunk(3, 20, stream, &payload))
}

/// A message of one chunk with a full header and timestamp 0.
fn chunk(id: u8, kind: u8, stream: u32, payload: &[u8]) -> Bytes {
    let length = (payload.len() as u32).to_be_bytes();
    let header = [id, 0, 0, 0, length[1], length[2], length[3], kind];
    [&header, &stream.to_le_bytes()[..], payload]
        .concat()
        .into()
}

#[cfg(test)]
mod tests;
