//! Bytes of which it is known where they resemble earlier ones, and their gzip stream.
//!
//! ```text
//! 12 0f 12 04 00 8a 03 01 │ 9c 04 │ 18 01 22 05 09 │ …
//! 12 0f 12 04 00 8a 03 01 │ 9d 04 │ 18 01 22 05 09 │ …
//! └─ as 17 bytes before ─▸        └─ as 17 bytes before
//! ```
//! A compressor spends its time on finding what repeats. Whoever lays out a table knows.

use crate::bits::BitWriter;
use crate::deflate::{Block, Code, DISTANCE_MAX, Histogram, MATCH_MIN, Tokens};
use crate::processor::{BitWork, by_bits};

/// Bytes under way.
#[derive(Debug, Default)]
pub struct Hinted {
    bytes: Vec<u8>,
    /// Ascending places.
    hints: Vec<Hint>,
    /// Where bytes of another kind begin, ascending.
    turns: Vec<u32>,
}

/// The bytes at a place may be those of `back` bytes before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hint {
    pub(crate) at: u32,
    pub(crate) back: u32,
}

/// The longest match looked for.
const SAME_MAX: usize = 16;

/// Below as many bytes, a code of their own costs more than it gains.
const BLOCK_MIN: usize = 1_000;

/// Bytes that are looked at to train a code, in runs of as many hints, or of bytes where none are.
const SAMPLE_BYTES: usize = 16_384;
const SAMPLE_RUN: usize = 32;

impl Hinted {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Appends bytes of one kind; the places of `hints` are among them, ascending.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a tile holds less than 4 GiB"
    )]
    pub(crate) fn append(&mut self, bytes: &[u8], hints: &[Hint]) {
        let start = self.bytes.len() as u32;
        self.turns.push(start);
        self.bytes.extend_from_slice(bytes);
        let near = hints
            .iter()
            .filter(|hint| hint.back as usize <= DISTANCE_MAX);
        self.hints.extend(near.map(|&Hint { at, back }| {
            let at = start + at;
            Hint { at, back }
        }));
    }

    /// The gzip stream of the bytes.
    #[must_use]
    pub fn gzip(&self) -> Vec<u8> {
        by_bits(Gzip(self))
    }
}

struct Gzip<'a>(&'a Hinted);

impl BitWork for Gzip<'_> {
    type Done = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        let Self(hinted) = self;
        let mut out = Vec::with_capacity(hinted.bytes.len() / 2 + 256);
        out.extend(GZIP_HEADER);
        let mut bits = BitWriter::new(&mut out);
        let (mut start, mut first) = (0, 0);
        let ends = hinted.turns.iter().map(|turn| *turn as usize);
        let mut ends = ends.filter(|end| *end > BLOCK_MIN && hinted.bytes.len() - end > BLOCK_MIN);
        loop {
            let end = ends.by_ref().find(|end| end - start > BLOCK_MIN);
            let is_last = end.is_none();
            let end = end.unwrap_or(hinted.bytes.len());
            let hints = &hinted.hints[first..];
            let hints = &hints[..hints.partition_point(|hint| (hint.at as usize) < end)];
            let part = Part {
                bytes: &hinted.bytes[..end],
                start,
                hints,
            };
            let code = part.train();
            code.begin(is_last, &mut bits);
            part.tokens(&mut Block::new(&code, &mut bits));
            code.end(&mut bits);
            if is_last {
                break;
            }
            (start, first) = (end, first + hints.len());
        }
        bits.finish();
        put_trailer(&mut out, &hinted.bytes);
        out
    }
}

/// The bytes before a deflate stream: no name, no time, unknown system.
pub(crate) const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// What follows the deflate stream of `bytes`.
pub(crate) fn put_trailer(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 by definition")]
    out.extend((bytes.len() as u32).to_le_bytes());
}

/// What is written in one code.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Up to where the part ends.
    bytes: &'a [u8],
    start: usize,
    hints: &'a [Hint],
}

impl Part<'_> {
    /// A code for a sample of the part.
    fn train(&self) -> Code {
        let mut histogram = Histogram::new();
        let size = self.bytes.len() - self.start;
        let runs = size.div_ceil(SAMPLE_BYTES);
        if runs <= 1 {
            self.tokens(&mut histogram);
        } else if self.hints.len() < SAMPLE_RUN {
            for bytes in self.bytes[self.start..].chunks(SAMPLE_RUN).step_by(runs) {
                histogram.literals(bytes);
            }
        } else {
            for hints in self.hints.chunks(SAMPLE_RUN).step_by(runs) {
                let at = |hint: &Hint| hint.at as usize;
                let (start, end) = (at(&hints[0]), hints.last().map_or(0, at));
                let bytes = &self.bytes[..end];
                let hints = &hints[..hints.len() - 1];
                Part {
                    bytes,
                    start,
                    hints,
                }
                .tokens(&mut histogram);
            }
        }
        let farthest = self.hints.iter().map(|hint| hint.back as usize).max();
        Code::train(&histogram, Some(farthest.unwrap_or(0).max(SAME_MAX)))
    }

    #[inline(always)]
    fn tokens(&self, out: &mut impl Tokens) {
        let mut written = self.start;
        for (i, hint) in self.hints.iter().enumerate() {
            let (at, back) = (hint.at as usize, hint.back as usize);
            let until = self.hints.get(i + 1).map(|next| next.at as usize);
            let until = until.unwrap_or(self.bytes.len());
            let same = same(self.bytes, at, back).min(until - at);
            if same >= MATCH_MIN {
                out.literals(&self.bytes[written..at]);
                out.repeat(same, back);
                written = at + same;
            }
        }
        out.literals(&self.bytes[written..]);
    }
}

