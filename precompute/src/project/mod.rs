//! The project file: what a user writes, checked and with every path resolved.
//!
//! ```text
//! maille.toml ─▸ serde (unknown keys refused) ─▸ paths resolved ─▸ checked ─▸ Project
//! ```
//! Every field here is a key of the file, and its documentation the key's. SQL stays text; it is
//! only looked at for balance. Sources are not opened here.

mod check;
pub mod election;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use tilecore::dataset::schema::{Dimension, Localized};

use crate::input_error::InputError;
use crate::polygons::PolygonSource;

/// The key repairs a block may ask for by name.
pub const RULES: &[&str] = &["pad", "overseas", "plm", "merged-communes"];

/// The last zoom a level may be shown at.
pub const ZOOM_MAX: u8 = 18;

/// A whole project file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The file itself, as it was named.
    #[serde(skip)]
    pub path: PathBuf,
    /// What the dataset is called.
    pub dataset: DatasetSection,
    /// `[[table]]`: relations for SQL.
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
    /// `[[layer]]`: what maps show.
    #[serde(default, rename = "layer")]
    pub layers: Vec<Layer>,
    /// `[[contacts]]`: persons; private unless released.
    #[serde(default)]
    pub contacts: Vec<Contacts>,
}

/// `[dataset]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSection {
    /// Lower-case letters, digits, `_` and `-`, as every name in this file.
    pub name: String,
    /// Text, or `{ fr = "…", en = "…" }`.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
    /// Plain text shown on every map: who made the data, and its licence.
    #[serde(default)]
    pub attribution: String,
}

/// `[[table]]`: a file, or the files of a glob, as a relation for SQL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The relation's name in SQL. `format = "interieur"` makes two: `<name>` and
    /// `<name>_candidats`.
    pub name: String,
    /// A path, a glob, or `archive.zip/member-glob`; `.gz` is inflated. `${VAR}` is expanded; a
    /// relative path starts at the project file. Several files are one relation.
    pub path: PathBuf,
    /// `csv`, `parquet`, `json` (an array of records, or one record a line) or `interieur`;
    /// by default what the extension says.
    pub format: Option<TableFormat>,
    /// Between fields of a CSV: `;`, `,`, `|` or a tab; detected by default.
    pub delimiter: Option<char>,
    /// `,` or `.`; by default what each file uses, and an error when it uses both.
    pub decimal: Option<char>,
    /// Between groups of digits: a space (any kind), `.`, `,` or `'`; none by default, so that
    /// `1.234,56` is an error.
    pub thousands: Option<char>,
    /// `utf-8` (the default), `cp1252` or `latin-1`. A byte order mark is always accepted.
    pub encoding: Option<Encoding>,
    /// Cells that mean "no value", beside empty ones, in every column but those of `text`. By
    /// default `s`, `ns`, `nd`, `so` (statistical secrets), where the other cells of the column
    /// are numbers.
    pub missing: Option<Vec<String>>,
    /// Columns that are never read as numbers: codes keep their zeros.
    #[serde(default)]
    pub text: Vec<String>,
    /// Whether the first row names the columns; `false` needs `columns`.
    pub header: Option<bool>,
    /// The columns' names, in place of the header's.
    pub columns: Option<Vec<String>>,
    /// Leaves out columns without a name, such as a row number; otherwise they are an error.
    #[serde(default)]
    pub skip_unnamed: bool,
}

/// What a table's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    Csv,
    Parquet,
    Json,
    /// The Ministry of the Interior's wide files: one row a station, one block of columns a
    /// candidate.
    Interieur,
}

/// How bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "cp1252")]
    Cp1252,
    #[serde(rename = "latin-1")]
    Latin1,
}

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

