//! Features of one file: parsed and cleaned in parallel, kept in their order.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::clean::{Clean, Fault, clean};
use super::rings::{Bounds, Rings};
use super::{Feature, Note, Origin, Polygons};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::value::Value;

/// Skipped features beyond this many keep no properties in their note.
const DETAILS_MAX: usize = 10_000;

/// A feature as its file gives it.
#[derive(Debug)]
pub(super) struct RawFeature<'a> {
    pub(super) number: u64,
    pub(super) properties: Properties<'a>,
    /// Or the reason why it has none.
    pub(super) geometry: Result<RawGeometry, &'static str>,
}

/// Properties by the file's columns, or each with its name.
#[derive(Debug)]
pub(super) enum Properties<'a> {
    Row(Vec<Value>),
    Members(Vec<(Cow<'a, str>, Value)>),
}

/// Polygons and what was left out on reading them.
#[derive(Debug, Default)]
pub(super) struct RawGeometry {
    pub(super) rings: Rings,
    /// Positions had Z, M or more.
    pub(super) is_flattened: bool,
    /// Points or lines of a collection are left out.
    pub(super) has_others: bool,
    /// Every ring is a polygon of its own, because the format does not group them.
    pub(super) is_ungrouped: bool,
}

/// Takes the features of one file.
#[derive(Debug)]
pub(super) struct Collector {
    file: Arc<str>,
    crs: Crs,
    columns: Vec<String>,
    index: FxHashMap<String, usize>,
    polygons: Polygons,
    bounds: Bounds,
}

impl Collector {
    /// `columns` are those of [`Properties::Row`].
    ///
    /// # Errors
    /// When two have the same name.
    pub(super) fn new(file: &Arc<str>, crs: Crs, columns: Vec<String>) -> Result<Self, InputError> {
        let mut index = FxHashMap::default();
        for (at, name) in columns.iter().enumerate() {
            if index.insert(name.clone(), at).is_some() {
                let message = "two columns have this name: rename one";
                return Err(InputError::new(&**file, message).at(Place::Column(name.clone())));
            }
        }
        Ok(Self {
            file: Arc::clone(file),
            crs,
            columns,
            index,
            polygons: Polygons::default(),
            bounds: Bounds::EMPTY,
        })
    }

    pub(super) fn crs(&self) -> &Crs {
        &self.crs
    }

    /// Parses and cleans a batch on all threads.
    ///
    /// # Errors
    /// The first feature's that makes the file unreadable.
    pub(super) fn add<'a, T: Send>(
        &mut self,
        batch: Vec<T>,
        parse: impl Fn(T) -> Result<RawFeature<'a>, InputError> + Sync,
    ) -> Result<(), InputError> {
        let crs = &self.crs;
        let cleaned: Vec<_> = batch
            .into_par_iter()
            .map(|item| {
                let raw = parse(item)?;
                let others = raw.geometry.as_ref().is_ok_and(|g| g.has_others);
                let flattened = raw.geometry.as_ref().is_ok_and(|g| g.is_flattened);
                let outcome = match raw.geometry {
                    Ok(geometry) => clean(&geometry, crs),
                    Err(reason) => Err(Fault::Skip(reason)),
                };
                let outcome = outcome.map(|mut clean| {
                    if others {
                        clean.repairs.push("other_parts");
                    }
                    clean
                });
                Ok((raw.number, raw.properties, flattened, outcome))
            })
            .collect();
        for result in cleaned {
            let (number, properties, flattened, outcome) = result?;
            self.polygons.flattened += u64::from(flattened);
            self.take(number, properties, outcome)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        number: u64,
        properties: Properties<'_>,
        outcome: Result<Clean, Fault>,
    ) -> Result<(), InputError> {
        let origin = Origin {
            file: Arc::clone(&self.file),
            feature: number,
        };
        let properties = self.row(properties);
        match outcome {
            Ok(clean) => {
                self.bounds.merge(&clean.bounds);
                if let Some((reason, further)) = clean.repairs.split_first() {
                    self.polygons.repaired.push(Note {
                        origin: origin.clone(),
                        reason,
                        detail: further.join(", "),
                    });
                }
                self.polygons.features.push(Feature {
                    origin,
                    properties,
                    geometry: clean.geometry,
                });
            }
            Err(Fault::Skip(reason)) => {
                let detail = if self.polygons.skipped.len() < DETAILS_MAX {
                    self.describe(&properties)
                } else {
                    String::new()
                };
                self.polygons.skipped.push(Note {
                    origin,
                    reason,
                    detail,
                });
            }
            Err(Fault::File(message)) => {
                return Err(InputError::new(&*self.file, message).at(Place::Feature(number)));
            }
        }
        Ok(())
    }

    /// A value a column; columns that come up first here are added.
    fn row(&mut self, properties: Properties<'_>) -> Vec<Value> {
        let members = match properties {
            Properties::Row(row) => return row,
            Properties::Members(members) => members,
        };
        let mut row = vec![Value::Null; self.columns.len()];
        for (at, (name, value)) in members.into_iter().enumerate() {
            // Features of a file have the same members in the same order, nearly always.
            let column = match self.columns.get(at).filter(|column| **column == name) {
                Some(_) => at,
                None => self.column(&name),
            };
            if column >= row.len() {
                row.resize(column + 1, Value::Null);
            }
            row[column] = value;
        }
        row
    }

    fn column(&mut self, name: &str) -> usize {
        if let Some(column) = self.index.get(name) {
            return *column;
        }
        self.columns.push(name.to_owned());
        self.index.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// Properties as a JSON object.
    fn describe(&self, properties: &[Value]) -> String {
        let members = self.columns.iter().zip(properties).map(|(name, value)| {
            let value = match value {
                Value::Null => serde_json::Value::Null,
                Value::Number(n) => (*n).into(),
                Value::Text(text) => (&**text).into(),
            };
            (name.clone(), value)
        });
        serde_json::Value::Object(members.collect()).to_string()
    }

    /// Everything the file holds.
    ///
    /// # Errors
    /// When coordinates are not in the CRS they are said to be in.
    pub(super) fn finish(mut self) -> Result<Polygons, InputError> {
        let is_tiny = [self.bounds.min.x, self.bounds.max.x]
            .iter()
            .all(|x| x.abs() <= 180.0)
            && [self.bounds.min.y, self.bounds.max.y]
                .iter()
                .all(|y| y.abs() <= 90.0);
        if is_tiny && self.crs.is_projected() && !self.crs.is_web_mercator() {
            let message = format!(
                "coordinates look like degrees, but the CRS is {}: write crs = \"EPSG:4326\" if they are",
                self.crs.name()
            );
            return Err(InputError::new(&*self.file, message));
        }
        for feature in &mut self.polygons.features {
            feature.properties.resize(self.columns.len(), Value::Null);
        }
        self.polygons.columns = self.columns;
        Ok(self.polygons)
    }
}

/// The features of several files, in the order of the files.
pub(super) fn merge(files: Vec<Polygons>) -> Polygons {
    let mut merged = Polygons::default();
    let mut index = FxHashMap::default();
    for mut file in files {
        let places: Vec<usize> = file
            .columns
            .drain(..)
            .map(|name| {
                *index.entry(name).or_insert_with_key(|name| {
                    merged.columns.push(name.clone());
                    merged.columns.len() - 1
                })
            })
            .collect();
        let is_same = places.iter().copied().eq(0..places.len());
        for mut feature in file.features {
            if !is_same {
                let mut row = vec![Value::Null; merged.columns.len()];
                for (place, value) in places.iter().zip(feature.properties) {
                    row[*place] = value;
                }
                feature.properties = row;
            }
            merged.features.push(feature);
        }
        merged.repaired.append(&mut file.repaired);
        merged.skipped.append(&mut file.skipped);
        merged.notes.append(&mut file.notes);
        merged.flattened += file.flattened;
    }
    for feature in &mut merged.features {
        feature.properties.resize(merged.columns.len(), Value::Null);
    }
    merged
}
