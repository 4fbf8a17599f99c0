//! The one way off the reactor: a bounded pool for work that would hold up other requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::http::HttpError;

/// Jobs that may wait for each thread; beyond, a request is refused at once rather than late.
const QUEUE_PER_THREAD: usize = 64;

/// A rayon pool that takes a limited number of jobs.
#[derive(Debug)]
pub struct Pool {
    threads: rayon::ThreadPool,
    jobs: Arc<AtomicUsize>,
    jobs_max: usize,
}

/// The pool holds all the jobs it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pool is full")]
pub struct Full;

impl Pool {
    /// # Errors
    /// When the system refuses the threads.
    pub fn new(threads: usize) -> anyhow::Result<Self> {
        let jobs_max = threads * (QUEUE_PER_THREAD + 1);
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("tiles-{i}"))
            .build()?;
        Ok(Self {
            threads,
            jobs: Arc::default(),
            jobs_max,
        })
    }

    /// Runs `job` on the pool some time. The job must not panic.
    ///
    /// # Errors
    /// [`Full`]; the job is dropped.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        let taken = Place::take(&self.jobs);
        if taken.before >= self.jobs_max {
            return Err(Full);
        }
        self.threads.spawn(move || {
            job();
            drop(taken);
        });
        Ok(())
    }

    /// Runs `work` on the pool and waits for it.
    ///
    /// # Errors
    /// `Busy` when the pool is full, `Internal` when the work panics.
    pub async fn run<T, F>(&self, work: F) -> Result<T, HttpError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        self.spawn(move || {
            // A request that is gone needs no answer.
            if !done.is_closed()
                && let Ok(value) = catch_unwind(AssertUnwindSafe(work))
            {
                let _ = done.send(value);
            }
        })?;
        result.await.map_err(|_| HttpError::Internal)
    }
}

impl From<Full> for HttpError {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

/// One of the pool's jobs, given back on drop.
struct Place {
    jobs: Arc<AtomicUsize>,
    before: usize,
}

impl Place {
    fn take(jobs: &Arc<AtomicUsize>) -> Self {
        let before = jobs.fetch_add(1, Ordering::Relaxed);
        Self {
            jobs: Arc::clone(jobs),
            before,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn refuses_when_full_and_recovers() {
        let pool = Pool::new(1).unwrap();
        let (release, wait) = channel::<()>();
        pool.spawn(move || wait.recv().unwrap()).unwrap();
        for _ in 0..QUEUE_PER_THREAD {
            pool.spawn(|| ()).unwrap();
        }
        assert_eq!(pool.spawn(|| ()), Err(Full));
        release.send(()).unwrap();
        while pool.jobs.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        let (done, finished) = channel();
        pool.spawn(move || done.send(7).unwrap()).unwrap();
        assert_eq!(finished.recv(), Ok(7));
    }
}
