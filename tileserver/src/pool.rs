//! The one way off the reactor: a pool for work that would hold up other requests.
//!
//! A burst may queue: a client that opens a map asks for forty tiles at once. A queue that stands
//! is another thing: it makes every request late and answers none more. So once it has stood for a
//! while, requests are refused at once until it is short, as in `CoDel` (RFC 8289).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::http::HttpError;

/// For how long a queue may be longer than its target.
const BURST: Duration = Duration::from_millis(250);

/// Jobs that may wait for each thread, come what may.
const QUEUE_PER_THREAD: usize = 256;

/// A rayon pool that refuses what it cannot do in time.
#[derive(Debug)]
pub struct Pool {
    threads: rayon::ThreadPool,
    // Held to count a job in or out.
    queue: Arc<Mutex<Queue>>,
}

/// The pool has more to do than it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pool is full")]
pub struct Full;

#[derive(Debug)]
struct Queue {
    threads: usize,
    waiting: usize,
    /// Of recent jobs.
    mean: Duration,
    /// Since when the queue has been longer than its target.
    standing_since: Option<Instant>,
}

impl Pool {
    /// # Errors
    /// When the system refuses the threads.
    pub fn new(threads: usize) -> anyhow::Result<Self> {
        let queue = Queue {
            threads,
            waiting: 0,
            mean: Duration::from_millis(1),
            standing_since: None,
        };
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("tiles-{i}"))
            .build()?;
        Ok(Self {
            threads,
            queue: Arc::new(Mutex::new(queue)),
        })
    }

    /// Runs `job` on the pool some time. The job must not panic.
    ///
    /// # Errors
    /// [`Full`]; the job is dropped.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        lock(&self.queue).enter(Instant::now())?;
        let queue = Arc::clone(&self.queue);
        // From outside, rayon runs jobs first come, first served.
        self.threads.spawn(move || {
            let started = Instant::now();
            lock(&queue).waiting -= 1;
            job();
            lock(&queue).note_done(started.elapsed());
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

impl Queue {
    fn enter(&mut self, now: Instant) -> Result<(), Full> {
        let wait = self.mean * u32::try_from(self.waiting).unwrap_or(u32::MAX)
            / u32::try_from(self.threads).unwrap_or(1);
        let target = (self.mean * 2).max(Duration::from_millis(2));
        if wait < target / 4 {
            self.standing_since = None;
        } else if wait >= target {
            let since = *self.standing_since.get_or_insert(now);
            if now - since > BURST || self.waiting >= self.threads * QUEUE_PER_THREAD {
                return Err(Full);
            }
        }
        self.waiting += 1;
        Ok(())
    }

    fn note_done(&mut self, spent: Duration) {
        self.mean = (self.mean * 15 + spent) / 16;
    }
}

impl From<Full> for HttpError {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

/// Nothing panics while holding this lock but on a bug in counting.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue {
        Queue {
            threads: 2,
            waiting: 0,
            mean: Duration::from_millis(10),
            standing_since: None,
        }
    }

    #[test]
    fn a_burst_is_taken() {
        let mut queue = queue();
        let now = Instant::now();
        for i in 0..60 {
            let at = now + Duration::from_millis(i);
            assert_eq!(queue.enter(at), Ok(()), "{i}");
        }
    }

    #[test]
    fn a_standing_queue_refuses_until_it_is_short() {
        // Twice as much arrives as two threads can do: a job each 2.5 ms, done in 10 ms.
        let mut queue = queue();
        let start = Instant::now();
        let (mut refused, mut longest) = (0, 0);
        for tick in 0..4_000_u32 {
            let now = start + Duration::from_micros(2_500) * tick;
            if queue.enter(now).is_err() {
                refused += 1;
            }
            if tick % 2 == 0 && queue.waiting > 0 {
                queue.waiting -= 1;
            }
            if tick > 1_000 {
                longest = longest.max(queue.waiting);
            }
        }
        assert!((1_900..2_000).contains(&refused), "{refused}");
        assert!(longest <= 5, "{longest}: about two jobs a thread");
        // The load is gone: bursts are welcome again.
        queue.waiting = 0;
        let later = start + Duration::from_secs(20);
        for _ in 0..60 {
            assert_eq!(queue.enter(later), Ok(()));
        }
    }

    #[test]
    fn the_queue_has_an_end() {
        let pool = Pool::new(1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        pool.spawn(move || wait.recv().unwrap()).unwrap();
        let taken = (0..1_000_000)
            .take_while(|_| pool.spawn(|| ()).is_ok())
            .count();
        assert!(
            (QUEUE_PER_THREAD - 1..=QUEUE_PER_THREAD).contains(&taken),
            "{taken}"
        );
        release.send(()).unwrap();
        while lock(&pool.queue).waiting > 0 {
            std::thread::yield_now();
        }
        let (done, finished) = std::sync::mpsc::channel();
        pool.spawn(move || done.send(7).unwrap()).unwrap();
        assert_eq!(finished.recv(), Ok(7));
    }
}
