//! `[[layer.indicators]]`: indicators from one relation, of the level's units or of other areas.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tilecore::dataset::schema::{Localized, RESERVED};

use super::check::{At, name, optional_sql, required_sql, unique};
use super::contacts::{Addresses, check_addresses};
use super::election;
use super::layer::{Duplicates, LevelPolygons};
use super::read::{self, Fault};
use crate::sql::{only_name, only_sum};

/// The key repairs a block may ask for by name.
pub const RULES: &[&str] = &["pad", "overseas", "plm", "merged-communes"];

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

impl IndicatorBlock {
    /// The columns of which its indicators are sums, and nothing but them.
    pub(super) fn sums(&self) -> impl Iterator<Item = String> {
        let columns = self.columns.iter();
        columns.filter_map(|column| self.sum(column))
    }

    fn sum(&self, column: &IndicatorColumn) -> Option<String> {
        let is_plain = self.interpolate.is_none() && only_name(&self.from).is_some();
        is_plain.then(|| only_sum(&column.sql)).flatten()
    }

    /// Its SQL, but for [`Self::sums`].
    pub(super) fn sql(&self) -> impl Iterator<Item = Option<&str>> {
        let others = self
            .columns
            .iter()
            .filter(|column| self.sum(column).is_none());
        [Some(&*self.from), Some(&*self.key), self.weight.as_deref()]
            .into_iter()
            .chain(self.identities.iter().map(|sql| Some(&**sql)))
            .chain(self.explain.iter().map(|(_, sql)| Some(&**sql)))
            .chain(others.map(|column| Some(&*column.sql)))
            .chain(self.interpolate.iter().flat_map(Interpolate::sql))
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

pub(super) fn check_block(
    block: &IndicatorBlock,
    names: &mut BTreeSet<String>,
    at: &At,
) -> Result<(), Fault> {
    required_sql(&block.from, &at.key("from"))?;
    required_sql(&block.key, &at.key("key"))?;
    optional_sql(block.weight.as_deref(), &at.key("weight"))?;
    for rule in &block.rules {
        if !RULES.contains(&rule.as_str()) {
            let message = format!("there is no rule {rule:?}: use {}", RULES.join(", "));
            return at.key("rules").fault(message);
        }
    }
    for (i, identity) in block.identities.iter().enumerate() {
        required_sql(identity, &at.key("identities").index(i))?;
    }
    for (reason, condition) in &block.explain {
        let at = at.key("explain").key(reason);
        name(reason, &at)?;
        required_sql(condition, &at)?;
    }
    if block.columns.is_empty() {
        return at.fault("the block has no indicators: add [layer.indicators.columns]");
    }
    for column in &block.columns {
        let at = at.key("columns").key(&column.name);
        if RESERVED.contains(&column.name.as_str()) {
            let message = format!("the name {:?} is taken by tiles themselves", column.name);
            return at.fault(message);
        }
        unique(&column.name, names, &at)?;
        required_sql(&column.sql, &at.key("sql"))?;
        if block.interpolate.is_none() && (column.intensive || column.base.is_some()) {
            return at.fault("`intensive` and `base` are of a block with `interpolate`");
        }
    }
    Ok(())
}

pub(super) fn check_interpolate(
    interpolate: &Interpolate,
    columns: &[IndicatorColumn],
    block: &At,
) -> Result<(), Fault> {
    let at = block.key("interpolate");
    required_sql(&interpolate.key, &at.key("key"))?;
    let filter = interpolate.polygons.filter.as_deref();
    optional_sql(filter, &at.key("polygons").key("where"))?;
    optional_sql(interpolate.weight.as_deref(), &at.key("weight"))?;
    match &interpolate.addresses {
        Some(addresses) => check_addresses(addresses, &at.key("addresses"))?,
        None if interpolate.weight.is_some() => {
            return at
                .key("weight")
                .fault("`weight` is of `addresses`: name their file");
        }
        None => {}
    }
    for column in columns {
        let at = block.key("columns").key(&column.name).key("base");
        match &column.base {
            Some(_) if !column.intensive => {
                return at.fault("`base` is of an `intensive` figure; a rate is sum(…) / sum(…)");
            }
            Some(base) if !columns.iter().any(|known| known.name == *base) => {
                return at.fault(format!("{base:?} is no column of this block"));
            }
            _ => {}
        }
    }
    Ok(())
}
