//! From a project file to a dataset ready to publish, and the report on how it went.
//!
//! ```text
//! tables ─▸ Engine ─────────────┬▸ indicators per level ─┐
//! polygons ─▸ units of a level ─┤                        ├▸ Dataset ─▸ publish
//!                               └▸ topology, dissolves ──┘
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use geo::Area;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use tilecore::dataset::schema::{self, FORMAT_VERSION, Indicator, Manifest};

use crate::contacts::{self, Forgotten, ReadSet};
use crate::hotspots;
use crate::indicators::{self, BlockColumns, JoinLevel};
use crate::input_error::InputError;
use crate::interpolation;
use crate::levels::{self, LevelData};
use crate::polygons;
use crate::progress;
use crate::project::{self, IndicatorBlock, Project};
use crate::publish::Store;
use crate::report::{
    Coverage as CoverageReport, FeatureNote, LayerReport, LevelReport, POLE_ADVICE, Report,
};
use crate::sql::{Engine, Mentions};
use crate::topology::Coverage;
use crate::transfers;
use crate::units::{self, Parts, Units};

/// A dataset in memory, and the report on it.
#[derive(Debug)]
pub struct Dataset {
    manifest: Manifest,
    levels_of_layer: Vec<Vec<LevelData>>,
    contacts: Vec<ReadSet>,
    pub report: Report,
}

/// Reads, joins and builds what a project file describes, without the contacts in `forgotten`.
///
/// # Errors
/// When the project file or an input is at fault.
pub fn run(path: &Path, forgotten: &Forgotten) -> Result<Dataset, InputError> {
    let project = Project::read(path)?;
    let identity_columns = indicators::identity_columns();
    let mentions = Mentions::of(project.sql().chain(identity_columns)).and_sums(project.sums());
    let mut engine = Engine::new(path.display().to_string(), mentions)?;
    let mut report = Report {
        dataset: project.dataset.name.clone(),
        ..Report::default()
    };
    for table in &project.tables {
        let step = progress::step(&format!("table {}", table.name));
        let read = engine.load_table(table)?;
        step.done(&format!("{} rows", read.rows));
        report.tables.push(read);
    }
    index_lookups(&mut engine, &project)?;
    let mut layers = Vec::new();
    let mut levels_of_layer = Vec::new();
    for (number, layer) in project.layers.iter().enumerate() {
        let later = &project.layers[number + 1..];
        let (meta, levels, layer_report) = build_layer(&mut engine, layer, later)?;
        layers.push(meta);
        levels_of_layer.push(levels);
        report.layers.push(layer_report);
    }
    let mut contacts = Vec::new();
    for set in &project.contacts {
        let left_out = forgotten.of(&set.name, project.set_names());
        let (read, set_report) = contacts::import(&mut engine, set, &|id| left_out.has(id))?;
        left_out.check()?;
        contacts.push(read);
        report.contacts.push(set_report);
    }
    Ok(Dataset {
        manifest: Manifest {
            format: FORMAT_VERSION,
            version: String::new(),
            name: project.dataset.name,
            title: project.dataset.title,
            attribution: project.dataset.attribution,
            layers,
            contacts: Vec::new(),
            releases: Vec::new(),
            files: BTreeMap::new(),
        },
        levels_of_layer,
        contacts,
        report,
    })
}

/// Levels look things up in tables, once a unit: `(select name from t where code = key)`.
fn index_lookups(engine: &mut Engine, project: &Project) -> Result<(), InputError> {
    let levels = project.layers.iter().flat_map(|layer| &layer.levels);
    let sql = levels.flat_map(|level| [level.label.as_deref(), level.parent.as_deref()]);
    let looked_up = Mentions::of(sql.flatten());
    for table in &project.tables {
        let columns = engine.relation_columns(&table.name).unwrap_or_default();
        let columns: Vec<String> = columns
            .iter()
            .filter(|column| looked_up.contains(&table.name) && looked_up.contains(column))
            .cloned()
            .collect();
        for column in columns {
            engine.index(&table.name, &column)?;
        }
    }
    Ok(())
}

