//! `manifest.json`: what a version holds. The first file a reader opens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bumped whenever an older reader would misread a dataset.
pub const FORMAT_VERSION: u32 = 1;

/// Columns that every level has, before its indicators.
pub const COLUMN_KEY: &str = "key";
pub const COLUMN_NAME: &str = "name";
pub const COLUMN_ID: &str = "id";
pub const COLUMN_PARENT: &str = "parent";

/// The `.arrow` column of [`super::write::LevelRows::repair_zooms`].
pub const COLUMN_REPAIR_ZOOMS: &str = "repair_zooms";

/// Names no indicator may take: columns of the file and properties the server adds to tiles.
pub const RESERVED: &[&str] = &[
    COLUMN_KEY,
    COLUMN_NAME,
    COLUMN_ID,
    COLUMN_PARENT,
    COLUMN_REPAIR_ZOOMS,
    "geometry",
    "score",
    "rank",
    "class",
    "matched",
    "matched_share",
    "contacts",
    "contacts_per_1000",
];

/// Text by language code (`fr`, `en`); `""` is text that was given without a language.
pub type Localized = BTreeMap<String, String>;

/// One immutable version of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format: u32,
    /// The version id: a hash of everything else here, so equal content has an equal id.
    pub version: String,
    /// `dataset.name` of the project file.
    pub name: String,
    pub title: Localized,
    /// Plain text.
    pub attribution: String,
    pub layers: Vec<Layer>,
    /// Inside tier only: nothing of them is served to the public.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactSet>,
    /// What the public sees of contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Release>,
    /// By path inside the version's directory, `manifest.json` left out.
    pub files: BTreeMap<String, FileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub bytes: u64,
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
}

/// A stack of levels, one of which is shown at each zoom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub name: String,
    pub title: Localized,
    /// What a tile carries when the caller names no property.
    pub default_properties: Vec<String>,
    /// Finest first; their zooms neither overlap nor leave a zoom out.
    pub levels: Vec<Level>,
    pub indicators: Vec<Indicator>,
    /// What a unit weighs, by each indicator block that says so, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Recompute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<super::transfers::LayerTransfers>,
}

/// One level of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    pub name: String,
    /// What readers call its units, as "Districts"; the name where there is none.
    #[serde(default, skip_serializing_if = "Localized::is_empty")]
    pub title: Localized,
    /// First and last zoom at which tiles show it.
    pub zooms: [u8; 2],
    pub rows: u64,
    /// West, south, east, north in degrees; never wraps.
    pub bounds: [f64; 4],
    /// Paths of the two files inside the version's directory.
    pub fgb: String,
    pub arrow: String,
    /// Per indicator that the level has, in column order.
    pub columns: Vec<ColumnStats>,
}

/// What a column holds at one level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnStats {
    pub name: String,
    pub count: u64,
    pub missing: u64,
    /// Distinct values that are not missing.
    pub distinct: u64,
    /// Of numbers; absent for text and for columns without a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A column that the project file defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    pub name: String,
    pub kind: Kind,
    /// `count`, `share`, `per_1000`, `eur`, …; free text, shown beside values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub label: Localized,
    /// What it counts and how.
    #[serde(default, skip_serializing_if = "Localized::is_empty")]
    pub description: Localized,
    /// The SQL that defines it, as written.
    pub sql: String,
    /// The table or subquery it aggregates.
    pub from: String,
    /// The finest level the figure exists on.
    pub level: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vintage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether the figure is an estimate rather than a count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimate: bool,
    /// Set on columns that exist to recompute others under a filter; not shown to users.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// How the figure of a set of rows follows from additive columns; absent where it cannot
    /// (a median).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recompute: Option<Recompute>,
}

/// `formula` over sums of additive columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recompute {
    /// SQL arithmetic in which each aggregate call is replaced by a column in double quotes:
    /// numbers, columns, `+ - * /` (division is real, by zero missing), parentheses, and the
    /// functions `abs`, `coalesce`, `max`, `min`, `nullif` as SQLite defines them.
    pub formula: String,
    /// The columns it names, with how each combines over rows.
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub column: String,
    pub combine: Combine,
}

/// How a component of several rows follows from those of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// Missing only if every row's is.
    Sum,
    Min,
    Max,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Float64; counts are whole numbers in it.
    Number,
    /// UTF-8, dictionary-coded.
    Text,
}

/// Contacts of one organisation, without anything that names a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactSet {
    pub name: String,
    #[serde(default, skip_serializing_if = "Localized::is_empty")]
    pub title: Localized,
    /// The organisation that holds the file.
    pub tenant: String,
    /// Contacts with usable coordinates: those that density counts.
    pub contacts: u64,
    /// Contacts left out, by reason; with `contacts` they add up to the persons in the file.
    pub left_out: BTreeMap<String, u64>,
    pub dimensions: Vec<Dimension>,
    /// West, south, east, north in degrees.
    pub bounds: [f64; 4],
    /// Path of the file inside the version's directory.
    pub arrow: String,
}

/// Noisy counts of a contact set, published once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// That of the contact set.
    pub name: String,
    /// That of the contact set when it was released.
    #[serde(default, skip_serializing_if = "Localized::is_empty")]
    pub title: Localized,
    /// Tells it from the set's other releases.
    pub id: String,
    /// What it cost of the privacy budget, over all cubes.
    pub epsilon: f64,
    pub cells: u64,
    pub cubes: Vec<Cube>,
    /// West, south, east, north of its cells in degrees.
    pub bounds: [f64; 4],
    /// Path of the file inside the version's directory.
    pub arrow: String,
}

/// Dimensions whose classes a release crosses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cube {
    pub dimensions: Vec<Dimension>,
}

/// An attribute that contacts can be filtered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    pub name: String,
    /// At most 64, in byte order.
    pub classes: Vec<String>,
}

impl Layer {
    /// The level shown at zoom `z`.
    #[must_use]
    pub fn level_at(&self, z: u8) -> Option<&Level> {
        self.levels
            .iter()
            .find(|level| (level.zooms[0]..=level.zooms[1]).contains(&z))
    }
}

/// The text in `lang`, else in English, French, any: `None` only when there is none at all.
#[must_use]
pub fn text_in<'a>(text: &'a Localized, lang: &str) -> Option<&'a str> {
    [lang, "", "en", "fr"]
        .iter()
        .find_map(|code| text.get(*code))
        .or_else(|| text.values().next())
        .map(String::as_str)
}
