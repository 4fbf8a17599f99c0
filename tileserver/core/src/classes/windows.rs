//! Where the best classes can end: bounds that leave most places out, and never the best one.
//!
//! Values are taken in blocks. Classes that end somewhere in given blocks have at least the squares
//! of the whole blocks between those; the least over all choices of blocks that lead through one
//! (a path from either side) bounds every solution that ends a class in it:
//!
//! ```text
//!      class 1        class 2            class 3
//! ├──────────────┤▒▒├────────────┤▒▒├──────────────┤     ▒ the blocks of the ends: not counted
//! ```
//! A block whose bound is above the squares of a solution in hand holds no end of the best. What is
//! left is taken in smaller blocks; the bounds close in as the blocks shrink.

use std::ops::RangeInclusive;

use super::jenks::Values;

/// Blocks of the first round, over all values.
const BLOCKS: usize = 128;

/// Each round's blocks are so many times smaller than those before.
const SHRINK: usize = 4;

/// Values in a block below which its bound costs more than it saves.
const BLOCK_MIN: usize = 4;

/// Bounds are rounded, too: a solution this little above the best in hand may be it.
const SLACK: f64 = 1e-6;

/// Places from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Window {
    pub(super) fn len(self) -> usize {
        (self.to + 1).saturating_sub(self.from)
    }

    pub(super) fn all(self) -> RangeInclusive<usize> {
        self.from..=self.to
    }

    /// The parts below and above a place, which is not 0.
    pub(super) fn around(self, place: usize) -> (Self, Self) {
        let below = Self {
            to: place - 1,
            ..self
        };
        let above = Self {
            from: place + 1,
            ..self
        };
        (below, above)
    }

    /// The blocks that hold it.
    fn blocks(self, size: usize) -> Self {
        Self {
            from: self.from / size,
            to: self.to / size,
        }
    }
}

/// Where each of the first `k − 1` classes can end, as counts of distinct values; both limits
/// ascend.
pub(super) fn of_ends(values: &Values, k: usize) -> Vec<Window> {
    let n = values.len();
    let mut windows: Vec<Window> = (1..k)
        .map(|q| Window {
            from: q,
            to: n - (k - q),
        })
        .collect();
    let mut in_hand = f64::INFINITY;
    let mut size = n / BLOCKS;
    while size >= BLOCK_MIN {
        let bounds = Bounds::of(values, &windows, size);
        in_hand = in_hand.min(bounds.solution(values, &windows));
        windows = bounds.narrowed(&windows, in_hand);
        size /= SHRINK;
    }
    windows
}

/// What solutions that end a class in a block have at least, by end and block of its window.
struct Bounds {
    size: usize,
    least: Vec<Vec<f64>>,
}

impl Bounds {
    fn of(values: &Values, windows: &[Window], size: usize) -> Self {
        // Whole blocks between two ends.
        let between = |a: usize, b: usize| values.squares((a + 1) * size - 1, b * size);
        let blocks: Vec<Window> = windows.iter().map(|window| window.blocks(size)).collect();
        let last = blocks.len() - 1;
        let first = blocks[0].all().map(|b| values.squares(0, b * size));
        let mut least = vec![first.collect::<Vec<f64>>()];
        for q in 1..=last {
            let (before, columns) = (&least[q - 1], blocks[q - 1]);
            least.push(minima(blocks[q], columns, &|row, column| {
                if column > row {
                    f64::INFINITY
                } else {
                    before[column - columns.from] + between(column, row)
                }
            }));
        }
        let rest = |b: usize| values.squares((b + 1) * size - 1, values.len());
        let mut after: Vec<f64> = blocks[last].all().map(rest).collect();
        for q in (0..=last).rev() {
            for (bound, after) in least[q].iter_mut().zip(&after) {
                *bound += after;
            }
            if q > 0 {
                let columns = blocks[q];
                after = minima(blocks[q - 1], columns, &|row, column| {
                    if column < row {
                        f64::INFINITY
                    } else {
                        after[column - columns.from] + between(row, column)
                    }
                });
            }
        }
        Self { size, least }
    }

    /// The squares of a solution near the least bound; infinite where that has no room for all ends.
    fn solution(&self, values: &Values, windows: &[Window]) -> f64 {
        let mut squares = 0.0;
        let mut start = 0;
        for (window, least) in windows.iter().zip(&self.least) {
            let best = least
                .iter()
                .enumerate()
                .min_by(|(_, a), (_, b)| a.total_cmp(b));
            let block = window.from / self.size + best.map_or(0, |(block, _)| block);
            let end = (block * self.size + self.size / 2).clamp(window.from, window.to);
            if end <= start {
                return f64::INFINITY;
            }
            squares += values.squares(start, end);
            start = end;
        }
        squares + values.squares(start, values.len())
    }

    /// The windows without what lies above a solution in hand.
    fn narrowed(&self, windows: &[Window], in_hand: f64) -> Vec<Window> {
        let most = in_hand * (1.0 + SLACK) + SLACK;
        let can = |bound: &f64| *bound <= most;
        let mut narrow = windows.to_vec();
        for (window, least) in narrow.iter_mut().zip(&self.least) {
            let first = least.iter().position(can).unwrap_or(0);
            let last = least.iter().rposition(can).unwrap_or(least.len() - 1);
            let block = window.from / self.size;
            window.from = window.from.max((block + first) * self.size);
            window.to = window.to.min((block + last + 1) * self.size - 1);
        }
        for q in 1..narrow.len() {
            narrow[q].from = narrow[q].from.max(narrow[q - 1].from + 1);
        }
        for q in (1..narrow.len()).rev() {
            narrow[q - 1].to = narrow[q - 1].to.min(narrow[q].to - 1);
        }
        // Should rounding ever have left out a best solution, nothing is left out.
        if narrow.iter().any(|window| window.len() == 0) {
            return windows.to_vec();
        }
        narrow
    }
}

/// The least of each row over `columns`, where the best column does not fall from row to row.
fn minima(rows: Window, columns: Window, total: &impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; rows.len()];
    let mut open = vec![(rows, columns)];
    while let Some((part, columns)) = open.pop() {
        if part.len() == 0 {
            continue;
        }
        let row = usize::midpoint(part.from, part.to);
        let mut best = (f64::INFINITY, columns.from);
        for column in columns.all() {
            let found = total(row, column);
            if found < best.0 {
                best = (found, column);
            }
        }
        least[row - rows.from] = best.0;
        if part.from < row {
            let below = Window {
                to: row - 1,
                ..part
            };
            open.push((
                below,
                Window {
                    to: best.1,
                    ..columns
                },
            ));
        }
        let above = Window {
            from: row + 1,
            ..part
        };
        open.push((
            above,
            Window {
                from: best.1,
                ..columns
            },
        ));
    }
    least
}
