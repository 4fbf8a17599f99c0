//! Blocks of a deflate stream under codes made beforehand (RFC 1951, section 3.2).
//!
//! A tile's geometry is delta-coded, so that matches gain next to nothing over literals: a
//! feature's bits do not depend on its neighbours, and are made once. Values are sorted, so that
//! the only matches worth having are with the value before.

use crate::bits::BitWriter;
use crate::huffman::{code_lengths, code_words};

/// Literals, the end of the block and lengths of matches.
const SYMBOLS: usize = 286;
const END: usize = 256;
const LENGTHS: usize = 257;
const DISTANCES: usize = 30;

/// The shortest match, the longest, and the farthest.
pub(crate) const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = 258;
pub(crate) const DISTANCE_MAX: usize = 32_768;

/// The longest code that deflate has for a symbol, and for a code length.
const BITS_MAX: u8 = 15;
const LENGTH_BITS_MAX: u8 = 7;

/// The order in which a block lists the code lengths' own code lengths.
const LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// What a block is made of: counted to train a code, written to use it.
pub(crate) trait Tokens {
    fn literals(&mut self, bytes: &[u8]);

    /// Repeats `length` bytes (3 to 258) from `distance` bytes before (1 to 32,768).
    fn repeat(&mut self, length: usize, distance: usize);
}

/// How often each token occurs.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    symbols: [u32; SYMBOLS],
    distances: [u32; DISTANCES],
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            symbols: [0; SYMBOLS],
            distances: [0; DISTANCES],
        }
    }

    /// Counts what `other` counted too.
    pub(crate) fn add(&mut self, other: &Self) {
        let symbols = self.symbols.iter_mut().zip(&other.symbols);
        let distances = self.distances.iter_mut().zip(&other.distances);
        for (a, b) in symbols.chain(distances) {
            *a += b;
        }
    }
}

impl Tokens for Histogram {
    fn literals(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.symbols[usize::from(byte)] += 1;
        }
    }

    fn repeat(&mut self, length: usize, distance: usize) {
        self.symbols[length_symbol(length).0] += 1;
        self.distances[distance_symbol(distance).0] += 1;
    }
}

/// A block's codes, in which every token has a word.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// Per literal its bits, and their number in the top byte; the end of the block after them.
    literals: Box<[u32; LENGTHS]>,
    /// Matches' codes; a block without matches has none.
    matches: Option<Box<Matches>>,
    /// The block's header after its first bit.
    header: Vec<u64>,
    header_bits: usize,
}

#[derive(Debug, Clone)]
struct Matches {
    /// Per length that a match can have its bits with the extra ones, as for literals.
    lengths: Vec<u32>,
    /// Per distance below [`NEAR`] the same.
    near: Vec<u32>,
    /// Per symbol its bits alone, for what is farther.
    distances: [u32; DISTANCES],
}

/// Values are mostly shorter, and matches reach back by one value.
const NEAR: usize = 64;

