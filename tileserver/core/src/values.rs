//! The distinct values of a tile, in an order in which each resembles the one before.
//!
//! ```text
//! "75056_0101"                    texts by length, then by bytes: a value differs from the one
//! "75056_0102"  ← one literal     before in its last letters
//! 0.7312…                         numbers by type, then by value: little-endian bytes, so that
//! 0.7318…       ← low bytes       it differs in its low bytes and ends like the one before
//! ```
//! How many bytes two neighbours share at either end is known beforehand; values that are further
//! apart in the order share at least the smallest of what lies between. So a request that uses
//! some of the values finds their matches without looking at a byte.

use crate::dataset::Level;
use crate::dataset::columns::{Column, Texts};
use crate::deflate::{DISTANCE_MAX, MATCH_MIN, Tokens};
use crate::encode;

/// Values as messages of the layer's table.
#[derive(Debug, Default)]
pub(crate) struct Values {
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<u32>,
    /// Bytes that each has in common with the start of the value before.
    starts_shared: Vec<u8>,
    /// Bytes that each has in common with the end of the value before; 0 unless equally long.
    ends_shared: Vec<u8>,
    /// Values that are texts; they come first.
    texts: usize,
    longest: usize,
}

/// A value in use, and what it shares with the one in use before it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Link {
    value: u32,
    start_shared: u8,
    end_shared: u8,
}

/// The index of a missing value.
pub(crate) const MISSING: u32 = u32::MAX;

/// Twice as many bytes are the longest match.
const SHARED_MAX: usize = 129;

