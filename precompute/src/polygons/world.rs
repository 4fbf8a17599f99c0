//! Longitudes and latitudes onto the one world of EPSG:3857: what crosses the antimeridian is
//! split, what leaves ±180° is wrapped, what leaves ±85.0511° is cut, then all is projected.
//!
//! A step of more than 340° of longitude between two vertices crosses the antimeridian (RFC 7946
//! wants such polygons split; many files do not), except along a pole or a whole parallel.

use geo_types::Coord;
use tilecore::mercator::{HALF_WORLD_M, LATITUDE_MAX, metres_from_degrees};

use super::overlay;
use super::rings::{Bounds, Rings, double_area, tidy};
use super::validity::defect;

/// A step in longitude that is taken the short way round.
const CROSSING_STEP: f64 = 340.0;

/// Degrees by which a coordinate may miss the edge of the world and still be on it.
const EDGE: f64 = 1e-6;

/// Says what is wrong when coordinates cannot be degrees.
///
/// # Errors
/// With the likely cause: swapped axes, or metres.
pub(super) fn check_degrees(bounds: &Bounds) -> Result<(), String> {
    let reach_x = bounds.min.x.abs().max(bounds.max.x.abs());
    let reach_y = bounds.min.y.abs().max(bounds.max.y.abs());
    if reach_y <= 90.0 + EDGE && reach_x <= 540.0 {
        return Ok(());
    }
    let Coord { x, y } = bounds.min;
    Err(if reach_y <= 360.0 && reach_x <= 90.0 + EDGE {
        format!(
            "latitude {reach_y} is beyond 90: longitude and latitude look swapped, write longitude first"
        )
    } else {
        format!(
            "x {x}, y {y} are no degrees but look like metres: name their CRS, as in crs = \"EPSG:3857\""
        )
    })
}

/// Whether degrees within these bounds may need [`fit`].
pub(super) fn may_leave(bounds: &Bounds) -> bool {
    let is_wide = bounds.max.x - bounds.min.x > CROSSING_STEP;
    is_wide
        || bounds.min.x < -180.0
        || bounds.max.x > 180.0
        || bounds.min.y < -LATITUDE_MAX
        || bounds.max.y > LATITUDE_MAX
}

/// Moves rings in degrees into ±180° and ±85.0511°, splitting and cutting where they leave.
///
/// Returns what was done, if anything.
///
/// # Errors
/// The reason when nothing of the feature is on the map.
pub(super) fn fit(rings: Rings) -> Result<(Rings, Option<&'static str>), &'static str> {
    let (mut rings, crosses) = unwrap(rings);
    let bounds = Bounds::of(&rings.coords);
    let is_cut = bounds.max.y > LATITUDE_MAX || bounds.min.y < -LATITUDE_MAX;
    let first = window_of(bounds.min.x + EDGE);
    let last = window_of(bounds.max.x - EDGE).max(first);
    if first == last && !is_cut {
        for c in &mut rings.coords {
            c.x = (c.x - f64::from(first) * 360.0).clamp(-180.0, 180.0);
        }
        return Ok((rings, (first != 0).then_some("longitude_wrapped")));
    }
    let mut fitted = Rings::default();
    for window in first..=last {
        let west = f64::from(window) * 360.0 - 180.0;
        let rectangle = Bounds {
            min: Coord {
                x: west,
                y: -LATITUDE_MAX,
            },
            max: Coord {
                x: west + 360.0,
                y: LATITUDE_MAX,
            },
        };
        if let Ok(inside) = overlay::clip(&rings, &rectangle) {
            append(&mut fitted, &inside, west + 180.0);
        }
    }
    let (fitted, _) = tidy(&fitted).map_err(|_| "beyond_mercator")?;
    // Pieces of a ring longer than the world lie over each other.
    let fitted = match defect(&fitted) {
        Some(_) => overlay::repair(&fitted)?,
        None => fitted,
    };
    Ok((
        fitted,
        Some(if crosses || first != last {
            "antimeridian"
        } else {
            "beyond_mercator"
        }),
    ))
}

/// The world a longitude is in: 0 for ours.
#[expect(
    clippy::cast_possible_truncation,
    reason = "longitudes are checked to be below 1,000"
)]
fn window_of(lon: f64) -> i32 {
    ((lon + 180.0) / 360.0).floor() as i32
}

