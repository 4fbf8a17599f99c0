//! From which zoom a vertex is kept: Visvalingam–Whyatt effective area, once per arc.
//!
//! M. Visvalingam and J. D. Whyatt, "Line generalisation by repeated elimination of points"
//! (1993): drop the vertex whose triangle with its neighbours is smallest, again and again. A
//! vertex of effective area A (world square = 1) is kept from zoom `½·log2(32 / (A·4096²))`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;
use tilecore::geometry::{GridPoint, M_MAX};

use super::arcs::{ArcUse, Arcs};
use super::crossing::orientation;
use super::layout::Layout;

/// Vertices a ring keeps at every zoom.
pub(super) const RING_MIN: usize = 3;

/// Sets the weights of all arcs.
pub(super) fn weigh(arcs: &mut Arcs, layout: &Layout) {
    let Arcs { points, m, starts } = arcs;
    let mut rest = m.as_mut_slice();
    let mut spans = Vec::with_capacity(starts.len());
    for ends in starts.windows(2) {
        let (span, behind) = rest.split_at_mut(ends[1] - ends[0]);
        spans.push((&points[ends[0]..ends[1]], span));
        rest = behind;
    }
    spans
        .into_par_iter()
        .for_each_init(Eliminator::default, |eliminator, (points, m)| {
            m.copy_from_slice(eliminator.weigh(points));
        });
    let kept: Vec<usize> = (0..layout.rings())
        .into_par_iter()
        .flat_map_iter(|ring| most_significant(arcs, layout.uses_of_ring(ring)))
        .collect();
    for vertex in kept {
        arcs.m[vertex] = 0;
    }
}

/// Vertices a ring must keep besides those it always keeps, so that it has three.
fn most_significant(arcs: &Arcs, uses: &[ArcUse]) -> Vec<usize> {
    let always = arcs.walk(uses).filter(|&v| arcs.m[v] == 0);
    let missing = RING_MIN - always.take(RING_MIN).count();
    if missing == 0 {
        return Vec::new();
    }
    let mut others: Vec<usize> = arcs.walk(uses).filter(|&v| arcs.m[v] > 0).collect();
    others.sort_unstable_by_key(|&v| (arcs.m[v], arcs.points[v]));
    others.truncate(missing);
    others
}

/// Reusable buffers of the elimination.
#[derive(Debug, Default)]
struct Eliminator {
    previous: Vec<u32>,
    next: Vec<u32>,
    /// Twice the area of each vertex's present triangle.
    area: Vec<u64>,
    m: Vec<u16>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// The vertices that are left of a short arc.
    left: Vec<usize>,
}

/// Up to this many vertices, looking at all that are left is faster than keeping a heap.
const SHORT_MAX: usize = 48;

impl Eliminator {
    /// The weights of an arc's vertices.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an arc has fewer than 2^32 vertices"
    )]
    fn weigh(&mut self, arc: &[GridPoint]) -> &[u16] {
        self.m.clear();
        self.m.resize(arc.len(), 0);
        if arc.len() <= SHORT_MAX {
            self.weigh_short(arc);
            return &self.m;
        }
        let n = arc.len() as u32;
        self.previous.clear();
        self.previous.extend((0..n).map(|i| i.wrapping_sub(1)));
        self.next.clear();
        self.next.extend(1..=n);
        self.area.clear();
        self.area.resize(arc.len(), 0);
        self.heap.clear();
        for i in 1..n.saturating_sub(1) {
            self.push(arc, i);
        }
        let mut effective = 0;
        while let Some(Reverse((area, i))) = self.heap.pop() {
            let at = i as usize;
            if self.area[at] != area || self.next[at] == 0 {
                continue;
            }
            effective = area.max(effective);
            self.m[at] = zoom_sixteenths(effective);
            let (before, after) = (self.previous[at], self.next[at]);
            self.next[at] = 0;
            self.next[before as usize] = after;
            self.previous[after as usize] = before;
            for neighbour in [before, after] {
                if neighbour > 0 && neighbour < n - 1 {
                    self.push(arc, neighbour);
                }
            }
        }
        &self.m
    }

    fn weigh_short(&mut self, arc: &[GridPoint]) {
        let Self { left, area, m, .. } = self;
        left.clear();
        left.extend(0..arc.len());
        let double_area = |left: &[usize], i: usize| {
            orientation(arc[left[i - 1]], arc[left[i]], arc[left[i + 1]]).unsigned_abs()
        };
        // The ends are never the least.
        let is_end = |i: usize| i == 0 || i + 1 == arc.len();
        area.clear();
        area.extend((0..arc.len()).map(|i| {
            if is_end(i) {
                u64::MAX
            } else {
                double_area(left, i)
            }
        }));
        let mut effective = 0;
        while left.len() > 2 {
            // Of equal ones the first.
            let (mut least, mut of) = (1, area[1]);
            for (i, area) in area.iter().enumerate().skip(2) {
                if *area < of {
                    (least, of) = (i, *area);
                }
            }
            effective = of.max(effective);
            m[left[least]] = zoom_sixteenths(effective);
            left.remove(least);
            area.remove(least);
            for i in [least - 1, least] {
                if i > 0 && i + 1 < left.len() {
                    area[i] = double_area(left, i);
                }
            }
        }
    }

    fn push(&mut self, arc: &[GridPoint], i: u32) {
        let at = i as usize;
        let (before, after) = (self.previous[at] as usize, self.next[at] as usize);
        let area = orientation(arc[before], arc[at], arc[after]).unsigned_abs();
        self.area[at] = area;
        self.heap.push(Reverse((area, i)));
    }
}

