//! A layer of a density tile: places in, Mapbox Vector Tile 2.1 out, feature after feature.

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::encode::{
    FEATURE_GEOMETRY, FEATURE_TAGS, FEATURE_TYPE, LAYER_EXTENT, LAYER_FEATURE, LAYER_KEY,
    LAYER_NAME, LAYER_VALUE, LAYER_VERSION, MOVE_TO, POINT, POLYGON, TILE_LAYER, VALUE_FLOAT,
    VALUE_UINT, first_step, put_bytes, put_ring, put_step, put_varint, three_byte_varint,
    varint_len,
};
use crate::hinted::{Hint, Hinted};
use crate::quantize::Cell;
use crate::tile::EXTENT;

/// A layer under way.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    /// Around each place, clockwise as seen: an outer ring; of points, empty.
    outline: &'a [(i32, i32)],
    /// Bytes of a ring after the step to its first corner: all rings have the same.
    ring_tail: usize,
    features: Vec<u8>,
    /// Where a feature resembles the one before.
    hints: Vec<Hint>,
    /// Where the last feature and the tail of the last ring are in `features`.
    last: usize,
    last_tail: Option<usize>,
    keys: Vec<&'static str>,
    values: Vec<u8>,
    counts: Numbered,
    /// By their bits.
    numbers: Numbered,
    /// Where the tails of a feature's rings are in `features`.
    tails: Vec<usize>,
    cells: Vec<Cell>,
}

/// A feature's keys and values, by their numbers in the layer, as they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tags {
    /// The first byte lowest.
    word: u128,
    length: usize,
}

impl Tags {
    /// Adds a key, of which there are a handful, and its value, one of fewer than 2^21.
    ///
    /// # Panics
    /// At a fifth.
    #[inline]
    pub(super) fn push(&mut self, key: u32, value: u32) {
        assert!(self.length <= 12, "at most four figures");
        let (value, bytes) = three_byte_varint(value);
        self.word |= u128::from(key | value << 8) << (8 * self.length);
        self.length += 1 + bytes;
    }
}

/// Appends the `length` lowest bytes of a word.
#[inline]
fn put_word(out: &mut Vec<u8>, word: u128, length: usize) {
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(out.len() - size_of_val(&word) + length);
}

/// Values of a kind, with the number of each.
#[derive(Debug)]
struct Numbered {
    known: FxHashMap<u32, u32>,
}

impl Numbered {
    fn with_room(values: usize) -> Self {
        Self {
            known: FxHashMap::with_capacity_and_hasher(values, FxBuildHasher),
        }
    }

    /// The number of `value`, which is `next` if it is new.
    #[inline]
    fn number(&mut self, value: u32, next: u32) -> u32 {
        *self.known.entry(value).or_insert(next)
    }
}

/// Bytes that a feature of few places takes.
const FEATURE_BYTES: usize = 24;

/// Bytes of properties that leave room for what precedes them in a word.
const SHORT_TAGS: usize = 12;

/// Bytes of a value.
const VALUE_BYTES: usize = 7;

impl<'a> Layer<'a> {
    /// With room for some `features`; there may be more.
    pub(super) fn new(outline: &'a [(i32, i32)], features: usize) -> Self {
        let mut layer = Self {
            outline,
            ring_tail: 0,
            features: Vec::with_capacity(features * FEATURE_BYTES),
            hints: Vec::with_capacity(features),
            last: 0,
            last_tail: None,
            keys: Vec::new(),
            values: Vec::with_capacity(features * VALUE_BYTES),
            counts: Numbered::with_room(0),
            numbers: Numbered::with_room(features),
            tails: Vec::new(),
            cells: Vec::new(),
        };
        if let Some(&(x, y)) = outline.first() {
            // From its first corner: two bytes lead there, after that of the command.
            layer.put_ring(Cell { x, y }, Cell::default());
            layer.ring_tail = layer.features.len() - 3;
            layer.features.clear();
        }
        layer
    }

