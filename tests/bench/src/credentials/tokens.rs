//! The time to get the cached token, at one and two threads.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use vouchsafe_bench_report::row::Row;
use vouchsafe_cloud_credentials::{Credentials, TokenSource as _};

use super::TOKEN;
use crate::measure::{self, Cost, Size};

pub const NAMES: [&str; 2] = ["vouchsafe", "mutex"];

/// How many tokens a thread gets in a round.
const EACH: usize = 10_000;

pub fn run(size: Size) -> Vec<Row> {
    measure::pin(0);
    let runtimes = [measure::runtime(), measure::runtime()];
    let sources = NAMES.map(Source::new);
    for source in &sources {
        source.give(&runtimes[0], EACH);
    }
    let costs = measure::rounds(2 * NAMES.len(), size.pick(10, 600), |at| {
        let (source, threads) = (&sources[at / 2], 1 + at % 2);
        measure::together(threads, |thread| source.give(&runtimes[thread], EACH))
    });
    let time = |case: usize, threads: usize| {
        let costs = &costs[2 * case + threads - 1];
        measure::least(costs, |cost: &Cost| cost.wall, (threads * EACH) as f64)
    };
    let more = time(0, 2).with(&time(0, 1), |two, one| one / two);
    let mut rows = vec![
        Row::alone("cached token, 1 thread", "ns", &time(0, 1)).at_most(100.0),
        Row::alone("cached token, 2 threads / 1", "times", &more).at_least(1.8),
    ];
    for threads in [1, 2] {
        let case = format!("cached token, {threads} thread(s)");
        let (ours, peer) = (time(0, threads), time(1, threads));
        rows.push(Row::beside(case, "ns", &ours, NAMES[1], &peer));
    }
    rows
}

/// Gets tokens in one thread, to be counted from outside.
pub fn run_alone(runtime: &Runtime, name: &str, count: usize) {
    Source::new(name).give(runtime, count);
}

enum Source {
    Ours(Credentials),
    Mutex(Arc<ByHand>),
}

impl Source {
    fn new(name: &str) -> Self {
        match name {
            "vouchsafe" => {
                let credentials = Credentials::builder().access_token(TOKEN).build();
                Self::Ours(credentials.expect("credentials"))
            }
            _ => Self::Mutex(Arc::default()),
        }
    }

    fn give(&self, runtime: &Runtime, count: usize) {
        runtime.block_on(async {
            for _ in 0..count {
                match self {
                    Self::Ours(credentials) => {
                        black_box(credentials.token().await.expect("a token"));
                    }
                    Self::Mutex(by_hand) => {
                        black_box(by_hand.token().await);
                    }
                }
            }
        });
    }
}

/// The code of a user of reqwest: a lock that is held while the token is replaced, so that it is
/// replaced once.
pub struct ByHand(Mutex<(String, SystemTime)>);

impl Default for ByHand {
    fn default() -> Self {
        let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800);
        Self(Mutex::new((TOKEN.to_owned(), expiry)))
    }
}

impl ByHand {
    pub async fn token(&self) -> String {
        let held = self.0.lock().await;
        let (token, expiry) = &*held;
        assert!(
            SystemTime::now() < *expiry,
            "replacing it is not measured here"
        );
        token.clone()
    }
}
