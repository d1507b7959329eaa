//! Compares the cache with a plain model: after any sequence of operations, both return the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::{Cache, Fetched};
use crate::Clock;

const CAPACITY: usize = 3;
const TTL: u64 = 50;
const ERROR_TTL: u64 = 8;
const STALE: u64 = 20;

#[derive(Clone, Debug)]
enum Act {
    Get(u8),
    Ask(u8, Answer),
    Insert(u8, u64),
    Forget(u8),
    ForgetGeneration(u8, u64),
    Clear,
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Lives(u64),
    Fails,
    Refuses,
}

const FAILED: &str = "failed";
const REFUSED: &str = "refused";

/// Uses lists and loops; times are in milliseconds.
#[derive(Default)]
struct Model {
    now: u64,
    /// Oldest first.
    values: Vec<Value>,
    /// Key, error and end of its lifetime; oldest first.
    errors: Vec<(u8, &'static str, u64)>,
}

#[derive(Clone, Copy)]
struct Value {
    key: u8,
    value: u64,
    expires: u64,
    /// When it was last requested, or else stored; and whether it was requested.
    used: (u64, bool),
}

impl Model {
    fn value(&mut self, key: u8) -> Option<&mut Value> {
        self.values.iter_mut().find(|held| held.key == key)
    }

    fn get(&mut self, key: u8) -> Option<u64> {
        let now = self.now;
        let held = self.value(key).filter(|held| now < held.expires)?;
        held.used = (now, true);
        Some(held.value)
    }

    fn stale(&mut self, key: u8) -> Option<u64> {
        let now = self.now;
        let held = self.value(key)?;
        (now < held.expires + STALE).then_some(held.value)
    }

    fn ask(&mut self, key: u8, answer: Answer, tick: u64) -> (Result<u64, &'static str>, bool) {
        if let Some(value) = self.get(key) {
            return (Ok(value), false);
        }
        let failure = self.errors.iter().find(|(k, _, _)| *k == key).copied();
        if let Some((_, error, until)) = failure
            && self.now < until
        {
            let stale = self.stale(key).filter(|_| error != REFUSED);
            return (stale.ok_or(error), false);
        }
        let error = match answer {
            Answer::Lives(ttl) => {
                self.put(key, tick, ttl);
                return (Ok(tick), true);
            }
            Answer::Fails => FAILED,
            Answer::Refuses => REFUSED,
        };
        self.errors.retain(|(k, _, _)| *k != key);
        self.errors.push((key, error, self.now + ERROR_TTL));
        if self.errors.len() > CAPACITY {
            self.errors.remove(0);
        }
        if error == REFUSED {
            self.values.retain(|held| held.key != key);
        }
        (self.stale(key).ok_or(error), true)
    }

    fn put(&mut self, key: u8, value: u64, ttl: u64) {
        self.forget(key);
        if ttl == 0 {
            return;
        }
        // Unusable entries may be removed at any time, two for each value that is stored. Then the
        // expired entries go, the earliest expiry first, and then the least recently used.
        for _ in 0..2 {
            let full = self.values.len() == CAPACITY;
            let first = self
                .values
                .iter()
                .min_by_key(|held| (held.expires, held.value));
            let goes = first.filter(|held| {
                held.expires + STALE <= self.now || (full && held.expires <= self.now)
            });
            self.drop_value(goes.map(|held| held.key));
        }
        if self.values.len() == CAPACITY {
            let least = self.values.iter().min_by_key(|held| held.used);
            self.drop_value(least.map(|held| held.key));
        }
        self.values.push(Value {
            key,
            value,
            expires: self.now + ttl,
            used: (self.now, false),
        });
    }

    fn drop_value(&mut self, key: Option<u8>) {
        self.values.retain(|held| Some(held.key) != key);
    }

    fn forget(&mut self, key: u8) -> bool {
        self.errors.retain(|(k, _, _)| *k != key);
        let held = self.values.len();
        self.values.retain(|held| held.key != key);
        self.values.len() < held
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let key = 0..6_u8;
    let ttl = prop_oneof![1 => Just(0), 9 => 1..TTL];
    let answer = prop_oneof![
        4 => ttl.clone().prop_map(Answer::Lives),
        2 => Just(Answer::Fails),
        1 => Just(Answer::Refuses),
    ];
    let act = prop_oneof![
        3 => key.clone().prop_map(Act::Get),
        8 => (key.clone(), answer).prop_map(|(key, answer)| Act::Ask(key, answer)),
        2 => (key.clone(), ttl).prop_map(|(key, ttl)| Act::Insert(key, ttl)),
        1 => key.clone().prop_map(Act::Forget),
        1 => (key, 0..200_u64).prop_map(|(key, generation)| Act::ForgetGeneration(key, generation)),
        1 => prop_oneof![9 => Just(Act::Wait(1)), 1 => Just(Act::Clear)],
        4 => (1..30_u64).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..200)
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

async fn play(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let millis = Duration::from_millis;
    let cache: Cache<u8, u64, &'static str> = Cache::builder()
        .capacity(CAPACITY)
        .ttl(millis(TTL))
        .refresh_ahead(0.0)
        .error_ttl_by(|_| Some(Duration::from_millis(ERROR_TTL)))
        .definite(|error| *error == REFUSED)
        .stale_if_error(millis(STALE))
        // The machine's clock runs on while tokio's is paused.
        .clock(Arc::new(Still))
        .build();
    let mut model = Model::default();
    // Values and generations are the number of the act that produced them.
    for (tick, act) in (0..).zip(acts) {
        match act {
            Act::Get(key) => prop_assert_eq!(cache.get(&key), model.get(key)),
            Act::Ask(key, answer) => {
                let asked = AtomicBool::new(false);
                let fetch = || {
                    asked.store(true, Ordering::Relaxed);
                    async move {
                        match answer {
                            Answer::Lives(ttl) => Ok(Fetched::new(tick)
                                .ttl(Duration::from_millis(ttl))
                                .generation(tick)),
                            Answer::Fails => Err(FAILED),
                            Answer::Refuses => Err(REFUSED),
                        }
                    }
                };
                let got = cache.get_or_fetch(&key, fetch).await;
                let expected = model.ask(key, answer, tick);
                prop_assert_eq!((got, asked.load(Ordering::Relaxed)), expected);
            }
            Act::Insert(key, ttl) => {
                let fetched = Fetched::new(tick).ttl(millis(ttl)).generation(tick);
                cache.insert(key, fetched);
                model.put(key, tick, ttl);
            }
            Act::Forget(key) => prop_assert_eq!(cache.forget(&key), model.forget(key)),
            Act::ForgetGeneration(key, generation) => {
                let there = model
                    .value(key)
                    .is_some_and(|held| held.value == generation);
                if there {
                    model.values.retain(|held| held.key != key);
                }
                prop_assert_eq!(cache.forget_generation(&key, generation), there);
            }
            Act::Clear => {
                cache.clear();
                model.values.clear();
                model.errors.clear();
            }
            Act::Wait(time) => {
                tokio::time::advance(millis(time)).await;
                model.now += time;
            }
        }
        prop_assert!(cache.len() <= CAPACITY);
        cache.shared.lock().store.check();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_answers_as_a_plain_model_does(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(acts))?;
    }
}
