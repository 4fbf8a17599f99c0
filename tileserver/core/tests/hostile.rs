//! A level's files cut short, with flipped bits and with lies in them: refused or read, never a
//! panic.
//!
//! Whatever opens is then used in every way that a server uses it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use support::towns::{Kind, Random, files, meta, town};
use tilecore::TileCoord;
use tilecore::dataset::{Level, schema};
use tilecore::gather::{Coding, Scratch, gather};
use tilecore::geometry::GridPoint;
use tilecore::template::{Template, TemplateSpec};

struct Files {
    meta: schema::Level,
    fgb: Vec<u8>,
    arrow: Vec<u8>,
}

fn small() -> Files {
    let mut random = Random(5);
    let rows = town(&mut random, Kind::Stars, 9, [1 << 29, 1 << 29, 1 << 16]);
    let meta = meta(&rows);
    let (fgb, arrow) = files(rows);
    Files { meta, fgb, arrow }
}

/// Opens the files and, if that works, reads everything there is. Returns whether they opened.
fn survives(meta: &schema::Level, fgb: &[u8], arrow: &[u8]) -> bool {
    let (fgb, arrow) = (Bytes::copy_from_slice(fgb), Bytes::copy_from_slice(arrow));
    let Ok(level) = Level::open(meta, fgb, arrow) else {
        return false;
    };
    let mut rows = Vec::new();
    level.rows_in([0, 0, i32::MAX, i32::MAX], &mut rows);
    for row in 0..level.rows() {
        let _ = (level.key(row), level.name(row), level.parent(row));
        let _ = (level.id(row), level.bounds_of(row), level.geometry(row));
        let [x, y, ..] = level.bounds_of(row);
        let _ = level.at(GridPoint { x, y });
        let _ = level.row_of_key(level.key(row));
        let _ = level.row_of_id(level.id(row));
    }
    let mut scratch = Scratch::default();
    for (z, x, y) in [
        (0, 0, 0),
        (9, 256, 256),
        (14, 8192, 8191),
        (18, 131_072, 131_072),
    ] {
        let spec = TemplateSpec {
            tile: TileCoord::new(z, x, y).unwrap(),
            layer: "town",
            properties: &[0, 3],
            zoom_max: 14,
        };
        if let Ok(template) = Template::build(&level, &spec, &|| false) {
            let tile = gather(&template, None, &[], Coding::Gzip, &mut scratch);
            assert_eq!(tile.bytes.is_empty(), template.is_empty());
        }
    }
    true
}

#[test]
fn whole_files_open() {
    let Files { meta, fgb, arrow } = small();
    assert!(survives(&meta, &fgb, &arrow));
}

#[test]
fn files_cut_short() {
    let Files { meta, fgb, arrow } = small();
    for length in 0..fgb.len() {
        survives(&meta, &fgb[..length], &arrow);
    }
    for length in 0..arrow.len() {
        let opened = survives(&meta, &fgb, &arrow[..length]);
        assert!(!opened, "an Arrow file ends with its footer: {length}");
    }
}

#[test]
fn every_bit_of_the_geometry_flipped() {
    let Files {
        meta,
        mut fgb,
        arrow,
    } = small();
    for at in 0..fgb.len() {
        // Every bit where the structure is, then some of the coordinates.
        let bits = if at < 2500 { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            fgb[at] ^= 1 << bit;
            survives(&meta, &fgb, &arrow);
            fgb[at] ^= 1 << bit;
        }
    }
}

#[test]
fn every_byte_of_the_columns_changed() {
    let Files {
        meta,
        fgb,
        mut arrow,
    } = small();
    for at in 0..arrow.len() {
        for change in [1 << (at % 8), 0x80, 0xff] {
            arrow[at] ^= change;
            survives(&meta, &fgb, &arrow);
            arrow[at] ^= change;
        }
    }
}

#[test]
fn numbers_that_lie() {
    let Files { meta, fgb, arrow } = small();
    let mut random = Random(17);
    let lies = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff0_u32];
    for _ in 0..4000 {
        let (mut fgb, mut arrow) = (fgb.clone(), arrow.clone());
        for _ in 0..=random.below(3) {
            let file = if random.below(2) == 0 {
                &mut fgb
            } else {
                &mut arrow
            };
            let words = file.len() as u64 / 4;
            let at = usize::try_from(random.below(words)).unwrap() * 4;
            let lie = lies[usize::try_from(random.below(6)).unwrap()];
            file[at..at + 4].copy_from_slice(&lie.to_le_bytes());
        }
        survives(&meta, &fgb, &arrow);
    }
}

#[test]
fn files_of_another_level() {
    let Files { meta, fgb, .. } = small();
    let mut random = Random(6);
    let other = town(&mut random, Kind::Stars, 8, [1 << 29, 1 << 29, 1 << 16]);
    let (_, arrow) = files(other);
    assert!(!survives(&meta, &fgb, &arrow));
    assert!(!survives(&meta, &arrow, &fgb));
    assert!(!survives(&meta, &[], &[]));
}
