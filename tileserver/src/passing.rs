//! Which rows of a level pass: found for all of them once and kept, or for the few of one tile.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tilecore::Bitmap;
use tilecore::filter::Filter;

use crate::analysis::Results;
use crate::http::HttpError;
use crate::layer::{LayerRef, LevelRef};
use crate::memo::{Fault, Place, Wanted, Weigh};
use crate::pool::Pool;
use crate::question::Question;
use crate::snapshot::Snapshot;

/// The rows of a level that a filter over it, or over another one, leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FilterKey {
    layer: usize,
    level: usize,
    /// The level that the filter speaks of.
    of: usize,
    canonical: Box<str>,
}

impl FilterKey {
    /// Of a filter over the level itself.
    fn of(level: LevelRef<'_>, canonical: &str) -> Self {
        Self {
            layer: level.layer.number,
            level: level.number,
            of: level.number,
            canonical: canonical.into(),
        }
    }
}

impl Weigh for FilterKey {
    fn heap_bytes(&self) -> usize {
        self.canonical.len()
    }
}

/// What was spent on filters for tiles' units alone, by filter, in rows: once it comes to what all
/// rows cost, all are evaluated and kept. One that nobody asks again costs a tile's units, and one
/// that is asked for tile after tile twice as much as needed at most.
#[derive(Debug)]
pub struct InPart {
    // Held for one assignment. A filter takes the place of another of the same slot.
    slots: Mutex<Box<[(u64, usize)]>>,
    hasher: RandomState,
}

impl Default for InPart {
    fn default() -> Self {
        Self {
            slots: Mutex::new(vec![(0, 0); Self::SLOTS].into()),
            hasher: RandomState::new(),
        }
    }
}

impl InPart {
    const SLOTS: usize = 1024;

    /// Spends `rows` on a filter, of which `most` may be spent; false when that is spent.
    fn spend(&self, key: &FilterKey, rows: usize, most: usize) -> bool {
        let hash = self.hasher.hash_one(key);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let slot = &mut slots[hash as usize % Self::SLOTS];
        if slot.0 != hash {
            *slot = (hash, 0);
        }
        slot.1 += rows;
        slot.1 < most
    }
}

impl Snapshot {
    /// The rows of a level that pass a filter and may be seen; `None` when all do.
    pub async fn rows(
        self: &Arc<Self>,
        pool: &Pool,
        level: LevelRef<'_>,
        filter: &Filter,
    ) -> Result<Option<Arc<Bitmap>>, HttpError> {
        if filter.is_everything() {
            return Ok(level.data.permitted().map(Arc::clone));
        }
        let (layer, number) = (level.layer.number, level.number);
        let key = FilterKey::of(level, filter.canonical());
        let place = if is_short(filter, level.data.level.rows()) {
            Place::Here
        } else {
            Place::Pool(pool)
        };
        let (snapshot, filter) = (Arc::clone(self), filter.clone());
        let evaluate = move |_: &Wanted| {
            let table = snapshot.layer_at(layer).level_at(number).data;
            let program = filter.compile(table);
            let program = program.map_err(|error| Fault::Broken(error.to_string()))?;
            let mut rows = program.evaluate();
            if let Some(permitted) = table.permitted() {
                rows.intersect(permitted);
            }
            Ok(rows)
        };
        Ok(Some(
            self.bitmaps.get_or_compute(&key, place, evaluate).await?,
        ))
    }

    /// The rows of the level that a question speaks of which pass and may be seen; `None` when
    /// all do.
    pub async fn spoken(
        self: &Arc<Self>,
        pool: &Pool,
        layer: LayerRef<'_>,
        question: &Question,
    ) -> Result<Option<Arc<Bitmap>>, HttpError> {
        let level = layer.level_at(question.level);
        let Some(joining) = &question.joining else {
            return self.rows(pool, level, &question.filter).await;
        };
        let columns = Results(vec![joining.columns(pool, self, level).await?]);
        let (layer, number) = (layer.number, level.number);
        let key = FilterKey::of(level, &question.canonical());
        let (snapshot, filter) = (Arc::clone(self), question.filter.clone());
        let evaluate = move |_: &Wanted| {
            let level = snapshot.layer_at(layer).level_at(number);
            let table = columns.over(level);
            let program = filter.compile(&table);
            let program = program.map_err(|error| Fault::Broken(error.to_string()))?;
            let mut rows = program.evaluate();
            if let Some(permitted) = level.data.permitted() {
                rows.intersect(permitted);
            }
            Ok(rows)
        };
        let place = Place::Pool(pool);
        Ok(Some(
            self.bitmaps.get_or_compute(&key, place, evaluate).await?,
        ))
    }

