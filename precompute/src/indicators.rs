//! A block of indicators: its rows joined with the units of every level, its SQL per unit.
//!
//! ```text
//! from ─▸ keys, weights ─▸ match_keys ─┬▸ unit of each key, level by level ─┬▸ SQL group by unit
//!                                      │                                    └▸ plain sums
//!                                      └▸ orphans ─▸ reasons, and units of coarser levels
//! ```
//! Every level's figures come from the rows, never from another level's figures.

use rustc_hash::FxHashSet;

use crate::input_error::InputError;
use crate::join::index::{KeyIndex, Meaning};
use crate::join::matching::{Outcome, match_keys};
use crate::join::reasons::Reason;
use crate::join::rules::{self, Rule};
use crate::project::{IndicatorBlock, Layer};
use crate::report::{Included, JoinReport};
use crate::sql::Engine;
use crate::units::{Units, number_of_row, row_number, text_of};
use crate::value::Value;

mod columns;
mod identities;
mod plain;
mod summary;

pub use columns::{BlockColumns, Definition, define};
pub use identities::column_names as identity_columns;

/// Keys of a table and the units they mean, while a block's SQL is evaluated.
const JOIN: &str = "_join";
/// Keys whose parent or explanation is asked for.
const KEYS: &str = "_keys";
const KEY: &str = "_key";

/// A level as a join sees it.
#[derive(Debug)]
pub struct JoinLevel {
    pub units: Units,
    pub index: KeyIndex,
    /// Keys one level up that units name.
    pub parents: FxHashSet<String>,
}

impl JoinLevel {
    #[must_use]
    pub fn new(units: Units) -> Self {
        Self {
            index: KeyIndex::new(units.keys.clone()),
            parents: units.parents.iter().flatten().cloned().collect(),
            units,
        }
    }
}

/// A key of the table, the same for all its rows.
#[derive(Debug, Clone)]
struct TableKey {
    key: String,
    rows: u64,
    weight: Option<f64>,
}

/// The rows of a block, by key.
#[derive(Debug, Default)]
struct TableKeys {
    keys: Vec<TableKey>,
    /// Rows without a key, and what they weigh.
    without: Option<(u64, Option<f64>)>,
}

/// What a block's rows are to a layer.
#[derive(Debug)]
struct Matched {
    outcomes: Vec<Outcome>,
    /// By level from the block's own, by key of the table: its unit.
    units: Vec<Vec<Option<u32>>>,
    /// By key of the table without a unit: the key one level up, where it follows from the key.
    parents: Vec<Option<String>>,
}

/// Evaluates a block. `levels` are all levels of the layer; the result has columns for those from
/// the block's own upwards.
///
/// # Errors
/// When SQL is at fault, an alias names no unit, or an indicator is text here and number there.
pub fn evaluate(
    engine: &mut Engine,
    layer: &Layer,
    levels: &[JoinLevel],
    number: usize,
    block: &IndicatorBlock,
) -> Result<(JoinReport, BlockColumns, Vec<crate::report::IdentityReport>), InputError> {
    let own = layer
        .levels
        .iter()
        .position(|level| level.name == block.level)
        .unwrap_or(0);
    let context = format!("layer {}, indicators {}", layer.name, number + 1);
    let table = keys_of_table(engine, block, &context)?;
    let rules: Vec<Rule> = block.rules.iter().filter_map(|r| Rule::named(r)).collect();
    check_aliases(block, &levels[own], &context)?;
    let matched = match_levels(engine, layer, levels, own, block, &rules, &table)?;
    let mut report = summary::report(
        engine,
        block,
        &levels[own],
        &rules,
        &table,
        &matched,
        &context,
    )?;
    report.included_above = included_above(layer, own, &table, &matched);
    load_join(engine, &table, &matched)?;
    let columns = columns::of_levels(engine, block, number, &levels[own..], &context)?;
    engine.drop_relation(JOIN)?;
    report.without_value = columns.without_value();
    let identities = identities::check(engine, block, &context)?;
    Ok((report, columns, identities))
}

/// `from` with the block's key as text.
fn keyed(block: &IndicatorBlock) -> String {
    format!(
        "(select cast(({}) as text) as {KEY}, * from {})",
        block.key, block.from
    )
}

