//! A public file of addresses: the places in it, and how much each counts.

use tilecore::geometry::GridPoint;

use crate::contacts::places::Places;
use crate::input_error::InputError;
use crate::project;
use crate::sql::Engine;
use crate::value::Value;

/// An address that has a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Address {
    pub place: GridPoint,
    pub weight: f64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Read {
    pub addresses: Vec<Address>,
    /// Rows without coordinates on the map, or without a weight where there should be one.
    pub without_place: u64,
}

/// Reads a file of addresses. `weight` is SQL over its columns; `owner` and `context` say whose it
/// is in names and messages.
///
/// # Errors
/// When the file cannot be read, or a weight is no number or below 0.
pub fn read(
    engine: &mut Engine,
    file: &project::Addresses,
    weight: Option<&str>,
    owner: &str,
    context: &str,
) -> Result<Read, InputError> {
    let columns = [&file.lon, &file.lat, &file.x, &file.y];
    let places = Places::new(context, columns, file.crs.as_deref())?;
    let table = file.table(owner);
    engine.load_table(&table)?;
    let [first, second] = places.columns();
    let weight = weight.unwrap_or("1");
    let relation = format!("\"{}\"", table.name);
    for sql in [first, second, weight] {
        engine.check_of_rows(sql, &relation, context)?;
    }
    let sql = format!("select ({first}), ({second}), ({weight}) from {relation}");
    let mut read = Read::default();
    engine.for_each(&sql, context, |row| {
        let [first, second, weight] = row else {
            return Ok(());
        };
        let weight = match weight {
            Value::Number(weight) if *weight >= 0.0 => Some(*weight),
            Value::Null => None,
            Value::Number(wrong) => return Err(no_weight(context, wrong)),
            Value::Text(wrong) => return Err(no_weight(context, wrong)),
        };
        match (places.on_grid(first.cell(), second.cell()), weight) {
            (Ok(place), Some(weight)) => read.addresses.push(Address { place, weight }),
            _ => read.without_place += 1,
        }
        Ok(())
    })?;
    engine.drop_relation(&table.name)?;
    Ok(read)
}

fn no_weight(context: &str, wrong: &dyn std::fmt::Display) -> InputError {
    InputError::new(
        context,
        format!("an address weighs {wrong}: make `weight` a number, 0 or more"),
    )
}
