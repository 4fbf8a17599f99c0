//! Bytes of Mapbox Vector Tile 2.1: what a protobuf message of a tile is made of.
//!
//! Field numbers are those of `vector_tile.proto`, version 2.

use crate::quantize::{Cell, Shape};

/// A field's key: its number and the way it is written.
const fn key(number: u8, wire: u8) -> u8 {
    number << 3 | wire
}

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

pub(crate) const TILE_LAYER: u8 = key(3, BYTES);
pub(crate) const LAYER_NAME: u8 = key(1, BYTES);
pub(crate) const LAYER_FEATURE: u8 = key(2, BYTES);
pub(crate) const LAYER_KEY: u8 = key(3, BYTES);
pub(crate) const LAYER_VALUE: u8 = key(4, BYTES);
pub(crate) const LAYER_EXTENT: u8 = key(5, VARINT);
pub(crate) const LAYER_VERSION: u8 = key(15, VARINT);
pub(crate) const FEATURE_ID: u8 = key(1, VARINT);
pub(crate) const FEATURE_TAGS: u8 = key(2, BYTES);
pub(crate) const FEATURE_TYPE: u8 = key(3, VARINT);
pub(crate) const FEATURE_GEOMETRY: u8 = key(4, BYTES);
const VALUE_STRING: u8 = key(1, BYTES);
pub(crate) const VALUE_FLOAT: u8 = key(2, FIXED32);
const VALUE_DOUBLE: u8 = key(3, FIXED64);
pub(crate) const VALUE_UINT: u8 = key(5, VARINT);
const VALUE_SINT: u8 = key(6, VARINT);

/// `GeomType.POINT`.
pub(crate) const POINT: u8 = 1;

/// `GeomType.POLYGON`.
pub(crate) const POLYGON: u8 = 3;

pub(crate) const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

/// Whole numbers beyond lose digits in a double, and in a client that reads one.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that [`put_varint`] writes.
#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    // One byte for each seven bits begun; zero takes one too.
    ((64 - (value | 1).leading_zeros()).div_ceil(7)) as usize
}

#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    out.push(key);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What precedes a feature's tags: its own length and theirs.
pub(crate) fn put_feature_frame(out: &mut Vec<u8>, tags: usize, fixed: usize) {
    let length = 1 + varint_len(tags as u64) + tags + fixed;
    out.push(LAYER_FEATURE);
    put_varint(out, length as u64);
    out.push(FEATURE_TAGS);
    put_varint(out, tags as u64);
}

/// The number of a key and that of a value.
#[inline]
pub(crate) fn put_tag(out: &mut Vec<u8>, key: u32, value: u32) {
    if key < 1 << 7 && value < 1 << 14 {
        // Nearly every tag: two or three bytes, without a branch.
        let (value, value_bytes) = short_varint(value);
        let bytes = (key | value << 8).to_le_bytes();
        out.extend_from_slice(&bytes);
        out.truncate(out.len() - bytes.len() + 1 + value_bytes);
    } else {
        put_varint(out, u64::from(key));
        put_varint(out, u64::from(value));
    }
}

/// The commands of a polygon or multipolygon.
pub(crate) fn put_geometry(out: &mut Vec<u8>, shape: &Shape) {
    let mut cursor = Cell::default();
    for ring in shape.rings() {
        cursor = put_ring(out, cursor, ring.cells);
    }
}

/// The commands of a ring after a place, and where they end.
pub(crate) fn put_ring(out: &mut Vec<u8>, cursor: Cell, ring: &[Cell]) -> Cell {
    let [first, rest @ ..] = ring else {
        return cursor;
    };
    put_varint(out, u64::from(MOVE_TO | 1 << 3));
    put_steps(out, cursor, &[*first]);
    put_varint(out, u64::from(LINE_TO) | (rest.len() as u64) << 3);
    put_steps(out, *first, rest);
    put_varint(out, u64::from(CLOSE_PATH | 1 << 3));
    *rest.last().unwrap_or(first)
}

/// The step from one cell to the next.
#[inline]
pub(crate) fn put_step(out: &mut Vec<u8>, from: Cell, to: Cell) {
    let (x, y) = (zigzag(to.x - from.x), zigzag(to.y - from.y));
    if (x | y) < 1 << 14 {
        let (word, length) = short_step(x, y);
        out.extend_from_slice(&word.to_le_bytes());
        out.truncate(out.len() - SHORT_STEP + length);
    } else {
        put_varint(out, u64::from(x));
        put_varint(out, u64::from(y));
    }
}

/// The step from the tile's corner to a cell, the first byte lowest, and its length; `None` of a
/// longer one than nearly all.
#[inline]
pub(crate) fn first_step(to: Cell) -> Option<(u32, usize)> {
    let (x, y) = (zigzag(to.x), zigzag(to.y));
    ((x | y) < 1 << 14).then(|| short_step(x, y))
}

/// Bytes of a short step: two varints of one or two bytes each, as nearly all are.
const SHORT_STEP: usize = 4;

