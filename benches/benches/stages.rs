//! One bench a stage of the tile engine, on a nation of 20,000 areas.
//!
//! `cargo bench -p benches --bench stages`; the figures of the README come from `table`.

use std::hint::black_box;
use std::io::Cursor;

use benches::national::nation;
use benches::tiles;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tilecore::Bitmap;
use tilecore::dataset::Level;
use tilecore::dataset::write::SortedRows;
use tilecore::gather::{Coding, Scratch, gather};

const ZOOMS: [u8; 4] = [8, 10, 12, 14];

fn level() -> Level {
    benches::open(nation(7, 20_000, 10))
}

fn write(c: &mut Criterion) {
    let rows = SortedRows::new(nation(7, 2000, 100)).expect("made to the rules");
    let mut group = c.benchmark_group("write");
    group.sample_size(10);
    group.bench_function("fgb", |b| {
        b.iter(|| {
            let mut out = Cursor::new(Vec::new());
            rows.write_fgb("bureau", &mut out)
                .expect("memory does not fail");
            out.into_inner()
        });
    });
    group.bench_function("arrow", |b| {
        b.iter(|| {
            let mut out = Vec::new();
            rows.write_arrow(&mut out).expect("memory does not fail");
            out
        });
    });
}

fn template(c: &mut Criterion) {
    let level = level();
    let mut group = c.benchmark_group("template");
    for z in ZOOMS {
        let tile = tiles(&level, z, 1)[0];
        group.bench_with_input(BenchmarkId::from_parameter(z), &tile, |b, &tile| {
            b.iter(|| benches::template(&level, tile));
        });
    }
}

fn gathers(c: &mut Criterion) {
    let level = level();
    let third = Bitmap::from_words(level.rows(), vec![0x9249_2492_4924_9249; level.rows() / 64]);
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("gather");
    for z in ZOOMS {
        let template = benches::template(&level, tiles(&level, z, 1)[0]);
        for (name, rows, coding) in [
            ("third, gzip", Some(&third), Coding::Gzip),
            ("third, identity", Some(&third), Coding::Identity),
            ("all, identity", None, Coding::Identity),
        ] {
            group.bench_function(BenchmarkId::new(name, z), |b| {
                b.iter(|| black_box(gather(&template, rows, &[], coding, &mut scratch)));
            });
        }
    }
}

criterion_group!(benches, write, template, gathers);
criterion_main!(benches);
