//! Bit strings, low bit first, as deflate reads them.

/// Appends bit strings to bytes.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes that were there before.
    start: usize,
    /// Bits not yet in `out`, low first; those beyond `pending` are zero.
    rest: u64,
    /// Below 64.
    pending: u32,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            start: out.len(),
            out,
            rest: 0,
            pending: 0,
        }
    }

    /// Appends the low `count` bits of `bits`; those beyond are zero, and `count` is at most 64.
    #[inline(always)]
    pub(crate) fn push(&mut self, bits: u64, count: u32) {
        self.rest |= bits << self.pending;
        let pending = self.pending + count;
        if pending < 64 {
            self.pending = pending;
            return;
        }
        self.out.extend_from_slice(&self.rest.to_le_bytes());
        self.rest = bits.checked_shr(64 - self.pending).unwrap_or(0);
        self.pending = pending - 64;
    }

    /// Appends the first `count` bits of `words`; those beyond in the last word are zero.
    #[inline(always)]
    pub(crate) fn append(&mut self, words: &[u64], count: usize) {
        let (whole, rest) = words.split_at(count / 64);
        if self.pending == 0 {
            self.out
                .extend(whole.iter().flat_map(|word| word.to_le_bytes()));
        } else {
            let start = self.out.len();
            self.out.resize(start + whole.len() * 8, 0);
            let mut carry = self.rest;
            for (out, word) in self.out[start..].as_chunks_mut().0.iter_mut().zip(whole) {
                *out = (carry | word << self.pending).to_le_bytes();
                carry = word >> (64 - self.pending);
            }
            self.rest = carry;
        }
        if let Some(&last) = rest.first().filter(|_| !count.is_multiple_of(64)) {
            #[expect(clippy::cast_possible_truncation, reason = "below 64")]
            self.push(last, (count % 64) as u32);
        }
    }

    /// Fills the last byte with zeros and returns the bits written before.
    pub(crate) fn finish(self) -> usize {
        let bits = (self.out.len() - self.start) * 8 + self.pending as usize;
        let bytes = self.pending.div_ceil(8) as usize;
        self.out
            .extend_from_slice(&self.rest.to_le_bytes()[..bytes]);
        bits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_follow_each_other(strings in prop::collection::vec(
            (prop::collection::vec(any::<u64>(), 0..5), 0..64_usize, any::<bool>()), 0..20)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            let mut expected: Vec<bool> = Vec::new();
            for (mut words, cut, one_by_one) in strings {
                let count = (words.len() * 64).saturating_sub(cut);
                if let Some(last) = words.last_mut() {
                    *last = *last << cut >> cut;
                }
                expected.extend((0..count).map(|i| words[i / 64] >> (i % 64) & 1 == 1));
                if one_by_one {
                    for (i, word) in words.iter().enumerate() {
                        let bits = (count - i * 64).min(64);
                        writer.push(*word, u32::try_from(bits).unwrap());
                    }
                } else {
                    writer.append(&words, count);
                }
            }
            writer.finish();
            prop_assert_eq!(bytes.len(), expected.len().div_ceil(8));
            expected.resize(bytes.len() * 8, false);
            let found = bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1));
            prop_assert!(found.eq(expected));
        }
    }
}