/// `[[layer.indicators]]`: indicators from one relation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorBlock {
    /// A table's name, or a subquery in parentheses. A level that has polygons of its own is a
    /// relation too: its `key` and the polygons' properties, under the level's name.
    #[serde(default)]
    pub from: String,
    /// SQL: the level's key for a row of `from`.
    #[serde(default)]
    pub key: String,
    /// `"election"`: the columns follow from `ballot` or `elections`, those of `columns` are added.
    pub preset: Option<election::Preset>,
    /// What the names of the preset's columns start with.
    pub prefix: Option<String>,
    /// One election, its stations in `from`.
    pub ballot: Option<election::Ballot>,
    /// Several, oldest first: what changed.
    #[serde(default)]
    pub elections: Vec<election::Ballot>,
    /// Two choices of `elections`: the swing is from the second to the first.
    pub swing: Option<[String; 2]>,
    /// The lead, as a share of valid votes, up to which a `ballot` is close; 0.05 by default.
    pub close: Option<f64>,
    /// The level the rows speak of, the finest by default; coarser levels aggregate it.
    #[serde(default)]
    pub level: String,
    /// The areas that the rows speak of, where they are not the level's own.
    pub interpolate: Option<Interpolate>,
    /// SQL aggregate by which the report weighs matched rows and orphans, as
    /// `sum(inscrits)`; rows count alike by default.
    pub weight: Option<String>,
    /// Named key repairs, tried in this order where a key does not match, each counted:
    /// `pad`, `overseas`, `plm`, `merged-communes`.
    #[serde(default)]
    pub rules: Vec<String>,
    /// A key of `from` ▸ the level's key, for single mismatches; counted like a rule.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// SQL conditions over aggregates that hold for every unit, as
    /// `sum(votants) = sum(exprimes) + sum(blancs) + sum(nuls)`; failures are reported.
    #[serde(default)]
    pub identities: Vec<String>,
    /// Reason ▸ SQL condition over `key`: what the report says of keys without a partner that
    /// nothing else explains, on either side; the first that is true counts.
    #[serde(default, deserialize_with = "read::ordered")]
    pub explain: Vec<(String, String)>,
    /// Who publishes the figures.
    pub source: Option<String>,
    /// The date or year they speak of.
    #[serde(default, deserialize_with = "read::scalar_text")]
    pub vintage: Option<String>,
    /// An SPDX id, or `LO-2.0`.
    pub licence: Option<String>,
    /// `[layer.indicators.columns]`, in the order of the file.
    #[serde(default, deserialize_with = "read::named")]
    pub columns: Vec<IndicatorColumn>,
}

/// `name = { sql = "…", … }` of `[layer.indicators.columns]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorColumn {
    /// The key: unique in the layer, and not one of the names tiles use themselves.
    #[serde(skip)]
    pub name: String,
    /// An SQL aggregate over the rows of one unit, as `sum(votants) / sum(inscrits)`.
    pub sql: String,
    /// `count`, `share`, `per_1000`, `eur`, …
    pub unit: Option<String>,
    /// Text, or text by language; the name by default.
    #[serde(default, deserialize_with = "read::localized")]
    pub label: Localized,
    /// What it counts and how, for readers.
    #[serde(default, deserialize_with = "read::localized")]
    pub description: Localized,
    /// Whether it is estimated rather than counted.
    #[serde(default)]
    pub estimate: bool,
    /// Of `interpolate`: a figure that a part of an area has as the whole does, such as a median
    /// or a density, of which the target gets the mean.
    #[serde(default)]
    pub intensive: bool,
    /// Of an intensive figure: the column whose counts weigh the mean, as households do a median
    /// income; by default the part of each area does.
    pub base: Option<String>,
}

/// `interpolate = { … }` of `[[layer.indicators]]`: figures of other areas, of which the level's
/// units get the part that lies in them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpolate {
    /// The areas that the figures speak of.
    pub polygons: LevelPolygons,
    /// SQL over the polygon's properties: the area's code, which the block's `key` gives a row of
    /// `from`. Without `from`, the figures are properties of the polygons.
    pub key: String,
    /// `"merge"` when polygons of one key are parts of one area.
    pub duplicates: Option<Duplicates>,
    /// The column that tells how much of a unit the areas cover; `coverage` by default.
    #[serde(default = "read::coverage")]
    pub coverage: String,
    /// Parts are measured by the addresses in them, not by their surface.
    pub addresses: Option<Addresses>,
    /// SQL over the columns of `addresses`: how much one counts, such as its dwellings; all alike
    /// by default.
    pub weight: Option<String>,
}

/// `[[layer.transfers]]`: where the votes of a first round went in the second.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfers {
    /// Unique in the layer.
    pub name: String,
    /// Text, or text by language.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
    /// The level whose units are compared, the finest by default.
    #[serde(default)]
    pub level: String,
    /// Counts of the first round.
    pub first: TransferSide,
    /// Counts of the second round.
    pub second: TransferSide,
}

