//! Which area each contact lies in, and how many of those that pass lie in each.
//!
//! ```text
//! contacts, in Morton order  ▕ area 7 ▏▕ area 3  ▏▕ none ▏▕ area 7 ▏   runs: neighbours share areas
//! count of an area = Σ over its runs of rank(end) − rank(start)
//! ```
//! The runs depend on places and borders alone, so they are found once, and a new filter costs two
//! ranks a run. Borders are half-open: a place on a border that two areas share lies in one of
//! them, the one east or south of it. Where areas overlap, the first in the file has the place.

use rustc_hash::FxHashMap;

use super::morton::point_of;
use super::rank::RankedBitmap;
use crate::dataset::{GeometryError, Level};
use crate::geometry::{GridPoint, crosses_east_of};

/// Contacts whose candidates are looked up together.
const BLOCK: usize = 64;

/// Candidates of a block beyond which it is split.
const CANDIDATES: usize = 16;

/// Slabs of a shape at most.
const SLABS: usize = 4_096;

/// Stands for no area.
const NONE: u32 = u32::MAX;

/// The area of each contact of a set, at one level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Areas {
    /// One past the last contact of each run, ascending.
    ends: Vec<u32>,
    /// The area of each run, or [`NONE`]; never that of the run before.
    rows: Vec<u32>,
}

impl Areas {
    /// Of contacts at `keys`, which ascend.
    ///
    /// # Errors
    /// When the bytes of a shape near one are damaged.
    pub fn of(level: &Level, keys: &[u64]) -> Result<Self, GeometryError> {
        let mut finder = Finder {
            level,
            shapes: FxHashMap::default(),
        };
        let mut areas = Self::default();
        for block in keys.chunks(BLOCK) {
            finder.find(block, &mut areas)?;
        }
        Ok(areas)
    }

    /// Adds the contacts that come next.
    ///
    /// # Panics
    /// Beyond 2³² contacts.
    pub fn append(&mut self, next: &Self) {
        let before = self.len();
        for (end, row) in next.ends.iter().zip(&next.rows) {
            self.extend_to(before.checked_add(*end).expect("below 2^32"), *row);
        }
    }

    /// The area of a contact.
    #[must_use]
    pub fn get(&self, contact: u32) -> Option<usize> {
        let run = self.ends.partition_point(|end| *end <= contact);
        let row = self.rows.get(run).filter(|row| **row != NONE)?;
        Some(*row as usize)
    }

    /// By area how many of `passing` lie in it.
    #[must_use]
    pub fn counts(&self, passing: &RankedBitmap, areas: usize) -> Vec<u32> {
        let mut counts = vec![0; areas];
        let mut before = 0;
        for (end, row) in self.ends.iter().zip(&self.rows) {
            let upto = passing.rank(*end);
            if let Some(count) = counts.get_mut(*row as usize) {
                *count += upto - before;
            }
            before = upto;
        }
        counts
    }

    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ends) + size_of_val(&*self.rows)
    }

    fn len(&self) -> u32 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn push(&mut self, row: u32, contacts: usize) {
        let contacts = u32::try_from(contacts).expect("a block is short");
        self.extend_to(self.len() + contacts, row);
    }

    fn extend_to(&mut self, end: u32, row: u32) {
        match (self.rows.last(), self.ends.last_mut()) {
            (Some(last), Some(last_end)) if *last == row => *last_end = end,
            _ => {
                self.ends.push(end);
                self.rows.push(row);
            }
        }
    }
}

/// Finds areas, and keeps the shapes it has met.
struct Finder<'a> {
    level: &'a Level,
    shapes: FxHashMap<u32, Slabs>,
}

