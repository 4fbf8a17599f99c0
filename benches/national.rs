//! A seeded nation: a partition with towns and countryside whose borders are shared and rough.
//!
//! ```text
//!   hexagons with moved corners       some are towns: rings and sectors around the centre
//!     ╱╲╱╲╱╲                            ╱ ╲
//!    │  │  │  │      every side is      ├─┼─┤    the hexagon's sides stay as they are, so that
//!     ╲╱╲╱╲╱        a fractal arc        ╲ ╱     countryside and town share all vertices
//! ```
//! Arcs are weighed as `precompute` does: Visvalingam's effective area, junctions kept always.

use std::collections::HashMap;

use tilecore::TileCoord;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::dataset::write::LevelRows;
use tilecore::geometry::{
    GridPoint, M_MAX, M_PER_ZOOM, MultiPolygon, Polygon, Vertex, WORLD_CELLS,
};
use tilecore::quantize::{Quantizer, Shape};
use tilecore::validity::is_valid;

use crate::random::Random;

/// The nation's north-west corner and width on the world grid: France, more or less.
pub const CORNER: GridPoint = GridPoint {
    x: 519_000_000,
    y: 361_000_000,
};
pub const WIDTH: i32 = 29_000_000;

/// Segments of a hexagon's side: a power of two.
const SIDE: usize = 32;

/// Segments of a side within a town.
const STREET: usize = 8;

/// Zooms whose repairs are looked for.
const ZOOMS: std::ops::RangeInclusive<u8> = 0..=14;

/// A corner of the lattice of hexagons.
type Corner = (i32, i32);

/// Rings and sectors of a hexagon; `None` is countryside.
type Plan = Option<(usize, usize)>;

/// How many hexagons lie side by side for about `areas` areas.
fn hexagons_across(areas: usize) -> i32 {
    // 70,000 areas are a lattice of 158 × 158.
    let across = (areas as f64 / 70_000.0).sqrt() * 158.0;
    across.round().max(4.0) as i32
}

/// About `areas` areas with `columns` numbers each, the same for the same seed.
pub fn nation(seed: u64, areas: usize, columns: usize) -> LevelRows {
    let across = hexagons_across(areas);
    let mut land = Land::new(seed, across);
    let mut geometries = Vec::new();
    let mut keys = Vec::new();
    let mut names = Vec::new();
    for j in 0..across {
        for i in 0..across {
            let units = match land.plan(i, j) {
                None => vec![land.countryside(i, j)],
                Some(plan) => land.town(i, j, plan),
            };
            let commune = j * across + i;
            for (number, ring) in units.into_iter().enumerate() {
                keys.push(format!("{:05}_{:04}", commune, number + 1));
                names.push(format!("{} {}", commune_name(commune), number + 1));
                geometries.push(vec![Polygon {
                    exterior: ring,
                    holes: Vec::new(),
                }]);
            }
        }
    }
    let count = geometries.len();
    LevelRows {
        keys,
        names,
        ids: ids(seed, count),
        parents: vec![None; count],
        repair_zooms: geometries.iter().map(repair_zooms).collect(),
        geometries,
        columns: self::columns(seed, count, columns),
        hidden: Vec::new(),
    }
}

/// Of 48 bits, as `precompute` makes them of keys.
fn ids(seed: u64, count: usize) -> Vec<u64> {
    let mut random = Random(seed);
    (0..count).map(|_| random.next() >> 16).collect()
}

fn commune_name(commune: i32) -> String {
    const FIRST: [&str; 12] = [
        "Saint-Martin",
        "Villeneuve",
        "Beaumont",
        "Saint-Pierre",
        "Mont",
        "La Chapelle",
        "Roche",
        "Fontaine",
        "Neuville",
        "Sainte-Marie",
        "Bourg",
        "Champ",
    ];
    const SECOND: [&str; 11] = [
        "sur-Loire",
        "le-Grand",
        "en-Bresse",
        "les-Bains",
        "d'Oléron",
        "sous-Bois",
        "la-Forêt",
        "du-Gard",
        "aux-Bois",
        "l'Abbaye",
        "de-Vence",
    ];
    let commune = commune as usize;
    format!("{}-{}", FIRST[commune % 12], SECOND[commune / 7 % 11])
}

