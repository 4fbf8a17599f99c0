//! One version of the dataset, open, with all that is computed from it.
//!
//! The caches live here, so nothing of one version can answer for another, and all of it goes
//! when the last request that uses the version ends.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use tilecore::Bitmap;
use tilecore::dataset::Level;
use tilecore::dataset::contacts::{ContactSet, ContactsError};
use tilecore::dataset::open::OpenError;
use tilecore::dataset::release::{Release, ReleaseError};
use tilecore::dataset::schema::{self, Manifest};
use tilecore::density::areas::Areas;
use tilecore::filter::Queryables;
use tilecore::template::{Template, TemplateError, TemplateSpec};
use tilecore::tile::{TileCoord, ZOOM_MAX};

use crate::analysis::{Computed, ComputedKey};
use crate::contacts::{AreasKey, Contacts, Passing, PassingKey};
use crate::http::HttpError;
use crate::layer::{LayerRef, LevelRef};
use crate::level::LevelData;
use crate::memo::{self, Fault, Memo, Place, Wanted, Weigh};
use crate::metrics::Metrics;
use crate::passing::{FilterKey, InPart};
use crate::pool::Pool;
use crate::search;

/// What a manifest may not say, or files may not hold.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum SnapshotError {
    #[error("the dataset has neither layers nor contacts")]
    Empty,
    #[error("contacts `{set}`: {source}")]
    Contacts { set: String, source: ContactsError },
    #[error("release of `{set}`: {source}")]
    Release { set: String, source: ReleaseError },
    #[error("layer `{0}` occurs twice, or its name cannot stand in a URL")]
    LayerName(String),
    #[error("layer `{0}` has no levels")]
    NoLevels(String),
    #[error("layer `{layer}`, level `{level}`: bad zooms or bounds in the manifest")]
    Extent { layer: String, level: String },
    #[error("the manifest does not list {0}")]
    NotListed(String),
    #[error(transparent)]
    Level(#[from] OpenError),
}

/// How much memory computed things may take, and who counts them.
#[derive(Debug, Clone)]
pub struct Caches {
    pub bytes: usize,
    /// Whether callers of several kinds share the bytes.
    pub shared: bool,
    pub metrics: Arc<Metrics>,
}

/// See the module.
#[derive(Debug)]
pub struct Snapshot {
    pub manifest: Manifest,
    /// By name; those of the caller's tenant, to its staff.
    pub contacts: BTreeMap<String, Arc<Contacts>>,
    /// By name of their sets; to everybody.
    pub releases: BTreeMap<String, Arc<Published>>,
    pub passing_contacts: Arc<Memo<PassingKey, Passing>>,
    /// Kept whatever they weigh: they are as many as sets times levels, and long to find.
    pub areas: Arc<Memo<AreasKey, Areas>>,
    /// In the order of the manifest's layers.
    levels: Vec<Vec<LevelData>>,
    numbers: FxHashMap<String, usize>,
    pub bitmaps: Arc<Memo<FilterKey, Bitmap>>,
    /// What filters have been evaluated for a tile's units only.
    pub(crate) in_part: InPart,
    pub templates: Arc<Memo<TemplateKey, Template>>,
    pub computed: Arc<Memo<ComputedKey, Computed>>,
    /// Per layer, made when first asked for.
    searches: Vec<OnceLock<search::Index>>,
}

/// What a template is made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateKey {
    layer: usize,
    level: usize,
    tile: TileCoord,
    columns: Box<[usize]>,
}

impl Weigh for TemplateKey {
    fn heap_bytes(&self) -> usize {
        size_of_val(&*self.columns)
    }
}

impl Weigh for Template {
    fn heap_bytes(&self) -> usize {
        Self::heap_bytes(self)
    }
}

impl Weigh for Bitmap {
    fn heap_bytes(&self) -> usize {
        Self::heap_bytes(self)
    }
}

/// A release as it is served.
#[derive(Debug)]
pub struct Published {
    pub meta: schema::Release,
    pub queryables: Queryables,
    pub release: Release,
}

