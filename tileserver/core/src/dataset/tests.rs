//! What is written is read back: by us, by the flatgeobuf crate, and never differently.

use std::io::Cursor;

use bytes::Bytes;
use flatgeobuf::{FallibleStreamingIterator, FeatureProperties, FgbReader};
use proptest::prelude::*;

use super::columns::{Column, Numbers, Texts};
use super::schema::{self, ColumnStats};
use super::write::{LevelRows, SortedRows, WriteError};
use super::{Level, OpenError};
use crate::geometry::{GridPoint, M_MAX, MultiPolygon, Polygon, Vertex, WORLD_CELLS};

/// The manifest's entry for `rows` rows with the columns of [`town`].
fn meta(rows: usize) -> schema::Level {
    let column = |name: &str| ColumnStats {
        name: name.to_owned(),
        count: rows as u64,
        missing: 0,
        distinct: 0,
        min: None,
        max: None,
    };
    schema::Level {
        name: "bureau".to_owned(),
        title: schema::Localized::new(),
        zooms: [0, 14],
        rows: rows as u64,
        bounds: [0.0; 4],
        fgb: "town/bureau.fgb".to_owned(),
        arrow: "town/bureau.arrow".to_owned(),
        columns: vec![column("turnout"), column("list")],
    }
}

fn square(x: i32, y: i32, edge: i32, m: u16) -> MultiPolygon {
    let corner = |x, y| Vertex { x, y, m };
    vec![Polygon {
        exterior: vec![
            corner(x, y),
            corner(x + edge, y),
            corner(x + edge, y + edge),
            corner(x, y + edge),
        ],
        holes: Vec::new(),
    }]
}

/// Squares at `places`, with every kind of column.
fn town(places: &[(i32, i32)]) -> LevelRows {
    let key = |i: usize| format!("{i:05}");
    let count = places.len();
    let turnout: Numbers = (0..count)
        .map(|i| (i % 5 != 3).then(|| f64::from(u32::try_from(i).unwrap()) / 3.0))
        .collect();
    let names = ["red", "blue", "green"];
    let list: Texts = (0..count)
        .map(|i| (i % 4 != 1).then_some(names[i % 3]))
        .collect();
    let ballots: Numbers = (0..count)
        .map(|i| Some(f64::from(u32::try_from(i).unwrap())))
        .collect();
    LevelRows {
        keys: (0..count).map(key).collect(),
        names: (0..count).map(|i| format!("Bureau n° {i}")).collect(),
        ids: (0..count as u64).map(|i| i * 7 + 1).collect(),
        parents: (0..count)
            .map(|i| (i % 6 != 0).then(|| key(i / 10)))
            .collect(),
        geometries: places.iter().map(|&(x, y)| square(x, y, 900, 3)).collect(),
        columns: vec![
            ("turnout".to_owned(), Column::Number(turnout)),
            ("list".to_owned(), Column::Text(list)),
            ("~ballots".to_owned(), Column::Number(ballots)),
        ],
        hidden: vec!["~ballots".to_owned()],
        repair_zooms: (0..).take(count).collect(),
    }
}

fn places(count: i32) -> Vec<(i32, i32)> {
    (0..count)
        .map(|i| (500_000_000 + i % 20 * 1000, 300_000_000 + i / 20 * 1000))
        .collect()
}

fn files(rows: LevelRows) -> (Vec<u8>, Vec<u8>) {
    let sorted = SortedRows::new(rows).unwrap();
    let (mut fgb, mut arrow) = (Cursor::new(Vec::new()), Vec::new());
    sorted.write_fgb("bureau", &mut fgb).unwrap();
    sorted.write_arrow(&mut arrow).unwrap();
    (fgb.into_inner(), arrow)
}

fn open(rows: LevelRows) -> Level {
    let count = rows.keys.len();
    let (fgb, arrow) = files(rows);
    Level::open(&meta(count), Bytes::from(fgb), Bytes::from(arrow)).unwrap()
}

#[test]
fn every_value_is_read_back() {
    let rows = town(&places(333));
    let expected = town(&places(333));
    let level = open(rows);
    assert_eq!(level.rows(), 333);
    for i in 0..333 {
        let row = level.row_of_key(&expected.keys[i]).unwrap();
        assert_eq!(level.row_of_id(expected.ids[i]), Some(row));
        assert_eq!(level.name(row), expected.names[i]);
        assert_eq!(level.parent(row), expected.parents[i].as_deref());
        assert_eq!(level.geometry(row).unwrap(), expected.geometries[i]);
        let (x, y) = places(333)[i];
        assert_eq!(level.bounds_of(row), [x, y, x + 900, y + 900]);
        assert_eq!(
            level.at(GridPoint {
                x: x + 450,
                y: y + 9
            }),
            Ok(Some(row))
        );
        for z in 0..9 {
            assert_eq!(level.needs_repair(row, z), i >> z & 1 == 1);
        }
        for (name, column) in &expected.columns {
            match (column, level.column(name).unwrap()) {
                (Column::Number(a), Column::Number(b)) => assert_eq!(a.get(i), b.get(row)),
                (Column::Text(a), Column::Text(b)) => assert_eq!(a.get(i), b.get(row)),
                _ => panic!("the type of {name} changed"),
            }
        }
    }
    assert_eq!(level.row_of_key("nowhere"), None);
    assert_eq!(level.row_of_id(0), None);
    assert_eq!(level.at(GridPoint { x: 0, y: 0 }), Ok(None));
}

