//! Only sequential calls, to be counted from outside.

use std::sync::Arc;

use http_body_util::Empty;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_userinfo::Client;

use super::cache::{Cache, Counter, Key, canned};
use super::misses::fetch;

/// Requests the same user repeatedly, from the cache.
pub fn hits(runtime: &Runtime, name: &str, count: usize) {
    let key = Key::random();
    runtime.block_on(async {
        let client = canned(16).build().expect("a client");
        let info = client.user_info(&key.token).await.expect("an answer");
        let cache = match name {
            "vouchsafe" => Cache::Ours(Box::new(client)),
            "moka" => Cache::moka(16),
            _ => Cache::quick_cache(16),
        };
        if name != "vouchsafe" {
            cache.put(&key, Arc::clone(&info)).await;
        }
        for _ in 0..count {
            cache.look_up(&key, async || Arc::clone(&info)).await;
        }
    });
}

/// Requests another user each time.
pub fn misses(runtime: &Runtime, name: &str, base: &str, count: usize) {
    let keys: Vec<Key> = (0..count).map(|_| Key::random()).collect();
    runtime.block_on(async {
        if name == "vouchsafe" {
            let transport = HttpTransport::builder().only_roots().build();
            let client = Client::builder()
                .transport(Arc::new(transport.expect("a transport")))
                .cache_capacity(2 * count)
                .repertoire_url(format!("{base}/repertoire"))
                .build()
                .expect("a client");
            for key in &keys {
                client.user_info(&key.token).await.expect("an answer");
            }
            return;
        }
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let pool: Pool<_, Empty<bytes::Bytes>> = Pool::builder(TokioExecutor::new()).build(tcp);
        let url = format!("{base}/api/user-info").parse().expect("a URL");
        let counter = Counter::default();
        for key in &keys {
            fetch(&pool, &url, key, &counter).await;
        }
    });
}
