//! Counts of a tile's cells, and their encoding as points or polygons.

use mvt::{Error, GeomData, GeomEncoder, GeomType, Layer, Tile};

use super::cells::{CELL_BITS, Cell};
use super::hex::{HexCount, Hexes, OUTLINE};
use super::kernel::Smoothed;
use super::rank::RankedBitmap;
use crate::tile::EXTENT;

/// Fewest of a denominator for which a rate is told: below, one contact more or less decides.
pub const DENOMINATOR_MIN: f64 = 50.0;

/// Digits of what is estimated: fewer values make smaller tiles.
const RATE_DIGITS: f64 = 6.0;
const DENSITY_DIGITS: f64 = 4.0;

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

/// Features of one kind: places, in tile units, and what stands around each.
struct Group {
    places: Vec<(i32, i32)>,
    tags: Vec<(&'static str, Figure)>,
}

#[derive(Clone, Copy)]
enum Figure {
    Count(u32),
    Number(f64),
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
    encode(
        &[(name.to_owned(), groups(counts))],
        &outline(shape, CELL_BITS),
    )
}

/// As [`encode_cells`], one feature a cell, with `denominator`: what it counts in the cell, and
/// `per_1000`: contacts per 1,000 of it, where it is [`DENOMINATOR_MIN`] or more.
///
/// # Errors
/// As [`encode_cells`].
pub fn encode_rates(
    name: &str,
    counts: &[CellCount],
    denominator: impl Fn(&CellCount) -> f64,
    shape: CellShape,
) -> Result<Vec<u8>, Error> {
    let group = |cell: &CellCount| {
        let mut tags = figures(cell.count, cell.of);
        let base = denominator(cell);
        tags.push(("denominator", Figure::Number(rounded(base, RATE_DIGITS))));
        if base >= DENOMINATOR_MIN {
            let rate = 1000.0 * f64::from(cell.count) / base;
            tags.push(("per_1000", Figure::Number(rounded(rate, RATE_DIGITS))));
        }
        Group {
            places: vec![centre(cell.x.into(), cell.y.into(), CELL_BITS)],
            tags,
        }
    };
    let groups = counts.iter().map(group).collect();
    encode(&[(name.to_owned(), groups)], &outline(shape, CELL_BITS))
}

/// A layer `name` of the hexagons whose centre lies in the tile, and a layer `name`-`beside` of
/// those of other tiles that reach into it, with figures as in [`encode_cells`].
///
/// # Errors
/// As [`encode_cells`].
pub fn encode_hexes(name: &str, hexes: &Hexes) -> Result<Vec<u8>, Error> {
    let groups = |hexes: &[HexCount]| {
        let mut hexes = hexes.to_vec();
        hexes.sort_by_key(|hex| (hex.count, hex.of, hex.y, hex.x));
        let equal = hexes.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of));
        let group = |group: &[HexCount]| Group {
            places: group.iter().map(|hex| (hex.x, hex.y)).collect(),
            tags: figures(group[0].count, group[0].of),
        };
        equal.map(group).collect::<Vec<_>>()
    };
    let layers = [
        (name.to_owned(), groups(&hexes.own)),
        (format!("{name}-beside"), groups(&hexes.beside)),
    ];
    encode(&layers, &OUTLINE)
}

/// A layer `name` of smoothed cells with `density`: contacts per km².
///
/// # Errors
/// As [`encode_cells`].
pub fn encode_smoothed(
    name: &str,
    smoothed: &Smoothed,
    shape: CellShape,
) -> Result<Vec<u8>, Error> {
    let mut cells: Vec<(f64, (i32, i32))> = smoothed
        .cells
        .iter()
        .map(|cell| {
            let place = centre(cell.x, cell.y, smoothed.bits);
            (rounded(cell.density, DENSITY_DIGITS), place)
        })
        .collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let equal = cells.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
    let group = |group: &[(f64, (i32, i32))]| Group {
        places: group.iter().map(|(_, place)| *place).collect(),
        tags: vec![("density", Figure::Number(group[0].0))],
    };
    let groups = equal.map(group).collect();
    encode(&[(name.to_owned(), groups)], &outline(shape, smoothed.bits))
}

