//! Tiles from a template: the features of the rows that pass, as bytes or as a gzip stream.
//!
//! ```text
//! layer  = head │ keys of extra columns │ feature of each row that passes │ values they use
//! feature = tags, written here │ id and geometry, from the template
//! ```
//! A value's index in the layer is its position among those in use, so tags depend on the rows
//! that pass; the rest of a feature is copied: bytes for the checksum, bits for the gzip stream.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::Bitmap;
use crate::bits::BitWriter;
use crate::codes::Codes;
use crate::deflate::{Block, Code};
use crate::encode;
use crate::hinted::{GZIP_HEADER, put_trailer};
use crate::processor::{BitWork, by_bits};
use crate::template::Template;
use crate::values::MISSING;

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
    pub bytes: Bytes,
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
    /// The units that pass.
    units: Vec<u32>,
    /// Per unit that passes, where its feature and the part from the template start in `body`.
    marks: Vec<[u32; 2]>,
    /// A bit for each value of the template: whether a unit that passes has it.
    marked: Vec<u64>,
    /// The values in use, ascending.
    used: Vec<u32>,
    /// Per value in use its position in `used`; of others what another tile left.
    indices: Vec<u32>,
    tags: Vec<u8>,
    extras: Extras,
    bits: Vec<u8>,
}

/// Values that the template does not have.
#[derive(Debug, Default)]
struct Extras {
    indices: FxHashMap<u64, u32>,
    bytes: Vec<u8>,
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
    scratch.select(template, rows);
    let shown = scratch.units.len();
    let is_whole = shown == template.rows.len() && extras.is_empty();
    let bytes = match coding {
        _ if shown == 0 => Bytes::new(),
        Coding::Identity => {
            scratch.write(template, extras);
            Bytes::copy_from_slice(&scratch.body[scratch.start..])
        }
        Coding::Gzip if is_whole => {
            let stream = || gzip(template, extras, scratch);
            template.whole.get_or_init(stream).clone()
        }
        Coding::Gzip => gzip(template, extras, scratch),
    };
    Tile {
        bytes,
        shown,
        filtered: template.rows.len() - shown,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a tile holds less than 4 GiB, as its template's pieces do"
)]
impl Scratch {
    /// Finds the units that pass.
    fn select(&mut self, template: &Template, rows: Option<&Bitmap>) {
        let all = template.rows.len() as u32;
        self.units.clear();
        self.units.extend(0..all);
        let Some(rows) = rows else {
            return;
        };
        // Units pass at random as far as a branch predictor can tell: so there is no branch.
        let mut count = 0;
        for unit in 0..all {
            self.units[count] = unit;
            count += usize::from(rows.contains(template.rows[unit as usize] as usize));
        }
        self.units.truncate(count);
    }

    /// Numbers the values that the units that pass use, in the template's order.
    fn number_values(&mut self, template: &Template) {
        self.used.clear();
        if self.units.len() == template.rows.len() {
            self.used.extend(template.values.all());
            self.indices.clone_from(&self.used);
            return;
        }
        let count = template.values.len();
        self.marked.clear();
        self.marked.resize(count.div_ceil(64), 0);
        for column in template.cells.chunks_exact(template.rows.len()) {
            for &unit in &self.units {
                let value = column[unit as usize];
                if value != MISSING {
                    self.marked[value as usize / 64] |= 1 << (value % 64);
                }
            }
        }
        self.indices.resize(count, 0);
        for (first, &marked) in (0..).step_by(64).zip(&self.marked) {
            let mut rest: u64 = marked;
            while rest != 0 {
                let value = first + rest.trailing_zeros();
                self.indices[value as usize] = self.used.len() as u32;
                self.used.push(value);
                rest &= rest - 1;
            }
        }
    }

    /// Writes the tile's bytes.
    fn write(&mut self, template: &Template, extras: &[ExtraColumn]) {
        self.number_values(template);
        self.body.clear();
        self.body.resize(FRAME, 0);
        self.body.extend_from_slice(&template.head);
        self.body.extend_from_slice(template.keys.all_bytes());
        for extra in extras {
            encode::put_bytes(&mut self.body, encode::LAYER_KEY, extra.name.as_bytes());
        }
        self.extras.indices.clear();
        self.extras.bytes.clear();
        self.marks.clear();
        for i in 0..self.units.len() {
            let unit = self.units[i] as usize;
            self.fill_tags(template, extras, unit);
            let fixed = template.features.bytes(unit);
            let start = self.body.len() as u32;
            encode::put_feature_frame(&mut self.body, self.tags.len(), fixed.len());
            self.body.extend_from_slice(&self.tags);
            self.marks.push([start, self.body.len() as u32]);
            self.body.extend_from_slice(fixed);
        }
        if self.used.len() == template.values.len() {
            self.body.extend_from_slice(template.values.all_bytes());
        } else {
            template.values.copy(&self.used, &mut self.body);
        }
        self.body.extend_from_slice(&self.extras.bytes);
        self.put_frame();
    }