impl Dataset {
    /// Writes and publishes a version; the report then holds its id.
    ///
    /// # Errors
    /// When a write fails; what was published before is untouched.
    pub fn publish(self, store: &Store) -> anyhow::Result<Report> {
        let Self {
            mut manifest,
            levels_of_layer,
            contacts,
            mut report,
        } = self;
        let mut stage = store.stage()?;
        for (layer, levels) in manifest.layers.iter_mut().zip(levels_of_layer) {
            for level in levels {
                let step = progress::step(&format!("write {}/{}", layer.name, level.name));
                let meta = level.write(&layer.name, &mut stage)?;
                step.done(&format!("{} rows", meta.rows));
                layer.levels.push(meta);
            }
        }
        for set in contacts {
            manifest.contacts.push(set.write(&mut stage)?);
        }
        manifest.releases = store.carry_releases(&mut stage)?;
        store.publish(&stage, manifest, |id| {
            report.version = Some(id.to_owned());
            report.to_json()
        })?;
        Ok(report)
    }
}

type BuiltLayer = (schema::Layer, Vec<LevelData>, LayerReport);

fn build_layer(
    engine: &mut Engine,
    layer: &project::Layer,
    later: &[project::Layer],
) -> Result<BuiltLayer, InputError> {
    let mut report = LayerReport {
        name: layer.name.clone(),
        ..LayerReport::default()
    };
    let (join_levels, shapes) = read_levels(engine, layer, &mut report)?;
    let relations = load_level_relations(engine, layer, &join_levels)?;
    let (coverages, blocks) = rayon::join(
        || coverages(layer, shapes),
        || {
            let blocks = evaluate_blocks(engine, layer, &join_levels, &mut report);
            // Shapes take the memory.
            let read = later.iter().flat_map(|layer| &layer.indicators);
            engine.keep_sums(read.map(|block| block.from.as_str()));
            blocks
        },
    );
    let mut blocks = blocks?;
    let (transfers, local) = transfers::layer::of_layer(engine, layer, &join_levels)?;
    blocks.extend(local);
    for relation in relations {
        engine.drop_relation(relation)?;
    }
    for (level, shapes) in report.levels.iter_mut().zip(&coverages) {
        level.coverage = shapes.report;
    }
    report.coverage = report
        .levels
        .first()
        .and_then(|level| level.coverage)
        .unwrap_or_default();
    let mut taken = FxHashSet::default();
    let mut levels: Vec<LevelData> = Vec::with_capacity(layer.levels.len());
    for ((level, joined), shapes) in layer.levels.iter().zip(join_levels).zip(coverages) {
        let ids = levels::ids(&level.name, &joined.units.keys, &mut taken);
        levels.push(LevelData {
            name: level.name.clone(),
            title: level.title.clone(),
            zooms: level.zooms,
            units: joined.units,
            ids,
            coverage: shapes.coverage,
            repair_zooms: shapes.repair_zooms,
            columns: Vec::new(),
            hidden: Vec::new(),
        });
    }
    let weights = blocks.iter().filter_map(|(_, block)| block.weight.clone());
    let weights = weights.collect();
    let mut indicators = add_columns(&mut levels, blocks);
    let interpolated = interpolation::of_layer(engine, layer, &mut levels, &mut report)?;
    indicators.extend(interpolated);
    indicators.extend(hotspots::layer::of_layer(layer, &mut levels)?);
    let meta = schema::Layer {
        name: layer.name.clone(),
        title: layer.title.clone(),
        default_properties: layer.default_properties.clone(),
        levels: Vec::new(),
        indicators,
        weights,
        transfers,
    };
    Ok((meta, levels, report))
}