fn keys_of_table(
    engine: &Engine,
    block: &IndicatorBlock,
    context: &str,
) -> Result<TableKeys, InputError> {
    engine.check_of_rows(&block.key, &block.from, &format!("{context}, key"))?;
    let weight = block.weight.as_deref().unwrap_or("null");
    let sql = format!(
        "select {KEY}, count(*), ({weight}) from {} group by {KEY}",
        keyed(block)
    );
    let mut table = TableKeys::default();
    engine.for_each(&sql, &format!("{context}, key and weight"), |row| {
        let number = |value: &Value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        };
        let rows = row_number(&row[1]) as u64;
        let key = text_of(&row[0]);
        let weight = number(&row[2]);
        if let Some(weight) = weight.filter(|weight| *weight < 0.0) {
            let of = key.map_or("rows without a key weigh".to_owned(), |key| {
                format!("key {key:?} weighs")
            });
            let message = format!("{of} {weight}: make `weight` a number, 0 or more");
            return Err(InputError::new(context, message));
        }
        match key {
            Some(key) => table.keys.push(TableKey { key, rows, weight }),
            None => table.without = Some((rows, weight)),
        }
        Ok(())
    })?;
    Ok(table)
}

fn check_aliases(
    block: &IndicatorBlock,
    level: &JoinLevel,
    context: &str,
) -> Result<(), InputError> {
    let lost = block
        .aliases
        .iter()
        .find(|(_, unit)| level.index.get(unit).is_none());
    match lost {
        None => Ok(()),
        Some((key, unit)) => Err(InputError::new(
            context,
            format!(
                "aliases: {key:?} stands for {unit:?}, and level {} has no such unit",
                block.level
            ),
        )),
    }
}

/// Finds the unit of every key at the block's level, and from there upwards: a unit's parent, or
/// for a key without a unit the parent that follows from the key itself.
fn match_levels(
    engine: &mut Engine,
    layer: &Layer,
    levels: &[JoinLevel],
    own: usize,
    block: &IndicatorBlock,
    rules: &[Rule],
    table: &TableKeys,
) -> Result<Matched, InputError> {
    let keys: Vec<&str> = table.keys.iter().map(|key| key.key.as_str()).collect();
    let outcomes = match_keys(&keys, &levels[own].index, rules, &block.aliases);
    let mut units = vec![outcomes.iter().map(Outcome::unit).collect::<Vec<_>>()];
    // What is left of each key without a unit, level by level; none once nothing follows from it.
    let mut left: Vec<Option<String>> = outcomes.iter().map(key_left).collect();
    let mut first_parents = vec![None; keys.len()];
    for (at, level) in layer.levels.iter().enumerate().skip(own) {
        let parents = parents_of_keys(engine, level.parent.as_deref(), &left)?;
        if at == own {
            first_parents.clone_from(&parents);
        }
        let Some(above) = levels.get(at + 1) else {
            break;
        };
        let here = units.last().expect("one entry a level so far");
        let mut up = vec![None; keys.len()];
        for (i, slot) in up.iter_mut().enumerate() {
            if let Some(unit) = here[i] {
                let parent = levels[at].units.parents[unit as usize].as_deref();
                *slot = parent.and_then(|parent| above.index.get(parent));
                continue;
            }
            left[i] = None;
            let Some(parent) = &parents[i] else { continue };
            match above.index.meaning(parent, rules, &crate::join::NO_ALIASES) {
                Meaning::Unit(claim) => *slot = Some(claim.unit),
                Meaning::Nothing(parent) => left[i] = Some(parent),
                Meaning::Ambiguous => {}
            }
        }
        units.push(up);
    }
    Ok(Matched {
        outcomes,
        units,
        parents: first_parents,
    })
}

/// The key from which a parent may follow: not of what another key speaks of already, nor of
/// voters abroad.
fn key_left(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Orphan {
            key,
            duplicate: false,
        } if !rules::is_abroad(rules::split_commune(key).0) => Some(key.clone()),
        _ => None,
    }
}

