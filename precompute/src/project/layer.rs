//! `[[layer]]` and its levels.

use std::collections::BTreeSet;

use serde::Deserialize;
use tilecore::dataset::schema::{COLUMN_KEY, Localized};

use super::check::{At, optional_sql, required_sql, unique};
use super::election;
use super::indicators::{IndicatorBlock, check_block, check_interpolate};
use super::models::{Hotspots, Transfers, check_hotspots, check_transfers};
use super::read::{self, Fault, zooms_unset};
use crate::interpolation;
use crate::polygons::PolygonSource;

/// The last zoom a level may be shown at.
pub const ZOOM_MAX: u8 = 18;

/// The zooms of a layer's only level.
const ZOOMS: [u8; 2] = [0, 14];

/// `[[layer]]`: a stack of levels, one of which is shown at each zoom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// In URLs: `/{name}/{z}/{x}/{y}`.
    pub name: String,
    /// Text, or text by language.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
    /// The indicators a tile carries when the caller names none.
    #[serde(default)]
    pub default_properties: Vec<String>,
    /// `[[layer.level]]`, finest first.
    #[serde(default, rename = "level")]
    pub levels: Vec<Level>,
    /// `[[layer.indicators]]`, one block a table or subquery.
    #[serde(default)]
    pub indicators: Vec<IndicatorBlock>,
    /// `[[layer.transfers]]`: vote transfers estimated between two rounds.
    #[serde(default)]
    pub transfers: Vec<Transfers>,
    /// `[[layer.hotspots]]`: where an indicator clusters.
    #[serde(default)]
    pub hotspots: Vec<Hotspots>,
}

/// `[[layer.level]]`: polygons, or the finer level's dissolved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Unique in the layer.
    pub name: String,
    /// Text, or text by language.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
    /// The level's own polygons; either these or `dissolve`.
    pub polygons: Option<LevelPolygons>,
    /// The level just finer, whose units with one `parent` become one unit here.
    pub dissolve: Option<String>,
    /// SQL over the polygon's properties: the unit's code, unique in the level. A dissolved
    /// level has none in the file (its key is the finer units' `parent`), and `key` here.
    #[serde(default)]
    pub key: String,
    /// What two polygons of one key are: an error by default, `"merge"` when they are parts of one
    /// unit.
    pub duplicates: Option<Duplicates>,
    /// SQL over `key` and the polygon's properties: the unit's name; the key by default.
    pub label: Option<String>,
    /// SQL over `key` and the polygon's properties: the key one level up.
    pub parent: Option<String>,
    /// First and last zoom at which the level is shown; `[0, 14]` by default in a layer of one
    /// level. The levels' zooms neither overlap nor leave one out.
    #[serde(default = "read::zooms_unset")]
    pub zooms: [u8; 2],
}

/// `duplicates = "merge"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    Merge,
}

/// `polygons = { path, format, crs, geometry, layer, where }`, or for the areas of polling
/// stations `{ voronoi, within, by, lon, lat, … }`: a table of addresses, the polygons that they
/// divide, and the column that names each address's station.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "read::PolygonKeys")]
pub struct LevelPolygons {
    /// Where the polygons are and how to read them.
    pub source: PolygonSource,
    /// `where`: SQL over the properties; only polygons for which it is true are kept.
    pub filter: Option<String>,
}

impl Layer {
    /// Its SQL.
    pub(super) fn sql(&self) -> impl Iterator<Item = Option<&str>> {
        let levels = self.levels.iter().flat_map(|level| {
            let filter = level.polygons.as_ref().and_then(|p| p.filter.as_deref());
            [
                Some(&*level.key),
                level.label.as_deref(),
                level.parent.as_deref(),
                filter,
            ]
        });
        let blocks = self.indicators.iter().flat_map(IndicatorBlock::sql);
        let transfers = self.transfers.iter().flat_map(Transfers::sql);
        levels.chain(blocks).chain(transfers)
    }
}

