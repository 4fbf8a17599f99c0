//! A release: noisy counts, published once, from which alone the public is answered.
//!
//! ```text
//! cell (public addresses)      × combination of classes ─▸ noisy count
//! answer = Σ over cells and combinations ─▸ at least 0 ─▸ hidden below 11
//! ```
//! The file is an Arrow IPC file of one record batch: `key` (`UInt64`, the first Morton key of each
//! cell, in the order of their centres), `zoom` (`UInt8`) and, per cube and combination of classes, the noisy counts
//! `<cube>:<combination>` (`Int32`). Nothing here can name a contact.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, UInt8Array, UInt64Array};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::ArrowError;
use bytes::Bytes;

use super::columns::Column;
use super::schema;
use super::table::{TableError, read_batch};
use super::write_arrow::write_batch;
use crate::density::cells::CELL_BITS;
use crate::density::dimension::{Dimension, DimensionError};
use crate::density::morton::{KEY_END, point_of, range_of_cell};
use crate::density::tile::CellCount;
use crate::filter::{Filter, Queryable, Queryables, Table};
use crate::geometry::{GridPoint, WORLD_BITS};
use crate::tile::TileCoord;

/// The deepest zoom of a cell, about 212 m wide at 46 to 49 degrees north.
pub const CELL_ZOOM_MAX: u8 = 17;

/// Fewest addresses in a cell, and fewest contacts in an answer.
pub const COUNT_MIN: u32 = 11;

/// Most classes of a dimension, that of those without one left out.
pub const CLASSES_MAX: usize = 6;

/// Most dimensions crossed in a cube.
pub const CROSSED_MAX: usize = 2;

/// A published release.
#[derive(Debug, Clone)]
pub struct Release {
    /// In the order of their centres' keys, which ascend.
    centres: Vec<u64>,
    cubes: Vec<Cube>,
}

/// A cell of a release: a quadkey, without the deeper cells in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReleaseCell {
    pub key: u64,
    pub zoom: u8,
}

/// Counts over the combinations of some dimensions' classes.
#[derive(Debug, Clone)]
struct Cube {
    combinations: Combinations,
    /// By combination, then by cell.
    counts: Vec<ScalarBuffer<i32>>,
}

/// The combinations of a cube as a table, so that a filter over the classes selects among them.
#[derive(Debug, Clone)]
struct Combinations {
    rows: usize,
    dimensions: Vec<Dimension>,
}

/// Why a release is refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum ReleaseError {
    #[error("column {0:?} is missing, of another type or has missing values")]
    Column(String),
    #[error("its cells are not quadkeys in ascending order")]
    Cells,
    #[error("a cube has more dimensions or classes than a release may have, or there is no cube")]
    Cubes,
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Dimension(#[from] DimensionError),
}

/// How many combinations the classes of a cube have; each dimension has one class more, of those
/// in no other.
#[must_use]
pub fn combinations_of(dimensions: &[schema::Dimension]) -> usize {
    let classes = dimensions
        .iter()
        .map(|dimension| dimension.classes.len() + 1);
    classes.product()
}

/// Writes the cells and, per cube and combination, their noisy counts.
///
/// # Errors
/// When columns differ in length, or a write fails.
pub fn write(
    cells: &[ReleaseCell],
    cubes: &[Vec<Vec<i32>>],
    out: impl Write,
) -> Result<(), ArrowError> {
    let keys: UInt64Array = cells.iter().map(|cell| cell.key).collect();
    let zooms: UInt8Array = cells.iter().map(|cell| cell.zoom).collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("key".to_owned(), Arc::new(keys)),
        ("zoom".to_owned(), Arc::new(zooms)),
    ];
    for (cube, combinations) in cubes.iter().enumerate() {
        for (combination, counts) in combinations.iter().enumerate() {
            let counts = Int32Array::from(counts.clone());
            columns.push((column_name(cube, combination), Arc::new(counts)));
        }
    }
    write_batch(&RecordBatch::try_from_iter(columns)?, out)
}

