//! Counts of a tile's cells, and their encoding as points or polygons.

use super::cells::{CELL_BITS, Cell};
use super::encode::{Layer, Tags};
use super::hex::{Hexes, OUTLINE};
use super::kernel::Smoothed;
use super::rank::RankedBitmap;
use crate::hinted::Hinted;
use crate::processor::{BitWork, by_bits};
use crate::quantize::Cell as Place;
use crate::radix::sort_by_bits;
use crate::tile::EXTENT;

/// Fewest of a denominator for which a rate is told: below, one contact more or less decides.
pub const DENOMINATOR_MIN: f64 = 50.0;

/// Digits of what is estimated: fewer values make smaller tiles.
const RATE_DIGITS: f64 = 6.0;
const DENSITY_DIGITS: f64 = 4.0;

/// A cell with its contacts counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CellCount {
    /// Column and row in the tile.
    pub x: u8,
    pub y: u8,
    /// Contacts in the cell that pass the filter; at least 1.
    pub count: u32,
    /// Contacts in the cell; 0 where that is not told.
    pub of: u32,
}

/// The cells in which any contact passes, and how many of `all` they hold. `cells` ascend.
#[must_use]
pub fn count_cells(cells: &[Cell], passing: &RankedBitmap, all: &RankedBitmap) -> Vec<CellCount> {
    by_bits(Counting {
        cells,
        passing: Counter::over(passing),
        all: Counter::over(all),
    })
}

struct Counting<'a> {
    cells: &'a [Cell],
    passing: Counter<'a>,
    all: Counter<'a>,
}

impl BitWork for Counting<'_> {
    type Done = Vec<CellCount>;

    #[inline(always)]
    fn run(mut self) -> Vec<CellCount> {
        let mut counts = Vec::with_capacity(self.cells.len());
        for cell in self.cells {
            let (count, of) = (self.passing.count(cell), self.all.count(cell));
            if count > 0 {
                let (x, y) = (cell.x, cell.y);
                counts.push(CellCount { x, y, count, of });
            }
        }
        counts
    }
}

/// Counts cell after cell: a cell mostly starts where the one before ended.
struct Counter<'a> {
    set: &'a RankedBitmap,
    is_full: bool,
    end: u32,
    rank: u32,
}

impl<'a> Counter<'a> {
    fn over(set: &'a RankedBitmap) -> Self {
        Self {
            set,
            is_full: set.is_full(),
            end: 0,
            rank: 0,
        }
    }

    #[inline(always)]
    fn count(&mut self, cell: &Cell) -> u32 {
        if self.is_full {
            return cell.end - cell.start;
        }
        let before = if cell.start == self.end {
            self.rank
        } else {
            self.set.rank(cell.start)
        };
        (self.end, self.rank) = (cell.end, self.set.rank(cell.end));
        self.rank - before
    }
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
/// Fewest first, so that the fullest are drawn over their neighbours; no bytes of no cells.
#[must_use]
pub fn encode_cells(name: &str, mut counts: Vec<CellCount>, shape: CellShape) -> Hinted {
    sort_by_figures(&mut counts);
    let outline = outline(shape, CELL_BITS);
    let neighbours = counts.array_windows();
    let differ = neighbours.filter(|[a, b]| (a.count, a.of) != (b.count, b.of));
    let mut layer = Layer::new(&outline, differ.count() + 1);
    let mut figures = Figures::default();
    for equal in counts.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of)) {
        let places = equal.iter().map(place_of);
        let tags = figures.tags(&mut layer, equal[0].count, equal[0].of);
        layer.push(places, tags);
    }
    let mut tile = Hinted::default();
    layer.finish(name, &mut tile);
    tile
}