impl Values {
    /// The values of `rows`, and per property (`id`, `name`, then `columns`) each row's value.
    pub(crate) fn build(level: &Level, columns: &[&Column], rows: &[u32]) -> (Self, Vec<u32>) {
        let mut values = Self::default();
        let mut cells = vec![MISSING; rows.len() * (columns.len() + 2)];
        let (names, properties) = cells.split_at_mut(2 * rows.len());
        values.add_names(level, rows, names);
        let mut numbers = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            let cells = i * rows.len()..(i + 1) * rows.len();
            match column {
                Column::Text(texts) => values.add_texts(texts, rows, &mut properties[cells]),
                Column::Number(column) => {
                    let column = column.values();
                    let cell =
                        |(cell, &row): (usize, &u32)| SortedNumber::new(column[row as usize], cell);
                    numbers.extend(cells.zip(rows).filter_map(cell));
                }
            }
        }
        values.texts = values.ends.len();
        numbers.sort_unstable();
        values.add_numbers(&numbers, properties);
        values.bytes.shrink_to_fit();
        values.compare();
        (values, cells)
    }

    /// The keys of properties, in this order.
    pub(crate) fn keys<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut keys = Self::default();
        for name in names {
            keys.push(|out| encode::put_bytes(out, encode::LAYER_KEY, name.as_bytes()));
        }
        keys.texts = keys.ends.len();
        keys.compare();
        keys
    }

    /// Keys and names, by the level's order of them.
    fn add_names(&mut self, level: &Level, rows: &[u32], cells: &mut [u32]) {
        let ranks = level.text_ranks();
        let (keys, names) = (&ranks.keys, &ranks.names);
        let mut order: Vec<u64> = Vec::with_capacity(cells.len());
        for (cell, ranks) in [(0, keys), (rows.len(), names)] {
            let ranked = (cell as u64..).zip(rows);
            order.extend(ranked.map(|(cell, &row)| u64::from(ranks[row as usize]) << 32 | cell));
        }
        order.sort_unstable();
        let mut last = None;
        for entry in order {
            let (rank, cell) = (entry >> 32, (entry & 0xffff_ffff) as usize);
            if last != Some(rank) {
                last = Some(rank);
                let row = rows[cell % rows.len()] as usize;
                let is_key = cell < rows.len();
                let text = if is_key {
                    level.key(row)
                } else {
                    level.name(row)
                };
                self.push(|out| encode::put_text(out, text));
            }
            cells[cell] = self.last();
        }
    }

    fn add_texts(&mut self, texts: &Texts, rows: &[u32], cells: &mut [u32]) {
        let codes = rows.iter().map(|&row| texts.codes()[row as usize]);
        let coded = codes
            .zip(0_u32..)
            .filter(|(code, _)| *code != Texts::MISSING);
        let mut order: Vec<(u32, u32)> = coded.collect();
        order.sort_unstable();
        for same in order.chunk_by(|a, b| a.0 == b.0) {
            self.push(|out| encode::put_text(out, &texts.dictionary()[same[0].0 as usize]));
            for &(_, cell) in same {
                cells[cell as usize] = self.last();
            }
        }
    }

    fn add_numbers(&mut self, numbers: &[SortedNumber], cells: &mut [u32]) {
        for same in numbers.chunk_by(SortedNumber::is_same) {
            self.push(|out| encode::put_number(out, same[0].value()));
            for number in same {
                cells[number.cell()] = self.last();
            }
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.longest = self.longest.max(self.bytes.len() - start);
        let end = u32::try_from(self.bytes.len()).expect("a tile holds less than 4 GiB");
        self.ends.push(end);
    }

    /// The index of the value pushed last.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fewer values than bytes, which are u32"
    )]
    fn last(&self) -> u32 {
        self.ends.len() as u32 - 1
    }

    /// Finds what neighbours share.
    fn compare(&mut self) {
        let count = self.len();
        let mut shared = Vec::with_capacity(count);
        let mut before: &[u8] = &[];
        for value in 0..count {
            let bytes = self.bytes(value);
            let far = value == self.texts || before.len() > DISTANCE_MAX;
            shared.push(if far {
                (0, 0)
            } else {
                shared_ends(before, bytes)
            });
            before = bytes;
        }
        (self.starts_shared, self.ends_shared) = shared.into_iter().unzip();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn start(&self, value: usize) -> usize {
        value
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize)
    }

    pub(crate) fn bytes(&self, value: usize) -> &[u8] {
        &self.bytes[self.start(value)..self.ends[value] as usize]
    }

    pub(crate) fn all_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the longest value, as far as a match reaches.
    pub(crate) fn distance_max(&self) -> usize {
        self.longest.min(DISTANCE_MAX)
    }

    /// All values.
    pub(crate) fn links(&self) -> impl ExactSizeIterator<Item = Link> + Clone {
        (0..self.ends.len()).map(|value| self.link(value))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "fewer values than bytes, which are u32"
    )]
    fn link(&self, value: usize) -> Link {
        Link {
            value: value as u32,
            start_shared: self.starts_shared[value],
            end_shared: self.ends_shared[value],
        }
    }

    /// Puts the values in use at the start of `links`: those whose entry in `indices` is 0 and not
    /// [`MISSING`]; it becomes their position among them. Returns how many.
    pub(crate) fn number(&self, indices: &mut [u32], links: &mut Vec<Link>) -> usize {
        // What is left of another tile is written over: clearing would cost as much as writing.
        if links.len() < indices.len() {
            links.resize(indices.len(), Link::default());
        }
        let mut count = 0;
        // Shared with the value in use before, as far as is known.
        let (mut start, mut end) = (0, 0);
        // Values are in use at random as far as a branch predictor can tell: so there is no branch.
        // All bits of `used` are set or none, as those of an index that is 0 or missing are.
        let shared = self.starts_shared.iter().zip(&self.ends_shared);
        for ((value, index), (start_shared, end_shared)) in (0..).zip(indices).zip(shared) {
            let used = *index ^ MISSING;
            start = start.min(*start_shared);
            end = end.min(*end_shared);
            links[count as usize] = Link {
                value,
                start_shared: start,
                end_shared: end,
            };
            *index = count | !used;
            count += used & 1;
            start |= used.to_le_bytes()[0];
            end |= used.to_le_bytes()[0];
        }
        count as usize
    }

    /// How many of `links`, which ascend, are texts.
    pub(crate) fn texts_of(&self, links: &[Link]) -> usize {
        links.partition_point(|link| (link.value as usize) < self.texts)
    }

    /// The number of texts.
    pub(crate) fn texts(&self) -> usize {
        self.texts
    }

    /// Appends the bytes of `links`.
    pub(crate) fn copy(&self, links: &[Link], out: &mut Vec<u8>) {
        // Most are short: a copy of a fixed length is two instructions, one of any length a call.
        const SHORT: usize = 16;
        for link in links {
            let value = self.bytes(link.value as usize);
            let start = self.start(link.value as usize);
            match self.bytes[start..].first_chunk::<SHORT>() {
                Some(chunk) if value.len() <= SHORT => {
                    out.extend_from_slice(chunk);
                    out.truncate(out.len() - SHORT + value.len());
                }
                _ => out.extend_from_slice(value),
            }
        }
    }

    /// Writes the values of `links`, of which the first shares nothing with what came before.
    pub(crate) fn write(&self, links: impl IntoIterator<Item = Link>, out: &mut impl Tokens) {
        let mut before: &[u8] = &[];
        // Bytes of the end of `before` that a match, not yet written, stands for.
        let mut open = 0;
        for link in links {
            let bytes = self.bytes(link.value as usize);
            let (from, to) = match before {
                [] => (0, bytes.len()),
                _ => (
                    usize::from(link.start_shared),
                    bytes.len() - usize::from(link.end_shared),
                ),
            };
            // The open match goes on into this value: both are a value's length away.
            let from = if close(before, open, from, out) {
                from
            } else {
                0
            };
            out.literals(&bytes[from..to]);
            open = bytes.len() - to;
            before = bytes;
        }
        close(before, open, 0, out);
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * 6
    }
}