/// What polygons bring along is a relation of the level's name, unless a table has that name.
fn load_level_relations<'a>(
    engine: &mut Engine,
    layer: &'a project::Layer,
    levels: &[JoinLevel],
) -> Result<Vec<&'a str>, InputError> {
    let mut loaded = Vec::new();
    for (level, joined) in layer.levels.iter().zip(levels) {
        let is_free = engine.relation_columns(&level.name).is_none();
        if level.polygons.is_some() && engine.mentions(&level.name) && is_free {
            joined.units.load_as(engine, &level.name)?;
            loaded.push(level.name.as_str());
        }
    }
    Ok(loaded)
}

/// Where a level's polygons come from.
enum Shape {
    Own(Parts, usize),
    /// The group of each finer unit, and the number of groups.
    Dissolved(Vec<Option<usize>>, usize),
}

fn read_levels(
    engine: &mut Engine,
    layer: &project::Layer,
    report: &mut LayerReport,
) -> Result<(Vec<JoinLevel>, Vec<Shape>), InputError> {
    let mut joined: Vec<JoinLevel> = Vec::new();
    let mut shapes = Vec::new();
    for level in &layer.levels {
        let step = progress::step(&format!("level {}/{}", layer.name, level.name));
        let mut level_report = LevelReport {
            name: level.name.clone(),
            ..LevelReport::default()
        };
        let (units, shape) = match (&level.polygons, joined.last()) {
            (Some(source), _) => {
                let read = polygons::read(&source.source)?;
                let (units, parts) = units::from_polygons(engine, level, read, &mut level_report)?;
                let count = units.keys.len();
                (units, Shape::Own(parts, count))
            }
            (None, Some(finer)) => {
                let (units, groups) =
                    units::dissolve(engine, level, &finer.units, &mut level_report)?;
                let count = units.keys.len();
                (units, Shape::Dissolved(groups, count))
            }
            (None, None) => unreachable_level(&level.name)?,
        };
        if units.keys.is_empty() {
            return Err(no_unit(layer, level, &level_report));
        }
        if let (Some(finer), Some(finer_report)) = (joined.last(), report.levels.last_mut()) {
            finer_report.parents_missing = parents_missing(&finer.units, &units);
            finer_report.without_parent =
                finer.units.parents.iter().filter(|p| p.is_none()).count() as u64;
        }
        step.done(&format!("{} areas", level_report.areas));
        report.levels.push(level_report);
        joined.push(JoinLevel::new(units));
        shapes.push(shape);
    }
    Ok((joined, shapes))
}

fn no_unit(layer: &project::Layer, level: &project::Level, report: &LevelReport) -> InputError {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for note in &report.skipped {
        *reasons.entry(&note.reason).or_default() += 1;
    }
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let message = if reasons.is_empty() {
        "has no unit: check its polygons, `where`, `key` and the finer level's `parent`".to_owned()
    } else {
        let is_of_pole = |note: &FeatureNote| note.reason == "holds_pole";
        let advice = if report.skipped.iter().all(is_of_pole) {
            POLE_ADVICE
        } else {
            "give a file of polygons"
        };
        format!(
            "has no unit: its features were skipped ({}): {advice}",
            reasons.join(", ")
        )
    };
    let place = format!("layer {}, level {}", layer.name, level.name);
    InputError::new(place, message)
}

/// The project file is checked before: a level has polygons or dissolves the one before it.
fn unreachable_level<T>(name: &str) -> Result<T, InputError> {
    Err(InputError::new(
        format!("level {name}"),
        "has neither polygons nor a finer level to dissolve",
    ))
}

