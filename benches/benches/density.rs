//! A density tile by its stages, over ten million made-up contacts or as many as the command line
//! says: finding its cells, counting them under a filter that three in ten pass, encoding, coding.
//!
//! µs a tile, the best of seven, mean of up to twenty tiles where contacts are; beside the gzip of
//! hints what compressors take.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a table of small numbers is what this is for"
)]

use std::time::{Duration, Instant};

use benches::random::Random;
use libdeflater::{CompressionLvl, Compressor};
use tilecore::density::morton::key_of;
use tilecore::density::pyramid::Pyramid;
use tilecore::density::rank::RankedBitmap;
use tilecore::density::tile::{CellShape, count_cells, encode_cells};
use tilecore::geometry::{GridPoint, WORLD_BITS};
use tilecore::{Bitmap, TileCoord};

/// Towns of Zipf's sizes, each a hump of some kilometres.
const TOWNS: usize = 8_000;

/// A land of 1,000 km by 1,000, in cells of the world's grid.
const LAND: f64 = 27_000_000.0;
const CORNER: f64 = 530_000_000.0;

fn main() {
    let contacts = std::env::args().find_map(|arg| arg.parse().ok());
    let keys = keys(contacts.unwrap_or(10_000_000));
    let pyramid = Pyramid::of(&keys);
    let mut random = Random(3);
    let mut passing = Bitmap::empty(keys.len());
    for row in 0..keys.len() {
        if random.below(10) < 3 {
            passing.insert(row);
        }
    }
    let passing = RankedBitmap::new(passing);
    let all = RankedBitmap::new(Bitmap::full(keys.len()));
    println!(
        "zoom   cells   bytes    find   count  encode    gzip   bytes \
         | gzip 1   bytes  gzip 6   bytes  zstd 1   bytes"
    );
    for z in [0, 2, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16] {
        let tiles = tiles(&keys, z);
        let mut sums = Sums::default();
        for &tile in &tiles {
            let (find, cells) = best(|| pyramid.cells_of_tile(&keys, tile));
            let (count, counts) = best(|| count_cells(&cells, &passing, &all));
            let (encode, tile) = best(|| encode_cells("people", counts.clone(), CellShape::Point));
            let bytes = tile.bytes();
            let (gzip, coded) = best(|| tile.gzip());
            sums.add(5, gzip);
            sums.add(6, coded.len() as f64);
            sums.add(0, counts.len() as f64);
            sums.add(1, bytes.len() as f64);
            for (at, time) in [(2, find), (3, count), (4, encode)] {
                sums.add(at, time);
            }
            for (at, level) in [(7, 1), (9, 6)] {
                let level = CompressionLvl::new(level).expect("levels go to 12");
                let mut gzip = Compressor::new(level);
                let mut out = vec![0; gzip.gzip_compress_bound(bytes.len())];
                let (time, len) =
                    best(|| gzip.gzip_compress(bytes, &mut out).expect("there is room"));
                sums.add(at, time);
                sums.add(at + 1, len as f64);
            }
            let (time, coded) = best(|| zstd::bulk::compress(bytes, 1).expect("a good level"));
            sums.add(11, time);
            sums.add(12, coded.len() as f64);
        }
        let mean = sums.0.map(|sum| sum / tiles.len() as f64);
        print!("{z:>4}");
        for value in mean {
            print!(" {value:>7.0}");
        }
        println!();
    }
}

#[derive(Default)]
struct Sums([f64; 13]);

impl Sums {
    fn add(&mut self, at: usize, value: f64) {
        self.0[at] += value;
    }
}

/// The shortest of seven runs in microseconds, and what it gave.
fn best<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut least = Duration::MAX;
    let mut result = work();
    for _ in 0..7 {
        let start = Instant::now();
        result = std::hint::black_box(work());
        least = least.min(start.elapsed());
    }
    (least.as_secs_f64() * 1e6, result)
}

fn keys(count: usize) -> Vec<u64> {
    let mut random = Random(11);
    let mut at = || CORNER + random.unit() * LAND;
    let towns: Vec<[f64; 2]> = (0..TOWNS).map(|_| [at(), at()]).collect();
    // Zipf: the k-th town has 1/k of the first one's contacts.
    let mut until = 0.0;
    let shares: Vec<f64> = (1..=TOWNS)
        .map(|k| {
            until += 1.0 / k as f64;
            until
        })
        .collect();
    let mut keys: Vec<u64> = (0..count)
        .map(|_| {
            let place = random.unit() * until;
            let town = shares.partition_point(|share| *share < place);
            let radius = 100_000.0 + 1_000_000.0 / (1.0 + town as f64).sqrt();
            let mut offset = || ((0..6).map(|_| random.unit()).sum::<f64>() - 3.0) * radius;
            let [x, y] = towns[town.min(TOWNS - 1)];
            let (x, y) = (x + offset(), y + offset());
            key_of(GridPoint {
                x: x as i32,
                y: y as i32,
            })
        })
        .collect();
    keys.sort_unstable();
    keys
}

/// Up to twenty tiles of contacts taken evenly.
fn tiles(keys: &[u64], z: u8) -> Vec<TileCoord> {
    let mut tiles: Vec<TileCoord> = Vec::new();
    for i in 0..20 {
        let point = tilecore::density::morton::point_of(keys[i * keys.len() / 20]);
        let at = |v: i32| v.unsigned_abs() >> (WORLD_BITS - u32::from(z));
        let tile = TileCoord::new(z, at(point.x), at(point.y)).expect("in the world");
        if !tiles.contains(&tile) {
            tiles.push(tile);
        }
    }
    tiles
}
