//! The properties a filter may name, and their JSON Schema.

use serde_json::{Map, Value, json};

use super::error::excerpt;
use crate::dataset::columns::Column;
use crate::dataset::schema::{
    COLUMN_ID, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT, ColumnStats, Kind, Layer, Level, Localized,
    text_in,
};

/// The name under which a filter speaks of a unit's shape.
pub const GEOMETRY: &str = "geometry";

/// Up to so many distinct texts are listed in the schema.
const VALUES_MAX: usize = 32;

/// A property that filters may name.
#[derive(Debug, Clone, PartialEq)]
pub struct Queryable {
    pub name: String,
    /// The column that holds it: its own name, or that of the property it is another name for.
    pub column: String,
    pub kind: Kind,
    pub title: Localized,
    pub unit: Option<String>,
    /// Of numbers.
    pub range: Option<[f64; 2]>,
    /// All values of a text that has few.
    pub values: Option<Vec<String>>,
}

impl Queryable {
    /// A property held by the column of its name.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            column: name.to_owned(),
            kind,
            title: Localized::new(),
            unit: None,
            range: None,
            values: None,
        }
    }
}

/// The properties that filters over one level may name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Queryables {
    properties: Vec<Queryable>,
    geometry: bool,
}

impl Queryables {
    /// `geometry` says whether spatial predicates are allowed.
    #[must_use]
    pub fn new(properties: Vec<Queryable>, geometry: bool) -> Self {
        Self {
            properties,
            geometry,
        }
    }

    /// The key (also as `id`), name and parent of a level's units and its shown indicators.
    /// `column` gives the level's columns; it is asked for the values of texts.
    #[must_use]
    pub fn of_level<'a>(
        layer: &Layer,
        level: &Level,
        column: impl Fn(&str) -> Option<&'a Column>,
    ) -> Self {
        let mut properties: Vec<Queryable> = [COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT]
            .into_iter()
            .map(|name| Queryable::new(name, Kind::Text))
            .collect();
        properties.push(Queryable {
            column: COLUMN_KEY.to_owned(),
            ..Queryable::new(COLUMN_ID, Kind::Text)
        });
        for stats in &level.columns {
            let Some(indicator) = layer.indicators.iter().find(|i| i.name == stats.name) else {
                continue;
            };
            if indicator.hidden {
                continue;
            }
            properties.push(Queryable {
                title: indicator.label.clone(),
                unit: indicator.unit.clone(),
                range: range(stats),
                values: column(&stats.name).and_then(few_values),
                ..Queryable::new(&indicator.name, indicator.kind)
            });
        }
        Self::new(properties, true)
    }

    /// Adds a property that the caller computes, such as a score.
    pub fn push(&mut self, property: Queryable) {
        self.properties.push(property);
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Queryable> {
        self.properties.iter().find(|p| p.name == name)
    }

    pub(super) fn has_geometry(&self) -> bool {
        self.geometry
    }

    /// Up to three names that `name` may have been meant as, nearest first.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<String> {
        const EDITS_MAX: usize = 2;
        const CHARS_MAX: usize = 64;
        let lower: Vec<char> = name.to_lowercase().chars().collect();
        if lower.len() > CHARS_MAX {
            return Vec::new();
        }
        let mut near: Vec<(usize, &str)> = self
            .properties
            .iter()
            .filter_map(|property| {
                let other: Vec<char> = property.name.to_lowercase().chars().collect();
                let close = lower.len().abs_diff(other.len()) <= EDITS_MAX;
                let edits = if close {
                    edits(&lower, &other)
                } else {
                    usize::MAX
                };
                (edits <= EDITS_MAX && edits < lower.len())
                    .then_some((edits, property.name.as_str()))
            })
            .collect();
        near.sort_unstable();
        near.iter().take(3).map(|(_, name)| excerpt(name)).collect()
    }

    /// The JSON Schema that OGC API – Features calls queryables. `id` is its own URL.
    #[must_use]
    pub fn schema(&self, id: &str, title: &str, lang: &str) -> Value {
        let mut properties = Map::new();
        for property in &self.properties {
            properties.insert(property.name.clone(), property_schema(property, lang));
        }
        if self.geometry {
            let geometry =
                json!({ "format": "geometry-multipolygon", "x-ogc-role": "primary-geometry" });
            properties.insert(GEOMETRY.to_owned(), geometry);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": id,
            "type": "object",
            "title": title,
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

fn property_schema(property: &Queryable, lang: &str) -> Value {
    let kind = match property.kind {
        Kind::Number => "number",
        Kind::Text => "string",
    };
    let title = text_in(&property.title, lang).unwrap_or(&property.name);
    let mut schema = Map::new();
    schema.insert("title".into(), title.into());
    schema.insert("type".into(), kind.into());
    if let Some(unit) = &property.unit {
        schema.insert("x-ogc-unit".into(), unit.as_str().into());
    }
    if let Some([min, max]) = property.range {
        schema.insert("minimum".into(), min.into());
        schema.insert("maximum".into(), max.into());
    }
    if let Some(values) = &property.values {
        schema.insert("enum".into(), values.as_slice().into());
    }
    Value::Object(schema)
}

fn range(stats: &ColumnStats) -> Option<[f64; 2]> {
    Some([stats.min?, stats.max?])
}

fn few_values(column: &Column) -> Option<Vec<String>> {
    match column {
        Column::Text(texts) if (1..=VALUES_MAX).contains(&texts.dictionary().len()) => {
            Some(texts.dictionary().iter().map(ToString::to_string).collect())
        }
        _ => None,
    }
}

/// Levenshtein distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
