//! Browsing: people who zoom into towns and countryside, tile after tile, with filters.
//!
//! A view is twelve tiles; a visit zooms from the nation to a place. The nation has two levels, as
//! maps of one have: its areas from z8, and one of 28 times fewer above. Templates are kept as a
//! server keeps them, so the first visitors to a place pay for it. Everything a request costs
//! below HTTP is timed. `cargo bench --bench trace [-- AREAS]`.

#![allow(clippy::print_stdout, reason = "the table is the result")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "made-up places, counts and nanoseconds far below 2^53"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::national::nation;
use benches::random::Random;
use benches::{SEED, nation_of_arguments, open};
use tilecore::dataset::Level;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::Kind;
use tilecore::filter::{Filter, Queryable, Queryables, Table};
use tilecore::gather::{Coding, Scratch, gather};
use tilecore::geometry::{GridPoint, WORLD_CELLS};
use tilecore::template::Template;
use tilecore::{Bitmap, TileCoord};

const VISITS: usize = 400;
const ZOOMS: std::ops::RangeInclusive<u8> = 5..=14;

/// The first zoom of the finer level, and how many of its areas one of the coarser stands for.
const FINE_ZOOM: u8 = 8;
const COARSER: usize = 28;

/// When a visitor changes the filter.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Filters {
    None,
    /// One for all.
    Shared,
    /// Another for every view of twelve tiles.
    EveryView,
    /// Another for every tile, of whose units alone it is then asked.
    EveryTile,
}

struct Columns<'a>(&'a Level);

impl Table for Columns<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.0.column(name)
    }
}

fn main() {
    let fine = nation_of_arguments(100);
    let coarse = open(nation(SEED, fine.rows() / COARSER, 100));
    println!(
        "{} and {} areas, {VISITS} visits, zooms {ZOOMS:?}",
        coarse.rows(),
        fine.rows()
    );
    println!(
        "filters        requests  builds  filters | µs a request: all  build  filter  gather | p99 of a view/µs"
    );
    for filters in [
        Filters::None,
        Filters::Shared,
        Filters::EveryView,
        Filters::EveryTile,
    ] {
        browse(&coarse, &fine, filters);
    }
}

/// The views of one visitor: from the nation down to the place of some area.
fn visit(level: &Level, random: &mut Random) -> Vec<Vec<TileCoord>> {
    // Areas are small in towns, so most visits are to towns.
    let [x, y, ..] = level.bounds_of(random.below(level.rows() as u64) as usize);
    ZOOMS.map(|z| view(z, GridPoint { x, y })).collect()
}

/// Four by three tiles around a place.
fn view(z: u8, place: GridPoint) -> Vec<TileCoord> {
    let edge = WORLD_CELLS >> z;
    let (x, y) = (
        (place.x / edge).unsigned_abs(),
        (place.y / edge).unsigned_abs(),
    );
    let tile =
        |dx: u32, dy: u32| TileCoord::new(z, (x + dx).checked_sub(2)?, (y + dy).checked_sub(1)?);
    (0..3)
        .flat_map(|dy| (0..4).filter_map(move |dx| tile(dx, dy)))
        .collect()
}

#[derive(Default)]
struct Times {
    build: Duration,
    filter: Duration,
    gather: Duration,
}

fn browse(coarse: &Level, fine: &Level, filters: Filters) {
    let numbers = (0..100).map(|i| Queryable::new(&format!("indicator_{i:03}"), Kind::Number));
    let queryables = Queryables::new(numbers.collect(), false);
    let mut random = Random(11);
    let mut templates: HashMap<TileCoord, Template> = HashMap::new();
    let mut scratch = Scratch::default();
    let mut times = Times::default();
    let (mut requests, mut evaluated) = (0, 0);
    let mut views = Vec::new();
    // Of the coarser level and of the finer.
    let mut rows: [Option<Bitmap>; 2] = [None, None];
    for _ in 0..VISITS {
        for view in visit(fine, &mut random) {
            let view_start = Instant::now();
            for (i, tile) in view.into_iter().enumerate() {
                let start = Instant::now();
                let is_fine = tile.z() >= FINE_ZOOM;
                let level = if is_fine { fine } else { coarse };
                let rows = &mut rows[usize::from(is_fine)];
                let template = templates
                    .entry(tile)
                    .or_insert_with(|| benches::template(level, tile));
                let built = Instant::now();
                let is_due = match filters {
                    Filters::None => false,
                    Filters::Shared => rows.is_none(),
                    Filters::EveryView => i == 0,
                    Filters::EveryTile => true,
                };
                if is_due {
                    let among = match filters {
                        Filters::EveryTile => of(template.rows(), level),
                        _ => Bitmap::full(level.rows()),
                    };
                    *rows = Some(evaluate(level, &among, &queryables, &mut random));
                    evaluated += 1;
                }
                let filtered = Instant::now();
                black_box(gather(
                    template,
                    rows.as_ref(),
                    &[],
                    Coding::Gzip,
                    &mut scratch,
                ));
                times.build += built - start;
                times.filter += filtered - built;
                times.gather += filtered.elapsed();
                requests += 1;
            }
            views.push(view_start.elapsed());
        }
    }
    views.sort_unstable();
    let each = |time: Duration| time.as_nanos() as f64 / 1000.0 / f64::from(requests);
    let Times {
        build,
        filter,
        gather,
    } = times;
    println!(
        "{:<14} {requests:8} {:7} {evaluated:8} | {:17.1} {:6.1} {:7.1} {:7.1} | {:8.0}",
        format!("{filters:?}"),
        templates.len(),
        each(build + filter + gather),
        each(build),
        each(filter),
        each(gather),
        views[views.len() * 99 / 100].as_nanos() as f64 / 1000.0,
    );
}

fn of(units: &[u32], level: &Level) -> Bitmap {
    let mut rows = Bitmap::empty(level.rows());
    for &unit in units {
        rows.insert(unit as usize);
    }
    rows
}

/// Two predicates that nobody asked before.
fn evaluate(level: &Level, among: &Bitmap, queryables: &Queryables, random: &mut Random) -> Bitmap {
    let column = random.below(33) * 3;
    let (share, registered) = (random.unit(), 400.0 + random.unit() * 900.0);
    let text = format!("indicator_{column:03} > {share} AND indicator_001 < {registered}");
    let filter = Filter::parse_text(&text, queryables).expect("a filter");
    let columns = Columns(level);
    let program = filter.compile(&columns);
    program.expect("a column of numbers").evaluate_within(among)
}
