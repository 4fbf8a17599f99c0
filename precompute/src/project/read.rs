//! From the file's text to [`Project`]: serde, paths, and the line of what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use tilecore::dataset::schema::Localized;
use tilecore::nfc::composed;
use toml::Spanned;
use unicode_normalization::UnicodeNormalization as _;

use super::{IndicatorColumn, LevelPolygons, Project, complete};
use crate::input_error::{InputError, Place};
use crate::polygons::voronoi::Voronoi;
use crate::polygons::{Format, PolygonSource};

/// A project file longer than this is a mistake.
const BYTES_MAX: u64 = 16 << 20;

impl Project {
    /// Reads and checks a project file.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, missing or wrong, or a variable of a path
    /// is undefined. The error holds the line.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let fault = |message: String| InputError::new(path.display().to_string(), message);
        let length = std::fs::metadata(path)
            .map_err(|e| fault(format!("cannot be read: {e}")))?
            .len();
        if length > BYTES_MAX {
            return Err(fault(format!(
                "{length} bytes are not a project file: name a TOML file"
            )));
        }
        let bytes = std::fs::read(path).map_err(|e| fault(format!("cannot be read: {e}")))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to() as u64;
            fault("not UTF-8: save it as UTF-8".into()).at(Place::Byte(at))
        })?;
        Self::parse(&text, path, &|name| std::env::var(name).ok())
    }

    /// As [`Project::read`], from text: `path` is what errors name and where relative paths
    /// start, `variable` gives the environment.
    ///
    /// # Errors
    /// As [`Project::read`].
    pub fn parse(
        text: &str,
        path: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, InputError> {
        // As tables and polygons are read, so that their names and values are found.
        let text = &*composed(text.strip_prefix('\u{feff}').unwrap_or(text));
        let file = path.display().to_string();
        let mut project: Self = toml::from_str(text).map_err(|e| {
            let error = InputError::new(file.clone(), e.message().replace('\n', " "));
            match e.span() {
                Some(span) => error.at(Place::Line(line_at(text, span.start))),
                None => error,
            }
        })?;
        path.clone_into(&mut project.path);
        let directory = path.parent().unwrap_or(Path::new(""));
        resolve_paths(&mut project, directory, variable)
            .and_then(|()| complete(&mut project))
            .map_err(|fault| {
                let line = line_of(text, &fault.keys);
                InputError::new(file, fault.message).at(Place::Line(line))
            })?;
        Ok(project)
    }
}

/// What is wrong, and under which key.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) keys: Vec<Step>,
    pub(super) message: String,
}

/// One step down the file.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The line of the last step that exists.
fn line_of(text: &str, keys: &[Step]) -> u64 {
    let Ok(table) = toml::de::DeTable::parse(text) else {
        return 1;
    };
    let mut at = table.span().start;
    let root = toml::de::DeValue::Table(table.into_inner());
    let mut value = &root;
    for step in keys {
        let next = match (step, value) {
            (Step::Key(key), toml::de::DeValue::Table(table)) => table
                .get_key_value(key.as_str())
                .map(|(key, value)| (key.span().start, value)),
            (Step::Index(index), toml::de::DeValue::Array(array)) => {
                array.get(*index).map(|item| (item.span().start, item))
            }
            _ => None,
        };
        let Some((start, inner)) = next else { break };
        at = start;
        value = inner.get_ref();
    }
    line_at(text, at)
}

fn line_at(text: &str, at: usize) -> u64 {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() as u64 + 1
}