/// As [`encode_cells`], one feature a cell, with `denominator`: what it counts in the cell, and
/// `per_1000`: contacts per 1,000 of it, where it is [`DENOMINATOR_MIN`] or more.
#[must_use]
pub fn encode_rates(
    name: &str,
    counts: &[CellCount],
    denominator: impl Fn(&CellCount) -> f64,
    shape: CellShape,
) -> Hinted {
    let outline = outline(shape, CELL_BITS);
    let mut layer = Layer::new(&outline, counts.len());
    let mut figures = Figures::default();
    for cell in counts {
        let base = denominator(cell);
        let mut tags = figures.tags(&mut layer, cell.count, cell.of);
        let told = layer.number(rounded(base, RATE_DIGITS));
        tags.push(layer.key("denominator"), told);
        if base >= DENOMINATOR_MIN {
            let rate = 1000.0 * f64::from(cell.count) / base;
            let rate = layer.number(rounded(rate, RATE_DIGITS));
            tags.push(layer.key("per_1000"), rate);
        }
        layer.push(std::iter::once(place_of(cell)), tags);
    }
    let mut tile = Hinted::default();
    layer.finish(name, &mut tile);
    tile
}

/// A layer `name` of the hexagons whose centre lies in the tile, and a layer `name`-`beside` of
/// those of other tiles that reach into it, with figures as in [`encode_cells`].
#[must_use]
pub fn encode_hexes(name: &str, hexes: &Hexes) -> Hinted {
    let mut tile = Hinted::default();
    let beside = format!("{name}-beside");
    for (name, hexes) in [(name, &hexes.own), (&*beside, &hexes.beside)] {
        let mut hexes = hexes.clone();
        hexes.sort_unstable_by_key(|hex| (hex.count, hex.of, hex.y, hex.x));
        let mut layer = Layer::new(&OUTLINE, hexes.len() / 3);
        let mut figures = Figures::default();
        for equal in hexes.chunk_by(|a, b| (a.count, a.of) == (b.count, b.of)) {
            let places = equal.iter().map(|hex| Place { x: hex.x, y: hex.y });
            let tags = figures.tags(&mut layer, equal[0].count, equal[0].of);
            layer.push(places, tags);
        }
        layer.finish(name, &mut tile);
    }
    tile
}

/// A layer `name` of smoothed cells with `density`: contacts per km².
#[must_use]
pub fn encode_smoothed(name: &str, smoothed: &Smoothed, shape: CellShape) -> Hinted {
    let mut cells: Vec<(f32, Place)> = smoothed
        .cells
        .iter()
        .map(|cell| {
            let place = centre(cell.x, cell.y, smoothed.bits);
            (rounded(cell.density, DENSITY_DIGITS), place)
        })
        .collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let outline = outline(shape, smoothed.bits);
    let mut layer = Layer::new(&outline, cells.len());
    for equal in cells.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let places = equal.iter().map(|(_, place)| *place);
        let mut tags = Tags::default();
        tags.push(layer.key("density"), layer.number(equal[0].0));
        layer.push(places, tags);
    }
    let mut tile = Hinted::default();
    layer.finish(name, &mut tile);
    tile
}

/// Orders cells by `count`, then `of`; equal ones stay in their order.
fn sort_by_figures(cells: &mut Vec<CellCount>) {
    let greatest = |figure: fn(&CellCount) -> u32| cells.iter().map(figure).max().unwrap_or(0);
    let of_bits = bits(greatest(|cell| cell.of));
    let key_bits = bits(greatest(|cell| cell.count)) + of_bits;
    sort_by_bits(cells, 0..key_bits, |cell| {
        u64::from(cell.count) << of_bits | u64::from(cell.of)
    });
}

/// Bits that `greatest` has.
fn bits(greatest: u32) -> u32 {
    u32::BITS - greatest.leading_zeros()
}

/// What features tell of contacts: one after another, and of many alike the count is the same.
#[derive(Default)]
struct Figures {
    count: u32,
    /// With `count` alone.
    tags: Tags,
    share: Option<u32>,
}

impl Figures {
    /// The tags of `count` contacts that pass, at least one, of so many.
    fn tags(&mut self, layer: &mut Layer<'_>, count: u32, of: u32) -> Tags {
        if count != self.count {
            self.count = count;
            self.tags = Tags::default();
            self.tags.push(layer.key("count"), layer.count(count));
        }
        let mut tags = self.tags;
        if of > 0 {
            let key = *self.share.get_or_insert_with(|| layer.key("share"));
            let share = single(f64::from(count) / f64::from(of));
            tags.push(key, layer.number(share));
        }
        tags
    }
}

