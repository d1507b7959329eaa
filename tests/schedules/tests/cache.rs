//! The cache, whatever order its threads run in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread::{self, JoinHandle};
use vouchsafe_schedules::cache::{Cache, CacheBuilder, Fetched};
use vouchsafe_schedules::check;
use vouchsafe_schedules::runtime::Runtime;
use vouchsafe_schedules::support::{Counter, Planned, Still, fall, give_up_after, pause};
use vouchsafe_schedules::sync::lock;
use vouchsafe_schedules::time::advance;

type Numbers = Cache<u8, u64, u64>;

const SCHEDULES: usize = 1000;
const TTL: Duration = Duration::from_secs(10);

fn numbers() -> CacheBuilder<u8, u64, u64> {
    Cache::builder()
        .clock(Arc::new(Still))
        .ttl(TTL)
        .refresh_ahead(0.0)
        .min_interval(Duration::ZERO)
        .jitter_seed(1)
}

/// Asks for a key within a runtime of this thread, which is dropped afterwards.
fn ask(cache: &Numbers, fetches: &Counter, value: u64) -> Result<u64, u64> {
    ask_slowly(cache, fetches, value, 2)
}

/// Asks with a fetch that takes this many pauses.
fn ask_slowly(cache: &Numbers, fetches: &Counter, value: u64, pauses: usize) -> Result<u64, u64> {
    let fetches = fetches.clone();
    Runtime::new().block_on(cache.get_or_fetch(&0, || async move {
        let _one = fetches.enter_alone();
        pause(pauses).await;
        Ok(Fetched::new(value))
    }))
}

fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(work)
}

#[test]
fn one_fetch_answers_all_callers() {
    check(SCHEDULES, || {
        let (cache, fetches) = (numbers().build(), Counter::default());
        let callers = [1, 2, 3].map(|value| {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || ask(&cache, &fetches, value).unwrap())
        });
        let [one, two, three] = callers.map(|caller| caller.join().unwrap());
        assert!(one == two && two == three);
        assert_eq!((fetches.total(), fetches.present()), (1, 0));
    });
}

#[test]
fn one_fetch_follows_an_invalidation_whenever_the_fetch_before_it_lands() {
    check(SCHEDULES, || {
        let (cache, fetches) = (numbers().build(), Counter::default());
        let within = cache.clone();
        let callers = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&callers);
        let before = cache.get_or_fetch(&0, || async move {
            within.forget(&0);
            *lock(&slot) = Some([2, 3].map(|value| {
                let (cache, fetches) = (within.clone(), fetches.clone());
                // Long enough for the one before to land meanwhile.
                spawn(move || ask_slowly(&cache, &fetches, value, 20).unwrap())
            }));
            pause(2).await;
            Ok(Fetched::new(1))
        });
        assert_eq!(Runtime::new().block_on(before), Ok(1));
        let callers = lock(&callers).take().unwrap();
        let [one, other] = callers.map(|caller| caller.join().unwrap());
        assert_eq!(one, other);
    });
}

#[test]
fn callers_that_give_up_and_runtimes_that_end_leave_no_caller_waiting() {
    check(SCHEDULES, || {
        let (cache, fetches) = (numbers().build(), Counter::default());
        let given_up = {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || {
                let polls = thread_rng().gen_range(1..4);
                let asked = cache.get_or_fetch(&0, || async move {
                    let _one = fetches.enter_alone();
                    pause(2).await;
                    Ok(Fetched::new(1))
                });
                Runtime::new().block_on(give_up_after(polls, asked));
            })
        };
        let callers = [2, 3].map(|value| {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || ask(&cache, &fetches, value).unwrap())
        });
        let [one, other] = callers.map(|caller| caller.join().unwrap());
        assert_eq!(one, other);
        given_up.join().unwrap();
        assert_eq!(fetches.present(), 0);
    });
}

#[test]
fn a_value_whose_fetch_nothing_drives_is_fetched_again() {
    check(SCHEDULES, || {
        let cache = numbers().fetch_again(true).build();
        let runtime = Runtime::new();
        let asked = cache.get_or_fetch(&0, std::future::pending);
        runtime.block_on(give_up_after(2, asked));
        let callers = [1, 2].map(|value| {
            let cache = cache.clone();
            let fetch = move || async move {
                pause(2).await;
                Ok(Fetched::new(value))
            };
            spawn(move || Runtime::new().block_on(cache.get_or_fetch(&0, fetch)))
        });
        // Here time passes at once for a thread that waits, so either may count the other's as silent.
        for answer in callers.map(|caller| caller.join().unwrap().unwrap()) {
            assert!([1, 2].contains(&answer));
        }
    });
}