#[test]
fn the_order_of_input_rows_does_not_show() {
    let rows = town(&places(100));
    let order: Vec<u32> = (0..100).map(|i| i * 37 % 100).collect();
    let mut shuffled: LevelRows = LevelRows::default();
    for &i in &order {
        let i = i as usize;
        shuffled.keys.push(rows.keys[i].clone());
        shuffled.names.push(rows.names[i].clone());
        shuffled.ids.push(rows.ids[i]);
        shuffled.parents.push(rows.parents[i].clone());
        shuffled.geometries.push(rows.geometries[i].clone());
        shuffled.repair_zooms.push(rows.repair_zooms[i]);
    }
    shuffled.hidden.clone_from(&rows.hidden);
    let columns = rows.columns.iter();
    shuffled.columns = columns.map(|(n, c)| (n.clone(), c.take(&order))).collect();
    assert!(files(rows) == files(shuffled));
}

#[test]
fn other_readers_agree() {
    let level = open(town(&places(50)));
    let (fgb, _) = files(town(&places(50)));
    let reader = FgbReader::open(Cursor::new(fgb)).unwrap();
    assert_eq!(reader.header().crs().unwrap().code(), 3857);
    let mut features = reader.select_all().unwrap();
    let mut row = 0;
    while let Some(feature) = features.next().unwrap() {
        let properties = feature.properties().unwrap();
        assert_eq!(properties["key"], level.key(row));
        assert_eq!(properties["id"], level.id(row).to_string());
        assert!(!properties.contains_key("~ballots"));
        let part = feature.geometry().unwrap().parts().unwrap().get(0);
        assert_eq!(part.xy().unwrap().len(), 10);
        assert!(
            part.m()
                .unwrap()
                .iter()
                .all(|m| (m - 3.0 / 16.0).abs() < 1e-12)
        );
        row += 1;
    }
    assert_eq!(row, 50);
}

#[test]
fn rows_that_break_a_rule_are_refused() {
    let error = |change: fn(&mut LevelRows)| {
        let mut rows = town(&places(9));
        change(&mut rows);
        SortedRows::new(rows).unwrap_err()
    };
    let empty = SortedRows::new(<LevelRows>::default());
    assert!(matches!(empty, Err(WriteError::NoRows)));
    assert!(matches!(
        error(|r| r.keys[3] = "00002".into()),
        WriteError::DuplicateKey(_)
    ));
    assert!(matches!(error(|r| r.ids[3] = 1), WriteError::Id { .. }));
    assert!(matches!(
        error(|r| r.ids[3] = 1 << 53),
        WriteError::Id { .. }
    ));
    assert!(matches!(
        error(|r| r.geometries[3].clear()),
        WriteError::Geometry { .. }
    ));
    assert!(matches!(
        error(|r| r.columns[0].0 = "id".into()),
        WriteError::ColumnName(_)
    ));
    assert!(matches!(
        error(|r| drop(r.names.pop())),
        WriteError::Length { .. }
    ));
}

#[test]
fn a_manifest_of_something_else_is_refused() {
    let (fgb, arrow) = files(town(&places(9)));
    let open = |meta: &schema::Level| {
        let (fgb, arrow) = (Bytes::from(fgb.clone()), Bytes::from(arrow.clone()));
        Level::open(meta, fgb, arrow)
    };
    assert!(matches!(open(&meta(8)), Err(OpenError::Fgb { .. })));
    let mut other = meta(9);
    other.columns[0].name = "abstention".to_owned();
    assert!(matches!(open(&other), Err(OpenError::Column { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Polygons anywhere, with parts and holes, survive to the last bit of every coordinate.
    #[test]
    fn any_geometry_is_read_back(
        shapes in prop::collection::vec(
            prop::collection::vec(
                prop::collection::vec(prop::collection::vec(vertex(), 3..9), 1..4), 1..4), 1..40),
        window in [0..=WORLD_CELLS, 0..=WORLD_CELLS, 0..=WORLD_CELLS, 0..=WORLD_CELLS],
    ) {
        let geometry = |shape: &Vec<Vec<Vec<Vertex>>>| -> MultiPolygon {
            let polygon = |rings: &Vec<Vec<Vertex>>| Polygon {
                exterior: rings[0].clone(),
                holes: rings[1..].to_vec(),
            };
            shape.iter().map(polygon).collect()
        };
        let mut rows = town(&places(i32::try_from(shapes.len()).unwrap()));
        rows.geometries = shapes.iter().map(geometry).collect();
        let level = open(rows);
        for (i, shape) in shapes.iter().enumerate() {
            let row = level.row_of_key(&format!("{i:05}")).unwrap();
            prop_assert_eq!(level.geometry(row).unwrap(), geometry(shape));
        }

        let [a, b, c, d] = window;
        let window = [a.min(c), b.min(d), a.max(c), b.max(d)];
        let mut found = Vec::new();
        level.rows_in(window, &mut found);
        let touching = (0..shapes.len()).filter(|&row| {
            let b = level.bounds_of(row);
            b[0] <= window[2] && b[1] <= window[3] && b[2] >= window[0] && b[3] >= window[1]
        });
        prop_assert!(touching.eq(found.iter().map(|&row| row as usize)));
    }
}

fn vertex() -> impl Strategy<Value = Vertex> {
    let world = || 0..=WORLD_CELLS;
    (world(), world(), 0..=M_MAX).prop_map(|(x, y, m)| Vertex { x, y, m })
}