impl Release {
    /// A view over a mapped file.
    ///
    /// # Errors
    /// When the bytes are not what [`write()`] wrote for `meta`.
    pub fn open(meta: &schema::Release, file: Bytes) -> Result<Self, ReleaseError> {
        let batch = read_batch(file, meta.cells)?;
        let keys = column::<UInt64Array>(&batch, "key")?.values();
        let zooms = column::<UInt8Array>(&batch, "zoom")?.values();
        let cells: Vec<ReleaseCell> = keys
            .iter()
            .zip(zooms)
            .map(|(&key, &zoom)| ReleaseCell { key, zoom })
            .collect();
        let centres = centres_of(&cells)?;
        let cubes: Vec<Cube> = meta
            .cubes
            .iter()
            .enumerate()
            .map(|(number, cube)| Cube::open(number, cube, &batch))
            .collect::<Result<_, _>>()?;
        if cubes.is_empty() {
            return Err(ReleaseError::Cubes);
        }
        Ok(Self { centres, cubes })
    }

    /// What a filter over the release may name.
    #[must_use]
    pub fn queryables(meta: &schema::Release) -> Queryables {
        let mut properties: Vec<Queryable> = Vec::new();
        for dimension in meta.cubes.iter().flat_map(|cube| &cube.dimensions) {
            if !properties.iter().any(|known| known.name == dimension.name) {
                properties.push(Queryable {
                    values: Some(dimension.classes.clone()),
                    ..Queryable::new(&dimension.name, schema::Kind::Text)
                });
            }
        }
        Queryables::new(properties, false)
    }

    /// Per cell the sum of its noisy counts of the combinations that pass; `None` when no cube
    /// crosses all dimensions that the filter names.
    #[must_use]
    pub fn sums(&self, filter: &Filter) -> Option<Vec<i64>> {
        let fits = |cube: &&Cube| filter.compile(&cube.combinations).is_ok();
        let cube = self.cubes.iter().find(fits)?;
        let passing = filter.compile(&cube.combinations).ok()?.evaluate();
        let mut sums = vec![0_i64; self.centres.len()];
        for combination in passing.iter() {
            for (sum, count) in sums.iter_mut().zip(cube.counts[combination].iter()) {
                *sum += i64::from(*count);
            }
        }
        Some(sums)
    }

    /// The cells of a tile with what may be told of them, `sums` being those of [`Self::sums`].
    ///
    /// A cell finer than the tile's grid is added to the grid cell that holds it; a coarser one is
    /// told once, at its centre. No answer is finer than the release.
    #[must_use]
    pub fn cells_of_tile(&self, sums: &[i64], tile: TileCoord) -> Vec<CellCount> {
        let whole = range_of_cell(u32::from(tile.z()), tile.x(), tile.y());
        let start = self.centres.partition_point(|centre| *centre < whole.start);
        let end = self.centres.partition_point(|centre| *centre < whole.end);
        let mut at: Vec<(u8, u8, i64)> = (start..end)
            .filter_map(|i| {
                let (x, y) = place_in(self.centres[i], tile)?;
                Some((y, x, *sums.get(i)?))
            })
            .collect();
        at.sort_unstable_by_key(|(y, x, _)| (*y, *x));
        at.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .filter_map(|group| {
                let count = told(group.iter().map(|(.., sum)| sum).sum())?;
                let (y, x, _) = group[0];
                Some(CellCount { x, y, count, of: 0 })
            })
            .collect()
    }

    /// The least and the greatest count told at a tile zoom.
    #[must_use]
    pub fn range(&self, sums: &[i64], z: u8) -> Option<[u32; 2]> {
        let shift = 2 * (WORLD_BITS - CELL_BITS - u32::from(z));
        let cells = self.centres.iter().zip(sums);
        let at: Vec<(u64, i64)> = cells.map(|(centre, sum)| (centre >> shift, *sum)).collect();
        let groups = at.chunk_by(|a, b| a.0 == b.0);
        let told = groups.filter_map(|group| told(group.iter().map(|(_, sum)| sum).sum()));
        told.fold(None, |range, count| {
            let [least, most] = range.unwrap_or([count, count]);
            Some([least.min(count), most.max(count)])
        })
    }

    /// The sum over the whole release, as it may be told.
    #[must_use]
    pub fn total(sums: &[i64]) -> Option<u32> {
        told(sums.iter().sum())
    }
}

/// A sum as the public may know it: `None` hides it.
#[must_use]
pub fn told(sum: i64) -> Option<u32> {
    u32::try_from(sum.max(0))
        .ok()
        .filter(|count| *count >= COUNT_MIN)
}

