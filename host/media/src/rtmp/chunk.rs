//! Chunks to messages: the reassembly that rml_rtmp gets wrong.
//!
//! Every chunk stream has its own payload, so audio chunks between two video chunks stay apart. A message's bytes are
//! copied once, from the caller's buffer into the message.
//!
//! Bounds: a message's length is checked against its kind before a byte of it is stored; space is reserved as bytes
//! arrive, never by the announced length; unfinished messages together are held to one video message and a little
//! more; at most [`MAX_STREAMS`] chunk streams exist. Video is held to the length of a command until
//! [`Chunks::allow_video`]: who has not said yet what it wants to publish costs little. Every message has an allocation
//! of its own, so that a short one that is kept for a while never keeps its neighbours.

use std::mem;

use bytes::{Bytes, BytesMut};

use super::Error;

/// Most chunk streams a peer may open. Encoders use three to six.
const MAX_STREAMS: usize = 32;
/// Largest control, command, data or audio message: some encoders send a few kB of metadata, and AAC frames stay below 8 kB.
pub(super) const MAX_COMMAND: usize = 64 * 1024;
/// What is reserved for a message at once; longer ones grow as their bytes arrive.
const FIRST_RESERVE: usize = 32 * 1024;
/// A timestamp field of this value says that four more bytes follow.
const EXTENDED: u32 = 0xFF_FFFF;
/// Basic header 3, message header 11, extended timestamp 4.
const MAX_HEADER: usize = 18;

/// One RTMP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Message type ID: 8 audio, 9 video, 20 command, …
    pub(super) kind: u8,
    /// Message stream ID: 0 for the connection, else what `createStream` returned.
    pub(super) stream: u32,
    /// Milliseconds, modulo 2^32.
    pub(super) timestamp: u32,
    pub(super) payload: Bytes,
}

/// The reading side of a connection, after the handshake.
#[derive(Debug)]
pub(super) struct Chunks {
    streams: Vec<ChunkStream>,
    chunk_size: usize,
    header: [u8; MAX_HEADER],
    filled: usize,
    /// The chunk whose payload is being read: index into `streams`, bytes left.
    open: Option<(usize, usize)>,
    /// Bytes of unfinished messages.
    held: usize,
    max_video: usize,
    /// Whether continuation chunks repeat the extended timestamp; `None` until the first one showed it. The
    /// specification says they do, some encoders do not.
    repeats_extended: Option<bool>,
}

/// What the next compressed header of a chunk stream leaves out, and its unfinished message.
#[derive(Debug, Default)]
struct ChunkStream {
    id: u32,
    timestamp: u32,
    /// The last timestamp field: absolute after a full header, else a difference.
    field: u32,
    extended: bool,
    length: usize,
    kind: u8,
    stream: u32,
    unfinished: bool,
    payload: BytesMut,
}

// === impl Chunks ===

impl Chunks {
    /// Before the first chunk: chunks of 128 bytes, and no long video.
    pub(super) fn new() -> Self {
        Self {
            streams: Vec::new(),
            chunk_size: 128,
            header: [0; MAX_HEADER],
            filled: 0,
            open: None,
            held: 0,
            max_video: MAX_COMMAND,
            repeats_extended: None,
        }
    }

    /// Video messages may have up to `max` bytes from now on.
    pub(super) fn allow_video(&mut self, max: usize) {
        self.max_video = max;
    }

    /// The peer's chunks are this long from now on (`Set Chunk Size`).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] on zero.
    pub(super) fn set_chunk_size(&mut self, size: u32) -> Result<(), Error> {
        match size & 0x7FFF_FFFF {
            0 => Err(Error::Malformed("a chunk size of zero")),
            size => {
                self.chunk_size = size as usize;
                Ok(())
            }
        }
    }

    /// The peer drops the unfinished message of a chunk stream (`Abort Message`).
    pub(super) fn abort(&mut self, id: u32) {
        if let Some(index) = self.streams.iter().position(|stream| stream.id == id) {
            self.held -= self.streams[index].drop_unfinished();
        }
    }

