//! Persons told apart by their id, whatever the order of their rows.
//!
//! ```text
//! row ─▸ ids ▕ …p7p12p7… ▏  ─▸ sorted by hash ▕ p12 ▏▕ p7  p7 ▏ ─▸ one row a person
//! ```
//! A table of hashes would be asked at random once a row, and each time wait for memory.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use tilecore::density::morton::key_of;
use tilecore::geometry::GridPoint;
use tilecore::radix::sort_by_bits;

use super::dimensions::Classes;
use super::places::NoPlace;

/// Rows without an allocation each: there may be a hundred million.
#[derive(Debug)]
pub(super) struct Persons<S = RandomState> {
    /// All ids, end to end.
    ids: String,
    rows: Vec<Row>,
    /// Of each row one a dimension, as [`Classes::provisional`] gave them.
    codes: Vec<u16>,
    dimensions: usize,
    /// Of each row its id's, which is keyed as ids come from a file, and its position.
    hashes: Vec<(u32, u32)>,
    hasher: S,
}

#[derive(Debug)]
struct Row {
    id_end: usize,
    place: Result<GridPoint, NoPlace>,
}

/// One row for each person.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) places: Vec<Result<GridPoint, NoPlace>>,
    /// Of each person one a dimension.
    pub(super) codes: Vec<u16>,
    /// Rows of persons whom another row stands for.
    pub(super) duplicates: u64,
}

impl Persons {
    pub(super) fn new(dimensions: usize) -> Self {
        Self::hashed_by(RandomState::new(), dimensions)
    }
}

impl<S: BuildHasher> Persons<S> {
    fn hashed_by(hasher: S, dimensions: usize) -> Self {
        Self {
            ids: String::new(),
            rows: Vec::new(),
            codes: Vec::new(),
            dimensions,
            hashes: Vec::new(),
            hasher,
        }
    }

    /// # Panics
    /// On 2³² rows or more.
    #[expect(clippy::cast_possible_truncation, reason = "half of a hash will do")]
    pub(super) fn add(&mut self, id: &str, place: Result<GridPoint, NoPlace>, codes: &[u16]) {
        let at = u32::try_from(self.rows.len()).expect("fewer than 2^32 contacts");
        self.hashes.push((self.hasher.hash_one(id) as u32, at));
        self.ids.push_str(id);
        let id_end = self.ids.len();
        self.rows.push(Row { id_end, place });
        self.codes.extend_from_slice(codes);
    }

    /// Of several rows of one person, that with a place stands for the person; of several with one,
    /// the first by place and classes.
    pub(super) fn told_apart(mut self, classes: &[Classes]) -> Known {
        let mut hashes = std::mem::take(&mut self.hashes);
        sort_by_bits(&mut hashes, 0..32, |(hash, _)| u64::from(*hash));
        let mut stands = vec![true; self.rows.len()];
        let mut alike = Vec::new();
        let groups = hashes.chunk_by(|(hash, _), (other, _)| hash == other);
        for group in groups.filter(|group| group.len() > 1) {
            alike.clear();
            for at in group.iter().map(|(_, at)| *at as usize) {
                let is_same = |known: &&mut usize| self.id(**known) == self.id(at);
                match alike.iter_mut().find(is_same) {
                    None => alike.push(at),
                    Some(known) if self.order(at, *known, classes).is_lt() => {
                        stands[*known] = false;
                        *known = at;
                    }
                    Some(_) => stands[at] = false,
                }
            }
        }
        let duplicates = stands.iter().filter(|stands| !**stands).count();
        if duplicates > 0 {
            self.keep(&stands);
        }
        Known {
            places: self.rows.into_iter().map(|row| row.place).collect(),
            codes: self.codes,
            duplicates: duplicates as u64,
        }
    }

    fn id(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.rows[before].id_end);
        &self.ids[start..self.rows[at].id_end]
    }

    /// Which of two rows of a person comes first.
    fn order(&self, at: usize, other: usize, classes: &[Classes]) -> Ordering {
        let codes = |at: usize| &self.codes[at * self.dimensions..][..self.dimensions];
        let names = |at: usize| {
            let codes = codes(at).iter().zip(classes);
            codes.map(|(code, classes)| classes.name(*code))
        };
        match (self.rows[at].place, self.rows[other].place) {
            (Ok(place), Ok(old)) => {
                let by_place = key_of(place).cmp(&key_of(old));
                by_place.then_with(|| names(at).cmp(names(other)))
            }
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(reason), Err(old)) => reason.cmp(&old),
        }
    }

    /// Drops the rows that do not stand for anybody, and all ids.
    fn keep(&mut self, stands: &[bool]) {
        let mut at = stands.iter();
        self.rows.retain(|_| at.next() == Some(&true));
        let mut at = stands
            .iter()
            .flat_map(|one| std::iter::repeat_n(one, self.dimensions));
        self.codes.retain(|_| at.next() == Some(&true));
        self.ids.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, Hasher};

    use proptest::prelude::*;

    use super::*;
    use crate::value::Cell;

    type Row = (u8, Option<i32>, u8);

    /// One hash for every id.
    #[derive(Debug, Default)]
    struct Alike;

    impl Hasher for Alike {
        fn write(&mut self, _: &[u8]) {}

        fn finish(&self) -> u64 {
            7
        }
    }

    /// The places and the classes that stand for the persons.
    fn kept(rows: &[Row], hasher: impl BuildHasher) -> Vec<(Option<i32>, String)> {
        let mut classes = vec![Classes::default()];
        let mut persons = Persons::hashed_by(hasher, 1);
        for (id, x, class) in rows {
            let code = classes[0].provisional(Cell::Text(&class.to_string()));
            let place = x.map(|x| GridPoint { x, y: 0 }).ok_or(NoPlace::Missing);
            persons.add(&format!("p{id}"), place, &[code]);
        }
        let known = persons.told_apart(&classes);
        assert_eq!(
            known.places.len() as u64 + known.duplicates,
            rows.len() as u64
        );
        let mut kept: Vec<_> = (known.places.iter().zip(known.codes))
            .map(|(place, code)| {
                let class = classes[0].name(code).to_owned();
                // A class of nobody on the map is of nobody.
                let class = if place.is_ok() { class } else { String::new() };
                (place.ok().map(|p| p.x), class)
            })
            .collect();
        kept.sort();
        kept
    }

    proptest! {
        #[test]
        fn the_order_of_rows_tells_nothing(
            rows in prop::collection::vec((0_u8..6, prop::option::of(0_i32..4), 0_u8..3), 0..40),
        ) {
            let mut ids: Vec<u8> = rows.iter().map(|row| row.0).collect();
            ids.sort_unstable();
            ids.dedup();
            let mut expected: Vec<_> = ids
                .iter()
                .map(|id| {
                    let own = rows.iter().filter(|row| row.0 == *id);
                    let placed = own.filter_map(|row| Some((row.1?, row.2.to_string())));
                    placed.min().map_or((None, String::new()), |(x, class)| (Some(x), class))
                })
                .collect();
            expected.sort();
            prop_assert_eq!(kept(&rows, RandomState::new()), expected.clone());
            prop_assert_eq!(kept(&rows, BuildHasherDefault::<Alike>::default()), expected.clone());
            let mut reversed = rows;
            reversed.reverse();
            prop_assert_eq!(kept(&reversed, RandomState::new()), expected);
        }
    }
}