/// Keys that units name as their parent and no coarser unit has.
fn parents_missing(finer: &Units, coarser: &Units) -> Vec<String> {
    let mut missing: Vec<String> = finer
        .parents
        .iter()
        .flatten()
        .filter(|parent| coarser.keys.binary_search(parent).is_err())
        .cloned()
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// The shapes of a level.
struct Generalised {
    coverage: Coverage,
    /// See [`Coverage::generalise`].
    repair_zooms: Vec<u32>,
    /// Defects, of a level that has polygons of its own.
    report: Option<CoverageReport>,
}

/// Shared arcs of every level.
fn coverages(layer: &project::Layer, shapes: Vec<Shape>) -> Vec<Generalised> {
    let zoom_last = layer.levels.iter().map(|level| level.zooms[1]).max();
    let zoom_last = zoom_last.unwrap_or_default();
    let mut coverages: Vec<Generalised> = Vec::new();
    for (level, shape) in layer.levels.iter().zip(shapes) {
        let step = progress::step(&format!("arcs {}/{}", layer.name, level.name));
        let (mut coverage, report) = match (shape, coverages.last()) {
            (Shape::Own(parts, units), _) => {
                let drawn: f64 = parts.polygons.par_iter().map(Area::unsigned_area).sum();
                let is_whole = parts.polygons.len() == units;
                let coverage = Coverage::build(parts.polygons);
                let defects = coverage.defects();
                let coverage = if is_whole {
                    coverage
                } else {
                    coverage.dissolve(&parts.unit_of_part, units)
                };
                let found = CoverageReport {
                    gap_share: defects.gap_share,
                    overlap_share: defects.overlap_share,
                    joined_vertices: defects.joined_vertices as u64,
                    growth_share: if drawn > 0.0 {
                        defects.units_m2 / drawn - 1.0
                    } else {
                        0.0
                    },
                };
                (coverage, Some(found))
            }
            (Shape::Dissolved(groups, count), Some(finer)) => {
                (dissolve(&finer.coverage, &groups, count), None)
            }
            (Shape::Dissolved(..), None) => (Coverage::default(), None),
        };
        let repair_zooms = coverage.generalise(level.zooms, zoom_last);
        step.done("built");
        coverages.push(Generalised {
            coverage,
            repair_zooms,
            report,
        });
    }
    coverages
}

/// Finer units without a parent are in no group: they are dissolved apart, behind the groups.
fn dissolve(finer: &Coverage, group_of_unit: &[Option<usize>], groups: usize) -> Coverage {
    let apart = group_of_unit.iter().any(Option::is_none);
    let group_of_unit: Vec<usize> = group_of_unit
        .iter()
        .map(|group| group.unwrap_or(groups))
        .collect();
    finer.dissolve(&group_of_unit, groups + usize::from(apart))
}

/// Each block's columns and the position of its level.
fn evaluate_blocks(
    engine: &mut Engine,
    layer: &project::Layer,
    levels: &[JoinLevel],
    report: &mut LayerReport,
) -> Result<Vec<(usize, BlockColumns)>, InputError> {
    let step = progress::steps(
        &format!("indicators {}", layer.name),
        layer.indicators.len(),
    );
    let mut blocks = Vec::new();
    let own = |(_, block): &(usize, &IndicatorBlock)| block.interpolate.is_none();
    for (number, block) in layer.indicators.iter().enumerate().filter(own) {
        let (join, columns, identities) =
            indicators::evaluate(engine, layer, levels, number, block)?;
        report.joins.push(join);
        report.identities.extend(identities);
        blocks.push((layer.levels.len() - columns.levels.len(), columns));
        step.advance();
    }
    step.done(&format!("{} blocks", blocks.len()));
    Ok(blocks)
}

/// Hands the blocks' columns to the levels that have them; returns all indicators.
fn add_columns(levels: &mut [LevelData], blocks: Vec<(usize, BlockColumns)>) -> Vec<Indicator> {
    let mut indicators = Vec::new();
    for (first, block) in blocks {
        for (level, columns) in levels[first..].iter_mut().zip(block.levels) {
            for (indicator, column) in block.indicators.iter().zip(columns) {
                if indicator.hidden {
                    level.hidden.push(indicator.name.clone());
                }
                level.columns.push(column);
            }
        }
        indicators.extend(block.indicators);
    }
    indicators
}
