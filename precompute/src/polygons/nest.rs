//! Rings that do not say whose hole they are, grouped into polygons.
//!
//! Shapefiles wind exteriors clockwise and holes counter-clockwise, and leave it at that.

use super::boundary::Boundary;
use super::rings::{Bounds, Rings, double_area};
use super::validity::lies_inside;

/// Pairs of an exterior and a hole beyond which a feature is not worth sorting out.
const PAIRS_MAX: usize = 200_000_000;

/// Groups single-ring polygons, clockwise exteriors with the counter-clockwise holes in them.
/// Returns whether a ring had to be taken for an exterior against its winding.
///
/// # Errors
/// The reason when it has more rings than any map.
pub(super) fn nest(rings: &Rings) -> Result<(Rings, bool), &'static str> {
    let (mut exteriors, mut holes): (Vec<usize>, Vec<usize>) =
        (0..rings.ring_count()).partition(|ring| double_area(rings.ring(*ring)) < 0.0);
    let mut is_rewound = false;
    if exteriors.is_empty() {
        // Wound the other way throughout: the one ring is the exterior, or all of them are.
        exteriors = std::mem::take(&mut holes);
        is_rewound = true;
    }
    if exteriors.len().saturating_mul(holes.len()) > PAIRS_MAX {
        return Err("too_complex");
    }
    let boundary = Boundary::of(rings);
    let bounds: Vec<Bounds> = (0..rings.ring_count())
        .map(|ring| Bounds::of(rings.ring(ring)))
        .collect();
    let size = |ring: usize| {
        let bounds = &bounds[ring];
        (bounds.max.x - bounds.min.x) * (bounds.max.y - bounds.min.y)
    };
    let mut holes_of = vec![Vec::new(); exteriors.len()];
    for hole in holes {
        let around = (0..exteriors.len())
            .filter(|at| {
                let exterior = exteriors[*at];
                bounds[exterior].contains(&bounds[hole])
                    && lies_inside(rings, &boundary, hole, exterior)
            })
            .min_by(|a, b| size(exteriors[*a]).total_cmp(&size(exteriors[*b])));
        if let Some(at) = around {
            holes_of[at].push(hole);
        } else if let [_] = exteriors[..] {
            // Not inside the only exterior there is: a hole that crosses it, most likely.
            holes_of[0].push(hole);
        } else {
            exteriors.push(hole);
            holes_of.push(Vec::new());
            is_rewound = true;
        }
    }
    let mut nested = Rings {
        coords: Vec::with_capacity(rings.coords.len()),
        ..Rings::default()
    };
    for (exterior, holes) in exteriors.iter().zip(&holes_of) {
        for ring in std::iter::once(exterior).chain(holes) {
            nested.coords.extend_from_slice(rings.ring(*ring));
            nested.end_ring();
        }
        nested.end_polygon();
    }
    Ok((nested, is_rewound))
}

#[cfg(test)]
mod tests {
    use super::super::rings::tests::rings;
    use super::*;

    fn check(input: &str, expected: &str, is_rewound: bool) {
        assert_eq!(
            nest(&rings(input)),
            Ok((rings(expected), is_rewound)),
            "{input}"
        );
    }

    #[test]
    fn groups() {
        let (outer, inner) = ("0 0,0 9,9 9,9 0,0 0", "3 3,3 6,6 6,6 3,3 3");
        let (lake, pond) = ("2 2,7 2,7 7,2 7,2 2", "4 4,5 4,5 5,4 5,4 4");
        check(outer, outer, false);
        check(
            &format!("{outer}&{lake}"),
            &format!("{outer}|{lake}"),
            false,
        );
        // An island in a lake with a pond of its own, in any order.
        let expected = format!("{outer}|{lake}&{inner}|{pond}");
        check(&format!("{pond}&{outer}&{inner}&{lake}"), &expected, false);
        // Counter-clockwise throughout.
        check(lake, lake, true);
        check(
            &format!("{lake}&20 0,21 0,21 1,20 0"),
            &format!("{lake}&20 0,21 0,21 1,20 0"),
            true,
        );
        // A part wound like a hole, away from two exteriors.
        let far = "20 0,21 0,21 1,20 0";
        check(
            &format!("{outer}&{inner}&{far}"),
            &format!("{outer}&{inner}&{far}"),
            true,
        );
        // A hole that crosses its exterior stays one.
        let across = "8 4,12 4,12 5,8 5,8 4";
        check(
            &format!("{outer}&{across}"),
            &format!("{outer}|{across}"),
            false,
        );
    }
}
