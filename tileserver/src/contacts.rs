//! Contacts as the staff of their tenant see them: which pass a filter, counted by rank.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use tilecore::Bitmap;
use tilecore::dataset::contacts::ContactSet;
use tilecore::dataset::schema::{self, Kind};
use tilecore::density::areas::Areas;
use tilecore::density::morton::point_of;
use tilecore::density::ranges::cell_ranges;
use tilecore::density::rank::RankedBitmap;
use tilecore::filter::{Filter, Queryable, Queryables};
use tilecore::geometry::GridPoint;
use tilecore::mercator::bounds_in_degrees;

use crate::http::HttpError;
use crate::layer::{LevelRef, WORLD};
use crate::memo::{Fault, Place, Wanted, Weigh};
use crate::pool::Pool;
use crate::snapshot::Snapshot;

/// Contacts over which a filter runs in less than a hop to the pool is worth.
const CONTACTS_HERE: usize = 100_000;

/// Contacts whose units are found in one go.
const CONTACTS_A_TASK: usize = 65_536;

/// A contact set of a snapshot.
#[derive(Debug)]
pub struct Contacts {
    pub meta: schema::ContactSet,
    pub set: Arc<ContactSet>,
    pub queryables: Queryables,
    /// What every request is narrowed by.
    territory: Filter,
}

/// The contacts that pass a filter.
#[derive(Debug)]
pub struct Passing {
    ranked: RankedBitmap,
    ranges: OnceLock<Option<Vec<[u32; 2]>>>,
}

/// A filter over a contact set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PassingKey {
    set: Box<str>,
    canonical: Box<str>,
}

impl Contacts {
    /// Those of `set` in a territory: `None` where its filter cannot be asked of them.
    #[must_use]
    pub fn within(
        meta: &schema::ContactSet,
        set: &Arc<ContactSet>,
        territory: Option<&str>,
    ) -> Option<Self> {
        let mut meta = meta.clone();
        let territory = match territory {
            None => Filter::everything(),
            Some(text) => {
                let territory = Filter::parse_text(text, &queryables(&meta)).ok()?;
                narrow(&mut meta, set, &set.passing(&territory).ok()?);
                territory
            }
        };
        Some(Self {
            queryables: queryables(&meta),
            meta,
            set: Arc::clone(set),
            territory,
        })
    }
}

/// What filters over a set may name.
fn queryables(meta: &schema::ContactSet) -> Queryables {
    let properties = meta.dimensions.iter().map(|dimension| Queryable {
        values: Some(dimension.classes.clone()),
        ..Queryable::new(&dimension.name, Kind::Text)
    });
    Queryables::new(properties.collect(), false)
}

/// Makes a set's description speak of `passing` alone.
fn narrow(meta: &mut schema::ContactSet, set: &ContactSet, passing: &RankedBitmap) {
    meta.contacts = u64::from(passing.total());
    // Of the whole file: not theirs to know.
    meta.left_out.clear();
    let places = passing.bitmap().iter().map(|contact| {
        let GridPoint { x, y } = point_of(set.keys()[contact]);
        [x, y, x, y]
    });
    meta.bounds = bounds_in_degrees(places).unwrap_or(WORLD);
    for (told, dimension) in meta.dimensions.iter_mut().zip(set.dimensions()) {
        let codes = dimension.codes_among(passing.bitmap());
        // A class's code is its number from 1.
        let classes = dimension.classes.iter().zip(1..);
        let there = classes.filter(|(_, code)| codes >> code & 1 == 1);
        told.classes = there.map(|(class, _)| class.to_string()).collect();
    }
}

impl Passing {
    #[must_use]
    pub fn ranked(&self) -> &RankedBitmap {
        &self.ranked
    }

    /// Fewest and most in a cell, by tile zoom; `None` when nobody passes.
    #[must_use]
    pub fn ranges(&self, set: &ContactSet) -> Option<&[[u32; 2]]> {
        let scan = || {
            cell_ranges(
                self.ranked
                    .bitmap()
                    .iter()
                    .map(|contact| set.keys()[contact]),
            )
        };
        self.ranges.get_or_init(scan).as_deref()
    }
}

/// The units of a level that a set's contacts lie in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AreasKey {
    set: Box<str>,
    /// By name: scopes number layers each in their own way.
    layer: Box<str>,
    level: usize,
}

impl Weigh for AreasKey {
    fn heap_bytes(&self) -> usize {
        self.set.len() + self.layer.len()
    }
}

impl Weigh for Areas {
    fn heap_bytes(&self) -> usize {
        Self::heap_bytes(self)
    }
}

impl Weigh for Passing {
    fn heap_bytes(&self) -> usize {
        self.ranked.heap_bytes() + 200
    }
}

impl Weigh for PassingKey {
    fn heap_bytes(&self) -> usize {
        self.set.len() + self.canonical.len()
    }
}

impl Snapshot {
    /// The contacts of a name.
    #[must_use]
    pub fn contacts_of(&self, name: &str) -> Option<&Arc<Contacts>> {
        self.contacts.get(name)
    }

    /// The unit of a level that each contact of a set lies in: found once a version.
    pub async fn areas(
        self: &Arc<Self>,
        pool: &Pool,
        contacts: &Contacts,
        level: LevelRef<'_>,
    ) -> Result<Arc<Areas>, HttpError> {
        let key = AreasKey {
            set: contacts.meta.name.as_str().into(),
            layer: level.layer.meta.name.as_str().into(),
            level: level.number,
        };
        if let Some(areas) = self.areas.get(&key) {
            return Ok(areas);
        }
        let (snapshot, set) = (Arc::clone(self), Arc::clone(&contacts.set));
        let (layer, number) = (level.layer.number, level.number);
        let find = move |wanted: &Wanted| {
            let level = snapshot.layer_at(layer).level_at(number);
            let find = |keys: &[u64]| {
                if wanted.is_over() {
                    return Err(Fault::Abandoned);
                }
                let found = Areas::of(&level.data.level, keys);
                found.map_err(|error| Fault::Broken(error.to_string()))
            };
            let parts = set.keys().par_chunks(CONTACTS_A_TASK).map(find);
            let parts: Vec<Areas> = parts.collect::<Result<_, Fault>>()?;
            let mut areas = Areas::default();
            for part in &parts {
                areas.append(part);
            }
            Ok(areas)
        };
        let place = Place::Pool(pool);
        Ok(self.areas.get_or_compute(&key, place, find).await?)
    }

    /// The contacts that pass a filter, among those the caller may see.
    pub async fn passing_contacts(
        &self,
        pool: &Pool,
        contacts: &Arc<Contacts>,
        filter: &Filter,
    ) -> Result<Arc<Passing>, HttpError> {
        let filter = filter.clone().and(contacts.territory.clone());
        let key = PassingKey {
            set: contacts.meta.name.as_str().into(),
            canonical: filter.canonical().into(),
        };
        let place = if contacts.set.keys().len() <= CONTACTS_HERE {
            Place::Here
        } else {
            Place::Pool(pool)
        };
        let held = Arc::clone(contacts);
        let evaluate = move |_: &Wanted| {
            let ranked = if filter.is_everything() {
                RankedBitmap::new(Bitmap::full(held.set.keys().len()))
            } else {
                let passing = held.set.passing(&filter);
                passing.map_err(|error| Fault::Broken(error.to_string()))?
            };
            Ok(Passing {
                ranked,
                ranges: OnceLock::new(),
            })
        };
        Ok(self
            .passing_contacts
            .get_or_compute(&key, place, evaluate)
            .await?)
    }
}
