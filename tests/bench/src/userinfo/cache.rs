//! The compared caches, with the same guarantees: bounded, a lifetime of five minutes, keys that
//! are digests, one fetch for each key at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use vouchsafe_core::cache::Digest;
use vouchsafe_core::observe::{AttemptEvent, Observer};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Secret};
use vouchsafe_userinfo::{Client, ClientBuilder, Token};

use crate::server;

/// The names of all caches, ours first.
pub const NAMES: [&str; 3] = ["vouchsafe", "moka", "quick_cache"];

/// How long values live in all of them.
const TTL: Duration = Duration::from_secs(5 * 60);

/// One cache of values `V`; ours is the whole client.
#[derive(Clone)]
pub enum Cache<V: Clone> {
    Ours(Box<Client>),
    Moka(moka::future::Cache<Digest, V>),
    Quick(Arc<quick_cache::sync::Cache<Digest, Timed<V>>>),
}

/// A value of a cache that knows no lifetimes.
#[derive(Clone)]
pub struct Timed<V> {
    expires: Instant,
    value: V,
}

/// A token for us and one for the others. Both are cheap to clone and hold their digest.
pub struct Key {
    pub token: Token,
    plain: Arc<Plain>,
}

struct Plain {
    text: Secret,
    digest: Digest,
}

impl Key {
    pub fn random() -> Self {
        let token = Token::random();
        let text = token.secret().clone();
        let digest = Digest::of(text.expose());
        Self {
            token,
            plain: Arc::new(Plain { text, digest }),
        }
    }

    pub fn text(&self) -> &str {
        self.plain.text.expose()
    }
}

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    pub fn moka(capacity: usize) -> Self {
        let builder = moka::future::Cache::builder();
        Self::Moka(
            builder
                .max_capacity(capacity as u64)
                .time_to_live(TTL)
                .build(),
        )
    }

    pub fn quick_cache(capacity: usize) -> Self {
        Self::Quick(Arc::new(quick_cache::sync::Cache::new(capacity)))
    }

    /// Looks a key up, and fetches its value if it is not there. Ours knows how to fetch.
    pub async fn look_up<F>(&self, key: &Key, fetch: impl Fn() -> F)
    where
        F: Future<Output = V>,
    {
        match self {
            Self::Ours(client) => {
                let info = client.user_info(&key.token).await.expect("an answer");
                std::hint::black_box(info);
            }
            Self::Moka(cache) => {
                let fetch = async { Ok::<V, ()>(fetch().await) };
                let value = cache.try_get_with_by_ref(&key.plain.digest, fetch).await;
                let _ = std::hint::black_box(value);
            }
            Self::Quick(cache) => loop {
                let fetch = async {
                    let value = fetch().await;
                    Ok::<_, ()>(Timed {
                        expires: Instant::now() + TTL,
                        value,
                    })
                };
                let Ok(timed) = cache.get_or_insert_async(&key.plain.digest, fetch).await else {
                    continue;
                };
                if timed.expires > Instant::now() {
                    std::hint::black_box(timed.value);
                    return;
                }
                cache.remove(&key.plain.digest);
            },
        }
    }

    /// Puts a value in, for caches that we do not fill by asking.
    pub async fn put(&self, key: &Key, value: V) {
        match self {
            Self::Ours(_) => unreachable!("ours is filled by asking"),
            Self::Moka(cache) => cache.insert(key.plain.digest, value).await,
            Self::Quick(cache) => {
                let expires = Instant::now() + TTL;
                cache.insert(key.plain.digest, Timed { expires, value });
            }
        }
    }
}

/// Creates a client without a network.
pub fn canned(capacity: usize) -> ClientBuilder {
    Client::builder()
        .transport(Arc::new(Canned))
        .repertoire_url(format!("{CANNED}/repertoire"))
        .cache_capacity(capacity)
        .cache_lifetime(TTL)
}

const CANNED: &str = "https://data.example.com";

/// Answers immediately, like the server.
#[derive(Debug)]
struct Canned;

impl Transport for Canned {
    fn send(&self, request: Request) -> BoxFuture<'_, vouchsafe_core::Result<Response>> {
        let mut response = Response::new(StatusCode::OK);
        response.body = if request.uri.path().ends_with("/discovery") {
            server::discovery(CANNED).into()
        } else {
            server::INFO.as_bytes().to_vec().into()
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// Counts requests.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl Counter {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Observer for Counter {
    fn attempt(&self, _: &AttemptEvent<'_>) {
        self.add();
    }
}
