//! The state all requests share, built once in `main`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::HttpError;
use crate::keyring::Keyring;
use crate::maps::Maps;
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::scope;
use crate::served::Served;
use crate::snapshot::Snapshot;

#[derive(Debug)]
pub struct App {
    /// Without a trailing slash.
    pub public_url: String,
    pub served: Served,
    pub maps: Maps,
    /// Without it everybody is the public.
    pub keys: Option<Keyring>,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    pub request_ids: RequestIds,
}

impl App {
    /// What the request under way is answered from: what its caller may see, and nothing else.
    ///
    /// # Errors
    /// `NotReady` before the first version is open, and outside of a request.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, HttpError> {
        scope::seen()
    }
}

/// Numbers requests, so that an answer and its log line can be matched.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl Default for RequestIds {
    /// Starts at the clock, so that a restart repeats none.
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |d| d.as_nanos() & u128::from(u64::MAX));
        Self(AtomicU64::new(u64::try_from(nanos).unwrap_or(0)))
    }
}

impl RequestIds {
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }
}