/// How many bytes at a place are those of `back` bytes before, up to [`SAME_MAX`].
fn same(bytes: &[u8], at: usize, back: usize) -> usize {
    let (now, before) = (&bytes[at..], &bytes[at - back..]);
    match (now.first_chunk::<SAME_MAX>(), before.first_chunk()) {
        (Some(now), Some(before)) => {
            let differ = u128::from_le_bytes(*now) ^ u128::from_le_bytes(*before);
            differ.trailing_zeros() as usize / 8
        }
        _ => now.iter().zip(before).take_while(|(a, b)| a == b).count(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn inflated(gzip: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(gzip);
        decoder.read_to_end(&mut bytes).expect("a gzip stream");
        bytes
    }

    /// Pieces of few letters, so that many repeat; of each whether it is hinted and a turn begins.
    fn pieces() -> impl Strategy<Value = Vec<(Vec<u8>, bool, bool)>> {
        let letters = prop_oneof![
            prop::collection::vec(0_u8..3, 0..30),
            prop::collection::vec(any::<u8>(), 0..30),
            Just(vec![7; 40]),
        ];
        let piece = (letters, any::<bool>(), prop::bool::weighted(0.02));
        prop::collection::vec(piece, 0..400)
    }

    fn hinted(pieces: &[(Vec<u8>, bool, bool)], back: impl Fn(usize) -> usize) -> Hinted {
        let mut hinted = Hinted::default();
        let (mut bytes, mut hints) = (Vec::new(), Vec::new());
        for (piece, is_hinted, is_turn) in pieces {
            if *is_turn {
                hinted.append(&bytes, &hints);
                bytes.clear();
                hints.clear();
            }
            if *is_hinted && bytes.len() + hinted.bytes().len() > 0 {
                let place = bytes.len() + hinted.bytes().len();
                let back = u32::try_from(back(place).clamp(1, place)).expect("small");
                let at = u32::try_from(bytes.len()).expect("small");
                hints.push(Hint { at, back });
            }
            bytes.extend(piece);
        }
        hinted.append(&bytes, &hints);
        hinted
    }

    proptest! {
        #[test]
        fn streams_inflate_to_the_bytes(pieces in pieces(), back in 1_usize..2_000) {
            let hinted = hinted(&pieces, |place| place % back + 1);
            let bytes: Vec<u8> = pieces.into_iter().flat_map(|(piece, ..)| piece).collect();
            prop_assert_eq!(hinted.bytes(), &bytes[..]);
            let gzip = hinted.gzip();
            prop_assert_eq!(&Gzip(&hinted).run(), &gzip, "on any processor");
            prop_assert_eq!(inflated(&gzip), &bytes[..]);
            let mut out = vec![0; bytes.len()];
            let length = libdeflater::Decompressor::new().gzip_decompress(&gzip, &mut out);
            prop_assert_eq!(length, Ok(bytes.len()));
            prop_assert_eq!(out, bytes);
        }
    }

    #[test]
    fn what_is_too_far_is_written_again() {
        let line: Vec<u8> = (0..=255).collect();
        for back in [32_768, 32_769, 40_000] {
            let mut hinted = Hinted::default();
            let bytes: Vec<u8> = line.iter().copied().cycle().take(50_000).collect();
            hinted.append(&bytes, &[Hint { at: 45_000, back }]);
            assert_eq!(inflated(&hinted.gzip()), bytes, "{back}");
        }
    }

    #[test]
    fn what_repeats_is_not_written_again() {
        let mut random = 1_u32;
        let mut noise = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_le_bytes()[3]
        };
        let line: Vec<u8> = (0..16).map(|_| noise()).collect();
        let bytes = line.repeat(4_000);
        let hints: Vec<Hint> = (1..4_000)
            .map(|i| Hint {
                at: 16 * i,
                back: 16,
            })
            .collect();
        let mut hinted = Hinted::default();
        hinted.append(&bytes, &hints);
        let gzip = hinted.gzip();
        // A length and a distance of each line: a bit and one more, a bit and two more.
        assert!(gzip.len() < 16 + 5 * 4_000 / 8 + 200, "{}", gzip.len());
        assert_eq!(inflated(&gzip), bytes);
    }
}
