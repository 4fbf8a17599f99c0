//! How much of a unit lies in a zone: both cut into slabs in which no edge crosses another.
//!
//! ```text
//! ──╲────╱─────────╲──  y of a vertex or a crossing
//!    ╲unit╱  both   ╲     the area between two edges is their distance, summed over the height
//! ────╲─╱────────────╲  y of the next
//! ```
//! Insides are by the even-odd rule. Areas are of the ground: the map is scaled by the square of
//! the cosine of its latitude, and summed by Gauss's rule of two places, so that the parts of a
//! unit add up to the unit to 10⁻¹².

use std::f64::consts::PI;

use crate::geometry::{GridPoint, MultiPolygon, Polygon, Ring, Vertex, WORLD_CELLS};

/// A slab is no higher, so that two latitudes will do for it: a tenth of a degree.
const SLAB_MAX: f64 = 262_144.0;

/// A zone that is drawn, on the world grid.
#[derive(Debug, Clone)]
pub struct Zone {
    edges: Vec<Edge>,
    /// Edges from west to east: their ends, and their y.
    flat: Vec<[f64; 3]>,
    /// Where its own edges cross.
    crossings: Vec<f64>,
    bounds: [i32; 4],
}

/// An edge from north to south; edges from west to east bound no slab.
#[derive(Debug, Clone, Copy)]
struct Edge {
    top: [f64; 2],
    bottom: [f64; 2],
    of_zone: bool,
}

/// Areas of the ground, in cells² at the equator.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Areas {
    pub unit: f64,
    pub zone: f64,
    pub common: f64,
}

/// The work that one zone may make; see [`Zone::areas`].
#[derive(Debug)]
pub struct Budget(pub u64);

/// The zone makes more work than the budget has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent;

impl Budget {
    fn spend(&mut self, steps: usize) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(steps as u64).ok_or(Spent)?;
        Ok(())
    }
}

impl Zone {
    /// From rings, open or closed.
    #[must_use]
    pub fn new(rings: &[Vec<GridPoint>]) -> Self {
        let edges: Vec<Edge> = rings.iter().flat_map(|ring| edges(ring, true)).collect();
        let mut crossings = Vec::new();
        for (i, a) in edges.iter().enumerate() {
            crossings.extend(edges[i + 1..].iter().filter_map(|b| crossing(a, b)));
        }
        let all = || rings.iter().flatten();
        let fold = |values: &mut dyn Iterator<Item = i32>, pick: fn(i32, i32) -> i32| {
            values.reduce(pick).unwrap_or_default()
        };
        let bounds = [
            fold(&mut all().map(|p| p.x), i32::min),
            fold(&mut all().map(|p| p.y), i32::min),
            fold(&mut all().map(|p| p.x), i32::max),
            fold(&mut all().map(|p| p.y), i32::max),
        ];
        Self {
            edges,
            flat: rings.iter().flat_map(|ring| flat(ring)).collect(),
            crossings,
            bounds,
        }
    }

    /// A unit as a zone.
    #[must_use]
    pub fn of(unit: &MultiPolygon) -> Self {
        let rings = unit.iter().flat_map(Polygon::rings).map(places);
        Self::new(&rings.collect::<Vec<_>>())
    }

    /// `[x_min, y_min, x_max, y_max]`.
    #[must_use]
    pub fn bounds(&self) -> [i32; 4] {
        self.bounds
    }

    /// Its area of the ground.
    #[must_use]
    pub fn area(&self) -> f64 {
        let cuts = self.crossings.clone();
        sweep(self.edges.clone(), cuts).zone
    }

