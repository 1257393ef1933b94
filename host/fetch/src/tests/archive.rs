use proptest::prelude::*;

use super::*;

const SMALL: Limits = Limits {
    archive: 64 << 10,
    unpacked: 256 << 10,
    files: 4,
    name: 32,
};

/// A tar of whatever is given, also of what `pack` would not.
fn tar(entries: &[(&[u8], EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, bytes) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn file(name: &str) -> Vec<u8> {
    tar(&[(name.as_bytes(), EntryType::Regular, b"x")])
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress(bytes).expect("compressed")
}

#[test]
fn both_kinds_are_read_by_their_first_bytes() {
    let files = [("bundle.toml", &b"a"[..]), ("x.wasm", b"bc")];
    for compression in [Compression::None, Compression::Zstd] {
        let packed = pack(files, compression).expect("packed");
        assert_eq!(Compression::of(&packed), compression);
        let read = unpack(&packed, &SMALL).expect("unpacked");
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(read, expected);
    }
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let once = pack([("b", &b"2"[..]), ("a", b"1")], Compression::Zstd).expect("packed");
    let again = pack([("a", &b"1"[..]), ("b", b"2")], Compression::Zstd).expect("packed");
    assert_eq!(once, again);
}

#[test]
fn what_usual_tools_write_at_the_top_is_read() {
    let dotted = tar(&[
        (b"./", EntryType::Directory, b""),
        (b"./bundle.toml", EntryType::Regular, b"a"),
    ]);
    assert_eq!(
        unpack(&dotted, &SMALL).expect("read"),
        [("bundle.toml".to_owned(), b"a".to_vec())]
    );
}

#[test]
fn only_plain_names_are_taken() {
    for name in [
        "../x",
        "..",
        "/etc/passwd",
        "a/b",
        "./../x",
        ".//x",
        "a\\b",
        "C:x",
        "./",
        "a\nb",
    ] {
        assert!(
            matches!(unpack(&file(name), &SMALL), Err(ArchiveError::Name(_))),
            "{name}"
        );
    }
    assert!(matches!(
        unpack(&tar(&[(b"\xff", EntryType::Regular, b"")]), &SMALL),
        Err(ArchiveError::Name(_))
    ));
    assert!(matches!(
        pack([("a/b", &b""[..])], Compression::None),
        Err(ArchiveError::Name(_))
    ));
}

#[test]
fn links_folders_and_devices_are_refused() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
        EntryType::Continuous,
        EntryType::XGlobalHeader,
        EntryType::new(b'Z'),
    ] {
        let read = unpack(&tar(&[(b"x", kind, b"")]), &SMALL);
        assert!(
            matches!(read, Err(ArchiveError::Kind(_))),
            "{kind:?}: {read:?}"
        );
    }
    assert!(unpack(&tar(&[(b"x", EntryType::GNUSparse, b"")]), &SMALL).is_err());
}

#[test]
fn the_same_name_twice_is_refused_however_it_is_spelt() {
    let twice = tar(&[
        (b"a", EntryType::Regular, b"1"),
        (b"./a", EntryType::Regular, b"2"),
    ]);
    assert!(matches!(unpack(&twice, &SMALL), Err(ArchiveError::Twice(name)) if name == "a"));
}

#[test]
fn each_cap_holds_at_its_edge() {
    let entries = |count: u8| -> Vec<u8> {
        let names: Vec<[u8; 1]> = (0..count).map(|index| [b'a' + index]).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| (&name[..], EntryType::Regular, &b""[..]))
            .collect();
        tar(&entries)
    };
    assert_eq!(unpack(&entries(4), &SMALL).expect("four").len(), 4);
    assert!(matches!(
        unpack(&entries(5), &SMALL),
        Err(ArchiveError::TooMany(4))
    ));

    assert!(unpack(&file(&"n".repeat(32)), &SMALL).is_ok());
    assert!(matches!(
        unpack(&file(&"n".repeat(33)), &SMALL),
        Err(ArchiveError::LongName(32))
    ));

    let full = file("a");
    let exact = Limits {
        unpacked: full.len(),
        archive: full.len(),
        ..SMALL
    };
    assert!(unpack(&full, &exact).is_ok());
    let less = Limits {
        unpacked: full.len() - 1,
        ..exact
    };
    assert!(matches!(unpack(&full, &less), Err(ArchiveError::Bomb(_))));
    let less = Limits {
        archive: full.len() - 1,
        ..exact
    };
    assert!(matches!(
        unpack(&full, &less),
        Err(ArchiveError::TooLarge(_))
    ));
}

