//! Persons told apart by their id, whatever the order of their rows.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use rustc_hash::FxHashMap;
use tilecore::density::morton::key_of;
use tilecore::geometry::GridPoint;

use super::dimensions::Classes;
use super::places::NoPlace;

/// No person.
const NOBODY: u32 = u32::MAX;

/// Persons without an allocation each: there may be a hundred million.
#[derive(Debug)]
pub(super) struct Persons {
    /// All ids, end to end.
    ids: String,
    people: Vec<Person>,
    /// Of each person one a dimension, as [`Classes::provisional`] gave them.
    codes: Vec<u16>,
    dimensions: usize,
    /// By the hash of an id the last person it is of. Ids come from a file, so the hash is keyed.
    by_hash: FxHashMap<u64, u32>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Person {
    id_end: usize,
    /// The person before whose id has the same hash.
    before: u32,
    place: Result<GridPoint, NoPlace>,
}

impl Persons {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            ids: String::new(),
            people: Vec::new(),
            codes: Vec::new(),
            dimensions,
            by_hash: FxHashMap::default(),
            hasher: RandomState::new(),
        }
    }

    /// Adds a row, and returns whether its person was there already. Of several rows of one, that
    /// with a place stands for the person; of several with one, the first by place and classes.
    pub(super) fn add(
        &mut self,
        id: &str,
        place: Result<GridPoint, NoPlace>,
        codes: &[u16],
        classes: &[Classes],
    ) -> bool {
        let last = self
            .by_hash
            .entry(self.hasher.hash_one(id))
            .or_insert(NOBODY);
        let before = *last;
        let mut at = before;
        while let Some(person) = self.people.get(at as usize) {
            let start = (at as usize)
                .checked_sub(1)
                .map_or(0, |i| self.people[i].id_end);
            if self.ids[start..person.id_end] == *id {
                self.replace_if_first(at as usize, place, codes, classes);
                return true;
            }
            at = person.before;
        }
        *last = u32::try_from(self.people.len()).expect("fewer than 2^32 contacts");
        self.ids.push_str(id);
        self.people.push(Person {
            id_end: self.ids.len(),
            before,
            place,
        });
        self.codes.extend_from_slice(codes);
        false
    }

    fn replace_if_first(
        &mut self,
        at: usize,
        place: Result<GridPoint, NoPlace>,
        codes: &[u16],
        classes: &[Classes],
    ) {
        let start = at * self.dimensions;
        let known = &mut self.codes[start..start + self.dimensions];
        let person = &mut self.people[at];
        let order = match (place, person.place) {
            (Ok(new), Ok(old)) => key_of(new).cmp(&key_of(old)).then_with(|| {
                let names = |codes: &[u16]| {
                    let of = codes.iter().zip(classes);
                    of.map(|(code, classes)| classes.name(*code).to_owned())
                        .collect::<Vec<_>>()
                };
                names(codes).cmp(&names(known))
            }),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(new), Err(old)) => new.cmp(&old),
        };
        if order.is_lt() {
            person.place = place;
            known.copy_from_slice(codes);
        }
    }

    /// Each person's place, and the codes of all of them.
    pub(super) fn into_parts(self) -> (Vec<Result<GridPoint, NoPlace>>, Vec<u16>) {
        let places = self.people.into_iter().map(|person| person.place);
        (places.collect(), self.codes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Cell;

    type Row = (u8, Option<i32>, u8);

    /// By id: the place and the class that stand for the person.
    fn kept(rows: &[Row]) -> Vec<(Option<i32>, String)> {
        let mut classes = vec![Classes::default()];
        let mut persons = Persons::new(1);
        let mut duplicates = 0;
        let mut ids: Vec<u8> = Vec::new();
        for (id, x, class) in rows {
            let code = classes[0].provisional(Cell::Text(&class.to_string()));
            let place = x.map(|x| GridPoint { x, y: 0 }).ok_or(NoPlace::Missing);
            let is_known = persons.add(&format!("p{id}"), place, &[code], &classes);
            assert_eq!(is_known, ids.contains(id));
            duplicates += usize::from(is_known);
            if !is_known {
                ids.push(*id);
            }
        }
        let (places, codes) = persons.into_parts();
        assert_eq!(places.len() + duplicates, rows.len());
        let mut kept: Vec<_> = ids
            .iter()
            .zip(places.iter().zip(codes))
            .map(|(id, (place, code))| {
                let class = classes[0].name(code).to_owned();
                // A class of nobody on the map is of nobody.
                let class = if place.is_ok() { class } else { String::new() };
                (*id, (place.ok().map(|p| p.x), class))
            })
            .collect();
        kept.sort();
        kept.into_iter().map(|(_, kept)| kept).collect()
    }

    proptest! {
        #[test]
        fn the_order_of_rows_tells_nothing(
            rows in prop::collection::vec((0_u8..6, prop::option::of(0_i32..4), 0_u8..3), 0..40),
        ) {
            let mut ids: Vec<u8> = rows.iter().map(|row| row.0).collect();
            ids.sort_unstable();
            ids.dedup();
            let expected: Vec<_> = ids
                .iter()
                .map(|id| {
                    let own = rows.iter().filter(|row| row.0 == *id);
                    let placed = own.filter_map(|row| Some((row.1?, row.2.to_string())));
                    placed.min().map_or((None, String::new()), |(x, class)| (Some(x), class))
                })
                .collect();
            prop_assert_eq!(kept(&rows), expected.clone());
            let mut reversed = rows;
            reversed.reverse();
            prop_assert_eq!(kept(&reversed), expected);
        }
    }
}
