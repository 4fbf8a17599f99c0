//! Which version is served: looks at `CURRENT` now and then, opens what it names, and swaps.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::access::Caller;
use crate::load::{LoadError, current_version, load};
use crate::scope::Scopes;
use crate::snapshot::Caches;

/// How often the dataset is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// How long a refused version is left alone before it is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The version served, and the one that could not be.
#[derive(Debug)]
pub struct Served {
    dataset: PathBuf,
    caches: Caches,
    scopes: ArcSwapOption<Scopes>,
    // Held by the watching thread and by /ready and /metrics, for a moment each.
    refusal: Mutex<Option<Refusal>>,
}

/// Why the version that `CURRENT` names is not served.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// `None` when `CURRENT` itself is at fault.
    pub version: Option<String>,
    /// One of [`LoadError::CAUSES`].
    pub cause: &'static str,
    pub detail: String,
    since: Instant,
}

impl Served {
    #[must_use]
    pub fn new(dataset: PathBuf, caches: Caches) -> Self {
        Self {
            dataset,
            caches,
            scopes: ArcSwapOption::empty(),
            refusal: Mutex::new(None),
        }
    }

    /// The version that requests are answered from, once one is open; a request keeps to the one
    /// it took.
    #[must_use]
    pub fn scopes(&self) -> Option<Arc<Scopes>> {
        self.scopes.load_full()
    }

    /// Why the version that the dataset names is not the one served.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let refusal = self.refusal.lock();
        refusal.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows the dataset until the other end of `look_now` is dropped; a message makes it look
    /// at once.
    pub fn follow(&self, look_now: &Receiver<()>) {
        loop {
            self.look();
            if look_now.recv_timeout(PERIOD) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }

    /// Serves the version that the dataset names, unless it is served or was just refused.
    pub fn look(&self) {
        let version = match current_version(&self.dataset) {
            Ok(version) => version,
            Err(error) => return self.refuse(None, &error),
        };
        let served = self.scopes.load();
        if served.as_ref().is_some_and(|s| s.version() == version) {
            return self.set_refusal(None);
        }
        if let Some(refusal) = self.refusal()
            && refusal.version.as_ref() == Some(&version)
            && refusal.since.elapsed() < RETRY
        {
            return;
        }
        let started = Instant::now();
        match load(&self.dataset, &version, &self.caches) {
            Ok(snapshot) => {
                let scopes = Scopes::new(snapshot, self.caches.clone());
                // What most will ask for is ready before anybody does.
                let _ = scopes.make_for(&Caller::public_of_everything());
                self.scopes.store(Some(Arc::new(scopes)));
                self.set_refusal(None);
                self.caches.metrics.datasets_loaded.fetch_add(1, Relaxed);
                let millis = started.elapsed().as_millis();
                tracing::info!(version, millis, "dataset served");
            }
            Err(error) => self.refuse(Some(version), &error),
        }
    }

    fn refuse(&self, version: Option<String>, error: &LoadError) {
        let detail = error.to_string();
        let known = self
            .refusal()
            .is_some_and(|old| old.version == version && old.detail == detail);
        if !known {
            self.caches.metrics.datasets_refused.fetch_add(1, Relaxed);
            let serving = self.scopes.load().is_some();
            tracing::error!(
                version,
                cause = error.cause(),
                detail,
                serving,
                "dataset refused"
            );
        }
        self.set_refusal(Some(Refusal {
            version,
            cause: error.cause(),
            detail,
            since: Instant::now(),
        }));
    }

    fn set_refusal(&self, refusal: Option<Refusal>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}
