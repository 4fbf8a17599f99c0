//! Runs a [`Program`]: columns to words of a bitmap, 64 rows at a time.
//!
//! Only rows of `within` matter: the words of AND's later members are skipped where its earlier
//! ones left nothing, OR's where nothing is left to decide. False and unknown are told apart only
//! below `IS NULL` and comparisons of conditions.

use super::arithmetic::{Arithmetic, Chunk, LANES};
use super::ast::Comparison;
use super::codes::Codes;
use super::program::{Leaf, Node, Program, RowCodes};
use crate::Bitmap;

impl Program<'_> {
    /// The rows that pass.
    #[must_use]
    pub fn evaluate(&self) -> Bitmap {
        self.evaluate_within(&Bitmap::full(self.rows))
    }

    /// The rows of `within` that pass: the work is that of the words in which it has a row.
    ///
    /// # Panics
    /// When `within` is of another number of rows.
    #[must_use]
    pub fn evaluate_within(&self, within: &Bitmap) -> Bitmap {
        assert_eq!(within.len(), self.rows, "rows of one table");
        Bitmap::from_words(self.rows, self.root.holds(within.words()))
    }
}

impl Node<'_> {
    /// The rows of `within` where the condition is true.
    fn holds(&self, within: &[u64]) -> Vec<u64> {
        match self {
            Self::Constant(Some(true)) => within.to_vec(),
            Self::Constant(_) => vec![0; within.len()],
            Self::All(members) => {
                let mut left = within.to_vec();
                for member in members {
                    if left.iter().all(|word| *word == 0) {
                        break;
                    }
                    left = member.holds(&left);
                }
                left
            }
            Self::Any(members) => {
                let mut passed = vec![0; within.len()];
                let mut left = within.to_vec();
                for member in members {
                    if left.iter().all(|word| *word == 0) {
                        break;
                    }
                    let more = member.holds(&left);
                    combine(&mut passed, &more, |a, b| a | b);
                    combine(&mut left, &more, |a, b| a & !b);
                }
                passed
            }
            Self::Same { .. } | Self::Unknown { .. } => self.truth(within).0,
            Self::Leaf(leaf) => leaf.holds(within),
        }
    }

    /// The rows of `within` where the condition is true, and where it is false.
    fn truth(&self, within: &[u64]) -> (Vec<u64>, Vec<u64>) {
        let none = || vec![0; within.len()];
        match self {
            Self::Constant(None) => (none(), none()),
            Self::Constant(Some(true)) => (within.to_vec(), none()),
            Self::Constant(Some(false)) => (none(), within.to_vec()),
            Self::All(members) => {
                let mut truth = (within.to_vec(), none());
                for member in members {
                    let (yes, no) = member.truth(within);
                    combine(&mut truth.0, &yes, |a, b| a & b);
                    combine(&mut truth.1, &no, |a, b| a | b);
                }
                truth
            }
            Self::Any(members) => {
                let mut truth = (none(), within.to_vec());
                for member in members {
                    let (yes, no) = member.truth(within);
                    combine(&mut truth.0, &yes, |a, b| a | b);
                    combine(&mut truth.1, &no, |a, b| a & b);
                }
                truth
            }
            Self::Same { equal, sides } => {
                let (mut a, mut not_a) = sides[0].truth(within);
                let (b, not_b) = sides[1].truth(within);
                let mut differ = a.clone();
                combine(&mut differ, &not_b, |x, y| x & y);
                combine(&mut a, &b, |x, y| x & y);
                let mut both_false = not_a.clone();
                combine(&mut both_false, &not_b, |x, y| x & y);
                combine(&mut a, &both_false, |x, y| x | y);
                combine(&mut not_a, &b, |x, y| x & y);
                combine(&mut differ, &not_a, |x, y| x | y);
                if *equal { (a, differ) } else { (differ, a) }
            }
            Self::Unknown { condition, negated } => {
                let (mut known, no) = condition.truth(within);
                combine(&mut known, &no, |a, b| a | b);
                let mut unknown = within.to_vec();
                combine(&mut unknown, &known, |a, b| a & !b);
                if *negated {
                    (known, unknown)
                } else {
                    (unknown, known)
                }
            }
            Self::Leaf(leaf) => {
                let yes = leaf.holds(within);
                let mut no = leaf.known(within);
                combine(&mut no, &yes, |a, b| a & !b);
                (yes, no)
            }
        }
    }
}

