//! What `/stats` computes, at 70,000 and 1,000,000 values: the distribution of a column over the
//! rows that pass, its histogram and quantiles, and the limits of nine classes by each method.
//!
//! `smooth` values are all different, as rates are: the worst case of the exact optimum, which
//! works on distinct values. `counts` repeat, as small numbers of votes do.

use benches::random::Random;
use criterion::{Criterion, criterion_group, criterion_main};
use tilecore::Bitmap;
use tilecore::classes::Method;
use tilecore::stats::Distribution;

/// As many classes as the page offers at most.
const CLASSES: usize = 9;

/// Values like those of turnout: a hump, a long tail, one in a hundred missing.
fn values(rows: usize, step: f64) -> Vec<f64> {
    let mut random = Random(20_220_410);
    (0..rows)
        .map(|_| {
            let hump = (0..6).map(|_| random.unit()).sum::<f64>() / 6.0;
            let tail = 1.0 / (1.0 - random.unit() * 0.95);
            let missing = random.unit() < 0.01;
            let value = 400.0 * hump * tail + random.unit() * 1e-6;
            if missing {
                f64::NAN
            } else if step > 0.0 {
                (value / step).floor() * step
            } else {
                value
            }
        })
        .collect()
}

fn stats(c: &mut Criterion) {
    for rows in [70_000, 1_000_000] {
        let all = Bitmap::full(rows);
        for (kind, step) in [("smooth", 0.0), ("counts", 1.0)] {
            let column = values(rows, step);
            let mut group = c.benchmark_group(format!("stats/{rows}/{kind}"));
            group.sample_size(10);
            group.bench_function("distribution", |b| {
                b.iter(|| Distribution::of(&column, &all));
            });
            let distribution = Distribution::of(&column, &all);
            group.bench_function("histogram", |b| b.iter(|| distribution.histogram(32)));
            for method in Method::ALL {
                group.bench_function(method.name(), |b| {
                    b.iter(|| distribution.breaks(method, CLASSES));
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, stats);
criterion_main!(benches);
