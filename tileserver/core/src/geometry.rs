//! Geometry on the world grid: 2³⁰ × 2³⁰ integer cells over the Web Mercator square.
//!
//! One cell is 3.7 cm at the equator. A tile's own grid (4096 cells at zoom z) is the world grid
//! shifted right by `30 − 12 − z` bits, so neighbours quantise shared vertices alike and nothing
//! after the snap needs floating point.

/// Bits of the world grid: coordinates lie in `0..=1 << WORLD_BITS`.
pub const WORLD_BITS: u32 = 30;

/// Cells along one edge of the world.
pub const WORLD_CELLS: i32 = 1 << WORLD_BITS;

/// Steps of [`Vertex::m`] in one zoom level.
pub const M_PER_ZOOM: u16 = 16;

/// The largest [`Vertex::m`]: such a vertex appears at no zoom below 24.
pub const M_MAX: u16 = 24 * M_PER_ZOOM;

/// A place on the world grid: x eastwards, y southwards, north-west is (0, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GridPoint {
    pub x: i32,
    pub y: i32,
}

/// A ring's vertex and the zoom from which it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vertex {
    pub x: i32,
    pub y: i32,
    /// Sixteenths of a zoom level: a tile at zoom z keeps the vertex when `m <= z * M_PER_ZOOM`.
    pub m: u16,
}

impl Vertex {
    /// The vertex without its weight.
    #[must_use]
    pub fn point(self) -> GridPoint {
        GridPoint {
            x: self.x,
            y: self.y,
        }
    }
}

/// A closed ring whose first vertex is not repeated at the end; at least three vertices.
pub type Ring = Vec<Vertex>;

/// An exterior ring and its holes.
///
/// On the grid (y southwards) the exterior has positive area by the shoelace formula, holes
/// negative: the winding of MVT 2.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Polygon {
    pub exterior: Ring,
    pub holes: Vec<Ring>,
}

impl Polygon {
    /// All rings, the exterior first.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        std::iter::once(&self.exterior).chain(&self.holes)
    }
}

/// The geometry of one unit.
pub type MultiPolygon = Vec<Polygon>;

/// Twice the signed area of a ring in cells² (shoelace); positive is clockwise on screen.
#[must_use]
pub fn double_area(ring: &[Vertex]) -> i128 {
    let mut previous = match ring.last() {
        Some(v) => *v,
        None => return 0,
    };
    let mut sum = 0_i128;
    for v in ring {
        sum += i128::from(previous.x) * i128::from(v.y) - i128::from(v.x) * i128::from(previous.y);
        previous = *v;
    }
    sum
}

/// Whether the segment a–b crosses the ray from `p` to the east; its lower end counts, its upper
/// one does not, so that a ray through a vertex counts once.
#[must_use]
pub fn crosses_east_of(p: GridPoint, a: GridPoint, b: GridPoint) -> bool {
    if (a.y > p.y) == (b.y > p.y) {
        return false;
    }
    // Differences are at most 2^30, so products stay within i64.
    let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(i64::from);
    let [px, py] = [p.x, p.y].map(i64::from);
    let left = (px - ax) * (by - ay);
    let right = (bx - ax) * (py - ay);
    if b.y > a.y {
        left < right
    } else {
        left > right
    }
}

/// The bounds of points, `[x_min, y_min, x_max, y_max]`; none where there is no point.
#[must_use]
pub fn bounds(points: impl IntoIterator<Item = GridPoint>) -> Option<[i32; 4]> {
    let boxes = points.into_iter().map(|p| [p.x, p.y, p.x, p.y]);
    boxes.reduce(|a, b| {
        [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ]
    })
}
