//! The fewest and the most contacts in a cell of each tile zoom, from one pass over sorted keys.

use super::cells::CELL_BITS;
use crate::geometry::WORLD_BITS;
use crate::tile::ZOOM_MAX;

/// Least and greatest count of the cells that hold any, for each zoom from 0 to [`ZOOM_MAX`];
/// `None` when there are no `keys`, which ascend.
#[must_use]
pub fn cell_ranges(keys: impl Iterator<Item = u64>) -> Option<Vec<[u32; 2]>> {
    let mut ranges = vec![[u32::MAX, 0]; usize::from(ZOOM_MAX) + 1];
    // Contacts of the cell under way, by zoom.
    let mut counts = vec![0_u32; ranges.len()];
    let mut last: Option<u64> = None;
    for key in keys {
        if let Some(last) = last {
            // Cells of these zooms and deeper end between the two keys.
            let shared = (last ^ key).leading_zeros() - (64 - 2 * WORLD_BITS);
            let first_apart = (shared / 2 + 1).saturating_sub(CELL_BITS) as usize;
            if last != key && first_apart < ranges.len() {
                close(&mut ranges[first_apart..], &mut counts[first_apart..]);
            }
        }
        for count in &mut counts {
            *count += 1;
        }
        last = Some(key);
    }
    last?;
    close(&mut ranges, &mut counts);
    Some(ranges)
}

fn close(ranges: &mut [[u32; 2]], counts: &mut [u32]) {
    for (range, count) in ranges.iter_mut().zip(counts) {
        *range = [range[0].min(*count), range[1].max(*count)];
        *count = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::density::morton::KEY_END;

    proptest! {
        #[test]
        fn ranges_are_those_of_a_scan(
            mut keys in prop::collection::vec(prop_oneof![0..KEY_END, 9_000_000_000..9_000_090_000_u64], 1..200),
        ) {
            keys.sort_unstable();
            let found = cell_ranges(keys.iter().copied()).expect("there are keys");
            for (zoom, range) in (0..).zip(found) {
                let mut cells: BTreeMap<u64, u32> = BTreeMap::new();
                for key in &keys {
                    *cells.entry(key >> (2 * (WORLD_BITS - CELL_BITS - zoom))).or_default() += 1;
                }
                let least = cells.values().min().copied().expect("there are keys");
                let most = cells.values().max().copied().expect("there are keys");
                prop_assert_eq!(range, [least, most]);
            }
        }
    }

    #[test]
    fn no_keys_no_range() {
        assert_eq!(cell_ranges(std::iter::empty()), None);
    }
}
