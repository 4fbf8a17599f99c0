//! What holds for any town, and for any polygons at all.

use proptest::prelude::*;
use tilecore::dataset::write::Geometries;

use super::town::town;
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_partition_stays_one_at_every_zoom(town in town(0.0)) {
        let units = town.units();
        prop_assume!(units.iter().all(Validation::is_valid));
        let mut coverage = Coverage::build(&units);
        check_partition(&mut coverage);
        let defects = coverage.defects();
        prop_assert_eq!((defects.gaps, defects.overlaps, defects.joined_vertices), (0, 0, 0));
    }

    #[test]
    fn dissolved_units_partition_too(town in town(0.0), count in 1..6_usize) {
        let units = town.units();
        prop_assume!(units.iter().all(Validation::is_valid));
        let coverage = Coverage::build(&units);
        let of_unit = groups(town, units.len(), count);
        let dissolved = coverage.dissolve(&of_unit, count);
        let parts = coverage.geometries();
        for (group, merged) in dissolved.geometries().iter().enumerate() {
            let members = (0..units.len()).filter(|unit| of_unit[*unit] == group);
            let area: i128 = members.map(|unit| unit_area(&parts[unit])).sum();
            prop_assert_eq!(unit_area(merged), area);
            if area > 0 {
                prop_assert!(metres(merged).is_valid());
            }
        }
        let kept = (0..count).filter(|group| of_unit.contains(group));
        let merged: Vec<_> = kept.map(|group| metres(&dissolved.geometries()[group])).collect();
        // Complex units, in pieces and with enclaves, as input.
        let mut rebuilt = Coverage::build(&merged);
        check_partition(&mut rebuilt);
        let whole: i128 = rebuilt.geometries().iter().map(unit_area).sum();
        prop_assert_eq!(whole, parts.iter().map(unit_area).sum::<i128>());
    }

    #[test]
    fn order_and_threads_change_nothing(town in town(60.0), turn in 0..40_usize) {
        let mut units = town.units();
        let geometries = |units: &[MultiPolygon<f64>]| {
            let mut coverage = Coverage::build(units);
            let _ = coverage.generalise([4, 14], 14);
            sorted(coverage.geometries())
        };
        let first = on_threads(1, || geometries(&units));
        turn_units(&mut units, turn);
        let second = on_threads(3, || geometries(&units));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn units_are_looked_at_as_tiles_show_them(
        town in town(60.0), first in 0_u8..=18, more in 0_u8..=18, above in 0_u8..2,
    ) {
        let mut coverage = Coverage::build(town.units());
        let last = (first + more).min(18);
        let masks = coverage.generalise([first, last], last + above);
        let every_zoom =
            validity::tests::every_zoom(&coverage.arcs, &coverage.layout, [first, last], last + above);
        prop_assert_eq!(masks, every_zoom);
    }

    #[test]
    fn units_drawn_apart_come_together(town in town(60.0)) {
        let mut coverage = Coverage::build(town.units());
        check_units(&mut coverage);
        let defects = coverage.defects();
        prop_assert!(defects.gap_share + defects.overlap_share < 1e-3, "{:?}", defects);
        let of_unit = groups(town, town.units().len(), 3);
        let dissolved = coverage.dissolve(&of_unit, 3);
        for unit in dissolved.geometries() {
            prop_assert!(unit.is_empty() || metres(&unit).is_valid());
        }
    }

    #[test]
    fn nothing_panics(
        units in prop::collection::vec(
            prop::collection::vec((-2.1e7_f64..2.1e7, -2.1e7_f64..2.1e7, 0..4_u8), 0..12),
            0..8,
        ),
        scale in prop::sample::select(vec![1.0, 1e-3, 1e-6, 1e-8, f64::NAN, f64::INFINITY]),
    ) {
        let units: Vec<MultiPolygon<f64>> = units
            .iter()
            .map(|points| {
                let coords = points.iter().map(|&(x, y, kind)| match kind {
                    0 => Coord { x: 0.0, y: 0.0 },
                    1 => Coord { x: x * scale, y: 0.0 },
                    _ => Coord { x: x * scale, y: y * scale },
                });
                let line: LineString<f64> = coords.collect();
                MultiPolygon(vec![Polygon::new(line.clone(), vec![line])])
            })
            .collect();
        let mut coverage = Coverage::build(&units);
        let geometries = coverage.geometries();
        for (unit, geometry) in units.iter().zip(&geometries) {
            let has_point = unit.0.iter().any(|p| !p.exterior().0.is_empty());
            prop_assert_eq!(has_point, !geometry.is_empty());
        }
        prop_assert!(rings(&geometries).all(|ring| ring.len() >= 3));
        for unit in 0..units.len() {
            prop_assert_eq!(coverage.bounds(unit), geometries.bounds(unit));
        }
        let groups: Vec<usize> = (0..units.len()).map(|unit| unit % 3).collect();
        let dissolved = coverage.dissolve(&groups, 2);
        prop_assert_eq!(dissolved.geometries().len(), 2);
        let _ = dissolved.defects();
        let _ = coverage.defects();
        let masks = coverage.generalise([0, 14], 14);
        prop_assert_eq!(masks.len(), units.len());
    }
}

fn turn_units(units: &mut [MultiPolygon<f64>], turn: usize) {
    let turn = turn % units.len();
    units.rotate_left(turn);
    units.reverse();
    for unit in units {
        for polygon in &mut unit.0 {
            polygon.exterior_mut(|ring| {
                ring.0.pop();
                let turn = turn % ring.0.len();
                ring.0.rotate_left(turn);
                let first = ring.0[0];
                ring.0.push(first);
            });
        }
    }
}