/// `first = { from, key, columns }` of `[[layer.transfers]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferSide {
    /// A table's name, or a subquery in parentheses.
    pub from: String,
    /// SQL: the level's key for a row of `from`.
    pub key: String,
    /// Choice ▸ SQL aggregate that counts it, abstention included.
    #[serde(deserialize_with = "read::ordered")]
    pub columns: Vec<(String, String)>,
}

/// `[[layer.hotspots]]`: statistics of an indicator among the units that touch each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotspots {
    /// What the columns' names start with.
    pub name: String,
    /// The finest level that has them, the layer's finest by default; coarser ones have them too.
    #[serde(default)]
    pub level: String,
    /// An indicator of the layer: a number.
    pub of: String,
    /// An indicator too: the statistics are then of the rate `of / base`, stabilised by empirical
    /// Bayes.
    pub base: Option<String>,
    /// The share of findings that may be false, 0.05 by default.
    #[serde(default = "read::fdr")]
    pub fdr: f64,
}

/// `[[contacts]]`: a list of persons with coordinates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// Unique in the file.
    pub name: String,
    /// Whose contacts these are: only that tenant's keys see them.
    pub tenant: String,
    /// As a table's `path`, and so are the six keys that follow.
    pub path: PathBuf,
    pub format: Option<TableFormat>,
    pub delimiter: Option<char>,
    pub decimal: Option<char>,
    pub encoding: Option<Encoding>,
    pub header: Option<bool>,
    pub columns: Option<Vec<String>>,
    /// SQL: who it is; rows with one id are one person.
    pub id: String,
    /// SQL: degrees; `lon` and `lat`, or `x`, `y` and `crs`.
    pub lon: Option<String>,
    pub lat: Option<String>,
    /// SQL: coordinates in `crs`.
    pub x: Option<String>,
    pub y: Option<String>,
    /// EPSG code, proj string or WKT.
    #[serde(default, deserialize_with = "read::crs")]
    pub crs: Option<String>,
    /// `where`: SQL over the columns; only rows for which it is true are kept.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// SQL over the columns: whether the coordinates are the address's own, not the middle of a
    /// postcode or town; by default they are. Others are counted, and left out of density.
    pub exact: Option<String>,
    /// What filters may ask of a person: name ▸ SQL, at most 64 classes each.
    #[serde(default, deserialize_with = "read::ordered")]
    pub dimensions: Vec<(String, String)>,
    /// `[contacts.release]`: what `precompute release` counts for the public.
    pub release: Option<ContactsRelease>,
}

/// `[contacts.release]`: closed classes in public cells.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactsRelease {
    /// A public file of addresses: where nobody has one, nobody is counted.
    pub addresses: Addresses,
    /// Dimension ▸ its classes, at most 6; other values are counted together.
    #[serde(default, deserialize_with = "read::ordered")]
    pub dimensions: Vec<(String, Vec<String>)>,
    /// Dimensions to cross, at most two a cube, which share the ε; by default each alone.
    #[serde(default)]
    pub cubes: Vec<Vec<String>>,
}

/// `addresses = { path, lon, lat }`, or `x`, `y` and `crs`, of `[contacts.release]` and
/// `interpolate`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// As a table's, and so are the keys up to `columns`.
    pub path: PathBuf,
    pub format: Option<TableFormat>,
    pub delimiter: Option<char>,
    pub decimal: Option<char>,
    pub encoding: Option<Encoding>,
    pub header: Option<bool>,
    pub columns: Option<Vec<String>>,
    /// SQL: degrees.
    pub lon: Option<String>,
    pub lat: Option<String>,
    /// SQL: coordinates in `crs`.
    pub x: Option<String>,
    pub y: Option<String>,
    #[serde(default, deserialize_with = "read::crs")]
    pub crs: Option<String>,
}

impl ContactsRelease {
    /// The cubes, each dimension with its classes.
    #[must_use]
    pub fn cubes(&self) -> Vec<Vec<Dimension>> {
        let alone = || self.dimensions.iter().map(|(name, _)| vec![name.clone()]);
        let cubes = if self.cubes.is_empty() {
            alone().collect()
        } else {
            self.cubes.clone()
        };
        let of = |name: &String| {
            let classes = self.dimensions.iter().find(|(known, _)| known == name);
            let (name, mut classes) = classes?.clone();
            classes.sort_unstable();
            Some(Dimension { name, classes })
        };
        let cubes: Vec<Vec<Dimension>> = (cubes.iter())
            .map(|cube| cube.iter().filter_map(of).collect())
            .collect();
        // Without dimensions everybody is counted alike.
        if cubes.is_empty() {
            vec![Vec::new()]
        } else {
            cubes
        }
    }
}

