//! Tiles from a template: the features of the rows that pass, as bytes or as a gzip stream.
//!
//! ```text
//! layer  = head │ keys of extra columns │ feature of each row that passes │ values they use
//! feature = tags, written here │ id and geometry, from the template
//! ```
//! A value's index in the layer is the order of its first use, so tags depend on the rows that
//! pass; everything else is copied: bytes for the checksum, and bits for the gzip stream.

use rustc_hash::FxHashMap;

use crate::Bitmap;
use crate::bits::BitWriter;
use crate::encode;
use crate::template::{MISSING, Template};

/// A property that a request adds, such as a score; indexed by row.
#[derive(Debug, Clone, Copy)]
pub struct ExtraColumn<'a> {
    pub name: &'a str,
    pub values: ExtraValues<'a>,
}

#[derive(Debug, Clone, Copy)]
pub enum ExtraValues<'a> {
    /// Whole numbers; [`EXTRA_MISSING`] is missing.
    Whole(&'a [u32]),
    /// NaN is missing.
    Number(&'a [f64]),
}

/// A missing whole number.
pub const EXTRA_MISSING: u32 = u32::MAX;

/// How a tile's bytes are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// The tile itself.
    Identity,
    Gzip,
}

/// A tile's bytes and what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Empty in either coding when nothing is shown.
    pub bytes: Vec<u8>,
    /// Units in the tile that pass; each is shown.
    pub shown: usize,
    /// Units in the tile that do not pass.
    pub filtered: usize,
}

/// Buffers for one tile after another.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The tile's bytes, after room for its frame.
    body: Vec<u8>,
    /// Where the tile starts in `body`.
    start: usize,
    tags: Vec<u8>,
    /// Per value of the template its index in this tile, or [`MISSING`].
    indices: Vec<u32>,
    /// Values in the order of their indices.
    used: Vec<Used>,
    extra_indices: FxHashMap<u64, u32>,
    extra_bytes: Vec<u8>,
    /// The units that pass and where their features are in `body`.
    marks: Vec<Mark>,
    /// Where the features end in `body`.
    features_end: usize,
    bits: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Used {
    /// Of the template's values.
    Value(u32),
    /// Bytes of `extra_bytes`.
    Extra { start: u32, end: u32 },
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    unit: u32,
    start: u32,
    /// Where the bytes from the template start.
    fixed: u32,
}

/// Room for a tile's frame: the layer's key and length.
const FRAME: usize = 11;

/// The tile of the units of `template` that are in `rows`, all when `None`.
#[must_use]
pub fn gather(
    template: &Template,
    rows: Option<&Bitmap>,
    extras: &[ExtraColumn],
    coding: Coding,
    scratch: &mut Scratch,
) -> Tile {
    identity(template, rows, extras, scratch);
    let shown = scratch.marks.len();
    let bytes = match coding {
        _ if shown == 0 => Vec::new(),
        Coding::Identity => scratch.identity().to_vec(),
        Coding::Gzip => gzip(template, scratch),
    };
    Tile {
        bytes,
        shown,
        filtered: template.rows.len() - shown,
    }
}

impl Scratch {
    /// The bytes of the tile that was made last.
    pub(crate) fn identity(&self) -> &[u8] {
        &self.body[self.start..]
    }

    fn clear(&mut self, values: usize) {
        self.body.clear();
        self.body.resize(FRAME, 0);
        self.indices.clear();
        self.indices.resize(values, MISSING);
        self.used.clear();
        self.extra_indices.clear();
        self.extra_bytes.clear();
        self.marks.clear();
    }
}

