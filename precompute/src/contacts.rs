//! A contact file in, positions and coded dimensions out: nothing that names a person.
//!
//! ```text
//! table ─▸ scan: id, place, dimensions ─▸ one row a person ─▸ places on the grid ─▸ sorted by key
//! ```
//! Every row of the file is either one of the contacts or counted with the reason why it is not,
//! so that the two add up to the file.

mod dimensions;
mod forgotten;
mod import;
mod persons;
pub(crate) mod places;
pub mod release;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tilecore::dataset::contacts::DimensionCodes;
use tilecore::density::morton::{key_of, point_of};
use tilecore::geometry::GridPoint;
use tilecore::mercator::bounds_in_degrees;
use tilecore::radix::sort_by_bits;

use crate::input_error::InputError;
use crate::project::Contacts;
use crate::sql::Engine;
use crate::tables::TableReport;
use crate::value::Cell;
use dimensions::Classes;
pub use forgotten::{FORGOTTEN, Forgotten, LeftOut};
pub use import::{ReadSet, import};
use persons::{Known, Persons};
use places::{NoPlace, Places};

/// A contact set ready to be written.
#[derive(Debug)]
pub struct ContactRows {
    /// Morton keys, ascending.
    pub keys: Vec<u64>,
    pub dimensions: Vec<DimensionCodes>,
    /// Rows that are no contact, by reason; with `keys` they add up to the file.
    pub left_out: BTreeMap<String, u64>,
    /// West, south, east, north in degrees.
    pub bounds: [f64; 4],
}

/// The reason of a row whose person another row already is.
const DUPLICATE: &str = "duplicate_person";
/// The reason of a row for which `where` is not true.
const FILTERED: &str = "filtered_out";
/// The reason of a row whose id was handed to `precompute forget`.
const ERASED: &str = "forgotten";
/// The reason of a row without an id: two of them could be one person.
const NO_ID: &str = "no_id";

/// Reads a contact set's file, and says what it held. `is_forgotten` is asked of every id.
///
/// # Errors
/// When the file, its SQL or a coordinate reference system is at fault, or a dimension has too many
/// classes.
pub fn read(
    engine: &mut Engine,
    set: &Contacts,
    is_forgotten: &dyn Fn(&str) -> bool,
) -> Result<(ContactRows, TableReport), InputError> {
    let places = Places::of(set)?;
    let mut left_out = Counts::default();
    let mut persons = Persons::new(set.dimensions.len());
    let mut classes: Vec<Classes> = set.dimensions.iter().map(|_| Classes::default()).collect();
    let (mut digits, mut codes) = (String::new(), Vec::new());
    let context = format!("contacts {}", set.name);
    let report = engine.scan(&set.table(), &expressions(set, &places), &context, |row| {
        let &[passes, exact, id, first, second, ref values @ ..] = row else {
            return Ok(());
        };
        if !is_true(passes) {
            left_out.add(FILTERED, 1);
            return Ok(());
        }
        let Some(id) = text_of(id, &mut digits) else {
            left_out.add(NO_ID, 1);
            return Ok(());
        };
        if is_forgotten(id) {
            left_out.add(ERASED, 1);
            return Ok(());
        }
        codes.clear();
        let known = values.iter().zip(&mut classes);
        codes.extend(known.map(|(cell, classes)| classes.provisional(*cell)));
        let place = if is_true(exact) {
            places.on_grid(first, second)
        } else {
            Err(NoPlace::Imprecise)
        };
        persons.add(id, place, &codes);
        Ok(())
    })?;
    let known = persons.told_apart(&classes);
    left_out.add(DUPLICATE, known.duplicates);
    let names = set.dimensions.iter().map(|(name, _)| name.as_str());
    let classes = names
        .zip(classes)
        .map(|(name, classes)| classes.finish(&set.name, name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((sorted(known, &classes, left_out), report))
}

/// Of a row: whether it passes `where`, whether its place is exact, its id, two coordinates, the dimensions.
fn expressions<'a>(set: &'a Contacts, places: &'a Places) -> Vec<&'a str> {
    let passes = set.filter.as_deref().unwrap_or("1");
    let exact = set.exact.as_deref().unwrap_or("1");
    let [first, second] = places.columns();
    let dimensions = set.dimensions.iter().map(|(_, sql)| sql.as_str());
    let person = [passes, exact, &*set.id, first, second];
    person.into_iter().chain(dimensions).collect()
}

fn is_true(cell: Cell<'_>) -> bool {
    matches!(cell, Cell::Number(n) if n != 0.0)
}

/// An id as text; numbers as they are written, in `digits`. Blank text is none.
fn text_of<'a>(cell: Cell<'a>, digits: &'a mut String) -> Option<&'a str> {
    match cell {
        Cell::Null => None,
        Cell::Number(n) => {
            digits.clear();
            let _ = write!(digits, "{n}");
            Some(digits)
        }
        Cell::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
    }
}

#[derive(Debug, Default)]
struct Counts(BTreeMap<String, u64>);

impl Counts {
    fn add(&mut self, reason: &str, rows: u64) {
        match self.0.get_mut(reason) {
            Some(count) => *count += rows,
            None if rows == 0 => {}
            None => {
                self.0.insert(reason.to_owned(), rows);
            }
        }
    }
}

fn sorted(persons: Known, classes: &[dimensions::Finished], mut left_out: Counts) -> ContactRows {
    let (places, provisional) = (persons.places, persons.codes);
    let width = classes.len();
    let codes_of = |person: u32| {
        let start = person as usize * width;
        let codes = provisional[start..start + width].iter().zip(classes);
        codes.map(|(code, finished)| finished.code(*code))
    };
    let mut rows: Vec<(u64, u32)> = Vec::with_capacity(places.len());
    for (person, place) in (0..).zip(places) {
        match place {
            Ok(place) => rows.push((key_of(place), person)),
            Err(reason) => left_out.add(reason.as_str(), 1),
        }
    }
    // By place, then by codes: the order of equal places must not tell the order of the file.
    sort_by_bits(&mut rows, 0..u64::BITS, |(key, _)| *key);
    for place in rows.chunk_by_mut(|(key, _), (other, _)| key == other) {
        place.sort_unstable_by(|(_, person), (_, other)| codes_of(*person).cmp(codes_of(*other)));
    }
    let bounds = bounds(rows.iter().map(|(key, _)| point_of(*key)));
    let mut dimensions: Vec<DimensionCodes> = classes
        .iter()
        .map(|finished| DimensionCodes {
            name: finished.name.clone(),
            classes: finished.classes.clone(),
            codes: Vec::with_capacity(rows.len()),
        })
        .collect();
    for (_, person) in &rows {
        for (dimension, code) in dimensions.iter_mut().zip(codes_of(*person)) {
            dimension.codes.push(code);
        }
    }
    ContactRows {
        keys: rows.into_iter().map(|(key, _)| key).collect(),
        dimensions,
        left_out: left_out.0,
        bounds,
    }
}

/// Of no place at all, the null island.
fn bounds(places: impl Iterator<Item = GridPoint>) -> [f64; 4] {
    bounds_in_degrees(places.map(|p| [p.x, p.y, p.x, p.y])).unwrap_or_default()
}

#[cfg(test)]
mod tests;
