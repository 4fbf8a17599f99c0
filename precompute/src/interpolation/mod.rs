//! Areal interpolation: figures of other areas, in the units of a level.
//!
//! ```text
//! polygons, figures ─▸ join ─▸ areas with columns ─┐
//! units of the level ──────────────────────────────┴▸ Overlaps ─▸ sums per unit ─▸ figures
//! ```
//! - A count goes to units by the part of the area in each: Ŷₜ = Σ Yₛ·aₛₜ/Aₛ.
//! - A rate is that of its counts: numerator and denominator go by themselves.
//! - An intensive figure is the mean of the parts': Ŷₜ = Σ wₛₜ·yₛ / Σ wₛₜ, weighed by the parts or
//!   by what a `base` counts in them.
//!
//! A part is measured by its surface on the ground, or by the addresses in it. All of these are
//! sums over parts, so coarser levels add up the parts of their units. A figure is missing where
//! areas that have it cover less than half of the unit. What lies in no unit is counted and told:
//! nothing is rescaled to keep a total (Goodchild & Lam 1980; the conventions are those of R's sf).

mod columns;
mod overlaps;

use geo_types::MultiPolygon as Metres;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::dataset::schema::{Indicator, Localized};
use tilecore::geometry::MultiPolygon;

use crate::addresses;
use crate::indicators::{self, BlockColumns, JoinLevel};
use crate::input_error::InputError;
use crate::levels::LevelData;
use crate::polygons;
use crate::progress;
use crate::project::{Interpolate, Layer, Level};
use crate::report::{InterpolationReport, JoinReport, LayerReport, LevelReport};
use crate::sql::Engine;
use crate::topology::Coverage;
use crate::units::{self, Parts, Units};
use columns::{Interpolated, Spread};
use overlaps::Overlaps;

/// The relation of the areas' own properties, where a block has no `from`.
pub const PROPERTIES: &str = "_areas";

/// The areas that a block's figures speak of.
struct Areas {
    shapes: Vec<MultiPolygon>,
    figures: BlockColumns,
    join: JoinReport,
}

/// Appends the columns of every block with `interpolate` to its level and those above, and its
/// join to the report.
///
/// # Errors
/// When an input is at fault, or a figure is neither made of sums nor `intensive`.
pub fn of_layer(
    engine: &mut Engine,
    layer: &Layer,
    levels: &mut [LevelData],
    report: &mut LayerReport,
) -> Result<Vec<Indicator>, InputError> {
    let mut indicators = Vec::new();
    for (number, block) in layer.indicators.iter().enumerate() {
        let Some(interpolate) = &block.interpolate else {
            continue;
        };
        let step = progress::step(&format!("interpolation {} {}", layer.name, number + 1));
        let context = format!("layer {}, indicators {}", layer.name, number + 1);
        let own = layer.levels.iter().position(|l| l.name == block.level);
        let levels = &mut levels[own.unwrap_or(0)..];
        let mut areas = read_areas(engine, layer, number, report)?;
        let mut told = areas.join.interpolation.take().unwrap_or_default();
        let overlaps = overlaps(engine, interpolate, &areas, levels, &mut told, &context)?;
        let method = Method::of(interpolate, areas.shapes.len());
        let columns = columns::of_block(block, number, &areas.figures, &overlaps, &method);
        let columns = columns.map_err(|message| InputError::new(&*context, message))?;
        indicators.extend(add(levels, &overlaps, columns, &mut told));
        areas.join.interpolation = Some(told);
        let at = number.min(report.joins.len());
        report.joins.insert(at, areas.join);
        step.done(&format!("{} parts", overlaps.pieces.len()));
    }
    Ok(indicators)
}

/// Reads the areas of a block and joins its figures with them, as with a level of a layer of their
/// own.
fn read_areas(
    engine: &mut Engine,
    layer: &Layer,
    number: usize,
    report: &mut LayerReport,
) -> Result<Areas, InputError> {
    let context = format!("layer {}, indicators {}", layer.name, number + 1);
    let block = &layer.indicators[number];
    let Some(interpolate) = &block.interpolate else {
        return Err(InputError::new(context, "nothing to interpolate"));
    };
    let level = Level {
        name: format!("areas of indicators {}", number + 1),
        title: Localized::new(),
        polygons: Some(interpolate.polygons.clone()),
        dissolve: None,
        key: interpolate.key.clone(),
        duplicates: interpolate.duplicates,
        label: None,
        parent: None,
        zooms: [0, 0],
    };
    let read = polygons::read(&interpolate.polygons.source)?;
    let mut told = LevelReport {
        name: level.name.clone(),
        ..LevelReport::default()
    };
    let (units, parts) = units::from_polygons(engine, &level, read, &mut told)?;
    if units.keys.is_empty() {
        let message = "interpolate: no area: check its `polygons`, their `where`, and `key`";
        return Err(InputError::new(context, message));
    }
    let shapes = shapes(parts, units.keys.len());
    let has_properties = block.from == PROPERTIES;
    if has_properties {
        units.load_as(engine, PROPERTIES)?;
    }
    let (mut join, mut figures, identities) = evaluate(engine, layer, level, number, units)?;
    if has_properties {
        engine.drop_relation(PROPERTIES)?;
        join.from = interpolate.polygons.source.path.display().to_string();
        for indicator in &mut figures.indicators {
            indicator.from.clone_from(&join.from);
        }
    }
    report.identities.extend(identities);
    join.interpolation = Some(InterpolationReport {
        areas: told,
        ..InterpolationReport::default()
    });
    Ok(Areas {
        shapes,
        figures,
        join,
    })
}

type Evaluated = (JoinReport, BlockColumns, Vec<crate::report::IdentityReport>);

