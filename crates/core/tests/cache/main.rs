//! What the cache promises, point by point. Time is paused: a fetch that "takes a second" ends
//! when every other task waits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod bounds;
mod clocks;
mod flights;
mod lifetimes;
mod panics;
mod races;
mod watching;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep, timeout};
use vouchsafe_core::Secret;
use vouchsafe_core::cache::{Cache, CacheBuilder, Digest, Fetched};
use vouchsafe_core::observe::{CacheEvent, CacheOutcome, Observer};

type Words = Cache<&'static str, Arc<str>, &'static str>;
type Answer = Result<Arc<str>, &'static str>;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(100);

fn words() -> CacheBuilder<&'static str, Arc<str>, &'static str> {
    Cache::builder().ttl(TTL).jitter_seed(7)
}

/// A service that is asked, counts, and answers after a second.
#[derive(Clone, Default)]
struct Service {
    asked: Arc<AtomicUsize>,
}

impl Service {
    fn count(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer(
        self,
        answer: Result<&'static str, &'static str>,
    ) -> Result<Fetched<Arc<str>>, &'static str> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        sleep(SECOND).await;
        answer.map(|word| Fetched::new(Arc::from(word)))
    }

    async fn ask(
        &self,
        cache: &Words,
        key: &'static str,
        answer: Result<&'static str, &'static str>,
    ) -> Answer {
        cache
            .get_or_fetch(&key, || self.clone().answer(answer))
            .await
    }
}

fn word(text: &str) -> Answer {
    Ok(Arc::from(text))
}

/// Lets every task run until it waits for something.
async fn settle() {
    // Paused time moves only when every task waits.
    sleep(Duration::from_millis(1)).await;
}