/// Shares, counts and amounts in turn, some missing.
fn columns(seed: u64, rows: usize, columns: usize) -> Vec<(String, Column)> {
    (0..columns)
        .map(|number| {
            let mut random = Random(seed ^ (number as u64) << 40);
            let numbers: Numbers = (0..rows)
                .map(|_| {
                    if random.below(50) == 0 {
                        return None;
                    }
                    let registered = 400 + random.below(900);
                    Some(match number % 3 {
                        0 => random.below(registered) as f64 / registered as f64,
                        1 => registered as f64,
                        _ => 12_000.0 + random.below(30_000) as f64,
                    })
                })
                .collect();
            (format!("indicator_{number:03}"), Column::Number(numbers))
        })
        .collect()
}

struct Land {
    seed: u64,
    across: i32,
    /// Middle, as a fraction of the nation, and reach of each city.
    cities: Vec<(f64, f64, f64)>,
    /// The vertices of each side from its smaller corner to its larger.
    sides: HashMap<(Corner, Corner), Vec<Vertex>>,
}

impl Land {
    fn new(seed: u64, across: i32) -> Self {
        let mut random = Random(seed);
        let cities = (0..110)
            .map(|rank| {
                let reach = 0.068 / (1.0 + f64::from(rank)).powf(0.42);
                (random.unit(), random.unit(), reach)
            })
            .collect();
        Self {
            seed,
            across,
            cities,
            sides: HashMap::new(),
        }
    }

    /// Denser towards the middle of a city.
    fn plan(&self, i: i32, j: i32) -> Plan {
        let across = f64::from(self.across);
        let (x, y) = (f64::from(i) / across, f64::from(j) / across);
        let nearness = self.cities.iter().map(|&(cx, cy, reach)| {
            let distance = (x - cx).hypot(y - cy);
            1.0 - distance / reach
        });
        match nearness.fold(f64::MIN, f64::max) {
            n if n > 0.75 => Some((4, 24)),
            n if n > 0.35 => Some((3, 12)),
            n if n > 0.0 => Some((2, 6)),
            _ => None,
        }
    }

    fn place(&self, corner: Corner) -> GridPoint {
        let mut random =
            Random(self.seed ^ (corner.0 as u64) << 32 ^ (u64::from(corner.1.cast_unsigned())));
        // A lattice step is a third of a hexagon's height, half its width.
        let step = f64::from(WIDTH) / f64::from(2 * self.across);
        let mut shifted =
            |c: i32, scale: f64| (f64::from(c) + 0.5 * (random.unit() - 0.5)) * step * scale;
        GridPoint {
            x: CORNER.x + shifted(corner.0, 1.0).round() as i32,
            y: CORNER.y + shifted(corner.1, 2.0 / 3.0).round() as i32,
        }
    }

    /// The corners of a hexagon, clockwise from its top.
    fn corners(i: i32, j: i32) -> [Corner; 6] {
        let (x, y) = (2 * i + (j & 1), 3 * j);
        [
            (x, y - 2),
            (x + 1, y - 1),
            (x + 1, y + 1),
            (x, y + 2),
            (x - 1, y + 1),
            (x - 1, y - 1),
        ]
    }

    /// The hexagon on the other side of the side after corner `k`.
    fn neighbour(i: i32, j: i32, k: usize) -> (i32, i32) {
        let odd = j & 1;
        match k {
            0 => (i + odd, j - 1),
            1 => (i + 1, j),
            2 => (i + odd, j + 1),
            3 => (i + odd - 1, j + 1),
            4 => (i - 1, j),
            _ => (i + odd - 1, j - 1),
        }
    }