    /// The keys and values of a unit.
    fn fill_tags(&mut self, template: &Template, extras: &[ExtraColumn], unit: usize) {
        self.tags.clear();
        let columns = template.cells.chunks_exact(template.rows.len());
        for (key, column) in (0..).zip(columns) {
            if column[unit] != MISSING {
                encode::put_tag(&mut self.tags, key, self.indices[column[unit] as usize]);
            }
        }
        let row = template.rows[unit] as usize;
        let used = self.used.len() as u32;
        for (key, extra) in (template.width as u32..).zip(extras) {
            if let Some(index) = self.extras.index(extra.values, row) {
                encode::put_tag(&mut self.tags, key, used + index);
            }
        }
    }

    /// Writes the layer's key and length right before it.
    fn put_frame(&mut self) {
        let length = (self.body.len() - FRAME) as u64;
        let frame = &mut self.tags;
        frame.clear();
        frame.push(encode::TILE_LAYER);
        encode::put_varint(frame, length);
        self.start = FRAME - frame.len();
        self.body[self.start..FRAME].copy_from_slice(frame);
    }
}

impl Extras {
    /// The number of a row's value among the extra ones; `None` where it is missing.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most one a unit and column"
    )]
    fn index(&mut self, values: ExtraValues, row: usize) -> Option<u32> {
        let value = match values {
            ExtraValues::Whole(values) if values[row] == EXTRA_MISSING => return None,
            ExtraValues::Whole(values) => f64::from(values[row]),
            ExtraValues::Number(values) if values[row].is_nan() => return None,
            ExtraValues::Number(values) => values[row] + 0.0,
        };
        let next = self.indices.len() as u32;
        let index = *self.indices.entry(value.to_bits()).or_insert(next);
        if index == next {
            encode::put_number(&mut self.bytes, value);
        }
        Some(index)
    }
}

/// The tile of the units in `scratch` as a gzip stream.
fn gzip(template: &Template, extras: &[ExtraColumn], scratch: &mut Scratch) -> Bytes {
    scratch.write(template, extras);
    by_bits(Gzip { template, scratch })
}

/// Of a tile that is written in `scratch`.
struct Gzip<'a> {
    template: &'a Template,
    scratch: &'a mut Scratch,
}

impl BitWork for Gzip<'_> {
    type Done = Bytes;

    #[inline(always)]
    fn run(self) -> Bytes {
        let Self { template, scratch } = self;
        let Scratch {
            body,
            start,
            units,
            marks,
            used,
            extras,
            bits,
            ..
        } = scratch;
        let tile = &body[*start..];
        bits.clear();
        bits.extend(GZIP_HEADER);
        let mut out = BitWriter::new(bits);
        let (codes, one_block): ([&Code; 3], bool) = match &template.codes {
            Codes::One(code) => ([code; 3], true),
            Codes::Three(codes) => (codes.each_ref(), false),
        };
        codes[0].begin(one_block, &mut out);
        let keys_start = FRAME + template.head.len();
        let keys_end = keys_start + template.keys.all_bytes().len();
        codes[0].put(&mut out, &body[*start..keys_start]);
        if codes[0].has_matches() {
            template
                .keys
                .write(template.keys.all(), &mut Block::new(codes[0], &mut out));
        } else {
            codes[0].put(&mut out, &body[keys_start..keys_end]);
        }
        codes[0].put(&mut out, &body[keys_end..marks[0][0] as usize]);
        for (&unit, &[start, fixed]) in units.iter().zip(marks.iter()) {
            codes[0].put(&mut out, &body[start as usize..fixed as usize]);
            template.features.append(unit as usize, &mut out);
        }
        let (texts, numbers) = used.split_at(template.values.texts_of(used));
        for (i, values) in [(1, texts), (2, numbers)] {
            if !one_block {
                codes[i - 1].end(&mut out);
                codes[i].begin(i == 2, &mut out);
            }
            let values = values.iter().copied();
            template
                .values
                .write(values, &mut Block::new(codes[i], &mut out));
        }
        codes[2].put(&mut out, &extras.bytes);
        codes[2].end(&mut out);
        out.finish();
        put_trailer(bits, tile);
        Bytes::copy_from_slice(bits)
    }
}