#[test]
fn a_fetch_that_panics_takes_only_its_own_caller_along() {
    check(SCHEDULES, || {
        let (cache, fetches) = (numbers().build(), Counter::default());
        let falling = {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || {
                let has_run = Counter::default();
                let inner = has_run.clone();
                let asked = cache.get_or_fetch(&0, || async move {
                    let _one = fetches.enter_alone();
                    let _run = inner.enter();
                    pause(2).await;
                    fall()
                });
                let runtime = Runtime::new();
                let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(asked)));
                assert_eq!(outcome.is_err(), has_run.total() == 1);
                if let Err(payload) = outcome {
                    assert!(payload.is::<Planned>());
                }
            })
        };
        let callers = [2, 3].map(|value| {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || ask(&cache, &fetches, value).unwrap())
        });
        let [one, other] = callers.map(|caller| caller.join().unwrap());
        assert_eq!(one, other);
        falling.join().unwrap();
        assert_eq!(fetches.present(), 0);
    });
}

#[test]
fn a_value_that_expires_while_it_is_refreshed_is_not_returned_again() {
    check(SCHEDULES, || {
        let cache = numbers().refresh_ahead(1.0).build();
        let fetches = Counter::default();
        cache.insert(0, Fetched::new(0));
        // Due by now, whatever part of its lifetime was drawn.
        advance(TTL - Duration::from_nanos(1));
        let refreshing = [1, 2].map(|value| {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || {
                // Ends with its runtime, or fails, before or after the value expires.
                let fails = thread_rng().gen_bool(0.5);
                let asked = cache.get_or_fetch(&0, || async move {
                    let _one = fetches.enter_alone();
                    pause(1).await;
                    if fails {
                        Err(value)
                    } else {
                        Ok(Fetched::new(value))
                    }
                });
                Runtime::new().block_on(async {
                    let _ = asked.await;
                    pause(1).await;
                });
            })
        });
        advance(TTL);
        assert_ne!(ask(&cache, &fetches, 3), Ok(0));
        assert_ne!(cache.get(&0), Some(0));
        for caller in refreshing {
            caller.join().unwrap();
        }
        assert_eq!(fetches.present(), 0);
    });
}

#[test]
fn the_bound_holds_while_fetches_land() {
    check(SCHEDULES, || {
        let cache = numbers().capacity(2).build();
        let callers = [0, 1, 2].map(|thread| {
            let cache = cache.clone();
            spawn(move || {
                let runtime = Runtime::new();
                for key in [thread, thread + 1] {
                    let fetch = || async move {
                        pause(1).await;
                        Ok(Fetched::new(u64::from(key)))
                    };
                    let value = runtime.block_on(cache.get_or_fetch(&key, fetch));
                    assert_eq!(value, Ok(u64::from(key)));
                    assert!(cache.len() <= 2);
                }
            })
        });
        for caller in callers {
            caller.join().unwrap();
        }
        assert_eq!(cache.len(), 2);
    });
}

#[test]
fn fetches_end_with_the_last_clone_of_the_cache() {
    check(SCHEDULES, || {
        let (cache, fetches) = (numbers().build(), Counter::default());
        let callers = [0_u8, 1].map(|key| {
            let (cache, fetches) = (cache.clone(), fetches.clone());
            spawn(move || {
                let runtime = Runtime::new();
                let asked = cache.get_or_fetch(&key, || async move {
                    let _one = fetches.enter();
                    std::future::pending().await
                });
                runtime.block_on(give_up_after(2, asked));
                drop(cache);
                runtime
            })
        });
        drop(cache);
        // An aborted task is dropped by its runtime.
        for runtime in callers.map(|caller| caller.join().unwrap()) {
            runtime.settle();
            assert_eq!(runtime.tasks(), 0);
        }
        assert_eq!(fetches.present(), 0);
    });
}

/// A source that the cache is in front of: versions by key, which only grow.
#[derive(Clone)]
struct Source {
    cache: Numbers,
    keys: Arc<[Key; 2]>,
    fetches: Counter,
}

#[derive(Default)]
struct Key {
    /// What a fetch reads.
    version: AtomicU64,
    /// The last version that the cache was told of.
    told: AtomicU64,
    writer: Mutex<()>,
}

impl Source {
    fn new(cache: Numbers) -> Self {
        Self {
            cache,
            keys: Arc::default(),
            fetches: Counter::default(),
        }
    }

    fn of(&self, key: u8) -> &Key {
        &self.keys[usize::from(key)]
    }