impl Code {
    /// The best code for tokens as frequent as in `histogram`. Every literal has a word, and with
    /// `distance_max` every match of that distance or less; without, there are no matches.
    pub(crate) fn train(histogram: &Histogram, distance_max: Option<usize>) -> Self {
        // What was not seen may still occur in a request: it weighs less than anything seen.
        let weight = |count: u32| count.saturating_mul(SEEN).max(1);
        let mut symbols = [0; SYMBOLS];
        let mut distances = [0; DISTANCES];
        // A match is at most the end of one value and the start of the next.
        let lengths = distance_max.map(|longest| 3..=(2 * longest).clamp(3, MATCH_MAX));
        // At least two distances: some readers refuse a block with fewer.
        let reach = distance_max.map_or(2, |longest| longest.clamp(2, DISTANCE_MAX));
        let last_symbol = lengths.as_ref().map_or(END, |l| length_symbol(*l.end()).0);
        let last_distance = distance_symbol(reach).0;
        for (weight_of, &count) in symbols.iter_mut().zip(&histogram.symbols[..=last_symbol]) {
            *weight_of = weight(count);
        }
        for (weight_of, &count) in distances
            .iter_mut()
            .zip(&histogram.distances[..=last_distance])
        {
            *weight_of = weight(count);
        }
        even(&mut symbols[..END]);
        let symbol_bits = code_lengths(&symbols, BITS_MAX);
        let distance_bits = code_lengths(&distances, BITS_MAX);
        let symbol_words = code_words(&symbol_bits);
        let word = |i: usize| u32::from(symbol_words[i]) | u32::from(symbol_bits[i]) << 24;
        let matches = lengths.map(|lengths| {
            let words = code_words(&distance_bits);
            let distance = |i: usize| u32::from(words[i]) | u32::from(distance_bits[i]) << 24;
            let length = |length| with_extra(length_symbol(length), word);
            let near = |far| with_extra(distance_symbol(far), distance);
            Box::new(Matches {
                lengths: [0; 3].into_iter().chain(lengths.map(length)).collect(),
                near: [0]
                    .into_iter()
                    .chain((1..NEAR.min(reach + 1)).map(near))
                    .collect(),
                distances: std::array::from_fn(distance),
            })
        });
        let (header, header_bits) = header(
            &symbol_bits[..=last_symbol],
            &distance_bits[..=last_distance],
        );
        Self {
            literals: Box::new(std::array::from_fn(word)),
            matches,
            header,
            header_bits,
        }
    }

    /// Whether a block in this code may have matches.
    pub(crate) fn has_matches(&self) -> bool {
        self.matches.is_some()
    }

    /// Opens a block.
    pub(crate) fn begin(&self, is_last: bool, out: &mut BitWriter) {
        out.push(u64::from(is_last), 1);
        out.append(&self.header, self.header_bits);
    }

    #[inline(always)]
    pub(crate) fn put(&self, out: &mut BitWriter, bytes: &[u8]) {
        // Four words of at most 15 bits at a time.
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            self.put_few(out, four);
        }
        self.put_few(out, rest);
    }

    /// At most four bytes.
    #[inline(always)]
    fn put_few(&self, out: &mut BitWriter, bytes: &[u8]) {
        let mut bits = 0;
        let mut count = 0;
        for &byte in bytes {
            let word = self.literals[usize::from(byte)];
            bits |= u64::from(word & 0xff_ffff) << count;
            count += word >> 24;
        }
        out.push(bits, count);
    }

    /// Closes the block.
    pub(crate) fn end(&self, out: &mut BitWriter) {
        push_word(out, self.literals[END]);
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.literals)
            + self.matches.as_deref().map_or(0, Matches::heap_bytes)
            + size_of_val(self.header.as_slice())
    }
}

impl Matches {
    fn heap_bytes(&self) -> usize {
        size_of_val(self) + size_of_val(self.lengths.as_slice()) + size_of_val(self.near.as_slice())
    }
}

fn push_word(out: &mut BitWriter, word: u32) {
    out.push(u64::from(word & 0xff_ffff), word >> 24);
}

/// The word of a length or a distance: its symbol's, then the extra bits, 24 together at most.
fn with_extra((symbol, extra, extra_bits): (usize, u32, u32), word: impl Fn(usize) -> u32) -> u32 {
    let word = word(symbol);
    let bits = word >> 24;
    (word & 0xff_ffff) | extra << bits | (bits + extra_bits) << 24
}

/// Writes tokens in a code.
pub(crate) struct Block<'a, 'b> {
    code: &'a Code,
    out: &'a mut BitWriter<'b>,
}

impl<'a, 'b> Block<'a, 'b> {
    /// A block that `code` has begun in `out`.
    pub(crate) fn new(code: &'a Code, out: &'a mut BitWriter<'b>) -> Self {
        Self { code, out }
    }
}

impl Tokens for Block<'_, '_> {
    #[inline(always)]
    fn literals(&mut self, bytes: &[u8]) {
        self.code.put(self.out, bytes);
    }

