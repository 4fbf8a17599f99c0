//! Counts of a tile's cells, and their encoding as points.

use mvt::{Error, GeomData, GeomEncoder, GeomType, Layer, Tile};

use super::cells::{CELLS_PER_EDGE, Cell};
use super::rank::RankedBitmap;
use crate::tile::EXTENT;

/// Tile units along one edge of a cell.
const CELL_EXTENT: i32 = EXTENT / CELLS_PER_EDGE.cast_signed();

/// A cell with its contacts counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellCount {
    /// Column and row in the tile.
    pub x: u8,
    pub y: u8,
    /// Contacts in the cell that pass the filter; at least 1.
    pub count: u32,
    /// Contacts in the cell; 0 where that is not told.
    pub of: u32,
}

/// The cells in which any contact passes, and how many of `all` they hold.
#[must_use]
pub fn count_cells(cells: &[Cell], passing: &RankedBitmap, all: &RankedBitmap) -> Vec<CellCount> {
    let in_cell = |set: &RankedBitmap, cell: &Cell| set.rank(cell.end) - set.rank(cell.start);
    cells
        .iter()
        .filter_map(|cell| {
            let count = in_cell(passing, cell);
            (count > 0).then(|| CellCount {
                x: cell.x,
                y: cell.y,
                count,
                of: in_cell(all, cell),
            })
        })
        .collect()
}

/// How a cell is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellShape {
    /// At its centre.
    Point,
    Square,
}

/// A layer `name` of the cells of `counts`, one feature for all that share their figures, with
///
/// - `count`: contacts that pass,
/// - `share`: `count` over the cell's contacts, between 0 and 1.
///
/// # Errors
/// None is known: the encoder's, should it refuse a point inside the tile.
pub fn encode_cells(
    name: &str,
    counts: Vec<CellCount>,
    shape: CellShape,
) -> Result<Vec<u8>, Error> {
    let mut tile = Tile::new(EXTENT.cast_unsigned());
    let layer = add_cells(tile.create_layer(name), counts, shape)?;
    tile.add_layer(layer)?;
    tile.to_bytes()
}

fn add_cells(
    mut layer: Layer,
    mut counts: Vec<CellCount>,
    shape: CellShape,
) -> Result<Layer, Error> {
    counts.sort_by_key(|cell| (cell.count, cell.of, cell.y, cell.x));
    for group in counts.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of)) {
        layer = add_group(layer, group, shape)?;
    }
    Ok(layer)
}

fn add_group(layer: Layer, group: &[CellCount], shape: CellShape) -> Result<Layer, Error> {
    let geometry = match shape {
        CellShape::Point => points(group)?,
        CellShape::Square => squares(group)?,
    };
    let mut feature = layer.into_feature(geometry);
    let CellCount { count, of, .. } = group[0];
    feature.add_tag_uint("count", u64::from(count));
    if of > 0 {
        feature.add_tag_double("share", f64::from(count) / f64::from(of));
    }
    Ok(feature.into_layer())
}

fn points(group: &[CellCount]) -> Result<GeomData, Error> {
    let mut points = GeomEncoder::<f64>::new(GeomType::Point);
    for cell in group {
        points.add_point(centre(cell.x), centre(cell.y))?;
    }
    points.encode()
}

/// Clockwise as seen, y southwards: outer rings.
fn squares(group: &[CellCount]) -> Result<GeomData, Error> {
    let mut squares = GeomEncoder::<f64>::new(GeomType::Polygon);
    for cell in group {
        let (x, y) = (edge(cell.x), edge(cell.y));
        let far = f64::from(CELL_EXTENT);
        for (dx, dy) in [(0.0, 0.0), (far, 0.0), (far, far), (0.0, far)] {
            squares.add_point(x + dx, y + dy)?;
        }
        squares.complete_geom()?;
    }
    squares.encode()
}

fn edge(cell: u8) -> f64 {
    f64::from(i32::from(cell) * CELL_EXTENT)
}

fn centre(cell: u8) -> f64 {
    f64::from(i32::from(cell) * CELL_EXTENT + CELL_EXTENT / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Bitmap;

    #[test]
    fn counts_are_differences_of_ranks() {
        let cells = [
            Cell {
                x: 1,
                y: 2,
                start: 0,
                end: 3,
            },
            Cell {
                x: 2,
                y: 2,
                start: 3,
                end: 4,
            },
        ];
        let mut passing = Bitmap::empty(4);
        passing.insert(0);
        passing.insert(2);
        let all = RankedBitmap::new(Bitmap::full(4));
        let counts = count_cells(&cells, &RankedBitmap::new(passing), &all);
        assert_eq!(
            counts,
            [CellCount {
                x: 1,
                y: 2,
                count: 2,
                of: 3
            }]
        );
        assert_eq!(count_cells(&cells, &all, &all).len(), 2);
    }

    #[test]
    fn cells_with_equal_figures_share_a_feature() {
        let cell = |x, count| CellCount {
            x,
            y: 0,
            count,
            of: 4,
        };
        let layer = Tile::new(4096).create_layer("d");
        let cells = || vec![cell(9, 2), cell(3, 4), cell(5, 2)];
        let layer = add_cells(layer, cells(), CellShape::Point).expect("valid");
        assert_eq!(layer.num_features(), 2);
        let layer = Tile::new(4096).create_layer("d");
        let layer = add_cells(layer, cells(), CellShape::Square).expect("valid");
        assert_eq!(layer.num_features(), 2);
    }
}
