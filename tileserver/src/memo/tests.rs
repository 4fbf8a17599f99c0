use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::time::Duration;

use super::*;

impl Weigh for u32 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Weigh for Vec<u8> {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

fn memo(budget: usize) -> Arc<Memo<u32, Vec<u8>>> {
    Memo::new(budget, Arc::default())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn stays_under_its_budget() {
    let memo = memo(100_000);
    runtime().block_on(async {
        for key in 0..5_000 {
            let size = usize::try_from(key % 700).unwrap();
            let value = memo
                .get_or_compute(&key, Place::Here, move |_| Ok(vec![1; size]))
                .await;
            assert_eq!(value.unwrap().len(), size);
            assert!(memo.bytes() <= 100_000);
        }
        let entries = memo.entries();
        assert!(entries > 100, "{entries}");
        // Too heavy for a shard: answered, not kept.
        let value = memo
            .get_or_compute(&9_999, Place::Here, |_| Ok(vec![0; 50_000]))
            .await;
        assert_eq!(value.unwrap().len(), 50_000);
        assert!(memo.bytes() <= 100_000);
    });
}

#[test]
fn equal_cold_requests_compute_once() {
    let memo = memo(1 << 20);
    let pool = Arc::new(Pool::new(2).unwrap());
    let computed = Arc::new(AtomicUsize::new(0));
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    runtime().block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (memo, pool) = (Arc::clone(&memo), Arc::clone(&pool));
            let (computed, gate) = (Arc::clone(&computed), Arc::clone(&gate));
            waiting.spawn(async move {
                memo.get_or_compute(&1, Place::Pool(&pool), move |_| {
                    computed.fetch_add(1, Relaxed);
                    lock(&gate).recv().unwrap();
                    Ok(vec![7])
                })
                .await
            });
        }
        while memo.lookups.misses.load(Relaxed) < 64 {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
        while let Some(value) = waiting.join_next().await {
            assert_eq!(*value.unwrap().unwrap(), vec![7]);
        }
    });
    assert_eq!(computed.load(Relaxed), 1);
}

#[test]
fn a_leader_that_leaves_does_not_hurt_its_followers() {
    let memo = memo(1 << 20);
    let pool = Arc::new(Pool::new(1).unwrap());
    runtime().block_on(async {
        let (release, gate) = mpsc::channel::<()>();
        pool.spawn(move || gate.recv().unwrap()).unwrap();
        let ask = || {
            let (memo, pool) = (Arc::clone(&memo), Arc::clone(&pool));
            tokio::spawn(async move {
                memo.get_or_compute(&1, Place::Pool(&pool), |_| Ok(vec![7]))
                    .await
            })
        };
        let leader = ask();
        while memo.lookups.misses.load(Relaxed) < 1 {
            tokio::task::yield_now().await;
        }
        let follower = ask();
        while memo.lookups.misses.load(Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
        assert_eq!(*follower.await.unwrap().unwrap(), vec![7]);
    });
}

#[test]
fn work_nobody_waits_for_is_dropped() {
    let memo = memo(1 << 20);
    let pool = Arc::new(Pool::new(1).unwrap());
    runtime().block_on(async {
        let (release, gate) = mpsc::channel::<()>();
        pool.spawn(move || gate.recv().unwrap()).unwrap();
        let asked = memo.get_or_compute(&1, Place::Pool(&pool), |_| Ok(vec![7]));
        assert!(
            tokio::time::timeout(Duration::from_millis(5), asked)
                .await
                .is_err()
        );
        release.send(()).unwrap();
        // The pool has one thread: this job runs after the dropped one.
        let (done, finished) = tokio::sync::oneshot::channel();
        pool.spawn(move || done.send(()).unwrap()).unwrap();
        finished.await.unwrap();
        assert_eq!(memo.lookups.computed.load(Relaxed), 0);
        assert!(lock(memo.shard(&1)).flights.is_empty());
        let value = memo
            .get_or_compute(&1, Place::Pool(&pool), |_| Ok(vec![8]))
            .await;
        assert_eq!(*value.unwrap(), vec![8]);
    });
}

#[test]
fn a_panic_is_tried_twice_and_hangs_nobody() {
    let memo = memo(1 << 20);
    let pool = Pool::new(1).unwrap();
    let computed = Arc::new(AtomicUsize::new(0));
    runtime().block_on(async {
        for place in [Place::Here, Place::Pool(&pool)] {
            computed.store(0, Relaxed);
            let counter = Arc::clone(&computed);
            let asked = memo.get_or_compute(&1, place, move |_| {
                counter.fetch_add(1, Relaxed);
                panic!("for the test")
            });
            assert_eq!(asked.await.unwrap_err(), Failure::Failed);
            assert_eq!(computed.load(Relaxed), 2);
        }
        let counter = Arc::clone(&computed);
        counter.store(0, Relaxed);
        let once = memo.get_or_compute(&1, Place::Here, move |_| {
            assert!(counter.fetch_add(1, Relaxed) > 0, "for the test");
            Ok(vec![7])
        });
        assert_eq!(*once.await.unwrap(), vec![7]);
    });
}

#[test]
fn a_full_pool_refuses_at_once() {
    let memo = memo(1 << 20);
    let pool = Pool::new(1).unwrap();
    let (release, gate) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel();
    let job = move || {
        started.send(()).unwrap();
        gate.recv().unwrap();
    };
    pool.spawn(job).unwrap();
    // Until it runs it is one of those that wait.
    running.recv().unwrap();
    while pool.spawn(|| ()).is_ok() {}
    let asked = memo.get_or_compute(&1, Place::Pool(&pool), |_| Ok(vec![7]));
    assert_eq!(runtime().block_on(asked).unwrap_err(), Failure::Busy);
    release.send(()).unwrap();
}

#[test]
fn a_computation_learns_that_nobody_waits() {
    let memo = memo(1 << 20);
    let pool = Pool::new(1).unwrap();
    runtime().block_on(async {
        let (seen, abandoned) = tokio::sync::oneshot::channel();
        let seen = Mutex::new(Some(seen));
        let asked = memo.get_or_compute(&1, Place::Pool(&pool), move |wanted| {
            while !wanted.is_over() {
                std::thread::yield_now();
            }
            if let Some(seen) = lock(&seen).take() {
                seen.send(()).unwrap();
            }
            Err(Fault::Abandoned)
        });
        let waited = tokio::time::timeout(Duration::from_millis(20), asked).await;
        assert!(waited.is_err());
        abandoned.await.unwrap();
        let value = memo
            .get_or_compute(&1, Place::Pool(&pool), |_| Ok(vec![8]))
            .await;
        assert_eq!(*value.unwrap(), vec![8]);
    });
}