pub(super) fn complete_layer(layer: &mut Layer, at: &At) -> Result<(), Fault> {
    let Some(finest) = layer.levels.first().map(|level| level.name.clone()) else {
        return at.fault("the layer has no level: add a [[layer.level]]");
    };
    if let [only] = layer.levels.as_mut_slice()
        && only.zooms == zooms_unset()
    {
        only.zooms = ZOOMS;
    }
    let mut names = BTreeSet::new();
    for i in 0..layer.levels.len() {
        let at = at.key("level").index(i);
        let (finer, rest) = layer.levels.split_at_mut(i);
        let Some(level) = rest.first_mut() else { break };
        unique(&level.name, &mut names, &at.key("name"))?;
        complete_level(level, finer.last(), &at)?;
    }
    let mut indicators = BTreeSet::new();
    for (i, block) in layer.indicators.iter_mut().enumerate() {
        let at = at.key("indicators").index(i);
        default_level(&mut block.level, &finest, &layer.levels, &at)?;
        election::expand(block, &at)?;
        if let Some(interpolate) = &block.interpolate {
            check_interpolate(interpolate, &block.columns, &at)?;
            unique(
                &interpolate.coverage,
                &mut indicators,
                &at.key("interpolate").key("coverage"),
            )?;
            if block.from.is_empty() && block.key.is_empty() {
                interpolation::PROPERTIES.clone_into(&mut block.from);
                COLUMN_KEY.clone_into(&mut block.key);
            }
        }
        check_block(block, &mut indicators, &at)?;
    }
    let mut transfers = BTreeSet::new();
    for (i, estimate) in layer.transfers.iter_mut().enumerate() {
        let at = at.key("transfers").index(i);
        unique(&estimate.name, &mut transfers, &at.key("name"))?;
        default_level(&mut estimate.level, &finest, &layer.levels, &at)?;
        check_transfers(estimate, &mut indicators, &at)?;
    }
    let counted = indicators.clone();
    for (i, spots) in layer.hotspots.iter_mut().enumerate() {
        let at = at.key("hotspots").index(i);
        default_level(&mut spots.level, &finest, &layer.levels, &at)?;
        check_hotspots(spots, &counted, &mut indicators, &at)?;
    }
    for property in &layer.default_properties {
        if !indicators.contains(property) {
            let message = format!("{property:?} is no indicator of this layer");
            return at.key("default_properties").fault(message);
        }
    }
    Ok(())
}

fn complete_level(level: &mut Level, finer: Option<&Level>, at: &At) -> Result<(), Fault> {
    match (&level.polygons, &level.dissolve) {
        (Some(polygons), None) => {
            if level.key.is_empty() {
                return at.fault("the level has no `key`: SQL for the code of each polygon");
            }
            let filter_at = at.key("polygons").key("where");
            optional_sql(polygons.filter.as_deref(), &filter_at)?;
        }
        (None, Some(dissolved)) => {
            check_dissolve(level, dissolved, finer, at)?;
            COLUMN_KEY.clone_into(&mut level.key);
        }
        (Some(_), Some(_)) => {
            return at.fault("`polygons` and `dissolve` exclude each other: keep one");
        }
        (None, None) => return at.fault("the level needs `polygons` or `dissolve`"),
    }
    let [first, last] = level.zooms;
    if level.zooms == zooms_unset() {
        return at.fault("the level has no `zooms`: first and last zoom that show it");
    }
    if first > last || last > ZOOM_MAX {
        let message = format!("zooms go from a lower to a higher number, at most {ZOOM_MAX}");
        return at.key("zooms").fault(message);
    }
    if let Some(finer) = finer
        && first > finer.zooms[0]
    {
        let message = format!(
            "levels go from the finest to the coarsest: {:?}, shown from zoom {first}, comes before \
             {:?}, shown from zoom {}",
            level.name, finer.name, finer.zooms[0]
        );
        return at.key("zooms").fault(message);
    }
    if let Some(finer) = finer
        && finer.zooms[0] != last + 1
    {
        let message = format!(
            "zooms of levels neither overlap nor leave one out: {:?} starts at {}, so {:?} ends \
             at {}",
            finer.name,
            finer.zooms[0],
            level.name,
            i16::from(finer.zooms[0]) - 1
        );
        return at.key("zooms").fault(message);
    }
    required_sql(&level.key, &at.key("key"))?;
    optional_sql(level.label.as_deref(), &at.key("label"))?;
    optional_sql(level.parent.as_deref(), &at.key("parent"))
}

fn check_dissolve(
    level: &Level,
    dissolved: &str,
    finer: Option<&Level>,
    at: &At,
) -> Result<(), Fault> {
    let Some(finer) = finer else {
        return at
            .key("dissolve")
            .fault("the finest level cannot dissolve another: levels go finest first");
    };
    if finer.name != dissolved {
        let message = format!(
            "a level dissolves the one just finer, here {:?}",
            finer.name
        );
        return at.key("dissolve").fault(message);
    }
    if finer.parent.is_none() {
        let message = format!(
            "{dissolved:?} has no `parent`: SQL for the key of the {:?} that holds each of its \
             units",
            level.name
        );
        return at.key("dissolve").fault(message);
    }
    if !level.key.is_empty() {
        let message =
            format!("a dissolved level's key is the `parent` of {dissolved:?}: remove it");
        return at.key("key").fault(message);
    }
    Ok(())
}

/// Sets an absent level to the finest, and checks that it exists.
fn default_level(level: &mut String, finest: &str, levels: &[Level], at: &At) -> Result<(), Fault> {
    if level.is_empty() {
        finest.clone_into(level);
    }
    if levels.iter().any(|known| known.name == *level) {
        return Ok(());
    }
    at.key("level")
        .fault(format!("there is no level {level:?} in this layer"))
}
