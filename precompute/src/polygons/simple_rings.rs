//! Contours as `i_overlay` gives them into rings as Simple Features wants them.
//!
//! Contours may pass a point twice, and holes that touch one another may close off a piece of the
//! inside. So every connected piece of the inside is walked along its edge, and the walk cut where
//! it comes back to a point:
//!
//! ```text
//!  a───────────b            a───────────b
//!  │  d──e     │            │  d──e     │     the hole d e b is an extra turn of the walk
//!  │   ╲ ╲     │     ─▸     │   ╲ ╲     │     a d̶ e̶ b … : cut off, it is a ring of its own
//!  c────╲─╲────b            c────╲─╲────b
//! ```
//! `i_overlay` 4.5 can do this itself (`ogc`), but stops on an assertion for some inputs.

use std::cmp::Ordering;

use i_overlay::i_float::int::point::IntPoint;
use i_overlay::i_shape::int::shape::{IntContour, IntShape, IntShapes};
use rustc_hash::FxHashMap;

/// Polygons of simple rings, the exterior first, from contours that do not cross.
pub(super) fn simple_polygons(shapes: &IntShapes) -> Vec<IntShape> {
    let mut polygons: Vec<IntShape> = Vec::new();
    let mut holes = Vec::new();
    for walk in walks(&directed_edges(shapes)) {
        for ring in simple_rings(&walk) {
            match double_area(&ring) {
                0 => {}
                1.. => polygons.push(vec![ring]),
                _ => holes.push(ring),
            }
        }
    }
    let areas: Vec<i128> = polygons
        .iter()
        .map(|rings| double_area(&rings[0]))
        .collect();
    for hole in holes {
        let around = (0..polygons.len())
            .filter(|at| areas[*at] > -double_area(&hole) && holds(&polygons[*at][0], &hole))
            .min_by_key(|at| areas[*at]);
        if let Some(at) = around {
            polygons[at].push(hole);
        }
    }
    polygons
}

type Edge = (IntPoint, IntPoint);

/// All edges with the inside on their left, by start.
fn directed_edges(shapes: &IntShapes) -> Vec<Edge> {
    let mut directed = Vec::new();
    for shape in shapes {
        for (at, contour) in shape.iter().enumerate() {
            let turns_left = double_area(contour) > 0;
            if turns_left == (at == 0) {
                directed.extend(edges(contour));
            } else {
                directed.extend(edges(contour).map(|(a, b)| (b, a)));
            }
        }
    }
    directed.retain(|(a, b)| a != b);
    directed.sort_unstable_by_key(|(a, b)| (a.x, a.y, b.x, b.y));
    directed
}

/// The closed walks along the edges that keep to one piece of the inside each.
fn walks(edges: &[Edge]) -> Vec<IntContour> {
    let mut walked = vec![false; edges.len()];
    let mut walks = Vec::new();
    for first in 0..edges.len() {
        let mut walk = Vec::new();
        let mut edge = first;
        while !walked[edge] {
            walked[edge] = true;
            let (from, to) = edges[edge];
            walk.push(from);
            let start = edges.partition_point(|(a, _)| (a.x, a.y) < (to.x, to.y));
            let leaving = (start..edges.len()).take_while(|at| edges[*at].0 == to);
            let next = leaving
                .filter(|at| !walked[*at] || *at == first)
                .min_by(|a, b| clockwise(to, from, edges[*a].1, edges[*b].1));
            match next {
                Some(next) => edge = next,
                None => break,
            }
        }
        if walk.len() > 2 {
            walks.push(walk);
        }
    }
    walks
}

/// Which of `a` and `b` comes first on turning clockwise around `centre`, starting at `from`.
fn clockwise(centre: IntPoint, from: IntPoint, a: IntPoint, b: IntPoint) -> Ordering {
    let arm = |p: IntPoint| {
        (
            i128::from(p.x) - i128::from(centre.x),
            i128::from(p.y) - i128::from(centre.y),
        )
    };
    let cross = |(px, py): (i128, i128), (qx, qy): (i128, i128)| px * qy - py * qx;
    let dot = |(px, py): (i128, i128), (qx, qy): (i128, i128)| px * qx + py * qy;
    let (from, a, b) = (arm(from), arm(a), arm(b));
    // 0: less than half a turn, 1: half, 2: more, 3: a whole turn.
    let part = |arm| match cross(from, arm).cmp(&0) {
        Ordering::Less => 0,
        Ordering::Equal if dot(from, arm) < 0 => 1,
        Ordering::Greater => 2,
        Ordering::Equal => 3,
    };
    part(a).cmp(&part(b)).then_with(|| cross(a, b).cmp(&0))
}

