//! Single places where coverages go wrong.

use super::*;

/// A unit from cells of zoom 10.
fn unit_at_10(ring: &[(i32, i32)]) -> MultiPolygon<f64> {
    let coords = ring.iter().chain(&ring[..1]).map(|&(x, y)| {
        let place = |v: i32| (1 << 29) + (v << 8);
        let (x, y) = metres_from_grid(GridPoint {
            x: place(x),
            y: place(y),
        });
        Coord { x, y }
    });
    MultiPolygon(vec![Polygon::new(LineString(coords.collect()), vec![])])
}

#[test]
fn a_bay_comes_back_where_a_cape_reaches_into_it() {
    let bay = [(24, 40), (30, 44), (36, 40)];
    let cape = [(33, 10), (30, 42), (27, 10)];
    let mut land = vec![(0, 0), (80, 0), (80, 80), (0, 80), (0, 40)];
    land.extend(bay);
    land.extend([(60, 40), (60, 10)]);
    land.extend(cape);
    land.push((0, 10));
    let mut water = vec![(0, 10)];
    water.extend(cape.iter().rev());
    water.extend([(60, 10), (60, 40)]);
    water.extend(bay.iter().rev());
    water.push((0, 40));

    // Without the cape the bay, of less than 32 cells², goes.
    let without: Vec<_> = land.iter().copied().filter(|p| !cape.contains(p)).collect();
    let mut coverage = Coverage::build(&[unit_at_10(&without)]);
    let _ = coverage.generalise([0, 14], 14);
    let shape = shown(&coverage.geometries()[0], 10);
    assert_eq!(shape.0[0].exterior().0.len(), 9);

    let units = [unit_at_10(&land), unit_at_10(&water)];
    let mut coverage = Coverage::build(&units);
    check_partition(&mut coverage);
    for (zooms, is_known) in [([9, 14], true), ([0, 9], false), ([11, 14], false)] {
        let masks = Coverage::build(&units).generalise(zooms, 14);
        assert!(masks.iter().all(|mask| (mask >> 10 & 1 == 0) == is_known));
    }
}

#[test]
fn edges_take_the_vertices_beside_them() {
    let (a, b) = (
        unit_at_10(&[(0, 0), (50, 0), (50, 50), (0, 50)]),
        unit_at_10(&[(50, 0), (100, 0), (100, 50), (50, 50)]),
    );
    let below = unit_at_10(&[(0, 50), (100, 50), (100, 100), (0, 100)]);
    let mut coverage = Coverage::build(&[a, b, below]);
    check_partition(&mut coverage);
    assert_eq!(coverage.geometries()[2][0].exterior.len(), 5);
    assert_eq!(coverage.defects().joined_vertices, 1);
}

#[test]
fn a_gap_and_an_overlap_are_reported() {
    let left = unit_at_10(&[(0, 0), (50, 0), (50, 60), (0, 60)]);
    let right = unit_at_10(&[
        (40, 0),
        (100, 0),
        (100, 20),
        (70, 30),
        (100, 40),
        (100, 60),
        (40, 60),
    ]);
    let far = unit_at_10(&[(100, 0), (120, 0), (120, 60), (100, 60)]);
    let defects = Coverage::build(&[left, right, far]).defects();
    assert_eq!((defects.overlaps, defects.gaps), (1, 1));
    assert_eq!(defects.worst_overlaps[0].units, [0, 1]);
    assert_eq!(defects.worst_gaps[0].units, [1, 2]);
    let covered = 120.0 * 60.0 - 300.0;
    assert!(
        (defects.overlap_share - 600.0 / covered).abs() < 1e-12,
        "{defects:?}"
    );
    assert!(
        (defects.gap_share - 300.0 / covered).abs() < 1e-12,
        "{defects:?}"
    );
}

#[test]
fn slivers_inside_a_group_are_filled_and_enclaves_kept() {
    let units = [
        unit_at_10(&[
            (0, 0),
            (100, 0),
            (100, 50),
            (60, 50),
            (50, 47),
            (40, 50),
            (0, 50),
        ]),
        unit_at_10(&[(0, 50), (40, 50), (60, 50), (100, 50), (100, 100), (0, 100)]),
        unit_at_10(&[(40, 50), (50, 47), (60, 50)]),
    ];
    let two = Coverage::build(&units[..2]);
    assert_eq!(two.defects().gaps, 1);
    let filled = two.dissolve(&[0, 0], 1);
    assert_eq!(filled.geometries()[0][0].holes.len(), 0);
    assert_eq!(filled.defects().filled_slivers, 1);
    let mut kept = Coverage::build(&units).dissolve(&[0, 0, 1], 2);
    assert_eq!(kept.geometries()[0][0].holes.len(), 1);
    check_partition(&mut kept);
}
