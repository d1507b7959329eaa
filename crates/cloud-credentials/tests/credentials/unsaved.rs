//! Tokens that could not be saved when they were issued.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use vouchsafe_cloud_credentials::{Credentials, Error, ErrorKind, Events};
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::mock::{Fault, ManualClock};
use vouchsafe_core::store::{Expect, Key, Store};

use crate::fleet::{had, sharing};
use crate::server::{Fragile, TokenServer, key, put, record, secret, seed, token};

#[tokio::test(start_paused = true)]
async fn an_answer_that_could_not_be_saved_is_used_and_saved_later() {
    let server = TokenServer::new(true);
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = sharing(&server, &store);
    fragile.is_full.store(true, Ordering::Relaxed);
    let first = had(&credentials).await;
    assert_ne!(first, secret("at-0"));
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    let unsaved = credentials.values().await.unwrap().refresh_token;
    assert_ne!(unsaved, Some(secret("rt-0")));
    // The next refresh sends what the server issued, not what is in the record.
    assert_ne!(credentials.refresh().await.unwrap(), first);
    fragile.is_full.store(false, Ordering::Relaxed);
    let third = credentials.refresh().await.unwrap();
    assert_eq!(token(&*store, "access_token").await, third);
    assert_ne!(Some(token(&*store, "refresh_token").await), unsaved);
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_saved_before_it_is_used_if_the_store_is_back_in_a_moment() {
    let server = TokenServer::new(true);
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    fragile.broken.store(2, Ordering::Relaxed);
    let token_now = had(&sharing(&server, &store)).await;
    // Whatever becomes of the process now.
    assert_eq!(token(&*store, "access_token").await, token_now);
    assert_ne!(token(&*store, "refresh_token").await, secret("rt-0"));
    assert_eq!(server.requests(), 1);
}

/// Two processes, of which the first has tokens that it could not save.
struct Two {
    server: TokenServer,
    store: Arc<Fragile>,
    clock: Arc<ManualClock>,
    first: Credentials,
    second: Credentials,
}

fn process(server: &TokenServer, store: &Arc<Fragile>, clock: &Arc<ManualClock>) -> Credentials {
    let builder = server.builder().store(Arc::clone(store) as _);
    builder.clock(Arc::clone(clock) as _).build().unwrap()
}

impl Two {
    async fn new(rotates: bool) -> Self {
        let server = TokenServer::new(rotates);
        let store = Arc::new(Fragile::default());
        let clock = Arc::new(ManualClock::running());
        seed(&*store, "rt-0").await;
        let process = || process(&server, &store, &clock);
        let (first, second) = (process(), process());
        store.is_full.store(true, Ordering::Relaxed);
        had(&first).await;
        assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
        Self {
            server,
            store,
            clock,
            first,
            second,
        }
    }

    /// Keeps the store away for longer than the lease lasts.
    async fn lose_the_lease(&self) {
        self.store.is_full.store(false, Ordering::Relaxed);
        self.store.is_away.store(1, Ordering::Relaxed);
        self.pass(31).await;
        self.store.is_away.store(0, Ordering::Relaxed);
    }

    /// Lets time pass for all clocks.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            sleep(Duration::from_secs(1)).await;
            self.clock.advance(Duration::from_secs(1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_refresh_token_is_not_sent_while_its_replacement_waits_to_be_saved() {
    let two = Two::new(true).await;
    let second = two.second.clone();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { had(&second).await });
    // Longer than a lease lasts.
    two.pass(35).await;
    two.store.is_full.store(false, Ordering::Relaxed);
    let new = waiting.join_next().await.unwrap().unwrap();
    assert_eq!(new, had(&two.first).await);
    assert_eq!(token(&*two.store, "access_token").await, new);
    assert_eq!((two.server.requests(), two.server.refused()), (1, 0));
    // The lease was released.
    assert_ne!(two.second.refresh().await.unwrap(), new);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_ends_with_unsaved_tokens_holds_up_others_for_the_time_of_a_lease() {
    let two = Two::new(true).await;
    let server = two.server.clone();
    drop(two.first);
    two.clock.advance(Duration::from_secs(31));
    let error = two.second.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_renaming_that_was_refused_leaves_the_lease_to_those_who_save() {
    for is_waiting in [true, false] {
        let two = Two::new(true).await;
        let second = two.second.clone();
        let refresh = async move { had(&second).await };
        let mut waiting = JoinSet::new();
        if is_waiting {
            waiting.spawn(refresh);
            two.pass(1).await;
            rename_in_vain(&two.first).await;
        } else {
            rename_in_vain(&two.first).await;
            two.pass(20).await;
            waiting.spawn(refresh);
        }
        // Longer than a lease lasts, and than others wait after its end.
        two.pass(25).await;
        two.store.is_full.store(false, Ordering::Relaxed);
        let new = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(new, had(&two.first).await);
        assert_eq!((two.server.requests(), two.server.refused()), (1, 0));
    }
}

async fn rename_in_vain(credentials: &Credentials) {
    let error = credentials.rename_profile("default", "dev").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("not saved yet"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_not_renamed_while_another_process_has_tokens_to_save() {
    let two = Two::new(true).await;
    let error = two.second.rename_profile("default", "dev").await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::RefreshTimeout);
    assert_eq!(token(&*two.store, "refresh_token").await, secret("rt-0"));
}

#[tokio::test(start_paused = true)]
async fn others_refresh_at_once_if_the_refresh_token_is_still_good() {
    let two = Two::new(false).await;
    assert!(!two.first.has_unsaved_refresh_token());
    had(&two.second).await;
    assert_eq!((two.server.requests(), two.server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn others_do_not_wait_for_tokens_that_a_login_has_overtaken() {
    let two = Two::new(true).await;
    two.store.is_full.store(false, Ordering::Relaxed);
    let login = json!({"client_id": "c", "client_secret": "s", "refresh_token": "another"});
    put(&*two.store, &login).await;
    let error = two.second.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
    assert_eq!(record(&*two.store).await["refresh_token"], "another");
    assert_eq!(two.server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_program_can_save_what_was_not_saved_before_it_ends() {
    let two = Two::new(true).await;
    let begun = Instant::now();
    let error = two.first.flush().await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    // One that does not pass by itself is not tried again.
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(two.first.has_unsaved_refresh_token());
    two.store.is_full.store(false, Ordering::Relaxed);
    // One that passes is waited for.
    two.store.broken.store(40, Ordering::Relaxed);
    let new = had(&two.first).await;
    two.first.flush().await.unwrap();
    assert!(!two.first.has_unsaved_refresh_token());
    assert_eq!(token(&*two.store, "access_token").await, new);
    two.first.flush().await.unwrap();
    drop(two.first);
    assert_eq!(had(&two.second).await, new);
    assert_eq!(two.server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_saved_is_kept_while_others_give_up() {
    let two = Two::new(true).await;
    let error = two.second.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RefreshTimeout);
    assert!(error.is_retryable(), "{error}");
    assert_eq!(two.server.requests(), 1);
    assert_eq!(
        had(&two.first).await,
        two.first.values().await.unwrap().access_token.unwrap()
    );
}

impl Two {
    /// Has the second process need a token, and lets the first save its own after longer than a lease
    /// lasts. One request serves both.
    async fn one_request_serves_both(&self) {
        let second = self.second.clone();
        let mut waiting = JoinSet::new();
        waiting.spawn(async move { had(&second).await });
        self.pass(35).await;
        self.store.is_full.store(false, Ordering::Relaxed);
        let new = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(new, had(&self.first).await);
        assert_eq!((self.server.requests(), self.server.refused()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn saving_that_is_given_up_keeps_others_from_sending_the_spent_refresh_token() {
    let polls = at_each_await(async |polls| {
        let two = Two::new(true).await;
        two.store.slowness.store(10, Ordering::Relaxed);
        let cut = cut(polls, two.first.flush()).await;
        two.store.slowness.store(0, Ordering::Relaxed);
        two.one_request_serves_both().await;
        cut.output().is_some()
    })
    .await;
    assert!(polls > 3, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_not_answered_does_not_lose_the_lease() {
    for unanswered in 1..4 {
        let two = Two::new(true).await;
        two.store.unanswered.store(unanswered, Ordering::Relaxed);
        two.one_request_serves_both().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_taken_again_while_tokens_wait_to_be_saved() {
    let two = Two::new(true).await;
    let lease = key().lease();
    assert!(two.store.remove(&lease, &Expect::Any).await.unwrap());
    two.pass(12).await;
    two.one_request_serves_both().await;
}

#[tokio::test(start_paused = true)]
async fn others_do_not_wait_for_ever_for_a_save_that_cannot_succeed() {
    let two = Two::new(true).await;
    two.pass(400).await;
    let error = two.second.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
    // The first process still has its tokens, and saves them when it can.
    two.store.is_full.store(false, Ordering::Relaxed);
    two.first.flush().await.unwrap();
    assert_eq!(
        token(&*two.store, "access_token").await,
        had(&two.first).await
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_for_longer_than_a_lease_gives_back_no_spent_refresh_token() {
    // Calls fail at once, or when their time is over.
    for takes in [1, 10_000] {
        for phase in 1..20 {
            let two = Two::new(true).await;
            two.store.is_full.store(false, Ordering::Relaxed);
            two.store.is_away.store(takes, Ordering::Relaxed);
            two.pass(31).await;
            sleep(Duration::from_millis(phase * 1_017)).await;
            two.store.is_away.store(0, Ordering::Relaxed);
            // The lease is free, and this process comes first.
            let new = had(&two.second).await;
            assert_eq!(new, had(&two.first).await, "{takes}, {phase}");
            assert_eq!(token(&*two.store, "access_token").await, new);
            assert_eq!((two.server.requests(), two.server.refused()), (1, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_cannot_read_the_record_leaves_the_wait_for_a_lapsed_holder_to_the_next() {
    let two = Two::new(true).await;
    let third = process(&two.server, &two.store, &two.clock);
    two.lose_the_lease().await;
    let fails = &two.store.is_unreadable_once_leased;
    fails.store(true, Ordering::Relaxed);
    // It has the lease when that happens, and releases it.
    let error = two.second.refresh().await.unwrap_err();
    assert!(error.to_string().contains("connection is gone"), "{error}");
    let new = had(&third).await;
    assert_eq!(new, had(&two.first).await);
    assert_eq!(token(&*two.store, "access_token").await, new);
    assert_eq!((two.server.requests(), two.server.refused()), (1, 0));
    // No holder has to wait any more.
    let begun = Instant::now();
    third.refresh().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_profile_gets_another_name_once_a_lapsed_holder_had_the_time_to_save_its_tokens() {
    let two = Two::new(true).await;
    two.lose_the_lease().await;
    let (renaming, other) = (&two.second, Key::new("profiles", "other"));
    renaming.rename_profile("default", "other").await.unwrap();
    assert!(!two.first.has_unsaved_refresh_token());
    let renamed = two.store.load(&other).await.unwrap().unwrap();
    let renamed = String::from_utf8(renamed.value.expose().to_vec()).unwrap();
    assert!(!renamed.contains("rt-0"), "{renamed}");
}

#[tokio::test(start_paused = true)]
async fn a_save_that_got_no_answer_is_made_up_for_before_the_program_ends() {
    let server = TokenServer::new(true);
    let slow = server.with_slow_answers();
    let store = Arc::new(Fragile::default());
    let clock = Arc::new(ManualClock::running());
    seed(&*store, "rt-0").await;
    let first = process(&slow, &store, &clock);
    let refreshing = first.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await });
    slow.asked().await;
    // Longer than a call may take.
    store.slowness.store(60_000, Ordering::Relaxed);
    slow.open();
    let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
    store.slowness.store(0, Ordering::Relaxed);
    // Without this the program would take its tokens along.
    assert!(first.has_unsaved_refresh_token());
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    first.flush().await.unwrap();
    drop(first);
    assert_eq!(had(&process(&server, &store, &clock)).await, new);
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow_to_write_does_not_cost_the_lease() {
    let server = TokenServer::new(true);
    let slow = server.with_slow_answers();
    let store = Arc::new(Fragile::default());
    let clock = Arc::new(ManualClock::running());
    seed(&*store, "rt-0").await;
    let process = |server: &TokenServer| {
        let builder = server.builder().store(Arc::clone(&store) as _);
        let builder = builder.request_time(Duration::from_secs(25));
        builder.clock(Arc::clone(&clock) as _).build().unwrap()
    };
    let (holder, other) = (process(&slow), process(&server));
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { had(&holder).await });
    slow.asked().await;
    let number = async || {
        let lease = store.load(&key().lease()).await.unwrap().unwrap();
        let text = String::from_utf8(lease.value.expose().to_vec()).unwrap();
        text.split(' ').next().unwrap().to_owned()
    };
    let first = number().await;
    waiting.spawn(async move { had(&other).await });
    let pass = async |seconds| {
        for _ in 0..seconds {
            sleep(Duration::from_secs(1)).await;
            clock.advance(Duration::from_secs(1));
        }
    };
    pass(24).await;
    store.slowness.store(4_000, Ordering::Relaxed);
    slow.open();
    pass(20).await;
    let tokens = waiting.join_all().await;
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!((server.requests(), server.refused()), (1, 0));
    // No other had the lease.
    assert_eq!(number().await, first);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_a_login_has_overtaken_are_tried_for_a_while_and_then_at_the_next_refresh() {
    let login = json!({"client_id": "c", "client_secret": "s", "refresh_token": "another"});
    let old = json!({"client_id": "c", "client_secret": "s", "refresh_token": "rt-0"});
    let overtaken = async || {
        let two = Two::new(true).await;
        two.store.is_full.store(false, Ordering::Relaxed);
        put(&*two.store, &login).await;
        two
    };
    // A program that had the old record in its memory writes it back.
    let two = overtaken().await;
    two.pass(60).await;
    put(&*two.store, &old).await;
    two.pass(40).await;
    assert_ne!(token(&*two.store, "refresh_token").await, secret("rt-0"));
    assert!(!two.first.has_unsaved_refresh_token());

    let two = overtaken().await;
    two.pass(400).await;
    let readings = two.store.readings.load(Ordering::Relaxed);
    two.pass(400).await;
    assert_eq!(two.store.readings.load(Ordering::Relaxed), readings);
    assert!(two.first.has_unsaved_refresh_token());
    put(&*two.store, &old).await;
    two.first.refresh().await.unwrap();
    assert!(!two.first.has_unsaved_refresh_token());
    assert_eq!((two.server.requests(), two.server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_login_was_removed_does_not_get_the_unsaved_tokens() {
    let two = Two::new(true).await;
    let left = json!({"client_id": "c"});
    two.store.is_full.store(false, Ordering::Relaxed);
    put(&*two.store, &left).await;
    two.pass(60).await;
    assert_eq!(record(&*two.store).await, left);
    assert!(two.first.has_unsaved_refresh_token());
}

#[tokio::test(start_paused = true)]
async fn an_unsaved_refresh_token_that_is_refused_is_not_kept() {
    let two = Two::new(true).await;
    let refusal = json!({"error": "invalid_grant"});
    let fault = Fault::on_any().status(400).json(&refusal);
    two.server.server.faults().add(fault);
    let error = two.first.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
    assert!(!two.first.has_unsaved_refresh_token());
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_acquisition_was_not_answered_holds_up_no_refresh_of_its_process() {
    let server = TokenServer::new(true);
    let store = Arc::new(Fragile::default());
    seed(&*store, "rt-0").await;
    let credentials = sharing(&server, &(Arc::clone(&store) as _));
    store.unanswered.store(1, Ordering::Relaxed);
    let error = credentials.refresh().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // The error is remembered for a second.
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    credentials.refresh().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[test]
fn saving_that_began_on_a_runtime_that_is_not_driven_goes_on_elsewhere() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let store = Arc::new(Fragile::default());
    let credentials = first.block_on(async {
        let server = TokenServer::new(true);
        let shared: Arc<dyn Store> = Arc::clone(&store) as _;
        seed(&*shared, "rt-0").await;
        let credentials = sharing(&server, &shared);
        store.is_full.store(true, Ordering::Relaxed);
        had(&credentials).await;
        store.is_stuck.store(true, Ordering::Relaxed);
        store.stuck.notified().await;
        credentials
    });
    store.is_stuck.store(false, Ordering::Relaxed);
    store.is_full.store(false, Ordering::Relaxed);
    second.block_on(async {
        let flushed = timeout(Duration::from_secs(60), credentials.flush()).await;
        flushed.unwrap().unwrap();
        assert_ne!(token(&*store, "refresh_token").await, secret("rt-0"));
    });
}

/// Writes what could not be saved, in a task of its own.
#[derive(Debug, Default)]
struct Writer {
    credentials: OnceLock<Credentials>,
    tasks: Mutex<JoinSet<()>>,
}

impl Events for Writer {
    fn unsaved(&self, _: &str, _: &Error) {
        let credentials = self.credentials.get().unwrap().clone();
        let write = async move {
            credentials.flush().await.unwrap();
            credentials.write().await.unwrap();
        };
        self.tasks.lock().unwrap().spawn(write);
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_told_can_start_a_task_that_saves() {
    let server = TokenServer::new(true);
    let store = Arc::new(Fragile::default());
    seed(&*store, "rt-0").await;
    let writer = Arc::new(Writer::default());
    let builder = server.builder().store(Arc::clone(&store) as _);
    let credentials = builder.events(writer.clone()).build().unwrap();
    writer.credentials.set(credentials.clone()).unwrap();
    // As many as are tried before that.
    store.broken.store(40, Ordering::Relaxed);
    let new = had(&credentials).await;
    let tasks = std::mem::take(&mut *writer.tasks.lock().unwrap());
    assert!(!tasks.is_empty());
    tasks.join_all().await;
    assert_eq!(token(&*store, "access_token").await, new);
    assert!(!credentials.has_unsaved_refresh_token());
    assert_eq!((server.requests(), server.refused()), (1, 0));
}
