//! Made-up towns: blocks whose borders wind, some with an enclave or a pond inside.

use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use tilecore::geometry::GridPoint;
use tilecore::mercator::metres_from_grid;

/// Random numbers that depend on a seed and a few indexes only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(self, indexes: [i32; 4]) -> u64 {
        indexes.iter().fold(self.0, |state, index| {
            let mixed =
                (state ^ u64::from(index.cast_unsigned())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (mixed >> 32)
        })
    }

    /// In −1..1.
    fn sway(self, indexes: [i32; 4]) -> f64 {
        f64::from((self.of(indexes) >> 40) as u32) / f64::from(1 << 23) - 1.0
    }
}

/// A town of `side` × `side` blocks whose borders wind, some with an enclave or a pond inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Town {
    pub(super) chance: Chance,
    side: i32,
    /// The width of a block in cells.
    block: f64,
    /// How far each block's vertices are off their true place, in cells.
    noise: f64,
}

impl Town {
    fn corner(self, x: i32, y: i32) -> (f64, f64) {
        let at = |v: i32, axis: i32| f64::from(v) + 0.2 * self.chance.sway([x, y, axis, 0]);
        (at(x, 0), at(y, 1))
    }

    /// A border between two corners without its end; the same both ways.
    fn border(self, from: (i32, i32), to: (i32, i32)) -> Vec<(f64, f64)> {
        let (low, high) = (from.min(to), from.max(to));
        let (a, b) = (self.corner(low.0, low.1), self.corner(high.0, high.1));
        let axis = i32::from(low.0 == high.0);
        let steps = 1 + (self.chance.of([low.0, low.1, axis, 1]) % 12) as i32;
        let mut line: Vec<(f64, f64)> = (0..=steps)
            .map(|step| {
                let t = f64::from(step) / f64::from(steps);
                let off = 0.4 * t * (1.0 - t) * self.chance.sway([low.0, low.1, axis, 2 + step]);
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                (a.0 + t * dx - off * dy, a.1 + t * dy + off * dx)
            })
            .collect();
        if low != from {
            line.reverse();
        }
        line.pop();
        line
    }

    fn block_ring(self, x: i32, y: i32) -> Vec<(f64, f64)> {
        let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
        (0..4)
            .flat_map(|i| self.border(corners[i], corners[(i + 1) % 4]))
            .collect()
    }

    /// A ring in the middle of a block.
    fn inner_ring(self, x: i32, y: i32) -> Vec<(f64, f64)> {
        (0..9)
            .map(|i| {
                let angle = f64::from(i) / 9.0 * std::f64::consts::TAU;
                let radius = 0.12 + 0.05 * self.chance.sway([x, y, i, 50]);
                (
                    f64::from(x) + 0.5 + radius * angle.cos(),
                    f64::from(y) + 0.5 + radius * angle.sin(),
                )
            })
            .collect()
    }

    pub(super) fn units(self) -> Vec<MultiPolygon<f64>> {
        let mut units = Vec::new();
        for y in 0..self.side {
            for x in 0..self.side {
                let kind = self.chance.of([x, y, 0, 60]) % 5;
                let inner = || self.line(&self.inner_ring(x, y), units.len());
                let holes = if kind < 2 { vec![inner()] } else { vec![] };
                let enclave =
                    (kind == 0).then(|| self.line(&self.inner_ring(x, y), units.len() + 1));
                let ring = self.line(&self.block_ring(x, y), units.len());
                units.push(MultiPolygon(vec![Polygon::new(ring, holes)]));
                units.extend(enclave.map(|ring| MultiPolygon(vec![Polygon::new(ring, vec![])])));
            }
        }
        units
    }

    fn line(self, ring: &[(f64, f64)], unit: usize) -> LineString<f64> {
        let coords = (0_i32..).zip(ring).map(|(i, &(x, y))| {
            let off = |axis| self.noise * self.chance.sway([unit as i32, i, axis, 70]);
            let place = |v: f64, axis| (5e8 + v * self.block + off(axis)).round() as i32;
            let (x, y) = metres_from_grid(GridPoint {
                x: place(x, 0),
                y: place(y, 1),
            });
            Coord { x, y }
        });
        let mut line: Vec<Coord<f64>> = coords.collect();
        line.push(line[0]);
        LineString(line)
    }
}

pub(super) fn town(noise: f64) -> impl Strategy<Value = Town> {
    (any::<u64>(), 1..6_i32, 17..24_i32).prop_map(move |(seed, side, bits)| Town {
        chance: Chance(seed),
        side,
        block: f64::from(1 << bits),
        noise,
    })
}
