//! Length-limited Huffman codes (RFC 1951, section 3.2.2).

/// Optimal code lengths for `weights`, none beyond `max`; a weight of zero gets no code.
pub(crate) fn code_lengths<const N: usize>(weights: &[u32; N], max: u8) -> [u8; N] {
    // Weight and symbol in one number, so that sorting compares once. Most weigh one, for not
    // having been seen: they are in order already.
    let mut leaves = [0_u64; N];
    let mut count = 0;
    for (symbol, _) in weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight == 1)
    {
        leaves[count] = 1 << 16 | symbol as u64;
        count += 1;
    }
    let light = count;
    for (symbol, &weight) in weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 1)
    {
        leaves[count] = u64::from(weight) << 16 | symbol as u64;
        count += 1;
    }
    let leaves = &mut leaves[..count];
    leaves[light..].sort_unstable();
    let symbol = |leaf: u64| (leaf & 0xffff) as usize;
    let mut lengths = [0; N];
    if let [only] = leaves {
        lengths[symbol(*only)] = 1;
    }
    if count < 2 {
        return lengths;
    }
    let mut counts = length_counts(leaves, light, max);
    // The rarest get the longest.
    let mut length = max;
    for &leaf in leaves.iter() {
        while counts[usize::from(length)] == 0 {
            length -= 1;
        }
        counts[usize::from(length)] -= 1;
        lengths[symbol(leaf)] = length;
    }
    lengths
}

/// From so many on, leaves of weight one share one branch: as good as alone to within a bit of
/// what hardly ever occurs, and most of the work saved.
const BRANCH_MIN: usize = 32;

/// How many codes of each length a good code has, for at least two ascending leaves, of which the
/// first `light` weigh one.
#[expect(clippy::cast_possible_truncation, reason = "a few hundred leaves")]
fn length_counts(leaves: &[u64], light: usize, max: u8) -> [u32; 16] {
    let max = usize::from(max);
    let mut counts = [0_u32; 16];
    let mut count_at = |depth: usize, leaves: usize| counts[depth.min(max)] += leaves as u32;
    let weight = |leaf: &u64| leaf >> 16;
    if light < BRANCH_MIN {
        let weights: Vec<u64> = leaves.iter().map(weight).collect();
        for depth in depths(&weights) {
            count_at(depth, 1);
        }
    } else {
        // The branch is a leaf among the others.
        let heavy = &leaves[light..];
        let place = heavy.partition_point(|leaf| weight(leaf) < light as u64);
        let mut weights: Vec<u64> = heavy.iter().map(weight).collect();
        weights.insert(place, light as u64);
        // Within it, all are as deep as each other or one deeper.
        let below = light.next_power_of_two();
        let levels = below.ilog2() as usize;
        for (i, depth) in depths(&weights).enumerate() {
            if i == place {
                count_at(depth + levels, 2 * light - below);
                count_at((depth + levels).saturating_sub(1), below - light);
            } else {
                count_at(depth, 1);
            }
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

/// The depth of each leaf in an optimal tree, for ascending weights.
fn depths(weights: &[u64]) -> impl Iterator<Item = usize> {
    // Two queues: leaves, and the nodes made of two lighter ones, which come out ascending too.
    // Nodes are numbered after the leaves; the last is the root.
    let count = weights.len();
    let mut nodes: Vec<u64> = Vec::with_capacity(count);
    let mut parents = vec![0_u16; 2 * count - 1];
    let (mut leaf, mut node) = (0, 0);
    for parent in (0..).skip(count).take(count - 1) {
        let mut weight = 0;
        for _ in 0..2 {
            let light = weights.get(leaf).copied().unwrap_or(u64::MAX);
            let made = nodes.get(node).copied().unwrap_or(u64::MAX);
            if light <= made {
                weight += light;
                parents[leaf] = parent;
                leaf += 1;
            } else {
                weight += made;
                parents[count + node] = parent;
                node += 1;
            }
        }
        nodes.push(weight);
    }
    let mut depths = vec![0_u16; 2 * count - 1];
    for node in (0..2 * count - 2).rev() {
        depths[node] = depths[usize::from(parents[node])] + 1;
    }
    depths.truncate(count);
    depths.into_iter().map(usize::from)
}

/// The canonical code of `lengths`, each word's first bit lowest.
pub(crate) fn code_words<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut counts = [0_u16; 16];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let mut next = [0_u16; 17];
    for length in 1..16 {
        next[length + 1] = (next[length] + counts[length]) << 1;
    }
    let mut words = [0; N];
    for (word, &length) in words.iter_mut().zip(lengths).filter(|(_, l)| **l > 0) {
        let bits = &mut next[usize::from(length)];
        *word = bits.reverse_bits() >> (16 - length);
        *bits += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_example_of_the_rfc() {
        let lengths = [3, 3, 3, 3, 3, 2, 4, 4];
        let words = code_words(&lengths);
        let text = |i: usize| -> String {
            let bit = |b: u8| if words[i] >> b & 1 == 1 { '1' } else { '0' };
            (0..lengths[i]).map(bit).collect()
        };
        let expected = ["010", "011", "100", "101", "110", "00", "1110", "1111"];
        assert!((0..8).map(text).eq(expected));
    }
}
