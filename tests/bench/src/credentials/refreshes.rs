//! The cost of a refresh on each store that runs here, beside one write on the same store. The
//! authorization server is in this process and costs nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use serde_json::json;
use vouchsafe_bench_report::row::Row;
use vouchsafe_cloud_credentials::Credentials;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::store::{Expect, Key, Leases, MemoryStore, Store, StoreLeases, Swapped};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};
use vouchsafe_store_etcd::EtcdStore;
use vouchsafe_store_postgres::PostgresStore;
use vouchsafe_store_redis::RedisStore;
use vouchsafe_store_sqlite::SqliteStore;
use vouchsafe_test_servers as servers;

use crate::measure::{self, Cost, Size};

const STORES: [&str; 6] = ["memory", "file", "sqlite", "redis", "postgres", "etcd"];

pub fn run(size: Size) -> Vec<Row> {
    let runtime = measure::runtime();
    let mut rows = Vec::new();
    for name in STORES {
        let folder = tempfile::tempdir().expect("a folder");
        // Servers stay on the core that they are started on.
        measure::pin(1);
        let Some((_server, store, leases)) = open(name, folder.path()) else {
            continue;
        };
        measure::pin(0);
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
        let count = size.pick(5, if name == "memory" { 1_000 } else { 20 });
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
                rows.push(Row::alone(format!("{what}/{work}, {name}"), "us", &each));
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

type Opened = (Option<Box<dyn Server>>, Arc<dyn Store>, Arc<dyn Leases>);

/// Opens a store, or returns `None` if its server is not installed, which has been said.
fn open(name: &str, folder: &Path) -> Option<Opened> {
    let port = || servers::port(folder);
    Some(match name {
        "memory" => in_records(Arc::new(MemoryStore::new())),
        "file" => in_records(Arc::new(FileStore::new(folder.join("credentials.json")))),
        "sqlite" => {
            let store = SqliteStore::open(folder.join("credentials.sqlite"));
            in_records(Arc::new(store.expect("a database")))
        }
        "redis" => {
            let server = servers::redis(folder)?;
            let builder = RedisStore::builder(format!("redis://127.0.0.1:{}", port()));
            both(server, builder.allow_plain().build().expect("a store"))
        }
        "postgres" => {
            let server = servers::postgres(folder)?;
            let url = format!(
                "host=127.0.0.1 port={} user=vouchsafe dbname=postgres password='{}'",
                port(),
                servers::PASSWORD
            );
            let builder = PostgresStore::builder(url).allow_plain();
            both(server, builder.build().expect("a store"))
        }
        _ => {
            let server = servers::etcd(folder)?;
            let builder = EtcdStore::builder(format!("http://127.0.0.1:{}", port()));
            both(server, builder.allow_plain().build().expect("a store"))
        }
    })
}

fn in_records(store: Arc<dyn Store>) -> Opened {
    let leases = Arc::new(StoreLeases::new(Arc::clone(&store)));
    (None, store, leases)
}

fn both<S: Store + Leases + Clone>(server: Box<dyn Server>, store: S) -> Opened {
    (Some(server), Arc::new(store.clone()), Arc::new(store))
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
