use proptest::prelude::*;

use super::super::rings::double_area;
use super::super::rings::tests::rings;
use super::*;

fn area(rings: &Rings) -> f64 {
    rings
        .polygon_rings()
        .map(|polygon| {
            let mut areas = polygon.map(|ring| double_area(rings.ring(ring)).abs() / 2.0);
            areas.next().unwrap_or(0.0) - areas.sum::<f64>()
        })
        .sum()
}

/// The area after repair and the number of polygons and rings, or the reason.
fn check(input: &str, expected: Result<(f64, usize, usize), &str>) {
    let (tidied, _) = tidy(&rings(input)).unwrap();
    let repaired = repair(&tidied);
    match (&repaired, expected) {
        (Ok(repaired), Ok((wanted, polygons, count))) => {
            assert_eq!(defect(repaired), None, "{input}");
            assert!(
                (area(repaired) - wanted).abs() <= wanted * 1e-9,
                "{input} {repaired:?}"
            );
            assert_eq!(
                (repaired.polygons.len(), repaired.ring_count()),
                (polygons, count),
                "{input}"
            );
        }
        (Err(reason), Err(wanted)) => assert_eq!(*reason, wanted, "{input}"),
        _ => panic!("{input}: {repaired:?}"),
    }
}

#[test]
fn repairs() {
    // A bow tie keeps both its wings.
    check("0 0,2 2,2 0,0 2,0 0", Ok((2.0, 2, 2)));
    check(
        "7.1 50.3,7.3 50.5,7.3 50.3,7.1 50.5,7.1 50.3",
        Ok((0.02, 2, 2)),
    );
    // Spikes go, what they hang from stays.
    check("0 0,5 0,5 5,9 9,5 5,0 5,0 0", Ok((25.0, 1, 1)));
    check("0 0,5 0,9 0,5 0,5 5,0 5,0 0", Ok((25.0, 1, 1)));
    // An exterior that touches itself becomes a hole, or two parts.
    check(
        "0 0,9 0,9 9,0 9,0 0,2 3,3 3,3 2,0 0",
        Ok((81.0 - 3.0, 1, 2)),
    );
    check("0 0,4 0,4 4,2 0,0 4,0 0", Ok((8.0, 2, 2)));
    // A loop wound twice is filled.
    check(
        "0 0,9 0,9 9,1 9,1 1,2 1,2 8,0 8,0 0",
        Ok((81.0 - 1.0, 1, 1)),
    );
    // Holes: outside, crossing, equal, nested.
    check("0 0,9 0,9 9,0 9,0 0|10 1,12 1,12 2,10 1", Ok((81.0, 1, 1)));
    check(
        "0 0,9 0,9 9,0 9,0 0|5 5,12 5,12 6,5 6,5 5",
        Ok((77.0, 1, 1)),
    );
    check("0 0,9 0,9 9,0 9,0 0|0 0,9 0,9 9,0 9,0 0", Err("no_area"));
    check(
        "0 0,9 0,9 9,0 9,0 0|1 1,8 1,8 8,1 8,1 1|3 2,4 2,4 3,3 3,3 2",
        Ok((32.0, 1, 2)),
    );
    // Parts: one over another, side by side, equal.
    check(
        "0 0,9 0,9 9,0 9,0 0&5 5,12 5,12 6,5 6,5 5",
        Ok((84.0, 1, 1)),
    );
    check("0 0,4 0,4 4,0 4,0 0&4 0,8 0,8 4,4 4,4 0", Ok((32.0, 1, 1)));
    check("0 0,4 0,4 4,0 4,0 0&0 4,4 4,4 0,0 0,0 4", Ok((16.0, 1, 1)));
    // A hole that cuts its part in two.
    check("0 0,9 0,9 9,0 9,0 0|0 5,4 4,9 5,4 6,0 5", Ok((72.0, 2, 2)));
    // Collinear.
    check("0 0,1 1,2 2,0 0", Err("no_area"));
}

#[test]
fn untouched_vertices_stay_to_the_bit() {
    let text = "2.3500000001 48.8500000003,2.3700000007 48.8500000011,2.3600000013 48.8600000017,\
                2.3700000023 48.8700000029,2.3500000031 48.8700000037,2.38000000013 48.8550000041";
    let (tidied, _) = tidy(&rings(text)).unwrap();
    assert!(defect(&tidied).is_some());
    let repaired = repair(&tidied).unwrap();
    for c in &tidied.coords {
        assert!(repaired.coords.contains(c), "{c:?} moved");
    }
}

#[test]
fn clips() {
    let square = rings("0 0,9 0,9 9,0 9,0 0|1 1,2 1,2 2,1 2,1 1");
    let window = |min: f64, max: f64| Bounds {
        min: Coord { x: min, y: min },
        max: Coord { x: max, y: max },
    };
    for (min, max, wanted) in [
        (-1.0, 10.0, 80.0),
        (0.0, 9.0, 80.0),
        (1.0, 2.0, f64::NAN),
        (1.5, 4.0, 6.0),
        (-5.0, 0.0, f64::NAN),
    ] {
        match clip(&square, &window(min, max)) {
            Ok(clipped) => assert!((area(&clipped) - wanted).abs() < 1e-6, "{clipped:?}"),
            Err(reason) => assert!(wanted.is_nan() && reason == "no_area"),
        }
    }
}

fn any_rings() -> impl Strategy<Value = Rings> {
    let ring = prop::collection::vec((0_i8..9, 0_i8..9), 3..9);
    let polygon = prop::collection::vec(ring, 1..4);
    prop::collection::vec(polygon, 1..4).prop_map(|polygons| {
        let mut raw = Rings::default();
        for polygon in &polygons {
            for ring in polygon {
                for (x, y) in ring {
                    // Not on any grid of powers of two.
                    raw.push(f64::from(*x) / 7.0 + 2.0, f64::from(*y) / 7.0 + 48.0);
                }
                raw.end_ring();
            }
            raw.end_polygon();
        }
        raw
    })
}

/// Whether a point is inside by the rule of [`repair`], counted ring by ring.
fn covers(rings: &Rings, x: f64, y: f64) -> bool {
    let winding = |ring: &[Coord<f64>]| {
        ring.windows(2)
            .map(|pair| {
                let (a, b) = (pair[0], pair[1]);
                let east = (b.x - a.x) * (y - a.y) - (x - a.x) * (b.y - a.y);
                match (a.y <= y, b.y <= y) {
                    (true, false) if east > 0.0 => 1,
                    (false, true) if east < 0.0 => -1,
                    _ => 0,
                }
            })
            .sum::<i32>()
    };
    rings.polygon_rings().any(|polygon| {
        let mut inside = polygon.map(|ring| winding(rings.ring(ring)) != 0);
        inside.next() == Some(true) && !inside.any(|in_hole| in_hole)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn repaired_polygons_are_valid_and_cover_the_same(raw in any_rings()) {
        let Ok((tidied, _)) = tidy(&raw) else { return Ok(()) };
        let repaired = match repair(&tidied) {
            Ok(repaired) => repaired,
            Err(reason) => {
                prop_assert_eq!(reason, "no_area");
                Rings::default()
            }
        };
        prop_assert_eq!(defect(&repaired).filter(|_| !repaired.ring_ends.is_empty()), None);
        for i in 0..40 {
            for j in 0..40 {
                let x = 2.0 + f64::from(i) / 31.0 + 1e-4;
                let y = 48.0 + f64::from(j) / 31.0 + 1.7e-4;
                prop_assert_eq!(covers(&tidied, x, y), covers(&repaired, x, y), "{} {}", x, y);
            }
        }
    }
}