impl Snapshot {
    /// `files` holds the bytes of every file that the manifest lists.
    ///
    /// # Errors
    /// When manifest and files do not fit together.
    pub fn open(
        manifest: Manifest,
        files: &FxHashMap<String, Bytes>,
        caches: &Caches,
    ) -> Result<Self, SnapshotError> {
        if manifest.layers.is_empty()
            && manifest.contacts.is_empty()
            && manifest.releases.is_empty()
        {
            return Err(SnapshotError::Empty);
        }
        let file = |path: &String| {
            let bytes = files.get(path).cloned();
            bytes.ok_or_else(|| SnapshotError::NotListed(path.clone()))
        };
        let mut names = FxHashSet::default();
        let mut levels = Vec::new();
        for layer in &manifest.layers {
            if !is_url_name(&layer.name) || !names.insert(&layer.name) {
                return Err(SnapshotError::LayerName(layer.name.clone()));
            }
            if layer.levels.is_empty() {
                return Err(SnapshotError::NoLevels(layer.name.clone()));
            }
            let mut opened = Vec::new();
            for level in &layer.levels {
                if !has_sound_extent(level) {
                    return Err(SnapshotError::Extent {
                        layer: layer.name.clone(),
                        level: level.name.clone(),
                    });
                }
                let data = Level::open(level, file(&level.fgb)?, file(&level.arrow)?)?;
                opened.push(LevelData::new(layer, level, Arc::new(data), None));
            }
            levels.push(opened);
        }
        let mut contacts = BTreeMap::new();
        for set in &manifest.contacts {
            let opened = ContactSet::open(set, file(&set.arrow)?);
            let opened = opened.map_err(|source| SnapshotError::Contacts {
                set: set.name.clone(),
                source,
            })?;
            if let Some(opened) = Contacts::within(set, &Arc::new(opened), None) {
                contacts.insert(set.name.clone(), Arc::new(opened));
            }
        }
        let mut releases = BTreeMap::new();
        for meta in &manifest.releases {
            let opened = Release::open(meta, file(&meta.arrow)?);
            let release = opened.map_err(|source| SnapshotError::Release {
                set: meta.name.clone(),
                source,
            })?;
            let published = Published {
                meta: meta.clone(),
                queryables: Release::queryables(meta),
                release,
            };
            releases.insert(meta.name.clone(), Arc::new(published));
        }
        Ok(Self::of(manifest, levels, contacts, releases, caches))
    }

    /// Of parts that fit together.
    #[must_use]
    pub fn of(
        manifest: Manifest,
        levels: Vec<Vec<LevelData>>,
        contacts: BTreeMap<String, Arc<Contacts>>,
        releases: BTreeMap<String, Arc<Published>>,
        caches: &Caches,
    ) -> Self {
        // Contacts take their share where there are any.
        let (templates, passing) = if contacts.is_empty() {
            (caches.bytes / 8 * 5, 0)
        } else {
            (caches.bytes / 8 * 3, caches.bytes / 4)
        };
        let passing = passing.max(least_for_passing(&contacts));
        let layers = manifest.layers.iter().enumerate();
        Self {
            numbers: layers.map(|(i, layer)| (layer.name.clone(), i)).collect(),
            searches: levels.iter().map(|_| OnceLock::new()).collect(),
            manifest,
            contacts,
            releases,
            levels,
            bitmaps: Memo::new(caches.bytes / 4, Arc::clone(&caches.metrics.bitmaps)),
            in_part: InPart::default(),
            passing_contacts: Memo::new(passing, Arc::clone(&caches.metrics.bitmaps)),
            areas: Memo::new(usize::MAX, Arc::clone(&caches.metrics.computed)),
            templates: Memo::new(templates, Arc::clone(&caches.metrics.templates)),
            computed: Memo::new(caches.bytes / 8, Arc::clone(&caches.metrics.computed)),
        }
    }

