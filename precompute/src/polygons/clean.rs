//! One feature's rings in, a valid multipolygon in EPSG:3857 metres out, with what that took.
//!
//! ```text
//! raw ─▸ tidy ─▸ valid? ─▸ degrees ─▸ fit to the world ─▸ metres ─▸ repair if not ─▸ MultiPolygon
//! ```
//! What is valid is decided in the file's own coordinates; repairs are made in metres, so that a new
//! vertex lies on the edge as its neighbours draw it.
//! Rings that are valid and inside the world keep every vertex, and equal coordinates of the file
//! stay equal, so neighbours go on sharing theirs.

use geo::coordinate_position::{CoordPos, coord_pos_relative_to_ring};
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use tilecore::mercator::HALF_WORLD_M;

use super::collect::RawGeometry;
use super::nest::nest;
use super::overlay;
use super::rings::{Bounds, Rings, double_area, tidy};
use super::validity::{defect, is_counter_clockwise};
use super::world;
use crate::crs::Crs;

/// Metres by which a coordinate may miss the edge of the world and still be on it.
const EDGE_M: f64 = 0.1;

/// A feature ready for the map.
#[derive(Debug)]
pub(super) struct Clean {
    pub(super) geometry: MultiPolygon<f64>,
    /// What had to be done to it, in stable words.
    pub(super) repairs: Vec<&'static str>,
    /// As in the file, before projection.
    pub(super) bounds: Bounds,
}

/// Why a feature is not on the map.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// This feature only: the reason.
    Skip(&'static str),
    /// The whole file is read wrongly: the message.
    File(String),
}

/// Makes one feature valid, and puts it on the map.
pub(super) fn clean(raw: &RawGeometry, crs: &Crs) -> Result<Clean, Fault> {
    let (mut rings, tidied) = tidy(&raw.rings).map_err(Fault::Skip)?;
    let mut repairs = Vec::new();
    if tidied.unclosed {
        repairs.push("unclosed_ring");
    }
    if tidied.degenerate {
        repairs.push("degenerate_ring");
    }
    let bounds = Bounds::of(&rings.coords);
    if crs.is_degrees() {
        world::check_degrees(&bounds).map_err(Fault::File)?;
    }
    let mut is_rewound = false;
    if raw.is_ungrouped {
        (rings, is_rewound) = nest(&rings).map_err(Fault::Skip)?;
    }
    if is_rewound || has_wrong_winding(&rings) {
        repairs.push("wrong_winding");
    }
    if crs.is_degrees() && world::is_around_pole(&rings) && defect(&rings).is_some() {
        return Err(Fault::Skip("holds_pole"));
    }
    // A ring across the antimeridian crosses itself only on paper.
    if crs.is_degrees() && world::may_leave(&bounds) {
        rings = fit(rings, &mut repairs)?;
    }
    let defect = defect(&rings);
    if crs.is_web_mercator() && is_in_world(&bounds) {
        for c in &mut rings.coords {
            c.x = c.x.clamp(-HALF_WORLD_M, HALF_WORLD_M);
            c.y = c.y.clamp(-HALF_WORLD_M, HALF_WORLD_M);
        }
    } else {
        if !crs.is_degrees() {
            let holds_pole = holds_any(&rings, crs.poles());
            if !crs.to_degrees(&mut rings.coords) {
                return Err(Fault::Skip("outside_crs"));
            }
            // Its edge is no ring of longitudes as long as none of its steps crosses the antimeridian.
            let is_around = if crs.is_projected() {
                holds_pole && !world::crosses(&rings)
            } else {
                defect.is_some() && world::is_around_pole(&rings)
            };
            if is_around {
                return Err(Fault::Skip("holds_pole"));
            }
            rings = fit(rings, &mut repairs)?;
        }
        world::project(&mut rings.coords);
    }
    if let Some(defect) = defect {
        repairs.push(defect.reason());
        rings = overlay::repair(&rings).map_err(Fault::Skip)?;
    }
    Ok(Clean {
        geometry: multipolygon(&rings),
        repairs,
        bounds,
    })
}

fn fit(rings: Rings, repairs: &mut Vec<&'static str>) -> Result<Rings, Fault> {
    let (rings, done) = world::fit(rings).map_err(Fault::Skip)?;
    repairs.extend(done);
    Ok(rings)
}

/// Whether one of `points` lies inside a ring.
fn holds_any(rings: &Rings, points: &[Coord<f64>]) -> bool {
    let bounds = Bounds::of(&rings.coords);
    let mut near = points
        .iter()
        .filter(|point| bounds.contains(&Bounds::of(&[**point])));
    near.any(|point| {
        (0..rings.ring_count()).any(|ring| {
            let ring = LineString::new(rings.ring(ring).to_vec());
            coord_pos_relative_to_ring(*point, &ring) == CoordPos::Inside
        })
    })
}