fn combine(words: &mut [u64], others: &[u64], f: impl Fn(u64, u64) -> u64) {
    for (word, other) in words.iter_mut().zip(others) {
        *word = f(*word, *other);
    }
}

impl Leaf<'_> {
    /// The rows of `within` where the condition is true.
    fn holds(&self, within: &[u64]) -> Vec<u64> {
        match self {
            Self::Compared {
                values,
                comparison,
                constant,
            } => compare(values, *comparison, *constant, within),
            Self::Computed { comparison, sides } => {
                let mut stack = Vec::new();
                words(within, |start| {
                    let left = sides[0].chunk(start, &mut stack);
                    let right = sides[1].chunk(start, &mut stack);
                    compare_chunks(*comparison, &left, &right)
                })
            }
            Self::Among {
                value,
                list,
                negated,
            } => tested(value, within, |v| {
                // −0 is listed as 0.
                let at = list.binary_search_by(|item| item.total_cmp(&(v + 0.0)));
                at.is_ok() != *negated && !v.is_nan()
            }),
            Self::NumberMissing { value, negated } => {
                tested(value, within, |v| v.is_nan() != *negated)
            }
            Self::Coded { codes, set, .. } => members(codes, set, within),
            Self::TextMissing {
                codes,
                known,
                negated,
            } => {
                let mut passed = members(codes, known, within);
                if !negated {
                    combine(&mut passed, within, |known, within| within & !known);
                }
                passed
            }
            Self::Classed { dimension, set, .. } => {
                let mut selected = dimension.select_words(*set);
                combine(&mut selected, within, |a, b| a & b);
                selected
            }
            Self::Ranked { comparison, sides } => rows(within, |row| {
                let [left, right] = sides.each_ref().map(|side| rank(side, row));
                left.zip(right)
                    .is_some_and(|(l, r)| comparison.holds(&l, &r))
            }),
            Self::Spatial { place, shapes } => rows(within, |row| place.holds(*shapes, row)),
        }
    }

    /// The rows of `within` where the condition is not unknown.
    fn known(&self, within: &[u64]) -> Vec<u64> {
        match self {
            Self::Compared { values, .. } => scan(values, within, |v| !v.is_nan()),
            Self::Computed { sides, .. } => {
                let mut stack = Vec::new();
                words(within, |start| {
                    let left = sides[0].chunk(start, &mut stack);
                    let right = sides[1].chunk(start, &mut stack);
                    mask(&left, |v| !v.is_nan()) & mask(&right, |v| !v.is_nan())
                })
            }
            Self::Among { value, .. } => tested(value, within, |v| !v.is_nan()),
            Self::Coded { codes, known, .. } => members(codes, known, within),
            Self::Classed {
                dimension, known, ..
            } => {
                let mut known = dimension.select_words(*known);
                combine(&mut known, within, |a, b| a & b);
                known
            }
            Self::Ranked { sides, .. } => rows(within, |row| {
                sides.iter().all(|side| rank(side, row).is_some())
            }),
            Self::NumberMissing { .. } | Self::TextMissing { .. } | Self::Spatial { .. } => {
                within.to_vec()
            }
        }
    }
}

/// The rows of `within` whose computed value passes.
fn tested(value: &Arithmetic<'_>, within: &[u64], test: impl Fn(f64) -> bool) -> Vec<u64> {
    if let Some(values) = value.as_column() {
        return scan(values, within, test);
    }
    let mut stack = Vec::new();
    words(within, |start| mask(&value.chunk(start, &mut stack), &test))
}

fn rank((codes, ranks): &(RowCodes, Vec<u32>), row: usize) -> Option<u32> {
    let code = match codes {
        RowCodes::Column(codes) => *codes.get(row)? as usize,
        RowCodes::Classes(dimension) => usize::from(dimension.code(row)).checked_sub(1)?,
    };
    ranks.get(code).copied()
}

