//! Against a winding number around places moved by less than any edge can tell.

use std::io::Cursor;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::bitmap::Bitmap;
use crate::dataset::schema;
use crate::dataset::write::{LevelRows, SortedRows};
use crate::density::morton::key_of;
use crate::geometry::{MultiPolygon, Polygon, Vertex};

/// North-west corner of the lattice.
pub(in crate::density) const CORNER: i32 = 400_000_000;

/// Fields along an edge of the lattice.
const SIDE: i32 = 6;

/// A partition into fields whose shared corners and middles of sides are moved, every third one a
/// pair of fields taken together, one with a hole that another fills.
pub(in crate::density) fn partition(moves: &[(i32, i32)]) -> Vec<MultiPolygon> {
    let corner = |x: i32, y: i32| {
        // Twice as many places as corners: those between are the middles of sides.
        let at = usize::try_from(y * (2 * SIDE + 1) + x).expect("inside");
        let (dx, dy) = moves[at % moves.len()];
        Vertex {
            x: CORNER + x * 100 + dx,
            y: CORNER + y * 100 + dy,
            m: 0,
        }
    };
    let mut fields: Vec<MultiPolygon> = Vec::new();
    for j in 0..SIDE {
        for i in 0..SIDE {
            let (x, y) = (2 * i, 2 * j);
            let around = [
                (0, 0),
                (1, 0),
                (2, 0),
                (2, 1),
                (2, 2),
                (1, 2),
                (0, 2),
                (0, 1),
            ];
            let exterior = around.map(|(dx, dy)| corner(x + dx, y + dy)).to_vec();
            let mut field = Polygon {
                exterior,
                holes: Vec::new(),
            };
            if (i, j) == (2, 2) {
                let middle = corner(x + 1, y + 1);
                let island = [(-20, -20), (20, -20), (20, 20), (-20, 20)];
                let ring = island.map(|(dx, dy)| Vertex {
                    x: middle.x + dx,
                    y: middle.y + dy,
                    m: 0,
                });
                field.holes = vec![ring.iter().rev().copied().collect()];
                fields.push(vec![Polygon {
                    exterior: ring.to_vec(),
                    holes: Vec::new(),
                }]);
            }
            match (i + j) % 3 {
                1 if i > 0 => fields.last_mut().expect("one before").push(field),
                _ => fields.push(vec![field]),
            }
        }
    }
    fields
}

pub(in crate::density) fn level(shapes: Vec<MultiPolygon>) -> Level {
    let count = shapes.len();
    let rows = LevelRows {
        keys: (0..count).map(|i| format!("{i:03}")).collect(),
        names: (0..count).map(|i| i.to_string()).collect(),
        ids: (1..=count as u64).collect(),
        parents: vec![None; count],
        geometries: shapes,
        ..LevelRows::default()
    };
    let sorted = SortedRows::new(rows).expect("to the rules");
    let (mut fgb, mut arrow) = (Cursor::new(Vec::new()), Vec::new());
    sorted.write_fgb("fields", &mut fgb).expect("memory");
    sorted.write_arrow(&mut arrow).expect("memory");
    let meta = schema::Level {
        name: "field".into(),
        title: schema::Localized::new(),
        zooms: [0, 14],
        rows: count as u64,
        bounds: [0.0; 4],
        fgb: "fields.fgb".into(),
        arrow: "fields.arrow".into(),
        columns: Vec::new(),
    };
    let files = [fgb.into_inner(), arrow].map(Bytes::from);
    let [fgb, arrow] = files;
    Level::open(&meta, fgb, arrow).expect("just written")
}

/// Whether a shape winds around a place that lies a little further east and, by much less than
/// that, further south: no edge goes through it.
fn winds_around(shape: &MultiPolygon, p: GridPoint) -> bool {
    const SCALE: i128 = 1_000_000_000;
    let (px, py) = (
        i128::from(p.x) * SCALE + 100_000,
        i128::from(p.y) * SCALE + 1,
    );
    let mut winding = 0;
    for ring in shape.iter().flat_map(Polygon::rings) {
        let next = ring.iter().cycle().skip(1);
        for (a, b) in ring.iter().zip(next) {
            let (ax, ay) = (i128::from(a.x) * SCALE, i128::from(a.y) * SCALE);
            let (bx, by) = (i128::from(b.x) * SCALE, i128::from(b.y) * SCALE);
            let left = (bx - ax) * (py - ay) - (px - ax) * (by - ay);
            assert!(left != 0 || (ay > py) == (by > py), "on an edge");
            if ay <= py && by > py && left > 0 {
                winding += 1;
            } else if ay > py && by <= py && left < 0 {
                winding -= 1;
            }
        }
    }
    winding != 0
}

