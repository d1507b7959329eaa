//! Resolves host names to addresses.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::{Cache, Fetched};
use crate::{BoxFuture, ConnectPhase, Error, ErrorKind, Result};

/// Resolves host names to addresses.
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// Resolves a name. Not called for literal addresses.
    fn resolve(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver (`getaddrinfo`), run on tokio's blocking pool.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl SystemResolver {
    /// Returns the system's resolver.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver with a cache in front: the system's does not cache, and queries again for each
/// connection.
#[derive(Clone, Debug)]
pub(super) struct CachedResolver {
    resolve: Arc<dyn Resolve>,
    cache: Cache<String, Arc<[IpAddr]>>,
    patience: Duration,
}

impl CachedResolver {
    /// A look-up that takes longer than `patience` counts as failed, so that there is still time to
    /// use an old answer for a connection.
    pub(super) fn new(resolve: Arc<dyn Resolve>, patience: Duration) -> Self {
        let cache = Cache::builder()
            .capacity(256)
            .ttl(TTL)
            .stale_if_error(USABLE - TTL)
            .fetch_again(true)
            .build();
        Self {
            resolve,
            cache,
            patience,
        }
    }

    /// Returns the addresses of a name in the order in which to try them.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>> {
        let name = name.to_ascii_lowercase();
        let fetch = || look_up(Arc::clone(&self.resolve), name.clone(), self.patience);
        let found = self.cache.get_or_fetch(&name, fetch).await?;
        Ok(shuffled(&found))
    }
}

async fn look_up(
    resolve: Arc<dyn Resolve>,
    name: String,
    patience: Duration,
) -> Result<Fetched<Arc<[IpAddr]>>> {
    let fail = |why: &str| {
        Error::new(
            ErrorKind::Connect(ConnectPhase::Dns),
            format!("the host name {why}"),
        )
        .with_retryable(true)
    };
    let mut found = tokio::time::timeout(patience, resolve.resolve(&name))
        .await
        .map_err(|_| fail("could not be resolved in time"))?
        .map_err(|cause| fail("could not be resolved").with_source(cause))?;
    if found.is_empty() {
        return Err(fail("has no address"));
    }
    // Credentials are sent to this name over plain http, so no name server may redirect it (RFC
    // 6761, 6.3). The connection is made to exactly these addresses.
    if crate::url::is_loopback(&name) {
        found.retain(|address| address.to_canonical().is_loopback());
        if found.is_empty() {
            let why = "does not resolve to this machine; use the name of the intended machine";
            return Err(fail(why).with_retryable(false));
        }
    }
    Ok(Fetched::new(Arc::from(found)))
}

/// Shuffles the addresses, so that clients that started together do not all use the first one. The
/// address family that the resolver prefers stays in front, since the resolver knows which one
/// works here.
fn shuffled(found: &[IpAddr]) -> Vec<IpAddr> {
    let preferred = found.first().map(IpAddr::is_ipv4);
    let mut addresses = found.to_vec();
    fastrand::shuffle(&mut addresses);
    addresses.sort_by_key(|ip| Some(ip.is_ipv4()) != preferred);
    addresses
}

/// How long an answer counts as fresh.
const TTL: Duration = Duration::from_secs(30);