impl Finder<'_> {
    fn find(&mut self, keys: &[u64], areas: &mut Areas) -> Result<(), GeometryError> {
        let points = keys.iter().map(|key| point_of(*key));
        let Some(bounds) = points.map(|p| [p.x, p.y, p.x, p.y]).reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        }) else {
            return Ok(());
        };
        let mut candidates = Vec::new();
        self.level.rows_in(bounds, &mut candidates);
        if candidates.is_empty() {
            areas.push(NONE, keys.len());
            return Ok(());
        }
        if candidates.len() > CANDIDATES && keys.len() > 1 {
            let (first, second) = keys.split_at(keys.len() / 2);
            self.find(first, areas)?;
            return self.find(second, areas);
        }
        for key in keys {
            let point = point_of(*key);
            let mut found = NONE;
            for &row in &candidates {
                if self.holds(row, point)? {
                    found = row;
                    break;
                }
            }
            areas.push(found, 1);
        }
        Ok(())
    }

    fn holds(&mut self, row: u32, p: GridPoint) -> Result<bool, GeometryError> {
        let [x_min, y_min, x_max, y_max] = self.level.bounds_of(row as usize);
        if !(x_min..=x_max).contains(&p.x) || !(y_min..=y_max).contains(&p.y) {
            return Ok(false);
        }
        if let Some(shape) = self.shapes.get(&row) {
            return Ok(shape.hold(p));
        }
        let shape = Slabs::of(self.level, row as usize)?;
        let holds = shape.hold(p);
        self.shapes.insert(row, shape);
        Ok(holds)
    }
}

/// A shape's edges by horizontal slabs: a place meets only those of its own.
struct Slabs {
    top: i32,
    /// Height of a slab in bits.
    bits: u32,
    /// Where each slab's edges start, and the end.
    starts: Vec<u32>,
    edges: Vec<[GridPoint; 2]>,
}

impl Slabs {
    fn of(level: &Level, row: usize) -> Result<Self, GeometryError> {
        let mut edges: Vec<[GridPoint; 2]> = Vec::new();
        level.for_each_edge(row, |a, b| {
            // No ray runs into a level edge.
            if a.y != b.y {
                edges.push(if a.y < b.y { [a, b] } else { [b, a] });
            }
        })?;
        let top = edges.iter().map(|[a, _]| a.y).min().unwrap_or(0);
        let bottom = edges.iter().map(|[_, b]| b.y).max().unwrap_or(top);
        let height = bottom.abs_diff(top) as usize;
        let slabs_max = (edges.len() / 2).clamp(1, SLABS);
        let bits = (0..32).find(|bits| height >> bits < slabs_max);
        let mut slabs = Self {
            top,
            bits: bits.unwrap_or(31),
            starts: Vec::new(),
            edges: Vec::new(),
        };
        let slots = (height >> slabs.bits) + 1;
        let mut members: Vec<(usize, u32)> = Vec::with_capacity(edges.len() * 5 / 4);
        for (i, [a, b]) in (0..).zip(&edges) {
            // The lower end is not of the edge.
            for slab in slabs.slab(a.y)..=slabs.slab(b.y - 1) {
                members.push((slab, i));
            }
        }
        members.sort_unstable();
        let mut at = 0;
        for slab in 0..=slots {
            while members.get(at).is_some_and(|(of, _)| *of < slab) {
                at += 1;
            }
            slabs.starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let sorted = members.iter().map(|(_, i)| edges[*i as usize]);
        slabs.edges = sorted.collect();
        Ok(slabs)
    }

    fn slab(&self, y: i32) -> usize {
        (y.abs_diff(self.top) >> self.bits) as usize
    }

    fn hold(&self, p: GridPoint) -> bool {
        if p.y < self.top {
            return false;
        }
        let slab = self.slab(p.y);
        let (Some(start), Some(end)) = (self.starts.get(slab), self.starts.get(slab + 1)) else {
            return false;
        };
        let near = &self.edges[*start as usize..*end as usize];
        let crossed = near.iter().filter(|[a, b]| crosses_east_of(p, *a, *b));
        crossed.count() % 2 == 1
    }
}

#[cfg(test)]
pub(super) mod tests;