    /// Adds a feature at `places`, with its properties.
    pub(super) fn push(&mut self, places: impl ExactSizeIterator<Item = Cell> + Clone, tags: Tags) {
        let start = self.features.len();
        if start > 0 {
            self.hints.push(hint(start, self.last));
        }
        self.last = start;
        let lone = places.clone().next().filter(|_| places.len() == 1);
        match lone.and_then(first_step) {
            Some(step) if self.outline.is_empty() && tags.length <= SHORT_TAGS => {
                self.put_point(step, tags);
            }
            _ => self.put_feature(places, tags),
        }
    }

    /// A point of few properties, as most features are: each length is known.
    #[inline]
    fn put_point(&mut self, (step, step_length): (u32, usize), tags: Tags) {
        let geometry = 1 + step_length;
        let length = 6 + tags.length + geometry;
        let bytes = |bytes: [u8; 4]| u128::from(u32::from_le_bytes(bytes));
        #[expect(clippy::cast_possible_truncation, reason = "below 24")]
        let [length, tags_length, geometry] = [length, tags.length, geometry].map(|n| n as u8);
        let start = bytes([LAYER_FEATURE, length, FEATURE_TAGS, tags_length]);
        put_word(&mut self.features, start | tags.word << 32, 4 + tags.length);
        let end = bytes([FEATURE_TYPE, POINT, FEATURE_GEOMETRY, geometry]);
        let geometry = u128::from(MOVE_TO | 1 << 3) | u128::from(step) << 8;
        put_word(&mut self.features, end | geometry << 32, 5 + step_length);
    }

    fn put_feature(&mut self, places: impl ExactSizeIterator<Item = Cell>, tags: Tags) {
        // Lengths are known once what they are of is written: nearly all take the byte left.
        let start = self.features.len();
        #[expect(clippy::cast_possible_truncation, reason = "at most sixteen")]
        let tags_length = tags.length as u8;
        self.features
            .extend_from_slice(&[LAYER_FEATURE, 0, FEATURE_TAGS, tags_length]);
        put_word(&mut self.features, tags.word, tags.length);
        let tail = self.features.len();
        let kind = if self.outline.is_empty() {
            POINT
        } else {
            POLYGON
        };
        self.features
            .extend_from_slice(&[FEATURE_TYPE, kind, FEATURE_GEOMETRY, 0]);
        self.tails.clear();
        self.put_places(places);
        let mut moved = self.put_length(tail + 3);
        moved += self.put_length(start + 1);
        for tail in self.tails.iter().map(|tail| tail + moved) {
            let before = self.last_tail.replace(tail);
            self.hints.extend(before.map(|before| hint(tail, before)));
        }
    }

    /// Writes how many bytes follow the one at `at`, which is left for it, and returns how many
    /// more that took.
    #[inline]
    fn put_length(&mut self, at: usize) -> usize {
        let length = self.features.len() - at - 1;
        match u8::try_from(length) {
            Ok(short) if short < 0x80 => {
                self.features[at] = short;
                0
            }
            _ => self.put_long_length(at, length),
        }
    }

    fn put_long_length(&mut self, at: usize, length: usize) -> usize {
        let mut long = Vec::new();
        put_varint(&mut long, length as u64);
        let more = long.len() - 1;
        self.features.splice(at..=at, long);
        more
    }

    fn put_places(&mut self, places: impl ExactSizeIterator<Item = Cell>) {
        let mut cursor = Cell::default();
        if self.outline.is_empty() {
            let count = places.len() as u64;
            put_varint(&mut self.features, u64::from(MOVE_TO) | count << 3);
            for place in places {
                put_step(&mut self.features, cursor, place);
                cursor = place;
            }
            return;
        }
        for place in places {
            cursor = self.put_ring(cursor, place);
            self.tails.push(self.features.len() - self.ring_tail);
        }
    }

