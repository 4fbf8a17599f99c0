//! A layer of a density tile: places in, Mapbox Vector Tile 2.1 out, feature after feature.

use rustc_hash::FxHashMap;

use crate::encode::{
    FEATURE_GEOMETRY, FEATURE_TAGS, FEATURE_TYPE, LAYER_EXTENT, LAYER_FEATURE, LAYER_KEY,
    LAYER_NAME, LAYER_VALUE, LAYER_VERSION, MOVE_TO, POINT, POLYGON, TILE_LAYER, VALUE_DOUBLE,
    VALUE_UINT, put_bytes, put_ring, put_steps, put_tag, put_varint, varint_len,
};
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
    features: Vec<u8>,
    keys: Vec<&'static str>,
    /// By key, the last value and its number: sorted features repeat it.
    last: Vec<(Figure, u32)>,
    values: Vec<u8>,
    /// Of each value its number: whole numbers, and the bits of others.
    numbers: FxHashMap<(bool, u64), u32>,
    tags: Vec<u8>,
    geometry: Vec<u8>,
    cells: Vec<Cell>,
}

impl<'a> Layer<'a> {
    pub(super) fn new(outline: &'a [(i32, i32)]) -> Self {
        Self {
            outline,
            features: Vec::new(),
            keys: Vec::new(),
            last: Vec::new(),
            values: Vec::new(),
            numbers: FxHashMap::default(),
            tags: Vec::new(),
            geometry: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Adds a feature at `places`, with its properties.
    pub(super) fn push(
        &mut self,
        places: impl ExactSizeIterator<Item = Cell>,
        figures: impl IntoIterator<Item = (&'static str, Figure)>,
    ) {
        self.tags.clear();
        for (key, figure) in figures {
            let (key, value) = self.number(key, figure);
            put_tag(&mut self.tags, key, value);
        }
        let kind = self.put_places(places);
        let (tags, geometry) = (self.tags.len(), self.geometry.len());
        let length = 4 + varint_len(tags as u64) + tags + varint_len(geometry as u64) + geometry;
        self.features.push(LAYER_FEATURE);
        put_varint(&mut self.features, length as u64);
        put_bytes(&mut self.features, FEATURE_TAGS, &self.tags);
        self.features.extend_from_slice(&[FEATURE_TYPE, kind]);
        put_bytes(&mut self.features, FEATURE_GEOMETRY, &self.geometry);
    }

    /// Writes `places` into `geometry`, and says what they are.
    fn put_places(&mut self, places: impl ExactSizeIterator<Item = Cell>) -> u8 {
        self.geometry.clear();
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
            let corner = |&(dx, dy): &(i32, i32)| Cell {
                x: place.x + dx,
                y: place.y + dy,
            };
            self.cells.clear();
            self.cells.extend(self.outline.iter().map(corner));
            cursor = put_ring(&mut self.geometry, cursor, &self.cells);
        }
        POLYGON
    }

    /// The numbers of a key and of its value.
    #[expect(clippy::cast_possible_truncation, reason = "a handful of names")]
    fn number(&mut self, name: &'static str, figure: Figure) -> (u32, u32) {
        match self.keys.iter().position(|key| *key == name) {
            Some(at) if self.last[at].0 == figure => (at as u32, self.last[at].1),
            Some(at) => {
                let value = self.value(figure);
                self.last[at] = (figure, value);
                (at as u32, value)
            }
            None => {
                let value = self.value(figure);
                self.keys.push(name);
                self.last.push((figure, value));
                (self.keys.len() as u32 - 1, value)
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a few a cell of a tile")]
    fn value(&mut self, figure: Figure) -> u32 {
        let next = self.numbers.len() as u32;
        let key = match figure {
            Figure::Count(count) => (true, u64::from(count)),
            Figure::Number(number) => (false, number.to_bits()),
        };
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            match key {
                (true, count) => {
                    let length = 1 + varint_len(count) as u8;
                    self.values
                        .extend_from_slice(&[LAYER_VALUE, length, VALUE_UINT]);
                    put_varint(&mut self.values, count);
                }
                (false, bits) => {
                    self.values
                        .extend_from_slice(&[LAYER_VALUE, 9, VALUE_DOUBLE]);
                    self.values.extend_from_slice(&bits.to_le_bytes());
                }
            }
        }
        number
    }

    /// Adds the layer to a tile; one without features is left out.
    pub(super) fn finish(self, name: &str, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::new();
        put_bytes(&mut head, LAYER_NAME, name.as_bytes());
        let mut tail = Vec::new();
        for key in &self.keys {
            put_bytes(&mut tail, LAYER_KEY, key.as_bytes());
        }
        tail.extend_from_slice(&self.values);
        tail.push(LAYER_EXTENT);
        put_varint(&mut tail, u64::from(EXTENT.cast_unsigned()));
        tail.extend_from_slice(&[LAYER_VERSION, 2]);
        let length = head.len() + self.features.len() + tail.len();
        tile.reserve(length + 6);
        tile.push(TILE_LAYER);
        put_varint(tile, length as u64);
        for part in [&head, &self.features, &tail] {
            tile.extend_from_slice(part);
        }
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

    fn encoded(name: &str, groups: &[Group], outline: &[(i32, i32)]) -> Vec<u8> {
        let mut layer = Layer::new(outline);
        for (places, figures) in groups {
            let places = places.iter().map(|&(x, y)| Cell { x, y });
            layer.push(places, figures.iter().copied());
        }
        let mut tile = Vec::new();
        layer.finish(name, &mut tile);
        tile
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