/// The maximum age of an answer that is used because there is no fresh one.
const USABLE: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{Instant, advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Answers after a tenth of a second as the test last configured it.
    #[derive(Debug)]
    struct Fake {
        asked: AtomicUsize,
        answer: Mutex<Answer>,
    }

    #[derive(Clone, Debug)]
    enum Answer {
        Found(Vec<IpAddr>),
        Fails,
        Hangs,
    }

    impl Resolve for Fake {
        fn resolve(&self, host: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
            assert_eq!(host, "auth.example");
            self.asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                sleep(SECOND / 10).await;
                let answer = self.answer.lock().unwrap().clone();
                match answer {
                    Answer::Found(found) => Ok(found),
                    Answer::Fails => Err(io::Error::other("no name server answers")),
                    Answer::Hangs => std::future::pending().await,
                }
            })
        }
    }

    impl Fake {
        fn tell(&self, answer: Answer) {
            *self.answer.lock().unwrap() = answer;
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    fn resolver(answer: Answer) -> (CachedResolver, Arc<Fake>) {
        let fake = Arc::new(Fake {
            asked: AtomicUsize::new(0),
            answer: Mutex::new(answer),
        });
        let resolve: Arc<dyn Resolve> = Arc::clone(&fake) as _;
        (CachedResolver::new(resolve, 2 * SECOND), fake)
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_for_once_in_thirty_seconds() {
        let (resolver, fake) = resolver(Answer::Found(vec![ip(1)]));
        let (a, b) = tokio::join!(
            resolver.addresses("auth.example"),
            resolver.addresses("Auth.Example"),
        );
        assert_eq!((a.unwrap(), b.unwrap()), (vec![ip(1)], vec![ip(1)]));
        fake.tell(Answer::Found(vec![ip(2)]));
        advance(23 * SECOND).await;
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(1)]);
        assert_eq!(fake.asked(), 1);
        advance(7 * SECOND).await;
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(2)]);
        assert_eq!(fake.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_answer_is_used_for_five_minutes_if_resolving_fails() {
        let (resolver, fake) = resolver(Answer::Found(vec![ip(1)]));
        resolver.addresses("auth.example").await.unwrap();
        fake.tell(Answer::Fails);
        advance(299 * SECOND).await;
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(1)]);
        assert_eq!(fake.asked(), 2);
        advance(2 * SECOND).await;
        let error = resolver.addresses("auth.example").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Dns));
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), "the host name could not be resolved");
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_that_hangs_does_not_delay_callers_that_have_an_old_answer() {
        let (resolver, fake) = resolver(Answer::Found(vec![ip(1)]));
        resolver.addresses("auth.example").await.unwrap();
        fake.tell(Answer::Hangs);
        advance(60 * SECOND).await;
        let begin = Instant::now();
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(1)]);
        assert_eq!(begin.elapsed(), 2 * SECOND);
        // For a moment after that, look-ups do not wait at all.
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(1)]);
        assert_eq!(begin.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_not_kept_for_longer_than_a_second() {
        let (resolver, fake) = resolver(Answer::Fails);
        resolver.addresses("auth.example").await.unwrap_err();
        resolver.addresses("auth.example").await.unwrap_err();
        assert_eq!(fake.asked(), 1);
        fake.tell(Answer::Found(vec![ip(1)]));
        advance(SECOND).await;
        assert_eq!(resolver.addresses("auth.example").await.unwrap(), [ip(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_without_addresses_is_an_error() {
        let (resolver, _) = resolver(Answer::Found(Vec::new()));
        let error = resolver.addresses("auth.example").await.unwrap_err();
        assert_eq!(error.to_string(), "the host name has no address");
    }

    #[test]
    fn a_resolver_outlives_the_runtime_that_used_it_first() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap()
        };
        let (resolver, fake) = resolver(Answer::Found(vec![ip(1)]));
        // The first runtime is dropped while it resolves.
        let first = runtime();
        let lookup = resolver.addresses("auth.example");
        let gave_up = first.block_on(async { tokio::time::timeout(SECOND / 100, lookup).await });
        assert!(gave_up.is_err());
        drop(first);
        let found = runtime().block_on(resolver.addresses("auth.example"));
        assert_eq!(found.unwrap(), [ip(1)]);
        assert_eq!(fake.asked(), 2);
    }

    #[tokio::test]
    async fn localhost_is_this_machine_whatever_a_resolver_says() {
        for (found, expected) in [
            (vec![[127, 0, 0, 1], [10, 0, 0, 1]], Some([127, 0, 0, 1])),
            (vec![[10, 0, 0, 1], [127, 0, 0, 2]], Some([127, 0, 0, 2])),
            (vec![[10, 0, 0, 1], [0, 0, 0, 0]], None),
        ] {
            let found: Arc<[IpAddr]> = found.into_iter().map(IpAddr::from).collect();
            let resolver = CachedResolver::new(Arc::new(Always(found)), SECOND);
            for name in ["localhost", "LocalHost"] {
                let addresses = resolver.addresses(name).await;
                match expected {
                    Some(only) => assert_eq!(addresses.unwrap(), [IpAddr::from(only)]),
                    None => {
                        let error = addresses.unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Dns));
                        assert!(!error.is_retryable());
                        assert!(error.message().contains("this machine"), "{error}");
                    }
                }
            }
            assert!(
                !resolver
                    .addresses("local.example")
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    }

    /// Resolves every name to the same addresses.
    #[derive(Debug)]
    struct Always(Arc<[IpAddr]>);

    impl Resolve for Always {
        fn resolve(&self, _: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::ready(Ok(self.0.to_vec())))
        }
    }

    #[test]
    fn addresses_are_shuffled_behind_the_family_that_the_resolver_prefers() {
        let six = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
        let found = [ip(1), six, ip(2), ip(3)];
        let mut first = HashSet::new();
        for _ in 0..200 {
            let order = shuffled(&found);
            assert_eq!(order.len(), 4);
            assert_eq!(order[3], six);
            first.insert(order[0]);
        }
        assert_eq!(first.len(), 3);
    }
}
