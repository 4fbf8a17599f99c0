//! One Huffman code for a whole deflate block without matches (RFC 1951, section 3.2).
//!
//! A tile's geometry is delta-coded, so that matches gain next to nothing over literals. With
//! literals only and one code, a feature's bits do not depend on its neighbours: they are made
//! once and appended for each request.

use crate::bits::BitWriter;

/// Literals and the end of the block.
const SYMBOLS: usize = 257;
const END: usize = 256;

/// The longest code that deflate has for a literal, and for a code length.
const LENGTH_MAX: u8 = 15;
const LENGTH_CODE_MAX: u8 = 7;

/// The order in which a block lists the code lengths' own code lengths.
const LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// How often each byte occurs.
pub(crate) type Histogram = [u32; 256];

/// A code in which every byte has a word.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// Per byte its bits, and their number in the top byte.
    words: Box<[u32; SYMBOLS]>,
    /// The block's header.
    header: Vec<u64>,
    header_bits: usize,
}

impl Code {
    /// The best code for bytes as frequent as in `histogram`; absent bytes get long words.
    pub(crate) fn train(histogram: &Histogram) -> Self {
        let mut weights = [0; SYMBOLS];
        weights[..256].copy_from_slice(histogram);
        // A byte that was not seen may still occur in a request: it weighs less than any other.
        for weight in &mut weights {
            *weight = weight.saturating_mul(64).max(1);
        }
        let lengths = code_lengths(&weights, LENGTH_MAX);
        let mut words = Box::new([0; SYMBOLS]);
        for ((word, bits), &length) in words.iter_mut().zip(code_words(&lengths)).zip(&lengths) {
            *word = u32::from(bits) | u32::from(length) << 24;
        }
        let (header, header_bits) = header(&lengths);
        Self {
            words,
            header,
            header_bits,
        }
    }

    /// Opens the last block of a stream.
    pub(crate) fn begin(&self, out: &mut BitWriter) {
        out.append(&self.header, self.header_bits);
    }

    #[inline]
    pub(crate) fn put(&self, out: &mut BitWriter, bytes: &[u8]) {
        // Four words of at most 15 bits at a time.
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            let mut bits = 0;
            let mut count = 0;
            for &byte in four {
                let word = self.words[usize::from(byte)];
                bits |= u64::from(word & 0xff_ffff) << count;
                count += word >> 24;
            }
            out.push(bits, count);
        }
        for &byte in rest {
            self.put_symbol(out, usize::from(byte));
        }
    }

    /// Closes the block.
    pub(crate) fn end(&self, out: &mut BitWriter) {
        self.put_symbol(out, END);
    }

    fn put_symbol(&self, out: &mut BitWriter, symbol: usize) {
        let word = self.words[symbol];
        out.push(u64::from(word & 0xff_ffff), word >> 24);
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.words) + size_of_val(self.header.as_slice())
    }
}

/// Optimal code lengths for `weights`, none beyond `max`; a weight of zero gets no code.
fn code_lengths<const N: usize>(weights: &[u32; N], max: u8) -> [u8; N] {
    let mut leaves: Vec<(u64, usize)> = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
        .map(|(symbol, &weight)| (u64::from(weight), symbol))
        .collect();
    leaves.sort_unstable();
    let mut lengths = [0; N];
    if leaves.len() < 2 {
        for (_, symbol) in leaves {
            lengths[symbol] = 1;
        }
        return lengths;
    }
    let mut counts = length_counts(&leaves, max);
    // The rarest get the longest.
    let mut length = max;
    for (_, symbol) in leaves {
        while counts[usize::from(length)] == 0 {
            length -= 1;
        }
        counts[usize::from(length)] -= 1;
        lengths[symbol] = length;
    }
    lengths
}

/// How many codes of each length an optimal code has, for at least two ascending weights.
fn length_counts(leaves: &[(u64, usize)], max: u8) -> [u32; 16] {
    // Two queues: leaves, and the nodes made of two lighter ones, which come out ascending too.
    let count = leaves.len();
    let mut nodes: Vec<u64> = Vec::with_capacity(count - 1);
    let mut parents = vec![0; 2 * count - 1];
    let (mut leaf, mut node) = (0, 0);
    for parent in count..2 * count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let from_leaves = match (leaves.get(leaf), nodes.get(node)) {
                (Some((a, _)), Some(b)) => a <= b,
                (lighter, _) => lighter.is_some(),
            };
            let child = if from_leaves {
                weight += leaves[leaf].0;
                leaf += 1;
                leaf - 1
            } else {
                weight += nodes[node];
                node += 1;
                count + node - 1
            };
            parents[child] = parent;
        }
        nodes.push(weight);
    }
    let max = usize::from(max);
    let mut depths = vec![0_usize; 2 * count - 1];
    let mut counts = [0_u32; 16];
    for node in (0..2 * count - 2).rev() {
        depths[node] = depths[parents[node]] + 1;
        if node < count {
            counts[depths[node].min(max)] += 1;
        }
    }
    // Codes cut to `max` overfill it: lengthen others until all fit.
    let mut used: u64 = (1..=max).map(|l| u64::from(counts[l]) << (max - l)).sum();
    while used > 1 << max {
        let length = (1..max).rev().find(|&l| counts[l] > 0).unwrap_or(1);
        counts[length] -= 1;
        counts[length + 1] += 2;
        counts[max] -= 1;
        used -= 1;
    }
    counts
}

