//! The distinct values of a tile, in an order in which each resembles the one before.
//!
//! ```text
//! "75056_0101"                    texts by length, then by bytes: a value differs from the one
//! "75056_0102"  ← one literal     before in its last letters
//! 0.7312…                         numbers by type, then by value: little-endian bytes, so that
//! 0.7318…       ← low bytes       it differs in its low bytes and ends like the one before
//! ```
//! A request that uses some of the values marks them in a bitmap, and each resembles the one marked
//! before it.

use std::ops::Range;

use crate::dataset::Level;
use crate::dataset::columns::{Column, Texts};
use crate::deflate::{DISTANCE_MAX, MATCH_MIN, Tokens};
use crate::encode;

/// Values as messages of the layer's table.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// With [`SHORT`] more at the end, so that as many can be read from any value.
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<u32>,
    /// Values that are texts; they come first.
    texts: u32,
    longest: usize,
}

/// The index of a missing value.
pub(crate) const MISSING: u32 = u32::MAX;

/// Twice as many bytes are the longest match.
const SHARED_MAX: usize = 129;

/// Bytes that are read, compared and copied at once: most values have fewer.
const SHORT: usize = 16;

/// Two such pieces, which may overlap, are nearly every other value.
const MIDDLE: usize = 2 * SHORT;

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
        values.texts = values.all().end;
        numbers.sort_unstable();
        values.add_numbers(&numbers, properties);
        values.pad();
        (values, cells)
    }

    /// The keys of properties, in this order.
    pub(crate) fn keys<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut keys = Self::default();
        for name in names {
            keys.push(|out| encode::put_bytes(out, encode::LAYER_KEY, name.as_bytes()));
        }
        keys.texts = keys.all().end;
        keys.pad();
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
    fn last(&self) -> u32 {
        self.all().end - 1
    }

    /// Ends the bytes, after the last value.
    fn pad(&mut self) {
        self.bytes.extend([0; SHORT]);
        self.bytes.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn start(&self, value: usize) -> usize {
        value
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize)
    }

    /// Where a value is in `bytes`.
    #[inline]
    fn place(&self, value: u32) -> Range<usize> {
        let value = value as usize;
        self.start(value)..self.ends[value] as usize
    }

    pub(crate) fn all_bytes(&self) -> &[u8] {
        &self.bytes[..self.start(self.len())]
    }

    /// Bytes of the longest value, as far as a match reaches.
    pub(crate) fn distance_max(&self) -> usize {
        self.longest.min(DISTANCE_MAX)
    }

    /// All values.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fewer values than bytes, which are u32"
    )]
    pub(crate) fn all(&self) -> Range<u32> {
        0..self.ends.len() as u32
    }

    /// How many of `values`, which ascend, are texts.
    pub(crate) fn texts_of(&self, values: &[u32]) -> usize {
        values.partition_point(|value| *value < self.texts)
    }

    /// The number of texts.
    pub(crate) fn texts(&self) -> u32 {
        self.texts
    }

    /// Appends the bytes of `values`.
    pub(crate) fn copy(&self, values: &[u32], out: &mut Vec<u8>) {
        for &value in values {
            let place = self.place(value);
            // A copy of a fixed length is two instructions, one of any length a call.
            let start = out.len();
            match place.len() {
                0..=SHORT => out.extend_from_slice(self.piece(place.start)),
                length @ ..=MIDDLE => {
                    out.extend_from_slice(self.piece(place.start));
                    out.truncate(start + length - SHORT);
                    out.extend_from_slice(self.piece(place.end - SHORT));
                }
                _ => out.extend_from_slice(&self.bytes[place.clone()]),
            }
            out.truncate(start + place.len());
        }
    }

    /// Writes `values`, which ascend and of which none but the first is the first number.
    #[inline(always)]
    pub(crate) fn write(&self, values: impl IntoIterator<Item = u32>, out: &mut impl Tokens) {
        let mut before = 0..0;
        // Bytes of the end of `before` that a match, not yet written, stands for.
        let mut open = 0;
        for value in values {
            let place = self.place(value);
            let (start_shared, end_shared) = self.shared(before.clone(), place.clone());
            // The open match goes on into this value: both are a value's length away.
            let is_closed = close(&self.bytes[before], open, start_shared, out);
            let bytes = &self.bytes[place.clone()];
            let from = if is_closed { start_shared } else { 0 };
            out.literals(&bytes[from..bytes.len() - end_shared]);
            open = end_shared;
            before = place;
        }
        close(&self.bytes[before], open, 0, out);
    }

    /// Bytes that two values, given by their places, share at their starts, and after those at their
    /// ends if they are equally long.
    #[inline(always)]
    fn shared(&self, a: Range<usize>, b: Range<usize>) -> (usize, usize) {
        let (longest, shortest) = (a.len().max(b.len()), a.len().min(b.len()));
        if longest > SHORT || shortest == 0 {
            return self.shared_of_long(a, b);
        }
        let differ = self.word(a.start) ^ self.word(b.start);
        let start = (differ.trailing_zeros() as usize / 8).min(shortest);
        if longest > shortest {
            return (start, 0);
        }
        let end = (differ << (8 * (SHORT - shortest))).leading_zeros() as usize / 8;
        (start, end.min(shortest - start))
    }

    /// As [`Self::shared`], of values of any length; none of one that is too far away.
    #[inline(never)]
    fn shared_of_long(&self, a: Range<usize>, b: Range<usize>) -> (usize, usize) {
        if a.len() > DISTANCE_MAX {
            return (0, 0);
        }
        let limit = a.len().min(b.len()).min(SHARED_MAX);
        let mut start = 0;
        while start < limit {
            let differ = self.word(a.start + start) ^ self.word(b.start + start);
            start += differ.trailing_zeros() as usize / 8;
            if differ != 0 {
                break;
            }
        }
        let start = start.min(limit);
        if a.len() != b.len() {
            return (start, 0);
        }
        let (a, b) = (&self.bytes[a], &self.bytes[b]);
        let both = a[start..].iter().rev().zip(b[start..].iter().rev());
        let end = both.take(SHARED_MAX).take_while(|(a, b)| a == b).count();
        (start, end)
    }

    /// [`SHORT`] bytes from `at` on, the first one lowest.
    #[inline]
    fn word(&self, at: usize) -> u128 {
        u128::from_le_bytes(*self.piece(at))
    }

    #[inline]
    fn piece(&self, at: usize) -> &[u8; SHORT] {
        let bytes = self.bytes[at..].first_chunk();
        bytes.expect("room at the end")
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.ends.as_slice())
    }
}

