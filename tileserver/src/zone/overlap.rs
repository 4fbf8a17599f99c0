//! How much of a unit lies in a zone: both cut into slabs in which no edge crosses another.
//!
//! ```text
//! ──╲────╱─────────╲──  y of a vertex or a crossing
//!    ╲unit╱  both   ╲     the area between two edges is their distance halfway × the height
//! ────╲─╱────────────╲  y of the next
//! ```
//! Insides are by the even-odd rule. Areas are of the ground: a slab of the map is scaled by the
//! square of the cosine of its latitude.

use std::f64::consts::PI;

use tilecore::geometry::{GridPoint, MultiPolygon, WORLD_CELLS, double_area};

/// A slab is no higher, so that one latitude will do for it: a tenth of a degree.
const SLAB_MAX: f64 = 262_144.0;

/// A zone that is drawn, on the world grid.
#[derive(Debug, Clone)]
pub struct Zone {
    edges: Vec<Edge>,
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
        let places = || rings.iter().flatten();
        let fold = |values: &mut dyn Iterator<Item = i32>, pick: fn(i32, i32) -> i32| {
            values.reduce(pick).unwrap_or_default()
        };
        let bounds = [
            fold(&mut places().map(|p| p.x), i32::min),
            fold(&mut places().map(|p| p.y), i32::min),
            fold(&mut places().map(|p| p.x), i32::max),
            fold(&mut places().map(|p| p.y), i32::max),
        ];
        Self {
            edges,
            crossings,
            bounds,
        }
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
        if near.is_empty() {
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
        let rings = unit.iter().flat_map(tilecore::geometry::Polygon::rings);
        let mut all: Vec<Edge> = rings
            .flat_map(|ring| {
                let places: Vec<GridPoint> = ring.iter().map(|v| v.point()).collect();
                edges(&places, false)
            })
            .collect();
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
        let halfway = f64::midpoint(top, bottom);
        let scale = ground_scale(halfway) * (bottom - top);
        let (mut in_unit, mut in_zone) = (false, false);
        for pair in active.windows(2) {
            if pair[0].of_zone {
                in_zone = !in_zone;
            } else {
                in_unit = !in_unit;
            }
            let area = (pair[1].x(halfway) - pair[0].x(halfway)) * scale;
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

/// The square of the cosine of the latitude of a y.
fn ground_scale(y: f64) -> f64 {
    let mercator = PI * (1.0 - 2.0 * y / f64::from(WORLD_CELLS));
    mercator.cosh().powi(-2)
}

/// Of a unit as a whole, at the latitude of each part's middle.
fn ground_area(unit: &MultiPolygon) -> f64 {
    let part = |polygon: &tilecore::geometry::Polygon| {
        let ys = || polygon.exterior.iter().map(|v| v.y);
        let (Some(top), Some(bottom)) = (ys().min(), ys().max()) else {
            return 0.0;
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "an area, to the digits a double has"
        )]
        let doubled = polygon.rings().map(|ring| double_area(ring)).sum::<i128>() as f64;
        doubled / 2.0 * ground_scale(f64::midpoint(f64::from(top), f64::from(bottom)))
    };
    unit.iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tilecore::geometry::{Polygon, Vertex};

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
    fn work_is_bounded() {
        let zone = Zone::new(&[ring(SQUARE)]);
        let bounds = [HALF, HALF, HALF + 100, HALF + 100];
        let spent = zone.areas(&unit(SQUARE), bounds, &mut Budget(8));
        assert_eq!(spent, Err(Spent));
    }
}
