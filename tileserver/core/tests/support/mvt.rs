//! A decoder of vector tiles, written from the specification alone, and a judge of their geometry.
//!
//! It shares no code with the encoder and refuses whatever the specification does not allow.

use std::collections::BTreeMap;

use geo::algorithm::Validation;
use geo::{Coord, LineString, MultiPolygon, Polygon};

/// A value of a property, by its type in the tile.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Float(f32),
    Double(f64),
    Uint(u64),
    Sint(i64),
}

impl Value {
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Text(_) => None,
            Self::Float(value) => Some(f64::from(value)),
            Self::Double(value) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
            Self::Uint(value) => Some(value as f64),
            #[expect(clippy::cast_precision_loss, reason = "at least -2^53")]
            Self::Sint(value) => Some(value as f64),
        }
    }
}

pub type Ring = Vec<(i32, i32)>;

#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    pub id: u64,
    pub properties: BTreeMap<String, Value>,
    /// Polygons: the exterior first.
    pub polygons: Vec<Vec<Ring>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub name: String,
    pub features: Vec<Feature>,
}

/// Bytes still to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().expect("a varint within the message");
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < &0x80 {
                return value;
            }
        }
        panic!("a varint of more than ten bytes")
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        assert!(count <= self.0.len(), "a field longer than its message");
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    /// Field number and content; a number is its little-endian bytes.
    fn field(&mut self) -> Option<(u64, u64, &'a [u8])> {
        if self.0.is_empty() {
            return None;
        }
        let key = self.varint();
        let (number, wire) = (key >> 3, key & 7);
        Some(match wire {
            0 => (number, self.varint(), &[]),
            1 => (number, 0, self.take(8)),
            2 => {
                let length = self.varint();
                (number, 0, self.take(usize::try_from(length).unwrap()))
            }
            5 => (number, 0, self.take(4)),
            _ => panic!("wire type {wire}"),
        })
    }
}

pub fn decode(tile: &[u8]) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut reader = Reader(tile);
    while let Some((number, _, bytes)) = reader.field() {
        assert_eq!(number, 3, "a tile holds layers only");
        layers.push(layer(bytes));
    }
    layers
}

