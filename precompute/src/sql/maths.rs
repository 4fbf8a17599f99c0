//! The mathematical functions of SQLite, with which it is not compiled here: as its documentation has
//! them (<https://sqlite.org/lang_mathfunc.html>), null where there is no number.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// A function of one number.
type OfOne = fn(f64) -> f64;

/// A function of two.
type OfTwo = fn(f64, f64) -> f64;

const OF_ONE: [(&str, OfOne); 10] = [
    ("sqrt", f64::sqrt),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log", f64::log10),
    ("log10", f64::log10),
    ("log2", f64::log2),
    ("floor", f64::floor),
    ("ceil", f64::ceil),
    ("ceiling", f64::ceil),
    ("trunc", f64::trunc),
];

const OF_TWO: [(&str, OfTwo); 4] = [
    ("pow", f64::powf),
    ("power", f64::powf),
    ("mod", |x, y| x % y),
    ("log", |base, x| x.ln() / base.ln()),
];

/// Adds them.
pub(super) fn add(connection: &Connection, flags: FunctionFlags) -> Result<()> {
    for (name, function) in OF_ONE {
        connection.create_scalar_function(name, 1, flags, move |context| {
            Ok(number(context, 0).map(function).filter(|y| y.is_finite()))
        })?;
    }
    for (name, function) in OF_TWO {
        connection.create_scalar_function(name, 2, flags, move |context| {
            let both = number(context, 0).zip(number(context, 1));
            Ok(both.map(|(x, y)| function(x, y)).filter(|y| y.is_finite()))
        })?;
    }
    Ok(())
}

fn number(context: &Context<'_>, index: usize) -> Option<f64> {
    match context.get_raw(index) {
        #[expect(clippy::cast_precision_loss, reason = "whole numbers are below 2^53")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Real(number) => Some(number),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_documented() {
        let connection = Connection::open_in_memory().expect("SQLite");
        add(&connection, FunctionFlags::SQLITE_UTF8).expect("functions");
        for (sql, expected) in [
            ("sqrt(9)", Some(3.0)),
            ("sqrt(-1)", None),
            ("ln(0)", None),
            ("exp(0)", Some(1.0)),
            ("log(1000)", Some(3.0)),
            ("log(2, 8)", Some(3.0)),
            ("log10('100')", Some(2.0)),
            ("log2(8)", Some(3.0)),
            ("pow(2, 10)", Some(1024.0)),
            ("power(2, null)", None),
            ("floor(-1.5)", Some(-2.0)),
            ("ceil(1.2)", Some(2.0)),
            ("trunc(-1.7)", Some(-1.0)),
            ("mod(7, 4)", Some(3.0)),
            ("mod(7, 0)", None),
            ("sqrt('nine')", None),
        ] {
            let found: Option<f64> = connection
                .query_row(&format!("select {sql}"), [], |row| row.get(0))
                .expect("a query");
            assert_eq!(found, expected, "{sql}");
        }
    }
}
