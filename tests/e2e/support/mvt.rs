//! A second decoder of vector tiles, by the letter of the specification 2.1.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Server;

/// A layer of a tile.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    pub name: String,
    pub extent: u64,
    pub features: Vec<Feature>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feature {
    pub id: u64,
    pub properties: BTreeMap<String, Value>,
    /// Rings, each a list of places; holes are not told apart. Of points, one place each.
    pub rings: Vec<Vec<(i64, i64)>>,
}

/// The layers of a tile; panics when it is none.
pub fn decode(tile: &[u8]) -> Vec<Layer> {
    let layers = fields(tile).into_iter().filter(|(number, _)| *number == 3);
    layers.map(|(_, field)| layer(field.bytes())).collect()
}

/// `z/x/y` of the tile that holds a place.
pub fn tile_at(lon: f64, lat: f64, z: u8) -> String {
    let n = f64::from(1_u32 << z);
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0;
    let x = (lon + 180.0) / 360.0;
    format!("{z}/{}/{}", (x * n).floor(), (y * n).floor())
}

/// The features of a layer in the four tiles around a place, each once, by id.
///
/// # Panics
/// When a tile is refused.
#[must_use]
pub fn features_around(
    server: &Server,
    layer: &str,
    place: (f64, f64),
    z: u8,
    query: &str,
) -> Vec<Feature> {
    let corners = [
        (-0.03, -0.015),
        (-0.03, 0.015),
        (0.03, -0.015),
        (0.03, 0.015),
    ];
    let address = |(lon, lat): (f64, f64)| tile_at(place.0 + lon, place.1 + lat, z);
    let addresses: BTreeSet<String> = corners.into_iter().map(address).collect();
    let mut features = BTreeMap::new();
    for address in addresses {
        let reply = server.get(&format!("/{layer}/{address}?{query}"));
        match reply.status {
            204 => {}
            200 => {
                let found = decode(&reply.plain()).remove(0).features;
                features.extend(found.into_iter().map(|feature| (feature.id, feature)));
            }
            status => panic!("{status}: {}", reply.text()),
        }
    }
    features.into_values().collect()
}

enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => panic!("a length-delimited field"),
        }
    }

    fn varint(&self) -> u64 {
        match self {
            Self::Varint(value) => *value,
            _ => panic!("a varint"),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).expect("UTF-8")
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut bytes)),
            1 => {
                let (head, rest) = bytes.split_first_chunk().expect("8 bytes");
                bytes = rest;
                Field::Fixed64(*head)
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).expect("a length");
                let (head, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(head)
            }
            5 => {
                let (head, rest) = bytes.split_first_chunk().expect("4 bytes");
                bytes = rest;
                Field::Fixed32(*head)
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().expect("a varint");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a varint of over 64 bits");
}

fn varints(mut bytes: &[u8]) -> Vec<u64> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(varint(&mut bytes));
    }
    all
}

fn layer(bytes: &[u8]) -> Layer {
    let mut layer = Layer::default();
    let (mut keys, mut values, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for (number, field) in fields(bytes) {
        match number {
            1 => layer.name = field.text(),
            2 => features.push(field.bytes()),
            3 => keys.push(field.text()),
            4 => values.push(value(field.bytes())),
            5 => layer.extent = field.varint(),
            15 => assert_eq!(field.varint(), 2, "version"),
            other => panic!("field {other} in a layer"),
        }
    }
    let features = features.into_iter();
    layer.features = features
        .map(|bytes| feature(bytes, &keys, &values))
        .collect();
    layer
}

fn value(bytes: &[u8]) -> Value {
    let all = fields(bytes);
    let [(number, field)] = &all[..] else {
        panic!("a value is one thing");
    };
    match number {
        1 => field.text().into(),
        2 => match field {
            Field::Fixed32(bytes) => f32::from_le_bytes(*bytes).into(),
            _ => panic!("a float"),
        },
        3 => match field {
            Field::Fixed64(bytes) => f64::from_le_bytes(*bytes).into(),
            _ => panic!("a double"),
        },
        4 | 5 => field.varint().into(),
        6 => zigzag(field.varint()).into(),
        other => panic!("value of type {other}"),
    }
}

fn feature(bytes: &[u8], keys: &[String], values: &[Value]) -> Feature {
    let mut feature = Feature::default();
    let index = |i: u64| usize::try_from(i).expect("an index");
    for (number, field) in fields(bytes) {
        match number {
            1 => feature.id = field.varint(),
            2 => {
                for pair in varints(field.bytes()).chunks(2) {
                    let (key, value) = (&keys[index(pair[0])], &values[index(pair[1])]);
                    feature.properties.insert(key.clone(), value.clone());
                }
            }
            3 => assert!(matches!(field.varint(), 1 | 3), "points or polygons"),
            4 => feature.rings = rings(&varints(field.bytes())),
            other => panic!("field {other} in a feature"),
        }
    }
    feature
}

fn rings(commands: &[u64]) -> Vec<Vec<(i64, i64)>> {
    let (mut rings, mut at) = (Vec::new(), (0, 0));
    let mut rest = commands.iter();
    while let Some(&command) = rest.next() {
        let mut step = || {
            let mut parameter = || zigzag(*rest.next().expect("a parameter"));
            at = (at.0 + parameter(), at.1 + parameter());
            at
        };
        match (command & 7, command >> 3) {
            (1, count) => rings.extend((0..count).map(|_| vec![step()])),
            (2, count) => {
                let ring = rings.last_mut().expect("a MoveTo first");
                ring.extend((0..count).map(|_| step()));
            }
            (7, 1) => assert!(rings.last().is_some_and(|r| r.len() >= 3), "a ring"),
            other => panic!("command {other:?}"),
        }
    }
    rings
}

#[expect(clippy::cast_possible_wrap, reason = "halved first")]
fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
