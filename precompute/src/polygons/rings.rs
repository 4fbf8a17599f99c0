//! Rings as flat coordinate runs: as a file gives them, then closed and free of repeats.

use geo_types::Coord;

/// Coordinates beyond this are no place on Earth in any unit.
const COORDINATE_MAX: f64 = 1e9;

/// The polygons of a feature, flat.
///
/// ```text
/// coords    a b c d a e f g e h i j h     ring_ends 5 9 13
///           └ exterior┘└ hole ┘└ part┘    polygons  2 3
/// ```
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Rings {
    pub(super) coords: Vec<Coord<f64>>,
    /// The end of each ring in `coords`.
    pub(super) ring_ends: Vec<usize>,
    /// The end of each polygon in `ring_ends`; its first ring is the exterior.
    pub(super) polygons: Vec<usize>,
}

impl Rings {
    pub(super) fn push(&mut self, x: f64, y: f64) {
        self.coords.push(Coord { x, y });
    }

    pub(super) fn end_ring(&mut self) {
        self.ring_ends.push(self.coords.len());
    }

    pub(super) fn end_polygon(&mut self) {
        self.polygons.push(self.ring_ends.len());
    }

    pub(super) fn ring_count(&self) -> usize {
        self.ring_ends.len()
    }

    /// Where ring `index` lies in `coords`.
    pub(super) fn range(&self, index: usize) -> std::ops::Range<usize> {
        start(&self.ring_ends, index)..self.ring_ends[index]
    }

    pub(super) fn ring(&self, index: usize) -> &[Coord<f64>] {
        &self.coords[self.range(index)]
    }

    /// The ring indices of each polygon, the exterior first; none is empty in clean rings.
    pub(super) fn polygon_rings(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.polygons.len()).map(|index| start(&self.polygons, index)..self.polygons[index])
    }
}

fn start(ends: &[usize], index: usize) -> usize {
    index.checked_sub(1).map_or(0, |before| ends[before])
}

/// The least and greatest of some coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) min: Coord<f64>,
    pub(super) max: Coord<f64>,
}

impl Bounds {
    pub(super) const EMPTY: Self = Self {
        min: Coord {
            x: f64::INFINITY,
            y: f64::INFINITY,
        },
        max: Coord {
            x: f64::NEG_INFINITY,
            y: f64::NEG_INFINITY,
        },
    };

    pub(super) fn of(coords: &[Coord<f64>]) -> Self {
        let mut bounds = Self::EMPTY;
        for c in coords {
            bounds.add(*c);
        }
        bounds
    }

    pub(super) fn add(&mut self, c: Coord<f64>) {
        self.min.x = self.min.x.min(c.x);
        self.min.y = self.min.y.min(c.y);
        self.max.x = self.max.x.max(c.x);
        self.max.y = self.max.y.max(c.y);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.add(other.min);
        self.add(other.max);
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.min.x <= other.max.x
            && other.min.x <= self.max.x
            && self.min.y <= other.max.y
            && other.min.y <= self.max.y
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.min.x <= other.min.x
            && other.max.x <= self.max.x
            && self.min.y <= other.min.y
            && other.max.y <= self.max.y
    }
}

/// What [`tidy`] had to change.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Tidied {
    pub(super) unclosed: bool,
    /// A ring of fewer than three different vertices was left out.
    pub(super) degenerate: bool,
}

/// Closes rings, drops repeated vertices, and leaves out rings without three different vertices
/// together with the holes of a part whose exterior is one. Other vertices stay as they are.
///
/// # Errors
/// The reason when no polygon is left, or a coordinate is not a finite number below 10⁹.
pub(super) fn tidy(raw: &Rings) -> Result<(Rings, Tidied), &'static str> {
    let mut clean = Rings {
        coords: Vec::with_capacity(raw.coords.len() + raw.ring_ends.len()),
        ring_ends: Vec::with_capacity(raw.ring_ends.len()),
        polygons: Vec::with_capacity(raw.polygons.len()),
    };
    let mut tidied = Tidied::default();
    for rings in raw.polygon_rings() {
        let exterior = rings.start;
        for index in rings {
            let kept = tidy_ring(raw.ring(index), &mut clean.coords, &mut tidied)?;
            if kept {
                clean.end_ring();
            } else if index == exterior {
                break;
            }
        }
        if clean.ring_ends.len() > clean.polygons.last().copied().unwrap_or(0) {
            clean.end_polygon();
        }
    }
    if clean.polygons.is_empty() {
        return Err(if tidied.degenerate {
            "degenerate_ring"
        } else {
            "empty_geometry"
        });
    }
    Ok((clean, tidied))
}

