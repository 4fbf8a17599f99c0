//! Which ring lies in which: holes find their shells.

use std::cell::{Cell, OnceCell};

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use tilecore::geometry::GridPoint;

use super::rings::{Loop, Shape, double_area};

/// Where a point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    Outside,
    Boundary,
}

/// Assembles rings that do not cross into polygons, exteriors positive and holes negative.
///
/// # Errors
/// Gives the rings back when they are no polygons: an exterior in an exterior, a hole in no
/// exterior.
pub(super) fn assemble(rings: Vec<Loop>) -> Result<Shape, Vec<Loop>> {
    let areas: Vec<i128> = rings.iter().map(|ring| double_area(ring)).collect();
    let parents = parents(&rings);
    let fits = |(i, parent): (usize, &Option<usize>)| match parent {
        None => areas[i] > 0,
        Some(j) => (areas[*j] > 0) != (areas[i] > 0),
    };
    if !parents.iter().enumerate().all(fits) {
        return Err(rings);
    }
    let mut holes: Vec<Vec<Loop>> = vec![Vec::new(); rings.len()];
    let mut exteriors = Vec::new();
    for (i, ring) in rings.into_iter().enumerate() {
        match parents[i] {
            Some(shell) if areas[i] < 0 => holes[shell].push(ring),
            _ => exteriors.push((i, ring)),
        }
    }
    let polygon = |(i, ring): (usize, Loop)| {
        std::iter::once(ring)
            .chain(std::mem::take(&mut holes[i]))
            .collect()
    };
    Ok(exteriors.into_iter().map(polygon).collect())
}

/// The smallest ring around each ring, of rings that do not cross.
pub(super) fn parents(rings: &[Loop]) -> Vec<Option<usize>> {
    if rings.len() < 2 {
        return vec![None; rings.len()];
    }
    let areas: Vec<i128> = rings.iter().map(|ring| double_area(ring).abs()).collect();
    let boxes = rings
        .iter()
        .enumerate()
        .map(|(i, ring)| GeomWithData::new(bounds(ring), i));
    let tree = RTree::bulk_load(boxes.collect());
    let shells: Vec<Shell> = rings.iter().map(|ring| Shell::of(ring)).collect();
    let parent = |(i, ring): (usize, &Loop)| {
        tree.locate_all_at_point(ring.first().copied().map_or([0.0; 2], position))
            .map(|candidate| candidate.data)
            .filter(|&j| j != i && areas[j] >= areas[i] && shells[j].contains(ring))
            .min_by_key(|&j| (areas[j], j))
    };
    rings.iter().enumerate().map(parent).collect()
}

/// A ring that others may lie in.
#[derive(Debug)]
struct Shell<'a> {
    ring: &'a [GridPoint],
    asked: Cell<u32>,
    rows: OnceCell<Rows>,
}

impl<'a> Shell<'a> {
    /// From so many vertices and questions on, edges are looked up by row: a coast has thousands
    /// of both.
    const VERTICES: usize = 64;
    const QUESTIONS: u32 = 3;

    fn of(ring: &'a [GridPoint]) -> Self {
        Self {
            ring,
            asked: Cell::new(0),
            rows: OnceCell::new(),
        }
    }

    /// Whether `inner` lies in the ring, for rings that do not cross.
    fn contains(&self, inner: &[GridPoint]) -> bool {
        let vertices = inner
            .iter()
            .map(|p| (2 * i64::from(p.x), 2 * i64::from(p.y)));
        let next = inner.iter().cycle().skip(1);
        let middles = inner.iter().zip(next).map(|(a, b)| {
            (
                i64::from(a.x) + i64::from(b.x),
                i64::from(a.y) + i64::from(b.y),
            )
        });
        let decided = vertices
            .chain(middles)
            .map(|doubled| self.side(doubled))
            .find(|side| *side != Side::Boundary);
        decided == Some(Side::Inside)
    }

    /// On which side of the ring a point lies, its coordinates doubled.
    fn side(&self, point: (i64, i64)) -> Side {
        let asked = self.asked.replace(self.asked.get().saturating_add(1));
        if self.ring.len() < Self::VERTICES || asked < Self::QUESTIONS {
            return side(self.ring, 0..self.ring.len(), point);
        }
        let rows = self.rows.get_or_init(|| Rows::of(self.ring));
        let edges = rows.at(point.1).iter().map(|&edge| edge as usize);
        side(self.ring, edges, point)
    }
}

/// The edges of a ring by the rows they touch, each by the vertex that it ends at.
#[derive(Debug)]
struct Rows {
    low: i32,
    /// The height of a row is a power of two.
    bits: u32,
    /// Where each row's edges end.
    ends: Vec<usize>,
    edges: Vec<u32>,
}

