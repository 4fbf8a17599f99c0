//! A cache bounded in bytes whose misses are computed once, however many ask.
//!
//! ```text
//! get_or_compute ─ kept? ──────────────▸ value
//!                └ under way? ─ wait ──▸ value
//!                └ else compute: here when short, on the pool when long
//! ```
//! A computation belongs to none of those who wait for it: the first may leave and the others are
//! still answered; when all have left before it starts, it is dropped.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use lru::LruCache;
use tokio::sync::watch;

use crate::http::HttpError;
use crate::metrics::Lookups;
use crate::pool::Pool;

pub const SHARDS: usize = 8;

/// What an entry costs beside its key and value: two hash tables and a list, half empty.
const ENTRY_OVERHEAD: usize = 160;

/// The bytes a key or value holds on the heap.
pub trait Weigh {
    fn heap_bytes(&self) -> usize;
}

/// Where a miss is computed.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// On the calling thread: a hop to the pool would cost more than the work.
    Here,
    Pool(&'a Pool),
}

impl From<Failure> for HttpError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy => Self::Busy,
            Failure::Failed => Self::Internal,
        }
    }
}

/// Why a computation gave nothing.
#[derive(Debug)]
pub enum Fault {
    /// It saw that nobody waits any more.
    Abandoned,
    /// Our own fault; the cause goes to the log.
    Broken(String),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The pool is full.
    Busy,
    /// The computation failed or panicked; the log says why.
    Failed,
}

type Outcome<V> = Result<Arc<V>, Failure>;

/// See the module.
#[derive(Debug)]
pub struct Memo<K: Hash + Eq, V> {
    // Held for a lookup or an insertion, never across an await.
    shards: [Mutex<Shard<K, V>>; SHARDS],
    shard_budget: usize,
    hasher: RandomState,
    lookups: Arc<Lookups>,
}

#[derive(Debug)]
struct Shard<K: Hash + Eq, V> {
    kept: LruCache<K, Arc<V>>,
    bytes: usize,
    flights: HashMap<K, Flight<V>>,
}

/// A computation under way.
#[derive(Debug)]
struct Flight<V> {
    outcome: watch::Receiver<Option<Outcome<V>>>,
    waiters: Weak<()>,
}

/// The side that computes.
struct Leader<K: Hash + Eq, V> {
    memo: Arc<Memo<K, V>>,
    key: K,
    outcome: watch::Sender<Option<Outcome<V>>>,
    waiters: Weak<()>,
}

/// Whether anybody still waits for a computation.
#[derive(Debug)]
pub struct Wanted(Weak<()>);

impl Wanted {
    /// Once true, it stays so: who asks again starts a new computation.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// Keeps a computation wanted for as long as it lives.
struct Waiter<V> {
    outcome: watch::Receiver<Option<Outcome<V>>>,
    _wanted: Arc<()>,
}

enum Found<K: Hash + Eq, V> {
    Kept(Arc<V>),
    UnderWay(Waiter<V>),
    Absent(Leader<K, V>, Waiter<V>),
}

impl<K, V> Memo<K, V>
where
    K: Hash + Eq + Clone + Weigh + Send + Sync + 'static,
    V: Weigh + Send + Sync + 'static,
{
    /// Holds at most `budget` bytes, all told.
    #[must_use]
    pub fn new(budget: usize, lookups: Arc<Lookups>) -> Arc<Self> {
        Arc::new(Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    kept: LruCache::unbounded(),
                    bytes: 0,
                    flights: HashMap::new(),
                })
            }),
            shard_budget: budget / SHARDS,
            hasher: RandomState::new(),
            lookups,
        })
    }

    /// The value of `key`, from `compute` unless it is kept or under way.
    ///
    /// # Errors
    /// [`Failure`], the same for all who wait for one computation.
    pub async fn get_or_compute<F>(
        self: &Arc<Self>,
        key: &K,
        place: Place<'_>,
        compute: F,
    ) -> Outcome<V>
    where
        F: Fn(&Wanted) -> Result<V, Fault> + Send + 'static,
    {
        let waiter = match self.find(key) {
            Found::Kept(value) => {
                self.lookups.hits.fetch_add(1, Relaxed);
                return Ok(value);
            }
            Found::UnderWay(waiter) => waiter,
            Found::Absent(leader, waiter) => {
                match place {
                    Place::Here => leader.lead(&compute),
                    Place::Pool(pool) => leader.lead_on(pool, compute),
                }
                waiter
            }
        };
        self.lookups.misses.fetch_add(1, Relaxed);
        waiter.wait().await
    }

    /// The value of `key`, if it is kept.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let value = lock(self.shard(key)).kept.get(key).map(Arc::clone);
        if value.is_some() {
            self.lookups.hits.fetch_add(1, Relaxed);
        }
        value
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).bytes).sum()
    }

    /// Values held.
    pub fn entries(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).kept.len()).sum()
    }

    fn find(self: &Arc<Self>, key: &K) -> Found<K, V> {
        let mut shard = lock(self.shard(key));
        if let Some(value) = shard.kept.get(key) {
            return Found::Kept(Arc::clone(value));
        }
        if let Some(flight) = shard.flights.get(key)
            && let Some(wanted) = flight.waiters.upgrade()
        {
            return Found::UnderWay(Waiter {
                outcome: flight.outcome.clone(),
                _wanted: wanted,
            });
        }
        let (sender, receiver) = watch::channel(None);
        let wanted = Arc::new(());
        let waiters = Arc::downgrade(&wanted);
        let flight = Flight {
            outcome: receiver.clone(),
            waiters: Weak::clone(&waiters),
        };
        shard.flights.insert(key.clone(), flight);
        Found::Absent(
            Leader {
                memo: Arc::clone(self),
                key: key.clone(),
                outcome: sender,
                waiters,
            },
            Waiter {
                outcome: receiver,
                _wanted: wanted,
            },
        )
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K, V>> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash do")]
        let hash = self.hasher.hash_one(key) as usize;
        &self.shards[hash % SHARDS]
    }
}