/// The steps from one cell to the next.
pub(crate) fn put_steps(out: &mut Vec<u8>, mut cursor: Cell, cells: &[Cell]) {
    let mut at = out.len();
    out.resize(at + SHORT_STEP * cells.len(), 0);
    for (i, &cell) in cells.iter().enumerate() {
        let (x, y) = (zigzag(cell.x - cursor.x), zigzag(cell.y - cursor.y));
        cursor = cell;
        if (x | y) < 1 << 14 {
            let (word, length) = short_step(x, y);
            out[at..at + SHORT_STEP].copy_from_slice(&word.to_le_bytes());
            at += length;
        } else {
            out.truncate(at);
            put_varint(out, u64::from(x));
            put_varint(out, u64::from(y));
            at = out.len();
            out.resize(at + SHORT_STEP * (cells.len() - i), 0);
        }
    }
    out.truncate(at);
}

/// Two varints below 2^14, the first byte lowest, and their length: known without a branch.
#[inline]
fn short_step(x: u32, y: u32) -> (u32, usize) {
    let (x, x_bytes) = short_varint(x);
    let (y, y_bytes) = short_varint(y);
    (x | y << (8 * x_bytes), x_bytes + y_bytes)
}

/// The bytes of a varint below 2^14, and their number.
fn short_varint(value: u32) -> (u32, usize) {
    let is_long = value >= 0x80;
    let low = value & 0x7f | u32::from(is_long) << 7;
    (low | value >> 7 << 8, 1 + usize::from(is_long))
}

/// A varint below 2^21, the first byte lowest, and its length: known without a branch.
#[inline]
pub(crate) fn three_byte_varint(value: u32) -> (u32, usize) {
    let (is_two, is_three) = (value >= 0x80, value >= 0x4000);
    let more = u32::from(is_two) << 7 | u32::from(is_three) << 15;
    let word = value & 0x7f | (value & 0x3f80) << 1 | value >> 14 << 16 | more;
    (word, 1 + usize::from(is_two) + usize::from(is_three))
}

fn zigzag(value: i32) -> u32 {
    (value << 1 ^ value >> 31).cast_unsigned()
}

/// A number's type in the tile.
enum Number {
    Uint(u64),
    /// Zigzag-coded.
    Sint(u64),
    Float(f32),
    Double(f64),
}

impl Number {
    /// The smallest type that holds `value` exactly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers below 2^53; a float is used only where it is equal"
    )]
    #[expect(clippy::float_cmp, reason = "exactness is the question")]
    fn smallest(value: f64) -> Self {
        if value.trunc() == value && value.abs() <= WHOLE_MAX {
            if value >= 0.0 {
                Self::Uint(value as u64)
            } else {
                Self::Sint((-value as u64) * 2 - 1)
            }
        } else if f64::from(value as f32) == value {
            Self::Float(value as f32)
        } else {
            Self::Double(value)
        }
    }
}

/// A number that is equal for values whose messages have the same type and length.
#[expect(clippy::cast_possible_truncation, reason = "at most 10")]
pub(crate) fn number_kind(value: f64) -> u8 {
    match Number::smallest(value) {
        Number::Uint(value) => varint_len(value) as u8,
        Number::Sint(value) => 16 + varint_len(value) as u8,
        Number::Float(_) => 32,
        Number::Double(_) => 33,
    }
}

/// A value message of the layer's table: the smallest type that holds `value` exactly.
pub(crate) fn put_number(out: &mut Vec<u8>, value: f64) {
    match Number::smallest(value) {
        Number::Uint(value) => {
            put_value(out, VALUE_UINT, varint_len(value));
            put_varint(out, value);
        }
        Number::Sint(value) => {
            put_value(out, VALUE_SINT, varint_len(value));
            put_varint(out, value);
        }
        Number::Float(value) => {
            put_value(out, VALUE_FLOAT, 4);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Number::Double(value) => {
            put_value(out, VALUE_DOUBLE, 8);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_value(
        out,
        VALUE_STRING,
        varint_len(text.len() as u64) + text.len(),
    );
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The frame of a value whose own field has `len` bytes after its key.
fn put_value(out: &mut Vec<u8>, key: u8, len: usize) {
    out.push(LAYER_VALUE);
    put_varint(out, len as u64 + 1);
    out.push(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
            let back = out
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
            assert_eq!(back, value);
        }
    }

    #[test]
    fn numbers_take_the_smallest_exact_type() {
        let key_of = |value| {
            let mut out = Vec::new();
            put_number(&mut out, value);
            assert_eq!(out.len(), 2 + usize::from(out[1]));
            out[2]
        };
        for (value, key) in [
            (0.0, VALUE_UINT),
            (-0.0, VALUE_UINT),
            (4e15, VALUE_UINT),
            (-7.0, VALUE_SINT),
            (0.5, VALUE_FLOAT),
            (1e30, VALUE_DOUBLE),
            (0.1, VALUE_DOUBLE),
            (f64::INFINITY, VALUE_FLOAT),
        ] {
            assert_eq!(key_of(value), key, "{value}");
        }
    }

    #[test]
    fn the_example_of_the_specification() {
        // Section 4.3.5.4: a polygon (3,6) (8,12) (20,34).
        let mut shape = Shape::default();
        let ring = [(3, 6), (8, 12), (20, 34)].map(|(x, y)| Cell { x, y });
        assert!(shape.push_ring(ring, true));
        let mut out = Vec::new();
        put_geometry(&mut out, &shape);
        assert_eq!(out, [9, 6, 12, 18, 10, 12, 24, 44, 15]);
    }
}