    /// Takes bytes off the front of `input` until one message is complete; `None` when the input is used up.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and [`Error::TooLong`]. The connection cannot be read on after either.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            if let Some((index, left)) = self.open {
                let taken = left.min(input.len());
                let (head, tail) = input.split_at(taken);
                *input = tail;
                self.streams[index].payload.extend_from_slice(head);
                self.held += taken;
                if self.held > self.max_video + MAX_COMMAND {
                    return Err(Error::Malformed("too many unfinished messages"));
                }
                if taken < left {
                    self.open = Some((index, left - taken));
                    return Ok(None);
                }
                self.open = None;
                if let Some(message) = self.streams[index].finished() {
                    self.held -= message.payload.len();
                    return Ok(Some(message));
                }
            } else if !self.read_header(input)? {
                return Ok(None);
            }
        }
    }

    /// Gathers one chunk header and opens its payload; false when more input is needed.
    fn read_header(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        loop {
            let wanted = self.header_length();
            let taken = (wanted - self.filled).min(input.len());
            let (head, tail) = input.split_at(taken);
            self.header[self.filled..self.filled + taken].copy_from_slice(head);
            self.filled += taken;
            *input = tail;
            if self.filled < wanted {
                return Ok(false);
            }
            if self.header_length() == wanted {
                self.open = Some(self.open_chunk(wanted)?);
                self.filled = 0;
                return Ok(true);
            }
        }
    }

    /// How long the header is, as far as the bytes gathered tell.
    fn header_length(&self) -> usize {
        if self.filled == 0 {
            return 1;
        }
        let basic = basic_length(self.header[0]);
        if self.filled < basic {
            return basic;
        }
        let length = basic + [11, 7, 3, 0][usize::from(self.header[0] >> 6)];
        if self.filled < length {
            return length;
        }
        let extended = match self.header[0] >> 6 {
            3 => self.repeats(self.index(chunk_stream_id(&self.header))),
            _ => u24(&self.header[basic..]) == EXTENDED,
        };
        length + if extended { 4 } else { 0 }
    }

    /// Whether a header of type 3 on this chunk stream carries an extended timestamp.
    fn repeats(&self, index: Option<usize>) -> bool {
        let Some(stream) = index.map(|index| &self.streams[index]) else {
            return false;
        };
        stream.extended && !(stream.unfinished && self.repeats_extended == Some(false))
    }

    fn index(&self, id: u32) -> Option<usize> {
        self.streams.iter().position(|stream| stream.id == id)
    }

    /// Applies a whole header of `length` bytes; answers the chunk's stream and payload length.
    fn open_chunk(&mut self, length: usize) -> Result<(usize, usize), Error> {
        let header = self.header;
        let (format, id) = (header[0] >> 6, chunk_stream_id(&header));
        let index = match self.index(id) {
            Some(index) => index,
            None if format != 0 => {
                return Err(Error::Malformed(
                    "a compressed header on a new chunk stream",
                ));
            }
            None if self.streams.len() == MAX_STREAMS => {
                return Err(Error::Malformed("too many chunk streams"));
            }
            None => {
                self.streams.push(ChunkStream {
                    id,
                    ..ChunkStream::default()
                });
                self.streams.len() - 1
            }
        };
        let fields = &header[basic_length(header[0])..length];
        if format == 3 && self.streams[index].unfinished {
            return Ok(self.continue_message(index, fields));
        }
        let stream = &mut self.streams[index];
        self.held -= stream.drop_unfinished();
        stream.begin_message(format, fields);
        let (kind, length) = (stream.kind, stream.length);
        let max = match kind {
            9 => self.max_video,
            _ => MAX_COMMAND,
        };
        if length > max {
            return Err(Error::TooLong { kind, length, max });
        }
        stream.payload.reserve(length.min(FIRST_RESERVE));
        Ok((index, length.min(self.chunk_size)))
    }

    /// A further chunk of an unfinished message. Its four bytes of extended timestamp, if it has any, are compared
    /// once with the message's: where they differ they are payload, and stay payload for the whole connection.
    fn continue_message(&mut self, index: usize, fields: &[u8]) -> (usize, usize) {
        let stream = &mut self.streams[index];
        let mut left = (stream.length - stream.payload.len()).min(self.chunk_size);
        if fields.len() == 4 && self.repeats_extended.is_none() && left >= 4 {
            let value = u32_be(fields);
            let repeats = value == stream.field || value == stream.timestamp;
            self.repeats_extended = Some(repeats);
            if !repeats {
                stream.payload.extend_from_slice(fields);
                self.held += 4;
                left -= 4;
            }
        }
        (index, left)
    }
}

// === impl ChunkStream ===

impl ChunkStream {
    /// `fields`: the message header, with the extended timestamp at its end if there is one.
    fn begin_message(&mut self, format: u8, fields: &[u8]) {
        if format < 3 {
            self.field = u24(fields);
            self.extended = self.field == EXTENDED;
        }
        if self.extended
            && let Some(value) = fields.last_chunk::<4>()
        {
            self.field = u32::from_be_bytes(*value);
        }
        if format < 2 {
            self.length = u24(&fields[3..]) as usize;
            self.kind = fields[6];
        }
        self.timestamp = match format {
            0 => {
                self.stream = u32::from_le_bytes([fields[7], fields[8], fields[9], fields[10]]);
                self.field
            }
            _ => self.timestamp.wrapping_add(self.field),
        };
        self.unfinished = true;
    }

    fn finished(&mut self) -> Option<Message> {
        if self.payload.len() < self.length {
            return None;
        }
        self.unfinished = false;
        Some(Message {
            kind: self.kind,
            stream: self.stream,
            timestamp: self.timestamp,
            payload: mem::take(&mut self.payload).freeze(),
        })
    }

    /// Forgets the unfinished message; answers how many bytes of it were held.
    fn drop_unfinished(&mut self) -> usize {
        if !mem::take(&mut self.unfinished) {
            return 0;
        }
        mem::take(&mut self.payload).len()
    }
}

fn basic_length(first: u8) -> usize {
    match first & 0x3F {
        0 => 2,
        1 => 3,
        _ => 1,
    }
}

fn chunk_stream_id(header: &[u8; MAX_HEADER]) -> u32 {
    match header[0] & 0x3F {
        0 => 64 + u32::from(header[1]),
        1 => 64 + u32::from(header[1]) + 256 * u32::from(header[2]),
        id => u32::from(id),
    }
}

fn u24(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

fn u32_be(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests;
