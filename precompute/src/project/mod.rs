//! The project file: what a user writes, checked and with every path resolved.
//!
//! ```text
//! maille.toml ─▸ serde (unknown keys refused) ─▸ paths resolved ─▸ checked ─▸ Project
//! ```
//! Every field here is a key of the file, and its documentation the key's. SQL stays text; it is
//! only looked at for balance. Sources are not opened here.

mod check;
mod contacts;
pub mod election;
mod indicators;
mod layer;
mod models;
mod read;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use tilecore::dataset::schema::Localized;

pub use self::contacts::{Addresses, Contacts, ContactsRelease};
pub use self::indicators::{IndicatorBlock, IndicatorColumn, Interpolate, RULES};
pub use self::layer::{Duplicates, Layer, Level, LevelPolygons, ZOOM_MAX};
pub use self::models::{Hotspots, TransferSide, Transfers};
pub use self::table::{Encoding, Table, TableFormat};

use self::check::{At, name, unique};
use self::read::Fault;
use crate::input_error::InputError;

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
                let names: Vec<&str> = self.set_names().collect();
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

    /// The names of its contact sets.
    pub fn set_names(&self) -> impl Iterator<Item = &str> {
        self.contacts.iter().map(|set| &*set.name)
    }

    /// Every piece of SQL in the file but for [`Self::sums`], and the names it reads beside it.
    pub fn sql(&self) -> impl Iterator<Item = &str> {
        let layers = self.layers.iter().flat_map(Layer::sql);
        let contacts = self.contacts.iter().flat_map(Contacts::sql);
        layers.chain(contacts).flatten()
    }

    /// The columns of tables of which indicators are sums, and nothing but them.
    pub fn sums(&self) -> impl Iterator<Item = String> {
        let blocks = self.layers.iter().flat_map(|layer| &layer.indicators);
        blocks.flat_map(IndicatorBlock::sums)
    }
}

/// Fills in defaults and checks the whole.
fn complete(project: &mut Project) -> Result<(), Fault> {
    let root = At::default();
    name(&project.dataset.name, &root.key("dataset").key("name"))?;
    let mut relations = BTreeSet::new();
    for (i, table) in project.tables.iter().enumerate() {
        let at = root.key("table").index(i);
        table::check_table(table, &at)?;
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
        layer::complete_layer(layer, &at)?;
    }
    let mut names = BTreeSet::new();
    for (i, set) in project.contacts.iter().enumerate() {
        let at = root.key("contacts").index(i);
        unique(&set.name, &mut names, &at.key("name"))?;
        if relations.contains(&set.name) {
            let message = format!("a table is called {:?} too: rename one", set.name);
            return at.key("name").fault(message);
        }
        contacts::check_contacts(set, &at)?;
    }
    if project.layers.is_empty() && project.contacts.is_empty() {
        return root.fault("nothing to build: add a [[layer]] or [[contacts]]");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