fn resolve_paths(
    project: &mut Project,
    directory: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Fault> {
    let resolve = |path: &mut PathBuf, keys: Vec<Step>| {
        let text = path.to_string_lossy();
        if text.is_empty() {
            let message = "`path` is empty: name a file".to_owned();
            return Err(Fault { keys, message });
        }
        match expand(&text, variable) {
            Ok(expanded) => {
                *path = directory.join(&expanded);
                // Some disks have names of files decomposed.
                let decomposed = directory.join(expanded.nfd().collect::<String>());
                if !path.exists() && decomposed.exists() {
                    *path = decomposed;
                }
                Ok(())
            }
            Err(message) => Err(Fault { keys, message }),
        }
    };
    for (i, table) in project.tables.iter_mut().enumerate() {
        let keys = vec!["table".into(), i.into(), "path".into()];
        resolve(&mut table.path, keys)?;
    }
    let resolve_polygons = |polygons: &mut LevelPolygons, of: &[Step]| {
        let keys = |key: &str| [of, &["polygons".into(), key.into()]].concat();
        match &mut polygons.source.voronoi {
            Some(voronoi) => {
                resolve(&mut voronoi.path, keys("voronoi"))?;
                resolve(&mut polygons.source.path, keys("within"))
            }
            None => resolve(&mut polygons.source.path, keys("path")),
        }
    };
    for (i, layer) in project.layers.iter_mut().enumerate() {
        for (j, level) in layer.levels.iter_mut().enumerate() {
            if let Some(polygons) = &mut level.polygons {
                let of = ["layer".into(), i.into(), "level".into(), j.into()];
                resolve_polygons(polygons, &of)?;
            }
        }
        for (j, block) in layer.indicators.iter_mut().enumerate() {
            if let Some(interpolate) = &mut block.interpolate {
                let of = ["layer".into(), i.into(), "indicators".into(), j.into()];
                let of = [&of[..], &["interpolate".into()]].concat();
                resolve_polygons(&mut interpolate.polygons, &of)?;
                if let Some(addresses) = &mut interpolate.addresses {
                    let keys = [&of[..], &["addresses".into(), "path".into()]].concat();
                    resolve(&mut addresses.path, keys)?;
                }
            }
        }
    }
    for (i, set) in project.contacts.iter_mut().enumerate() {
        let keys = vec!["contacts".into(), i.into(), "path".into()];
        resolve(&mut set.path, keys)?;
        if let Some(release) = &mut set.release {
            let keys = ["release", "addresses", "path"].map(Into::into);
            let keys = [vec!["contacts".into(), i.into()], keys.to_vec()].concat();
            resolve(&mut release.addresses.path, keys)?;
        }
    }
    Ok(())
}

/// Replaces each `${VAR}` by the variable's value.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("`${{` without `}}` in {text:?}"));
        };
        let name = &rest[start + 2..start + length];
        let Some(value) = variable(name) else {
            return Err(format!(
                "the environment variable {name} is not defined: set it, or write the path out"
            ));
        };
        expanded.push_str(&rest[..start]);
        expanded.push_str(&value);
        rest = &rest[start + length + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// `[0, 0]` cannot be told from a wish; this can.
pub(super) fn zooms_unset() -> [u8; 2] {
    [u8::MAX, 0]
}

/// The column of an interpolation's coverage.
pub(super) fn coverage() -> String {
    "coverage".to_owned()
}

/// The usual rate of false discoveries.
pub(super) fn fdr() -> f64 {
    0.05
}

/// The keys of `polygons = { … }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolygonKeys {
    path: Option<PathBuf>,
    /// In place of `path`: addresses among whose stations the polygons of `within` are divided.
    voronoi: Option<PathBuf>,
    within: Option<PathBuf>,
    by: Option<String>,
    lon: Option<String>,
    lat: Option<String>,
    format: Option<PolygonFormat>,
    #[serde(default, deserialize_with = "crs")]
    crs: Option<String>,
    geometry: Option<String>,
    layer: Option<String>,
    #[serde(rename = "where")]
    filter: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PolygonFormat {
    GeoJson,
    GeoJsonSeq,
    FlatGeobuf,
    Shapefile,
    GeoPackage,
    GeoParquet,
    Csv,
}

impl TryFrom<PolygonKeys> for LevelPolygons {
    type Error = &'static str;

    fn try_from(keys: PolygonKeys) -> Result<Self, &'static str> {
        let format = keys.format.map(|format| match format {
            PolygonFormat::GeoJson => Format::GeoJson,
            PolygonFormat::GeoJsonSeq => Format::GeoJsonSeq,
            PolygonFormat::FlatGeobuf => Format::FlatGeobuf,
            PolygonFormat::Shapefile => Format::Shapefile,
            PolygonFormat::GeoPackage => Format::GeoPackage,
            PolygonFormat::GeoParquet => Format::GeoParquet,
            PolygonFormat::Csv => Format::Csv,
        });
        let (path, voronoi) = match (keys.path, keys.voronoi, keys.within, keys.by) {
            (Some(path), None, None, None) if keys.lon.is_none() && keys.lat.is_none() => {
                (path, None)
            }
            (None, Some(path), Some(within), Some(by)) => {
                let (lon, lat) = (keys.lon, keys.lat);
                (within, Some(Voronoi { path, by, lon, lat }))
            }
            _ => {
                return Err(
                    "`polygons` has a `path`, or `voronoi`, `within` and `by` (with `lon` and \
                     `lat` where they have other names)",
                );
            }
        };
        Ok(Self {
            source: PolygonSource {
                path,
                voronoi,
                format,
                crs: keys.crs,
                geometry: keys.geometry,
                layer: keys.layer,
            },
            filter: keys.filter,
        })
    }
}