    /// The area of a unit, and of what it shares with the zone. `zone` is left at 0.
    ///
    /// # Errors
    /// When the budget is spent.
    pub fn areas(
        &self,
        unit: &MultiPolygon,
        bounds: [i32; 4],
        budget: &mut Budget,
    ) -> Result<Areas, Spent> {
        let [west, north, east, south] = bounds.map(f64::from);
        // Edges further east change nothing of what is inside of what.
        let level_with = |e: &&Edge| e.bottom[1] >= north && e.top[1] <= south;
        let beside: Vec<Edge> = self.edges.iter().filter(level_with).copied().collect();
        let reaches = |e: &&Edge| e.east() >= west && e.west() <= east;
        let near: Vec<Edge> = beside.iter().filter(reaches).copied().collect();
        budget.spend(self.edges.len())?;
        let meets =
            |[from, to, y]: &[f64; 3]| *to > west && *from < east && *y > north && *y < south;
        if near.is_empty() && !self.flat.iter().any(meets) {
            let area = ground_area(unit);
            let left = beside.iter().filter(|e| e.east() < west);
            let halfway = f64::midpoint(north, south);
            let crossed = left.filter(|e| e.top[1] <= halfway && e.bottom[1] > halfway);
            let is_inside = crossed.count() % 2 == 1;
            return Ok(Areas {
                unit: area,
                common: if is_inside { area } else { 0.0 },
                zone: 0.0,
            });
        }
        let rings = unit.iter().flat_map(Polygon::rings);
        let mut all: Vec<Edge> = rings.flat_map(|ring| edges(&places(ring), false)).collect();
        budget.spend(all.len() * near.len())?;
        let mut cuts = Vec::new();
        for own in &all {
            cuts.extend(near.iter().filter_map(|edge| crossing(own, edge)));
        }
        let within = |y: &f64| (north..=south).contains(y);
        cuts.extend(self.crossings.iter().copied().filter(within));
        let west_of = |e: &Edge| e.west() <= east;
        all.extend(beside.into_iter().filter(west_of));
        budget.spend(all.len() + cuts.len())?;
        let areas = sweep(all, cuts);
        Ok(Areas { zone: 0.0, ..areas })
    }
}

impl Edge {
    fn x(&self, y: f64) -> f64 {
        let part = (y - self.top[1]) / (self.bottom[1] - self.top[1]);
        self.top[0] + (self.bottom[0] - self.top[0]) * part
    }

    fn west(&self) -> f64 {
        self.top[0].min(self.bottom[0])
    }

    fn east(&self) -> f64 {
        self.top[0].max(self.bottom[0])
    }
}

fn places(ring: &Ring) -> Vec<GridPoint> {
    ring.iter().map(|vertex| vertex.point()).collect()
}

fn edges(ring: &[GridPoint], of_zone: bool) -> Vec<Edge> {
    let next = ring.iter().cycle().skip(1);
    let sides = ring.iter().zip(next).filter(|(a, b)| a.y != b.y);
    sides
        .map(|(a, b)| {
            let (top, bottom) = if a.y < b.y { (a, b) } else { (b, a) };
            let place = |p: &GridPoint| [f64::from(p.x), f64::from(p.y)];
            Edge {
                top: place(top),
                bottom: place(bottom),
                of_zone,
            }
        })
        .collect()
}

/// Edges that bound no slab, but part what is beside.
fn flat(ring: &[GridPoint]) -> impl Iterator<Item = [f64; 3]> + '_ {
    let next = ring.iter().cycle().skip(1);
    let sides = ring.iter().zip(next).filter(|(a, b)| a.y == b.y);
    sides.map(|(a, b)| [a.x.min(b.x), a.x.max(b.x), a.y].map(f64::from))
}

/// The y at which two edges cross.
fn crossing(a: &Edge, b: &Edge) -> Option<f64> {
    let top = a.top[1].max(b.top[1]);
    let bottom = a.bottom[1].min(b.bottom[1]);
    if top >= bottom {
        return None;
    }
    let (above, below) = (a.x(top) - b.x(top), a.x(bottom) - b.x(bottom));
    let apart = above * below < 0.0;
    apart.then(|| top + (bottom - top) * above / (above - below))
}

/// Areas between edges; `cuts` are the ys at which some cross.
fn sweep(mut edges: Vec<Edge>, mut cuts: Vec<f64>) -> Areas {
    cuts.extend(edges.iter().flat_map(|e| [e.top[1], e.bottom[1]]));
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.dedup();
    edges.sort_unstable_by(|a, b| a.top[1].total_cmp(&b.top[1]));
    let mut areas = Areas::default();
    let mut active: Vec<Edge> = Vec::new();
    let mut edges = edges.into_iter().peekable();
    for slab in cuts.windows(2) {
        let (mut top, end) = (slab[0], slab[1]);
        active.retain(|edge| edge.bottom[1] >= end);
        while let Some(edge) = edges.next_if(|edge| edge.top[1] <= top) {
            if edge.bottom[1] >= end {
                active.push(edge);
            }
        }
        let halfway = f64::midpoint(top, end);
        active.sort_by(|a, b| a.x(halfway).total_cmp(&b.x(halfway)));
        while top < end {
            let bottom = end.min(top + SLAB_MAX);
            areas.add(&active, top, bottom);
            top = bottom;
        }
    }
    areas
}

impl Areas {
    fn add(&mut self, active: &[Edge], top: f64, bottom: f64) {
        for y in between(top, bottom) {
            self.add_line(active, y, ground_scale(y) * (bottom - top) / 2.0);
        }
    }

