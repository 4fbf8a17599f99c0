use std::collections::BTreeMap;
use std::sync::Arc;

use geo::{Area, BooleanOps, ConvexHull, Intersects};
use geo_types::{MultiPoint, MultiPolygon, Point, Polygon};
use proptest::prelude::*;
use serde_json::Value;
use tilecore::mercator::grid_from_degrees;

use super::*;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        real(usize::try_from((z ^ (z >> 31)) >> 12).expect("52 bits")) / 2_f64.powi(52)
    }
}

/// Villages of different density, with some blocks of flats.
fn town(buildings: usize, seed: u64) -> Vec<Building> {
    let mut dice = Dice(seed);
    let villages: Vec<(Coord<f64>, f64)> = (0..5)
        .map(|_| {
            let place = Coord {
                x: 5000.0 * dice.share(),
                y: 5000.0 * dice.share(),
            };
            (place, 100.0 + 900.0 * dice.share())
        })
        .collect();
    (0..buildings)
        .map(|i| {
            let (middle, reach) = villages[i % villages.len()];
            let place = Coord {
                x: middle.x + reach * (dice.share() + dice.share() - 1.0),
                y: middle.y + reach * (dice.share() + dice.share() - 1.0),
            };
            let doors = if dice.share() < 0.1 {
                2.0 + (8.0 * dice.share()).floor()
            } else {
                1.0
            };
            Building { place, doors }
        })
        .collect()
}

fn members(turfs: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (building, turf) in turfs.iter().enumerate() {
        members.entry(*turf).or_default().push(building);
    }
    members
}

fn hull(buildings: &[Building], members: &[usize]) -> Polygon<f64> {
    let points: MultiPoint<f64> = members
        .iter()
        .map(|i| Point::from(buildings[*i].place))
        .collect();
    points.convex_hull()
}

fn check(buildings: &[Building], size: f64) -> Vec<usize> {
    let turfs = split(buildings, size);
    assert_eq!(turfs.len(), buildings.len());
    let members = members(&turfs);
    // Numbers from 0 without a gap.
    assert!(members.keys().copied().eq(0..members.len()));
    for (turf, members) in &members {
        let doors = doors(buildings, members);
        let miss = (doors / size - 1.0).abs();
        assert!(
            miss <= TOLERANCE,
            "turf {turf} of {doors} doors, not {size}"
        );
    }
    turfs
}

#[test]
fn turfs_have_the_size_wherever_there_are_doors_enough() {
    for (buildings, size, seed) in [
        (2000, 60.0, 1),
        (2000, 100.0, 2),
        (3000, 50.0, 3),
        (700, 75.0, 4),
    ] {
        check(&town(buildings, seed), size);
    }
}

#[test]
fn no_turf_reaches_into_another() {
    let buildings = town(1500, 5);
    let turfs = check(&buildings, 60.0);
    let hulls: Vec<Polygon<f64>> = members(&turfs)
        .values()
        .map(|members| hull(&buildings, members))
        .collect();
    for (i, a) in hulls.iter().enumerate() {
        for b in &hulls[i + 1..] {
            if a.intersects(b) {
                let common = a.intersection(b).unsigned_area();
                assert!(common < 1e-6, "{common}");
            }
        }
    }
}

