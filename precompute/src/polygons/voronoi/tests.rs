use super::*;
use crate::topology::Coverage;

/// Shares of the whole by name: the Mercator scale is the same all over a commune to 0.1 %.
fn shares(areas: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let whole: f64 = areas.values().sum();
    areas
        .into_iter()
        .map(|(name, area)| (name, area / whole))
        .collect()
}

#[test]
fn stations_of_douarnenez_have_the_reference_s_areas() {
    let Some(folder) = crate::real_data::oracle("10_voronoi") else {
        return;
    };
    let source = super::super::PolygonSource {
        path: folder.join("commune_29046.geojson"),
        ..Default::default()
    };
    let voronoi = Voronoi {
        path: folder.join("reu_addresses_29046.csv"),
        by: "id_brut_bv_reu".to_owned(),
        ..Voronoi::default()
    };
    let commune = super::super::read(&source).expect("the commune");
    let whole = Coverage::build(&[commune.features[0].geometry.clone()]);
    let cells = read(&voronoi, commune, &source.path).expect("addresses");
    let stations: Vec<String> = cells
        .features
        .iter()
        .map(|cell| match &cell.properties[0] {
            Value::Text(station) => station.to_string(),
            other => panic!("a station is text, not {other:?}"),
        })
        .collect();
    assert_eq!(stations.len(), 13);
    let shapes: Vec<MultiPolygon<f64>> = cells.features.into_iter().map(|c| c.geometry).collect();
    let coverage = Coverage::build(&shapes);
    let areas: Vec<f64> = coverage.geometries().iter().map(grid_area).collect();
    let sum: f64 = areas.iter().sum();
    let commune_area = grid_area(&whole.geometries()[0]);
    assert!(
        (sum / commune_area - 1.0).abs() < 1e-6,
        "{sum} of {commune_area}"
    );
    let defects = coverage.defects();
    assert!(
        defects.overlap_share < 1e-9 && defects.gap_share < 1e-9,
        "{defects:?}"
    );

    let table = std::fs::read_to_string(folder.join("expected_areas_29046.csv")).expect("areas");
    let expected = table
        .lines()
        .filter(|line| line.contains(",contours,"))
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[2].to_owned(), cells[3].parse().expect("an area"))
        });
    let expected = shares(expected.collect());
    let found = shares(stations.into_iter().zip(areas).collect());
    assert_eq!(found.len(), expected.len());
    for (station, share) in &expected {
        let error = (found[station] / share - 1.0).abs();
        assert!(error < 0.005, "{station}: off by {error}");
    }
}