fn groups(mut counts: Vec<CellCount>) -> Vec<Group> {
    counts.sort_by_key(|cell| (cell.count, cell.of, cell.y, cell.x));
    let equal = counts.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of));
    let place = |cell: &CellCount| centre(cell.x.into(), cell.y.into(), CELL_BITS);
    let group = |group: &[CellCount]| Group {
        places: group.iter().map(place).collect(),
        tags: figures(group[0].count, group[0].of),
    };
    equal.map(group).collect()
}

fn figures(count: u32, of: u32) -> Vec<(&'static str, Figure)> {
    let mut figures = vec![("count", Figure::Count(count))];
    if of > 0 {
        let share = f64::from(count) / f64::from(of);
        figures.push(("share", Figure::Number(share)));
    }
    figures
}

/// `outline` is around the place, clockwise as seen: an outer ring; of points, empty.
fn encode(layers: &[(String, Vec<Group>)], outline: &[(i32, i32)]) -> Result<Vec<u8>, Error> {
    let mut tile = Tile::new(EXTENT.cast_unsigned());
    for (name, groups) in layers {
        let layer = add_groups(tile.create_layer(name), groups, outline)?;
        if layer.num_features() > 0 {
            tile.add_layer(layer)?;
        }
    }
    tile.to_bytes()
}

fn add_groups(mut layer: Layer, groups: &[Group], outline: &[(i32, i32)]) -> Result<Layer, Error> {
    for group in groups {
        let mut feature = layer.into_feature(geometry(&group.places, outline)?);
        for (name, figure) in &group.tags {
            match figure {
                Figure::Count(count) => feature.add_tag_uint(name, u64::from(*count)),
                Figure::Number(number) => feature.add_tag_double(name, *number),
            }
        }
        layer = feature.into_layer();
    }
    Ok(layer)
}

fn geometry(places: &[(i32, i32)], outline: &[(i32, i32)]) -> Result<GeomData, Error> {
    if outline.is_empty() {
        let mut points = GeomEncoder::<f64>::new(GeomType::Point);
        for (x, y) in places {
            points.add_point(f64::from(*x), f64::from(*y))?;
        }
        return points.encode();
    }
    let mut polygons = GeomEncoder::<f64>::new(GeomType::Polygon);
    for (x, y) in places {
        for (dx, dy) in outline {
            polygons.add_point(f64::from(x + dx), f64::from(y + dy))?;
        }
        polygons.complete_geom()?;
    }
    polygons.encode()
}

/// Of cells of which `2^bits` lie along a tile's edge.
fn outline(shape: CellShape, bits: u32) -> Vec<(i32, i32)> {
    let half = EXTENT >> bits >> 1;
    match shape {
        CellShape::Point => Vec::new(),
        CellShape::Square => vec![(-half, -half), (half, -half), (half, half), (-half, half)],
    }
}

fn centre(x: u16, y: u16, bits: u32) -> (i32, i32) {
    let edge = EXTENT >> bits;
    let at = |cell: u16| i32::from(cell) * edge + edge / 2;
    (at(x), at(y))
}

fn rounded(value: f64, digits: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(digits - 1.0 - value.abs().log10().floor());
    (value * scale).round() / scale
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
        for shape in [CellShape::Point, CellShape::Square] {
            let cells = groups(vec![cell(9, 2), cell(3, 4), cell(5, 2)]);
            let layer = Tile::new(4096).create_layer("d");
            let layer = add_groups(layer, &cells, &outline(shape, CELL_BITS)).expect("valid");
            assert_eq!(layer.num_features(), 2);
        }
    }

    #[test]
    fn numbers_are_told_to_four_digits() {
        let told =
            [0.0, 1.0, 1234.56, 0.000_123_456, 99_999.0].map(|v| rounded(v, 4.0).to_string());
        assert_eq!(told, ["0", "1", "1235", "0.0001235", "100000"]);
    }
}
