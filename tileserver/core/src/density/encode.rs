//! A layer of a density tile: places in, Mapbox Vector Tile 2.1 out, feature after feature.

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::encode::{
    FEATURE_GEOMETRY, FEATURE_TAGS, FEATURE_TYPE, LAYER_EXTENT, LAYER_FEATURE, LAYER_KEY,
    LAYER_NAME, LAYER_VALUE, LAYER_VERSION, MOVE_TO, POINT, POLYGON, TILE_LAYER, VALUE_DOUBLE,
    VALUE_UINT, put_bytes, put_ring, put_steps, put_tag, put_varint, varint_len,
};
use crate::hinted::{Hint, Hinted};
use crate::quantize::Cell;
use crate::tile::EXTENT;

/// The value of a property.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    Count(u32),
    Number(f64),
}

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
    /// Where the last feature and the last end of tags are in `features`.
    last: [usize; 2],
    keys: Vec<Key>,
    values: Vec<u8>,
    value_hints: Vec<Hint>,
    /// Of each value its number: of counts, and of the bits of others.
    counts: FxHashMap<u64, u32>,
    numbers: FxHashMap<u64, u32>,
    tags: Vec<u8>,
    geometry: Vec<u8>,
    /// Where the tails of rings are in `geometry`.
    tails: Vec<usize>,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Key {
    name: &'static str,
    /// The last value and its number: sorted features repeat it.
    last: (Figure, u32),
    /// Where the last value of the key that was new is in `values`.
    written: usize,
}

/// Bytes that a feature of few places takes.
const FEATURE_BYTES: usize = 24;

impl<'a> Layer<'a> {
    /// With room for some `features`; there may be more.
    pub(super) fn new(outline: &'a [(i32, i32)], features: usize) -> Self {
        let mut layer = Self {
            outline,
            ring_tail: 0,
            features: Vec::with_capacity(features * FEATURE_BYTES),
            hints: Vec::with_capacity(features * 2),
            last: [0; 2],
            keys: Vec::new(),
            values: Vec::new(),
            value_hints: Vec::new(),
            counts: FxHashMap::default(),
            numbers: FxHashMap::with_capacity_and_hasher(features, FxBuildHasher),
            tags: Vec::new(),
            geometry: Vec::new(),
            tails: Vec::new(),
            cells: Vec::new(),
        };
        if let Some(&(x, y)) = outline.first() {
            // From its first corner: two bytes lead there, after that of the command.
            layer.put_ring(Cell { x, y }, Cell::default());
            layer.ring_tail = layer.geometry.len() - 3;
        }
        layer
    }

