//! Turfs: addresses in compact groups of a given size, for people who go from door to door.
//!
//! ```text
//! addresses ─▸ buildings ─▸ halved by a straight line, and each half again ─▸ groups
//! ```
//! A line leaves as many turfs' worth of doors on either side; of the lines that do, the one that
//! runs through the shortest width is taken, so that groups stay round. What lies between straight
//! lines is convex: no address of one turf is among another's, and no building is cut. Rivers and
//! railways are not known here: an area that one divides is better given as two.

use std::cmp::Ordering;

use geo_types::Coord;

mod files;

pub use files::{Address, Area, Turf, csv, geojson, turfs_of};

#[cfg(test)]
mod tests;

/// Directions of a cut that are tried, evenly over half a turn.
const DIRECTIONS: u32 = 16;

/// By how much a turf may miss the size.
pub const TOLERANCE: f64 = 0.1;

/// A line that misses by less is as good as one that does not.
const EXACT: f64 = 0.02;

/// Doors of one building, which stay together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Building {
    /// Metres of any map that keeps angles.
    pub place: Coord<f64>,
    /// Above 0.
    pub doors: f64,
}

/// The turf of each building, numbered from 0. `size` is above 0.
///
/// Nothing depends on the order of the buildings but between equal ones at one place.
#[must_use]
pub fn split(buildings: &[Building], size: f64) -> Vec<usize> {
    let mut turf_of = vec![0; buildings.len()];
    let mut order: Vec<usize> = (0..buildings.len()).collect();
    // One order whatever the file's.
    let rank = |i: &usize| buildings[*i];
    order.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        let by_place = a
            .place
            .x
            .total_cmp(&b.place.x)
            .then(a.place.y.total_cmp(&b.place.y));
        by_place.then(a.doors.total_cmp(&b.doors))
    });
    let mut next = 0;
    let mut waiting = vec![(order, None)];
    while let Some((members, turfs)) = waiting.pop() {
        let turfs = turfs.unwrap_or_else(|| count_of(doors(buildings, &members), size));
        match (turfs > 1)
            .then(|| cut(buildings, &members, turfs, size))
            .flatten()
        {
            Some(cut) => {
                let (first, second) = cut.members.split_at(cut.at);
                // The first is dealt with next, so that numbers follow the cuts.
                waiting.push((second.to_vec(), Some(turfs - cut.turfs)));
                waiting.push((first.to_vec(), Some(cut.turfs)));
            }
            None => {
                for member in members {
                    turf_of[member] = next;
                }
                next += 1;
            }
        }
    }
    turf_of
}

/// How many turfs of about a size there are; at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "far fewer than doors, and above 0"
)]
fn count_of(doors: f64, size: f64) -> usize {
    (doors / size).round().max(1.0) as usize
}

fn doors(buildings: &[Building], members: &[usize]) -> f64 {
    members.iter().map(|i| buildings[*i].doors).sum()
}

/// A line between members, sorted across it.
struct Cut {
    members: Vec<usize>,
    /// Members on the first side.
    at: usize,
    /// Turfs on the first side.
    turfs: usize,
}

/// The best line; none where a single building is all there is.
fn cut(buildings: &[Building], members: &[usize], turfs: usize, size: f64) -> Option<Cut> {
    let all = doors(buildings, members);
    let mut best: Option<([f64; 3], Cut)> = None;
    for direction in 0..DIRECTIONS {
        let angle = std::f64::consts::PI * f64::from(direction) / f64::from(DIRECTIONS);
        let (sin, cos) = angle.sin_cos();
        let across = |i: usize| buildings[i].place.x * cos + buildings[i].place.y * sin;
        let along = |i: usize| buildings[i].place.y * cos - buildings[i].place.x * sin;
        let mut sorted: Vec<(f64, f64, usize)> =
            members.iter().map(|&i| (across(i), along(i), i)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let width = extent(sorted.iter().map(|s| s.1)) / extent(sorted.iter().map(|s| s.0));
        let mut sum = 0.0;
        for (at, (_, _, i)) in sorted.iter().enumerate() {
            if at > 0 {
                let first = count_of(sum * real(turfs) / all, 1.0).min(turfs - 1);
                // Long chains of cuts add up errors: halves, where there is a line to.
                let is_uneven = first.abs_diff(turfs - first) > 1 + turfs / 4;
                let miss = miss(sum, first, all - sum, turfs - first, size);
                let cost = [
                    f64::from(u8::from(is_uneven)),
                    (miss - EXACT).max(0.0),
                    width,
                ];
                if best.as_ref().is_none_or(|(known, _)| is_less(cost, *known)) {
                    let members = sorted.iter().map(|s| s.2).collect();
                    let found = Cut {
                        members,
                        at,
                        turfs: first,
                    };
                    best = Some((cost, found));
                }
            }
            sum += buildings[*i].doors;
        }
    }
    best.map(|(_, cut)| cut)
}

/// By how much the turfs of the worse side miss the size on average.
fn miss(first: f64, first_turfs: usize, second: f64, second_turfs: usize, size: f64) -> f64 {
    let of = |doors: f64, turfs: usize| (doors / (real(turfs) * size) - 1.0).abs();
    of(first, first_turfs).max(of(second, second_turfs))
}

fn is_less(a: [f64; 3], b: [f64; 3]) -> bool {
    let mut orders = a.iter().zip(&b).map(|(a, b)| a.total_cmp(b));
    orders
        .find(|order| order.is_ne())
        .is_some_and(Ordering::is_lt)
}

/// A metre at least, so that buildings in a row have a width.
fn extent(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    (high - low).max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "turfs are far fewer than 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}