/// Text, or a table of texts by language.
pub(super) fn localized<'de, D: Deserializer<'de>>(input: D) -> Result<Localized, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Localized;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text, or { fr = \"…\", en = \"…\" }")
        }
        fn visit_str<E>(self, text: &str) -> Result<Localized, E> {
            Ok(BTreeMap::from([(String::new(), text.to_owned())]))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Localized, A::Error> {
            let mut texts = Localized::new();
            while let Some((language, text)) = map.next_entry::<String, String>()? {
                let letters = language.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                if !letters || !(2..=8).contains(&language.len()) {
                    return Err(A::Error::custom(format!(
                        "{language:?} is not a language code such as `fr`"
                    )));
                }
                texts.insert(language, text);
            }
            Ok(texts)
        }
    }
    input.deserialize_any(Texts)
}

/// Text; also a whole number or a date, as it is written.
pub(super) fn scalar_text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    match toml::Value::deserialize(input)? {
        toml::Value::String(text) => Ok(Some(text)),
        toml::Value::Integer(number) => Ok(Some(number.to_string())),
        toml::Value::Datetime(date) => Ok(Some(date.to_string())),
        other => Err(D::Error::custom(format!(
            "expected text, not {}",
            other.type_str()
        ))),
    }
}

/// A CRS as text, or an EPSG code as a number.
pub(super) fn crs<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    match toml::Value::deserialize(input)? {
        toml::Value::String(text) => Ok(Some(text)),
        toml::Value::Integer(code) => Ok(Some(format!("EPSG:{code}"))),
        other => Err(D::Error::custom(format!(
            "expected an EPSG code, a proj string or WKT, not {}",
            other.type_str()
        ))),
    }
}

/// A table's entries in the order of the file.
pub(super) fn ordered<'de, D, T>(input: D) -> Result<Vec<(String, T)>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let entries: BTreeMap<Spanned<String>, T> = BTreeMap::deserialize(input)?;
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    Ok(entries
        .into_iter()
        .map(|(name, value)| (name.into_inner(), value))
        .collect())
}

/// Indicators in the order of the file, each holding its key.
pub(super) fn named<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<IndicatorColumn>, D::Error> {
    let entries: Vec<(String, IndicatorColumn)> = ordered(input)?;
    let name_it = |(name, column)| IndicatorColumn { name, ..column };
    Ok(entries.into_iter().map(name_it).collect())
}
