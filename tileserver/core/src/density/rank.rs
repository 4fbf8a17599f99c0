//! A bitmap that counts: how many of its bits lie before a position, in constant time.

use crate::bitmap::Bitmap;

/// Words between two stored counts: 512 bits, one cache line.
const BLOCK_WORDS: usize = 8;

/// A bitmap with one count per 512 bits (6 % on top of the bits).
#[derive(Debug, Clone)]
pub struct RankedBitmap {
    bitmap: Bitmap,
    /// Bits set before each block; the last entry is the total.
    before: Vec<u32>,
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
        let mut sum = 0;
        before.push(0);
        for block in bitmap.words().chunks(BLOCK_WORDS) {
            sum += block.iter().map(|word| word.count_ones()).sum::<u32>();
            before.push(sum);
        }
        Self { bitmap, before }
    }

    #[must_use]
    pub fn bitmap(&self) -> &Bitmap {
        &self.bitmap
    }

    /// Bits set at positions below `position`; positions beyond the end count as the end.
    #[must_use]
    pub fn rank(&self, position: u32) -> u32 {
        let position = (position as usize).min(self.bitmap.len());
        let word = position / 64;
        let block = word / BLOCK_WORDS;
        let words = self.bitmap.words();
        let mut sum = self.before[block];
        for whole in &words[block * BLOCK_WORDS..word] {
            sum += whole.count_ones();
        }
        let bits = position % 64;
        if bits > 0 {
            sum += (words[word] & ((1 << bits) - 1)).count_ones();
        }
        sum
    }

    /// Bits set in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.before.last().copied().unwrap_or(0)
    }

    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bitmap.heap_bytes() + self.before.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rank_counts_the_bits_before(bits in prop::collection::vec(any::<bool>(), 0..3000)) {
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
        }
    }
}