/// The canonical code of `lengths`, each word's first bit lowest.
fn code_words<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0_u16; 17];
    for length in 1..16 {
        let count = lengths
            .iter()
            .filter(|l| usize::from(**l) == length)
            .count();
        #[expect(clippy::cast_possible_truncation, reason = "at most 257")]
        let count = count as u16;
        next[length + 1] = (next[length] + count) << 1;
    }
    let mut words = [0; N];
    for (word, &length) in words.iter_mut().zip(lengths).filter(|(_, l)| **l > 0) {
        let bits = &mut next[usize::from(length)];
        *word = bits.reverse_bits() >> (16 - length);
        *bits += 1;
    }
    words
}

/// The header of a final dynamic block: both codes, the lengths themselves coded.
fn header(lengths: &[u8; SYMBOLS]) -> (Vec<u64>, usize) {
    // Two distance codes of one bit: some readers refuse a block with none.
    let all: Vec<u8> = lengths.iter().copied().chain([1, 1]).collect();
    let runs = run_lengths(&all);
    let mut weights = [0; 19];
    for &(symbol, _, _) in &runs {
        weights[usize::from(symbol)] += 1;
    }
    let length_lengths = code_lengths(&weights, LENGTH_CODE_MAX);
    let length_words = code_words(&length_lengths);
    let listed = LENGTH_ORDER
        .iter()
        .rposition(|&symbol| length_lengths[symbol] > 0)
        .map_or(4, |last| (last + 1).max(4));

    let mut bytes = Vec::new();
    let mut bits = 0;
    let mut out = BitWriter::new(&mut bytes);
    let mut put = |value: u64, count: u32| {
        out.push(value, count);
        bits += count as usize;
    };
    put(1, 1);
    put(2, 2);
    put(0, 5);
    put(1, 5);
    put(listed as u64 - 4, 4);
    for &symbol in &LENGTH_ORDER[..listed] {
        put(u64::from(length_lengths[symbol]), 3);
    }
    for (symbol, extra, extra_bits) in runs {
        let symbol = usize::from(symbol);
        put(
            u64::from(length_words[symbol]),
            u32::from(length_lengths[symbol]),
        );
        put(u64::from(extra), extra_bits);
    }
    out.finish();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let words = bytes
        .as_chunks()
        .0
        .iter()
        .map(|word| u64::from_le_bytes(*word));
    (words.collect(), bits)
}

/// Code lengths as symbols with extra bits: 0–15 are lengths, 16 repeats the last 3–6 times.
fn run_lengths(lengths: &[u8]) -> Vec<(u8, u8, u32)> {
    let mut runs = Vec::new();
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

    fn deflate(code: &Code, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        code.begin(&mut writer);
        code.put(&mut writer, bytes);
        code.end(&mut writer);
        writer.finish();
        out
    }

    fn histogram(bytes: &[u8]) -> Histogram {
        let mut histogram = [0; 256];
        for &byte in bytes {
            histogram[usize::from(byte)] += 1;
        }
        histogram
    }

    fn check(trained_on: &[u8], bytes: &[u8]) {
        let code = Code::train(&histogram(trained_on));
        let deflated = deflate(&code, bytes);
        let mut inflated = Vec::new();
        flate2::read::DeflateDecoder::new(&deflated[..])
            .read_to_end(&mut inflated)
            .unwrap();
        assert_eq!(inflated, bytes);
        let mut inflated = vec![0; bytes.len()];
        let length = libdeflater::Decompressor::new()
            .deflate_decompress(&deflated, &mut inflated)
            .unwrap();
        assert_eq!(&inflated[..length], bytes);
    }

    #[test]
    fn lengths_are_limited() {
        // Fibonacci weights ask for the longest codes.
        let mut weights = [0_u32; 30];
        (weights[0], weights[1]) = (1, 1);
        for i in 2..30 {
            weights[i] = weights[i - 1] + weights[i - 2];
        }
        for max in [5, 7, 15] {
            let lengths = code_lengths(&weights, max);
            assert!(lengths.iter().all(|l| (1..=max).contains(l)));
            let kraft: f64 = lengths.iter().map(|&l| 0.5_f64.powi(i32::from(l))).sum();
            assert!((kraft - 1.0).abs() < 1e-9, "{max}: {kraft}");
        }
    }

    #[test]
    fn extremes() {
        let every: Vec<u8> = (0..=255).collect();
        check(&[], &every);
        check(&every, &[]);
        check(&vec![7; 100_000], &every);
        let skewed: Vec<u8> = (0..20).flat_map(|i| vec![i; 1 << i]).collect();
        check(&skewed, &every);
    }

    proptest! {
        #[test]
        fn any_bytes_under_any_code(
            trained_on in prop::collection::vec(0..40_u8, 0..2000),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            check(&trained_on, &bytes);
        }
    }
}