    /// The side after corner `k`, walked clockwise, its last vertex left out.
    fn side(&mut self, i: i32, j: i32, k: usize) -> Vec<Vertex> {
        let corners = Self::corners(i, j);
        let (a, b) = (corners[k], corners[(k + 1) % 6]);
        let key = (a.min(b), a.max(b));
        if !self.sides.contains_key(&key) {
            // Junctions of the towns on either side cut the arc.
            let (ni, nj) = Self::neighbour(i, j, k);
            let sectors = [self.plan(i, j), self.plan(ni, nj)].map(|plan| plan.map_or(6, |p| p.1));
            let [from, to] = [self.place(key.0), self.place(key.1)];
            let salt = self.seed ^ hash(key.0) ^ hash(key.1).rotate_left(17);
            let points = rough(salt, from, to, SIDE, 0.16);
            let cut = |at: usize| sectors.iter().any(|s| at.is_multiple_of(6 * SIDE / s));
            self.sides.insert(key, weigh(&points, cut));
        }
        let side = &self.sides[&key];
        let walk: Vec<Vertex> = if a == key.0 {
            side.clone()
        } else {
            side.iter().rev().copied().collect()
        };
        walk[..SIDE].to_vec()
    }

    fn outline(&mut self, i: i32, j: i32) -> Vec<Vertex> {
        (0..6).flat_map(|k| self.side(i, j, k)).collect()
    }

    fn countryside(&mut self, i: i32, j: i32) -> Vec<Vertex> {
        self.outline(i, j)
    }

    fn town(&mut self, i: i32, j: i32, (rings, sectors): (usize, usize)) -> Vec<Vec<Vertex>> {
        let outline = self.outline(i, j);
        let arc = outline.len() / sectors;
        let n = outline.len() as i64;
        let middle = GridPoint {
            x: (outline.iter().map(|v| i64::from(v.x)).sum::<i64>() / n) as i32,
            y: (outline.iter().map(|v| i64::from(v.y)).sum::<i64>() / n) as i32,
        };
        let salt = self.seed ^ hash((i, j));
        let node = |r: usize, s: usize| {
            let out = outline[s % sectors * arc];
            let t = r as f64 / rings as f64;
            let along = |c: i32, o: i32| (f64::from(c) + f64::from(o - c) * t).round() as i32;
            GridPoint {
                x: along(middle.x, out.x),
                y: along(middle.y, out.y),
            }
        };
        let street = |a: GridPoint, b: GridPoint, number: usize| {
            let salt = salt ^ (number as u64).wrapping_mul(0x9e37_79b9);
            weigh(&rough(salt, a, b, STREET, 0.07), |_| false)
        };
        // Sides along a ring (clockwise) and outwards.
        let around: Vec<Vec<Vec<Vertex>>> = (1..rings)
            .map(|r| {
                let side = |s| street(node(r, s), node(r, s + 1), r * 100 + s);
                (0..sectors).map(side).collect()
            })
            .collect();
        let outwards: Vec<Vec<Vec<Vertex>>> = (1..rings)
            .map(|r| {
                let side = |s| street(node(r, s), node(r + 1, s), r * 100 + s + 5000);
                (0..sectors).map(side).collect()
            })
            .collect();
        let forth = |side: &[Vertex], ring: &mut Vec<Vertex>| {
            ring.extend_from_slice(&side[..side.len() - 1]);
        };
        let back = |side: &[Vertex], ring: &mut Vec<Vertex>| ring.extend(side[1..].iter().rev());
        let mut units = Vec::new();
        let mut heart = Vec::new();
        for side in &around[0] {
            forth(side, &mut heart);
        }
        units.push(heart);
        for r in 1..rings {
            for s in 0..sectors {
                let next = (s + 1) % sectors;
                let mut ring = Vec::new();
                forth(&outwards[r - 1][s], &mut ring);
                if r + 1 == rings {
                    ring.extend_from_slice(&outline[s * arc..(s + 1) * arc]);
                } else {
                    forth(&around[r][s], &mut ring);
                }
                back(&outwards[r - 1][next], &mut ring);
                back(&around[r - 1][s], &mut ring);
                units.push(ring);
            }
        }
        units
    }
}

