//! Spatial predicates against `geo`, and at their edges.

use geo::{Contains, Intersects, Relate};

use super::support::{Dice, Town, parse, queryables, rows};
use crate::filter::{Filter, Shapes};
use crate::geometry::{GridPoint, MultiPolygon, Polygon, Ring, Vertex, double_area};
use crate::mercator::{degrees_from_grid, grid_from_degrees};

struct Units(Vec<MultiPolygon>);

impl Shapes for Units {
    fn bounds(&self, row: usize) -> [i32; 4] {
        let vertices = || self.0[row].iter().flat_map(|polygon| &polygon.exterior);
        let of = |f: fn(&Vertex) -> i32| {
            let values = || vertices().map(f);
            (values().min().unwrap_or(0), values().max().unwrap_or(0))
        };
        let ((x_min, x_max), (y_min, y_max)) = (of(|v| v.x), of(|v| v.y));
        [x_min, y_min, x_max, y_max]
    }

    fn geometry(&self, row: usize) -> MultiPolygon {
        self.0[row].clone()
    }
}

/// Whole numbers on a small lattice, so that touching and overlapping edges are common. The
/// lattice lies on the grid, and its degrees are read back to the same cells.
const CORNER: i32 = 1 << 29;
const STEP: i32 = 1 << 12;

fn vertex((x, y): (i32, i32)) -> Vertex {
    Vertex {
        x: CORNER + x * STEP,
        y: CORNER + y * STEP,
        m: 0,
    }
}

fn ring(corners: &[(i32, i32)], hole: bool) -> Ring {
    let mut ring: Ring = corners.iter().copied().map(vertex).collect();
    if (double_area(&ring) < 0) != hole {
        ring.reverse();
    }
    ring
}

/// A triangle, a rectangle, or a rectangle with a hole.
fn polygon(dice: &mut Dice) -> Polygon {
    loop {
        let mut at = || i32::try_from(dice.below(9)).expect("small");
        let (a, b, c) = ((at(), at()), (at(), at()), (at(), at()));
        let (low, high) = ((a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1)));
        let rectangle =
            |low: (i32, i32), high: (i32, i32)| [low, (high.0, low.1), high, (low.0, high.1)];
        let polygon = match dice.below(3) {
            0 => Polygon {
                exterior: ring(&[a, b, c], false),
                holes: vec![],
            },
            1 => Polygon {
                exterior: ring(&rectangle(low, high), false),
                holes: vec![],
            },
            _ if high.0 - low.0 >= 3 && high.1 - low.1 >= 3 => {
                let hole = rectangle((low.0 + 1, low.1 + 1), (high.0 - 1, high.1 - 1));
                Polygon {
                    exterior: ring(&rectangle(low, high), false),
                    holes: vec![ring(&hole, true)],
                }
            }
            _ => continue,
        };
        if double_area(&polygon.exterior) > 0 {
            return polygon;
        }
    }
}

fn to_geo(polygon: &Polygon) -> geo::Polygon<f64> {
    let line = |ring: &Ring| -> geo::LineString<f64> {
        ring.iter()
            .map(|v| {
                (
                    f64::from((v.x - CORNER) / STEP),
                    f64::from((v.y - CORNER) / STEP),
                )
            })
            .collect()
    };
    geo::Polygon::new(
        line(&polygon.exterior),
        polygon.holes.iter().map(line).collect(),
    )
}

fn position(v: Vertex) -> String {
    let (lon, lat) = degrees_from_grid(v.point());
    assert_eq!(grid_from_degrees(lon, lat), v.point());
    format!("{lon} {lat}")
}

fn wkt(polygon: &Polygon) -> String {
    let rings: Vec<String> = polygon
        .rings()
        .map(|ring| {
            let closed = ring.iter().chain(ring.first());
            let positions: Vec<String> = closed.map(|v| position(*v)).collect();
            format!("({})", positions.join(","))
        })
        .collect();
    format!("POLYGON({})", rings.join(","))
}