    #[inline(always)]
    fn repeat(&mut self, length: usize, distance: usize) {
        let matches = self.code.matches.as_deref().expect("a code with matches");
        let length = matches.lengths[length];
        if let Some(near) = matches.near.get(distance) {
            let bits =
                u64::from(length & 0xff_ffff) | u64::from(near & 0xff_ffff) << (length >> 24);
            self.out.push(bits, (length >> 24) + (near >> 24));
            return;
        }
        push_word(self.out, length);
        let (symbol, extra, extra_bits) = distance_symbol(distance);
        push_word(self.out, matches.distances[symbol]);
        self.out.push(u64::from(extra), extra_bits);
    }
}

/// Gives neighbours of nearly the same weight the same: a header lists a run of equal lengths in a
/// few bits, which in a small tile is more than the bytes lose by it.
fn even(weights: &mut [u32]) {
    let mut rest = weights;
    while !rest.is_empty() {
        let level = mean(&rest[..rest.len().min(RUN_MIN)]);
        let is_near = |weight: &&u32| weight.abs_diff(level) < EVEN;
        let near = rest.iter().take_while(is_near).count();
        let (run, after) = rest.split_at_mut(near.max(1));
        if run.len() >= RUN_MIN {
            run.fill(mean(run));
        }
        rest = after;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean is no more than the greatest"
)]
fn mean(weights: &[u32]) -> u32 {
    let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    (sum / weights.len().max(1) as u64) as u32
}

/// What a symbol weighs that was seen once; one that was not weighs one.
const SEEN: u32 = 64;

/// Weights that differ by less are nearly the same: few units, and a filter leaves fewer.
const EVEN: u32 = 4 * SEEN;

/// Equal lengths that a header lists as a run.
const RUN_MIN: usize = 4;

/// Symbol, extra bits and their number of a length from 3 to 258.
fn length_symbol(length: usize) -> (usize, u32, u32) {
    if length == MATCH_MAX {
        return (SYMBOLS - 1, 0, 0);
    }
    let (code, extra, bits) = logarithmic(length - 3, 2);
    (LENGTHS + code, extra, bits)
}

/// Symbol, extra bits and their number of a distance from 1 to 32,768.
fn distance_symbol(distance: usize) -> (usize, u32, u32) {
    logarithmic(distance - 1, 1)
}

/// Splits a value into a class and a position in it; each power of two has `2^precision` classes.
#[expect(clippy::cast_possible_truncation, reason = "values are below 2^15")]
fn logarithmic(value: usize, precision: u32) -> (usize, u32, u32) {
    let classes = 1 << precision;
    if value < 2 * classes {
        return (value, 0, 0);
    }
    let extra_bits = value.ilog2() - precision;
    let class = extra_bits as usize * classes + (value >> extra_bits);
    (class, (value & ((1 << extra_bits) - 1)) as u32, extra_bits)
}

/// The header of a dynamic block after its first bit: both codes, their lengths coded.
fn header(symbols: &[u8], distances: &[u8]) -> (Vec<u64>, usize) {
    let lengths: Vec<u8> = symbols.iter().chain(distances).copied().collect();
    let runs = run_lengths(&lengths);
    let mut weights = [0; 19];
    for &(symbol, _, _) in &runs {
        weights[usize::from(symbol)] += 1;
    }
    let bits = code_lengths(&weights, LENGTH_BITS_MAX);
    let words = code_words(&bits);
    let listed = LENGTH_ORDER
        .iter()
        .rposition(|&symbol| bits[symbol] > 0)
        .map_or(4, |last| (last + 1).max(4));

    let mut bytes = Vec::with_capacity(128);
    let mut out = BitWriter::new(&mut bytes);
    out.push(2, 2);
    out.push(symbols.len() as u64 - 257, 5);
    out.push(distances.len() as u64 - 1, 5);
    out.push(listed as u64 - 4, 4);
    for &symbol in &LENGTH_ORDER[..listed] {
        out.push(u64::from(bits[symbol]), 3);
    }
    for (symbol, extra, extra_bits) in runs {
        let symbol = usize::from(symbol);
        out.push(u64::from(words[symbol]), u32::from(bits[symbol]));
        out.push(u64::from(extra), extra_bits);
    }
    let header_bits = out.finish();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let words = bytes.as_chunks().0.iter();
    (
        words.map(|word| u64::from_le_bytes(*word)).collect(),
        header_bits,
    )
}