/// Appends one ring, closed and without repeats; false and nothing when it is degenerate.
fn tidy_ring(
    ring: &[Coord<f64>],
    out: &mut Vec<Coord<f64>>,
    tidied: &mut Tidied,
) -> Result<bool, &'static str> {
    let from = out.len();
    for c in ring {
        if !(c.x.abs() <= COORDINATE_MAX && c.y.abs() <= COORDINATE_MAX) {
            return Err("not_finite");
        }
        if out.len() == from || out.last() != Some(c) {
            out.push(*c);
        }
    }
    let Some(first) = out.get(from).copied() else {
        return Ok(false);
    };
    if ring.last() != Some(&first) {
        tidied.unclosed = true;
        out.push(first);
    }
    if out.len() - from < 4 {
        tidied.degenerate = true;
        out.truncate(from);
        return Ok(false);
    }
    Ok(true)
}

/// Twice the signed area of a closed ring; positive when it turns counter-clockwise.
pub(super) fn double_area(ring: &[Coord<f64>]) -> f64 {
    let Some(origin) = ring.first() else {
        return 0.0;
    };
    ring.windows(2)
        .map(|pair| {
            let (a, b) = (pair[0] - *origin, pair[1] - *origin);
            a.x * b.y - b.x * a.y
        })
        .sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Rings from `x y` pairs: `,` between vertices, `|` between rings, `&` between polygons.
    pub(crate) fn rings(text: &str) -> Rings {
        let mut rings = Rings::default();
        for polygon in text.split('&') {
            for ring in polygon.split('|').filter(|ring| *ring != "-") {
                for vertex in ring.split(',').filter(|vertex| !vertex.trim().is_empty()) {
                    let mut numbers = vertex
                        .split_whitespace()
                        .map(|n| n.parse().expect("number"));
                    rings.push(numbers.next().expect("x"), numbers.next().expect("y"));
                }
                rings.end_ring();
            }
            rings.end_polygon();
        }
        rings
    }

    fn check(input: &str, expected: Result<(&str, Tidied), &'static str>) {
        let expected = expected.map(|(text, tidied)| (rings(text), tidied));
        assert_eq!(tidy(&rings(input)), expected, "{input}");
    }

    #[test]
    fn tidies() {
        let as_it_was = Tidied::default();
        let unclosed = Tidied {
            unclosed: true,
            ..as_it_was
        };
        let degenerate = Tidied {
            degenerate: true,
            ..as_it_was
        };
        check("0 0,1 0,1 1,0 0", Ok(("0 0,1 0,1 1,0 0", as_it_was)));
        check("0 0,1 0,1 1", Ok(("0 0,1 0,1 1,0 0", unclosed)));
        check(
            "0 0,0 0,1 0,1 1,1 1,0 0,0 0",
            Ok(("0 0,1 0,1 1,0 0", as_it_was)),
        );
        check(
            "0 0,9 0,9 9,0 0|1 1,2 2,1 1",
            Ok(("0 0,9 0,9 9,0 0", degenerate)),
        );
        check(
            "0 0,1 1,0 0|5 5,6 5,6 6,5 5&0 0,1 0,1 1,0 0",
            Ok(("0 0,1 0,1 1,0 0", degenerate)),
        );
        check("", Err("empty_geometry"));
        check("-", Err("empty_geometry"));
        check("0 0", Err("degenerate_ring"));
        check("0 0,1 1", Err("degenerate_ring"));
        check("0 0,0 0,0 0,0 0,0 0", Err("degenerate_ring"));
        check("0 0,1 0,NaN 1,0 0", Err("not_finite"));
        check("0 0,1 0,inf 1,0 0", Err("not_finite"));
        check("0 0,1 0,1e308 1,0 0", Err("not_finite"));
    }

    #[test]
    fn area_is_signed() {
        let ring = rings("10 10,12 10,12 12,10 12,10 10");
        assert!((double_area(ring.ring(0)) - 8.0).abs() < 1e-12);
        assert!(double_area(&[]) == 0.0);
    }
}
