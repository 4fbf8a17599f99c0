//! Work that does not depend on the machine's mood: instructions a tile, by stage and zoom, counted
//! by callgrind. `benches/callgrind` runs this and prints the table.
//!
//! Alone it does the same work once and prints how many tiles, units and bytes that was.

#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::hint::black_box;

use benches::{nation_of_arguments, template, three_tenths, tiles};
use tilecore::dataset::Level;
use tilecore::gather::{Coding, Scratch, gather};
use tilecore::template::Template;
use tilecore::{Bitmap, TileCoord};

const TILES: usize = 20;

/// Functions of their own by zoom, so that a profile tells them apart; the zoom in each keeps the
/// compiler from making one of them.
macro_rules! stages {
    ($($zoom:literal $cold:ident $filtered:ident)*) => {
        $(
            #[inline(never)]
            fn $cold(level: &Level, tiles: &[TileCoord]) -> Vec<Template> {
                black_box($zoom);
                cold(level, tiles)
            }

            #[inline(never)]
            fn $filtered(templates: &[Template], rows: &Bitmap, scratch: &mut Scratch) -> usize {
                black_box($zoom);
                filtered(templates, rows, scratch)
            }
        )*

        fn all(level: &Level) {
            $(zoom(level, $zoom, $cold, $filtered);)*
        }
    };
}

stages! {
    8 cold_z8 filtered_z8
    9 cold_z9 filtered_z9
    10 cold_z10 filtered_z10
    11 cold_z11 filtered_z11
    12 cold_z12 filtered_z12
    14 cold_z14 filtered_z14
}

fn main() {
    let level = nation_of_arguments(10);
    // What a level computes once is not a tile's.
    black_box(cold(&level, &tiles(&level, 7, 1)));
    all(&level);
}

type Cold = fn(&Level, &[TileCoord]) -> Vec<Template>;
type Filtered = fn(&[Template], &Bitmap, &mut Scratch) -> usize;

fn zoom(level: &Level, z: u8, cold: Cold, filtered_here: Filtered) {
    let tiles = tiles(level, z, TILES);
    let templates = cold(level, &tiles);
    let third = three_tenths(level);
    let mut scratch = Scratch::default();
    let bytes = filtered(&templates, &third, &mut scratch);
    // The buffers have grown to their sizes.
    black_box(filtered_here(&templates, &third, &mut scratch));
    let units: usize = templates.iter().map(|t| t.rows().len()).sum();
    println!("z{z}: {TILES} tiles, {units} units, {bytes} bytes of gzip with three tenths");
}

fn cold(level: &Level, tiles: &[TileCoord]) -> Vec<Template> {
    tiles.iter().map(|tile| template(level, *tile)).collect()
}

fn filtered(templates: &[Template], rows: &Bitmap, scratch: &mut Scratch) -> usize {
    let tile = |template| gather(template, Some(rows), &[], Coding::Gzip, scratch);
    templates
        .iter()
        .map(tile)
        .map(|tile| tile.bytes.len())
        .sum()
}
