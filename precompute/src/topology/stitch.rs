//! Directed arcs joined end to end into simple rings.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;
use tilecore::geometry::GridPoint;

use super::arcs::{ArcUse, Arcs};
use super::rings::Loop;

/// The rings that bound the area to the left of arcs (on paper, y upwards), given how often each
/// arc is walked. Every point must be entered as often as it is left, as sums of rings do.
///
/// Where rings touch in a point, the next arc is the one that bounds the same piece of area; a
/// ring that comes back to a point is cut there:
///
/// ```text
///  ┌────────┐      a hole that touches its shell: one walk around the area passes the point
///  │   /\   │      twice, and is cut into shell and hole
///  └───\/───┘
/// ```
pub(super) fn stitch(arcs: &Arcs, walks: &[(ArcUse, u32)]) -> Vec<Loop> {
    let mut leaving: FxHashMap<GridPoint, Vec<usize>> = FxHashMap::default();
    for (i, (walk, _)) in walks.iter().enumerate() {
        leaving.entry(arcs.first(*walk)).or_default().push(i);
    }
    let mut left: Vec<u32> = walks.iter().map(|walk| walk.1).collect();
    let mut rings = Vec::new();
    for start in 0..walks.len() {
        while left[start] > 0 {
            let mut chain = Vec::new();
            let mut next = Some(start);
            while let Some(at) = next {
                left[at] -= 1;
                let walk = walks[at].0;
                chain.push(walk);
                let (node, from) = (arcs.first(walk.back()), arcs.second(walk.back()));
                let exits = leaving.get(&node).map_or(&[][..], Vec::as_slice);
                let open = exits.iter().copied().filter(|&exit| left[exit] > 0);
                next = open.min_by(|&a, &b| {
                    let towards = |exit: usize| arcs.second(walks[exit].0);
                    clockwise(node, from, towards(a), towards(b)).then(a.cmp(&b))
                });
            }
            cut(arcs, &chain, &mut rings);
        }
    }
    rings
}

/// Walks from how often arcs are walked in their direction less against it.
pub(super) fn walks(nets: impl Iterator<Item = (usize, i32)>) -> Vec<(ArcUse, u32)> {
    nets.filter(|(_, net)| *net != 0)
        .map(|(arc, net)| (ArcUse::new(arc, net < 0), net.unsigned_abs()))
        .collect()
}

/// Cuts a closed chain where it comes back to a point.
fn cut(arcs: &Arcs, chain: &[ArcUse], rings: &mut Vec<Loop>) {
    let mut stack: Vec<ArcUse> = Vec::new();
    let mut starts: FxHashMap<GridPoint, usize> = FxHashMap::default();
    for &walk in chain {
        starts.insert(arcs.first(walk), stack.len());
        stack.push(walk);
        if let Some(&from) = starts.get(&arcs.first(walk.back())) {
            let ring = stack.split_off(from);
            for passed in &ring {
                starts.remove(&arcs.first(*passed));
            }
            rings.push(arcs.line(&ring));
        }
    }
}

/// Which of `a` and `b` comes first when turning clockwise around `centre` from `from` (on paper,
/// y upwards); `from` itself comes last.
fn clockwise(centre: GridPoint, from: GridPoint, a: GridPoint, b: GridPoint) -> Ordering {
    let vector = |p: GridPoint| {
        (
            i64::from(p.x) - i64::from(centre.x),
            i64::from(p.y) - i64::from(centre.y),
        )
    };
    let (from, a, b) = (vector(from), vector(a), vector(b));
    let cross = |u: (i64, i64), v: (i64, i64)| u.0 * v.1 - u.1 * v.0;
    let half = |v: (i64, i64)| match cross(from, v).cmp(&0) {
        Ordering::Less => 0,
        Ordering::Equal if from.0 * v.0 + from.1 * v.1 < 0 => 1,
        Ordering::Greater => 2,
        Ordering::Equal => 3,
    };
    half(a).cmp(&half(b)).then_with(|| cross(a, b).cmp(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_clockwise() {
        let p = |x, y| GridPoint { x, y };
        let around = [
            p(0, 5),
            p(5, 5),
            p(5, 0),
            p(5, -5),
            p(0, -5),
            p(-5, -5),
            p(-5, 0),
        ];
        for (i, &a) in around.iter().enumerate() {
            for (j, &b) in around.iter().enumerate() {
                assert_eq!(clockwise(p(0, 0), p(-9, 0), a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }
}
