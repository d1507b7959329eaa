//! How much memory an entry takes: the growth of a process that fills one cache.

use std::process::Command;
use std::sync::Arc;

use super::cache::{Cache, Key, NAMES, canned};
use crate::measure::{self, Size};
use crate::table::Row;

pub fn run(size: Size) -> Vec<Row> {
    let entries = size.pick(20_000, 100_000);
    let program = std::env::current_exe().expect("this program has a path");
    let bytes: Vec<f64> = NAMES
        .iter()
        .map(|name| {
            let output = Command::new(&program)
                .args([
                    "as-memory",
                    "--cache",
                    name,
                    "--entries",
                    &entries.to_string(),
                ])
                .output()
                .expect("this program starts");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim()
                .parse()
                .unwrap_or_else(|_| panic!("no number of bytes: {output:?}"))
        })
        .collect();
    Row::beside_all("memory/entry, value included", "bytes", &NAMES, &bytes).collect()
}

/// Fills a cache and prints how many bytes each entry added to this process.
pub fn run_alone(name: &str, entries: usize) {
    measure::runtime().block_on(async {
        let capacity = entries + entries / 10;
        let client = canned(capacity).build().expect("a client");
        let cache = match name {
            "vouchsafe" => Cache::Ours(client.clone()),
            "moka" => Cache::moka(capacity),
            _ => Cache::quick_cache(capacity),
        };
        // The code is loaded and the allocator has its arenas before the first look.
        let first = Key::random();
        let template = client.user_info(&first.token).await.expect("an answer");
        let before = resident();
        for _ in 0..entries {
            let key = Key::random();
            match &cache {
                Cache::Ours(client) => {
                    client.user_info(&key.token).await.expect("an answer");
                }
                other => other.put(&key, Arc::new((*template).clone())).await,
            }
        }
        println!("{}", (resident() - before) as f64 / entries as f64);
    });
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number of pages") * 4096
}
