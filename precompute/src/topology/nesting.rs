//! Which ring lies in which: holes find their shells.

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
    let parent = |(i, ring): (usize, &Loop)| {
        tree.locate_all_at_point(ring.first().copied().map_or([0.0; 2], position))
            .map(|candidate| candidate.data)
            .filter(|&j| j != i && areas[j] >= areas[i] && contains(&rings[j], ring))
            .min_by_key(|&j| (areas[j], j))
    };
    rings.iter().enumerate().map(parent).collect()
}

/// Whether `inner` lies in `outer`, for rings that do not cross.
fn contains(outer: &[GridPoint], inner: &[GridPoint]) -> bool {
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
        .map(|doubled| side(outer, doubled))
        .find(|side| *side != Side::Boundary);
    decided == Some(Side::Inside)
}

/// On which side of a ring a point lies, its coordinates doubled.
fn side(ring: &[GridPoint], (x, y): (i64, i64)) -> Side {
    let Some(last) = ring.last() else {
        return Side::Outside;
    };
    let mut inside = false;
    let (mut ax, mut ay) = (2 * i64::from(last.x), 2 * i64::from(last.y));
    for p in ring {
        let (bx, by) = (2 * i64::from(p.x), 2 * i64::from(p.y));
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
        (ax, ay) = (bx, by);
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
