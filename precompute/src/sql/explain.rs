//! SQLite's complaints in the project's terms.

use rusqlite::{Error, ErrorCode};
use rustc_hash::FxHashSet;

use super::engine::Catalog;

/// What is said of a sum of whole numbers.
pub(super) const OVERFLOW: &str =
    "whole numbers beyond 2^63: make them real, as in `sum(1.0 * x * x)`";

/// Alternatives named in a message.
const NEAR_MAX: usize = 3;

/// What went wrong and what to do, without where.
pub(super) fn explain(error: &Error, catalog: &Catalog) -> String {
    let (code, message, sql) = match error {
        Error::SqlInputError {
            error, msg, sql, ..
        } => (error.code, msg.clone(), sql.as_str()),
        Error::SqliteFailure(error, Some(message)) => (error.code, message.clone(), ""),
        other => (ErrorCode::Unknown, other.to_string(), ""),
    };
    if code == ErrorCode::AuthorizationForStatementDenied || message.starts_with("not authorized") {
        return format!("{message}: SQL may only read the tables of the project file");
    }
    if code == ErrorCode::OperationInterrupted {
        return "the SQL runs too long: simplify it, or prepare the table outside".into();
    }
    if message == "integer overflow" {
        return OVERFLOW.into();
    }
    if let Some(column) = message.strip_prefix("no such column: ") {
        // SQLite adds a remark to names in quotes.
        let column = column
            .split(" - ")
            .next()
            .unwrap_or(column)
            .trim_matches('"');
        return format!(
            "no such column: {column}{}",
            column_hint(column, sql, catalog)
        );
    }
    if let Some(table) = message.strip_prefix("no such table: ") {
        let names = catalog.keys().map(String::as_str);
        return format!("{message}{}", did_you_mean(table, names));
    }
    message
}

fn column_hint(column: &str, sql: &str, catalog: &Catalog) -> String {
    let name = column.rsplit('.').next().unwrap_or(column);
    let holders: Vec<&str> = catalog
        .iter()
        .filter(|(_, relation)| {
            relation
                .available
                .iter()
                .any(|c| c.eq_ignore_ascii_case(name))
        })
        .map(|(name, _)| name.as_str())
        .take(NEAR_MAX)
        .collect();
    if holders.is_empty() {
        // Of the relations that the SQL is over, where it names them.
        let is_named = |(relation, _): &(&String, _)| sql.contains(relation.as_str());
        let named: Vec<_> = catalog.iter().filter(is_named).collect();
        let over = if named.is_empty() {
            catalog.iter().collect()
        } else {
            named
        };
        let columns = over
            .into_iter()
            .flat_map(|(_, relation)| &relation.available);
        return did_you_mean(name, columns.map(String::as_str));
    }
    format!(" (it is a column of {})", holders.join(", "))
}

/// The nearest names by edits, or all of a few.
fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let wrong = wrong.to_lowercase();
    let edits_max = 1 + wrong.chars().count() / 3;
    let names: Vec<&str> = names.collect();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .map(|&name| {
            (
                strsim::damerau_levenshtein(&wrong, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(edits, name)| *edits <= edits_max || name.to_lowercase().contains(&wrong))
        .collect();
    near.sort_unstable();
    near.dedup();
    if near.is_empty() {
        return there_are(names);
    }
    let names: Vec<&str> = near.iter().take(NEAR_MAX).map(|(_, name)| *name).collect();
    format!("; did you mean {}?", names.join(" or "))
}

/// The names there are, as far as they fit a line.
fn there_are(mut names: Vec<&str>) -> String {
    const SHOWN: usize = 12;
    let mut seen = FxHashSet::default();
    names.retain(|name| seen.insert(*name));
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.truncate(SHOWN);
    match names[..] {
        [] => String::new(),
        _ => format!("; there are {}{more}", names.join(", ")),
    }
}
