//! Seeded towns: levels of all sorts of polygons, and the pseudo-random numbers they come from.

use std::io::Cursor;

use bytes::Bytes;
use tilecore::dataset::Level;
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema;
use tilecore::dataset::write::{LevelRows, SortedRows};
use tilecore::geometry::{MultiPolygon, Polygon, Vertex, WORLD_CELLS};

/// The generator `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// `low..high`.
    pub fn range(&mut self, low: i32, high: i32) -> i32 {
        let width = u64::from(high.abs_diff(low));
        low + i32::try_from(self.below(width)).unwrap()
    }

    /// `0.0..1.0`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The kinds of polygons a town can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Stars around a centre, some with a hole, some of several parts: valid.
    Stars,
    /// Any vertices in any order: crossing, touching, collapsed.
    Tangles,
    /// A coverage of squares with bent borders that neighbours share: valid.
    Streets,
}

/// A town of `count` units in a window of `width` world cells around `(x, y)`.
pub fn town(random: &mut Random, kind: Kind, count: usize, [x, y, width]: [i32; 3]) -> LevelRows {
    let geometries = match kind {
        Kind::Streets => streets(random, count, [x, y, width]),
        _ => (0..count)
            .map(|_| {
                let place = |random: &mut Random, middle: i32| {
                    (middle + random.range(-width, width)).clamp(0, WORLD_CELLS)
                };
                let (x, y) = (place(random, x), place(random, y));
                let reach = random.unit().powi(3) * f64::from(width);
                let parts = 1 + random.below(4).saturating_sub(2);
                (0..parts)
                    .map(|i| {
                        let x = x.saturating_add(i32::try_from(i).unwrap() * width);
                        match kind {
                            Kind::Stars => star(random, x, y, reach),
                            _ => tangle(random, x, y, reach),
                        }
                    })
                    .collect()
            })
            .collect(),
    };
    rows(random, geometries)
}

fn vertex(random: &mut Random, x: f64, y: f64) -> Vertex {
    let world = f64::from(WORLD_CELLS);
    #[expect(clippy::cast_possible_truncation, reason = "within the world")]
    let cell = |v: f64| v.round().clamp(0.0, world) as i32;
    Vertex {
        x: cell(x),
        y: cell(y),
        m: u16::try_from(random.below(15 * 16)).unwrap(),
    }
}

fn star(random: &mut Random, x: i32, y: i32, reach: f64) -> Polygon {
    let corners = 3 + random.below(30);
    let ring = |random: &mut Random, scale: f64, backwards: bool| -> Vec<Vertex> {
        let mut ring: Vec<Vertex> = (0..corners)
            .map(|i| {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let angle = i as f64 / corners as f64 * std::f64::consts::TAU;
                let reach = reach * scale * (0.55 + 0.45 * random.unit());
                let (sin, cos) = angle.sin_cos();
                vertex(
                    random,
                    f64::from(x) + reach * cos,
                    f64::from(y) + reach * sin,
                )
            })
            .collect();
        // Generalising keeps a triangle at least.
        ring.iter_mut().take(3).for_each(|v| v.m = 0);
        if backwards {
            ring.reverse();
        }
        ring
    };
    let exterior = ring(random, 1.0, false);
    let holes = (random.below(3) == 0).then(|| ring(random, 0.4, true));
    Polygon {
        exterior,
        holes: holes.into_iter().collect(),
    }
}

fn tangle(random: &mut Random, x: i32, y: i32, reach: f64) -> Polygon {
    let ring = |random: &mut Random| -> Vec<Vertex> {
        let corners = 3 + random.below(12);
        // Few distinct places, so that vertices and segments coincide.
        let steps = 2.0 + random.unit() * 10.0;
        (0..corners)
            .map(|_| {
                let mut place = |middle: i32| {
                    f64::from(middle) + (random.unit() * steps).floor() / steps * reach
                };
                let (x, y) = (place(x), place(y));
                vertex(random, x, y)
            })
            .collect()
    };
    Polygon {
        exterior: ring(random),
        holes: (0..random.below(3)).map(|_| ring(random)).collect(),
    }
}

