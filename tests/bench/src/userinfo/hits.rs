//! The cost of a cached answer, with one thread and with several.

use std::num::NonZero;
use std::sync::{Arc, Barrier};

use vouchsafe_bench_report::row::Row;
use vouchsafe_userinfo::UserInfo;

use super::cache::{Cache, Key, NAMES, canned};
use crate::measure::{self, Cost, Size};

const USERS: usize = 1000;

pub fn run(size: Size) -> Vec<Row> {
    // Twice the capacity, so that no eviction policy removes anything.
    let client = canned(2 * USERS).build().expect("a client");
    let caches = [
        Cache::Ours(Box::new(client.clone())),
        Cache::moka(2 * USERS),
        Cache::quick_cache(2 * USERS),
    ];
    let keys: Vec<Key> = (0..USERS).map(|_| Key::random()).collect();
    measure::runtime().block_on(async {
        for key in &keys {
            let info = client.user_info(&key.token).await.expect("an answer");
            for cache in &caches[1..] {
                cache.put(key, Arc::clone(&info)).await;
            }
        }
    });
    let each = size.pick(2_000, 200_000);
    let mut rows = Vec::new();
    for threads in [1, 2, 4, 8] {
        let costs = measure::rounds(caches.len(), size.pick(3, 25), |case| {
            hit(&caches[case], &keys, threads, each / threads)
        });
        let hits = (each / threads * threads) as f64;
        for (what, aspect) in [
            ("cpu", (|cost| cost.cpu) as fn(&Cost) -> _),
            ("wall", |cost| cost.wall),
        ] {
            let figures: Vec<_> = costs
                .iter()
                .map(|costs| measure::median(costs, aspect, hits))
                .collect();
            let case = format!("{what}/cached hit, {threads} thread(s)");
            if what == "cpu" {
                rows.push(Row::alone(&case, "ns", &figures[0]).at_most(200.0));
            }
            let beside = Row::beside_all(&case, "ns", &NAMES, &figures).into_iter();
            rows.extend(
                beside.map(|row| match (what, row.is_beside("quick_cache")) {
                    ("cpu", true) => row.at_least(1.0),
                    _ => row,
                }),
            );
        }
    }
    rows
}

/// Performs this number of hits in each thread, in different orders.
fn hit(cache: &Cache<Arc<UserInfo>>, keys: &[Key], threads: usize, each: usize) -> Cost {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (ready, done) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (ready, done) = (&ready, &done);
            scope.spawn(move || {
                // More threads than cores take turns: what is measured then is a thread that is
                // suspended while others want what it holds.
                measure::pin(thread % cores);
                measure::runtime().block_on(async {
                    ready.wait();
                    let mut at = thread * 7919;
                    for _ in 0..each {
                        // A step without a common divisor with the number of keys meets all.
                        at = (at + 617) % keys.len();
                        cache.look_up(&keys[at], missed).await;
                    }
                    done.wait();
                });
            });
        }
        ready.wait();
        Cost::of(|| done.wait()).0
    })
}

async fn missed() -> Arc<UserInfo> {
    panic!("a hit that missed")
}
