use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// A peer's chunk writer, with every header form the sender may choose.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    last: HashMap<u32, Last>,
}

#[derive(Clone, Copy)]
struct Last {
    timestamp: u32,
    field: u32,
    length: usize,
    kind: u8,
    stream: u32,
}

impl Writer {
    /// The first chunk of a message. `compress`: how much of the header may be left out, at most.
    fn begin(&mut self, id: u32, message: &Message, compress: u8, size: usize) {
        let last = self.last.get(&id).copied();
        let delta = last.map_or(0, |last| message.timestamp.wrapping_sub(last.timestamp));
        let (length, kind) = (message.payload.len(), message.kind);
        let allowed = match last {
            Some(last) if last.stream != message.stream => 0,
            Some(last) if (last.length, last.kind) != (length, kind) => 1,
            Some(last) if last.field != delta => 2,
            Some(_) => 3,
            None => 0,
        };
        let format = compress.min(allowed);
        let field = if format == 0 {
            message.timestamp
        } else {
            delta
        };
        self.basic(format, id);
        if format < 3 {
            self.out
                .extend_from_slice(&field.min(EXTENDED).to_be_bytes()[1..]);
        }
        if format < 2 {
            self.out
                .extend_from_slice(&(length as u32).to_be_bytes()[1..]);
            self.out.push(kind);
        }
        if format == 0 {
            self.out.extend_from_slice(&message.stream.to_le_bytes());
        }
        if field >= EXTENDED {
            self.out.extend_from_slice(&field.to_be_bytes());
        }
        self.out
            .extend_from_slice(&message.payload[..length.min(size)]);
        let (timestamp, stream) = (message.timestamp, message.stream);
        self.last.insert(
            id,
            Last {
                timestamp,
                field,
                length,
                kind,
                stream,
            },
        );
    }

    fn go_on(&mut self, id: u32, piece: &[u8], repeat_extended: bool) {
        self.basic(3, id);
        let field = self.last[&id].field;
        if field >= EXTENDED && repeat_extended {
            self.out.extend_from_slice(&field.to_be_bytes());
        }
        self.out.extend_from_slice(piece);
    }

    fn basic(&mut self, format: u8, id: u32) {
        match id {
            2..64 => self.out.push(format << 6 | id as u8),
            64..320 => self.out.extend_from_slice(&[format << 6, (id - 64) as u8]),
            _ => {
                let [low, high] = ((id - 64) as u16).to_le_bytes();
                self.out.extend_from_slice(&[format << 6 | 1, low, high]);
            }
        }
    }
}

fn message(kind: u8, timestamp: u32, length: usize) -> Message {
    let byte = |at: usize| (at as u8).wrapping_mul(31) ^ kind ^ timestamp as u8;
    Message {
        kind,
        stream: 1,
        timestamp,
        payload: (0..length).map(byte).collect(),
    }
}

/// Everything the bytes hold, given in pieces of the lengths of `cuts`, over and over.
fn read(chunks: &mut Chunks, bytes: &[u8], cuts: &[usize]) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut piece, tail) = rest.split_at(rest.len().min(*cut));
        rest = tail;
        while let Some(message) = chunks.next(&mut piece)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn chunks(size: u32) -> Chunks {
    let mut chunks = Chunks::new();
    chunks.allow_video(1 << 20);
    chunks.set_chunk_size(size).expect("a size above zero");
    chunks
}

fn timestamp() -> impl Strategy<Value = u32> {
    prop_oneof![
        0..200u32,
        EXTENDED - 20..EXTENDED + 20,
        u32::MAX - 50..=u32::MAX
    ]
}