fn append(rings: &mut Rings, more: &Rings, shift: f64) {
    let (coords, ring_count) = (rings.coords.len(), rings.ring_ends.len());
    rings.coords.extend(more.coords.iter().map(|c| {
        // Cut edges lie on the edge of the world, not a grid cell beside it.
        let on_edge = c.y.abs() > LATITUDE_MAX - EDGE;
        Coord {
            x: (c.x - shift).clamp(-180.0, 180.0),
            y: if on_edge {
                LATITUDE_MAX.copysign(c.y)
            } else {
                c.y
            },
        }
    }));
    rings
        .ring_ends
        .extend(more.ring_ends.iter().map(|end| end + coords));
    rings
        .polygons
        .extend(more.polygons.iter().map(|end| end + ring_count));
}

/// Whether a step crosses the antimeridian.
pub(super) fn crosses(rings: &Rings) -> bool {
    let mut rings = (0..rings.ring_count()).map(|ring| rings.ring(ring));
    rings.any(|ring| {
        let mut steps = ring.windows(2);
        steps.any(|pair| crossing(pair[0], pair[1]) != 0.0)
    })
}

/// Whether a ring goes once round the Earth when each step is taken the short way, although none
/// crosses the antimeridian as [`fit`] reads it.
pub(super) fn is_around_pole(rings: &Rings) -> bool {
    let mut ringed = (0..rings.ring_count()).map(|ring| rings.ring(ring));
    let turns = |ring: &[Coord<f64>]| {
        let steps = ring.windows(2).map(|pair| pair[1].x - pair[0].x);
        let short = |step: f64| step - 360.0 * (step / 360.0).round();
        steps.map(short).sum::<f64>().abs() > 180.0
    };
    !crosses(rings) && ringed.any(turns)
}

/// Takes steps across the antimeridian the short way, beyond ±180° if need be.
fn unwrap(rings: Rings) -> (Rings, bool) {
    if !crosses(&rings) {
        return (rings, false);
    }
    let mut unwrapped = Rings::default();
    for polygon in rings.polygon_rings() {
        let mut shell = Bounds::EMPTY;
        for (at, ring) in polygon.enumerate() {
            let mut ring = unwrapped_ring(rings.ring(ring));
            if at == 0 {
                shell = Bounds::of(&ring);
            } else {
                beside(&mut ring, &shell);
            }
            unwrapped.coords.append(&mut ring);
            unwrapped.end_ring();
        }
        unwrapped.end_polygon();
    }
    (unwrapped, true)
}

/// The degrees to add to what follows when the step from `a` to `b` crosses the antimeridian.
fn crossing(a: Coord<f64>, b: Coord<f64>) -> f64 {
    let step = b.x - a.x;
    let along_pole = a.y.abs() > 90.0 - EDGE && b.y.abs() > 90.0 - EDGE;
    let is_beyond = a.x.abs() > 180.0 + EDGE || b.x.abs() > 180.0 + EDGE;
    if step.abs() <= CROSSING_STEP || along_pole || is_beyond {
        0.0
    } else {
        -360.0_f64.copysign(step)
    }
}

fn unwrapped_ring(ring: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let mut shift = 0.0;
    let mut unwrapped = Vec::with_capacity(ring.len() + 2);
    unwrapped.extend(ring.first());
    for pair in ring.windows(2) {
        shift += crossing(pair[0], pair[1]);
        unwrapped.push(Coord {
            x: pair[1].x + shift,
            y: pair[1].y,
        });
    }
    if shift != 0.0 {
        // Once round the Earth: the ring holds a pole, the one it is nearer to.
        let north = ring.iter().map(|c| c.y).sum::<f64>() >= 0.0;
        let pole = if north { 90.0 } else { -90.0 };
        let ends = [unwrapped.last().copied(), unwrapped.first().copied()];
        for end in ends.into_iter().flatten() {
            unwrapped.push(Coord { x: end.x, y: pole });
        }
        unwrapped.extend(ring.first());
        return unwrapped;
    }
    if double_area(&unwrapped).abs() < 1e-9 {
        // A box round the whole world, whose long sides are not crossings.
        return ring.to_vec();
    }
    unwrapped
}

/// Moves a hole by whole worlds to where its exterior is.
fn beside(ring: &mut [Coord<f64>], shell: &Bounds) {
    let bounds = Bounds::of(ring);
    let shift = [0.0, 360.0, -360.0].into_iter().find(|shift| {
        bounds.min.x + shift >= shell.min.x - EDGE && bounds.max.x + shift <= shell.max.x + EDGE
    });
    for c in ring {
        c.x += shift.unwrap_or(0.0);
    }
}

/// EPSG:3857 metres of fitted degrees.
pub(super) fn project(coords: &mut [Coord<f64>]) {
    for c in coords {
        let (x, y) = metres_from_degrees(c.x, c.y);
        *c = Coord {
            x,
            y: y.clamp(-HALF_WORLD_M, HALF_WORLD_M),
        };
    }
}

#[cfg(test)]
mod tests;
