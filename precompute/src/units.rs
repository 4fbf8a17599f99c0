//! The units of a level: polygons with a key, or the finer level's units with one parent.
//!
//! Units are in the order of their keys, so that nothing depends on the order of the files.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use geo_types::MultiPolygon;

use crate::input_error::InputError;
use crate::polygons::{Feature, Note, Polygons};
use crate::project;
use crate::report::{FeatureNote, LevelReport};
use crate::sql::Engine;
use crate::value::Value;

/// The relation of a level's polygons, while its SQL is evaluated.
const RELATION: &str = "_units";
const ROW: &str = "_row";

/// The units of a level.
#[derive(Debug, Default)]
pub struct Units {
    /// Ascending, distinct.
    pub keys: Vec<String>,
    pub names: Vec<String>,
    /// The key one level up.
    pub parents: Vec<Option<String>>,
    /// What SQL may read of a unit beside its key.
    columns: Vec<String>,
    properties: Vec<Vec<Value>>,
    /// All columns of the polygons: a message about one that is not there names them.
    available: Vec<String>,
}

/// Polygons and the unit of each, ascending.
#[derive(Debug, Default)]
pub struct Parts {
    pub polygons: Vec<MultiPolygon<f64>>,
    pub unit_of_part: Vec<usize>,
}

/// Makes units of polygons: `where`, `key`, `label` and `parent` of the level, feature by feature.
///
/// # Errors
/// When SQL is at fault, or two features have one key and the level does not merge them.
pub fn from_polygons(
    engine: &mut Engine,
    level: &project::Level,
    polygons: Polygons,
    report: &mut LevelReport,
) -> Result<(Units, Parts), InputError> {
    report.repaired = polygons.repaired.len() as u64;
    report.repairs = polygons.repaired.iter().map(feature_note).collect();
    report.skipped = polygons.skipped.iter().map(feature_note).collect();
    report.notes = polygons.notes.iter().map(feature_note).collect();
    let used: Vec<usize> = (0..polygons.columns.len())
        .filter(|&i| engine.mentions(&polygons.columns[i]))
        .collect();
    let columns: Vec<String> = used.iter().map(|&i| polygons.columns[i].clone()).collect();
    let properties: Vec<Vec<Value>> = polygons
        .features
        .iter()
        .map(|feature| {
            used.iter()
                .map(|&i| feature.properties[i].clone())
                .collect()
        })
        .collect();
    let filter = level.polygons.as_ref().and_then(|p| p.filter.as_deref());
    let available = polygons.columns;
    load(engine, RELATION, &columns, &properties, None)?;
    engine.set_available(RELATION, &available);
    let keys = keys_of_features(engine, level, properties.len(), filter)?;
    let mut kept: Vec<(String, Feature, Vec<Value>)> = Vec::with_capacity(keys.len());
    for ((feature, properties), key) in polygons.features.into_iter().zip(properties).zip(keys) {
        match key {
            FeatureKey::Filtered => report.filtered += 1,
            FeatureKey::Missing => report.skipped.push(FeatureNote {
                file: feature.origin.file.to_string(),
                feature: feature.origin.feature,
                reason: "key_missing".to_owned(),
                detail: describe(&columns, &properties),
            }),
            FeatureKey::Key(key) => kept.push((key, feature, properties)),
        }
    }
    kept.sort_by(|a, b| {
        let by_shape = || compare_shapes(&a.1.geometry, &b.1.geometry);
        a.0.cmp(&b.0).then_with(by_shape)
    });
    check_duplicates(level, &kept)?;
    let mut units = Units {
        columns,
        available,
        ..Units::default()
    };
    let mut parts = Parts::default();
    for (key, feature, properties) in kept {
        match units.properties.last_mut() {
            Some(into) if units.keys.last() == Some(&key) => {
                report.merged += 1;
                keep_smallest(into, &properties);
            }
            _ => {
                units.keys.push(key);
                units.properties.push(properties);
            }
        }
        parts.polygons.push(feature.geometry);
        parts.unit_of_part.push(units.keys.len() - 1);
    }
    units.evaluate(engine, level)?;
    report.areas = units.keys.len() as u64;
    Ok((units, parts))
}

