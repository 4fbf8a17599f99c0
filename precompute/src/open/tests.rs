use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use parquet::file::reader::ChunkReader;

use super::content::Content;
use super::*;

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("a new member");
        writer.write_all(bytes).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs::write(path, bytes).expect("written");
    }
    directory
}

/// `name=content` of everything `pattern` stands for, or the error.
fn check(files: &[(&str, &[u8])], pattern: &str, expected: &str) {
    let directory = directory(files);
    let found = match open_all(&directory.path().join(pattern)) {
        Ok(opened) => opened
            .iter()
            .map(|file| {
                let bytes = file.bytes().unwrap();
                format!("{}={}", file.name, String::from_utf8_lossy(&bytes))
            })
            .collect::<Vec<_>>()
            .join(" "),
        Err(e) => e.message,
    };
    assert!(
        found == expected || (found.contains(expected) && !found.contains('=')),
        "{pattern}: {found}"
    );
}

#[test]
fn names_are_relative_and_sorted() {
    let zip = zip_of(&[
        ("d/b.csv", b"2"),
        ("a.csv", b"1"),
        ("d/", b""),
        ("__MACOSX/a.csv", b""),
    ]);
    let files: &[(&str, &[u8])] = &[
        ("b.csv", b"B"),
        ("a.csv", b"A"),
        ("x/a.csv", b"X"),
        ("odd[1].csv", b"O"),
        ("z.zip", &zip),
        ("none.zip", &zip_of(&[("d/", b"")])),
        (".h.csv", b"H"),
        ("g.csv.gz", &gzip_of(b"G")),
    ];
    check(files, "a.csv", "a.csv=A");
    check(files, "*.csv", "a.csv=A b.csv=B odd[1].csv=O");
    check(files, ".*.csv", ".h.csv=H");
    check(files, "*/a.csv", "x/a.csv=X");
    check(files, "odd[1].csv", "odd[1].csv=O");
    check(files, "z.zip", "z.zip/a.csv=1 z.zip/d/b.csv=2");
    check(files, "z.zip/d/b.csv", "z.zip/d/b.csv=2");
    check(files, "*.zip/*.csv", "z.zip/a.csv=1 z.zip/d/b.csv=2");
    check(files, "g.csv.gz", "g.csv.gz=G");
    check(files, "absent.csv", "no file of this name");
    check(files, "", "it is a directory: write a glob");
    check(files, "none.zip", "the archive holds no file");
    check(files, "z.zip/*.shp", "no member of the archive matches");
}

#[test]
fn siblings_differ_by_extension_only() {
    let zip = zip_of(&[
        ("d/Areas.shp", b""),
        ("d/areas.DBF", b"dbf"),
        ("Areas.dbf", b"other"),
    ]);
    let files: &[(&str, &[u8])] = &[
        ("z.zip", &zip),
        ("p.shp", b""),
        ("P.PRJ", b"prj"),
        ("p.shp.xml", b""),
    ];
    let directory = directory(files);
    for (pattern, extension, expected) in [
        ("z.zip/*.shp", "dbf", Some("z.zip/d/areas.DBF")),
        ("z.zip/*.shp", "prj", None),
        ("p.shp", "prj", Some("P.PRJ")),
        ("p.shp", "dbf", None),
    ] {
        let located = locate(&directory.path().join(pattern)).unwrap();
        let sibling = located[0].sibling(extension);
        assert_eq!(sibling.as_ref().map(|s| &*s.name), expected);
        assert!(sibling.is_none_or(|s| s.open().is_ok()));
    }
}

#[test]
fn large_contents_leave_memory() {
    let large = b"0123456789abcdef".repeat((32 << 16) + 1);
    assert!(large.len() as u64 > MEMORY_LIMIT);
    let zip = zip_of(&[("a.txt", &large)]);
    let directory = directory(&[
        ("a.txt", &large),
        ("a.txt.gz", &gzip_of(&large)),
        ("a.zip", &zip),
    ]);
    for name in ["a.txt", "a.txt.gz", "a.zip"] {
        let opened = open_all(&directory.path().join(name)).unwrap();
        assert!(matches!(opened[0].content, Content::Disk(_)));
        assert!(opened[0].bytes().unwrap() == large);
        assert_eq!(opened[0].get_bytes(18, 3).unwrap(), "234");
        assert!(opened[0].get_bytes(large.len() as u64, 1).is_err());
        let mut reader = opened[0].reader();
        reader.seek(SeekFrom::End(-2)).unwrap();
        let mut end = String::new();
        reader.read_to_string(&mut end).unwrap();
        assert_eq!(end, "ef");
    }
}