/// Makes the tile's bytes in `scratch`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a tile holds less than 4 GiB, as its template's pieces do"
)]
pub(crate) fn identity(
    template: &Template,
    rows: Option<&Bitmap>,
    extras: &[ExtraColumn],
    scratch: &mut Scratch,
) {
    scratch.clear(template.values.len());
    scratch.body.extend_from_slice(&template.head);
    for extra in extras {
        encode::put_bytes(&mut scratch.body, encode::LAYER_KEY, extra.name.as_bytes());
    }
    for (unit, &row) in template.rows.iter().enumerate() {
        if rows.is_some_and(|rows| !rows.contains(row as usize)) {
            continue;
        }
        let start = scratch.body.len() as u32;
        scratch.put_tags(template, unit);
        for (key, extra) in (template.width as u64..).zip(extras) {
            scratch.put_extra(key, extra.values, row as usize);
        }
        let fixed = template.features.bytes(unit);
        let tags = scratch.tags.len();
        let length = 1 + encode::varint_len(tags as u64) + tags + fixed.len();
        scratch.body.push(encode::LAYER_FEATURE);
        encode::put_varint(&mut scratch.body, length as u64);
        encode::put_bytes(&mut scratch.body, encode::FEATURE_TAGS, &scratch.tags);
        scratch.marks.push(Mark {
            unit: unit as u32,
            start,
            fixed: scratch.body.len() as u32,
        });
        scratch.body.extend_from_slice(fixed);
    }
    scratch.features_end = scratch.body.len();
    for used in &scratch.used {
        scratch.body.extend_from_slice(match *used {
            Used::Value(value) => template.values.bytes(value as usize),
            Used::Extra { start, end } => &scratch.extra_bytes[start as usize..end as usize],
        });
    }
    scratch.put_frame();
}

impl Scratch {
    /// Starts the tags of a unit with those of the template's properties.
    fn put_tags(&mut self, template: &Template, unit: usize) {
        self.tags.clear();
        let cells = &template.cells[unit * template.width..][..template.width];
        for (key, &value) in (0..).zip(cells) {
            if value == MISSING {
                continue;
            }
            let index = &mut self.indices[value as usize];
            if *index == MISSING {
                *index = next_index(&self.used);
                self.used.push(Used::Value(value));
            }
            encode::put_varint(&mut self.tags, key);
            encode::put_varint(&mut self.tags, u64::from(*index));
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a tile holds less than 4 GiB"
    )]
    fn put_extra(&mut self, key: u64, values: ExtraValues, row: usize) {
        let bits = match values {
            ExtraValues::Whole(values) if values[row] == EXTRA_MISSING => return,
            ExtraValues::Whole(values) => f64::from(values[row]).to_bits(),
            ExtraValues::Number(values) if values[row].is_nan() => return,
            ExtraValues::Number(values) => values[row].to_bits(),
        };
        let index = *self.extra_indices.entry(bits).or_insert_with(|| {
            let start = self.extra_bytes.len() as u32;
            encode::put_number(&mut self.extra_bytes, f64::from_bits(bits));
            let end = self.extra_bytes.len() as u32;
            self.used.push(Used::Extra { start, end });
            next_index(&self.used) - 1
        });
        encode::put_varint(&mut self.tags, key);
        encode::put_varint(&mut self.tags, u64::from(index));
    }

    /// Writes the layer's key and length right before it.
    fn put_frame(&mut self) {
        let length = (self.body.len() - FRAME) as u64;
        let mut frame = Vec::with_capacity(FRAME);
        frame.push(encode::TILE_LAYER);
        encode::put_varint(&mut frame, length);
        self.start = FRAME - frame.len();
        self.body[self.start..FRAME].copy_from_slice(&frame);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a tile holds less than 4 GiB"
)]
fn next_index(used: &[Used]) -> u32 {
    used.len() as u32
}

/// The bytes before a deflate stream: no name, no time, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The tile in `scratch` as a gzip stream.
fn gzip(template: &Template, scratch: &mut Scratch) -> Vec<u8> {
    let Scratch {
        body,
        start,
        marks,
        features_end,
        used,
        bits,
        extra_bytes,
        ..
    } = scratch;
    bits.clear();
    bits.extend(GZIP_HEADER);
    let code = &template.code;
    let mut out = BitWriter::new(bits);
    code.begin(&mut out);
    let features_start = marks
        .first()
        .map_or(*features_end, |mark| mark.start as usize);
    code.put(&mut out, &body[*start..features_start]);
    for mark in marks {
        code.put(&mut out, &body[mark.start as usize..mark.fixed as usize]);
        template.features.append(mark.unit as usize, &mut out);
    }
    for used in used {
        match *used {
            Used::Value(value) => template.values.append(value as usize, &mut out),
            Used::Extra { start, end } => {
                code.put(&mut out, &extra_bytes[start as usize..end as usize]);
            }
        }
    }
    code.end(&mut out);
    out.finish();
    let identity = &body[*start..];
    bits.extend(crc32fast::hash(identity).to_le_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 by definition")]
    bits.extend((identity.len() as u32).to_le_bytes());
    bits.clone()
}
