//! Files that were cut off, damaged or made up.

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pointsman_facts::Candidates;
use pointsman_recording::{Bounds, Reader, Recorded};
use proptest::prelude::*;
use support::{recorder, traffic};

/// A good recording, its decisions, and the records in it.
struct Good {
    bytes: Vec<u8>,
    names: Vec<String>,
    records: Vec<u8>,
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = Vec::new();
    let recorder = recorder(folder.path(), Bounds::default());
    traffic(&recorder, 1200, |_, _, _| {});
    recorder.close();
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        bytes.extend(fs::read(path).expect("a recording"));
    }
    let mut records = Vec::new();
    zstd::stream::read::Decoder::new(&*bytes)
        .and_then(|mut decoder| decoder.read_to_end(&mut records))
        .expect("a zstd file, as other programs read it");
    let (read, _) = read(&bytes);
    Good {
        names: read.into_iter().map(|recorded| recorded.job.id).collect(),
        bytes,
        records,
    }
});

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("0000000000000-0000.decisions.zst");
    fs::write(&path, bytes).expect("written");
    path
}

/// The decisions in `bytes`, and what is remarked on them.
fn read(bytes: &[u8]) -> (Vec<Recorded>, Vec<pointsman_recording::Remark>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut reader = Reader::open(&[write(folder.path(), bytes)]).expect("there");
    let read = reader.by_ref().collect();
    (read, reader.remarks().to_vec())
}

fn frame(records: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.include_checksum(true).expect("a checksum");
    encoder.write_all(records).expect("written");
    encoder.finish().expect("a frame")
}

/// Touches whatever a replay would.
fn use_all(read: &[Recorded]) {
    for recorded in read {
        let rows = recorded.candidates.rows();
        assert!(
            recorded
                .verdict
                .order
                .iter()
                .all(|&row| (row as usize) < rows)
        );
        if let Some(&row) = recorded.verdict.order.first() {
            let _ = recorded.candidates.price(row);
            let _ = recorded.candidates.id(row as usize);
        }
        let _ = pointsman_recording::Explanation::recorded(recorded).to_string();
    }
}

#[test]
fn wherever_a_file_is_cut_its_whole_frames_are_read() {
    let good = &*GOOD;
    assert_eq!(good.names.len(), 1200);
    let mut counts = std::collections::BTreeSet::new();
    let step = good.bytes.len() / 150;
    for length in (0..=good.bytes.len())
        .step_by(step)
        .chain([good.bytes.len()])
    {
        let (read, remarks) = read(&good.bytes[..length]);
        let names = read.iter().map(|recorded| &recorded.job.id);
        assert!(names.eq(&good.names[..read.len()]), "a beginning of it");
        counts.insert(read.len());
        match remarks.as_slice() {
            [] => {}
            [remark] => assert!(remark.cut_off, "{remark:?}"),
            more => panic!("{more:?}"),
        }
    }
    assert!(counts.len() > 2, "more than one frame: {counts:?}");
}

#[test]
fn a_damaged_frame_ends_the_file_and_the_next_file_is_read() {
    let good = &*GOOD;
    let folder = tempfile::tempdir().expect("a folder");
    let mut damaged = good.bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    write(folder.path(), &damaged);
    fs::write(folder.path().join("1-1.decisions.zst"), &good.bytes).expect("written");
    let mut reader = Reader::open(&[folder.path().to_owned()]).expect("there");
    let read = reader.by_ref().count();
    assert!(read >= good.names.len(), "{read}");
    assert_eq!(reader.remarks().len(), 1);
    assert!(!reader.remarks()[0].cut_off);
}

#[test]
fn a_later_format_is_named_and_refused() {
    let mut record = vec![0x81, 0xa5];
    record.extend(b"begin");
    record.extend([0x84, 0xa6]);
    record.extend(b"format");
    record.extend([0x02, 0xa7]);
    record.extend(b"program");
    record.extend([0xa1, b'9', 0xaa]);
    record.extend(b"started_ms");
    record.extend([0x01, 0xa5]);
    record.extend(b"share");
    record.extend([0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
    let mut records = u32::try_from(record.len())
        .expect("short")
        .to_le_bytes()
        .to_vec();
    records.extend(&record);
    let (read, remarks) = read(&frame(&records));
    assert!(read.is_empty());
    assert!(
        remarks[0]
            .message
            .contains("format 2, by a later pointsman"),
        "{remarks:?}"
    );
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = frame(&vec![0; 80 << 20]);
    assert!(bomb.len() < 100_000);
    let (read, remarks) = read(&bomb);
    assert!(read.is_empty());
    assert!(
        remarks[0]
            .message
            .contains("larger than any recorder writes"),
        "{remarks:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        use_all(&read(&bytes).0);
        // And past the checksum, which anybody can write.
        use_all(&read(&frame(&bytes)).0);
    }

    #[test]
    fn changed_records_under_a_good_checksum_are_read_without_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let good = &*GOOD;
        let mut records = good.records.clone();
        records.truncate(200_000);
        for (place, value) in changes {
            let place = place.index(records.len());
            records[place] = value;
        }
        let (decisions, remarks) = read(&frame(&records));
        use_all(&decisions);
        prop_assert!(remarks.len() <= 1);
    }
}
