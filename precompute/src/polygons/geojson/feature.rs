//! One feature's text as properties and rings.

use std::borrow::Cow;
use std::fmt;

use rustc_hash::FxHashSet;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::cell;
use super::super::collect::{Properties, RawFeature, RawGeometry};
use super::coordinates;
use crate::value::Value;

#[derive(Deserialize)]
struct FeatureText<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<Members<'a>>,
    #[serde(borrow, default)]
    geometry: Option<GeometryText<'a>>,
}

#[derive(Deserialize)]
struct GeometryText<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    coordinates: Option<&'a RawValue>,
    #[serde(borrow, default)]
    geometries: Option<Vec<GeometryText<'a>>>,
}

/// The message and the byte of the feature's text it is about.
type Fault = (String, usize);

/// Parses one feature.
pub(super) fn parse(text: &[u8], number: u64) -> Result<RawFeature<'_>, Fault> {
    let feature: FeatureText = serde_json::from_slice(text).map_err(|e| {
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        (format!("not a GeoJSON feature: {message}"), place(text, &e))
    })?;
    if feature.kind.as_deref() != Some("Feature") {
        let kind = feature.kind.as_deref().unwrap_or("missing");
        return Err((format!("\"type\" is {kind:?}, not \"Feature\""), 0));
    }
    let mut members = Vec::new();
    let properties = feature
        .properties
        .map_or_else(Vec::new, |members| members.0);
    if let Some(id) = feature
        .id
        .filter(|_| properties.iter().all(|(name, _)| name != "id"))
    {
        members.push((Cow::Borrowed("id"), value(id.get())));
    }
    members.extend(
        properties
            .into_iter()
            .map(|(name, text)| (name, value(text.get()))),
    );
    let geometry = match feature.geometry {
        None => Err("no_geometry"),
        Some(text_of_geometry) => {
            let mut geometry = RawGeometry::default();
            let mut has_null = false;
            collect(&text_of_geometry, text, &mut geometry, &mut has_null)?;
            if !geometry.rings.polygons.is_empty() {
                Ok(geometry)
            } else if has_null {
                Err("no_geometry")
            } else if geometry.has_others {
                Err("not_a_polygon")
            } else {
                Err("empty_geometry")
            }
        }
    };
    Ok(RawFeature {
        number,
        properties: Properties::Members(members),
        geometry,
    })
}

/// Where in `text` a fault is, from its line and column.
fn place(text: &[u8], error: &serde_json::Error) -> usize {
    let before = text
        .split(|b| *b == b'\n')
        .take(error.line().saturating_sub(1));
    let line_start: usize = before.map(|line| line.len() + 1).sum();
    (line_start + error.column().saturating_sub(1)).min(text.len())
}

/// Adds the polygons of a geometry and its parts.
fn collect(
    geometry: &GeometryText<'_>,
    text: &[u8],
    into: &mut RawGeometry,
    has_null: &mut bool,
) -> Result<(), Fault> {
    let depth = match geometry.kind.as_deref() {
        Some("Polygon") => 3,
        Some("MultiPolygon") => 4,
        Some("GeometryCollection") => {
            for part in geometry.geometries.as_deref().unwrap_or_default() {
                collect(part, text, into, has_null)?;
            }
            return Ok(());
        }
        Some("Point" | "MultiPoint" | "LineString" | "MultiLineString") => {
            into.has_others = true;
            return Ok(());
        }
        kind => {
            let kind = kind.unwrap_or("missing");
            return Err((
                format!("the geometry's \"type\" is {kind:?}, which GeoJSON has not"),
                0,
            ));
        }
    };
    let Some(coordinates) = geometry.coordinates else {
        *has_null = true;
        return Ok(());
    };
    let array = coordinates.get();
    let start = array.as_ptr() as usize - text.as_ptr() as usize;
    if !array.starts_with('[') {
        return Err(("coordinates are no array".to_owned(), start));
    }
    let is_flattened = coordinates::read(array, depth, &mut into.rings)
        .map_err(|(message, at)| (message.to_owned(), start + at))?;
    into.is_flattened |= is_flattened;
    Ok(())
}

/// A property's JSON text: strings, numbers and truth as values, arrays and objects as their text.
fn value(text: &str) -> Value {
    match text.as_bytes().first() {
        Some(b'"') if !text.contains('\\') => Value::Text(text[1..text.len() - 1].into()),
        Some(b'"') => serde_json::from_str::<String>(text).map_or_else(
            |_| Value::Text(text.into()),
            |text| Value::Text(text.into()),
        ),
        Some(b't') => cell::boolean(true),
        Some(b'f') => cell::boolean(false),
        Some(b'n') => Value::Null,
        Some(b'-' | b'0'..=b'9') => cell::number(text),
        _ => Value::Text(text.into()),
    }
}

/// The members of `properties`, each with its text.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name that borrows when it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                let mut names = FxHashSet::default();
                match members.iter().find(|(name, _)| !names.insert(name)) {
                    Some((name, _)) => Err(A::Error::custom(format_args!(
                        "property {name:?} comes twice"
                    ))),
                    None => Ok(Members(members)),
                }
            }
        }
        deserializer.deserialize_map(Visit)
    }
}
