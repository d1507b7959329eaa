//! Waiting for the refresh of another process.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use vouchsafe_cloud_credentials::ErrorKind;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, MemoryStore, Scope, Store, StoreLeases};
use vouchsafe_core::{BoxFuture, Result};

use crate::fleet::{had, sharing, taken};
use crate::server::{TokenServer, key, put, secret, seed, seeded};

/// A store with a stale token, whose lease another process has.
async fn leased() -> (Arc<dyn Store>, StoreLeases, Lease) {
    let store = seeded("rt-0").await;
    let leases = StoreLeases::new(Arc::clone(&store));
    let lease = taken(&leases, Duration::from_secs(600)).await;
    (store, leases, lease)
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_the_record_has_changed_ends_a_wait_at_once() {
    // Later waits are longer.
    for waited in [0, 1, 5, 20] {
        let (store, leases, lease) = leased().await;
        let server = TokenServer::new(true);
        let credentials = sharing(&server, &store);
        let mut waiting = JoinSet::new();
        waiting.spawn(async move { (had(&credentials).await, Instant::now()) });
        sleep(Duration::from_millis(waited * 1000 + 37)).await;
        let written = Instant::now();
        let renewed = json!({"client_id": "c", "refresh_token": "rt-1", "access_token": "at-1"});
        put(&*store, &renewed).await;
        let (token, at) = waiting.join_next().await.unwrap().unwrap();
        assert_eq!((token, at), (secret("at-1"), written));
        assert_eq!(server.requests(), 0);
        assert!(leases.release(lease).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_after_its_time() {
    for millis in [1, 1000, 10_100] {
        let (store, _leases, _lease) = leased().await;
        let server = TokenServer::new(true);
        let builder = server.builder().store(store);
        let builder = builder.wait_time(Duration::from_millis(millis));
        let credentials = builder.build().unwrap();
        // Timers count milliseconds.
        let limit = Duration::from_millis(millis);
        let is_over = |begun: Instant| {
            let late = begun.elapsed().checked_sub(limit);
            late.is_some_and(|late| late <= Duration::from_millis(1))
        };
        let begun = Instant::now();
        let error = credentials.refresh().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RefreshTimeout);
        assert!(error.is_retryable());
        assert!(is_over(begun), "{:?}", begun.elapsed());
        // So does that of a change of the record.
        let begun = Instant::now();
        let error = credentials.write().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RefreshTimeout);
        assert!(is_over(begun), "{:?}", begun.elapsed());
        assert_eq!(server.requests(), 0);
    }
}

/// Leases that end long before their time.
#[derive(Debug)]
struct Brief {
    leases: StoreLeases,
    clock: Arc<ManualClock>,
}

impl Leases for Brief {
    fn acquire<'a>(&'a self, key: &'a Key, _: Duration) -> BoxFuture<'a, Result<Acquired>> {
        self.leases.acquire(key, Duration::from_millis(300))
    }

    fn renew<'a>(&'a self, _: &'a mut Lease, _: Duration) -> BoxFuture<'a, Result<bool>> {
        self.clock.advance(Duration::from_secs(1));
        Box::pin(async { Ok(false) })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        self.leases.release(lease)
    }

    fn scope(&self) -> Scope {
        self.leases.scope()
    }
}

#[tokio::test(start_paused = true)]
async fn leases_that_end_too_soon_end_a_refresh_after_the_wait_time() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    seed(&*store, "rt-0").await;
    let clock = Arc::new(ManualClock::running());
    let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
    // A process died with its lease.
    let taken = leases.acquire(&key(), Duration::from_secs(1)).await;
    assert!(matches!(taken.unwrap(), Acquired::Lease(_)));
    clock.advance(Duration::from_secs(2));
    let brief = Brief {
        leases,
        clock: Arc::clone(&clock),
    };
    let server = TokenServer::new(true);
    let builder = server.builder().store(store).clock(clock);
    let builder = builder.leases(Arc::new(brief));
    // So that the lease has to be renewed before the request.
    let credentials = builder.request_time(Duration::from_secs(25)).build();
    let refreshed = timeout(Duration::from_secs(600), credentials.unwrap().refresh()).await;
    let error = refreshed.expect("it ends by itself").unwrap_err();
    assert!(error.is_retryable());
    assert!(
        error.to_string().contains("every lease was lost"),
        "{error}"
    );
    assert_eq!(server.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lapsed_lease_is_taken_over_however_short_the_wait_time_is() {
    let store = seeded("rt-0").await;
    let clock = Arc::new(ManualClock::running());
    let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
    // A process died with it.
    let _lease = taken(&leases, Duration::from_secs(30)).await;
    clock.advance(Duration::from_secs(31));
    let server = TokenServer::new(true);
    let builder = server.builder().store(store).clock(clock);
    let builder = builder.leases(Arc::new(leases));
    let credentials = builder.wait_time(Duration::ZERO).build().unwrap();
    credentials.refresh().await.unwrap();
    assert_eq!(server.requests(), 1);
}