fn hash(corner: Corner) -> u64 {
    Random((corner.0 as u64) << 32 | u64::from(corner.1.cast_unsigned())).next()
}

/// A line of `segments` segments whose middles are moved aside, recursively.
fn rough(salt: u64, a: GridPoint, b: GridPoint, segments: usize, roughness: f64) -> Vec<GridPoint> {
    let mut points = vec![a; segments + 1];
    points[segments] = b;
    let mut random = Random(salt);
    let mut step = segments;
    while step > 1 {
        for start in (0..segments).step_by(step) {
            let (p, q) = (points[start], points[start + step]);
            let shift = (random.unit() - 0.5) * 2.0 * roughness;
            let (dx, dy) = (f64::from(q.x - p.x), f64::from(q.y - p.y));
            points[start + step / 2] = GridPoint {
                x: p.x + (dx / 2.0 - dy * shift).round() as i32,
                y: p.y + (dy / 2.0 + dx * shift).round() as i32,
            };
        }
        step /= 2;
    }
    points
}

/// Visvalingam's effective areas of the vertices between junctions, as zooms.
fn weigh(points: &[GridPoint], is_junction: impl Fn(usize) -> bool) -> Vec<Vertex> {
    let mut vertices: Vec<Vertex> = points
        .iter()
        .map(|p| Vertex {
            x: p.x,
            y: p.y,
            m: 0,
        })
        .collect();
    let last = points.len() - 1;
    let junctions: Vec<usize> = (0..=last)
        .filter(|&i| i == 0 || i == last || is_junction(i))
        .collect();
    for pair in junctions.windows(2) {
        let mut left: Vec<usize> = (pair[0]..=pair[1]).collect();
        let mut floor = 0.0_f64;
        while left.len() > 2 {
            let area =
                |at: usize| triangle(points[left[at - 1]], points[left[at]], points[left[at + 1]]);
            let at = (1..left.len() - 1)
                .min_by(|&a, &b| area(a).total_cmp(&area(b)))
                .expect("a vertex between two");
            floor = floor.max(area(at));
            vertices[left[at]].m = zoom_of(floor);
            left.remove(at);
        }
    }
    vertices
}

fn triangle(a: GridPoint, b: GridPoint, c: GridPoint) -> f64 {
    let cross =
        |u: i32, v: i32, w: i32, t: i32| f64::from(u) * f64::from(v) - f64::from(w) * f64::from(t);
    cross(b.x - a.x, c.y - a.y, b.y - a.y, c.x - a.x).abs() / 2.0
}

/// M of an effective area in world cells².
fn zoom_of(area: f64) -> u16 {
    let world = f64::from(WORLD_CELLS);
    let m = 0.5 * (32.0 / (area / world / world * 4096.0 * 4096.0)).log2();
    (m * f64::from(M_PER_ZOOM))
        .ceil()
        .clamp(0.0, f64::from(M_MAX)) as u16
}

fn repair_zooms(geometry: &MultiPolygon) -> u32 {
    let mut shape = Shape::default();
    let mut mask = 0;
    for z in ZOOMS {
        // Any tile of the zoom has the same grid.
        let Some(tile) = TileCoord::new(z, 0, 0) else {
            continue;
        };
        let quantizer = Quantizer::new(tile);
        shape.clear();
        for polygon in geometry {
            for (i, ring) in polygon.rings().enumerate() {
                let kept = ring.iter().filter(|v| v.m <= u16::from(z) * M_PER_ZOOM);
                shape.push_ring(kept.map(|v| quantizer.cell(v.point())), i == 0);
            }
        }
        if !is_valid(&shape) {
            mask |= 1 << z;
        }
    }
    mask
}