    /// Writes the outline around `place` after `cursor`, and says where it ends.
    fn put_ring(&mut self, cursor: Cell, place: Cell) -> Cell {
        let corner = |&(dx, dy): &(i32, i32)| Cell {
            x: place.x + dx,
            y: place.y + dy,
        };
        self.cells.clear();
        self.cells.extend(self.outline.iter().map(corner));
        put_ring(&mut self.features, cursor, &self.cells)
    }

    /// The number of a key.
    #[expect(clippy::cast_possible_truncation, reason = "a handful of names")]
    pub(super) fn key(&mut self, name: &'static str) -> u32 {
        let known = self.keys.iter().position(|key| *key == name);
        let number = known.unwrap_or(self.keys.len());
        if known.is_none() {
            self.keys.push(name);
        }
        number as u32
    }

    /// The number of a value that is a count.
    #[expect(clippy::cast_possible_truncation, reason = "at most 6")]
    pub(super) fn count(&mut self, count: u32) -> u32 {
        let next = self.next_value();
        let number = self.counts.number(count, next);
        if number == next {
            let length = 1 + varint_len(count.into()) as u8;
            self.values
                .extend_from_slice(&[LAYER_VALUE, length, VALUE_UINT]);
            put_varint(&mut self.values, count.into());
        }
        number
    }

    /// The number of any other value.
    pub(super) fn number(&mut self, value: f32) -> u32 {
        let next = self.next_value();
        let number = self.numbers.number(value.to_bits(), next);
        if number == next {
            let mut bytes = [LAYER_VALUE, 5, VALUE_FLOAT, 0, 0, 0, 0];
            bytes[3..].copy_from_slice(&value.to_le_bytes());
            self.values.extend_from_slice(&bytes);
        }
        number
    }

    #[expect(clippy::cast_possible_truncation, reason = "a few a cell of a tile")]
    fn next_value(&self) -> u32 {
        (self.counts.known.len() + self.numbers.known.len()) as u32
    }

    /// Adds the layer to a tile; one without features is left out.
    pub(super) fn finish(self, name: &str, tile: &mut Hinted) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::new();
        put_bytes(&mut head, LAYER_NAME, name.as_bytes());
        let mut keys = Vec::new();
        for key in &self.keys {
            put_bytes(&mut keys, LAYER_KEY, key.as_bytes());
        }
        let mut tail = vec![LAYER_EXTENT];
        put_varint(&mut tail, u64::from(EXTENT.cast_unsigned()));
        tail.extend_from_slice(&[LAYER_VERSION, 2]);
        let parts = [&head, &self.features, &keys, &self.values, &tail];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        tile.reserve(length + 6);
        let mut frame = vec![TILE_LAYER];
        put_varint(&mut frame, length as u64);
        frame.extend(head);
        tile.append(&frame, &[]);
        tile.append(&self.features, &self.hints);
        tile.append(&keys, &[]);
        tile.append(&self.values, &[]);
        tile.append(&tail, &[]);
    }
}

/// What is at `at` may be what is at `before`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a tile holds less than 4 GiB"
)]
fn hint(at: usize, before: usize) -> Hint {
    Hint {
        at: at as u32,
        back: (at - before) as u32,
    }
}

#[cfg(test)]
mod tests {
    use mvt::{Error, GeomEncoder, GeomType, Tile};
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Figure {
        Count(u32),
        Number(f32),
    }

    #[expect(clippy::cast_possible_truncation, reason = "as tiles have it")]
    fn share(count: u32, of: u32) -> Figure {
        Figure::Number((f64::from(count) / f64::from(of)) as f32)
    }

