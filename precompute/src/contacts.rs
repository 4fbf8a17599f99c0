//! A contact file in, positions and coded dimensions out: nothing that names a person.
//!
//! ```text
//! table ─▸ SQL: id, place, dimensions ─▸ one row a person ─▸ places on the grid ─▸ sorted by key
//! ```
//! Every row of the file is either one of the contacts or counted with the reason why it is not,
//! so that the two add up to the file.

mod dimensions;
mod forgotten;
mod import;
pub(crate) mod places;
pub mod release;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use tilecore::dataset::contacts::DimensionCodes;
use tilecore::density::morton::{key_of, point_of};
use tilecore::geometry::GridPoint;
use tilecore::mercator::degrees_from_grid;

use crate::input_error::InputError;
use crate::project::Contacts;
use crate::sql::Engine;
use crate::value::Value;
use dimensions::Classes;
pub use forgotten::{FORGOTTEN, Forgotten};
pub use import::{ReadSet, import};
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

/// Reads a contact set from its relation, which is loaded. `is_forgotten` is asked of every id.
///
/// # Errors
/// When its SQL or a coordinate reference system is at fault, or a dimension has too many classes.
pub fn read(
    engine: &Engine,
    set: &Contacts,
    is_forgotten: &dyn Fn(&str) -> bool,
) -> Result<ContactRows, InputError> {
    let places = Places::of(set)?;
    let mut left_out = Counts::default();
    let mut persons = Persons::default();
    let mut classes: Vec<Classes> = set.dimensions.iter().map(|_| Classes::default()).collect();
    let context = format!("contacts {}", set.name);
    engine.for_each(&query(set, &places), &context, |row| {
        let [passes, exact, id, first, second, values @ ..] = row else {
            return Ok(());
        };
        if !is_true(passes) {
            left_out.add(FILTERED);
            return Ok(());
        }
        let Some(id) = text_of(id) else {
            left_out.add(NO_ID);
            return Ok(());
        };
        if is_forgotten(&id) {
            left_out.add(ERASED);
            return Ok(());
        }
        let codes = values
            .iter()
            .zip(&mut classes)
            .map(|(value, c)| c.provisional(value));
        let person = Person {
            place: if is_true(exact) {
                places.on_grid(first, second)
            } else {
                Err(NoPlace::Imprecise)
            },
            codes: codes.collect(),
        };
        if persons.add(id, person) {
            left_out.add(DUPLICATE);
        }
        Ok(())
    })?;
    let names = set.dimensions.iter().map(|(name, _)| name.as_str());
    let classes = names
        .zip(classes)
        .map(|(name, classes)| classes.finish(&set.name, name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(sorted(persons, &classes, left_out))
}

/// One row a contact: whether it passes `where`, whether its place is exact, its id, two coordinates, the dimensions.
fn query(set: &Contacts, places: &Places) -> String {
    let passes = set.filter.as_deref().unwrap_or("1");
    let exact = set.exact.as_deref().unwrap_or("1");
    let [first, second] = places.columns();
    let dimensions: String = set
        .dimensions
        .iter()
        .map(|(_, sql)| format!(", ({sql})"))
        .collect();
    let (id, table) = (&set.id, set.name.replace('"', "\"\""));
    format!(
        "select ({passes}), ({exact}), ({id}), ({first}), ({second}){dimensions} from \"{table}\""
    )
}

fn is_true(value: &Value) -> bool {
    matches!(value, Value::Number(n) if *n != 0.0)
}

/// An id as text; numbers as they are written. Blank text is none.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Number(n) => Some(n.to_string()),
        Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
    }
}

#[derive(Debug)]
struct Person {
    place: Result<GridPoint, NoPlace>,
    /// One a dimension, as [`Classes::provisional`] gave them.
    codes: Box<[u16]>,
}

/// Persons by id. Of several rows the first with a place stands for the person.
#[derive(Debug, Default)]
struct Persons(FxHashMap<String, Person>);

impl Persons {
    /// Returns whether the person was there already.
    fn add(&mut self, id: String, person: Person) -> bool {
        let Some(known) = self.0.get_mut(&id) else {
            self.0.insert(id, person);
            return false;
        };
        if known.place.is_err() && person.place.is_ok() {
            *known = person;
        }
        true
    }
}

#[derive(Debug, Default)]
struct Counts(BTreeMap<String, u64>);

impl Counts {
    fn add(&mut self, reason: &str) {
        match self.0.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(reason.to_owned(), 1);
            }
        }
    }
}

fn sorted(persons: Persons, classes: &[dimensions::Finished], mut left_out: Counts) -> ContactRows {
    let mut rows: Vec<(u64, Vec<u8>)> = Vec::with_capacity(persons.0.len());
    for person in persons.0.into_values() {
        match person.place {
            Ok(place) => {
                let codes = person.codes.iter().zip(classes);
                let codes = codes.map(|(code, finished)| finished.code(*code));
                rows.push((key_of(place), codes.collect()));
            }
            Err(reason) => left_out.add(reason.as_str()),
        }
    }
    // By place, then by codes: the order of equal places must not tell the order of the file.
    rows.sort_unstable();
    let bounds = bounds(rows.iter().map(|(key, _)| point_of(*key)));
    let dimensions = classes
        .iter()
        .enumerate()
        .map(|(i, finished)| DimensionCodes {
            name: finished.name.clone(),
            classes: finished.classes.clone(),
            codes: rows.iter().map(|(_, codes)| codes[i]).collect(),
        })
        .collect();
    ContactRows {
        keys: rows.into_iter().map(|(key, _)| key).collect(),
        dimensions,
        left_out: left_out.0,
        bounds,
    }
}

/// Of no place at all, the null island.
fn bounds(places: impl Iterator<Item = GridPoint>) -> [f64; 4] {
    let corners = places.fold(None, |corners: Option<[i32; 4]>, p| {
        let [x0, y0, x1, y1] = corners.unwrap_or([p.x, p.y, p.x, p.y]);
        Some([x0.min(p.x), y0.min(p.y), x1.max(p.x), y1.max(p.y)])
    });
    let Some([x0, y0, x1, y1]) = corners else {
        return [0.0; 4];
    };
    let (west, north) = degrees_from_grid(GridPoint { x: x0, y: y0 });
    let (east, south) = degrees_from_grid(GridPoint { x: x1, y: y1 });
    [west, south, east, north]
}

#[cfg(test)]
mod tests;
