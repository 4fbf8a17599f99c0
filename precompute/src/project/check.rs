//! Defaults that depend on other keys, and everything serde cannot refuse.

use std::collections::BTreeSet;

use tilecore::dataset::release::{CLASSES_MAX, CROSSED_MAX};
use tilecore::dataset::schema::{COLUMN_KEY, RESERVED};
use tilecore::dataset::transfers::column_names;

use super::read::{Fault, Step, zooms_unset};
use super::{
    Addresses, Contacts, ContactsRelease, Hotspots, IndicatorBlock, IndicatorColumn, Interpolate,
    Layer, Level, Project, RULES, Table, TableFormat, TransferSide, ZOOM_MAX, election,
};
use crate::{hotspots, interpolation, sql};

/// The zooms of a layer's only level.
const ZOOMS: [u8; 2] = [0, 14];

/// Paths of the server that a layer cannot have.
const ROUTES: &[&str] = &[
    "api",
    "assets",
    "catalog",
    "collections",
    "conformance",
    "density",
    "embed",
    "health",
    "map",
    "metrics",
    "oembed",
    "ready",
    "styles",
];

/// Fills in defaults and checks the whole.
pub(super) fn complete(project: &mut Project) -> Result<(), Fault> {
    let root = At::default();
    name(&project.dataset.name, &root.key("dataset").key("name"))?;
    let mut relations = BTreeSet::new();
    for (i, table) in project.tables.iter().enumerate() {
        let at = root.key("table").index(i);
        check_table(table, &at)?;
        let second = format!("{}_candidats", table.name);
        let names = match table.format {
            Some(TableFormat::Interieur) => vec![table.name.clone(), second],
            _ => vec![table.name.clone()],
        };
        for relation in names {
            if !relations.insert(relation.clone()) {
                let message = format!("two tables are called {relation:?}: rename one");
                return at.key("name").fault(message);
            }
        }
    }
    let mut names = BTreeSet::new();
    for (i, layer) in project.layers.iter_mut().enumerate() {
        let at = root.key("layer").index(i);
        unique(&layer.name, &mut names, &at.key("name"))?;
        if ROUTES.contains(&layer.name.as_str()) {
            let message = format!("{:?} is a path of the server: rename the layer", layer.name);
            return at.key("name").fault(message);
        }
        complete_layer(layer, &at)?;
    }
    let mut names = BTreeSet::new();
    for (i, set) in project.contacts.iter().enumerate() {
        let at = root.key("contacts").index(i);
        unique(&set.name, &mut names, &at.key("name"))?;
        if relations.contains(&set.name) {
            let message = format!("a table is called {:?} too: rename one", set.name);
            return at.key("name").fault(message);
        }
        check_contacts(set, &at)?;
    }
    if project.layers.is_empty() && project.contacts.is_empty() {
        return root.fault("nothing to build: add a [[layer]] or [[contacts]]");
    }
    Ok(())
}