    /// Writes a version and tells the cache.
    fn write(&self, key: u8, tell: impl FnOnce(&Numbers, u64)) {
        let of = self.of(key);
        let _writer = lock(&of.writer);
        let version = of.version.fetch_add(1, Ordering::SeqCst) + 1;
        tell(&self.cache, version);
        of.told.store(version, Ordering::SeqCst);
    }

    /// Reads through the cache. What the cache was told of before must be seen, value or error.
    async fn read(&self, key: u8, fails: bool) {
        let told = self.of(key).told.load(Ordering::SeqCst);
        let source = self.clone_without_cache();
        let got = self.cache.get_or_fetch(&key, || async move {
            let _one = source.1.enter();
            let version = source.0[usize::from(key)].version.load(Ordering::SeqCst);
            pause(1).await;
            if fails {
                return Err(version);
            }
            Ok(Fetched::new(version).generation(version))
        });
        self.check(key, told, got.await.unwrap_or_else(|version| version));
    }

    fn peek(&self, key: u8) {
        let told = self.of(key).told.load(Ordering::SeqCst);
        if let Some(version) = self.cache.get(&key) {
            self.check(key, told, version);
        }
    }

    fn check(&self, key: u8, told: u64, version: u64) {
        assert!(
            version >= told,
            "{version} of {key} after {told} was written"
        );
        assert!(version <= self.of(key).version.load(Ordering::SeqCst));
    }

    /// A fetch that held the cache would keep it alive.
    fn clone_without_cache(&self) -> (Arc<[Key; 2]>, Counter) {
        (Arc::clone(&self.keys), self.fetches.clone())
    }
}

#[test]
fn what_was_in_flight_when_a_key_was_invalidated_is_not_stored() {
    let tells: [fn(&Numbers, u64); 3] = [
        |cache, _| _ = cache.forget(&0),
        |cache, _| cache.clear(),
        |cache, version| cache.insert(0, Fetched::new(version)),
    ];
    for tell in tells {
        check(SCHEDULES, move || {
            let source = Source::new(numbers().build());
            let within = source.clone();
            let within = spawn(move || Runtime::new().block_on(within.read(0, false)));
            // Outside of a runtime the fetch runs in its caller.
            let outside = source.clone();
            let outside = spawn(move || shuttle::future::block_on(outside.read(0, false)));
            source.write(0, tell);
            Runtime::new().block_on(source.read(0, false));
            within.join().unwrap();
            outside.join().unwrap();
            source.peek(0);
        });
    }
}

/// Random programs on random schedules.
#[test]
fn whatever_threads_do_a_reader_sees_what_was_written_before() {
    check(3 * SCHEDULES, || {
        let builder = numbers()
            .capacity(thread_rng().gen_range(1..3))
            .refresh_ahead(1.0)
            .error_ttl(TTL);
        let source = Source::new(if thread_rng().gen_bool(0.5) {
            builder.stale_if_error(TTL).build()
        } else {
            builder.build()
        });
        let threads = [0, 1, 2].map(|_| {
            let source = source.clone();
            spawn(move || {
                let mut runtime = Runtime::new();
                for _ in 0..4 {
                    let key = thread_rng().gen_range(0..2);
                    let fails = thread_rng().gen_bool(0.2);
                    match thread_rng().gen_range(0..12) {
                        0..4 => runtime.block_on(source.read(key, fails)),
                        4 => {
                            let polls = thread_rng().gen_range(1..4);
                            runtime.block_on(give_up_after(polls, source.read(key, fails)));
                        }
                        5 => shuttle::future::block_on(source.read(key, fails)),
                        6 => source.peek(key),
                        7 => source.write(key, |cache, _| _ = cache.forget(&key)),
                        8 => source.write(key, |cache, version| {
                            cache.insert(key, Fetched::new(version).generation(version));
                        }),
                        9 => source.write(key, |cache, _| cache.clear()),
                        10 => {
                            // Like a reader whose credential was refused.
                            let generation = thread_rng().gen_range(0..3);
                            source.cache.forget_generation(&key, generation);
                            advance(TTL / 2);
                        }
                        _ => runtime = Runtime::new(),
                    }
                    assert!(source.cache.len() <= 2);
                    // A fetch goes on only while its runtime does, and others may wait for it.
                    runtime.settle();
                }
                drop(source.cache);
                (runtime, source.fetches)
            })
        });
        drop(source);
        let mut left = Vec::new();
        for ended in threads.map(|thread| thread.join().unwrap()) {
            ended.0.settle();
            assert_eq!(ended.0.tasks(), 0);
            left.push(ended.1);
        }
        assert_eq!(left[0].present(), 0);
    });
}
