//! Many threads at once, in real time: what must hold in whatever order they get their turn.

use std::sync::atomic::{AtomicBool, AtomicU64};

use super::*;

const KEYS: usize = 8;
const CALLERS: u64 = 16;
const ROUNDS: usize = 2000;

/// Fails the test instead of hanging.
async fn all(tasks: JoinSet<()>) {
    timeout(60 * SECOND, tasks.join_all()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_key_is_ever_fetched_twice_at_the_same_time() {
    let cache = Cache::<usize, usize, usize>::builder()
        .capacity(KEYS / 2)
        .ttl(Duration::from_micros(200))
        .error_ttl(Duration::from_micros(50))
        .min_interval(Duration::ZERO)
        .build();
    let busy: Arc<Vec<_>> = Arc::new((0..KEYS).map(|_| AtomicBool::new(false)).collect());
    let mut tasks = JoinSet::new();
    for seed in 0..CALLERS {
        let (cache, busy) = (cache.clone(), Arc::clone(&busy));
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..ROUNDS {
                let (key, fails) = (random.usize(..KEYS), random.u8(..4) == 0);
                let fetch = || {
                    let busy = Arc::clone(&busy);
                    async move {
                        assert!(!busy[key].swap(true, Ordering::SeqCst), "two at a time");
                        tokio::task::yield_now().await;
                        busy[key].store(false, Ordering::SeqCst);
                        if fails {
                            Err(key)
                        } else {
                            Ok(Fetched::new(key))
                        }
                    }
                };
                let (Ok(got) | Err(got)) = cache.get_or_fetch(&key, fetch).await;
                assert_eq!(got, key);
                if let Some(got) = cache.get(&key) {
                    assert_eq!(got, key);
                }
            }
        });
    }
    all(tasks).await;
    assert!(cache.len() <= KEYS / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_look_up_after_a_change_never_returns_the_old_value() {
    let cache = Cache::<usize, u64, &str>::builder()
        .capacity(KEYS / 2)
        .build();
    let truth: Arc<Vec<_>> = Arc::new((0..KEYS).map(|_| AtomicU64::new(0)).collect());
    let mut tasks = JoinSet::new();
    for seed in 0..CALLERS {
        let (cache, truth) = (cache.clone(), Arc::clone(&truth));
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for round in 0..ROUNDS {
                let key = random.usize(..KEYS);
                match random.u8(..16) {
                    0 => {
                        truth[key].fetch_add(1, Ordering::SeqCst);
                        cache.clear();
                    }
                    1 => {
                        truth[key].fetch_add(1, Ordering::SeqCst);
                        cache.forget(&key);
                    }
                    _ => {}
                }
                // What others change from here on may be seen or not.
                let known = truth[key].load(Ordering::SeqCst);
                let known = if round % 2 == 0 {
                    cache.forget(&key);
                    known
                } else {
                    0
                };
                let fetch = || {
                    let truth = Arc::clone(&truth);
                    async move {
                        let value = truth[key].load(Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok(Fetched::new(value))
                    }
                };
                let got = cache.get_or_fetch(&key, fetch).await.unwrap();
                assert!(got >= known, "{got} after {known} was known");
            }
        });
    }
    all(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_dropped_while_its_fetches_end_leaves_nothing_running() {
    let mut tasks = JoinSet::new();
    for seed in 0..CALLERS {
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..ROUNDS / 10 {
                let cache = Cache::<usize, (), ()>::builder().build();
                let mut ended = Vec::new();
                for key in 0..KEYS {
                    let (alive, gone) = oneshot::channel::<()>();
                    ended.push(gone);
                    let yields = random.usize(..4);
                    let fetch = || async move {
                        let _alive = alive;
                        for _ in 0..yields {
                            tokio::task::yield_now().await;
                        }
                        Ok(Fetched::new(()))
                    };
                    // Polled once: the fetch has begun and no caller waits for it.
                    let mut ask = Box::pin(cache.get_or_fetch(&key, fetch));
                    let _ =
                        std::future::poll_fn(|cx| std::task::Poll::Ready(ask.as_mut().poll(cx)))
                            .await;
                }
                drop(cache);
                for gone in ended {
                    assert!(gone.await.is_err());
                }
            }
        });
    }
    all(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fetches_that_panic_delay_no_caller() {
    let cache = Cache::<usize, usize, ()>::builder()
        .ttl(Duration::from_micros(100))
        .build();
    let mut tasks = JoinSet::new();
    for seed in 0..CALLERS {
        let cache = cache.clone();
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..ROUNDS / 10 {
                let (key, fails) = (random.usize(..2), random.u8(..8) == 0);
                let cache = cache.clone();
                let mut caller = JoinSet::new();
                caller.spawn(async move {
                    let fetch = || async move {
                        tokio::task::yield_now().await;
                        // Not a panic that prints itself hundreds of times.
                        if fails {
                            std::panic::resume_unwind(Box::new("on purpose"));
                        }
                        Ok(Fetched::new(key))
                    };
                    cache.get_or_fetch(&key, fetch).await
                });
                match caller.join_next().await.unwrap() {
                    Ok(got) => assert_eq!(got, Ok(key)),
                    Err(error) => assert!(fails && error.is_panic()),
                }
            }
        });
    }
    all(tasks).await;
}
