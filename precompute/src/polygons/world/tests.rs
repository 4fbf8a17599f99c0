use super::super::rings::tests::rings;
use super::*;

/// Boxes of the polygons after fitting, sorted, and what was done; or the reason.
fn check(input: &str, expected: Result<(&[[f64; 4]], Option<&str>), &str>) {
    let (tidied, _) = tidy(&rings(input)).unwrap();
    let fitted = fit(tidied);
    match (fitted, expected) {
        (Ok((fitted, done)), Ok((boxes, wanted))) => {
            assert_eq!(done, wanted, "{input}");
            assert_eq!(defect(&fitted), None, "{input}");
            let mut found: Vec<[f64; 4]> = fitted
                .polygon_rings()
                .map(|polygon| {
                    let bounds = Bounds::of(fitted.ring(polygon.start));
                    [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y]
                })
                .collect();
            found.sort_by(|a, b| a[0].total_cmp(&b[0]));
            assert_eq!(found.len(), boxes.len(), "{input}: {found:?}");
            for (a, b) in found.iter().flatten().zip(boxes.iter().flatten()) {
                assert!((a - b).abs() < 1e-5, "{input}: {found:?}");
            }
        }
        (Err(reason), Err(wanted)) => assert_eq!(reason, wanted, "{input}"),
        (fitted, _) => panic!("{input}: {fitted:?}"),
    }
}

const MAX: f64 = LATITUDE_MAX;

#[test]
fn inside_stays_as_it_is() {
    check("2 48,3 48,3 49,2 49", Ok((&[[2.0, 48.0, 3.0, 49.0]], None)));
    check(
        "-180 -80,180 -80,180 80,-180 80",
        Ok((&[[-180.0, -80.0, 180.0, 80.0]], None)),
    );
    check(
        "-170 0,170 0,170 80,-170 80",
        Ok((&[[-170.0, 0.0, 170.0, 80.0]], None)),
    );
    check(
        "179 0,180.0000001 0,180.0000001 1,179 1",
        Ok((&[[179.0, 0.0, 180.0, 1.0]], None)),
    );
}

#[test]
fn the_antimeridian_splits() {
    let both: &[[f64; 4]] = &[[-180.0, 0.0, -179.0, 1.0], [179.0, 0.0, 180.0, 1.0]];
    check(
        "179 0,-179 0,-179 1,179 1",
        Ok((both, Some("antimeridian"))),
    );
    check(
        "-179 0,-179 1,179 1,179 0",
        Ok((both, Some("antimeridian"))),
    );
    check("179 0,181 0,181 1,179 1", Ok((both, Some("antimeridian"))));
    check(
        "-179 0,-181 0,-181 1,-179 1",
        Ok((both, Some("antimeridian"))),
    );
    check(
        "179 0,180 0,-180 0,-179 0,-179 1,-180 1,180 1,179 1",
        Ok((both, Some("antimeridian"))),
    );
    // A hole on the far side.
    check(
        "171 0,-171 0,-171 9,171 9|-179 1,-178 1,-178 2,-179 2",
        Ok((
            &[[-180.0, 0.0, -171.0, 9.0], [171.0, 0.0, 180.0, 9.0]],
            Some("antimeridian"),
        )),
    );
    // One side only.
    check(
        "180 0,-179 0,-179 1,180 1",
        Ok((&[[-180.0, 0.0, -179.0, 1.0]], Some("longitude_wrapped"))),
    );
}

#[test]
fn other_worlds_wrap() {
    check(
        "182 0,183 0,183 1,182 1",
        Ok((&[[-178.0, 0.0, -177.0, 1.0]], Some("longitude_wrapped"))),
    );
    check(
        "-360 0,-350 0,-350 1,-360 1",
        Ok((&[[0.0, 0.0, 10.0, 1.0]], Some("longitude_wrapped"))),
    );
    check(
        "539 0,540 0,540 1,539 1",
        Ok((&[[179.0, 0.0, 180.0, 1.0]], Some("longitude_wrapped"))),
    );
    check(
        "-200 0,400 0,400 1,-200 1",
        Ok((&[[-180.0, 0.0, 180.0, 1.0]], Some("antimeridian"))),
    );
}

#[test]
fn poles_are_cut() {
    check(
        "0 80,10 80,10 90,0 90",
        Ok((&[[0.0, 80.0, 10.0, MAX]], Some("beyond_mercator"))),
    );
    check(
        "0 -80,10 -80,10 -85.06,0 -85.06",
        Ok((&[[0.0, -MAX, 10.0, -80.0]], Some("beyond_mercator"))),
    );
    check("0 86,10 86,10 90,0 90", Err("beyond_mercator"));
    check(
        "-180 -90,180 -90,180 90,-180 90",
        Ok((&[[-180.0, -MAX, 180.0, MAX]], Some("beyond_mercator"))),
    );
    // Antarctica with its edge along the pole, and as a ring around it.
    check(
        "-180 -90,180 -90,180 -70,90 -65,0 -70,-90 -65,-180 -70",
        Ok((&[[-180.0, -MAX, 180.0, -65.0]], Some("beyond_mercator"))),
    );
    check(
        "-175 -70,-90 -65,0 -70,90 -65,175 -70",
        Ok((&[[-180.0, -MAX, 180.0, -65.0]], Some("antimeridian"))),
    );
}

#[test]
fn impossible_degrees_are_explained() {
    let bounds = |x: f64, y: f64| Bounds::of(&[Coord { x, y }]);
    assert_eq!(check_degrees(&bounds(2.0, 48.0)), Ok(()));
    assert_eq!(check_degrees(&bounds(-540.0, 90.0)), Ok(()));
    assert!(
        check_degrees(&bounds(48.0, 102.0))
            .unwrap_err()
            .contains("swapped")
    );
    assert!(
        check_degrees(&bounds(-33.0, 151.0))
            .unwrap_err()
            .contains("swapped")
    );
    assert!(
        check_degrees(&bounds(261_600.0, 6_249_955.0))
            .unwrap_err()
            .contains("metres")
    );
    assert!(
        check_degrees(&bounds(700_000.0, 45.0))
            .unwrap_err()
            .contains("metres")
    );
}

#[test]
fn the_edge_of_the_world_is_exact() {
    let (tidied, _) = tidy(&rings("-180 -90,180 -90,180 90,-180 90")).unwrap();
    let (mut fitted, _) = fit(tidied).unwrap();
    project(&mut fitted.coords);
    let bounds = Bounds::of(&fitted.coords);
    for v in [-bounds.min.x, -bounds.min.y, bounds.max.x, bounds.max.y] {
        assert!(v <= HALF_WORLD_M && v > HALF_WORLD_M - 1e-6, "{v}");
    }
}