impl Rows {
    /// So many entries for each edge at most.
    const ENTRIES: usize = 8;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "vertices are counted in u32, and none is below the lowest"
    )]
    fn of(ring: &[GridPoint]) -> Self {
        let heights = ring.iter().map(|p| p.y);
        let low = heights.clone().min().unwrap_or(0);
        let high = heights.max().unwrap_or(0);
        let rows = |y: i32, bits: u32| ((y - low) >> bits) as usize;
        let touched = |edge: usize, bits: u32| {
            let (a, b) = (ring[before(ring, edge)].y, ring[edge].y);
            rows(a.min(b), bits)..=rows(a.max(b), bits)
        };
        let fits = |bits: u32| {
            let entries = (0..ring.len()).map(|edge| touched(edge, bits).count());
            rows(high, bits) <= ring.len() && entries.sum::<usize>() <= Self::ENTRIES * ring.len()
        };
        let bits = (0..i32::BITS - 1).find(|&bits| fits(bits)).unwrap_or(31);
        let mut ends = vec![0; rows(high, bits) + 2];
        for row in (0..ring.len()).flat_map(|edge| touched(edge, bits)) {
            ends[row + 1] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        let mut edges = vec![0; sum];
        for edge in 0..ring.len() {
            for row in touched(edge, bits) {
                edges[ends[row]] = edge as u32;
                ends[row] += 1;
            }
        }
        ends.pop();
        Self {
            low,
            bits,
            ends,
            edges,
        }
    }

    /// The edges that touch the row of a doubled height.
    fn at(&self, y: i64) -> &[u32] {
        let row = ((y >> 1) - i64::from(self.low)) >> self.bits;
        let Some(row) = usize::try_from(row)
            .ok()
            .filter(|row| *row < self.ends.len())
        else {
            return &[];
        };
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.edges[start..self.ends[row]]
    }
}

/// The vertex before another.
fn before(ring: &[GridPoint], vertex: usize) -> usize {
    vertex.checked_sub(1).unwrap_or(ring.len() - 1)
}

/// On which side of a ring a point lies, its coordinates doubled; `edges` are those that may be
/// beside it, each by the vertex that it ends at.
fn side(ring: &[GridPoint], edges: impl Iterator<Item = usize>, (x, y): (i64, i64)) -> Side {
    let mut inside = false;
    for edge in edges {
        let (a, b) = (ring[before(ring, edge)], ring[edge]);
        let (ax, ay) = (2 * i64::from(a.x), 2 * i64::from(a.y));
        let (bx, by) = (2 * i64::from(b.x), 2 * i64::from(b.y));
        let in_rows = ay.min(by) <= y && y <= ay.max(by);
        if in_rows {
            // Doubled coordinates differ by up to 2^31: the products need 2^63.
            let cross =
                i128::from(bx - ax) * i128::from(y - ay) - i128::from(by - ay) * i128::from(x - ax);
            if cross == 0 && ax.min(bx) <= x && x <= ax.max(bx) {
                return Side::Boundary;
            }
            if (ay > y) != (by > y) && (cross > 0) == (by > ay) {
                inside = !inside;
            }
        }
    }
    if inside { Side::Inside } else { Side::Outside }
}

fn bounds(ring: &[GridPoint]) -> Rectangle<[f64; 2]> {
    let corners: Vec<[f64; 2]> = ring.iter().copied().map(position).collect();
    Rectangle::from_aabb(AABB::from_points(&corners))
}

fn position(p: GridPoint) -> [f64; 2] {
    [f64::from(p.x), f64::from(p.y)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn edges_by_row_are_those_that_decide(
            ring in prop::collection::vec((-40_i32..40, -300_i32..300), 3..120),
            height in 0..20_u32,
        ) {
            let place = |(x, y): (i32, i32)| GridPoint { x, y: (y << height) / 2 };
            let ring: Vec<GridPoint> = ring.into_iter().map(place).collect();
            let rows = Rows::of(&ring);
            prop_assert!(rows.edges.len() <= Rows::ENTRIES * ring.len());
            let corners = ring.iter().map(|p| (2 * i64::from(p.x), 2 * i64::from(p.y)));
            let beside = corners.clone().flat_map(|(x, y)| [(x - 1, y + 1), (x + 1, y - 1), (x, y)]);
            for point in beside.chain(corners.map(|(x, y)| (x / 3, y / 3))) {
                let few = rows.at(point.1).iter().map(|&edge| edge as usize);
                prop_assert_eq!(side(&ring, few, point), side(&ring, 0..ring.len(), point));
            }
        }
    }
}
