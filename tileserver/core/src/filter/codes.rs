//! Conditions on dictionary-coded text: decided once per distinct value, then looked up by code.

use super::ast::Comparison;
use super::fold::Fold;

/// A set of dictionary codes. A missing text, whose code is beyond the dictionary, is in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codes {
    /// `first <= code < first + count`.
    Range { first: u32, count: u32 },
    /// Below `len`, and not in the range.
    Outside { first: u32, count: u32, len: u32 },
    /// One bit per code.
    Table(Vec<u64>),
}

impl Codes {
    /// The codes of the values that pass. Values without `prefix` are taken not to.
    pub(super) fn of(
        dictionary: &[Box<str>],
        fold: Fold,
        prefix: &str,
        mut passes: impl FnMut(&str) -> bool,
    ) -> Self {
        let (start, end) = if fold.is_none() {
            let start = dictionary.partition_point(|value| value.as_ref() < prefix);
            let rest = &dictionary[start..];
            (
                start,
                start + rest.partition_point(|value| value.starts_with(prefix)),
            )
        } else {
            (0, dictionary.len())
        };
        let mut table = vec![0_u64; dictionary.len().div_ceil(64)];
        let mut buffer = String::new();
        for (code, value) in dictionary.iter().enumerate().take(end).skip(start) {
            let passed = passes(fold.read(value, &mut buffer));
            table[code / 64] |= u64::from(passed) << (code % 64);
        }
        Self::from_table(table, dictionary.len())
    }

    /// The codes whose value compares so with `constant`: the dictionary is sorted.
    pub(super) fn compared(
        dictionary: &[Box<str>],
        comparison: Comparison,
        constant: &str,
    ) -> Self {
        let len = narrow(dictionary.len());
        let first = narrow(dictionary.partition_point(|value| value.as_ref() < constant));
        let after = narrow(dictionary.partition_point(|value| value.as_ref() <= constant));
        let range = |first, end| Self::Range {
            first,
            count: end - first,
        };
        match comparison {
            Comparison::Equal => range(first, after),
            Comparison::NotEqual => Self::Outside {
                first,
                count: after - first,
                len,
            },
            Comparison::Less => range(0, first),
            Comparison::LessEqual => range(0, after),
            Comparison::Greater => range(after, len),
            Comparison::GreaterEqual => range(first, len),
        }
    }

    /// The shortest form of a table over `len` codes.
    fn from_table(table: Vec<u64>, len: usize) -> Self {
        if let Some((first, count)) = run(&table, len, true) {
            return Self::Range {
                first: narrow(first),
                count: narrow(count),
            };
        }
        if let Some((first, count)) = run(&table, len, false) {
            return Self::Outside {
                first: narrow(first),
                count: narrow(count),
                len: narrow(len),
            };
        }
        Self::Table(table)
    }

    /// Every code of the dictionary.
    pub(super) fn all(dictionary: &[Box<str>]) -> Self {
        Self::Range {
            first: 0,
            count: narrow(dictionary.len()),
        }
    }

    pub(super) fn contains(&self, code: usize) -> bool {
        let code = narrow(code);
        match self {
            Self::Range { first, count } => code.wrapping_sub(*first) < *count,
            Self::Outside { first, count, len } => {
                code < *len && code.wrapping_sub(*first) >= *count
            }
            Self::Table(table) => {
                let word = table.get(code as usize / 64).copied().unwrap_or(0);
                word >> (code % 64) & 1 == 1
            }
        }
    }
}

/// A dictionary has fewer than 2³² entries.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Start and length of the codes whose bit is `value`, if they are one run or none.
fn run(table: &[u64], len: usize, value: bool) -> Option<(usize, usize)> {
    let is = |code: &usize| (table[code / 64] >> (code % 64) & 1 == 1) == value;
    let Some(first) = (0..len).find(is) else {
        return Some((0, 0));
    };
    let end = (first..len).find(|code| !is(code)).unwrap_or(len);
    let apart = (end..len).any(|code| is(&code));
    (!apart).then_some((first, end - first))
}

/// For two text columns the rank of each dictionary entry among the folded values of both:
/// ranks compare as the texts do.
pub(super) fn ranks(columns: [(&[Box<str>], Fold); 2]) -> [Vec<u32>; 2] {
    let sides = columns.map(|(dictionary, fold)| -> Vec<String> {
        dictionary.iter().map(|value| fold.apply(value)).collect()
    });
    let mut values: Vec<&str> = sides.iter().flatten().map(String::as_str).collect();
    values.sort_unstable();
    values.dedup();
    sides.each_ref().map(|side| {
        side.iter()
            .map(|value| {
                let rank = values
                    .binary_search(&value.as_str())
                    .unwrap_or_else(|at| at);
                narrow(rank)
            })
            .collect()
    })
}