    /// The widths along a line, each times `scale`.
    fn add_line(&mut self, active: &[Edge], y: f64, scale: f64) {
        let (mut in_unit, mut in_zone) = (false, false);
        for pair in active.windows(2) {
            if pair[0].of_zone {
                in_zone = !in_zone;
            } else {
                in_unit = !in_unit;
            }
            let area = (pair[1].x(y) - pair[0].x(y)) * scale;
            if in_unit {
                self.unit += area;
            }
            if in_zone {
                self.zone += area;
            }
            if in_unit && in_zone {
                self.common += area;
            }
        }
    }
}

/// The places whose mean is a slab's, up to the third power of its height (Gauss).
fn between(top: f64, bottom: f64) -> [f64; 2] {
    let reach = (bottom - top) / 12.0_f64.sqrt();
    let middle = f64::midpoint(top, bottom);
    [middle - reach, middle + reach]
}

/// The square of the cosine of the latitude of a y.
fn ground_scale(y: f64) -> f64 {
    let mercator = PI * (1.0 - 2.0 * y / f64::from(WORLD_CELLS));
    mercator.cosh().powi(-2)
}

/// A unit's area of the ground, edge by edge.
#[must_use]
pub fn ground_area(unit: &MultiPolygon) -> f64 {
    unit.iter().flat_map(Polygon::rings).map(ring_area).sum()
}