#[test]
fn a_bomb_stops_at_the_cap() {
    let bomb = zstd(&tar(&[(b"x", EntryType::Regular, &vec![0; 8 << 20])]));
    assert!(
        bomb.len() < 16 << 10,
        "{} bytes make eight million",
        bomb.len()
    );
    assert!(matches!(unpack(&bomb, &SMALL), Err(ArchiveError::Bomb(_))));
    // Also where it hides behind the end of the tar, or in a name.
    let mut behind = file("x");
    behind.resize(8 << 20, 0);
    assert!(matches!(
        unpack(&zstd(&behind), &SMALL),
        Err(ArchiveError::Bomb(_))
    ));
    let name = tar(&[(
        b"././@LongLink",
        EntryType::GNULongName,
        &vec![b'a'; 8 << 20],
    )]);
    assert!(matches!(
        unpack(&zstd(&name), &SMALL),
        Err(ArchiveError::Bomb(_))
    ));
}

#[test]
fn a_size_that_is_only_claimed_costs_nothing() {
    let mut claimed = file("x");
    let mut header = Header::from_byte_slice(&claimed[..512]).clone();
    for size in [1 << 40, u64::MAX - 511, u64::MAX] {
        header.set_size(size);
        header.set_cksum();
        claimed[..512].copy_from_slice(header.as_bytes());
        let read = unpack(&claimed, &SMALL);
        assert!(
            matches!(read, Err(ArchiveError::Broken(_))),
            "{size}: {read:?}"
        );
    }
}

#[test]
fn a_torn_archive_is_refused() {
    let body: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
    let whole = tar(&[(b"x", EntryType::Regular, &body)]);
    for torn in [&whole[..40_000], &whole[..700], &whole[..100]] {
        assert!(
            matches!(unpack(torn, &SMALL), Err(ArchiveError::Broken(_))),
            "{}",
            torn.len()
        );
    }
    let packed = zstd(&whole);
    assert!(unpack(&packed, &SMALL).is_ok());
    for end in [4, 12, packed.len() / 2, packed.len() - 5, packed.len() - 1] {
        assert!(
            matches!(unpack(&packed[..end], &SMALL), Err(ArchiveError::Broken(_))),
            "{end}"
        );
    }
}

#[test]
fn nothing_may_follow_the_end() {
    let mut two = file("a");
    two.extend(file("b"));
    assert!(
        matches!(unpack(&two, &SMALL), Err(ArchiveError::Broken(why)) if why.contains("follows"))
    );
}

#[test]
fn other_files_are_refused_with_how_to_make_one() {
    for wrong in [
        &b"no tar at all"[..],
        &[0; 512],
        b"\x28\xb5\x2f\xfd",
        b"PK\x03\x04",
    ] {
        let error = unpack(wrong, &SMALL).expect_err("refused").to_string();
        assert!(error.contains("policy build --pack"), "{error}");
    }
    assert!(matches!(unpack(b"", &SMALL), Err(ArchiveError::Empty)));
    assert!(matches!(
        unpack(&tar(&[]), &SMALL),
        Err(ArchiveError::Empty)
    ));
    assert!(matches!(
        unpack(b"\x1f\x8b\x08\x00", &SMALL),
        Err(ArchiveError::Gzip)
    ));
}

#[test]
fn a_window_larger_than_what_may_come_out_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(24).expect("a window");
    encoder.write_all(&file("a")).expect("written");
    let wide = encoder.finish().expect("compressed");
    assert!(matches!(
        unpack(&wide, &SMALL),
        Err(ArchiveError::Broken(_))
    ));
    assert!(unpack(&wide, &Limits::default()).is_ok());
}

fn names() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_.-]{1,20}".prop_filter("plain", |name| is_plain(name))
}

proptest! {
    #[test]
    fn what_is_packed_comes_out(
        files in prop::collection::btree_map(names(), prop::collection::vec(any::<u8>(), 0..2000), 1..5),
        compressed: bool,
    ) {
        let compression = if compressed { Compression::Zstd } else { Compression::None };
        let packed = pack(files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])), compression).expect("packed");
        let read = unpack(&packed, &SMALL).expect("unpacked");
        prop_assert_eq!(read, files.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn damage_anywhere_neither_panics_nor_passes_a_cap(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        compressed: bool,
    ) {
        let mut bytes = tar(&[
            (b"././@LongLink", EntryType::GNULongName, b"a-name-that-is-long-enough"),
            (b"a", EntryType::Regular, b"contents"),
            (b"pax", EntryType::XHeader, b"14 path=other\n"),
            (b"b", EntryType::Regular, &[7; 600]),
        ]);
        if compressed {
            bytes = zstd(&bytes);
        }
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2).max(1));
        if let Ok(files) = unpack(&bytes, &SMALL) {
            prop_assert!(files.len() <= SMALL.files);
            prop_assert!(files.iter().all(|(name, _)| is_plain(name) && name.len() <= SMALL.name));
            prop_assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= SMALL.unpacked);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), compressed: bool) {
        let bytes = if compressed { zstd(&bytes) } else { bytes };
        let _ = unpack(&bytes, &SMALL);
    }
}