/// `parent` of keys that are no unit; none where it needs more than the key.
fn parents_of_keys(
    engine: &mut Engine,
    parent: Option<&str>,
    keys: &[Option<String>],
) -> Result<Vec<Option<String>>, InputError> {
    let mut parents = vec![None; keys.len()];
    let Some(parent) = parent else {
        return Ok(parents);
    };
    let rows: Vec<Vec<Value>> = keys
        .iter()
        .enumerate()
        .filter_map(|(i, key)| Some(vec![number_of_row(i), Value::Text(key.as_deref()?.into())]))
        .collect();
    if rows.is_empty() {
        return Ok(parents);
    }
    load_keys(engine, &rows)?;
    let sql = format!("select _row, ({parent}) from {KEYS}");
    // It has been evaluated over the units: what fails here is a property that keys do not have.
    let answered = engine.query(&sql, "parent");
    engine.drop_relation(KEYS)?;
    for row in answered.map(|found| found.rows).unwrap_or_default() {
        parents[row_number(&row[0])] = text_of(&row[1]);
    }
    Ok(parents)
}

fn load_keys(engine: &mut Engine, rows: &[Vec<Value>]) -> Result<(), InputError> {
    let columns = ["_row".to_owned(), "key".to_owned()];
    engine.load_relation(KEYS, &columns, rows.iter().map(Vec::as_slice))
}

/// Keys without a unit that count in each coarser level.
fn included_above(
    layer: &Layer,
    own: usize,
    table: &TableKeys,
    matched: &Matched,
) -> std::collections::BTreeMap<String, Included> {
    let mut included = std::collections::BTreeMap::new();
    for (up, units) in matched.units.iter().enumerate().skip(1) {
        let mut sum = Included::default();
        for (i, key) in table.keys.iter().enumerate() {
            if matched.units[0][i].is_none() && units[i].is_some() {
                sum.keys += 1;
                if let Some(weight) = key.weight {
                    sum.weight.get_or_insert_default().0 += weight;
                }
            }
        }
        included.insert(layer.levels[own + up].name.clone(), sum);
    }
    included
}

/// Loads the units of every key as a relation: `_key`, then a column a level.
fn load_join(engine: &mut Engine, table: &TableKeys, matched: &Matched) -> Result<(), InputError> {
    let mut columns = vec![KEY.to_owned()];
    columns.extend((0..matched.units.len()).map(unit_column));
    let rows: Vec<Vec<Value>> = table
        .keys
        .iter()
        .enumerate()
        .filter(|(i, _)| matched.units.iter().any(|units| units[*i].is_some()))
        .map(|(i, key)| {
            let unit = |units: &Vec<Option<u32>>| match units[i] {
                Some(unit) => Value::Number(unit.into()),
                None => Value::Null,
            };
            std::iter::once(Value::Text(key.key.as_str().into()))
                .chain(matched.units.iter().map(unit))
                .collect()
        })
        .collect();
    engine.load_relation(JOIN, &columns, rows.iter().map(Vec::as_slice))?;
    // SQLite makes one of its own only where it expects many rows, and it errs where the table has
    // an index too: France's communes took 111 s then.
    engine.index(JOIN, KEY)
}

/// The unit of a key, `up` levels above the block's own.
fn unit_column(up: usize) -> String {
    format!("_unit_{up}")
}

/// Keys for which an explanation of the project file is true, with its word; the first counts.
fn explained(
    engine: &mut Engine,
    block: &IndicatorBlock,
    keys: &[String],
    context: &str,
) -> Result<Vec<Option<Reason>>, InputError> {
    let mut reasons = vec![None; keys.len()];
    if block.explain.is_empty() || keys.is_empty() {
        return Ok(reasons);
    }
    let rows: Vec<Vec<Value>> = keys
        .iter()
        .enumerate()
        .map(|(i, key)| vec![number_of_row(i), Value::Text(key.as_str().into())])
        .collect();
    load_keys(engine, &rows)?;
    for (word, condition) in &block.explain {
        let sql = format!("select _row from {KEYS} where ({condition})");
        engine.for_each(&sql, &format!("{context}, explain {word}"), |row| {
            reasons[row_number(&row[0])].get_or_insert_with(|| Reason::Stated(word.clone()));
            Ok(())
        })?;
    }
    engine.drop_relation(KEYS)?;
    Ok(reasons)
}

#[cfg(test)]
mod tests;
