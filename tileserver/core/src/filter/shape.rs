//! Geometry literals: longitude and latitude in degrees, in one normal form.

/// Longitude, latitude.
pub(super) type Position = [f64; 2];

/// A literal in normal form: equal sets of points written with other starts, directions or
/// orders of their parts are equal. Rings are open: the first position is not repeated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Points(Vec<Position>),
    Lines(Vec<Vec<Position>>),
    /// Per polygon its exterior ring and its holes.
    Polygons(Vec<Vec<Vec<Position>>>),
}

impl Shape {
    pub(super) fn points(points: Vec<Position>) -> Result<Self, &'static str> {
        let mut points = checked(points)?;
        if points.is_empty() {
            return Err(EMPTY);
        }
        points.sort_by(order);
        points.dedup();
        Ok(Self::Points(points))
    }

    pub(super) fn lines(lines: Vec<Vec<Position>>) -> Result<Self, &'static str> {
        if lines.is_empty() {
            return Err(EMPTY);
        }
        let mut normal = lines.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
        normal.sort_by(|a, b| order_all(a, b));
        normal.dedup();
        Ok(Self::Lines(normal))
    }

    /// Rings as written: closed, exterior first.
    pub(super) fn polygons(polygons: Vec<Vec<Vec<Position>>>) -> Result<Self, &'static str> {
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            return Err(EMPTY);
        }
        let mut normal = polygons
            .into_iter()
            .map(|rings| {
                let mut rings = rings.into_iter().map(ring).collect::<Result<Vec<_>, _>>()?;
                rings[1..].sort_by(|a, b| order_all(a, b));
                Ok(rings)
            })
            .collect::<Result<Vec<_>, &'static str>>()?;
        normal.sort_by(|a, b| order_all(&a.concat(), &b.concat()));
        normal.dedup();
        Ok(Self::Polygons(normal))
    }

    /// West, south, east, north; west > east crosses the antimeridian.
    pub(super) fn bbox([west, south, east, north]: [f64; 4]) -> Result<Self, &'static str> {
        checked(vec![[west, south], [east, north]])?;
        if south > north {
            return Err("the box's south is north of its north; write west, south, east, north");
        }
        if west <= east {
            return rectangle(west, south, east, north);
        }
        let mut halves = Vec::new();
        for (west, east) in [(west, 180.0), (-180.0, east)] {
            if west < east && south < north {
                halves.push(closed_rectangle(west, south, east, north));
            }
        }
        if halves.is_empty() {
            let span = |lon| vec![[lon, south], [lon, north]];
            return Self::lines(vec![span(180.0), span(-180.0)]);
        }
        Self::polygons(halves)
    }

    /// West, south, east, north of a literal that is one rectangle.
    #[expect(clippy::float_cmp, reason = "the same number or another rectangle")]
    pub(super) fn as_bbox(&self) -> Option<[f64; 4]> {
        let Self::Polygons(polygons) = self else {
            return None;
        };
        let [rings] = polygons.as_slice() else {
            return None;
        };
        let [ring] = rings.as_slice() else {
            return None;
        };
        // In normal form a rectangle starts at its south-west and turns left.
        let [a, b, c, d] = ring.as_slice() else {
            return None;
        };
        let upright = a[1] == b[1] && b[0] == c[0] && c[1] == d[1] && d[0] == a[0];
        upright.then_some([a[0], a[1], c[0], c[1]])
    }
}

const EMPTY: &str = "it is empty";

fn rectangle(west: f64, south: f64, east: f64, north: f64) -> Result<Shape, &'static str> {
    match (west < east, south < north) {
        (true, true) => Shape::polygons(vec![closed_rectangle(west, south, east, north)]),
        (false, false) => Shape::points(vec![[west, south]]),
        _ => Shape::lines(vec![vec![[west, south], [east, north]]]),
    }
}

fn closed_rectangle(west: f64, south: f64, east: f64, north: f64) -> Vec<Vec<Position>> {
    vec![vec![
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ]]
}

fn checked(mut positions: Vec<Position>) -> Result<Vec<Position>, &'static str> {
    for [lon, lat] in &mut positions {
        if !(-180.0..=180.0).contains(lon) || !(-90.0..=90.0).contains(lat) {
            return Err("a position lies outside −180…180° of longitude or −90…90° of latitude");
        }
        // −0 would be a second spelling of 0.
        *lon += 0.0;
        *lat += 0.0;
    }
    Ok(positions)
}