/// Unit squares whose corners are moved and whose sides are bent the same way for both sides.
fn streets(random: &mut Random, count: usize, [x, y, width]: [i32; 3]) -> Vec<MultiPolygon> {
    let edge = count.isqrt() + 1;
    let step = f64::from(width) * 2.0 / f64::from(u32::try_from(edge).unwrap());
    let seed = random.next();
    let line = |i: usize| f64::from(u32::try_from(i).unwrap()) * step - f64::from(width);
    let corner = |i: usize, j: usize| {
        let mut random = Random(seed ^ (i as u64) << 32 ^ j as u64);
        let mut shift = || (random.unit() - 0.5) * step * 0.5;
        let (dx, dy) = (shift(), shift());
        let mut v = vertex(
            &mut random,
            f64::from(x) + line(i) + dx,
            f64::from(y) + line(j) + dy,
        );
        v.m = 0;
        v
    };
    // Vertices strictly between two corners, always made from the same end.
    let side = |a: Vertex, b: Vertex, salt: u64| -> Vec<Vertex> {
        let mut random = Random(
            seed ^ salt ^ u64::from(a.x.unsigned_abs()) << 20 ^ u64::from(a.y.unsigned_abs()) << 40,
        );
        (1..8)
            .map(|i| {
                let t = f64::from(i) / 8.0;
                let along = |p: i32, q: i32| f64::from(p) + (f64::from(q) - f64::from(p)) * t;
                let mut shift = || (random.unit() - 0.5) * step * 0.06;
                let (dx, dy) = (shift(), shift());
                vertex(&mut random, along(a.x, b.x) + dx, along(a.y, b.y) + dy)
            })
            .collect()
    };
    let mut units = Vec::new();
    for j in 0..edge {
        for i in 0..edge {
            let (nw, ne) = (corner(i, j), corner(i + 1, j));
            let (sw, se) = (corner(i, j + 1), corner(i + 1, j + 1));
            let mut ring = vec![nw];
            ring.extend(side(nw, ne, 1));
            ring.push(ne);
            ring.extend(side(ne, se, 2));
            ring.push(se);
            ring.extend(side(sw, se, 1).into_iter().rev());
            ring.push(sw);
            ring.extend(side(nw, sw, 2).into_iter().rev());
            units.push(vec![Polygon {
                exterior: ring,
                holes: Vec::new(),
            }]);
        }
    }
    units.truncate(count);
    units
}

/// Rows around `geometries`, with numbers of every type, text and missing values.
fn rows(random: &mut Random, geometries: Vec<MultiPolygon>) -> LevelRows {
    let count = geometries.len();
    let mut numbers = |value: fn(&mut Random) -> f64| -> Column {
        let values = (0..count).map(|_| (random.below(9) > 0).then(|| value(random)));
        Column::Number(values.collect::<Numbers>())
    };
    let columns = vec![
        ("share".to_owned(), numbers(Random::unit)),
        (
            "count".to_owned(),
            numbers(|random| f64::from(random.range(-50, 50))),
        ),
        (
            "half".to_owned(),
            numbers(|random| f64::from(random.range(0, 2000)) / 8.0),
        ),
        ("list".to_owned(), {
            let names = [None, Some("gauche"), Some("droite"), Some("")];
            let texts: Texts = (0..count).map(|i| names[i % 7 % 4]).collect();
            Column::Text(texts)
        }),
    ];
    LevelRows {
        keys: (0..count).map(|i| format!("75056_{i:04}")).collect(),
        names: (0..count).map(|i| format!("Bureau {}", i / 3)).collect(),
        ids: (0..count as u64).map(|i| i * 1_000_003 + 5).collect(),
        parents: vec![None; count],
        geometries,
        columns,
        ..LevelRows::default()
    }
}

/// Writes and opens a level.
pub fn open(rows: LevelRows) -> Level {
    let meta = meta(&rows);
    let (fgb, arrow) = files(rows);
    Level::open(&meta, Bytes::from(fgb), Bytes::from(arrow)).unwrap()
}

pub fn meta(rows: &LevelRows) -> schema::Level {
    schema::Level {
        name: "bureau".to_owned(),
        title: schema::Localized::new(),
        zooms: [0, 14],
        rows: rows.keys.len() as u64,
        bounds: [0.0; 4],
        fgb: "town/bureau.fgb".to_owned(),
        arrow: "town/bureau.arrow".to_owned(),
        columns: Vec::new(),
    }
}

/// The `.fgb` and the `.arrow`.
pub fn files(rows: LevelRows) -> (Vec<u8>, Vec<u8>) {
    let sorted = SortedRows::new(rows).unwrap();
    let (mut fgb, mut arrow) = (Cursor::new(Vec::new()), Vec::new());
    sorted.write_fgb("bureau", &mut fgb).unwrap();
    sorted.write_arrow(&mut arrow).unwrap();
    (fgb.into_inner(), arrow)
}