#[test]
fn agrees_with_geo() {
    let mut dice = Dice(7);
    for _ in 0..40 {
        let units: Vec<Polygon> = (0..100).map(|_| polygon(&mut dice)).collect();
        let town = Town {
            rows: units.len(),
            columns: vec![],
            shapes: Some(Box::new(Units(
                units.iter().map(|u| vec![u.clone()]).collect(),
            ))),
        };
        let literal = polygon(&mut dice);
        let (area, text) = (to_geo(&literal), wkt(&literal));
        let corner = position(literal.exterior[0]);
        let point = geo::Point::from(area.exterior().0[0]);
        let expect = |call: &str, test: &dyn Fn(&geo::Polygon<f64>) -> bool| {
            let filter = Filter::parse_text(call, &queryables()).expect(call);
            let passing = units
                .iter()
                .enumerate()
                .filter(|(_, unit)| test(&to_geo(unit)));
            let expected: Vec<usize> = passing.map(|(row, _)| row).collect();
            assert_eq!(rows(&filter, &town), expected, "{call}");
        };
        expect(&format!("S_INTERSECTS(geometry, {text})"), &|u| {
            u.intersects(&area)
        });
        expect(&format!("S_DISJOINT(geometry, {text})"), &|u| {
            !u.intersects(&area)
        });
        expect(&format!("S_WITHIN(geometry, {text})"), &|u| {
            u.relate(&area).is_within()
        });
        expect(&format!("S_CONTAINS(geometry, {text})"), &|u| {
            u.relate(&area).is_contains()
        });
        expect(&format!("S_INTERSECTS(geometry, POINT({corner}))"), &|u| {
            u.intersects(&point)
        });
        expect(&format!("S_CONTAINS(geometry, POINT({corner}))"), &|u| {
            u.contains(&point)
        });
        let (a, b) = (
            polygon(&mut dice).exterior[0],
            polygon(&mut dice).exterior[1],
        );
        if a != b {
            let at = |v: Vertex| {
                let scaled = |c: i32| f64::from((c - CORNER) / STEP);
                geo::coord! { x: scaled(v.x), y: scaled(v.y) }
            };
            let line = geo::LineString::from(vec![at(a), at(b)]);
            let call = format!(
                "S_INTERSECTS(geometry, LINESTRING({},{}))",
                position(a),
                position(b)
            );
            expect(&call, &|u| u.intersects(&line));
        }
    }
}

/// A square of one degree with its south-west corner here.
fn square(lon: f64, lat: f64) -> MultiPolygon {
    let corner = |lon, lat| {
        let GridPoint { x, y } = grid_from_degrees(lon, lat);
        Vertex { x, y, m: 0 }
    };
    let exterior = vec![
        corner(lon, lat + 1.0),
        corner(lon + 1.0, lat + 1.0),
        corner(lon + 1.0, lat),
        corner(lon, lat),
    ];
    vec![Polygon {
        exterior,
        holes: vec![],
    }]
}

#[test]
fn boxes() {
    let town = Town {
        rows: 4,
        columns: vec![],
        shapes: Some(Box::new(Units(vec![
            square(179.0, 0.0),
            square(-180.0, 0.0),
            square(10.0, 80.0),
            vec![],
        ]))),
    };
    let passing = |text: &str| rows(&parse(text), &town);
    assert_eq!(
        passing("S_INTERSECTS(geometry, BBOX(179.5, -1, -179.5, 2))"),
        [0, 1]
    );
    assert_eq!(
        passing("S_INTERSECTS(geometry, BBOX(-180, -90, 180, 90))"),
        [0, 1, 2]
    );
    assert_eq!(
        passing("S_WITHIN(geometry, BBOX(-180, -90, 180, 90))"),
        [0, 1, 2]
    );
    assert_eq!(
        passing("S_INTERSECTS(geometry, BBOX(180, 0, -180, 1))"),
        [0, 1]
    );
    assert_eq!(
        passing("S_INTERSECTS(geometry, BBOX(0, 86, 90, 90))"),
        Vec::<usize>::new()
    );
    assert_eq!(
        passing("S_DISJOINT(geometry, BBOX(0, 70, 90, 90))"),
        [0, 1, 3]
    );
    assert_eq!(passing("S_INTERSECTS(geometry, POINT(10.5 80.5))"), [2]);
    assert_eq!(
        passing("S_INTERSECTS(geometry, POINT(11.5 80.5))"),
        Vec::<usize>::new()
    );
}
