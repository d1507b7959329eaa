//! Ten thousand concurrent callers that all miss the cache.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http_body_util::Empty;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use vouchsafe_bench_report::row::{Figure, Row};
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_userinfo::Client;

use super::cache::{Cache, Counter, Key, NAMES};
use crate::client::{Info, parse};
use crate::measure::{self, Cost, Size};
use crate::server::Server;

const CALLERS: usize = 10_000;

pub fn run(size: Size) -> Vec<Row> {
    let server = Server::start();
    measure::pin(0);
    let runtime = measure::runtime();
    let transport = runtime.block_on(async {
        let builder = HttpTransport::builder().only_roots();
        Arc::new(builder.build().expect("a transport"))
    });
    let counter = Arc::new(Counter::default());
    let client = |discovery| {
        let mut builder = Client::builder()
            .transport(transport.clone())
            .observer(counter.clone())
            .cache_capacity(2 * CALLERS)
            .repertoire_url(format!("{}/repertoire", server.http));
        if let Some(discovery) = discovery {
            builder = builder.discovery(discovery);
        }
        builder.build().expect("a client")
    };
    let warm = client(None);
    let discovery = warm.discovery().clone();
    runtime.block_on(discovery.document()).expect("a document");
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let pool: Pool<_, Empty<Bytes>> = Pool::builder(TokioExecutor::new()).build(tcp);
    let url: http::Uri = format!("{}/api/user-info", server.http)
        .parse()
        .expect("a URL");

    let mut rows = Vec::new();
    for distinct in [1, 1000] {
        let mut made = [0; NAMES.len()];
        let costs = measure::rounds(NAMES.len(), size.pick(2, 11), |case| {
            let cache: Cache<Arc<Info>> = match NAMES[case] {
                "vouchsafe" => Cache::Ours(Box::new(client(Some(discovery.clone())))),
                "moka" => Cache::moka(2 * CALLERS),
                _ => Cache::quick_cache(2 * CALLERS),
            };
            let keys: Arc<[Key]> = (0..distinct).map(|_| Key::random()).collect();
            counter.take();
            let ask = |key: usize| {
                let (cache, keys) = (cache.clone(), keys.clone());
                let (pool, url, counter) = (pool.clone(), url.clone(), counter.clone());
                async move {
                    let key = &keys[key];
                    cache
                        .look_up(key, || fetch(&pool, &url, key, &counter))
                        .await;
                }
            };
            let (cost, ()) = Cost::of(|| {
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for caller in 0..CALLERS {
                        tasks.spawn(ask(caller % distinct));
                    }
                    while let Some(asked) = tasks.join_next().await {
                        asked.expect("no call fails");
                    }
                });
            });
            made[case] = counter.take();
            cost
        });
        let name = |what| format!("{what}/{CALLERS} misses of {distinct} key(s)");
        let made = made.map(|made| Figure::once(made as f64));
        rows.extend(Row::beside_all(
            &name("requests"),
            "requests",
            &NAMES,
            &made,
        ));
        for (what, aspect) in [
            ("cpu", (|cost| cost.cpu) as fn(&Cost) -> _),
            ("wall", |cost| cost.wall),
        ] {
            let figures: Vec<_> = costs
                .iter()
                .map(|costs| measure::median(costs, aspect, 1e6))
                .collect();
            rows.extend(Row::beside_all(&name(what), "ms", &NAMES, &figures));
        }
    }
    rows
}

/// The code of a user of another cache: a request by the pool, parsed.
pub async fn fetch(
    pool: &Pool<HttpConnector, Empty<Bytes>>,
    url: &http::Uri,
    key: &Key,
    counter: &Counter,
) -> Arc<Info> {
    counter.add();
    let request = http::Request::get(url.clone())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {}", key.text()))
        .body(Empty::new())
        .expect("a request");
    Arc::new(parse(pool.request(request).await.expect("an answer")).await)
}
