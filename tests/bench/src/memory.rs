//! `vouchsafe-bench-memory CACHE ENTRIES` fills one cache and prints how many bytes of live heap
//! an entry takes. `vouchsafe-bench-memory tickets FIXTURES` prints how often checks allocate,
//! `vouchsafe-bench-memory acl` those of decisions over access control lists,
//! and `vouchsafe-bench-memory quotas walk|whole URL TOKEN` what reading quotas takes at most.

use std::alloc::System;

use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vouchsafe_bench::measure;
use vouchsafe_bench::ticket::case::{self, Kind, OURS};
use vouchsafe_bench::ticket::counts;
use vouchsafe_bench::userinfo::cache::{Cache, Key, canned};
use vouchsafe_bench::wazo_auth;
use vouchsafe_core::call::Timeouts;

const MINUTE: Duration = Duration::from_secs(60);

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("a cache");
    if name == "tickets" {
        return tickets(&arguments.next().expect("fixtures"));
    }
    if name == "acl" {
        return acl();
    }
    if name == "quotas" {
        let mut next = || arguments.next().expect("way, URL and token");
        return quotas(&next(), &next(), &next());
    }
    let entries = arguments.next().and_then(|text| text.parse().ok());
    let entries: usize = entries.expect("a number of entries");
    measure::runtime().block_on(async {
        // A first client makes what is made once in a process.
        let uncached = canned(0).build().expect("a client");
        let first = uncached.user_info(&Key::random().token).await;
        first.expect("an answer");

        let before = Region::new(HEAP);
        let capacity = entries + entries / 10;
        let cache = match name.as_str() {
            "vouchsafe" => Cache::Ours(Box::new(canned(capacity).build().expect("a client"))),
            "moka" => Cache::moka(capacity),
            _ => Cache::quick_cache(capacity),
        };
        for _ in 0..entries {
            let key = Key::random();
            match &cache {
                Cache::Ours(client) => {
                    client.user_info(&key.token).await.expect("an answer");
                }
                other => {
                    let info = uncached.user_info(&key.token).await;
                    other.put(&key, info.expect("an answer")).await;
                }
            }
        }
        let change = before.change();
        let bytes = change.bytes_allocated - change.bytes_deallocated;
        println!("{}", bytes as f64 / entries as f64);
        drop(cache);
    });
}

/// Prints how many bytes of live heap there were at most while the quotas of all users were read,
/// as seen at each user.
fn quotas(way: &str, auth_url: &str, token: &str) {
    measure::runtime().block_on(async {
        let client = vouchsafe_astakos::Client::builder();
        let client = client.auth_url(auth_url).token(token);
        // The whole answer of a hundred thousand takes a while.
        let client = client.timeouts(Timeouts::default().attempt(MINUTE).call(MINUTE));
        let client = client.build().expect("a client");
        client.endpoints().await.expect("a catalog");
        let before = Region::new(HEAP);
        let live = || {
            let change = before.change();
            change
                .bytes_allocated
                .saturating_sub(change.bytes_deallocated)
        };
        let mut most = 0;
        if way == "whole" {
            let all = client.service_quotas().send().await.expect("an answer");
            assert!(all.len() > 1000);
            most = live();
        } else {
            let walk = client.service_quotas().walk().await;
            let mut walk = walk.expect("an answer");
            let mut users = 0;
            while let Some((_, quotas)) = walk.next().await.expect("a user") {
                assert!(!quotas.is_empty());
                users += 1;
                most = most.max(live());
            }
            assert!(users > 1000);
        }
        println!("{most}");
    });
}

fn acl() {
    let mut counts = Vec::new();
    for case in wazo_auth::acl::cases() {
        let mut work = case.ours();
        let before = Region::new(HEAP);
        work(1000);
        counts.push(before.change().allocations as f64 / 1000.0);
    }
    println!("{}", serde_json::to_string(&counts).expect("plain"));
}

fn tickets(fixtures: &str) {
    let mut counts = Vec::new();
    for fixture in counts::read(fixtures) {
        for kind in Kind::ALL {
            for name in OURS {
                let mut work = case::work(&fixture, kind, name);
                work(1000);
                let before = Region::new(HEAP);
                work(1000);
                let allocations = before.change().allocations as f64 / 1000.0;
                let what = format!("{} {}: {name}", fixture.bits, kind.name());
                counts.push((what, allocations));
            }
        }
    }
    println!("{}", serde_json::to_string(&counts).expect("plain"));
}