    /// Adds a feature at `places`, with its properties.
    pub(super) fn push(
        &mut self,
        places: impl ExactSizeIterator<Item = Cell>,
        figures: impl IntoIterator<Item = (&'static str, Figure)>,
    ) {
        self.tags.clear();
        for (at, (name, figure)) in figures.into_iter().enumerate() {
            let (key, value) = self.number(at, name, figure);
            put_tag(&mut self.tags, key, value);
        }
        let kind = self.put_places(places);
        let (tags, geometry) = (self.tags.len(), self.geometry.len());
        let length = 4 + varint_len(tags as u64) + tags + varint_len(geometry as u64) + geometry;
        let start = self.features.len();
        self.features.push(LAYER_FEATURE);
        put_varint(&mut self.features, length as u64);
        put_bytes(&mut self.features, FEATURE_TAGS, &self.tags);
        let tail = self.features.len();
        self.features.extend_from_slice(&[FEATURE_TYPE, kind]);
        put_bytes(&mut self.features, FEATURE_GEOMETRY, &self.geometry);
        if start > 0 {
            self.hints.push(hint(start, self.last[0]));
            self.hints.push(hint(tail, self.last[1]));
        }
        self.last = [start, tail];
        let base = self.features.len() - geometry;
        let tails = self.tails.array_windows();
        self.hints
            .extend(tails.map(|[before, tail]| hint(base + tail, base + before)));
    }

    /// Writes `places` into `geometry`, and says what they are.
    fn put_places(&mut self, places: impl ExactSizeIterator<Item = Cell>) -> u8 {
        self.geometry.clear();
        self.tails.clear();
        let mut cursor = Cell::default();
        if self.outline.is_empty() {
            let count = places.len() as u64;
            put_varint(&mut self.geometry, u64::from(MOVE_TO) | count << 3);
            self.cells.clear();
            self.cells.extend(places);
            put_steps(&mut self.geometry, cursor, &self.cells);
            return POINT;
        }
        for place in places {
            cursor = self.put_ring(cursor, place);
            self.tails.push(self.geometry.len() - self.ring_tail);
        }
        POLYGON
    }

    /// Writes the outline around `place` after `cursor`, and says where it ends.
    fn put_ring(&mut self, cursor: Cell, place: Cell) -> Cell {
        let corner = |&(dx, dy): &(i32, i32)| Cell {
            x: place.x + dx,
            y: place.y + dy,
        };
        self.cells.clear();
        self.cells.extend(self.outline.iter().map(corner));
        put_ring(&mut self.geometry, cursor, &self.cells)
    }

    /// The numbers of a key and of its value; `at` is where the key mostly is.
    #[expect(clippy::cast_possible_truncation, reason = "a handful of names")]
    fn number(&mut self, at: usize, name: &'static str, figure: Figure) -> (u32, u32) {
        let is_it = |key: &Key| std::ptr::eq(key.name, name) || key.name == name;
        let found = match self.keys.get(at) {
            Some(key) if is_it(key) => Some(at),
            _ => self.keys.iter().position(is_it),
        };
        let known = found.map(|at| &self.keys[at]);
        if let Some((at, key)) = found.zip(known).filter(|(_, key)| key.last.0 == figure) {
            return (at as u32, key.last.1);
        }
        let start = self.values.len();
        let value = self.value(figure);
        let is_new = self.values.len() > start;
        if let Some(at) = found {
            let key = &mut self.keys[at];
            key.last = (figure, value);
            if is_new {
                self.value_hints.push(hint(start, key.written));
                key.written = start;
            }
            return (at as u32, value);
        }
        self.keys.push(Key {
            name,
            last: (figure, value),
            written: start,
        });
        (self.keys.len() as u32 - 1, value)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a few a cell of a tile")]
    fn value(&mut self, figure: Figure) -> u32 {
        let next = (self.counts.len() + self.numbers.len()) as u32;
        let number = match figure {
            Figure::Count(count) => *self.counts.entry(count.into()).or_insert(next),
            Figure::Number(number) => *self.numbers.entry(number.to_bits()).or_insert(next),
        };
        if number == next {
            match figure {
                Figure::Count(count) => {
                    let length = 1 + varint_len(count.into()) as u8;
                    self.values
                        .extend_from_slice(&[LAYER_VALUE, length, VALUE_UINT]);
                    put_varint(&mut self.values, count.into());
                }
                Figure::Number(number) => {
                    self.values
                        .extend_from_slice(&[LAYER_VALUE, 9, VALUE_DOUBLE]);
                    self.values.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
        number
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
            put_bytes(&mut keys, LAYER_KEY, key.name.as_bytes());
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
        tile.append(&self.values, &self.value_hints);
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
                    Figure::Number(number) => feature.add_tag_double(key, *number),
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
            layer.push(places, figures.iter().copied());
        }
        let mut tile = Hinted::default();
        layer.finish(name, &mut tile);
        check_gzip(&tile);
        tile.into_bytes()
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
                    figures.push(("share", Figure::Number(f64::from(count) / f64::from(*of))));
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
            let figures = vec![
                ("count", Figure::Count(i)),
                ("share", Figure::Number(f64::from(i) / 7.0)),
            ];
            (vec![(i.cast_signed() % 4096, 5)], figures)
        };
        let groups: Vec<Group> = (0..20_000).map(group).collect();
        let expected = oracle("d", &groups, &[]).expect("valid");
        assert_eq!(encoded("d", &groups, &[]), expected);
    }
}
