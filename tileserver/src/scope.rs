//! What each kind of caller sees of a version: a snapshot of its own, in which nothing else is.
//!
//! ```text
//! whole version ─▸ policy (layers, hidden indicators, territory, tenant) ─▸ Snapshot
//! ```
//! A forbidden layer or indicator is not refused but absent, so that it answers like one that was
//! never there; a territory leaves a level only its rows, with the figures of these; contacts are
//! in the snapshots of their tenant's staff and in no other. The caches live in the snapshot, so
//! no caller is ever answered from another's. The version's id carries the scope, and with it do
//! `v` and every `ETag`.
//!
//! The edge puts a request's snapshot around its handler: [`seen`] is all that handlers can reach.

use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Texts};
use tilecore::dataset::schema;
use tilecore::filter::Filter;
use tilecore::mercator::bounds_in_degrees;

use crate::access::Caller;
use crate::contacts::Contacts;
use crate::http::HttpError;
use crate::layer::{LayerRef, LevelRef, WORLD};
use crate::level::LevelData;
use crate::snapshot::{Caches, Snapshot};

/// Scopes kept beside the public's.
const SCOPES_MAX: usize = 8;

/// Who asks, and what they see.
#[derive(Debug, Clone)]
pub struct Seen {
    pub caller: Arc<Caller>,
    pub snapshot: Option<Arc<Snapshot>>,
}

tokio::task_local! {
    static SEEN: Seen;
}

/// Runs a handler for whom `seen` is all there is.
pub async fn within<T>(seen: Seen, handler: impl Future<Output = T>) -> T {
    SEEN.scope(seen, handler).await
}

/// What the request under way may see.
///
/// # Errors
/// `NotReady` before the first version is open, and outside of a request.
pub fn seen() -> Result<Arc<Snapshot>, HttpError> {
    SEEN.try_with(|seen| seen.snapshot.clone())
        .ok()
        .flatten()
        .ok_or(HttpError::NotReady)
}

/// Who sent the request under way; the public outside of one.
#[must_use]
pub fn caller() -> Arc<Caller> {
    SEEN.try_with(|seen| Arc::clone(&seen.caller))
        .unwrap_or_default()
}

/// An address for the client to ask next: `base`, `path` and what the path is asked with. It holds
/// the signed link that the request under way came by, where that leads there too.
#[must_use]
pub fn address(base: &str, path: &str) -> String {
    let bare = path.split('?').next().unwrap_or_default();
    let caller = caller();
    match caller.link.as_ref().and_then(|link| link.sig_for(bare)) {
        Some(sig) => {
            let sign = if path.contains('?') { '&' } else { '?' };
            format!("{base}{path}{sign}sig={sig}")
        }
        None => format!("{base}{path}"),
    }
}

/// A version, and the snapshots of it that callers see.
#[derive(Debug)]
pub struct Scopes {
    whole: Snapshot,
    caches: Caches,
    // Held for a lookup or an insertion.
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    public: Option<(String, Arc<Snapshot>)>,
    others: LruCache<String, Arc<Snapshot>>,
}

impl Scopes {
    #[must_use]
    pub fn new(whole: Snapshot, caches: Caches) -> Self {
        Self {
            whole,
            caches,
            kept: Mutex::new(Kept {
                public: None,
                others: LruCache::unbounded(),
            }),
        }
    }