fn evaluate(
    engine: &mut Engine,
    layer: &Layer,
    level: Level,
    number: usize,
    units: Units,
) -> Result<Evaluated, InputError> {
    let block = &layer.indicators[number];
    let alone = Layer {
        name: layer.name.clone(),
        title: Localized::new(),
        default_properties: Vec::new(),
        levels: vec![level],
        indicators: Vec::new(),
        transfers: Vec::new(),
        hotspots: Vec::new(),
    };
    let levels = [JoinLevel::new(units)];
    indicators::evaluate(engine, &alone, &levels, number, block)
}

/// On the world grid, borders shared.
fn shapes(parts: Parts, units: usize) -> Vec<MultiPolygon> {
    let polygons: Vec<Metres<f64>> = parts.polygons;
    let coverage = Coverage::build(&polygons);
    let mut shapes = if polygons.len() == units {
        coverage.geometries()
    } else {
        coverage.dissolve(&parts.unit_of_part, units).geometries()
    };
    shapes.truncate(units);
    shapes
}

fn overlaps(
    engine: &mut Engine,
    interpolate: &Interpolate,
    areas: &Areas,
    levels: &[LevelData],
    told: &mut InterpolationReport,
    context: &str,
) -> Result<Overlaps, InputError> {
    let Some(level) = levels.first() else {
        return Ok(Overlaps::default());
    };
    let mut units = level.coverage.geometries();
    units.truncate(level.units.keys.len());
    let Some(file) = &interpolate.addresses else {
        told.by = "area";
        return Ok(overlaps::by_surface(&areas.shapes, &units));
    };
    told.by = "addresses";
    let weight = interpolate.weight.as_deref();
    let read = addresses::read(engine, file, weight, "interpolation", context)?;
    told.addresses = read.addresses.len() as u64;
    told.addresses_without_place = read.without_place;
    let overlaps = overlaps::by_addresses(&areas.shapes, &units, &read.addresses);
    let without = overlaps.areas.iter().filter(|measure| **measure <= 0.0);
    told.areas_without_addresses = without.count() as u64;
    Ok(overlaps)
}

/// Hands the columns to the levels, finest first; returns the indicators.
fn add(
    levels: &mut [LevelData],
    overlaps: &Overlaps,
    columns: Vec<Interpolated>,
    told: &mut InterpolationReport,
) -> Vec<Indicator> {
    let mut indicators = Vec::new();
    let mut hidden = Vec::new();
    // The row of each unit of the finest level, level by level.
    let mut rows: Vec<Option<usize>> = (0..overlaps.units.len()).map(Some).collect();
    let mut above: Option<&LevelData> = None;
    let mut rows_by_level = Vec::new();
    for level in levels.iter() {
        if let Some(finer) = above {
            let up = |row: &Option<usize>| {
                let parent = finer.units.parents[(*row)?].as_ref()?;
                level.units.keys.binary_search(parent).ok()
            };
            rows = rows.iter().map(up).collect();
        }
        rows_by_level.push(rows.clone());
        above = Some(level);
    }
    for column in &columns {
        told.sums.extend(column.sums(overlaps));
    }
    for (up, (level, rows)) in levels.iter_mut().zip(&rows_by_level).enumerate() {
        let spread = Spread::new(overlaps, rows, level.units.keys.len());
        if up == 0 {
            told.covered = spread.covered();
        }
        for column in &columns {
            let found = spread.figures(column);
            level
                .columns
                .extend(found.into_iter().map(|(name, values)| {
                    let numbers: Numbers = values.into_iter().collect();
                    (name, Column::Number(numbers))
                }));
            level.hidden.extend(column.hidden());
        }
    }
    for column in columns {
        let (own, rest) = column.indicators();
        indicators.push(own);
        hidden.extend(rest);
    }
    indicators.extend(hidden);
    indicators
}

/// How figures came here, for readers.
struct Method {
    fr: &'static str,
    en: &'static str,
    areas: usize,
}

impl Method {
    fn of(interpolate: &Interpolate, areas: usize) -> Self {
        let (fr, en) = match interpolate.addresses {
            Some(_) => ("selon les adresses", "by the addresses in each part"),
            None => ("selon la surface", "by the surface of each part"),
        };
        Self { fr, en, areas }
    }

    /// What a reader is told, by language, after what the project says.
    fn described(&self, own: &Localized, base: Option<&str>, is_mean: bool) -> Localized {
        let areas = self.areas;
        let (fr, en) = match (is_mean, base) {
            (false, _) => (
                format!(
                    "Estimation : chiffres de {areas} aires, répartis {}.",
                    self.fr
                ),
                format!("Estimate: figures of {areas} areas, divided {}.", self.en),
            ),
            (true, None) => (
                format!(
                    "Estimation : moyenne des valeurs de {areas} aires, pondérée {}.",
                    self.fr
                ),
                format!(
                    "Estimate: mean of the values of {areas} areas, weighted {}.",
                    self.en
                ),
            ),
            (true, Some(base)) => (
                format!(
                    "Estimation : moyenne des valeurs de {areas} aires, pondérée par {base}, \
                     réparti {}.",
                    self.fr
                ),
                format!(
                    "Estimate: mean of the values of {areas} areas, weighted by {base}, divided {}.",
                    self.en
                ),
            ),
        };
        if own.is_empty() {
            return Localized::from([("fr".to_owned(), fr), ("en".to_owned(), en)]);
        }
        let after = |(language, text): (&String, &String)| {
            let how = if language == "fr" { &fr } else { &en };
            (language.clone(), format!("{text} {how}"))
        };
        own.iter().map(after).collect()
    }
}

#[cfg(test)]
mod tests;
