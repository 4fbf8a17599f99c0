//! Metres in, clean rings on the world grid out.

use geo_types::{LineString, MultiPolygon};
use tilecore::geometry::{GridPoint, WORLD_CELLS};
use tilecore::mercator::grid_from_metres;

use super::repair::Repairer;
use super::rings::{Loop, Shape, double_area};

/// A unit's polygons on the grid, valid, exteriors positive and holes negative.
///
/// What the snap makes touch or cross itself is repaired; a unit that collapses stays as a
/// triangle of half a cell, so that no unit is lost. Only a unit without any point stays empty.
pub(super) fn snap(unit: &MultiPolygon<f64>, repairer: &mut Repairer) -> Shape {
    let shape = unit
        .iter()
        .filter_map(|polygon| {
            let exterior = wound(loop_from(polygon.exterior())?, true)?;
            let holes = polygon
                .interiors()
                .iter()
                .filter_map(|hole| wound(loop_from(hole)?, false));
            Some(std::iter::once(exterior).chain(holes).collect())
        })
        .collect();
    let shape = repairer.repair(shape);
    if shape.is_empty() {
        return unit.iter().find_map(placeholder).into_iter().collect();
    }
    shape
}

/// The smallest polygon there is, at the first point of a collapsed one.
fn placeholder(polygon: &geo_types::Polygon<f64>) -> Option<Vec<Loop>> {
    let at = polygon.exterior().0.first()?;
    let corner = grid_from_metres(at.x, at.y);
    let (x, y) = (corner.x.min(WORLD_CELLS - 1), corner.y.min(WORLD_CELLS - 1));
    let triangle = [(x, y), (x + 1, y), (x + 1, y + 1)];
    Some(vec![triangle.map(|(x, y)| GridPoint { x, y }).to_vec()])
}

fn loop_from(line: &LineString<f64>) -> Option<Loop> {
    let mut ring = line.0.iter().map(|c| grid_from_metres(c.x, c.y)).collect();
    clean(&mut ring);
    (ring.len() >= 3).then_some(ring)
}

/// Turns a ring to its side; `None` when it has no area.
fn wound(mut ring: Loop, exterior: bool) -> Option<Loop> {
    let area = double_area(&ring);
    if area == 0 {
        return None;
    }
    if (area > 0) != exterior {
        ring.reverse();
    }
    Some(ring)
}

/// Drops repeated points and spikes (`a b a`), across the ring's ends too.
pub(super) fn clean(ring: &mut Loop) {
    let mut kept = 0;
    for i in 0..ring.len() {
        let p = ring[i];
        if kept >= 1 && ring[kept - 1] == p {
            continue;
        }
        if kept >= 2 && ring[kept - 2] == p {
            kept -= 1;
            continue;
        }
        ring[kept] = p;
        kept += 1;
    }
    let mut first = 0;
    while kept - first >= 2 {
        if ring[first] == ring[kept - 1] {
            kept -= 1;
        } else if kept - first >= 3 && ring[first + 1] == ring[kept - 1] {
            first += 1;
        } else if kept - first >= 3 && ring[first] == ring[kept - 2] {
            kept -= 1;
        } else {
            break;
        }
    }
    ring.truncate(kept);
    ring.drain(..first);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[(i32, i32)], expected: &[(i32, i32)]) {
        let points =
            |of: &[(i32, i32)]| -> Loop { of.iter().map(|&(x, y)| GridPoint { x, y }).collect() };
        let mut ring = points(input);
        clean(&mut ring);
        assert_eq!(ring, points(expected));
    }

    #[test]
    fn drops_repeats_and_spikes() {
        check(&[], &[]);
        check(&[(0, 0)], &[(0, 0)]);
        check(&[(0, 0), (0, 0)], &[(0, 0)]);
        check(&[(0, 0), (4, 0), (4, 4), (0, 0)], &[(0, 0), (4, 0), (4, 4)]);
        check(
            &[(0, 0), (4, 0), (9, 0), (9, 0), (4, 0), (4, 4)],
            &[(0, 0), (4, 0), (4, 4)],
        );
        // A spike across the ends: its tip is the first point.
        check(
            &[(-3, -3), (0, 0), (4, 0), (4, 4), (0, 0)],
            &[(0, 0), (4, 0), (4, 4)],
        );
        check(&[(0, 0), (1, 0), (2, 0), (1, 0)], &[(0, 0), (1, 0)]);
    }

    #[test]
    fn keeps_a_collapsed_unit_as_a_triangle() {
        let line = LineString::from(vec![(0.0, 0.0), (0.001, 0.0), (0.0, 0.001), (0.0, 0.0)]);
        let unit = MultiPolygon(vec![geo_types::Polygon::new(line, vec![])]);
        let shape = snap(&unit, &mut Repairer::default());
        assert_eq!(shape.len(), 1);
        assert_eq!(double_area(&shape[0][0]), 1);
        assert!(snap(&MultiPolygon(vec![]), &mut Repairer::default()).is_empty());
    }
}