/// Cells of the world grid.
fn grid_area(polygons: &tilecore::geometry::MultiPolygon) -> f64 {
    let rings = polygons.iter().flat_map(tilecore::geometry::Polygon::rings);
    let doubled: i64 = rings
        .map(|ring| {
            let next = ring.iter().cycle().skip(1);
            let cross = |(a, b): (&tilecore::geometry::Vertex, &tilecore::geometry::Vertex)| {
                i64::from(a.x) * i64::from(b.y) - i64::from(b.x) * i64::from(a.y)
            };
            ring.iter().zip(next).map(cross).sum::<i64>()
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a commune")]
    let area = doubled as f64 / 2.0;
    area
}

fn square(x: f64, side: f64) -> Feature {
    let corner = |dx: f64, dy: f64| Coord {
        x: x + dx * side,
        y: dy * side,
    };
    let ring = vec![
        corner(0.0, 0.0),
        corner(1.0, 0.0),
        corner(1.0, 1.0),
        corner(0.0, 1.0),
    ];
    Feature {
        origin: Origin {
            file: "communes".into(),
            feature: 1,
        },
        properties: Vec::new(),
        geometry: MultiPolygon(vec![Polygon::new(ring.into(), Vec::new())]),
    }
}

fn address(station: &str, x: f64, y: f64) -> Address {
    Address {
        station: station.to_owned(),
        place: Coord { x, y },
        count: 1.0,
        score: 0.5,
    }
}

fn row(station: &str, x: f64, count: usize) -> Vec<Address> {
    (0..count)
        .map(|i| {
            #[expect(clippy::cast_precision_loss, reason = "a test's few addresses")]
            let y = i as f64 + 0.5;
            address(station, x, y)
        })
        .collect()
}

#[test]
fn a_station_is_of_the_commune_of_most_of_its_addresses() {
    let communes = [square(0.0, 100.0), square(100.0, 100.0)];
    let communes: Vec<Commune<'_>> = communes.iter().map(Commune::new).collect();
    let mut addresses = row("a", 20.0, 40);
    addresses.extend(row("a", 120.0, 3));
    addresses.extend(row("b", 80.0, 40));
    addresses.extend(row("far", 900.0, 40));
    let found = by_commune(&addresses, &communes);
    assert_eq!(found[0].keys().copied().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((found[0]["a"].len(), found[1].len()), (40, 0));
    let cells = communes[0].divide(&found[0]).expect("80 addresses");
    let area = |station: &str| -> f64 {
        use geo::Area;
        let of = cells.iter().filter(|(name, _)| name == station);
        of.map(|(_, shape)| shape.unsigned_area()).sum()
    };
    assert!((area("a") - 5000.0).abs() < 1e-6 && (area("b") - 5000.0).abs() < 1e-6);
    assert_eq!(communes[1].divide(&found[1]), Err("no_address"));
}

#[test]
fn few_addresses_make_no_area() {
    let commune = square(0.0, 100.0);
    let commune = Commune::new(&commune);
    let stations = |rows: &[(&'static str, usize)]| -> Vec<Address> {
        let rows = rows.iter().zip([10.0, 50.0, 90.0]);
        rows.flat_map(|((name, count), x)| row(name, x, *count))
            .collect()
    };
    let divide = |rows: &[(&'static str, usize)]| {
        let addresses = stations(rows);
        let communes = [Commune::new(commune.feature)];
        let found = by_commune(&addresses, &communes);
        let names = |cells: Vec<(String, MultiPolygon<f64>)>| {
            let mut names: Vec<String> = cells.into_iter().map(|(name, _)| name).collect();
            names.dedup();
            names.join(" ")
        };
        communes[0].divide(&found[0]).map(names)
    };
    // One station has all; one of two that has addresses enough as well.
    assert_eq!(divide(&[("a", 3)]), Ok("a".to_owned()));
    assert_eq!(divide(&[("a", 60), ("b", 14)]), Ok("a".to_owned()));
    assert_eq!(divide(&[("a", 20), ("b", 20)]), Err("too_few_addresses"));
    assert_eq!(divide(&[("a", 5), ("b", 5)]), Err("too_few_addresses"));
    let addresses = stations(&[("a", 40), ("b", 40), ("c", 9)]);
    let found = by_commune(&addresses, &[Commune::new(commune.feature)]);
    assert!(left_out(&found[0]).eq([("c", 9)]));
    let three = divide(&[("a", 40), ("b", 40), ("c", 9)]);
    assert!(three.is_ok_and(|names| !names.contains('c')));
}

#[test]
fn what_addresses_do_not_count_is_told() {
    use std::fmt::Write;
    let directory = tempfile::TempDir::new().expect("a directory");
    let mut table = "station,lon,lat,geo_type\n".to_owned();
    let mut rows = |station: &str, lon: &str, kind: &str, count: usize| {
        for i in 0..count {
            writeln!(table, "{station},{lon},0.001{i:02},{kind}").expect("text");
        }
    };
    rows("a", "0.0002", "housenumber", 40);
    rows("b", "0.0008", "housenumber", 40);
    // Where a has more.
    rows("shadow", "0.0002", "housenumber", 20);
    rows("a", "0.0002", "housenumber", 40);
    rows("far", "9.5", "housenumber", 20);
    rows("streets", "0.0004", "street", 3);
    rows("nowhere", "", "housenumber", 4);
    rows("", "0.0004", "housenumber", 5);
    let path = directory.path().join("addresses.csv");
    std::fs::write(&path, table).expect("written");
    let voronoi = Voronoi {
        path,
        by: "station".to_owned(),
        ..Voronoi::default()
    };
    let communes = Polygons {
        features: vec![square(0.0, 200.0)],
        ..Polygons::default()
    };
    let found = read(&voronoi, communes, Path::new("communes")).expect("addresses");
    let told = |notes: &[Note]| -> Vec<String> {
        let told = |note: &Note| format!("{} {}", note.reason, note.detail);
        notes.iter().map(told).collect()
    };
    assert_eq!(found.features.len(), 2);
    assert_eq!(
        told(&found.notes),
        [
            "address_without_place 7 addresses have no place on the map, or that of a street or town",
            "address_without_station 5 addresses name no station",
            "address_elsewhere 20 addresses lie in no polygon, or not in that of most addresses of \
             their station",
        ]
    );
    let none = |station: &str, count: usize, why: &str| {
        format!("station_without_area {station:?} has {count} addresses, of which {why}")
    };
    assert_eq!(
        told(&found.skipped),
        [
            none("far", 20, "none lies in a polygon"),
            none("nowhere", 4, "none lies in a polygon"),
            none("shadow", 20, "each is at a place of another station"),
            none("streets", 3, "none lies in a polygon"),
        ]
    );
}

#[test]
fn a_place_of_two_stations_is_of_the_better_address() {
    let better = Address {
        count: 2.0,
        ..address("b", 1.0, 1.0)
    };
    let located = Address {
        score: 0.9,
        ..address("c", 2.0, 1.0)
    };
    let all = [
        address("a", 1.0, 1.0),
        better,
        address("a", 2.0, 1.0),
        located,
        address("e", 3.0, 1.0),
        address("d", 3.0, 1.0),
    ];
    for all in [all.to_vec(), all.iter().rev().cloned().collect()] {
        let found: Vec<&str> = places(all.iter())
            .iter()
            .map(|a| a.station.as_str())
            .collect();
        assert_eq!(found, ["b", "c", "d"]);
    }
}