fn place_of(cell: &CellCount) -> Place {
    centre(cell.x.into(), cell.y.into(), CELL_BITS)
}

/// Of cells of which `2^bits` lie along a tile's edge.
fn outline(shape: CellShape, bits: u32) -> Vec<(i32, i32)> {
    let half = EXTENT >> bits >> 1;
    match shape {
        CellShape::Point => Vec::new(),
        CellShape::Square => vec![(-half, -half), (half, -half), (half, half), (-half, half)],
    }
}

fn centre(x: u16, y: u16, bits: u32) -> Place {
    let edge = EXTENT >> bits;
    let at = |cell: u16| i32::from(cell) * edge + edge / 2;
    Place { x: at(x), y: at(y) }
}

/// A number to so many digits.
fn rounded(value: f64, digits: f64) -> f32 {
    if value == 0.0 || !value.is_finite() {
        return single(value);
    }
    let scale = 10_f64.powf(digits - 1.0 - value.abs().log10().floor());
    single((value * scale).round() / scale)
}

/// In single precision, which holds seven digits in half the bytes.
#[expect(clippy::cast_possible_truncation, reason = "to seven digits")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cells::position;
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

    proptest! {
        #[test]
        fn counts_are_those_of_a_scan(
            bits in prop::collection::vec(any::<[bool; 2]>(), 1..2_000),
            ends in prop::collection::btree_set(0_u32..2_000, 2..60),
            is_full in any::<bool>(),
        ) {
            let set = |which: usize| {
                let mut set = Bitmap::empty(bits.len());
                let inside = bits.iter().enumerate().filter(|(_, bit)| bit[which] || is_full && which == 1);
                inside.for_each(|(at, _)| set.insert(at));
                RankedBitmap::new(set)
            };
            let (passing, all) = (set(0), set(1));
            let ends: Vec<u32> = ends.into_iter().map(|end| end.min(position(bits.len()))).collect();
            // Every third range is left out: cells need not follow each other.
            let ranges = ends.windows(2).enumerate().filter(|(i, _)| i % 3 > 0);
            let cells: Vec<Cell> =
                ranges.map(|(_, ends)| Cell { x: 3, y: 5, start: ends[0], end: ends[1] }).collect();
            let scan = |set: &RankedBitmap, cell: &Cell| {
                let inside = (cell.start..cell.end).filter(|at| set.bitmap().contains(*at as usize));
                position(inside.count())
            };
            let expected: Vec<[u32; 2]> = cells
                .iter()
                .map(|cell| [scan(&passing, cell), scan(&all, cell)])
                .filter(|[count, _]| *count > 0)
                .collect();
            let found: Vec<[u32; 2]> = count_cells(&cells, &passing, &all)
                .iter()
                .map(|cell| [cell.count, cell.of])
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn cells_are_grouped_by_figures(
            figures in prop::collection::vec((1_u32..300, 0_u32..3, any::<u16>()), 0..300),
            wide in prop::collection::vec(any::<(u32, u32)>(), 0..20),
        ) {
            let cell = |count, of, place: u16| {
                let [x, y] = place.to_le_bytes();
                CellCount { x, y, count, of }
            };
            let near = figures.iter().map(|&(count, of, place)| cell(count, of, place));
            let wide = wide.iter().map(|&(count, of)| cell(count, of, 0));
            let cells: Vec<CellCount> = near.chain(wide).collect();
            let mut expected = cells.clone();
            expected.sort_by_key(|cell| (cell.count, cell.of));
            let mut sorted = cells;
            sort_by_figures(&mut sorted);
            prop_assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn numbers_are_told_to_four_digits() {
        let told =
            [0.0, 1.0, 1234.56, 0.000_123_456, 99_999.0].map(|v| rounded(v, 4.0).to_string());
        assert_eq!(told, ["0", "1", "1235", "0.0001235", "100000"]);
    }
}
