//! The file's packed R-tree, its bounds held on the world grid.
//!
//! ```text
//! level 2            ┌ root ┐                 nodes are numbered root first, as in the file;
//! level 1     ┌──────┤      ├──────┐          node i of a level has the children
//! level 0   leaf leaf …           leaf        16·i .. 16·i + 16 of the level below
//! ```
//! The file repeats a child's number in every node; opening checks them all, so that a walk needs
//! none and cannot loop. Sixteen bytes a node make a walk touch 2.5 times fewer cache lines than
//! the file's forty.

use std::ops::Range;

use super::fgb::{FgbError, NODE_BYTES, NODE_SIZE};
use crate::geometry::GridPoint;
use crate::mercator::grid_from_metres;

/// Bounds on the world grid, `[x_min, y_min, x_max, y_max]`, inclusive.
pub(crate) type Bounds = [i32; 4];

#[derive(Debug)]
pub(crate) struct PackedIndex {
    /// Per node, in the file's order.
    bounds: Vec<Bounds>,
    /// Nodes of each level, leaves first.
    levels: Vec<Range<usize>>,
}

impl PackedIndex {
    /// `bytes` start with the index and may go on. `rows` is not 0.
    pub(super) fn open(bytes: &[u8], rows: usize) -> Result<Self, FgbError> {
        let levels = levels(rows);
        let nodes = levels[0].end;
        let file = bytes.as_chunks::<NODE_BYTES>().0;
        let file = file.get(..nodes).ok_or(FgbError::IndexTruncated)?;
        let bounds = file.iter().map(bounds_of).collect::<Vec<_>>();
        for (children, parents) in levels.iter().zip(&levels[1..]) {
            let first_children = (children.start..).step_by(usize::from(NODE_SIZE));
            for (node, child) in parents.clone().zip(first_children) {
                let stored = file[node].last_chunk().expect("8 of 40");
                if u64::from_le_bytes(*stored) != child as u64 {
                    return Err(FgbError::IndexNode(node));
                }
            }
        }
        Ok(Self { bounds, levels })
    }

    /// Bytes of the index in the file.
    pub(super) fn file_bytes(&self) -> usize {
        self.bounds.len() * NODE_BYTES
    }

    /// Of the level as a whole.
    pub(super) fn extent(&self) -> Bounds {
        self.bounds[0]
    }

    /// Per row.
    pub(crate) fn leaves(&self) -> &[Bounds] {
        &self.bounds[self.levels[0].clone()]
    }

    /// Puts the rows whose bounds touch `bounds` into `rows`, ascending.
    pub(crate) fn search(&self, bounds: Bounds, rows: &mut Vec<u32>) {
        rows.clear();
        if !touches(self.bounds[0], bounds) {
            return;
        }
        // Numbers of the touching nodes of one level, within that level.
        let mut parents: Vec<u32> = Vec::new();
        rows.push(0);
        for level in self.levels.iter().rev().skip(1) {
            std::mem::swap(&mut parents, rows);
            rows.clear();
            let nodes = &self.bounds[level.clone()];
            for &parent in &parents {
                let first = parent as usize * usize::from(NODE_SIZE);
                let last = nodes.len().min(first + usize::from(NODE_SIZE));
                let children = (parent * u32::from(NODE_SIZE)..).zip(&nodes[first..last]);
                rows.extend(
                    children
                        .filter(|(_, node)| touches(**node, bounds))
                        .map(|(number, _)| number),
                );
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(self.bounds.as_slice())
    }
}

pub(crate) fn touches(a: Bounds, b: Bounds) -> bool {
    a[0] <= b[2] && a[1] <= b[3] && a[2] >= b[0] && a[3] >= b[1]
}

/// Nodes of each level, leaves first; the root has number 0.
fn levels(rows: usize) -> Vec<Range<usize>> {
    let mut counts = vec![rows];
    let mut count = rows;
    while count > 1 || counts.len() == 1 {
        count = count.div_ceil(usize::from(NODE_SIZE));
        counts.push(count);
    }
    let mut end: usize = counts.iter().sum();
    let mut levels = Vec::with_capacity(counts.len());
    for count in counts {
        levels.push(end - count..end);
        end -= count;
    }
    levels
}

fn bounds_of(node: &[u8; NODE_BYTES]) -> Bounds {
    let metres = |at: usize| f64::from_le_bytes(*node[at..].first_chunk().expect("8 of 40"));
    let north_west = grid_from_metres(metres(0), metres(24));
    let south_east = grid_from_metres(metres(16), metres(8));
    [north_west.x, north_west.y, south_east.x, south_east.y]
}

/// The bounds that hold one point.
pub(crate) fn around(point: GridPoint) -> Bounds {
    [point.x, point.y, point.x, point.y]
}
