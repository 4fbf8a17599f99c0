//! The figures of `benches/README.md`: CPU per tile by zoom, cold and hot, and sizes, as a table.
//!
//! Each tile is timed several times and its best time counts, so that other work on the machine
//! shows little. `cargo bench -p benches --bench table [-- AREAS]`.

#![allow(clippy::print_stdout, reason = "the table is the result")]
#![expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds far below 2^53"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::national::nation;
use benches::{SEED, three_tenths, tiles};
use tilecore::dataset::Level;
use tilecore::gather::{Coding, Scratch, gather};

fn main() {
    let areas = std::env::args().find_map(|arg| arg.parse().ok());
    let areas: usize = areas.unwrap_or(70_000);
    let start = Instant::now();
    let rows = nation(SEED, areas, 100);
    let vertices: usize = rows.geometries.iter().map(|g| g[0].exterior.len()).sum();
    let flagged = rows
        .repair_zooms
        .iter()
        .map(|m| m.count_ones())
        .sum::<u32>();
    let count = rows.keys.len();
    let made = start.elapsed();
    let start = Instant::now();
    let level = benches::open(rows);
    println!("{count} areas, {vertices} vertices, {flagged} (area, zoom) pairs to repair");
    println!(
        "made in {made:.1?}, written and opened in {:.1?}",
        start.elapsed()
    );
    let start = Instant::now();
    black_box(benches::template(&level, tiles(&level, 6, 1)[0]));
    println!(
        "overview made in {:.1?}; level holds {} kB\n",
        start.elapsed(),
        level.heap_bytes() / 1000
    );
    println!(
        "   z units  kB cold/µs |  all/µs 30%/µs  id/µs |  gzip/kB ratio6 ratio30 | defl1 defl6 zstd1/µs | template kB"
    );
    for z in 5..=14 {
        row(&level, z);
    }
}

fn best<T>(mut work: impl FnMut() -> T) -> f64 {
    let rounds = 7;
    let time = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    let best = (0..rounds).map(|_| time(&mut work)).min();
    best.unwrap_or(Duration::MAX).as_nanos() as f64 / 1000.0
}

fn row(level: &Level, z: u8) {
    let tiles = tiles(
        level,
        z,
        [2, 4, 8, 16, 32, 60, 100, 150, 200, 200][usize::from(z - 5)],
    );
    let third = three_tenths(level);
    let mut scratch = Scratch::default();
    let mut sums = [0.0; 14];
    let mut shown = 0.0;
    let mut inflater = libdeflater::Decompressor::new();
    for &tile in &tiles {
        let template = benches::template(level, tile);
        if template.is_empty() {
            continue;
        }
        shown += 1.0;
        let mut hot = |rows, coding| best(|| gather(&template, rows, &[], coding, &mut scratch));
        let times = [
            best(|| benches::template(level, tile)),
            hot(None, Coding::Gzip),
            hot(Some(&third), Coding::Gzip),
            hot(None, Coding::Identity),
        ];
        let mut bytes = |rows, coding| gather(&template, rows, &[], coding, &mut scratch).bytes;
        let (plain, coded) = (bytes(None, Coding::Identity), bytes(None, Coding::Gzip));
        let (plain30, coded30) = (
            bytes(Some(&third), Coding::Identity),
            bytes(Some(&third), Coding::Gzip),
        );
        let mut inflated = vec![0; plain.len()];
        inflater
            .gzip_decompress(&coded, &mut inflated)
            .expect("gzip");
        assert!(inflated == plain);
        let libdeflate = |level: i32, plain: &[u8]| {
            let level = libdeflater::CompressionLvl::new(level).expect("a level");
            let mut deflater = libdeflater::Compressor::new(level);
            let mut out = vec![0; deflater.gzip_compress_bound(plain.len())];
            deflater.gzip_compress(plain, &mut out).expect("room")
        };
        let zstd = |level: i32| zstd::bulk::compress(&plain, level).expect("zstd").len();
        let values = [
            template.rows().len() as f64,
            plain.len() as f64 / 1000.0,
            times[0],
            times[1],
            times[2],
            times[3],
            coded.len() as f64 / 1000.0,
            libdeflate(6, &plain) as f64 / 1000.0,
            coded30.len() as f64 / 1000.0,
            libdeflate(6, &plain30) as f64 / 1000.0,
            best(|| libdeflate(1, &plain)),
            best(|| libdeflate(6, &plain)),
            best(|| zstd(1)),
            template.heap_bytes() as f64 / 1000.0,
        ];
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    let m = sums.map(|sum| sum / shown);
    println!(
        "{z:4} {:5.0} {:5.1} {:7.1} | {:7.1} {:6.1} {:6.1} | {:8.2} {:6.3} {:6.3} | {:6.1} {:6.1} {:6.1} | {:6.1}",
        m[0],
        m[1],
        m[2],
        m[3],
        m[4],
        m[5],
        m[6],
        m[6] / m[7],
        m[8] / m[9],
        m[10],
        m[11],
        m[12],
        m[13]
    );
}