/// Writes the last `open` bytes of `before` and, if that makes a match, the `more` bytes that
/// follow and equal its start. Returns whether it does.
#[inline(always)]
fn close(before: &[u8], open: usize, more: usize, out: &mut impl Tokens) -> bool {
    if open + more >= MATCH_MIN {
        out.repeat(open + more, before.len());
        return true;
    }
    out.literals(&before[before.len() - open..]);
    false
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared_bytes(a: &[u8], b: &[u8]) -> (usize, usize) {
        let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let start = start.min(SHARED_MAX);
        if a.len() != b.len() {
            return (start, 0);
        }
        let rest = a[start..].iter().rev().zip(b[start..].iter().rev());
        let end = rest.take_while(|(a, b)| a == b).count();
        (start, end.min(SHARED_MAX))
    }

    proptest! {
        #[test]
        fn what_values_share(
            texts in prop::collection::vec("[ab]{0,3}[a]{0,160}[ab]{0,40}", 2..6),
        ) {
            let values = Values::keys(texts.iter().map(String::as_str));
            let mut copied = Vec::new();
            values.copy(&values.all().collect::<Vec<_>>(), &mut copied);
            prop_assert_eq!(&copied, values.all_bytes());
            for (a, b) in values.all().zip(1..values.all().end) {
                let (a, b) = (values.place(a), values.place(b));
                let expected = shared_bytes(&copied[a.clone()], &copied[b.clone()]);
                prop_assert_eq!(values.shared(a, b), expected);
            }
        }
    }
}