fn keys_of(points: &[(i32, i32)]) -> Vec<u64> {
    let mut keys: Vec<u64> = points
        .iter()
        .map(|&(x, y)| key_of(GridPoint { x, y }))
        .collect();
    keys.sort_unstable();
    keys
}

/// Every contact in as many areas as `expected_areas` says, and in the one that is found.
fn check(level: &Level, keys: &[u64], is_partition: bool) {
    let found = Areas::of(level, keys).expect("sound shapes");
    let shapes: Vec<MultiPolygon> = (0..level.rows())
        .map(|row| level.geometry(row).expect("sound"))
        .collect();
    for (contact, key) in (0_u32..).zip(keys) {
        let p = point_of(*key);
        let holding: Vec<usize> = (0..shapes.len())
            .filter(|row| winds_around(&shapes[*row], p))
            .collect();
        assert!(!is_partition || holding.len() <= 1, "{p:?} in {holding:?}");
        assert_eq!(found.get(contact), holding.first().copied(), "{p:?}");
        assert_eq!(found.get(contact), level.at(p).expect("sound"), "{p:?}");
    }
    assert_eq!(found.get(u32::try_from(keys.len()).expect("few")), None);
}

#[test]
fn ten_thousand_contacts_lie_where_a_scan_finds_them() {
    let moves: Vec<(i32, i32)> = (0..29)
        .map(|i| (i * 7919 % 61 - 30, i * 104_729 % 61 - 30))
        .collect();
    let level = level(partition(&moves));
    let mut state = 1_u64;
    let mut dice = |end: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i32::try_from((state >> 33) % end).expect("small")
    };
    let points: Vec<(i32, i32)> = (0..10_000)
        .map(|_| (CORNER - 60 + dice(1_330), CORNER - 60 + dice(1_330)))
        .collect();
    check(&level, &keys_of(&points), true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Straight borders, corners met by four, and places on them.
    #[test]
    fn places_on_borders_lie_in_one_area(
        moves in prop::collection::vec((-2_i32..3, -2_i32..3), 1..9),
        points in prop::collection::vec((0_i32..=24, 0_i32..=24, -2_i32..3, -2_i32..3), 1..300),
    ) {
        let level = level(partition(&moves));
        let near = |&(x, y, dx, dy): &(i32, i32, i32, i32)| {
            (CORNER + x * 50 + dx, CORNER + y * 50 + dy)
        };
        let points: Vec<(i32, i32)> = points.iter().map(near).collect();
        check(&level, &keys_of(&points), true);
    }

    /// Overlapping areas: the first in the file has the place.
    #[test]
    fn the_first_of_several_has_the_place(
        places in prop::collection::vec((0_i32..300, 0_i32..300, 1_i32..200), 1..12),
        points in prop::collection::vec((0_i32..500, 0_i32..500), 1..200),
    ) {
        let shapes = places.iter().map(|&(x, y, edge)| {
            let corner = |dx: i32, dy: i32| Vertex { x: CORNER + x + dx, y: CORNER + y + dy, m: 0 };
            vec![Polygon {
                exterior: vec![corner(0, 0), corner(edge, 0), corner(edge, edge), corner(0, edge)],
                holes: Vec::new(),
            }]
        });
        let level = level(shapes.collect());
        let points: Vec<(i32, i32)> =
            points.iter().map(|&(x, y)| (CORNER + x, CORNER + y)).collect();
        check(&level, &keys_of(&points), false);
    }

    #[test]
    fn counts_and_parts_add_up(
        points in prop::collection::vec((-60_i32..1_300, -60_i32..1_300), 0..400),
        bits in prop::collection::vec(any::<bool>(), 400),
        cut in 0_usize..400,
    ) {
        let level = level(partition(&[(0, 0)]));
        let points: Vec<(i32, i32)> =
            points.iter().map(|&(x, y)| (CORNER + x, CORNER + y)).collect();
        let keys = keys_of(&points);
        let whole = Areas::of(&level, &keys).expect("sound");
        let (first, second) = keys.split_at(cut.min(keys.len()));
        let mut parts = Areas::of(&level, first).expect("sound");
        parts.append(&Areas::of(&level, second).expect("sound"));
        prop_assert_eq!(&parts, &whole);
        let mut passing = Bitmap::empty(keys.len());
        let mut expected = vec![0; level.rows()];
        for (contact, _) in bits.iter().take(keys.len()).enumerate().filter(|(_, bit)| **bit) {
            passing.insert(contact);
            if let Some(row) = whole.get(u32::try_from(contact).expect("few")) {
                expected[row] += 1;
            }
        }
        prop_assert_eq!(whole.counts(&RankedBitmap::new(passing), level.rows()), expected);
    }
}
