//! Waiting for the refresh of another process.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use vouchsafe_cloud_credentials::ErrorKind;
use vouchsafe_core::store::{Acquired, Lease, Leases as _, MemoryStore, Store, StoreLeases};

use crate::fleet::{had, sharing};
use crate::server::{TokenServer, key, put, secret, seed};

/// A store with a stale token, whose lease another process has.
async fn leased() -> (Arc<dyn Store>, StoreLeases, Lease) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    seed(&*store, "rt-0").await;
    let leases = StoreLeases::new(Arc::clone(&store));
    let taken = leases.acquire(&key(), Duration::from_secs(600)).await;
    let lease = match taken.unwrap() {
        Acquired::Lease(lease) => Some(lease),
        Acquired::Held { .. } => None,
    };
    (store, leases, lease.unwrap())
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
