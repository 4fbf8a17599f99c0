//! Sorting by a whole number, a few of its bits at a time.

use std::ops::Range;

/// Most bits of a pass: so many counts stay in the nearest cache.
const DIGIT_BITS_MAX: u32 = 11;

/// Orders `values` by these bits of their keys; equal ones stay in their order.
///
/// # Panics
/// With 2³² values or more.
#[expect(clippy::cast_possible_truncation, reason = "a digit has few bits")]
pub fn sort_by_bits<T: Copy + Default>(
    values: &mut Vec<T>,
    bits: Range<u32>,
    key: impl Fn(&T) -> u64,
) {
    let count = u32::try_from(values.len()).expect("fewer than 2^32 values");
    let mut spare = vec![T::default(); values.len()];
    let width = bits.end - bits.start;
    let passes = width.div_ceil(DIGIT_BITS_MAX);
    let digit_bits = width.div_ceil(passes.max(1));
    for pass in 0..passes {
        let shift = bits.start + pass * digit_bits;
        let mask = (1 << digit_bits.min(bits.end - shift)) - 1;
        let digit = |value: &T| (key(value) >> shift & mask) as usize;
        let mut next = [0; 1 << DIGIT_BITS_MAX];
        for value in &*values {
            next[digit(value)] += 1;
        }
        if next.contains(&count) {
            continue;
        }
        let mut sum = 0;
        for count in &mut next {
            sum += std::mem::replace(count, sum);
        }
        for &value in &*values {
            let at = &mut next[digit(&value)];
            spare[*at as usize] = value;
            *at += 1;
        }
        std::mem::swap(values, &mut spare);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_bits_stay_in_their_order(
            keys in prop::collection::vec(
                prop_oneof![any::<u64>(), (0_u64..40).prop_map(|key| key << 30)], 0..500),
            start in 0_u32..64,
            width in 0_u32..64,
        ) {
            let bits = start..(start + width).min(64);
            let mut values: Vec<(u64, u32)> = keys.into_iter().zip(0..).collect();
            let mut expected = values.clone();
            let mask = (1_u128 << (bits.end - bits.start)) - 1;
            expected.sort_by_key(|(key, _)| u128::from(*key) >> bits.start & mask);
            sort_by_bits(&mut values, bits, |(key, _)| *key);
            prop_assert_eq!(values, expected);
        }
    }
}