fn is_in_world(bounds: &Bounds) -> bool {
    [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y]
        .iter()
        .all(|v| v.abs() <= HALF_WORLD_M + EDGE_M)
}

/// Whether a hole turns the same way as its exterior, which no format allows.
fn has_wrong_winding(rings: &Rings) -> bool {
    rings.polygon_rings().any(|mut polygon| {
        if polygon.len() < 2 {
            return false;
        }
        let turns_left = |ring| double_area(rings.ring(ring)) > 0.0;
        let exterior = polygon.next().map(turns_left);
        polygon.any(|hole| Some(turns_left(hole)) == exterior)
    })
}

/// Exteriors counter-clockwise, holes clockwise.
fn multipolygon(rings: &Rings) -> MultiPolygon<f64> {
    let line = |ring: usize, left: bool| {
        let mut coords = rings.ring(ring).to_vec();
        if is_counter_clockwise(&coords) != left {
            coords.reverse();
        }
        LineString::new(coords)
    };
    rings
        .polygon_rings()
        .map(|polygon| {
            let holes = polygon
                .clone()
                .skip(1)
                .map(|hole| line(hole, false))
                .collect();
            Polygon::new(line(polygon.start, true), holes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use geo::Area;

    use super::super::rings::tests::rings;
    use super::*;

    fn check(input: &str, crs: &str, expected: Result<(f64, &[&str]), Fault>) {
        let crs = Crs::parse(crs).unwrap();
        let raw = RawGeometry {
            rings: rings(input),
            ..RawGeometry::default()
        };
        match (clean(&raw, &crs), expected) {
            (Ok(clean), Ok((area, repairs))) => {
                assert_eq!(clean.repairs, repairs, "{input}");
                let found = clean.geometry.unsigned_area();
                assert!((found - area).abs() <= area * 1e-9, "{input}: {found}");
            }
            (Err(fault), Err(wanted)) => assert_eq!(fault, wanted, "{input}"),
            (found, _) => panic!("{input}: {found:?}"),
        }
    }

    #[test]
    fn web_mercator_passes_through_to_the_bit() {
        let input = rings("0.1 0.7,1.3 0.2,1.1 1.9,0.1 0.7|0.5 0.7,0.6 0.8,0.6 0.7");
        let raw = RawGeometry {
            rings: input.clone(),
            ..RawGeometry::default()
        };
        let clean = clean(&raw, &Crs::parse("3857").unwrap()).unwrap();
        assert_eq!(clean.repairs, ["unclosed_ring"]);
        assert_eq!(clean.geometry.0[0].exterior().0[..], input.coords[..4]);
    }

    #[test]
    fn a_ring_around_a_pole_needs_vertices_enough() {
        let crs = Crs::parse("EPSG:3031").unwrap();
        let mut raw = RawGeometry::default();
        for step in 0..=72 {
            let (sine, cosine) = (f64::from(step % 72) * 5.0 + 2.5).to_radians().sin_cos();
            raw.rings.push(1e6 * sine, 1e6 * cosine);
        }
        raw.rings.end_ring();
        raw.rings.end_polygon();
        let clean = clean(&raw, &crs).unwrap();
        let bounds = geo::BoundingRect::bounding_rect(&clean.geometry).unwrap();
        assert!(bounds.width() > 2.0 * HALF_WORLD_M - 1.0, "{bounds:?}");
        assert!(bounds.min().y <= -HALF_WORLD_M + 1.0, "{bounds:?}");
    }

    #[test]
    fn cleans() {
        check("0 0,9 0,9 9,0 9,0 0", "3857", Ok((81.0, &[])));
        check("0 0,0 9,9 9,9 0,0 0", "3857", Ok((81.0, &[])));
        check(
            "0 0,9 0,9 9,0 9,0 0|1 1,2 1,2 2,1 1",
            "3857",
            Ok((80.5, &["wrong_winding"])),
        );
        check(
            "0 0,2 2,2 0,0 2,0 0",
            "3857",
            Ok((2.0, &["self_intersection"])),
        );
        check("0 0,0 0,0 0", "3857", Err(Fault::Skip("degenerate_ring")));
        check("0 0,1 1,2 2,0 0", "3857", Err(Fault::Skip("no_area")));
        check(
            "170 -70,-170 -71,-90 -75,0 -72,90 -66,170 -70",
            "EPSG:4326",
            Err(Fault::Skip("holds_pole")),
        );
        for crs in ["EPSG:3031", "EPSG:3413"] {
            check(
                "-1e6 -1e6,1e6 -1e6,1e6 1e6,-1e6 1e6,-1e6 -1e6",
                crs,
                Err(Fault::Skip("holds_pole")),
            );
        }
        check(
            "3e7 3e7,3.1e7 3e7,3.1e7 3.1e7",
            "EPSG:3035",
            Err(Fault::Skip("outside_crs")),
        );
    }
}