/// The cell of a tile's grid in which a centre lies.
fn place_in(centre: u64, tile: TileCoord) -> Option<(u8, u8)> {
    let GridPoint { x, y } = point_of(centre);
    let (x0, y0) = tile.origin();
    let grid = WORLD_BITS - u32::from(tile.z()) - CELL_BITS;
    let place = |from: i32, origin: i32| u8::try_from((from - origin) >> grid).ok();
    Some((place(x, x0)?, place(y, y0)?))
}

/// The Morton key of a cell's centre.
#[must_use]
pub fn centre_key(cell: ReleaseCell) -> u64 {
    // Half a cell east and half a cell south: three quarters of its keys on.
    cell.key + 3 * (size_of_cell(cell.zoom) / 4)
}

/// Keys in a cell of a zoom.
fn size_of_cell(zoom: u8) -> u64 {
    1 << (2 * (WORLD_BITS - u32::from(zoom)))
}

impl Cube {
    fn open(number: usize, meta: &schema::Cube, batch: &RecordBatch) -> Result<Self, ReleaseError> {
        let too_many = |dimension: &schema::Dimension| dimension.classes.len() > CLASSES_MAX;
        if meta.dimensions.len() > CROSSED_MAX || meta.dimensions.iter().any(too_many) {
            return Err(ReleaseError::Cubes);
        }
        let rows = combinations_of(&meta.dimensions);
        let counts = (0..rows)
            .map(|combination| {
                let name = column_name(number, combination);
                Ok(column::<Int32Array>(batch, &name)?.values().clone())
            })
            .collect::<Result<_, ReleaseError>>()?;
        Ok(Self {
            combinations: Combinations::of(&meta.dimensions)?,
            counts,
        })
    }
}

impl Combinations {
    fn of(dimensions: &[schema::Dimension]) -> Result<Self, ReleaseError> {
        let rows = combinations_of(dimensions);
        let mut step = rows;
        let mut opened = Vec::new();
        for dimension in dimensions {
            let classes = dimension.classes.len();
            step /= classes + 1;
            let codes: Vec<u8> = (0..rows)
                .map(|row| u8::try_from(row / step % (classes + 1)).unwrap_or(0))
                .collect();
            let planes = Dimension::encode(&codes, classes).into_iter();
            let names = dimension.classes.iter().map(|class| class.as_str().into());
            let name = dimension.name.clone();
            let planes = planes.map(Buffer::from).collect();
            opened.push(Dimension::new(name, names.collect(), planes, rows)?);
        }
        Ok(Self {
            rows,
            dimensions: opened,
        })
    }
}

impl Table for Combinations {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, _name: &str) -> Option<&Column> {
        None
    }

    fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.name == name)
    }
}

/// The combination of codes of a cube's dimensions, in their order; code 0 is no class.
#[must_use]
pub fn combination(dimensions: &[schema::Dimension], codes: impl Iterator<Item = usize>) -> usize {
    let sizes = dimensions
        .iter()
        .map(|dimension| dimension.classes.len() + 1);
    sizes
        .zip(codes)
        .fold(0, |row, (size, code)| row * size + code.min(size - 1))
}

/// Keys of the cells' centres, which must ascend.
fn centres_of(cells: &[ReleaseCell]) -> Result<Vec<u64>, ReleaseError> {
    let is_quadkey = |cell: &ReleaseCell| {
        cell.zoom <= CELL_ZOOM_MAX
            && cell.key < KEY_END
            && cell.key.is_multiple_of(size_of_cell(cell.zoom))
    };
    if !cells.iter().all(is_quadkey) {
        return Err(ReleaseError::Cells);
    }
    let centres: Vec<u64> = cells.iter().map(|cell| centre_key(*cell)).collect();
    if !centres.is_sorted_by(|a, b| a < b) {
        return Err(ReleaseError::Cells);
    }
    Ok(centres)
}

fn column<'a, A: Array + 'static>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a A, ReleaseError> {
    let array = batch.column_by_name(name);
    let array = array.and_then(|array| array.as_any().downcast_ref::<A>());
    let array = array.filter(|array| array.null_count() == 0);
    array.ok_or_else(|| ReleaseError::Column(name.to_owned()))
}