fn complete_layer(layer: &mut Layer, at: &At) -> Result<(), Fault> {
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
        check_side(&estimate.first, &at.key("first"))?;
        check_side(&estimate.second, &at.key("second"))?;
        for (from, _) in &estimate.first.columns {
            for (to, _) in &estimate.second.columns {
                for column in column_names(&estimate.name, from, to) {
                    unique(&column, &mut indicators, &at.key("name"))?;
                }
            }
        }
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

fn check_block(block: &IndicatorBlock, names: &mut BTreeSet<String>, at: &At) -> Result<(), Fault> {
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

fn check_interpolate(
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

fn check_hotspots(
    spots: &Hotspots,
    counted: &BTreeSet<String>,
    names: &mut BTreeSet<String>,
    at: &At,
) -> Result<(), Fault> {
    for (key, indicator) in [("of", Some(&spots.of)), ("base", spots.base.as_ref())] {
        if let Some(indicator) = indicator.filter(|name| !counted.contains(*name)) {
            let message = format!("{indicator:?} is no indicator of this layer");
            return at.key(key).fault(message);
        }
    }
    if !(spots.fdr > 0.0 && spots.fdr < 1.0) {
        return at.key("fdr").fault("a share between 0 and 1, as 0.05");
    }
    for column in hotspots::layer::column_names(&spots.name) {
        unique(&column, names, &at.key("name"))?;
    }
    Ok(())
}

fn check_side(side: &TransferSide, at: &At) -> Result<(), Fault> {
    required_sql(&side.from, &at.key("from"))?;
    required_sql(&side.key, &at.key("key"))?;
    if side.columns.len() < 2 {
        return at.fault("a round has at least two choices, abstention included");
    }
    for (choice, counts) in &side.columns {
        let at = at.key("columns").key(choice);
        name(choice, &at)?;
        required_sql(counts, &at)?;
    }
    Ok(())
}

fn check_contacts(set: &Contacts, at: &At) -> Result<(), Fault> {
    name(&set.tenant, &at.key("tenant"))?;
    let Contacts { lon, lat, x, y, .. } = set;
    match (lon, lat, x, y, &set.crs) {
        (Some(_), Some(_), None, None, None) | (None, None, Some(_), Some(_), Some(_)) => {}
        _ => return at.fault("a contact is at `lon` and `lat`, or at `x` and `y` with a `crs`"),
    }
    required_sql(&set.id, &at.key("id"))?;
    for (key, fragment) in [("lon", lon), ("lat", lat), ("x", x), ("y", y)] {
        optional_sql(fragment.as_deref(), &at.key(key))?;
    }
    optional_sql(set.filter.as_deref(), &at.key("where"))?;
    for (dimension, fragment) in &set.dimensions {
        let at = at.key("dimensions").key(dimension);
        name(dimension, &at)?;
        required_sql(fragment, &at)?;
    }
    if let Some(release) = &set.release {
        check_release(release, set, &at.key("release"))?;
    }
    check_dialect(&set.table(), at)
}

fn check_release(release: &ContactsRelease, set: &Contacts, at: &At) -> Result<(), Fault> {
    for (dimension, classes) in &release.dimensions {
        let at = at.key("dimensions").key(dimension);
        if !set.dimensions.iter().any(|(known, _)| known == dimension) {
            return at.fault(format!("{dimension:?} is no dimension of these contacts"));
        }
        let distinct: BTreeSet<&String> = classes.iter().collect();
        if classes.is_empty() || classes.len() > CLASSES_MAX || distinct.len() < classes.len() {
            return at.fault(format!("give 1 to {CLASSES_MAX} classes, each once"));
        }
    }
    for (i, cube) in release.cubes.iter().enumerate() {
        let at = at.key("cubes").index(i);
        let distinct: BTreeSet<&String> = cube.iter().collect();
        if cube.is_empty() || cube.len() > CROSSED_MAX || distinct.len() < cube.len() {
            return at.fault(format!("cross 1 to {CROSSED_MAX} dimensions"));
        }
        let known = |name: &&String| release.dimensions.iter().any(|(known, _)| known == *name);
        if let Some(unknown) = cube.iter().find(|name| !known(name)) {
            return at.fault(format!("{unknown:?} has no classes under `dimensions`"));
        }
    }
    check_addresses(&release.addresses, &at.key("addresses"))
}

fn check_addresses(addresses: &Addresses, at: &At) -> Result<(), Fault> {
    for (key, fragment) in [
        ("lon", &addresses.lon),
        ("lat", &addresses.lat),
        ("x", &addresses.x),
        ("y", &addresses.y),
    ] {
        optional_sql(fragment.as_deref(), &at.key(key))?;
    }
    check_dialect(&addresses.table(""), at)
}

fn check_table(table: &Table, at: &At) -> Result<(), Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts_well = table.name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || !table.name.chars().all(is_plain) || table.name.starts_with("sqlite_") {
        let message = format!(
            "{:?} is no name for a table: lower-case letters, digits and `_`, a letter first",
            table.name
        );
        return at.key("name").fault(message);
    }
    check_dialect(table, at)
}

fn check_dialect(table: &Table, at: &At) -> Result<(), Fault> {
    if let Some(delimiter) = table.delimiter
        && (!delimiter.is_ascii() || delimiter.is_alphanumeric() || "\"\r\n.-".contains(delimiter))
    {
        let message = format!("{delimiter:?} cannot part fields: use `;`, `,`, `|` or a tab");
        return at.key("delimiter").fault(message);
    }
    if table.decimal.is_some_and(|c| !matches!(c, '.' | ',')) {
        return at.key("decimal").fault("`decimal` is `.` or `,`");
    }
    if table.thousands.is_some_and(|c| !" .,'".contains(c)) {
        return at
            .key("thousands")
            .fault("`thousands` is a space, `.`, `,` or `'`");
    }
    if table.thousands.is_some() && table.thousands == table.decimal {
        return at
            .key("thousands")
            .fault("`thousands` and `decimal` are the same");
    }
    if table.header == Some(false) && table.columns.is_none() {
        return at
            .key("header")
            .fault("without a header, `columns` names the columns");
    }
    let mut names = BTreeSet::new();
    for column in table.columns.iter().flatten() {
        if column.trim().is_empty() || !names.insert(column.to_lowercase()) {
            let message = format!("{column:?} is empty or there twice (case does not count)");
            return at.key("columns").fault(message);
        }
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

pub(super) fn required_sql(fragment: &str, at: &At) -> Result<(), Fault> {
    match sql::check_fragment(fragment) {
        Ok(()) => Ok(()),
        Err(message) => at.fault(message),
    }
}

fn optional_sql(fragment: Option<&str>, at: &At) -> Result<(), Fault> {
    fragment.map_or(Ok(()), |fragment| required_sql(fragment, at))
}

fn unique(text: &str, names: &mut BTreeSet<String>, at: &At) -> Result<(), Fault> {
    name(text, at)?;
    if names.insert(text.to_owned()) {
        return Ok(());
    }
    at.fault(format!("the name {text:?} is there twice: rename one"))
}

pub(super) fn name(text: &str, at: &At) -> Result<(), Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(is_plain) {
        return Ok(());
    }
    at.fault(format!(
        "{text:?} is no name: up to 64 lower-case letters, digits, `_` and `-`"
    ))
}

/// Where in the file a check is.
#[derive(Default, Clone)]
pub(super) struct At(Vec<Step>);

impl At {
    pub(super) fn key(&self, key: &str) -> Self {
        self.step(key.into())
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.step(index.into())
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault {
            keys: self.0.clone(),
            message: message.into(),
        })
    }
}
