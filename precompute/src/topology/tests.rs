//! What must hold for any coverage: neighbours agree on every vertex and its weight, nothing is
//! lost or left uncovered at any zoom, and neither order nor threads change a unit.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a small town in the middle of the grid"
)]

use std::collections::{BTreeMap, BTreeSet};

use geo::Validation;
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use tilecore::geometry::{self, GridPoint, M_PER_ZOOM, Vertex};
use tilecore::mercator::metres_from_grid;

use super::Coverage;

/// Random numbers that depend on a seed and a few indexes only.
#[derive(Debug, Clone, Copy)]
struct Chance(u64);

impl Chance {
    fn of(self, indexes: [i32; 4]) -> u64 {
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
struct Town {
    chance: Chance,
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

    fn units(self) -> Vec<MultiPolygon<f64>> {
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

fn town(noise: f64) -> impl Strategy<Value = Town> {
    (any::<u64>(), 1..6_i32, 17..24_i32).prop_map(move |(seed, side, bits)| Town {
        chance: Chance(seed),
        side,
        block: f64::from(1 << bits),
        noise,
    })
}

/// Random groups, some of them in pieces and with enclaves.
fn groups(town: Town, units: usize, count: usize) -> Vec<usize> {
    (0..units as i32)
        .map(|unit| (town.chance.of([unit, 0, 0, 80]) % count as u64) as usize)
        .collect()
}

fn rings(units: &[geometry::MultiPolygon]) -> impl Iterator<Item = &geometry::Ring> {
    units.iter().flatten().flat_map(geometry::Polygon::rings)
}

fn edges(ring: &geometry::Ring) -> impl Iterator<Item = (Vertex, Vertex)> {
    ring.iter()
        .copied()
        .zip(ring.iter().copied().cycle().skip(1))
}

fn quantised(p: Vertex, zoom: u8) -> (i64, i64) {
    let shift = 18 - u32::from(zoom);
    let half = 1 << shift >> 1;
    (
        i64::from((p.x + half) >> shift),
        i64::from((p.y + half) >> shift),
    )
}

fn double_area(points: &[(i64, i64)]) -> i64 {
    (0..points.len())
        .map(|i| {
            let (a, b) = (points[i], points[(i + 1) % points.len()]);
            a.0 * b.1 - b.0 * a.1
        })
        .sum()
}

/// The area of all units at a zoom, and that of the outline, kept vertices only.
///
/// The outline is made of the edges that no neighbour walks the other way.
fn areas_at(units: &[geometry::MultiPolygon], zoom: u8) -> (i64, i64) {
    let m_max = u16::from(zoom) * M_PER_ZOOM;
    let of_units = rings(units)
        .map(|ring| {
            let kept = ring.iter().filter(|v| v.m <= m_max);
            double_area(&kept.map(|v| quantised(*v, zoom)).collect::<Vec<_>>())
        })
        .sum();
    let all: BTreeSet<(GridPoint, GridPoint)> = rings(units)
        .flat_map(edges)
        .map(|(a, b)| (a.point(), b.point()))
        .collect();
    let outline: BTreeMap<GridPoint, Vec<Vertex>> = rings(units)
        .flat_map(edges)
        .filter(|(a, b)| !all.contains(&(b.point(), a.point())))
        .fold(BTreeMap::new(), |mut outline, (a, b)| {
            outline.entry(a.point()).or_insert_with(Vec::new).push(b);
            outline
        });
    let weights: BTreeMap<GridPoint, u16> =
        rings(units).flatten().map(|v| (v.point(), v.m)).collect();
    let mut of_outline = 0;
    for (start, nexts) in outline.iter().filter(|(start, _)| weights[start] <= m_max) {
        for &next in nexts {
            let mut end = next;
            while end.m > m_max {
                let onwards = &outline[&end.point()];
                assert_eq!(
                    onwards.len(),
                    1,
                    "outlines meet in a vertex that is dropped"
                );
                end = onwards[0];
            }
            let a = quantised(
                Vertex {
                    x: start.x,
                    y: start.y,
                    m: 0,
                },
                zoom,
            );
            let b = quantised(end, zoom);
            of_outline += a.0 * b.1 - b.0 * a.1;
        }
    }
    (of_units, of_outline)
}

/// The polygons a tile would show at a zoom, before repair.
fn shown(unit: &geometry::MultiPolygon, zoom: u8) -> MultiPolygon<f64> {
    let m_max = u16::from(zoom) * M_PER_ZOOM;
    let line = |ring: &geometry::Ring, exterior: bool| {
        let kept = ring.iter().filter(|v| v.m <= m_max);
        let mut points: Vec<(i64, i64)> = kept.map(|v| quantised(*v, zoom)).collect();
        points.dedup();
        while points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        let area = double_area(&points);
        if (area < 0) == exterior {
            points.reverse();
        }
        let closed = points.iter().chain(points.first());
        let line = closed
            .map(|&(x, y)| Coord {
                x: x as f64,
                y: y as f64,
            })
            .collect();
        (area != 0).then_some(LineString(line))
    };
    let polygon = |p: &geometry::Polygon| {
        let holes = p.holes.iter().filter_map(|hole| line(hole, false));
        Some(Polygon::new(line(&p.exterior, true)?, holes.collect()))
    };
    MultiPolygon(unit.iter().filter_map(polygon).collect())
}

/// What holds for every coverage, clean or not.
fn check_units(coverage: &Coverage) {
    let units = coverage.geometries();
    let mut weights = BTreeMap::new();
    for vertex in rings(&units).flatten() {
        let weight = *weights.entry(vertex.point()).or_insert(vertex.m);
        assert_eq!(weight, vertex.m, "two weights at {:?}", vertex.point());
    }
    let repair_zooms = coverage.repair_zooms(14);
    for (unit, mask) in units.iter().zip(repair_zooms) {
        assert!(!unit.is_empty(), "a unit is lost");
        for polygon in unit {
            assert!(geometry::double_area(&polygon.exterior) > 0);
            assert!(
                polygon
                    .holes
                    .iter()
                    .all(|hole| geometry::double_area(hole) < 0)
            );
            for ring in polygon.rings() {
                assert!(
                    ring.iter().filter(|v| v.m == 0).count() >= 3,
                    "a ring can vanish"
                );
                assert_eq!(ring.iter().min(), ring.first(), "a ring starts elsewhere");
            }
        }
        for zoom in (0..14).filter(|zoom| mask >> zoom & 1 == 0) {
            let shown = shown(unit, zoom);
            assert!(
                shown.is_valid(),
                "zoom {zoom}: {:?} {shown:?}",
                shown.validation_errors()
            );
        }
    }
}

/// What holds when units share all their borders.
fn check_partition(coverage: &Coverage) {
    check_units(coverage);
    let units = coverage.geometries();
    for zoom in 0..=18 {
        let (of_units, of_outline) = areas_at(&units, zoom);
        assert_eq!(of_units, of_outline, "zoom {zoom} has gaps or overlaps");
    }
}

fn unit_area(unit: &geometry::MultiPolygon) -> i128 {
    unit.iter()
        .flat_map(geometry::Polygon::rings)
        .map(|ring| geometry::double_area(ring))
        .sum()
}

fn metres(unit: &geometry::MultiPolygon) -> MultiPolygon<f64> {
    let line = |ring: &geometry::Ring| {
        let coords = ring.iter().chain(ring.first()).map(|v| {
            let (x, y) = metres_from_grid(v.point());
            Coord { x, y }
        });
        LineString(coords.collect())
    };
    let polygon =
        |p: &geometry::Polygon| Polygon::new(line(&p.exterior), p.holes.iter().map(line).collect());
    MultiPolygon(unit.iter().map(polygon).collect())
}

/// Units sorted by what they are, whatever their order.
fn sorted(mut units: Vec<geometry::MultiPolygon>) -> Vec<geometry::MultiPolygon> {
    units.sort_unstable_by_key(|unit| unit.iter().map(|p| p.exterior.clone()).collect::<Vec<_>>());
    units
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_partition_stays_one_at_every_zoom(town in town(0.0)) {
        let units = town.units();
        prop_assume!(units.iter().all(Validation::is_valid));
        let coverage = Coverage::build(&units);
        check_partition(&coverage);
        let defects = coverage.defects();
        prop_assert_eq!((defects.gaps, defects.overlaps, defects.joined_vertices), (0, 0, 0));
    }

    #[test]
    fn dissolved_units_partition_too(town in town(0.0), count in 1..6_usize) {
        let units = town.units();
        prop_assume!(units.iter().all(Validation::is_valid));
        let coverage = Coverage::build(&units);
        let of_unit = groups(town, units.len(), count);
        let dissolved = coverage.dissolve(&of_unit, count);
        let parts = coverage.geometries();
        for (group, merged) in dissolved.geometries().iter().enumerate() {
            let members = (0..units.len()).filter(|unit| of_unit[*unit] == group);
            let area: i128 = members.map(|unit| unit_area(&parts[unit])).sum();
            prop_assert_eq!(unit_area(merged), area);
            if area > 0 {
                prop_assert!(metres(merged).is_valid());
            }
        }
        let kept = (0..count).filter(|group| of_unit.contains(group));
        let merged: Vec<_> = kept.map(|group| metres(&dissolved.geometries()[group])).collect();
        // Complex units, in pieces and with enclaves, as input.
        let rebuilt = Coverage::build(&merged);
        check_partition(&rebuilt);
        let whole: i128 = rebuilt.geometries().iter().map(unit_area).sum();
        prop_assert_eq!(whole, parts.iter().map(unit_area).sum::<i128>());
    }

    #[test]
    fn order_and_threads_change_nothing(town in town(60.0), turn in 0..40_usize) {
        let mut units = town.units();
        let first = on_threads(1, || Coverage::build(&units));
        turn_units(&mut units, turn);
        let second = on_threads(3, || Coverage::build(&units));
        prop_assert_eq!(sorted(first.geometries()), sorted(second.geometries()));
    }

    #[test]
    fn units_drawn_apart_come_together(town in town(60.0)) {
        let coverage = Coverage::build(&town.units());
        check_units(&coverage);
        let defects = coverage.defects();
        prop_assert!(defects.gap_share + defects.overlap_share < 1e-3, "{:?}", defects);
        let of_unit = groups(town, town.units().len(), 3);
        let dissolved = coverage.dissolve(&of_unit, 3);
        for unit in dissolved.geometries() {
            prop_assert!(unit.is_empty() || metres(&unit).is_valid());
        }
    }

    #[test]
    fn nothing_panics(
        units in prop::collection::vec(
            prop::collection::vec((-2.1e7_f64..2.1e7, -2.1e7_f64..2.1e7, 0..4_u8), 0..12),
            0..8,
        ),
        scale in prop::sample::select(vec![1.0, 1e-3, 1e-6, 1e-8, f64::NAN, f64::INFINITY]),
    ) {
        let units: Vec<MultiPolygon<f64>> = units
            .iter()
            .map(|points| {
                let coords = points.iter().map(|&(x, y, kind)| match kind {
                    0 => Coord { x: 0.0, y: 0.0 },
                    1 => Coord { x: x * scale, y: 0.0 },
                    _ => Coord { x: x * scale, y: y * scale },
                });
                let line: LineString<f64> = coords.collect();
                MultiPolygon(vec![Polygon::new(line.clone(), vec![line])])
            })
            .collect();
        let coverage = Coverage::build(&units);
        let geometries = coverage.geometries();
        for (unit, geometry) in units.iter().zip(&geometries) {
            let has_point = unit.0.iter().any(|p| !p.exterior().0.is_empty());
            prop_assert_eq!(has_point, !geometry.is_empty());
        }
        prop_assert!(rings(&geometries).all(|ring| ring.len() >= 3));
        let groups: Vec<usize> = (0..units.len()).map(|unit| unit % 3).collect();
        let dissolved = coverage.dissolve(&groups, 2);
        prop_assert_eq!(dissolved.geometries().len(), 2);
        let _ = dissolved.defects();
        let _ = coverage.defects();
        let _ = coverage.repair_zooms(18);
    }
}

/// A unit from cells of zoom 10.
fn unit_at_10(ring: &[(i32, i32)]) -> MultiPolygon<f64> {
    let coords = ring.iter().chain(&ring[..1]).map(|&(x, y)| {
        let place = |v: i32| (1 << 29) + (v << 8);
        let (x, y) = metres_from_grid(GridPoint {
            x: place(x),
            y: place(y),
        });
        Coord { x, y }
    });
    MultiPolygon(vec![Polygon::new(LineString(coords.collect()), vec![])])
}

#[test]
fn a_bay_comes_back_where_a_cape_reaches_into_it() {
    let bay = [(24, 40), (30, 44), (36, 40)];
    let cape = [(33, 10), (30, 42), (27, 10)];
    let mut land = vec![(0, 0), (80, 0), (80, 80), (0, 80), (0, 40)];
    land.extend(bay);
    land.extend([(60, 40), (60, 10)]);
    land.extend(cape);
    land.push((0, 10));
    let mut water = vec![(0, 10)];
    water.extend(cape.iter().rev());
    water.extend([(60, 10), (60, 40)]);
    water.extend(bay.iter().rev());
    water.push((0, 40));

    // Without the cape the bay, of less than 32 cells², goes.
    let without: Vec<_> = land.iter().copied().filter(|p| !cape.contains(p)).collect();
    assert_eq!(
        shown(
            &Coverage::build(&[unit_at_10(&without)]).geometries()[0],
            10
        )
        .0[0]
            .exterior()
            .0
            .len(),
        9
    );

    let coverage = Coverage::build(&[unit_at_10(&land), unit_at_10(&water)]);
    check_partition(&coverage);
    assert!(
        coverage
            .repair_zooms(14)
            .iter()
            .all(|mask| mask >> 10 & 1 == 0)
    );
}

#[test]
fn edges_take_the_vertices_beside_them() {
    let (a, b) = (
        unit_at_10(&[(0, 0), (50, 0), (50, 50), (0, 50)]),
        unit_at_10(&[(50, 0), (100, 0), (100, 50), (50, 50)]),
    );
    let below = unit_at_10(&[(0, 50), (100, 50), (100, 100), (0, 100)]);
    let coverage = Coverage::build(&[a, b, below]);
    check_partition(&coverage);
    assert_eq!(coverage.geometries()[2][0].exterior.len(), 5);
    assert_eq!(coverage.defects().joined_vertices, 1);
}

#[test]
fn a_gap_and_an_overlap_are_reported() {
    let left = unit_at_10(&[(0, 0), (50, 0), (50, 60), (0, 60)]);
    let right = unit_at_10(&[
        (40, 0),
        (100, 0),
        (100, 20),
        (70, 30),
        (100, 40),
        (100, 60),
        (40, 60),
    ]);
    let far = unit_at_10(&[(100, 0), (120, 0), (120, 60), (100, 60)]);
    let defects = Coverage::build(&[left, right, far]).defects();
    assert_eq!((defects.overlaps, defects.gaps), (1, 1));
    assert_eq!(defects.worst_overlaps[0].units, [0, 1]);
    assert_eq!(defects.worst_gaps[0].units, [1, 2]);
    let covered = 120.0 * 60.0 - 300.0;
    assert!(
        (defects.overlap_share - 600.0 / covered).abs() < 1e-12,
        "{defects:?}"
    );
    assert!(
        (defects.gap_share - 300.0 / covered).abs() < 1e-12,
        "{defects:?}"
    );
}

#[test]
fn slivers_inside_a_group_are_filled_and_enclaves_kept() {
    let units = [
        unit_at_10(&[
            (0, 0),
            (100, 0),
            (100, 50),
            (60, 50),
            (50, 47),
            (40, 50),
            (0, 50),
        ]),
        unit_at_10(&[(0, 50), (40, 50), (60, 50), (100, 50), (100, 100), (0, 100)]),
        unit_at_10(&[(40, 50), (50, 47), (60, 50)]),
    ];
    let two = Coverage::build(&units[..2]);
    assert_eq!(two.defects().gaps, 1);
    let filled = two.dissolve(&[0, 0], 1);
    assert_eq!(filled.geometries()[0][0].holes.len(), 0);
    assert_eq!(filled.defects().filled_slivers, 1);
    let kept = Coverage::build(&units).dissolve(&[0, 0, 1], 2);
    assert_eq!(kept.geometries()[0][0].holes.len(), 1);
    check_partition(&kept);
}

fn turn_units(units: &mut [MultiPolygon<f64>], turn: usize) {
    let turn = turn % units.len();
    units.rotate_left(turn);
    units.reverse();
    for unit in units {
        for polygon in &mut unit.0 {
            polygon.exterior_mut(|ring| {
                ring.0.pop();
                let turn = turn % ring.0.len();
                ring.0.rotate_left(turn);
                let first = ring.0[0];
                ring.0.push(first);
            });
        }
    }
}