impl Interpolate {
    fn sql(&self) -> impl Iterator<Item = Option<&str>> {
        let own = [
            Some(&*self.key),
            self.polygons.filter.as_deref(),
            self.weight.as_deref(),
        ];
        let addresses = self.addresses.iter().flat_map(Addresses::sql);
        own.into_iter().chain(addresses)
    }
}

impl Addresses {
    fn sql(&self) -> [Option<&str>; 4] {
        [&self.lon, &self.lat, &self.x, &self.y].map(Option::as_deref)
    }

    /// The file as a table beside that of `owner`.
    #[must_use]
    pub fn table(&self, owner: &str) -> Table {
        Table {
            name: format!("{owner} addresses"),
            path: self.path.clone(),
            format: self.format,
            delimiter: self.delimiter,
            decimal: self.decimal,
            encoding: self.encoding,
            header: self.header,
            columns: self.columns.clone(),
            ..Table::default()
        }
    }
}

impl Contacts {
    /// The file as a table of this name.
    #[must_use]
    pub fn table(&self) -> Table {
        Table {
            name: self.name.clone(),
            path: self.path.clone(),
            format: self.format,
            delimiter: self.delimiter,
            decimal: self.decimal,
            encoding: self.encoding,
            header: self.header,
            columns: self.columns.clone(),
            ..Table::default()
        }
    }
}

impl Project {
    /// The contact set of a name.
    ///
    /// # Errors
    /// When the file has none; the names it has.
    pub fn contact_set(&self, name: &str) -> Result<&Contacts, InputError> {
        self.contacts
            .iter()
            .find(|set| set.name == name)
            .ok_or_else(|| {
                let names: Vec<&str> = self.contacts.iter().map(|set| &*set.name).collect();
                let message = format!(
                    "there are no contacts {name:?}; the file has {}",
                    if names.is_empty() {
                        "none".to_owned()
                    } else {
                        names.join(", ")
                    }
                );
                InputError::new(self.path.display().to_string(), message)
            })
    }

    /// Every piece of SQL in the file, and the names it reads beside it.
    pub fn sql(&self) -> impl Iterator<Item = &str> {
        let layers = self.layers.iter().flat_map(|layer| {
            let levels = layer.levels.iter().flat_map(|level| {
                let filter = level.polygons.as_ref().and_then(|p| p.filter.as_deref());
                [
                    Some(level.key.as_str()),
                    level.label.as_deref(),
                    level.parent.as_deref(),
                    filter,
                ]
            });
            let blocks = layer.indicators.iter().flat_map(|block| {
                [
                    Some(block.from.as_str()),
                    Some(&*block.key),
                    block.weight.as_deref(),
                ]
                .into_iter()
                .chain(block.identities.iter().map(|sql| Some(sql.as_str())))
                .chain(block.explain.iter().map(|(_, sql)| Some(sql.as_str())))
                .chain(block.columns.iter().map(|column| Some(column.sql.as_str())))
                .chain(block.interpolate.iter().flat_map(Interpolate::sql))
            });
            let sides = layer.transfers.iter().flat_map(|t| [&t.first, &t.second]);
            let transfers = sides.flat_map(|side| {
                [Some(side.from.as_str()), Some(&*side.key)]
                    .into_iter()
                    .chain(side.columns.iter().map(|(_, sql)| Some(sql.as_str())))
            });
            levels.chain(blocks).chain(transfers)
        });
        let contacts = self.contacts.iter().flat_map(|set| {
            [Some(set.id.as_str())]
                .into_iter()
                .chain(
                    [&set.lon, &set.lat, &set.x, &set.y, &set.filter, &set.exact]
                        .map(Option::as_deref),
                )
                .chain(set.dimensions.iter().map(|(_, sql)| Some(sql.as_str())))
                .chain(
                    set.release
                        .iter()
                        .flat_map(|release| release.addresses.sql()),
                )
        });
        layers.chain(contacts).flatten()
    }
}

#[cfg(test)]
mod tests;