/// Makes units of the finer level's parents; the second result is the group of each finer unit.
///
/// A property of a dissolved unit is the smallest of its parts', so one that is the same in all is
/// kept. Finer units without a parent belong to no group.
///
/// # Errors
/// When SQL is at fault.
pub fn dissolve(
    engine: &mut Engine,
    level: &project::Level,
    finer: &Units,
    report: &mut LevelReport,
) -> Result<(Units, Vec<Option<usize>>), InputError> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (parent, properties) in finer.parents.iter().zip(&finer.properties) {
        if let Some(parent) = parent {
            groups
                .entry(parent)
                .and_modify(|into| keep_smallest(into, properties))
                .or_insert_with(|| properties.clone());
        }
    }
    let mut units = Units {
        columns: finer.columns.clone(),
        available: finer.available.clone(),
        ..Units::default()
    };
    for (key, properties) in groups {
        units.keys.push(key.to_owned());
        units.properties.push(properties);
    }
    let group_of_unit = finer
        .parents
        .iter()
        .map(|parent| units.keys.binary_search(parent.as_ref()?).ok())
        .collect();
    units.evaluate(engine, level)?;
    report.areas = units.keys.len() as u64;
    Ok((units, group_of_unit))
}

/// What a feature's SQL says.
#[derive(Clone)]
enum FeatureKey {
    /// `where` leaves it out.
    Filtered,
    Missing,
    Key(String),
}

/// Of as many features, whose properties are loaded; drops them.
fn keys_of_features(
    engine: &mut Engine,
    level: &project::Level,
    features: usize,
    filter: Option<&str>,
) -> Result<Vec<FeatureKey>, InputError> {
    let mut keys = vec![FeatureKey::Filtered; features];
    let filter = filter
        .map(|sql| format!(" where ({sql})"))
        .unwrap_or_default();
    let sql = format!("select {ROW}, ({}) from {RELATION}{filter}", level.key);
    let context = format!("level {}, key", level.name);
    engine.check_of_rows(&level.key, RELATION, &context)?;
    engine.for_each(&sql, &context, |row| {
        let key = text_of(&row[1]).filter(|key| !key.trim().is_empty());
        keys[row_number(&row[0])] = key.map_or(FeatureKey::Missing, FeatureKey::Key);
        Ok(())
    })?;
    engine.drop_relation(RELATION)?;
    Ok(keys)
}

impl Units {
    /// Makes the units' keys and properties a relation, for indicators that polygons bring along.
    ///
    /// # Errors
    /// When two properties differ in case only.
    pub fn load_as(&self, engine: &mut Engine, relation: &str) -> Result<(), InputError> {
        load(
            engine,
            relation,
            &self.columns,
            &self.properties,
            Some(&self.keys),
        )
    }

    /// Evaluates `label` and `parent`.
    fn evaluate(&mut self, engine: &mut Engine, level: &project::Level) -> Result<(), InputError> {
        load(
            engine,
            RELATION,
            &self.columns,
            &self.properties,
            Some(&self.keys),
        )?;
        engine.set_available(RELATION, &self.available);
        let column = |sql: &str, what: &str| {
            let context = format!("level {}, {what}", level.name);
            engine.check_of_rows(sql, RELATION, &context)?;
            let sql = format!("select {ROW}, ({sql}) from {RELATION}");
            let mut values = vec![None; self.keys.len()];
            engine.for_each(&sql, &context, |row| {
                let value = text_of(&row[1]).filter(|value| !value.trim().is_empty());
                values[row_number(&row[0])] = value;
                Ok(())
            })?;
            Ok(values)
        };
        let names = match &level.label {
            Some(label) => column(label, "label")?,
            None => vec![None; self.keys.len()],
        };
        self.parents = match &level.parent {
            Some(parent) => column(parent, "parent")?,
            None => vec![None; self.keys.len()],
        };
        self.names = names
            .into_iter()
            .zip(&self.keys)
            .map(|(name, key)| name.unwrap_or_else(|| key.clone()))
            .collect();
        engine.drop_relation(RELATION)
    }
}