    /// What no filter changes of a tile that shows a level.
    pub async fn template(
        self: &Arc<Self>,
        pool: &Pool,
        level: LevelRef<'_>,
        tile: TileCoord,
        columns: &[usize],
    ) -> Result<Arc<Template>, HttpError> {
        let (layer, number) = (level.layer.number, level.number);
        let key = TemplateKey {
            layer,
            level: number,
            tile,
            columns: columns.into(),
        };
        if let Some(template) = self.templates.get(&key) {
            return Ok(template);
        }
        let place = if is_quickly_built(level, tile) {
            Place::Here
        } else {
            Place::Pool(pool)
        };
        let (snapshot, spec) = (Arc::clone(self), key.clone());
        let build = move |wanted: &Wanted| {
            let level = snapshot.layer_at(layer).level_at(number);
            let spec = TemplateSpec {
                tile,
                layer: &level.layer.meta.name,
                properties: &spec.columns,
                zoom_max: level.layer.zooms()[1],
            };
            let built = Template::build(&level.data.level, &spec, &|| wanted.is_over());
            built.map_err(|error| match error {
                TemplateError::Cancelled => Fault::Abandoned,
                broken => Fault::Broken(broken.to_string()),
            })
        };
        Ok(self.templates.get_or_compute(&key, place, build).await?)
    }

    /// The names and keys of a layer. Panics beyond the last layer.
    #[must_use]
    pub fn search_index(&self, layer: usize) -> &search::Index {
        self.searches[layer].get_or_init(|| search::Index::new(self.layer_at(layer)))
    }

    /// The layer of a name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn layer(&self, name: &str) -> Result<LayerRef<'_>, HttpError> {
        let number = self.numbers.get(name);
        number
            .map(|&number| self.layer_at(number))
            .ok_or_else(|| HttpError::NotFound("no layer of this name: see /catalog".into()))
    }

    /// The layer of a number. Panics beyond the last.
    #[must_use]
    pub fn layer_at(&self, number: usize) -> LayerRef<'_> {
        LayerRef::new(number, &self.manifest.layers[number], &self.levels[number])
    }

    /// All layers, in the order of the manifest.
    pub fn layers(&self) -> impl Iterator<Item = LayerRef<'_>> {
        (0..self.levels.len()).map(|number| self.layer_at(number))
    }
}

/// Bytes in which the contacts that pass a few filters fit, however many there are: tiles of one
/// filter must not each evaluate it. About five bytes a contact.
fn least_for_passing(contacts: &BTreeMap<String, Arc<Contacts>>) -> usize {
    const FILTERS_A_SHARD: usize = 4;
    let most = contacts.values().map(|c| c.set.keys().len()).max();
    // A bit a contact and an eighth of that for counts; keys and rest are small beside.
    let passing = most.unwrap_or(0) / 8 * 9 / 8 + 4096;
    passing * FILTERS_A_SHARD * memo::SHARDS
}

/// Whether building a template takes less than a hop to the pool is worth: a unit costs one to two
/// microseconds, and the first tile of low zooms makes the level's overview.
fn is_quickly_built(level: LevelRef<'_>, tile: TileCoord) -> bool {
    const UNITS: usize = 128;
    const OVERVIEW_ZOOM: u8 = 8;
    const OVERVIEW_UNITS: usize = 2_000;
    if tile.z() <= OVERVIEW_ZOOM && level.data.level.rows() > OVERVIEW_UNITS {
        return false;
    }
    let mut rows = Vec::new();
    level.data.level.rows_in(tile.buffered_bounds(), &mut rows);
    rows.len() <= UNITS
}

/// A name that is one path segment as it stands and does not split a list.
fn is_url_name(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !"/,?#%\\".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(plain)
}

fn has_sound_extent(level: &schema::Level) -> bool {
    let [first, last] = level.zooms;
    let [west, south, east, north] = level.bounds;
    first <= last
        && last <= ZOOM_MAX
        && (-180.0..=180.0).contains(&west)
        && (west..=180.0).contains(&east)
        && (-90.0..=90.0).contains(&south)
        && (south..=90.0).contains(&north)
}
