//! The order of a level's keys and names, so that a tile sorts numbers instead of texts.

use super::Level;

/// Per row the ranks of its key and its name among all of the level's, by length, then by bytes;
/// equal texts have equal ranks.
#[derive(Debug)]
pub(crate) struct TextRanks {
    pub(crate) keys: Vec<u32>,
    pub(crate) names: Vec<u32>,
}

impl TextRanks {
    pub(super) fn build(level: &Level) -> Self {
        let rows = level.rows();
        let text = |slot: usize| {
            if slot < rows {
                level.key(slot)
            } else {
                level.name(slot - rows)
            }
        };
        let mut order: Vec<(u128, usize)> = (0..2 * rows).map(|i| (prefix(text(i)), i)).collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| text(a.1).cmp(text(b.1))));
        let mut ranks = vec![0; 2 * rows];
        let mut rank = 0;
        for pair in order.windows(2) {
            let [(a, i), (b, j)] = pair else { continue };
            rank += u32::from(a != b || text(*i) != text(*j));
            ranks[*j] = rank;
        }
        let names = ranks.split_off(rows);
        Self { keys: ranks, names }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(self.keys.as_slice()) + size_of_val(self.names.as_slice())
    }
}

/// The length and the first twelve bytes: enough to order most texts.
fn prefix(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    for (to, from) in bytes[4..].iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}
