//! Which of some shapes holds a place.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use tilecore::geometry::{GridPoint, MultiPolygon, Polygon, crosses_east_of};

/// Shapes by where they are.
#[derive(Debug)]
pub struct Locator<'a> {
    shapes: &'a [MultiPolygon],
    index: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl<'a> Locator<'a> {
    #[must_use]
    pub fn new(shapes: &'a [MultiPolygon]) -> Self {
        let boxes = shapes.iter().enumerate().filter_map(|(i, shape)| {
            let [west, north, east, south] = bounds(shape)?.map(f64::from);
            let corners = Rectangle::from_corners([west, north], [east, south]);
            Some(GeomWithData::new(corners, i))
        });
        Self {
            shapes,
            index: RTree::bulk_load(boxes.collect()),
        }
    }

    /// Shapes whose bounds touch `[x_min, y_min, x_max, y_max]`, ascending.
    #[must_use]
    pub fn near(&self, bounds: [i32; 4]) -> Vec<usize> {
        let [west, north, east, south] = bounds.map(f64::from);
        let around = AABB::from_corners([west, north], [east, south]);
        let found = self.index.locate_in_envelope_intersecting(around);
        let mut found: Vec<usize> = found.map(|shape| shape.data).collect();
        found.sort_unstable();
        found
    }

    /// The first shape that holds a place; shapes that share a border share no place.
    #[must_use]
    pub fn holder(&self, place: GridPoint) -> Option<usize> {
        let GridPoint { x, y } = place;
        let candidates = self.near([x, y, x, y]).into_iter();
        candidates
            .into_iter()
            .find(|&i| holds(&self.shapes[i], place))
    }
}

/// By the even-odd rule.
fn holds(shape: &MultiPolygon, place: GridPoint) -> bool {
    let mut inside = false;
    for ring in shape.iter().flat_map(Polygon::rings) {
        let Some(last) = ring.last() else { continue };
        let mut from = last.point();
        for to in ring.iter().map(|vertex| vertex.point()) {
            inside ^= crosses_east_of(place, from, to);
            from = to;
        }
    }
    inside
}

/// `[x_min, y_min, x_max, y_max]`; none of a shape without a vertex.
#[must_use]
pub fn bounds(shape: &MultiPolygon) -> Option<[i32; 4]> {
    let vertices = || shape.iter().flat_map(|polygon| &polygon.exterior);
    Some([
        vertices().map(|v| v.x).min()?,
        vertices().map(|v| v.y).min()?,
        vertices().map(|v| v.x).max()?,
        vertices().map(|v| v.y).max()?,
    ])
}