/// One loop per comparison, each over plain slices.
#[expect(
    clippy::float_cmp,
    clippy::needless_bitwise_bool,
    reason = "filters compare exactly, and without a branch"
)]
fn compare(values: &[f64], comparison: Comparison, constant: f64, within: &[u64]) -> Vec<u64> {
    match comparison {
        Comparison::Equal => scan(values, within, |v| v == constant),
        // Not `!=`, which holds for NaN.
        Comparison::NotEqual => scan(values, within, |v| (v < constant) | (v > constant)),
        Comparison::Less => scan(values, within, |v| v < constant),
        Comparison::LessEqual => scan(values, within, |v| v <= constant),
        Comparison::Greater => scan(values, within, |v| v > constant),
        Comparison::GreaterEqual => scan(values, within, |v| v >= constant),
    }
}

#[expect(
    clippy::float_cmp,
    clippy::needless_bitwise_bool,
    reason = "filters compare exactly, and without a branch"
)]
fn compare_chunks(comparison: Comparison, left: &Chunk, right: &Chunk) -> u64 {
    let pairs: [(f64, f64); LANES] = std::array::from_fn(|i| (left[i], right[i]));
    match comparison {
        Comparison::Equal => mask(&pairs, |(l, r)| l == r),
        Comparison::NotEqual => mask(&pairs, |(l, r)| (l < r) | (l > r)),
        Comparison::Less => mask(&pairs, |(l, r)| l < r),
        Comparison::LessEqual => mask(&pairs, |(l, r)| l <= r),
        Comparison::Greater => mask(&pairs, |(l, r)| l > r),
        Comparison::GreaterEqual => mask(&pairs, |(l, r)| l >= r),
    }
}

fn members(codes: &[u32], set: &Codes, within: &[u64]) -> Vec<u64> {
    match *set {
        Codes::Range { first, count } => {
            scan(codes, within, |code| code.wrapping_sub(first) < count)
        }
        Codes::Outside { first, count, len } => scan(codes, within, |code| {
            (code < len) & (code.wrapping_sub(first) >= count)
        }),
        Codes::Table(ref table) => scan(codes, within, |code| {
            let word = table.get(code as usize / 64).copied().unwrap_or(0);
            word >> (code % 64) & 1 == 1
        }),
    }
}

/// The rows of `within` whose value passes.
fn scan<T: Copy>(values: &[T], within: &[u64], test: impl Fn(T) -> bool) -> Vec<u64> {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut words: Vec<u64> = chunks
        .iter()
        .zip(within)
        .map(|(chunk, wanted)| {
            if *wanted == 0 {
                0
            } else {
                mask(chunk, &test) & wanted
            }
        })
        .collect();
    if words.len() < within.len() {
        let tests = rest.iter().enumerate();
        let word = tests.fold(0, |word, (i, v)| word | u64::from(test(*v)) << i);
        words.push(word & within[words.len()]);
    }
    words
}

/// Bit i is set where value i passes. Bench: `filter/4 predicates`.
///
/// A comparison of vectors gives all ones or all zeros a lane, which selects the row's bit; shifts
/// by a variable would keep the loop scalar.
#[inline]
fn mask<T: Copy>(chunk: &[T; LANES], test: impl Fn(T) -> bool) -> u64 {
    const BITS: [u64; LANES] = {
        let mut bits = [0; LANES];
        let mut row = 0;
        while row < LANES {
            bits[row] = 1 << row;
            row += 1;
        }
        bits
    };
    chunk.iter().zip(&BITS).fold(0, |word, (value, bit)| {
        word | u64::from(test(*value)).wrapping_neg() & bit
    })
}

/// Words computed from the row at which each starts.
fn words(within: &[u64], mut word: impl FnMut(usize) -> u64) -> Vec<u64> {
    let words = within.iter().enumerate();
    words
        .map(|(i, wanted)| {
            if *wanted == 0 {
                0
            } else {
                word(i * LANES) & wanted
            }
        })
        .collect()
}

/// The rows of `within` that pass, tested one by one.
fn rows(within: &[u64], test: impl Fn(usize) -> bool) -> Vec<u64> {
    let words = within.iter().enumerate();
    words
        .map(|(i, wanted)| {
            let (mut rest, mut word) = (*wanted, 0);
            while rest != 0 {
                let bit = rest.trailing_zeros() as usize;
                word |= u64::from(test(i * LANES + bit)) << bit;
                rest &= rest - 1;
            }
            word
        })
        .collect()
}