fn line(positions: Vec<Position>) -> Result<Vec<Position>, &'static str> {
    let mut positions = checked(positions)?;
    positions.dedup();
    if positions.len() < 2 {
        return Err("a line needs two different positions");
    }
    let reversed: Vec<Position> = positions.iter().rev().copied().collect();
    if order_all(&reversed, &positions).is_lt() {
        return Ok(reversed);
    }
    Ok(positions)
}

fn ring(positions: Vec<Position>) -> Result<Vec<Position>, &'static str> {
    let mut ring = checked(positions)?;
    if ring.len() < 4 || ring.first() != ring.last() {
        return Err("a ring needs four positions, the last equal to the first");
    }
    ring.pop();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < 3 {
        return Err("a ring needs three different positions");
    }
    let mut best = rotated(&ring);
    ring.reverse();
    let mirrored = rotated(&ring);
    if area_sign(&mirrored) > area_sign(&best) {
        best = mirrored;
    }
    Ok(best)
}

/// The ring from its smallest position on; of several equal ones, the start that orders first.
fn rotated(ring: &[Position]) -> Vec<Position> {
    let least = ring.iter().min_by(|a, b| order(a, b));
    ring.iter()
        .enumerate()
        .filter(|(_, position)| Some(*position) == least)
        .map(|(start, _)| [&ring[start..], &ring[..start]].concat())
        .min_by(|a, b| order_all(a, b))
        .unwrap_or_default()
}

/// 1 where the ring turns left (east is right, north is up), −1 where right. A ring without an
/// area gets the sign of its order, so that both directions still have one normal form.
fn area_sign(ring: &[Position]) -> i8 {
    let mut double_area = 0.0;
    for (i, a) in ring.iter().enumerate() {
        let b = ring[(i + 1) % ring.len()];
        double_area +=
            (a[0] - ring[0][0]) * (b[1] - ring[0][1]) - (b[0] - ring[0][0]) * (a[1] - ring[0][1]);
    }
    if double_area == 0.0 {
        let forward = order(&ring[1], &ring[ring.len() - 1]);
        return if forward.is_le() { 1 } else { -1 };
    }
    if double_area > 0.0 { 1 } else { -1 }
}

fn order(a: &Position, b: &Position) -> std::cmp::Ordering {
    a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1]))
}

fn order_all(a: &[Position], b: &[Position]) -> std::cmp::Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| order(a, b))
        .find(|o| o.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_a_box_in_any_spelling() {
        let corners = [[0.0, 1.0], [2.0, 1.0], [2.0, 3.0], [0.0, 3.0]];
        let expected = Shape::bbox([0.0, 1.0, 2.0, 3.0]).unwrap();
        for start in 0..4 {
            for reverse in [false, true] {
                let mut ring: Vec<_> = (0..5).map(|i| corners[(start + i) % 4]).collect();
                if reverse {
                    ring.reverse();
                }
                let shape = Shape::polygons(vec![vec![ring]]).unwrap();
                assert_eq!(shape, expected);
                assert_eq!(shape.as_bbox(), Some([0.0, 1.0, 2.0, 3.0]));
            }
        }
    }

    #[test]
    fn boxes_at_the_edges() {
        let crossing = Shape::bbox([170.0, -10.0, -170.0, 10.0]).unwrap();
        let Shape::Polygons(halves) = &crossing else {
            panic!("{crossing:?}");
        };
        assert_eq!(halves.len(), 2);
        assert!(matches!(
            Shape::bbox([1.0, 1.0, 1.0, 1.0]),
            Ok(Shape::Points(_))
        ));
        assert!(matches!(
            Shape::bbox([1.0, 1.0, 1.0, 2.0]),
            Ok(Shape::Lines(_))
        ));
        assert!(Shape::bbox([0.0, 2.0, 1.0, 1.0]).is_err());
        assert!(Shape::bbox([f64::NAN, 0.0, 1.0, 1.0]).is_err());
        assert!(Shape::bbox([0.0, 0.0, 181.0, 1.0]).is_err());
    }

    #[test]
    fn refused() {
        let open = vec![vec![vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]];
        assert!(Shape::polygons(open).is_err());
        assert!(Shape::polygons(vec![vec![]]).is_err());
        assert!(Shape::polygons(vec![vec![vec![[0.0, 0.0]; 5]]]).is_err());
        assert!(Shape::points(vec![]).is_err());
        assert!(Shape::lines(vec![vec![[0.0, 0.0]]]).is_err());
    }
}