/// Cuts a walk wherever it comes back to a point.
fn simple_rings(walk: &[IntPoint]) -> Vec<IntContour> {
    let mut rings = Vec::new();
    let mut open: IntContour = Vec::new();
    let mut places = FxHashMap::default();
    for point in walk {
        if let Some(from) = places.get(point).copied() {
            let ring: IntContour = open.drain(from..).collect();
            for left in &ring {
                places.remove(left);
            }
            if ring.len() > 2 {
                rings.push(ring);
            }
        }
        places.insert(*point, open.len());
        open.push(*point);
    }
    if open.len() > 2 {
        rings.push(open);
    }
    rings
}

fn double_area(ring: &[IntPoint]) -> i128 {
    edges(ring)
        .map(|(a, b)| i128::from(i64::from(a.x) * i64::from(b.y) - i64::from(b.x) * i64::from(a.y)))
        .sum()
}

fn edges(ring: &[IntPoint]) -> impl Iterator<Item = Edge> + '_ {
    let next = ring.iter().cycle().skip(1);
    ring.iter().copied().zip(next.copied())
}

/// Whether a ring that does not cross `exterior` runs inside it.
fn holds(exterior: &[IntPoint], ring: &[IntPoint]) -> bool {
    // Middles of edges, doubled: a vertex may lie on the exterior, an edge's middle seldom does.
    edges(ring)
        .find_map(|(a, b)| {
            let middle = (
                i64::from(a.x) + i64::from(b.x),
                i64::from(a.y) + i64::from(b.y),
            );
            side_of(exterior, middle)
        })
        .unwrap_or(true)
}

/// Whether a doubled point is inside, by a ray eastwards; none when it is on the ring.
fn side_of(ring: &[IntPoint], (x, y): (i64, i64)) -> Option<bool> {
    let mut is_inside = false;
    for (a, b) in edges(ring) {
        let (ax, ay) = (2 * i64::from(a.x), 2 * i64::from(a.y));
        let (bx, by) = (2 * i64::from(b.x), 2 * i64::from(b.y));
        let turn =
            i128::from(bx - ax) * i128::from(y - ay) - i128::from(by - ay) * i128::from(x - ax);
        let in_box = x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by);
        if turn == 0 && in_box {
            return None;
        }
        if (ay <= y) != (by <= y) && (turn > 0) == (by > ay) {
            is_inside = !is_inside;
        }
    }
    Some(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Points<'a> = &'a [(i32, i32)];

    fn check(shapes: &[&[Points]], expected: &[&[Points]]) {
        let contour = |points: &Points| -> IntContour {
            points.iter().map(|(x, y)| IntPoint::new(*x, *y)).collect()
        };
        let all = |shapes: &[&[Points]]| -> IntShapes {
            shapes
                .iter()
                .map(|rings| rings.iter().map(contour).collect())
                .collect()
        };
        assert_eq!(simple_polygons(&all(shapes)), all(expected));
    }

    const SQUARE: Points = &[(0, 0), (9, 0), (9, 9), (0, 9)];

    #[test]
    fn splits_where_a_contour_touches_itself() {
        check(&[&[SQUARE]], &[&[SQUARE]]);
        // A hole on a corner.
        check(
            &[&[&[(0, 0), (1, 3), (3, 1), (0, 0), (9, 0), (9, 9), (0, 9)]]],
            &[&[SQUARE, &[(0, 0), (1, 3), (3, 1)]]],
        );
        // Two parts that touch.
        check(
            &[&[&[
                (0, 0),
                (2, 0),
                (2, 2),
                (4, 2),
                (4, 4),
                (2, 4),
                (2, 2),
                (0, 2),
            ]]],
            &[
                &[&[(0, 0), (2, 0), (2, 2), (0, 2)]],
                &[&[(2, 2), (4, 2), (4, 4), (2, 4)]],
            ],
        );
    }

    #[test]
    fn holes_that_touch_in_a_circle_close_off_a_part() {
        let (low, left, right): (Points, Points, Points) = (
            &[(2, 2), (4, 3), (6, 2)],
            &[(2, 2), (4, 6), (3, 4)],
            &[(6, 2), (5, 4), (4, 6)],
        );
        check(
            &[&[SQUARE, low, left, right]],
            &[
                &[SQUARE, &[(2, 2), (4, 6), (6, 2)]],
                &[&[(2, 2), (4, 3), (6, 2), (5, 4), (4, 6), (3, 4)]],
            ],
        );
    }

    #[test]
    fn holes_find_the_smallest_exterior() {
        let (inner, gap, hole): (Points, Points, Points) = (
            &[(2, 2), (7, 2), (7, 7), (2, 7)],
            &[(1, 1), (1, 8), (8, 8), (8, 1)],
            &[(3, 3), (3, 4), (4, 4), (4, 3)],
        );
        let shapes: &[&[Points]] = &[&[SQUARE, gap], &[inner, hole]];
        check(shapes, shapes);
    }
}
