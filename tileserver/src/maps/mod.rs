//! Published maps: one TOML file each, from which a page, an embed and pictures follow.
//!
//! ```text
//! maps/*.toml ─▸ read ─▸ PublishedMap ─┐
//! dataset ─────▸ snapshot ─────────────┴▸ story: legends, table, style ─▸ page, embed, picture
//! ```

pub mod page;
mod read;
pub mod story;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tilecore::dataset::schema::{Localized, text_in};
use tilecore::filter::{Filter, Queryables};

use crate::access::Caller;
use crate::http::HttpError;
use crate::layer::{LayerRef, LevelRef};
use crate::legend::Look;
use crate::load::load;
use crate::scope::{self, Scopes};
use crate::snapshot::{Caches, Snapshot};

pub use read::MapError;

/// A file longer than this is a mistake.
const BYTES_MAX: u64 = 1 << 20;

/// A value and the line it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub value: String,
    pub line: usize,
}

/// Where a map looks first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Longitude, latitude.
    pub center: [f64; 2],
    pub zoom: f64,
}

/// What a file of `maps/` says.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedMap {
    /// The file's name without `.toml`.
    pub id: String,
    pub file: String,
    pub title: Localized,
    pub text: Localized,
    /// Of the page, when the reader names none.
    pub language: Option<String>,
    pub layer: Placed,
    pub indicator: Placed,
    /// Of the table; the finest by default.
    pub level: Option<Placed>,
    pub look: Look,
    pub filter: Option<Placed>,
    pub view: Option<View>,
    pub sources: Vec<String>,
    pub method: Localized,
    /// Until then the map is as if it were not there.
    pub embargo: Option<SystemTime>,
    /// The dataset version it shows for ever.
    pub version: Option<Placed>,
    /// Who may embed it; everybody when empty.
    pub frame_ancestors: Vec<String>,
}

impl PublishedMap {
    #[must_use]
    pub fn title(&self, lang: &str) -> &str {
        text_in(&self.title, lang).unwrap_or(&self.id)
    }

    fn fault(&self, placed: &Placed, message: String) -> MapError {
        MapError {
            file: self.file.clone(),
            line: placed.line,
            message,
        }
    }

    /// The layer of a snapshot that the map shows.
    pub fn layer_of<'a>(&self, snapshot: &'a Snapshot) -> Result<LayerRef<'a>, MapError> {
        let name = &self.layer.value;
        let layer = snapshot
            .layer(name)
            .map_err(|_| self.fault(&self.layer, format!("the dataset has no layer `{name}`")))?;
        let indicator = &self.indicator.value;
        if !layer.indicators().any(|i| i.name == *indicator) {
            let message = format!("layer `{name}` has no indicator `{indicator}`");
            return Err(self.fault(&self.indicator, message));
        }
        Ok(layer)
    }

    /// The level of the table.
    pub fn level_of<'a>(&self, layer: LayerRef<'a>) -> Result<LevelRef<'a>, MapError> {
        let Some(placed) = &self.level else {
            return Ok(layer.level_at(0));
        };
        let found = layer.levels().find(|level| level.meta.name == placed.value);
        found.ok_or_else(|| {
            let message = format!("the layer has no level `{}`", placed.value);
            self.fault(placed, message)
        })
    }

    /// The filter over what a level has.
    pub fn filter_over(&self, queryables: &Queryables) -> Result<Filter, MapError> {
        let Some(placed) = &self.filter else {
            return Ok(Filter::everything());
        };
        Filter::parse_text(&placed.value, queryables).map_err(|error| {
            let message = format!("filter: at {}: {}", error.position, error.cause);
            self.fault(placed, message)
        })
    }

    /// Whether the dataset has what the map names.
    fn check(&self, snapshot: &Snapshot) -> Result<(), MapError> {
        let level = self.level_of(self.layer_of(snapshot)?)?;
        self.filter_over(level.data.queryables()).map(|_| ())
    }
}

/// The maps of a directory, read again when a file changes.
#[derive(Debug)]
pub struct Maps {
    directory: PathBuf,
    dataset: PathBuf,
    caches: Caches,
    held: ArcSwap<BTreeMap<String, Arc<PublishedMap>>>,
    /// Versions that maps are frozen at.
    frozen: ArcSwap<BTreeMap<String, Arc<Scopes>>>,
    // Held by the one thread that looks.
    seen: Mutex<Seen>,
}

/// What the last look saw.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    files: Vec<(String, Option<SystemTime>, u64)>,
    version: Option<String>,
}