    type Group = (Vec<(i32, i32)>, Vec<(&'static str, Figure)>);

    /// By the `mvt` crate.
    fn oracle(name: &str, groups: &[Group], outline: &[(i32, i32)]) -> Result<Vec<u8>, Error> {
        let mut tile = Tile::new(EXTENT.cast_unsigned());
        let mut layer = tile.create_layer(name);
        for (places, figures) in groups {
            let kind = if outline.is_empty() {
                GeomType::Point
            } else {
                GeomType::Polygon
            };
            let mut geometry = GeomEncoder::<f64>::new(kind);
            for (x, y) in places {
                if outline.is_empty() {
                    geometry.add_point(f64::from(*x), f64::from(*y))?;
                    continue;
                }
                for (dx, dy) in outline {
                    geometry.add_point(f64::from(x + dx), f64::from(y + dy))?;
                }
                geometry.complete_geom()?;
            }
            let mut feature = layer.into_feature(geometry.encode()?);
            for (key, figure) in figures {
                match figure {
                    Figure::Count(count) => feature.add_tag_uint(key, u64::from(*count)),
                    Figure::Number(number) => feature.add_tag_float(key, *number),
                }
            }
            layer = feature.into_layer();
        }
        if layer.num_features() > 0 {
            tile.add_layer(layer)?;
        }
        tile.to_bytes()
    }

    fn check_gzip(tile: &Hinted) {
        let mut bytes = Vec::new();
        let gzip = tile.gzip();
        let mut decoder = flate2::read::GzDecoder::new(&gzip[..]);
        std::io::Read::read_to_end(&mut decoder, &mut bytes).expect("a gzip stream");
        assert_eq!(bytes, tile.bytes());
    }

    fn encoded(name: &str, groups: &[Group], outline: &[(i32, i32)]) -> Vec<u8> {
        let mut layer = Layer::new(outline, 0);
        for (places, figures) in groups {
            let places = places.iter().map(|&(x, y)| Cell { x, y });
            let mut tags = Tags::default();
            for (name, figure) in figures {
                let key = layer.key(name);
                let value = match *figure {
                    Figure::Count(count) => layer.count(count),
                    Figure::Number(number) => layer.number(number),
                };
                tags.push(key, value);
            }
            layer.push(places, tags);
        }
        let mut tile = Hinted::default();
        layer.finish(name, &mut tile);
        check_gzip(&tile);
        tile.bytes().to_vec()
    }

    proptest! {
        // Rows 33 apart: where a ring starts at the last corner of the one before, 32 above, the
        // crate takes the start for a point said twice and leaves it out.
        #[test]
        fn tiles_are_those_of_the_mvt_crate(
            places in prop::collection::vec(
                prop::collection::btree_set(
                    (-50_i32..4200, (-2_i32..128).prop_map(|row| 33 * row)), 1..40), 0..30),
            counts in prop::collection::vec((1_u32..400, any::<Option<u16>>()), 30),
            wide in any::<u32>(),
            is_square in any::<bool>(),
        ) {
            let square: &[(i32, i32)] = &[(-16, -16), (16, -16), (16, 16), (-16, 16)];
            let outline = if is_square { square } else { &[] };
            let mut groups: Vec<Group> = Vec::new();
            for (i, (places, (count, of))) in places.into_iter().zip(&counts).enumerate() {
                let count = if i == 3 { wide } else { *count };
                let mut figures = vec![("count", Figure::Count(count))];
                if let Some(of) = of {
                    figures.push(("share", share(count, u32::from(*of))));
                }
                groups.push((places.into_iter().collect(), figures));
            }
            let expected = oracle("people", &groups, outline).expect("valid");
            prop_assert_eq!(encoded("people", &groups, outline), expected);
        }
    }

    #[test]
    fn more_values_than_fit_two_bytes() {
        let group = |i: u32| {
            let figures = vec![("count", Figure::Count(i)), ("share", share(i, 7))];
            (vec![(i.cast_signed() % 4096, 5)], figures)
        };
        let groups: Vec<Group> = (0..20_000).map(group).collect();
        let expected = oracle("d", &groups, &[]).expect("valid");
        assert_eq!(encoded("d", &groups, &[]), expected);
    }
}