/// 2^(i/8) in units of 2⁻⁶³, rounded up.
const EIGHTHS: [u64; 8] = [
    0x8000_0000_0000_0000,
    0x8b95_c1e3_ea8b_d6e7,
    0x9837_f051_8db8_a970,
    0xa5fe_d6a9_b151_38eb,
    0xb504_f333_f9de_6485,
    0xc567_2a11_5506_dade,
    0xd744_fcca_d69d_6af5,
    0xeac0_c6e7_dd24_392f,
];

/// The zoom of an effective area in sixteenths, rounded up, given twice the area in cells².
///
/// In cells² of 2⁻⁶⁰ the zoom is `½·(42 − log2(double_area))`. All on integers, so that every
/// machine writes the same file.
fn zoom_sixteenths(double_area: u64) -> u16 {
    if double_area == 0 {
        return M_MAX;
    }
    let octave = double_area.ilog2();
    let mantissa = double_area << (63 - octave);
    // ⌊8·log2⌋: rounding the logarithm down rounds the zoom up.
    let eighths = EIGHTHS.partition_point(|bound| *bound <= mantissa) - 1;
    let log = u64::from(octave) * 8 + eighths as u64;
    u16::try_from((42 * 8_u64).saturating_sub(log)).map_or(M_MAX, |m| m.min(M_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoom_agrees_with_the_formula() {
        for shift in 0..62 {
            for add in [0_u64, 1, 12_345, (1 << shift) / 3, (1 << shift) - 1] {
                let double = (1_u64 << shift) + add % (1 << shift);
                #[expect(clippy::cast_precision_loss, reason = "the test compares to 1e-9")]
                let world = double as f64 / 2.0 / 2.0_f64.powi(60);
                let zoom = 0.5 * (32.0 / (world * 4096.0 * 4096.0)).log2();
                let exact = (zoom * 16.0).clamp(0.0, f64::from(M_MAX));
                let m = f64::from(zoom_sixteenths(double));
                assert!(
                    m >= exact - 1e-9 && m < exact + 1.0 + 1e-9,
                    "{double}: {m} {exact}"
                );
            }
        }
        assert_eq!(zoom_sixteenths(0), M_MAX);
    }

    /// The definition, word by word: quadratic, no heap.
    fn eliminate(arc: &[GridPoint]) -> Vec<u16> {
        let mut m = vec![0; arc.len()];
        let mut left: Vec<usize> = (0..arc.len()).collect();
        let mut effective = 0;
        while left.len() > 2 {
            let area = |i: usize| orientation(arc[left[i - 1]], arc[left[i]], arc[left[i + 1]]);
            let least = (1..left.len() - 1)
                .min_by_key(|&i| (area(i).abs(), i))
                .unwrap();
            effective = area(least).unsigned_abs().max(effective);
            m[left.remove(least)] = zoom_sixteenths(effective);
        }
        m
    }

    proptest::proptest! {
        #[test]
        fn weights_agree_with_the_definition(
            points in proptest::collection::vec((0_i32..1 << 20, 0_i32..1 << 20), 2..90),
            fine in 0_u32..20,
        ) {
            let arc: Vec<GridPoint> =
                points.iter().map(|&(x, y)| GridPoint { x: x >> fine, y: y >> fine }).collect();
            let weights = Eliminator::default().weigh(&arc).to_vec();
            proptest::prop_assert_eq!(weights, eliminate(&arc));
        }
    }
}