impl Maps {
    /// Of the directory given, or else of `maps` in the dataset's directory or beside it.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, dataset: &Path, caches: &Caches) -> Self {
        let directory = directory.unwrap_or_else(|| {
            let inside = dataset.join("maps");
            if inside.is_dir() {
                return inside;
            }
            let beside = dataset.canonicalize().ok();
            let beside = beside.as_deref().and_then(Path::parent);
            beside.unwrap_or(Path::new("")).join("maps")
        });
        Self {
            directory,
            dataset: dataset.to_owned(),
            caches: Caches {
                bytes: caches.bytes / 8,
                ..caches.clone()
            },
            held: ArcSwap::default(),
            frozen: ArcSwap::default(),
            seen: Mutex::default(),
        }
    }

    /// Reads what changed since the last look; what is wrong goes to the log, and the map stays as
    /// it was.
    pub fn look(&self, current: Option<&Scopes>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Seen {
            files: self.files(),
            version: current.map(|scopes| scopes.version().to_owned()),
        };
        if *seen == now {
            return;
        }
        let before = self.held.load();
        let mut maps = BTreeMap::new();
        for (name, _, bytes) in &now.files {
            let id = name.trim_end_matches(".toml");
            match self.read(id, name, *bytes) {
                Ok(map) => {
                    maps.insert(id.to_owned(), Arc::new(map));
                }
                Err(error) => {
                    tracing::error!(%error, "map refused");
                    if let Some(old) = before.get(id) {
                        maps.insert(id.to_owned(), Arc::clone(old));
                    }
                }
            }
        }
        self.thaw(&maps, now.version.as_deref());
        for map in maps.values() {
            let frozen = self.frozen.load();
            let shown = match &map.version {
                Some(version) => frozen.get(&version.value).map(AsRef::as_ref).or(current),
                None => current,
            };
            let public = shown.map(|scopes| scopes.for_caller(&Caller::public_of_everything()));
            if let Some(Err(error)) = public.map(|snapshot| map.check(&snapshot)) {
                tracing::error!(%error, "map without its data");
            }
        }
        self.held.store(Arc::new(maps));
        *seen = now;
    }

    /// Opens the versions that maps are frozen at, and lets go of the others.
    fn thaw(&self, maps: &BTreeMap<String, Arc<PublishedMap>>, current: Option<&str>) {
        let before = self.frozen.load();
        let mut frozen = BTreeMap::new();
        for map in maps.values() {
            let Some(version) = &map.version else {
                continue;
            };
            let name = version.value.as_str();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if current == Some(name) || frozen.contains_key(name) {
                continue;
            }
            if let Some(held) = before.get(name) {
                frozen.insert(name.to_owned(), Arc::clone(held));
            } else if name.is_empty() || !name.bytes().all(plain) {
                let error = map.fault(version, format!("`{name}` is no version"));
                tracing::error!(%error, "map refused");
            } else {
                match load(&self.dataset, name, &self.caches) {
                    Ok(snapshot) => {
                        let scopes = Scopes::new(snapshot, self.caches.clone());
                        frozen.insert(name.to_owned(), Arc::new(scopes));
                    }
                    Err(cause) => {
                        let error = map.fault(version, cause.to_string());
                        tracing::error!(%error, "map without its version");
                    }
                }
            }
        }
        self.frozen.store(Arc::new(frozen));
    }

    /// Name, time and length of each file, by name.
    fn files(&self) -> Vec<(String, Option<SystemTime>, u64)> {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return Vec::new();
        };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_id = |id: &str| {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                !id.is_empty() && id.bytes().all(plain)
            };
            if name.strip_suffix(".toml").is_some_and(is_id)
                && let Ok(meta) = fs::metadata(entry.path())
                && meta.is_file()
            {
                files.push((name, meta.modified().ok(), meta.len()));
            }
        }
        files.sort();
        files
    }

    fn read(&self, id: &str, name: &str, bytes: u64) -> Result<PublishedMap, MapError> {
        let path = self.directory.join(name);
        let file = path.display().to_string();
        let fault = |message: String| MapError {
            file: file.clone(),
            line: 1,
            message,
        };
        if bytes > BYTES_MAX {
            return Err(fault(format!("{bytes} bytes are no map")));
        }
        let text = fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        PublishedMap::parse(id, &file, &text)
    }

    /// A map that may be shown now.
    ///
    /// # Errors
    /// `NotFound`, alike for a map under embargo and for none.
    pub fn get(&self, id: &str, now: SystemTime) -> Result<Arc<PublishedMap>, HttpError> {
        let held = self.held.load();
        held.get(id)
            .filter(|map| map.embargo.is_none_or(|end| end <= now))
            .cloned()
            .ok_or_else(no_map)
    }

    /// The maps that may be shown now.
    #[must_use]
    pub fn published(&self, now: SystemTime) -> Vec<Arc<PublishedMap>> {
        let held = self.held.load();
        let shown = held.values();
        shown
            .filter(|map| map.embargo.is_none_or(|end| end <= now))
            .cloned()
            .collect()
    }

    /// What a map is drawn from: of its version what the caller may see.
    ///
    /// # Errors
    /// `NotFound` as for no map, when its version is gone or the caller may not see what it shows.
    pub fn snapshot_of(
        &self,
        map: &PublishedMap,
        current: Arc<Snapshot>,
    ) -> Result<Arc<Snapshot>, HttpError> {
        let snapshot = match &map.version {
            None => current,
            // A caller's scope follows the version's id after a dot.
            Some(version) if current.manifest.version.split('.').next() == Some(&version.value) => {
                current
            }
            Some(version) => {
                let frozen = self.frozen.load();
                let scopes = frozen.get(&version.value).ok_or_else(no_map)?;
                scopes.for_caller(&scope::caller())
            }
        };
        map.check(&snapshot).map_err(|_| no_map())?;
        Ok(snapshot)
    }
}

/// One answer for none, for one under embargo, and for one that is not the caller's to see; of what
/// is wrong with a file the log has told when it was read.
pub(crate) fn no_map() -> HttpError {
    HttpError::NotFound("no map of this name is published".into())
}