/// Loads properties, the row's number and, once known, the key as a relation. The key comes before
/// a property of the same name.
fn load(
    engine: &mut Engine,
    relation: &str,
    columns: &[String],
    properties: &[Vec<Value>],
    keys: Option<&[String]>,
) -> Result<(), InputError> {
    let is_key = |column: &str| keys.is_some() && column.eq_ignore_ascii_case("key");
    let own: Vec<usize> = (0..columns.len())
        .filter(|&i| !is_key(&columns[i]))
        .collect();
    let mut names = vec![ROW.to_owned()];
    names.extend(keys.map(|_| "key".to_owned()));
    names.extend(own.iter().map(|&i| columns[i].clone()));
    let rows: Vec<Vec<Value>> = properties
        .iter()
        .enumerate()
        .map(|(number, properties)| {
            let mut row = Vec::with_capacity(names.len());
            row.push(number_of_row(number));
            row.extend(keys.map(|keys| Value::Text(keys[number].as_str().into())));
            row.extend(own.iter().map(|&i| properties[i].clone()));
            row
        })
        .collect();
    engine.load_relation(relation, &names, rows.iter().map(Vec::as_slice))
}

/// Two features with one key are one unit only when the project says so.
fn check_duplicates(
    level: &project::Level,
    kept: &[(String, Feature, Vec<Value>)],
) -> Result<(), InputError> {
    if level.duplicates == Some(project::Duplicates::Merge) {
        return Ok(());
    }
    let Some(pair) = kept.windows(2).find(|pair| pair[0].0 == pair[1].0) else {
        return Ok(());
    };
    let mut origins = [&pair[0].1.origin, &pair[1].1.origin];
    origins.sort();
    let [first, second] = origins;
    let other = if first.file == second.file {
        format!("feature {}", first.feature)
    } else {
        format!("feature {} of {}", first.feature, first.file)
    };
    Err(InputError::new(
        second.file.to_string(),
        format!(
            "key {:?} is that of {other} too: keys are unique in level {}. Correct `key`, or set \
             duplicates = \"merge\" when they are parts of one unit",
            pair[0].0, level.name
        ),
    )
    .at(crate::input_error::Place::Feature(second.feature)))
}

fn feature_note(note: &Note) -> FeatureNote {
    FeatureNote {
        file: note.origin.file.to_string(),
        feature: note.origin.feature,
        reason: note.reason.to_owned(),
        detail: note.detail.clone(),
    }
}

fn describe(columns: &[String], properties: &[Value]) -> String {
    let pairs: Vec<String> = columns
        .iter()
        .zip(properties)
        .filter_map(|(column, value)| Some(format!("{column}={}", text_of(value)?)))
        .collect();
    pairs.join(", ")
}

/// A value as a key or a name; whole numbers without a decimal point.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Number(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "rows are far fewer than 2^53")]
pub(crate) fn number_of_row(row: usize) -> Value {
    Value::Number(row as f64)
}

/// The inverse of [`number_of_row`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a row's number that went through SQL unchanged"
)]
pub(crate) fn row_number(value: &Value) -> usize {
    match value {
        Value::Number(number) => *number as usize,
        _ => 0,
    }
}

/// Keeps the smaller of each property, a missing one last.
fn keep_smallest(into: &mut [Value], other: &[Value]) {
    for (a, b) in into.iter_mut().zip(other) {
        if compare_values(b, a) == Ordering::Less {
            a.clone_from(b);
        }
    }
}

/// Numbers before text, as in SQL, and what is missing last.
fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::Text(_) => 1,
        Value::Null => 2,
    }
}

/// By their vertices in order: some order that does not depend on where the polygons come from.
fn compare_shapes(a: &MultiPolygon<f64>, b: &MultiPolygon<f64>) -> Ordering {
    fn vertices(shape: &MultiPolygon<f64>) -> impl Iterator<Item = (f64, f64)> {
        shape.iter().flat_map(|polygon| {
            std::iter::once(polygon.exterior())
                .chain(polygon.interiors())
                .flat_map(|ring| ring.coords().map(|c| (c.x, c.y)))
        })
    }
    let mut pairs = vertices(a).zip(vertices(b));
    pairs
        .find_map(|(a, b)| {
            let order = a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
            (order != Ordering::Equal).then_some(order)
        })
        .unwrap_or_else(|| vertices(a).count().cmp(&vertices(b).count()))
}
