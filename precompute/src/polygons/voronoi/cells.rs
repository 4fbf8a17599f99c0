//! Voronoi cells: what is nearer to a point than to any other.
//!
//! A cell starts as a rectangle and loses, neighbour by neighbour and nearest first, what lies
//! beyond the bisector; it is done when the next neighbour is twice as far as its farthest corner.
//! Corners come from the same three points whichever cell they are of, so that neighbours agree
//! to far below a cell of the world grid, on which arcs are made of them.

use geo_types::{Coord, LineString, Polygon, Rect};
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

/// The cells of distinct points, in their order, cut to a rectangle wider than `bounds`.
pub(super) fn cells(points: &[Coord<f64>], bounds: Rect<f64>) -> Vec<Polygon<f64>> {
    let indexed = points
        .iter()
        .enumerate()
        .map(|(i, p)| GeomWithData::new([p.x, p.y], i));
    let index = RTree::bulk_load(indexed.collect());
    let (width, height) = (bounds.width(), bounds.height());
    let low = bounds.min()
        - Coord {
            x: width,
            y: height,
        };
    let high = bounds.max()
        + Coord {
            x: width,
            y: height,
        };
    points
        .par_iter()
        .enumerate()
        .map(|(i, p)| {
            let others = index.nearest_neighbor_iter([p.x, p.y]);
            let others = others.filter(|other| other.data != i).map(|other| {
                let [x, y] = *other.geom();
                Coord { x, y } - *p
            });
            let corners = [
                low - *p,
                Coord {
                    x: high.x,
                    y: low.y,
                } - *p,
                high - *p,
                Coord {
                    x: low.x,
                    y: high.y,
                } - *p,
            ];
            let ring: Vec<Coord<f64>> = cell(corners.to_vec(), others)
                .into_iter()
                .map(|corner| corner + *p)
                .collect();
            Polygon::new(LineString(ring), Vec::new())
        })
        .collect()
}

/// The cell of the origin; `others` come nearest first.
fn cell(mut corners: Vec<Coord<f64>>, others: impl Iterator<Item = Coord<f64>>) -> Vec<Coord<f64>> {
    let mut cut = Vec::new();
    for other in others {
        let farthest = corners.iter().map(|c| dot(*c, *c)).fold(0.0, f64::max);
        if dot(other, other) > 4.0 * farthest {
            break;
        }
        keep_nearer(&corners, other, &mut cut);
        std::mem::swap(&mut corners, &mut cut);
    }
    corners
}

/// Writes into `kept` the part of a convex ring that is nearer to the origin than to `other`.
fn keep_nearer(corners: &[Coord<f64>], other: Coord<f64>, kept: &mut Vec<Coord<f64>>) {
    kept.clear();
    // Positive beyond the bisector.
    let beyond = |c: Coord<f64>| dot(c, other) - dot(other, other) / 2.0;
    for (i, &to) in corners.iter().enumerate() {
        let from = corners[(i + corners.len() - 1) % corners.len()];
        let (a, b) = (beyond(from), beyond(to));
        if (a > 0.0) != (b > 0.0) {
            kept.push(from + (to - from) * (a / (a - b)));
        }
        if b <= 0.0 {
            kept.push(to);
        }
    }
}

fn dot(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.x + a.y * b.y
}

#[cfg(test)]
mod tests {
    use geo::{Area, Contains};
    use geo_types::{Point, coord};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_part_the_plane_by_the_nearest_point(
            places in prop::collection::btree_set((0_i32..40, 0_i32..40), 2..60),
            probe in (0.0..40.0_f64, 0.0..40.0_f64),
        ) {
            let points: Vec<Coord<f64>> =
                places.iter().map(|(x, y)| coord! { x: f64::from(*x), y: f64::from(*y) }).collect();
            let bounds = Rect::new(coord! { x: 0.0, y: 0.0 }, coord! { x: 40.0, y: 40.0 });
            let found = cells(&points, bounds);
            let area: f64 = found.iter().map(Area::unsigned_area).sum();
            prop_assert!((area - 120.0 * 120.0).abs() < 1e-6, "{}", area);
            let probe = Point::new(probe.0, probe.1);
            for (point, cell) in points.iter().zip(&found) {
                if cell.contains(&probe) {
                    let distance = |p: &Coord<f64>| (p.x - probe.x()).hypot(p.y - probe.y());
                    let nearest = points.iter().map(distance).fold(f64::MAX, f64::min);
                    prop_assert!(distance(point) <= nearest + 1e-9);
                }
            }
        }
    }
}