/// Code lengths as symbols with extra bits: 0–15 are lengths, 16 repeats the last 3–6 times.
fn run_lengths(lengths: &[u8]) -> Vec<(u8, u8, u32)> {
    let mut runs = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        runs.push((run[0], 0, 0));
        let mut rest = run.len() - 1;
        while rest >= 3 {
            let repeats = rest.min(6);
            #[expect(clippy::cast_possible_truncation, reason = "at most 3")]
            runs.push((16, (repeats - 3) as u8, 2));
            rest -= repeats;
        }
        runs.extend(std::iter::repeat_n((run[0], 0, 0), rest));
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// A literal run, or a match.
    type Token = Result<Vec<u8>, (usize, usize)>;

    fn emit(tokens: &[Token], out: &mut impl Tokens) {
        for token in tokens {
            match token {
                Ok(bytes) => out.literals(bytes),
                Err((length, distance)) => out.repeat(*length, *distance),
            }
        }
    }

    fn plain(tokens: &[Token]) -> Vec<u8> {
        let mut plain = Vec::new();
        for token in tokens {
            match token {
                Ok(bytes) => plain.extend(bytes),
                Err((length, distance)) => {
                    for _ in 0..*length {
                        plain.push(plain[plain.len() - distance]);
                    }
                }
            }
        }
        plain
    }

    fn check(trained_on: &[Token], tokens: &[Token], distance_max: Option<usize>) {
        let mut histogram = Histogram::new();
        emit(trained_on, &mut histogram);
        let code = Code::train(&histogram, distance_max);
        let mut deflated = Vec::new();
        let mut out = BitWriter::new(&mut deflated);
        // A block of its own before, so that the second does not start on a byte.
        code.begin(false, &mut out);
        code.put(&mut out, b"before");
        code.end(&mut out);
        code.begin(true, &mut out);
        emit(tokens, &mut Block::new(&code, &mut out));
        code.end(&mut out);
        out.finish();
        let expected = [b"before", &plain(tokens)[..]].concat();
        let mut inflated = Vec::new();
        let mut decoder = flate2::read::DeflateDecoder::new(&deflated[..]);
        decoder.read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, expected);
        let mut inflated = vec![0; expected.len()];
        let length = libdeflater::Decompressor::new().deflate_decompress(&deflated, &mut inflated);
        assert_eq!(length, Ok(expected.len()));
        assert_eq!(inflated, expected);
    }

    #[test]
    fn every_literal_under_any_code() {
        let every: Vec<Token> = vec![Ok((0..=255).collect())];
        check(&[], &every, None);
        check(&every, &[], None);
        check(&[Ok(vec![7; 100_000])], &every, Some(9));
        let skewed = (0..20).map(|i| Ok(vec![i; 1 << i])).collect::<Vec<_>>();
        check(&skewed, &every, None);
    }

    #[test]
    fn every_length_and_distance() {
        for longest in [2, 5, 129, 300, 32_768] {
            let mut tokens = vec![Ok((0..32_768_u32)
                .map(|i| ((i * i) >> 3).to_le_bytes()[0])
                .collect())];
            let lengths = 3..=(2 * longest).min(258);
            tokens.extend(lengths.map(|length| Err((length, longest))));
            tokens.extend((1..=longest).map(|distance| Err((3, distance))));
            check(&[], &tokens, Some(longest));
            check(&tokens, &tokens, Some(longest));
        }
    }

    #[test]
    fn neighbours_of_nearly_the_same_weight() {
        let mut weights = [3, 4, 3, 5, 4, 900, 7, 80, 1, 1].map(|count| count * SEEN);
        even(&mut weights);
        let mean = 19 * SEEN / 5;
        let expected = [mean, mean, mean, mean, mean];
        assert_eq!(weights[..5], expected);
        assert_eq!(weights[5..], [900, 7, 80, 1, 1].map(|count| count * SEEN));
    }

    proptest! {
        #[test]
        fn any_bytes_under_any_code(
            trained_on in prop::collection::vec(0..40_u8, 0..2000),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            check(&[Ok(trained_on)], &[Ok(bytes)], None);
        }
    }
}
