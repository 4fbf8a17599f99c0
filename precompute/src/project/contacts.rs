//! `[[contacts]]`: a list of persons, and what of them is released.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use tilecore::dataset::release::{CLASSES_MAX, CROSSED_MAX};
use tilecore::dataset::schema::{Dimension, Localized};

use super::check::{At, name, optional_sql, required_sql};
use super::read::{self, Fault};
use super::table::{Encoding, Table, TableFormat, check_dialect};

/// `[[contacts]]`: a list of persons with coordinates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// Unique in the file.
    pub name: String,
    /// Text, or text by language. A release carries it, so everybody may read it.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
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

    /// Its SQL.
    pub(super) fn sql(&self) -> impl Iterator<Item = Option<&str>> {
        let Self {
            lon,
            lat,
            x,
            y,
            filter,
            exact,
            ..
        } = self;
        let own = [lon, lat, x, y, filter, exact].map(Option::as_deref);
        let dimensions = self.dimensions.iter().map(|(_, sql)| Some(&**sql));
        let release = self
            .release
            .iter()
            .flat_map(|release| release.addresses.sql());
        [Some(&*self.id)]
            .into_iter()
            .chain(own)
            .chain(dimensions)
            .chain(release)
    }
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

impl Addresses {
    /// Its SQL.
    pub(super) fn sql(&self) -> [Option<&str>; 4] {
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

pub(super) fn check_contacts(set: &Contacts, at: &At) -> Result<(), Fault> {
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

pub(super) fn check_addresses(addresses: &Addresses, at: &At) -> Result<(), Fault> {
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
