//! What only the parts of the coordinator show.

use http::StatusCode;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::{Acquired, Expect, MemoryStore, StoreLeases, Swapped};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A coordinator, with its leases and clock.
struct Parts {
    coordinator: Coordinator,
    store: Arc<dyn Store>,
    leases: Arc<StoreLeases>,
    clock: Arc<ManualClock>,
}

impl Parts {
    fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::at_unix(1_000));
        let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
        let leases = Arc::new(leases);
        let coordinator = Coordinator::new(
            Arc::clone(&store),
            Arc::clone(&leases) as _,
            Key::new("n", "p"),
            Arc::clone(&clock) as _,
            Times::default(),
            None,
        );
        Self {
            coordinator,
            store,
            leases,
            clock,
        }
    }

    fn keep(&self, lineage: Option<&str>, kept: Kept) {
        let lineage = lineage.map(str::to_owned);
        lock(&self.coordinator.shared.unsaved).insert(lineage, kept);
    }

    /// Lets time pass for all clocks.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }
}

fn record(refresh_token: &str) -> Record {
    Record {
        client_id: Some("c".to_owned()),
        refresh_token: Some(Secret::from(refresh_token)),
        ..Record::default()
    }
}

fn wanted(given: Option<Given>) -> Wanted {
    Wanted {
        stale: Stale::Current,
        given,
        is_token_cached: true,
        is_secret_kept: true,
        guard: SECOND,
    }
}

/// Tokens that replaced `first` and are not saved.
fn kept(given: Option<Given>) -> Kept {
    let unsaved = Unsaved {
        replaced: vec![Secret::from("first")],
        record: record("second"),
        is_fresh: false,
        is_displaced: false,
    };
    Kept {
        unsaved,
        wanted: wanted(given),
        at: None,
        displaced: None,
        failing: Failing::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_a_request_that_it_would_not_outlast() {
    let parts = Parts::new();
    let key = parts.coordinator.key().clone();
    let mut exclusive = parts.coordinator.exclusive(&key).await.unwrap();
    for _ in 0..4 {
        let until = exclusive.keep_for_request().await.unwrap().unwrap();
        assert_eq!(until.left(), 20 * SECOND);
        parts.pass(15 * SECOND).await;
    }
    parts.pass(60 * SECOND).await;
    let taken = parts.leases.acquire(&key, 30 * SECOND).await.unwrap();
    assert!(matches!(taken, Acquired::Lease(_)));
    assert!(exclusive.keep_for_request().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn while_others_wait_for_tokens_saving_is_tried_twice_in_the_time_of_a_lapsed_holder() {
    let parts = Parts::new();
    let shared = &parts.coordinator.shared;
    let wait = || shared.wait_to_save(32 * SECOND);
    assert_eq!(wait(), None);
    parts.keep(None, kept(None));
    assert_eq!(wait(), Some(5 * SECOND));
    assert_eq!(shared.wait_to_save(SECOND), Some(SECOND));
    // No other has to wait for these.
    let mut displaced = kept(None);
    displaced.unsaved.is_displaced = true;
    displaced.displaced = Some(Instant::now());
    parts.keep(None, displaced);
    assert_eq!(wait(), Some(32 * SECOND));
    parts.pass(300 * SECOND).await;
    assert_eq!(wait(), None);
}

#[tokio::test(start_paused = true)]
async fn unsaved_tokens_are_taken_over_by_credentials_that_use_the_record() {
    let parts = Parts::new();
    let given = Given {
        client_id: Some("c".to_owned()),
        refresh_token: Some(Secret::from("first")),
        ..Given::default()
    };
    let lineage = given.lineage();
    parts.keep(lineage.as_deref(), kept(Some(given)));
    let shared = &parts.coordinator.shared;
    let lineages = || lock(&shared.unsaved).keys().cloned().collect::<Vec<_>>();
    // As long as the record has another login, they stay with theirs.
    for (there, expected) in [("another", lineage), ("first", None)] {
        let value = record(there).write().unwrap();
        let key = parts.coordinator.key();
        let put = parts.store.compare_and_swap(key, &Expect::Any, &value);
        assert!(matches!(put.await.unwrap(), Swapped::Done(_)));
        shared.take_over(&wanted(None)).await;
        assert_eq!(lineages(), [expected]);
    }
    // They are saved there.
    assert!(lock(&shared.unsaved)[&None].wanted.given.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_saved_is_forgotten_with_its_own_record_only() {
    let parts = Parts::new();
    let shared = &parts.coordinator.shared;
    parts.keep(None, kept(None));
    parts.keep(Some("0123456789abcdef"), kept(None));
    lock(&shared.refused).insert("refused".to_owned());
    parts.coordinator.forget().await;
    let left: Vec<_> = lock(&shared.unsaved).keys().cloned().collect();
    assert_eq!(left, [Some("0123456789abcdef".to_owned())]);
    assert!(lock(&shared.refused).is_empty());
}

#[test]
fn failures_of_different_requests_are_remembered_beside_each_other() {
    let parts = Parts::new();
    let failures = &parts.coordinator.shared.failures;
    let error = Core::new(Kind::Status, "busy").with_status(StatusCode::SERVICE_UNAVAILABLE);
    let error = Error::from(error.with_retry_after(Some(60 * SECOND)));
    for server in ["one", "other"] {
        failures.add(server, &record("first"), &error);
    }
    let is_known = |server, token| failures.recent(server, &record(token)).is_some();
    assert!(is_known("one", "first") && is_known("other", "first"));
    assert!(!is_known("one", "second") && !is_known("third", "first"));
}

#[test]
fn debug_shows_what_waits_to_be_saved_without_the_tokens() {
    let parts = Parts::new();
    parts.keep(None, kept(None));
    let shown = format!("{:?}", parts.coordinator);
    assert!(shown.starts_with("Coordinator(Shared {"), "{shown}");
    assert!(
        shown.contains("replaced") && !shown.contains("second"),
        "{shown}"
    );
}
