//! Counts of a tile's cells, and their encoding as points.

use mvt::{Error, GeomEncoder, GeomType, Layer, Tile};

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
    /// Contacts in the cell.
    pub of: u32,
}

/// The cells in which any contact passes `filter`; all of them without one.
#[must_use]
pub fn count_cells(cells: &[Cell], filter: Option<&RankedBitmap>) -> Vec<CellCount> {
    cells
        .iter()
        .filter_map(|cell| {
            let of = cell.end - cell.start;
            let count = filter.map_or(of, |passing| {
                passing.rank(cell.end) - passing.rank(cell.start)
            });
            (count > 0).then_some(CellCount {
                x: cell.x,
                y: cell.y,
                count,
                of,
            })
        })
        .collect()
}

/// A layer `name` of points at the centres of `counts`, one feature for all cells that share their
/// figures, with
///
/// - `count`: contacts that pass,
/// - `share`: `count` over the cell's contacts, between 0 and 1.
///
/// # Errors
/// None is known: the encoder's, should it refuse a point inside the tile.
pub fn encode_points(name: &str, counts: Vec<CellCount>) -> Result<Vec<u8>, Error> {
    let mut tile = Tile::new(EXTENT.cast_unsigned());
    let layer = add_cells(tile.create_layer(name), counts)?;
    tile.add_layer(layer)?;
    tile.to_bytes()
}

fn add_cells(mut layer: Layer, mut counts: Vec<CellCount>) -> Result<Layer, Error> {
    counts.sort_by_key(|cell| (cell.count, cell.of, cell.y, cell.x));
    for group in counts.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of)) {
        layer = add_group(layer, group)?;
    }
    Ok(layer)
}

fn add_group(layer: Layer, group: &[CellCount]) -> Result<Layer, Error> {
    let mut points = GeomEncoder::<f64>::new(GeomType::Point);
    for cell in group {
        points.add_point(centre(cell.x), centre(cell.y))?;
    }
    let mut feature = layer.into_feature(points.encode()?);
    let CellCount { count, of, .. } = group[0];
    feature.add_tag_uint("count", u64::from(count));
    feature.add_tag_double("share", f64::from(count) / f64::from(of));
    Ok(feature.into_layer())
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
        let counts = count_cells(&cells, Some(&RankedBitmap::new(passing)));
        assert_eq!(
            counts,
            [CellCount {
                x: 1,
                y: 2,
                count: 2,
                of: 3
            }]
        );
        assert_eq!(count_cells(&cells, None).len(), 2);
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
        let layer = add_cells(layer, vec![cell(9, 2), cell(3, 4), cell(5, 2)]).expect("valid");
        assert_eq!(layer.num_features(), 2);
    }
}