/// Writes the last `open` bytes of `before` and, if that makes a match, the `more` bytes that
/// follow and equal its start. Returns whether it does.
#[inline]
fn close(before: &[u8], open: usize, more: usize, out: &mut impl Tokens) -> bool {
    if open + more >= MATCH_MIN {
        out.repeat(open + more, before.len());
        return true;
    }
    out.literals(&before[before.len() - open..]);
    false
}

/// Bytes that two values share at their starts, and at their ends if they are equally long.
#[expect(clippy::cast_possible_truncation, reason = "at most 129")]
fn shared_ends(a: &[u8], b: &[u8]) -> (u8, u8) {
    let both = || a.iter().zip(b).take(SHARED_MAX);
    let start = both().take_while(|(a, b)| a == b).count();
    if a.len() != b.len() {
        return (start as u8, 0);
    }
    let both = a.iter().rev().zip(b.iter().rev()).take(SHARED_MAX);
    let end = both.take_while(|(a, b)| a == b).count();
    (start as u8, end.min(b.len() - start) as u8)
}

/// A number and where it is used, ordered by its type in the tile, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SortedNumber(u128);

impl SortedNumber {
    /// `None` for a missing number.
    fn new(value: f64, cell: usize) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        // Both zeros are written alike.
        let value = value + 0.0;
        let kind = u128::from(encode::number_kind(value));
        Some(Self(
            kind << 96 | u128::from(ascending(value)) << 32 | cell as u128,
        ))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.0 >> 32 == other.0 >> 32
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits between the others"
    )]
    fn value(self) -> f64 {
        let bits = (self.0 >> 32) as u64;
        let sign = 1 << 63;
        f64::from_bits(if bits & sign == 0 { !bits } else { bits ^ sign })
    }

    fn cell(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }
}

/// Bits that ascend with the value: IEEE 754 is sign and magnitude.
fn ascending(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() {
        !bits
    } else {
        bits | 1 << 63
    }
}