#[test]
fn no_turf_leaves_its_area() {
    // An L, and the square in its corner.
    let shape =
        |ring: &[(f64, f64)]| MultiPolygon(vec![Polygon::new(ring.to_vec().into(), Vec::new())]);
    let ell = shape(&[
        (0.0, 0.0),
        (3.0, 0.0),
        (3.0, 1.0),
        (1.0, 1.0),
        (1.0, 3.0),
        (0.0, 3.0),
    ]);
    let corner = shape(&[(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)]);
    let mut dice = Dice(8);
    let shapes = [("ell", ell), ("corner", corner)];
    let mut addresses = [Vec::new(), Vec::new()];
    for number in 0..400 {
        let (lon, lat) = (3.0 * dice.share(), 3.0 * dice.share());
        addresses[usize::from(lon > 1.0 && lat > 1.0)].push(Address {
            id: number.to_string(),
            building: None,
            place: grid_from_degrees(lon, lat),
            doors: 1.0,
        });
    }
    let areas = shapes
        .iter()
        .zip(addresses)
        .map(|((name, shape), addresses)| super::Area {
            name: (*name).to_owned(),
            shape: Some(Arc::new(shape.clone())),
            addresses,
        });
    let turfs: Vec<Turf> = areas.flat_map(|area| turfs_of(area, 60.0)).collect();
    let told = geojson(&turfs);
    let features = told["features"].as_array().expect("a list");
    assert!(features.len() > 4);
    let rings = |polygon: &Value| -> Polygon<f64> {
        let ring: Vec<(f64, f64)> = serde_json::from_value(polygon[0].clone()).expect("a ring");
        Polygon::new(ring.into(), Vec::new())
    };
    let mut drawn = Vec::new();
    for feature in features {
        let geometry = &feature["geometry"];
        let polygons = match geometry["type"].as_str() {
            Some("Polygon") => vec![rings(&geometry["coordinates"])],
            _ => geometry["coordinates"]
                .as_array()
                .expect("parts")
                .iter()
                .map(rings)
                .collect(),
        };
        let turf = MultiPolygon(polygons);
        let (_, area) = shapes
            .iter()
            .find(|(name, _)| *name == feature["properties"]["area"])
            .expect("an area");
        assert!(turf.difference(area).unsigned_area() < 1e-5);
        drawn.push(turf);
    }
    for (i, a) in drawn.iter().enumerate() {
        for b in &drawn[i + 1..] {
            assert!(a.intersection(b).unsigned_area() < 1e-5);
        }
    }
}

#[test]
fn the_order_of_the_file_is_nothing() {
    let buildings = town(900, 6);
    let turfs = split(&buildings, 60.0);
    let mut shuffled: Vec<usize> = (0..buildings.len()).collect();
    let mut dice = Dice(9);
    shuffled.sort_by_cached_key(|_| dice.share().to_bits());
    let moved: Vec<Building> = shuffled.iter().map(|i| buildings[*i]).collect();
    for (from, turf) in shuffled.iter().zip(split(&moved, 60.0)) {
        assert_eq!(turfs[*from], turf);
    }
}

#[test]
fn odd_towns_have_turfs_too() {
    let at = |x: f64, doors: f64| Building {
        place: Coord { x, y: 0.0 },
        doors,
    };
    assert_eq!(split(&[], 50.0), Vec::<usize>::new());
    assert_eq!(split(&[at(0.0, 3.0)], 50.0), [0]);
    // A tower stays whole, however big.
    assert_eq!(split(&[at(0.0, 500.0)], 50.0), [0]);
    let tower = split(&[at(0.0, 50.0), at(10.0, 400.0), at(20.0, 50.0)], 50.0);
    assert_eq!(members(&tower).len(), 3);
    // All at one place, and all in a row.
    assert_eq!(members(&split(&[at(0.0, 1.0); 100], 50.0)).len(), 2);
    let row: Vec<Building> = (0..100).map(|i| at(f64::from(i), 1.0)).collect();
    assert_eq!(split(&row, 50.0)[..50], [0; 50]);
}

proptest! {
    #[test]
    fn every_building_is_in_one_turf(
        places in prop::collection::vec((0.0..1e3_f64, 0.0..1e3_f64, 1_u8..9), 0..200),
        size in 1.0..40.0_f64,
    ) {
        let buildings: Vec<Building> = places
            .iter()
            .map(|(x, y, doors)| Building { place: Coord { x: *x, y: *y }, doors: f64::from(*doors) })
            .collect();
        let turfs = split(&buildings, size);
        prop_assert_eq!(turfs.len(), buildings.len());
        let members = members(&turfs);
        prop_assert!(members.keys().copied().eq(0..members.len()));
    }
}