impl<K, V> Leader<K, V>
where
    K: Hash + Eq + Clone + Weigh + Send + Sync + 'static,
    V: Weigh + Send + Sync + 'static,
{
    fn lead_on(self, pool: &Pool, compute: impl Fn(&Wanted) -> Result<V, Fault> + Send + 'static) {
        let slot = Arc::new(Mutex::new(Some(self)));
        let job_slot = Arc::clone(&slot);
        let job = move || {
            if let Some(leader) = lock(&job_slot).take() {
                leader.lead_if_wanted(&compute);
            }
        };
        if pool.spawn(job).is_err()
            && let Some(leader) = lock(&slot).take()
        {
            leader.finish(Err(Failure::Busy));
        }
    }

    fn lead_if_wanted(self, compute: &impl Fn(&Wanted) -> Result<V, Fault>) {
        let mut shard = lock(self.memo.shard(&self.key));
        if self.waiters.strong_count() == 0 {
            self.leave(&mut shard);
            return;
        }
        drop(shard);
        self.lead(compute);
    }

    /// A panic is a bug, but one that may not repeat: it gets a second try.
    fn lead(self, compute: &impl Fn(&Wanted) -> Result<V, Fault>) {
        let wanted = Wanted(Weak::clone(&self.waiters));
        let attempt = || {
            self.memo.lookups.computed.fetch_add(1, Relaxed);
            catch_unwind(AssertUnwindSafe(|| compute(&wanted)))
        };
        let outcome = match attempt().or_else(|_| attempt()) {
            Ok(Ok(value)) => Ok(Arc::new(value)),
            Ok(Err(Fault::Broken(cause))) => {
                tracing::error!(cause, "computation failed");
                Err(Failure::Failed)
            }
            Ok(Err(Fault::Abandoned)) | Err(_) => Err(Failure::Failed),
        };
        self.finish(outcome);
    }

    fn finish(self, outcome: Outcome<V>) {
        let mut shard = lock(self.memo.shard(&self.key));
        self.leave(&mut shard);
        if let Ok(value) = &outcome {
            shard.keep(self.key, Arc::clone(value), self.memo.shard_budget);
        }
        drop(shard);
        self.outcome.send_replace(Some(outcome));
    }

    /// Takes the flight down, unless another has taken its place.
    fn leave(&self, shard: &mut Shard<K, V>) {
        if let Some(flight) = shard.flights.get(&self.key)
            && flight.waiters.ptr_eq(&self.waiters)
        {
            shard.flights.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq + Weigh, V: Weigh> Shard<K, V> {
    fn keep(&mut self, key: K, value: Arc<V>, budget: usize) {
        let bytes = weight(&key, &*value);
        if bytes > budget {
            return;
        }
        self.bytes += bytes;
        if let Some((key, old)) = self.kept.push(key, value) {
            self.bytes -= weight(&key, &*old);
        }
        while self.bytes > budget
            && let Some((key, old)) = self.kept.pop_lru()
        {
            self.bytes -= weight(&key, &*old);
        }
    }
}

impl<V> Waiter<V> {
    async fn wait(mut self) -> Outcome<V> {
        match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::Failed)),
            Err(_) => Err(Failure::Failed),
        }
    }
}

fn weight<K: Weigh, V: Weigh>(key: &K, value: &V) -> usize {
    size_of::<K>() + size_of::<V>() + key.heap_bytes() + value.heap_bytes() + ENTRY_OVERHEAD
}

/// Nothing panics while holding these locks; if something did, the cache is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