#[test]
fn hostile_archives_are_refused() {
    let plain = zip_of(&[("aa", b"first"), ("bb", b"second")]);
    let rename = |from: &[u8], to: &[u8]| {
        let mut bytes = plain.clone();
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from) {
                bytes[at..at + from.len()].copy_from_slice(to);
            }
        }
        bytes
    };
    check(&[("z.zip", &rename(b"bb", b"aa"))], "z.zip", "same name");
    check(
        &[("z.zip", &rename(b"bb", b".."))],
        "z.zip",
        "outside the archive",
    );
    check(
        &[("z.zip", &rename(b"bb", b"/b"))],
        "z.zip",
        "outside the archive",
    );
    check(
        &[("z.zip", &rename(b"bb", b"c:"))],
        "z.zip",
        "outside the archive",
    );
    let climbing = zip_of(&[("a\\..\\..\\b", b"")]);
    check(&[("z.zip", &climbing)], "z.zip", "outside the archive");
    // The name in the local header differs from the one in the directory.
    let mut disagree = plain.clone();
    disagree[30..32].copy_from_slice(b"ab");
    check(&[("z.zip", &disagree)], "z.zip", "cannot be read");
    // One bit of the data.
    let data = plain
        .windows(4)
        .position(|w| w == b"aa\xcb\x48")
        .map_or(34, |at| at + 3);
    let mut flipped = plain.clone();
    flipped[data] ^= 1;
    check(&[("z.zip", &flipped)], "z.zip", "cannot be read");
    check(&[("z.zip", b"")], "z.zip", "not a readable zip archive");
    check(
        &[("z.zip", &plain[..plain.len() - 5])],
        "z.zip",
        "not a readable zip archive",
    );
    let mut link = ZipWriter::new(io::Cursor::new(Vec::new()));
    link.add_symlink("l", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    let link = link.finish().unwrap().into_inner();
    check(&[("z.zip", &link)], "z.zip", "symbolic link");
    let mut encrypted = plain.clone();
    for (signature, offset) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        for at in 0..plain.len() - 4 {
            if plain[at..].starts_with(signature) {
                encrypted[at + offset] |= 1;
            }
        }
    }
    check(&[("z.zip", &encrypted)], "z.zip", "cannot be read");
}

#[test]
fn truncated_archives_never_panic() {
    let whole = zip_of(&[("a.csv", b"a,b\n1,2\n"), ("b.csv", b"")]);
    let gz = gzip_of(b"a,b\n1,2\n");
    for end in 0..whole.len() {
        let directory = directory(&[("z.zip", &whole[..end])]);
        assert!(open_all(&directory.path().join("z.zip")).is_err(), "{end}");
    }
    for end in 1..gz.len() {
        let directory = directory(&[("a.gz", &gz[..end])]);
        assert!(open_all(&directory.path().join("a.gz")).is_err(), "{end}");
    }
}

#[test]
fn many_members_are_listed_in_time() {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for number in 0..200_000 {
        writer
            .start_file(format!("{number}.csv"), options)
            .expect("a new member");
    }
    let zip = writer.finish().expect("in memory").into_inner();
    check(&[("z.zip", &zip)], "z.zip/199999.csv", "z.zip/199999.csv=");
    check(&[("z.zip", &zip)], "z.zip", "more than 100000 files");
}

#[test]
fn bombs_stop_at_their_limit() {
    let mut zeros = io::repeat(0);
    let error = inflate::spool(&mut zeros, MEMORY_LIMIT * 2).unwrap_err();
    assert!(error.to_string().contains("inflates to more than 64 MB"));
    assert_eq!(inflate::limit(42_000), 256 << 20);
    assert_eq!(inflate::limit(12_000_000), 2_400_000_000);
}

#[test]
fn real_archives_open() {
    for (pattern, count) in [
        ("fr-communes/contours/*.zip/*.geojson", 101),
        ("fr-iris-2020/*.zip/*.shp", 1),
        ("us-mn-precincts/*.zip/*.shp", 2),
        ("fr-bureaux-vote/contours/*.zip", 1),
        ("points-fr/*.csv.gz", 1),
    ] {
        let Some(path) = crate::real_data::file(pattern) else {
            continue;
        };
        let opened = open_all(&path).unwrap();
        assert_eq!(opened.len(), count, "{pattern}");
    }
}