/// What an edge has to its west, as far as the ring's first vertex, counts with the sign of its
/// direction; together that is the inside.
fn ring_area(ring: &Ring) -> f64 {
    let Some((first, last)) = ring.first().zip(ring.last()) else {
        return 0.0;
    };
    let place = |v: &Vertex| [f64::from(v.x - first.x), f64::from(v.y)];
    let mut area = 0.0;
    let mut from = place(last);
    for to in ring.iter().map(place) {
        let slope = (to[0] - from[0]) / (to[1] - from[1]);
        let step = SLAB_MAX.copysign(to[1] - from[1]);
        let mut top = from[1];
        while (to[1] - top) * step > 0.0 {
            let bottom = if (to[1] - top).abs() > SLAB_MAX {
                top + step
            } else {
                to[1]
            };
            for y in between(top, bottom) {
                let west = from[0] + (y - from[1]) * slope;
                area += west * ground_scale(y) * (bottom - top) / 2.0;
            }
            top = bottom;
        }
        from = to;
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    /// About the equator, where the ground is as the map.
    const HALF: i32 = WORLD_CELLS / 2;

    fn ring(places: &[(i32, i32)]) -> Vec<GridPoint> {
        let place = |&(x, y): &(i32, i32)| GridPoint {
            x: HALF + x,
            y: HALF + y,
        };
        places.iter().map(place).collect()
    }

    fn unit(places: &[(i32, i32)]) -> MultiPolygon {
        let vertex = |p: GridPoint| Vertex {
            x: p.x,
            y: p.y,
            m: 0,
        };
        vec![Polygon {
            exterior: ring(places).into_iter().map(vertex).collect(),
            holes: Vec::new(),
        }]
    }

    fn share(zone: &[&[(i32, i32)]], of: &[(i32, i32)]) -> f64 {
        let rings: Vec<Vec<GridPoint>> = zone.iter().map(|r| ring(r)).collect();
        let unit = unit(of);
        let all = || unit[0].exterior.iter();
        let bounds = [
            all().map(|v| v.x).min().unwrap(),
            all().map(|v| v.y).min().unwrap(),
            all().map(|v| v.x).max().unwrap(),
            all().map(|v| v.y).max().unwrap(),
        ];
        let mut budget = Budget(1_000_000);
        let areas = Zone::new(&rings).areas(&unit, bounds, &mut budget).unwrap();
        areas.common / areas.unit
    }

    const SQUARE: &[(i32, i32)] = &[(0, 0), (100, 0), (100, 100), (0, 100)];

    #[test]
    fn shares_of_a_square() {
        let check = |zone: &[&[(i32, i32)]], expected: f64| {
            let found = share(zone, SQUARE);
            assert!((found - expected).abs() < 1e-9, "{zone:?}: {found}");
        };
        check(&[SQUARE], 1.0);
        check(&[&[(-9, -9), (109, -9), (109, 109), (-9, 109)]], 1.0);
        check(&[&[(50, -9), (109, -9), (109, 109), (50, 109)]], 0.5);
        check(&[&[(0, 0), (100, 0), (0, 100)]], 0.5);
        check(&[&[(200, 0), (300, 0), (300, 100)]], 0.0);
        check(&[&[(-300, 0), (-200, 0), (-200, 100)]], 0.0);
        check(&[&[(100, 0), (200, 0), (200, 100), (100, 100)]], 0.0);
        // Its sides pass the unit by, its top and bottom do not.
        check(&[&[(-9, 30), (109, 30), (109, 70), (-9, 70)]], 0.4);
        check(&[&[(-9, -9), (109, -9), (109, 70), (-9, 70)]], 0.7);
        // A hole, and a zone that crosses itself.
        check(&[SQUARE, &[(25, 25), (75, 25), (75, 75), (25, 75)]], 0.75);
        check(&[&[(0, 0), (100, 100), (100, 0), (0, 100)]], 0.5);
        // All around it, with the unit in the hole.
        let around: &[(i32, i32)] = &[(-500, -500), (600, -500), (600, 600), (-500, 600)];
        check(
            &[around, &[(-9, -9), (109, -9), (109, 109), (-9, 109)]],
            0.0,
        );
    }

    #[test]
    fn shares_of_a_partition_add_up() {
        // Crossings are as exact as a double is at half the world: 10⁻⁷ of a cell.
        // Numbers of a small generator (Park & Miller), enough to place vertices.
        let mut state = 7_u64;
        let mut roll = |below: i32| {
            state = state * 48_271 % 2_147_483_647;
            i32::try_from(state % u64::from(below.unsigned_abs())).unwrap()
        };
        for _ in 0..200 {
            let zone: Vec<(i32, i32)> = (0..7).map(|_| (roll(140) - 20, roll(140) - 20)).collect();
            let whole = share(&[&zone], SQUARE);
            let (x, y) = (roll(98) + 1, roll(98) + 1);
            let parts = [
                ([(0, 0), (x, 0), (x, y), (0, y)], x * y),
                ([(x, 0), (100, 0), (100, y), (x, y)], (100 - x) * y),
                ([(0, y), (x, y), (x, 100), (0, 100)], x * (100 - y)),
                (
                    [(x, y), (100, y), (100, 100), (x, 100)],
                    (100 - x) * (100 - y),
                ),
            ];
            let sum: f64 = parts
                .iter()
                .map(|(part, area)| share(&[&zone], part) * f64::from(*area) / 1e4)
                .sum();
            assert!(
                (whole - sum).abs() < 1e-7,
                "{zone:?} {x} {y}: {whole} {sum}"
            );
        }
    }

    #[test]
    fn parts_far_from_the_equator_add_up_to_the_ground() {
        // A diamond of some 60 km about Paris, cut by a zone's slanting side.
        let (x, y) = (543_000_000, 369_000_000);
        let reach = 1_600_000;
        let at = |(dx, dy): (i32, i32)| Vertex {
            x: x + dx,
            y: y + dy,
            m: 0,
        };
        let corners = [(0, -reach), (reach, 0), (0, reach), (-reach, 0)];
        let diamond = vec![Polygon {
            exterior: corners.map(at).to_vec(),
            holes: Vec::new(),
        }];
        let bounds = [x - reach, y - reach, x + reach, y + reach];
        let whole = ground_area(&diamond);
        // Its ground by a thousand strips; a strip's latitude is its middle's.
        let strips: f64 = (-1000..1000)
            .map(|i| {
                let height = f64::from(reach) / 1000.0;
                let from_middle = (f64::from(i) + 0.5) * height;
                let width = 2.0 * (f64::from(reach) - from_middle.abs());
                width * height * ground_scale(f64::from(y) + from_middle)
            })
            .sum();
        assert!((whole / strips - 1.0).abs() < 1e-6, "{whole} {strips}");
        let (far, a, b) = (2 * reach, reach / 3, -reach / 7);
        let west = [(-far, -far), (a, -far), (b, far), (-far, far)];
        let east = [(a, -far), (far, -far), (far, far), (b, far)];
        let parts = [west, east].map(|zone| {
            let ring: Vec<GridPoint> = zone.iter().map(|p| at(*p).point()).collect();
            let mut budget = Budget(1_000_000);
            let areas = Zone::new(&[ring]).areas(&diamond, bounds, &mut budget);
            let areas = areas.expect("little work");
            assert!(
                (areas.unit / whole - 1.0).abs() < 1e-12,
                "{areas:?} {whole}"
            );
            areas.common
        });
        assert!(parts.iter().all(|part| *part > whole / 4.0), "{parts:?}");
        assert!((parts.iter().sum::<f64>() / whole - 1.0).abs() < 1e-12);
        assert!((Zone::of(&diamond).area() / whole - 1.0).abs() < 1e-12);
    }

    #[test]
    fn work_is_bounded() {
        let zone = Zone::new(&[ring(SQUARE)]);
        let bounds = [HALF, HALF, HALF + 100, HALF + 100];
        let spent = zone.areas(&unit(SQUARE), bounds, &mut Budget(8));
        assert_eq!(spent, Err(Spent));
    }
}