    /// The id of the version, whatever the scope.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.whole.manifest.version
    }

    /// The snapshot of a caller, if it is there already.
    #[must_use]
    pub fn kept_for(&self, caller: &Caller) -> Option<Arc<Snapshot>> {
        let scope = caller.scope();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &kept.public {
            Some((public, snapshot)) if *public == scope => Some(Arc::clone(snapshot)),
            _ => kept.others.get(&scope).map(Arc::clone),
        }
    }

    /// The snapshot of a caller, made now.
    #[must_use]
    pub fn make_for(&self, caller: &Caller) -> Arc<Snapshot> {
        let scope = caller.scope();
        let snapshot = Arc::new(self.narrowed(caller, &scope));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if caller.tenant.is_none() {
            kept.public = Some((scope, Arc::clone(&snapshot)));
        } else {
            kept.others.put(scope, Arc::clone(&snapshot));
            while kept.others.len() > SCOPES_MAX {
                kept.others.pop_lru();
            }
        }
        snapshot
    }

    /// The snapshot of a caller.
    #[must_use]
    pub fn for_caller(&self, caller: &Caller) -> Arc<Snapshot> {
        self.kept_for(caller)
            .unwrap_or_else(|| self.make_for(caller))
    }

    /// All snapshots kept.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Snapshot>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let public = kept.public.iter().map(|(_, snapshot)| snapshot);
        let others = kept.others.iter().map(|(_, snapshot)| snapshot);
        public.chain(others).map(Arc::clone).collect()
    }

    fn narrowed(&self, caller: &Caller, scope: &str) -> Snapshot {
        let mut manifest = self.whole.manifest.clone();
        if *caller != Caller::public_of_everything() {
            let hash = blake3::hash(scope.as_bytes()).to_hex();
            manifest.version = format!("{}.{}", manifest.version, &hash.as_str()[..16]);
        }
        let (mut layers, mut levels) = (Vec::new(), Vec::new());
        for layer in self.whole.layers() {
            if !caller.layers.contain(&layer.meta.name) {
                continue;
            }
            let mut meta = layer.meta.clone();
            for indicator in &mut meta.indicators {
                indicator.hidden |= caller.hidden.contains(&indicator.name);
            }
            meta.default_properties
                .retain(|name| !caller.hidden.contains(name));
            // What is weighed by a figure tells it.
            meta.weights.retain(|weight| {
                let mut parts = weight.components.iter();
                !parts.any(|part| caller.hidden.contains(&part.column))
            });
            let territory = caller.filter.as_deref();
            // A matrix is of the whole layer, and its rows tell the cells that are left out.
            meta.transfers.retain(|transfers| {
                territory.is_none()
                    && !transfers
                        .columns()
                        .any(|name| caller.hidden.contains(&name))
            });
            let permitted: Vec<_> = match territory {
                Some(text) => within_territory(text, layer)
                    .into_iter()
                    .map(Some)
                    .collect(),
                None => layer.levels().map(|_| None).collect(),
            };
            for ((level, rows), of) in meta.levels.iter_mut().zip(&permitted).zip(layer.levels()) {
                if let Some(rows) = rows {
                    narrow(level, rows, of);
                }
            }
            let opened = layer.levels().zip(permitted).map(|(level, rows)| {
                let shared = Arc::clone(&level.data.level);
                LevelData::new(&meta, &meta.levels[level.number], shared, rows)
            });
            levels.push(opened.collect());
            layers.push(meta);
        }
        manifest.layers = layers;
        // A set answers to its own name among the layers of a policy.
        let inside = |set: &schema::ContactSet| {
            caller.is_inside(&set.tenant) && caller.layers.contain(&set.name)
        };
        let whole = self.whole.contacts.values();
        let contacts = whole.filter(|contacts| inside(&contacts.meta));
        let contacts = contacts.filter_map(|contacts| {
            Contacts::within(&contacts.meta, &contacts.set, caller.filter.as_deref())
        });
        let contacts = contacts.map(|contacts| (contacts.meta.name.clone(), Arc::new(contacts)));
        let contacts = contacts.collect();
        // Nothing but what is in the snapshot itself says what there is.
        manifest.contacts = Vec::new();
        manifest.releases = Vec::new();
        let releases = self.whole.releases.iter();
        let releases = releases.filter(|(name, _)| caller.layers.contain(name));
        let releases = releases.map(|(name, published)| (name.clone(), Arc::clone(published)));
        let releases = releases.collect();
        let share = if caller.tenant.is_none() {
            2
        } else {
            2 * SCOPES_MAX
        };
        let caches = Caches {
            bytes: if self.caches.shared {
                self.caches.bytes / share
            } else {
                self.caches.bytes
            },
            ..self.caches.clone()
        };
        let mut snapshot = Snapshot::of(manifest, levels, contacts, releases, &caches);
        // They follow from places and borders alone, and are reached through a set that is seen.
        snapshot.areas = Arc::clone(&self.whole.areas);
        snapshot
    }
}

/// By level, the rows that a territory leaves: those for which its filter is true, and that hold no
/// finer one for which it is not. A coarser unit less its parts that are seen would tell of the others.
fn within_territory(text: &str, layer: LayerRef<'_>) -> Vec<Arc<Bitmap>> {
    let mut permitted: Vec<Arc<Bitmap>> = Vec::new();
    let mut hidden: Option<Bitmap> = None;
    for level in layer.levels() {
        let mut rows = rows_within(text, level);
        if let Some(finer) = hidden.take() {
            let mut whole = level.carried_from(level.number - 1, &finer);
            whole.complement();
            rows.intersect(&whole);
        }
        let mut outside = rows.clone();
        outside.complement();
        hidden = Some(outside);
        permitted.push(Arc::new(rows));
    }
    permitted
}

/// The rows of a level for which a territory's filter is true: none where it cannot be asked.
fn rows_within(text: &str, level: LevelRef<'_>) -> Bitmap {
    let filter = Filter::parse_text(text, level.data.queryables()).ok();
    filter
        .and_then(|filter| filter.compile(level.data).ok()?.evaluate().into())
        .unwrap_or_else(|| Bitmap::empty(level.data.level.rows()))
}

/// Makes a level's description speak of `rows` alone.
fn narrow(meta: &mut schema::Level, rows: &Bitmap, level: LevelRef<'_>) {
    let data = &level.data.level;
    meta.rows = rows.count() as u64;
    let bounds = rows.iter().map(|row| data.bounds_of(row));
    meta.bounds = bounds_in_degrees(bounds).unwrap_or(WORLD);
    for stats in &mut meta.columns {
        let (count, distinct, range) = match data.column(&stats.name) {
            Some(Column::Number(numbers)) => {
                let values = rows.iter().filter_map(|row| numbers.get(row));
                let mut values: Vec<f64> = values.collect();
                values.sort_unstable_by(f64::total_cmp);
                let (count, range) = (
                    values.len(),
                    values.first().copied().zip(values.last().copied()),
                );
                values.dedup();
                (count, values.len(), range)
            }
            Some(Column::Text(texts)) => {
                let codes = rows
                    .iter()
                    .filter_map(|row| texts.codes().get(row).copied());
                let mut codes: Vec<u32> = codes.filter(|code| *code != Texts::MISSING).collect();
                let count = codes.len();
                codes.sort_unstable();
                codes.dedup();
                (count, codes.len(), None)
            }
            None => (0, 0, None),
        };
        stats.count = count as u64;
        stats.missing = meta.rows.saturating_sub(stats.count);
        stats.distinct = distinct as u64;
        stats.min = range.map(|(min, _)| min);
        stats.max = range.map(|(_, max)| max);
    }
}
