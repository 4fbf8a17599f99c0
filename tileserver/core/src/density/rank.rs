//! A bitmap that counts: how many of its bits lie before a position, in constant time.
//!
//! ```text
//! words    ▕ 0 ▏ 1 ▏ 2 ▏ … ▏ 7 ▏ 8 ▏ …        64 bits each
//! before   ▕ all bits before the block  ▏ …    32 bits a block of eight words
//! within   ▕ of the block before word 1…7 ▏ …  nine bits each, one word a block
//! ```
//! Vigna 2008, *Broadword implementation of rank/select queries*: one word's bits are left to count.

use crate::bitmap::Bitmap;

/// Words between two stored counts: 512 bits, one cache line.
const BLOCK_WORDS: usize = 8;

/// A bitmap with its counts, 19 % on top of the bits.
#[derive(Debug, Clone)]
pub struct RankedBitmap {
    bitmap: Bitmap,
    /// Bits set before each block; the last entry is the total.
    before: Vec<u32>,
    /// Bits of the block set before each of its words but the first; the last entry is 0.
    within: Vec<u64>,
}

impl RankedBitmap {
    /// # Panics
    /// Beyond 2³² − 1 bits.
    #[must_use]
    pub fn new(bitmap: Bitmap) -> Self {
        assert!(
            u32::try_from(bitmap.len()).is_ok(),
            "counts are 32 bits wide"
        );
        let blocks = bitmap.words().len().div_ceil(BLOCK_WORDS);
        let mut before = Vec::with_capacity(blocks + 1);
        let mut within = Vec::with_capacity(blocks + 1);
        let mut sum = 0;
        for block in bitmap.words().chunks(BLOCK_WORDS) {
            before.push(sum);
            let (mut counts, mut inside) = (0, 0);
            // Words beyond the last count for nothing, and are asked for where it is full.
            for word in 0..BLOCK_WORDS {
                counts |= u64::from(inside) << shift_of(word);
                inside += block.get(word).map_or(0, |bits| bits.count_ones());
            }
            within.push(counts);
            sum += inside;
        }
        before.push(sum);
        within.push(0);
        Self {
            bitmap,
            before,
            within,
        }
    }

    #[must_use]
    pub fn bitmap(&self) -> &Bitmap {
        &self.bitmap
    }

    /// Bits set at positions below `position`; positions beyond the end count as the end.
    #[must_use]
    #[inline]
    pub fn rank(&self, position: u32) -> u32 {
        let position = (position as usize).min(self.bitmap.len());
        let word = position / 64;
        let block = word / BLOCK_WORDS;
        let within = self.within[block] >> shift_of(word % BLOCK_WORDS) & 0x1ff;
        let sum = self.before[block] + within as u32;
        match position % 64 {
            0 => sum,
            bits => sum + (self.bitmap.words()[word] & ((1 << bits) - 1)).count_ones(),
        }
    }

    /// Bits set in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.before.last().copied().unwrap_or(0)
    }

    /// Whether every bit is set, so that a position is its own rank.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.total() as usize == self.bitmap.len()
    }

    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bitmap.heap_bytes() + self.before.len() * 4 + self.within.len() * 8
    }
}

/// Where a word's count is in its block's; the first word's is the top bit, which is 0.
fn shift_of(word: usize) -> usize {
    9 * ((word + 7) % BLOCK_WORDS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rank_counts_the_bits_before(bits in prop_oneof![
            prop::collection::vec(any::<bool>(), 0..3000),
            prop::collection::vec(Just(true), 0..1100),
        ]) {
            let mut bitmap = Bitmap::empty(bits.len());
            for (row, _) in bits.iter().enumerate().filter(|(_, set)| **set) {
                bitmap.insert(row);
            }
            let ranked = RankedBitmap::new(bitmap);
            let mut sum = 0;
            for (position, set) in (0_u32..).zip(&bits) {
                prop_assert_eq!(ranked.rank(position), sum);
                sum += u32::from(*set);
            }
            prop_assert_eq!(ranked.rank(u32::MAX), sum);
            prop_assert_eq!(ranked.total(), sum);
            prop_assert_eq!(ranked.is_full(), sum as usize == bits.len());
        }
    }
}