proptest! {
    /// Messages of several chunk streams, their chunks interleaved at random, headers compressed at random, cut anywhere.
    #[test]
    fn interleaved_messages_come_out_whole(
        size in 1usize..300,
        queues in prop::collection::vec(
            (
                prop::sample::select(vec![3u32, 4, 63, 64, 70, 319, 320, 65_599]),
                prop::sample::select(vec![8u8, 9, 18, 20]),
                prop::collection::vec((timestamp(), 0usize..700, 0u8..4), 1..6),
            ),
            1..4,
        ),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
        cuts in prop::collection::vec(1usize..400, 1..5),
    ) {
        // Chunk streams must differ, and carry one kind each so that the order within is known.
        let mut queues = queues;
        queues.sort_by_key(|(id, ..)| *id);
        queues.dedup_by_key(|(id, ..)| *id);
        let expected: Vec<Vec<Message>> = queues
            .iter()
            .map(|(_, kind, list)| list.iter().map(|&(at, length, _)| message(*kind, at, length)).collect())
            .collect();
        let mut writer = Writer::default();
        let mut at: Vec<(usize, Option<usize>)> = vec![(0, None); queues.len()];
        let mut turns = turns.iter().cycle();
        loop {
            let open: Vec<usize> = (0..queues.len()).filter(|&q| at[q].0 < expected[q].len()).collect();
            let Some(turn) = turns.next().filter(|_| !open.is_empty()) else { break };
            let queue = open[turn.index(open.len())];
            let (index, sent) = at[queue];
            let (id, message) = (queues[queue].0, &expected[queue][index]);
            let sent = match sent {
                None => {
                    writer.begin(id, message, queues[queue].2[index].2, size);
                    size
                }
                Some(sent) => {
                    let end = message.payload.len().min(sent + size);
                    writer.go_on(id, &message.payload[sent..end], true);
                    sent + size
                }
            };
            at[queue] = if sent >= message.payload.len() { (index + 1, None) } else { (index, Some(sent)) };
        }
        let mut reader = chunks(size as u32);
        let messages = read(&mut reader, &writer.out, &cuts).expect("valid chunks");
        prop_assert_eq!(reader.held, 0);
        for (queue, expected) in queues.iter().zip(&expected) {
            let of_kind = |list: &[Message], kind: u8| {
                list.iter().filter(|m| m.kind == kind).cloned().collect::<Vec<_>>()
            };
            let alone = queues.iter().filter(|(_, kind, _)| *kind == queue.1).count() == 1;
            if alone {
                prop_assert_eq!(&of_kind(&messages, queue.1), expected);
            }
        }
        prop_assert_eq!(messages.len(), expected.iter().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn arbitrary_bytes_hold_no_more_than_one_message(
        bytes in prop::collection::vec(any::<u8>(), 0..4000),
        cuts in prop::collection::vec(1usize..100, 1..4),
        size in 1u32..5000,
    ) {
        let mut reader = Chunks::new();
        reader.allow_video(1000);
        reader.set_chunk_size(size).expect("a size above zero");
        let _ = read(&mut reader, &bytes, &cuts);
        prop_assert!(reader.held <= 1000 + MAX_COMMAND + 100);
        prop_assert!(reader.streams.len() <= MAX_STREAMS);
    }
}

#[test]
fn audio_between_two_chunks_of_video_stays_apart() {
    let (video, audio) = (message(9, 40, 250), message(8, 41, 100));
    let mut writer = Writer::default();
    writer.begin(6, &video, 0, 128);
    writer.begin(4, &audio, 0, 128);
    writer.go_on(6, &video.payload[128..], true);
    let messages = read(&mut chunks(128), &writer.out, &[7]);
    assert_eq!(messages, Ok(vec![audio, video]));
}

#[test]
fn a_peer_that_does_not_repeat_extended_timestamps_is_understood() {
    let videos = [
        message(9, EXTENDED + 7, 400),
        message(9, EXTENDED + 47, 300),
    ];
    let mut writer = Writer::default();
    for video in &videos {
        writer.begin(6, video, 0, 128);
        for piece in video.payload[128..].chunks(128) {
            writer.go_on(6, piece, false);
        }
    }
    let messages = read(&mut chunks(128), &writer.out, &[usize::MAX]);
    assert_eq!(messages, Ok(videos.to_vec()));
}

#[test]
fn an_aborted_message_is_forgotten() {
    let mut writer = Writer::default();
    writer.begin(6, &message(9, 0, 300), 0, 128);
    let mut reader = chunks(128);
    assert_eq!(read(&mut reader, &writer.out, &[50]), Ok(vec![]));
    reader.abort(6);
    reader.abort(77);
    assert_eq!(reader.held, 0);
    writer.out.clear();
    let whole = message(9, 40, 100);
    writer.begin(6, &whole, 0, 128);
    assert_eq!(read(&mut reader, &writer.out, &[50]), Ok(vec![whole]));
}

#[test]
fn oversize_messages_are_refused_by_their_header() {
    let header = |kind| [6, 0, 0, 0, 0xFF, 0xFF, 0xFF, kind, 1, 0, 0, 0];
    for (kind, max) in [(9, 8 << 20), (8, MAX_COMMAND), (20, MAX_COMMAND)] {
        let refused = Error::TooLong {
            kind,
            length: 0xFF_FFFF,
            max,
        };
        let mut reader = Chunks::new();
        reader.allow_video(8 << 20);
        assert_eq!(read(&mut reader, &header(kind), &[99]), Err(refused));
    }
}

#[test]
fn long_video_has_to_be_allowed() {
    let video = message(9, 0, MAX_COMMAND + 1);
    let mut writer = Writer::default();
    writer.begin(6, &video, 0, usize::MAX);
    let refused = Error::TooLong {
        kind: 9,
        length: MAX_COMMAND + 1,
        max: MAX_COMMAND,
    };
    let mut reader = Chunks::new();
    reader.set_chunk_size(1 << 20).expect("a size above zero");
    assert_eq!(read(&mut reader, &writer.out, &[999]), Err(refused));
    let messages = read(&mut chunks(1 << 20), &writer.out, &[999]);
    assert_eq!(messages, Ok(vec![video]));
}

#[test]
fn many_unfinished_messages_are_too_many() {
    let mut writer = Writer::default();
    for id in 2..2 + MAX_STREAMS as u32 {
        writer.begin(id, &message(9, 0, MAX_COMMAND), 0, MAX_COMMAND - 1);
    }
    let mut reader = Chunks::new();
    let size = MAX_COMMAND as u32 - 1;
    reader.set_chunk_size(size).expect("a size above zero");
    let refused = Err(Error::Malformed("too many unfinished messages"));
    assert_eq!(read(&mut reader, &writer.out, &[4096]), refused);
    assert!(reader.held <= 2 * MAX_COMMAND + 4096, "{}", reader.held);
}

#[test]
fn a_message_that_is_kept_keeps_no_other() {
    let mut reader = chunks(1 << 16);
    let mut writer = Writer::default();
    writer.begin(4, &message(8, 0, 10), 0, 1 << 16);
    writer.begin(4, &message(8, 0, 20_000), 0, 1 << 16);
    let [kept, long]: [Message; 2] = read(&mut reader, &writer.out, &[999])
        .expect("valid chunks")
        .try_into()
        .expect("two messages");
    // Alone in its allocation: it can be written to.
    let alone = |message: Message| message.payload.try_into_mut().map(|bytes| bytes.capacity());
    assert_eq!(alone(kept), Ok(10));
    assert_eq!(alone(long), Ok(20_000));
}

#[test]
fn chunk_streams_are_counted() {
    let mut writer = Writer::default();
    for id in 2..3 + MAX_STREAMS as u32 {
        writer.begin(id, &message(9, 0, 300), 0, 128);
    }
    let refused = Err(Error::Malformed("too many chunk streams"));
    assert_eq!(read(&mut chunks(128), &writer.out, &[99]), refused);
}

#[test]
fn a_chunk_size_of_zero_is_refused() {
    assert!(chunks(1).set_chunk_size(0).is_err());
    assert!(chunks(1).set_chunk_size(0x8000_0000).is_err());
}