    /// The rows of a level that a question leaves; `None` when it leaves all. Of a filter over a
    /// finer level these are the units with a matching one in them, of one over a coarser level
    /// those whose ancestor matches.
    pub async fn passing(
        self: &Arc<Self>,
        pool: &Pool,
        level: LevelRef<'_>,
        question: &Question,
    ) -> Result<Option<Arc<Bitmap>>, HttpError> {
        let (layer, number, of) = (level.layer.number, level.number, question.level);
        let spoken = self.spoken(pool, level.layer, question);
        let Some(spoken) = spoken.await? else {
            return Ok(None);
        };
        if of == number {
            return Ok(Some(spoken));
        }
        let key = FilterKey {
            layer,
            level: number,
            of,
            canonical: question.canonical().into(),
        };
        let snapshot = Arc::clone(self);
        let carry = move |_: &Wanted| {
            let level = snapshot.layer_at(layer).level_at(number);
            let mut carried = level.carried_from(of, &spoken);
            if let Some(permitted) = level.data.permitted() {
                carried.intersect(permitted);
            }
            Ok(carried)
        };
        let place = Place::Pool(pool);
        Ok(Some(self.bitmaps.get_or_compute(&key, place, carry).await?))
    }

    /// As [`Self::passing`], but right for `units` of the level only.
    pub async fn passing_among(
        self: &Arc<Self>,
        pool: &Pool,
        level: LevelRef<'_>,
        question: &Question,
        units: &[u32],
    ) -> Result<Option<Arc<Bitmap>>, HttpError> {
        match self.evaluated_among(level, question, units) {
            Some(rows) => Ok(Some(rows)),
            None => self.passing(pool, level, question).await,
        }
    }

    /// The rows that pass among `units`, where that costs less than finding all of them.
    fn evaluated_among(
        &self,
        level: LevelRef<'_>,
        question: &Question,
        units: &[u32],
    ) -> Option<Arc<Bitmap>> {
        let (filter, rows) = (&question.filter, level.data.level.rows());
        let is_own = question.level == level.number && question.joining.is_none();
        if !is_own || filter.is_everything() || !filter.is_numeric() {
            return None;
        }
        let key = FilterKey::of(level, filter.canonical());
        if let Some(kept) = self.bitmaps.get(&key) {
            return Some(kept);
        }
        let mut among = Bitmap::empty(rows);
        for &unit in units {
            among.insert(unit as usize);
        }
        // Rows are evaluated 64 at a time; asking of 64 whether there is one costs as much as two.
        let words = among.words().iter().filter(|word| **word != 0).count();
        let cost = 64 * words + rows / 32;
        if cost > ROWS_OF_NUMBERS || !self.in_part.spend(&key, cost, rows) {
            return None;
        }
        let mut passing = filter.compile(level.data).ok()?.evaluate_within(&among);
        if let Some(permitted) = level.data.permitted() {
            passing.intersect(permitted);
        }
        Some(Arc::new(passing))
    }
}

/// Rows of which numbers are evaluated without a hop to the pool: a nanosecond a row and predicate.
const ROWS_OF_NUMBERS: usize = 100_000;

/// Rows of which texts and shapes are: they cost more.
const ROWS_OF_ANYTHING: usize = 2_000;

/// Whether evaluating a filter takes less than a hop to the pool is worth.
fn is_short(filter: &Filter, rows: usize) -> bool {
    rows <= ROWS_OF_ANYTHING || (filter.is_numeric() && rows <= ROWS_OF_NUMBERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_again_is_bought() {
        let in_part = InPart::default();
        let key = |canonical: &str| FilterKey {
            layer: 0,
            level: 0,
            of: 0,
            canonical: canonical.into(),
        };
        let spent = |name: &str| (1..=100).find(|_| !in_part.spend(&key(name), 30, 100));
        assert_eq!(spent("a > 1"), Some(4));
        assert_eq!(spent("a > 2"), Some(4));
        assert!((0..5_000).all(|i| in_part.spend(&key(&format!("a > {i}.5")), 30, 100)));
    }
}