fn column_name(cube: usize, combination: usize) -> String {
    format!("{cube}:{combination}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::ZOOM_MAX;

    fn dimension(name: &str, classes: &[&str]) -> schema::Dimension {
        schema::Dimension {
            name: name.into(),
            classes: classes.iter().map(ToString::to_string).collect(),
        }
    }

    fn meta(cells: u64) -> schema::Release {
        schema::Release {
            title: schema::Localized::new(),
            name: "supporters".into(),
            id: "r1".into(),
            epsilon: 0.5,
            cells,
            cubes: vec![schema::Cube {
                dimensions: vec![
                    dimension("age", &["old", "young"]),
                    dimension("support", &["no", "yes"]),
                ],
            }],
            bounds: [0.0; 4],
            arrow: "releases/supporters.arrow".into(),
        }
    }

    fn cell(zoom: u8, x: u32, y: u32) -> ReleaseCell {
        ReleaseCell {
            key: range_of_cell(u32::from(zoom), x, y).start,
            zoom,
        }
    }

    /// Count of cell `i` and combination `c` is `100 i + c`.
    fn release() -> Release {
        let cells = [
            cell(17, 66_000, 45_000),
            cell(17, 66_001, 45_000),
            cell(15, 20_000, 30_000),
        ];
        let counts = (0..9)
            .map(|c| (0..3).map(|i| 100 * i + c).collect())
            .collect();
        let mut bytes = Vec::new();
        let mut cells = cells.to_vec();
        cells.sort_unstable_by_key(|cell| centre_key(*cell));
        write(&cells, &[counts], &mut bytes).expect("equal lengths");
        Release::open(&meta(3), bytes.into()).expect("just written")
    }

    #[test]
    fn a_filter_sums_the_combinations_that_pass() {
        let release = release();
        let sums = |text: &str| {
            let queryables = Release::queryables(&meta(3));
            let filter = Filter::parse_text(text, &queryables).expect("valid");
            release.sums(&filter).expect("one cube has all")
        };
        // age × support, row major, code 0 first: old = 3..6, yes = 2, 5, 8.
        assert_eq!(sums("age = 'old'"), [12, 312, 612]);
        assert_eq!(sums("support = 'yes'"), [15, 315, 615]);
        assert_eq!(sums("age = 'old' AND support = 'yes'"), [5, 105, 205]);
        assert_eq!(sums("age IS NULL"), [3, 303, 603]);
        assert_eq!(
            release.sums(&Filter::everything()),
            Some(vec![36, 936, 1836])
        );
        let codes = [1, 2].into_iter();
        assert_eq!(combination(&meta(3).cubes[0].dimensions, codes), 5);
    }

    #[test]
    fn every_zoom_tells_the_same_cells_none_finer() {
        let release = release();
        let sums = release
            .sums(&Filter::everything())
            .expect("one cube has all");
        for z in 0..=ZOOM_MAX {
            let mut total = 0;
            let mut tiles: Vec<TileCoord> = Vec::new();
            for centre in &release.centres {
                let GridPoint { x, y } = point_of(*centre);
                let at = |v: i32| v.cast_unsigned() >> (WORLD_BITS - u32::from(z));
                tiles.push(TileCoord::new(z, at(x), at(y)).expect("inside"));
            }
            tiles.sort_unstable();
            tiles.dedup();
            for tile in tiles {
                total += release
                    .cells_of_tile(&sums, tile)
                    .iter()
                    .map(|c| c.count)
                    .sum::<u32>();
            }
            assert_eq!(total, 36 + 936 + 1836, "zoom {z}");
        }
    }

    #[test]
    fn few_are_hidden_and_noise_below_zero_is_none() {
        assert_eq!(told(10), None);
        assert_eq!(told(-40), None);
        assert_eq!(told(11), Some(11));
    }

    #[test]
    fn damaged_files_are_refused() {
        let mut bytes = Vec::new();
        let cells = [cell(17, 3, 3), cell(17, 3, 3)];
        let counts: Vec<Vec<i32>> = vec![vec![1, 2]; 9];
        write(&cells, &[counts], &mut bytes).expect("equal lengths");
        assert!(matches!(
            Release::open(&meta(2), bytes.clone().into()),
            Err(ReleaseError::Cells)
        ));
        let whole = Bytes::from(bytes);
        for end in 0..whole.len() {
            assert!(
                Release::open(&meta(2), whole.slice(..end)).is_err(),
                "{end} bytes"
            );
        }
    }
}
