//! The cost of a refresh on each store that runs here, beside one write on the same store. The
//! authorization server is in this process and costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use serde_json::json;
use vouchsafe_bench_report::row::Row;
use vouchsafe_cloud_credentials::Credentials;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_core::store::{Expect, Key, Swapped};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Clock, Result, SecretBytes, SystemClock};
use vouchsafe_test_stores::{Ground, Shared, Site};

use crate::measure::{self, Cost, Size};

pub fn run(size: Size) -> Vec<Row> {
    let runtime = measure::runtime();
    let mut rows = Vec::new();
    for ground in Ground::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        // Servers stay on the core that they are started on.
        measure::pin(1);
        let Some(_server) = ground.start(folder.path()) else {
            continue;
        };
        measure::pin(0);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let Shared { store, leases } = Site::new(ground, folder.path())
            .open(&clock)
            .expect("a store");
        let record = record();
        let tokens = Arc::new(Tokens::default());
        let credentials = Credentials::builder()
            .token_url("https://tokens.example.com")
            .transport(Arc::clone(&tokens) as _)
            .store(Arc::clone(&store))
            .leases(leases)
            .build()
            .expect("credentials");
        let key = |profile| Key::new(FileStore::NAMESPACE, profile);
        let (own, other) = (key("default"), key("other"));
        let write_to = async |key: &Key| {
            let written = store.compare_and_swap(key, &Expect::Any, &record).await;
            assert!(matches!(written, Ok(Swapped::Done(_))));
        };
        let write = async || write_to(&other).await;
        let refresh = async || {
            credentials.refresh().await.expect("a token");
        };
        let count = size.pick(5, if ground == Ground::Memory { 1_000 } else { 20 });
        let rounds = size.pick(3, 11);
        let costs = runtime.block_on(async {
            write_to(&own).await;
            write().await;
            refresh().await;
            let mut costs = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                costs[0].push(cost(count, refresh).await);
                costs[1].push(cost(count, write).await);
            }
            costs
        });
        assert_eq!(tokens.0.load(Ordering::Relaxed), 1 + rounds * count as u64);
        for (what, aspect) in [
            ("wall", (|cost| cost.wall) as fn(&Cost) -> _),
            ("cpu", |cost| cost.cpu),
        ] {
            for (work, costs) in ["refresh", "one write"].into_iter().zip(&costs) {
                let each = measure::least(costs, aspect, 1e3 * count as f64);
                rows.push(Row::alone(format!("{what}/{work}, {ground}"), "us", &each));
            }
        }
    }
    rows
}

async fn cost(count: usize, work: impl AsyncFn()) -> Cost {
    let work = async {
        for _ in 0..count {
            work().await;
        }
    };
    Cost::of_task(work).await
}

fn record() -> SecretBytes {
    let record = json!({
        "access_token": "at-0", "client_id": "bench", "client_secret": "a secret",
        "refresh_token": "rt-0",
    });
    SecretBytes::from(record.to_string().into_bytes())
}

/// An authorization server that grants everything, and rotates.
#[derive(Debug, Default)]
struct Tokens(AtomicU64);

impl Transport for Tokens {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let body = json!({
            "access_token": format!("at-{number}"), "refresh_token": format!("rt-{number}"),
            "token_type": "Bearer", "expires_in": 3600,
        });
        let mut answer = Response::new(StatusCode::OK);
        answer.body = body.to_string().into();
        let json = http::HeaderValue::from_static("application/json");
        answer.headers.insert(http::header::CONTENT_TYPE, json);
        Box::pin(std::future::ready(Ok(answer)))
    }
}
