//! Which units touch which.

use tilecore::geometry::{MultiPolygon, Polygon};

/// The neighbours of every unit, ascending; no unit is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbours {
    /// Unit `u` has `of[starts[u]..starts[u + 1]]`.
    starts: Vec<usize>,
    of: Vec<u32>,
}

impl Neighbours {
    fn from_pairs(mut pairs: Vec<(u32, u32)>, units: usize) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let starts = (0..=units).map(|unit| pairs.partition_point(|(a, _)| (*a as usize) < unit));
        Self {
            starts: starts.collect(),
            of: pairs.into_iter().map(|(_, b)| b).collect(),
        }
    }

    /// Of one unit.
    #[must_use]
    pub fn of(&self, unit: usize) -> &[u32] {
        &self.of[self.starts[unit]..self.starts[unit + 1]]
    }

    /// The values of a unit's neighbours that have one.
    pub(super) fn values<'a>(
        &'a self,
        unit: usize,
        values: &'a [f64],
    ) -> impl Iterator<Item = f64> + 'a {
        let neighbours = self.of(unit).iter().map(|other| values[*other as usize]);
        neighbours.filter(|value| !value.is_nan())
    }
}

/// Units that share a vertex ("queen"): a coverage's neighbours have their vertices in common.
#[must_use]
pub fn by_shared_vertex(geometries: &[MultiPolygon]) -> Neighbours {
    let mut corners: Vec<(i32, i32, u32)> = Vec::new();
    for (unit, polygons) in (0..).zip(geometries) {
        for vertex in polygons.iter().flat_map(Polygon::rings).flatten() {
            corners.push((vertex.x, vertex.y, unit));
        }
    }
    corners.sort_unstable();
    corners.dedup();
    let mut pairs = Vec::new();
    for place in corners.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        for (_, _, a) in place {
            let others = place.iter().filter(|(_, _, b)| a != b);
            pairs.extend(others.map(|(_, _, b)| (*a, *b)));
        }
    }
    Neighbours::from_pairs(pairs, geometries.len())
}

#[cfg(test)]
pub(super) fn of_pairs(pairs: &[(u32, u32)], units: usize) -> Neighbours {
    let both = pairs.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
    Neighbours::from_pairs(both.collect(), units)
}

#[cfg(test)]
mod tests {
    use tilecore::geometry::Vertex;

    use super::*;

    fn square(x: i32, y: i32) -> MultiPolygon {
        let corner = |dx: i32, dy: i32| Vertex {
            x: x + dx,
            y: y + dy,
            m: 0,
        };
        let exterior = vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
        vec![Polygon {
            exterior,
            holes: Vec::new(),
        }]
    }

    #[test]
    fn a_corner_is_enough_and_an_island_has_nobody() {
        let units = [square(0, 0), square(1, 0), square(1, 1), square(9, 9)];
        let found = by_shared_vertex(&units);
        assert_eq!(found.of(0), [1, 2]);
        assert_eq!(found.of(2), [0, 1]);
        assert!(found.of(3).is_empty());
    }
}