fn layer(bytes: &[u8]) -> Layer {
    let (mut name, mut version, mut extent) = (None, None, None);
    let (mut keys, mut values, mut features) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader(bytes);
    while let Some((number, value, bytes)) = reader.field() {
        match number {
            1 => assert_eq!(name.replace(text(bytes)), None),
            2 => features.push(bytes),
            3 => keys.push(text(bytes)),
            4 => values.push(self::value(bytes)),
            5 => assert_eq!(extent.replace(value), None),
            15 => assert_eq!(version.replace(value), None),
            _ => panic!("field {number} of a layer"),
        }
    }
    assert_eq!(version, Some(2));
    assert_eq!(extent, Some(4096));
    let mut unique = keys.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), keys.len(), "keys are unique");
    let mut used = vec![false; values.len()];
    let features: Vec<Feature> = features
        .into_iter()
        .map(|bytes| feature(bytes, &keys, &values, &mut used))
        .collect();
    assert!(used.iter().all(|used| *used), "no value is there in vain");
    assert!(!features.is_empty(), "no empty layer");
    Layer {
        name: name.expect("a layer has a name"),
        features,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn value(bytes: &[u8]) -> Value {
    let mut reader = Reader(bytes);
    let (number, value, bytes) = reader.field().expect("a value has one field");
    assert!(reader.field().is_none(), "a value has one field");
    match number {
        1 => Value::Text(text(bytes)),
        2 => Value::Float(f32::from_le_bytes(bytes.try_into().unwrap())),
        3 => Value::Double(f64::from_le_bytes(bytes.try_into().unwrap())),
        5 => Value::Uint(value),
        6 => Value::Sint(unzigzag(value)),
        _ => panic!("field {number} of a value"),
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn feature(bytes: &[u8], keys: &[String], values: &[Value], used: &mut [bool]) -> Feature {
    let (mut id, mut kind, mut polygons) = (None, None, None);
    let mut properties = BTreeMap::new();
    let mut reader = Reader(bytes);
    while let Some((number, value, bytes)) = reader.field() {
        match number {
            1 => assert_eq!(id.replace(value), None),
            2 => {
                let mut tags = Reader(bytes);
                while !tags.0.is_empty() {
                    let key = &keys[usize::try_from(tags.varint()).unwrap()];
                    let index = usize::try_from(tags.varint()).unwrap();
                    used[index] = true;
                    let twin = properties.insert(key.clone(), values[index].clone());
                    assert_eq!(twin, None, "a property once");
                }
            }
            3 => assert_eq!(kind.replace(value), None),
            4 => assert!(polygons.replace(geometry(bytes)).is_none()),
            _ => panic!("field {number} of a feature"),
        }
    }
    assert_eq!(kind, Some(3), "polygons only");
    Feature {
        id: id.expect("a feature has an id"),
        properties,
        polygons: polygons.expect("a feature has a geometry"),
    }
}

fn geometry(bytes: &[u8]) -> Vec<Vec<Ring>> {
    let mut reader = Reader(bytes);
    let mut polygons: Vec<Vec<Ring>> = Vec::new();
    let (mut x, mut y) = (0_i32, 0_i32);
    while !reader.0.is_empty() {
        let mut ring = Vec::new();
        for (command, count_min) in [(1, 1), (2, 2)] {
            let integer = reader.varint();
            assert_eq!(integer & 7, command);
            let count = integer >> 3;
            assert!(count >= count_min && (command == 2 || count == 1));
            for _ in 0..count {
                let mut step = || i32::try_from(unzigzag(reader.varint())).unwrap();
                let (dx, dy) = (step(), step());
                assert!(command == 1 || (dx, dy) != (0, 0), "a step of no length");
                (x, y) = (x + dx, y + dy);
                ring.push((x, y));
            }
        }
        assert_eq!(reader.varint(), 15, "ClosePath");
        let area = double_area(&ring);
        assert_ne!(area, 0, "a ring without area");
        assert_ne!(
            ring.first(),
            ring.last(),
            "the closing vertex is not repeated"
        );
        if area > 0 {
            polygons.push(vec![ring]);
        } else {
            polygons.last_mut().expect("an exterior first").push(ring);
        }
    }
    assert!(!polygons.is_empty());
    polygons
}

fn double_area(ring: &Ring) -> i64 {
    let next = ring.iter().cycle().skip(1);
    let cross = |(&(ax, ay), &(bx, by)): (&(i32, i32), &(i32, i32))| {
        i64::from(ax) * i64::from(by) - i64::from(bx) * i64::from(ay)
    };
    ring.iter().zip(next).map(cross).sum()
}

impl Feature {
    /// Twice the area in cells².
    pub fn double_area(&self) -> i64 {
        self.polygons.iter().flatten().map(double_area).sum()
    }

    pub fn to_geo(&self) -> MultiPolygon<f64> {
        let ring = |ring: &Ring| {
            let place = |&(x, y): &(i32, i32)| Coord {
                x: f64::from(x),
                y: f64::from(y),
            };
            LineString::new(ring.iter().chain(ring.first()).map(place).collect())
        };
        let polygon = |rings: &Vec<Ring>| {
            Polygon::new(ring(&rings[0]), rings[1..].iter().map(ring).collect())
        };
        MultiPolygon::new(self.polygons.iter().map(polygon).collect())
    }

    /// What is wrong with the geometry: within the buffer, rings that never touch themselves, and
    /// valid as OGC Simple Features asks.
    pub fn fault(&self) -> Option<String> {
        for ring in self.polygons.iter().flatten() {
            if ring.iter().any(|&(x, y)| x.min(y) < -64 || x.max(y) > 4160) {
                return Some(format!("beyond the buffer: {ring:?}"));
            }
            if !is_simple(ring) {
                return Some(format!("touches itself: {ring:?}"));
            }
        }
        let shape = self.to_geo();
        let fault = shape.check_validation().err()?;
        Some(format!("{fault}: {:?}", self.polygons))
    }
}

/// Whether no two segments of a ring meet but neighbours at their common end: all pairs.
fn is_simple(ring: &Ring) -> bool {
    let n = ring.len();
    let segment = |i: usize| (ring[i], ring[(i + 1) % n]);
    (0..n).all(|i| {
        (i + 1..n).all(|j| {
            let ((a, b), (c, d)) = (segment(i), segment(j));
            match (j == i + 1, i == 0 && j == n - 1) {
                (true, _) => !on_segment(a, b, d) && !on_segment(c, d, a),
                (_, true) => !on_segment(a, b, c) && !on_segment(c, d, b),
                _ => !segments_meet(a, b, c, d),
            }
        })
    })
}

type Point = (i32, i32);

fn side(a: Point, b: Point, p: Point) -> i64 {
    let d = |u: i32, v: i32| i64::from(v) - i64::from(u);
    (d(a.0, b.0) * d(a.1, p.1) - d(a.1, b.1) * d(a.0, p.0)).signum()
}

fn on_segment(a: Point, b: Point, p: Point) -> bool {
    let within = |u: i32, v: i32, w: i32| u.min(v) <= w && w <= u.max(v);
    side(a, b, p) == 0 && within(a.0, b.0, p.0) && within(a.1, b.1, p.1)
}

fn segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool {
    let proper = side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
    proper
        || on_segment(a, b, c)
        || on_segment(a, b, d)
        || on_segment(c, d, a)
        || on_segment(c, d, b)
}
