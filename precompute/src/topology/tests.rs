//! What must hold for any coverage: neighbours agree on every vertex and its weight, nothing is
//! lost or left uncovered at any zoom, and neither order nor threads change a unit.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a small town in the middle of the grid"
)]

mod cases;
mod properties;
mod town;

use std::collections::{BTreeMap, BTreeSet};

use geo::Validation;
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use tilecore::geometry::{self, GridPoint, M_PER_ZOOM, Vertex};
use tilecore::mercator::metres_from_grid;

use self::town::Town;
use super::{Coverage, validity};

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

/// What holds for every coverage, clean or not, when it is shown at all zooms.
fn check_units(coverage: &mut Coverage) {
    let repair_zooms = coverage.generalise([0, 18], 18);
    let units = coverage.geometries();
    let mut weights = BTreeMap::new();
    for vertex in rings(&units).flatten() {
        let weight = *weights.entry(vertex.point()).or_insert(vertex.m);
        assert_eq!(weight, vertex.m, "two weights at {:?}", vertex.point());
    }
    let every_zoom = validity::tests::every_zoom(&coverage.arcs, &coverage.layout, [0, 18], 18);
    assert_eq!(repair_zooms, every_zoom, "a zoom was passed over");
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
        for zoom in (0..18).filter(|zoom| mask >> zoom & 1 == 0) {
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
fn check_partition(coverage: &mut Coverage) {
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
