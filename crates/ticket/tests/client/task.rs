//! The client's one task: its pace, what ends it, what it leaves to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use vouchsafe_core::mock::{Fault, ManualClock};
use vouchsafe_core::observe::{CallEvent, Observer};
use vouchsafe_ticket::mock::Server;
use vouchsafe_ticket::protocol::RetrySettings;
use vouchsafe_ticket::{
    BlackboxEnv, Client, ErrorKind, ServiceSecret, StatusCode, TvmApiBuilder, TvmId,
};

const OWN: TvmId = TvmId::new(42);
const PEER: TvmId = TvmId::new(43);
const OTHER: TvmId = TvmId::new(44);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn server() -> (Server, ServiceSecret) {
    let server = Server::new();
    let secret = server.add_service(OWN, "shop");
    let _ = server.add_service(PEER, "peer");
    let _ = server.add_service(OTHER, "other");
    (server, secret)
}

fn api(server: &Server) -> TvmApiBuilder {
    Client::tvm_api(OWN)
        .tvm_url("https://tvm.example")
        .transport(server.host().transport())
        .clock(Arc::<ManualClock>::clone(server.clock()))
}

fn fetching((server, secret): &(Server, ServiceSecret)) -> TvmApiBuilder {
    api(server).secret(secret.clone()).destination(PEER)
}

fn tickets_asked(server: &Server) -> u64 {
    server.journal().count("tvm-api.getTickets")
}

fn paused_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// Panics in a given number of calls.
#[derive(Debug, Default)]
struct Breaker(AtomicU32);

impl Observer for Breaker {
    fn call(&self, _: &CallEvent<'_>) {
        let left = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        assert!(left.is_err(), "the breaker was armed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_daemon_that_is_well_is_well_at_every_second() {
    let (server, _) = server();
    server.add_tool_destination(OWN, "peer", PEER);
    server.set_slug(OWN, Some("shop"));
    server.set_roles("shop", r#"{"revision":"r","born_date":1}"#);
    let client = Client::tvmtool("shop")
        .auth_token(server.tool_token())
        .port(1)
        .transport(server.host().transport())
        .clock(Arc::<ManualClock>::clone(server.clock()))
        .connect()
        .await
        .unwrap();
    for second in 0..3600 {
        server.clock().advance(SECOND);
        tokio::time::sleep(SECOND).await;
        assert_eq!(
            client.status().unwrap().code(),
            StatusCode::Ok,
            "after {second} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_interrupted_by_a_panic_is_served_by_the_next_task() {
    let world = server();
    let breaker = Arc::new(Breaker::default());
    let builder = fetching(&world).observer(Arc::<Breaker>::clone(&breaker));
    let client = builder.connect().await.unwrap();
    breaker.0.store(1, Ordering::SeqCst);
    let added = client.add_destinations([OTHER]).await.unwrap();
    assert!(added[&OTHER].is_ok());
    breaker.0.store(1, Ordering::SeqCst);
    assert_eq!(client.refresh().await.unwrap().code(), StatusCode::Ok);
    // And given up when it hits them all.
    breaker.0.store(u32::MAX, Ordering::SeqCst);
    let error = client.add_destinations([TvmId::new(98)]).await.unwrap_err();
    assert!(error.message().contains("again and again"), "{error}");
}

#[test]
fn a_caller_that_waits_outlives_the_runtime_of_the_task() {
    let world = server();
    let first = paused_runtime();
    let client = first.block_on(fetching(&world).connect()).unwrap();
    world.0.faults().add(Fault::on_any().no_answer());
    let second = paused_runtime();
    let outcome = second.block_on(async {
        let wish = client.add_destinations([OTHER]);
        tokio::pin!(wish);
        // The wish is left with the first runtime's task, which never runs again.
        assert!(
            tokio::time::timeout(Duration::ZERO, wish.as_mut())
                .await
                .is_err()
        );
        // A runtime may not be dropped within another one by this thread.
        std::thread::spawn(move || drop(first)).join().unwrap();
        world.0.faults().clear();
        wish.await
    });
    assert!(outcome.unwrap()[&OTHER].is_ok());
}

#[test]
fn a_status_without_a_task_says_what_happened() {
    let world = server();
    let runtime = paused_runtime();
    let client = runtime.block_on(fetching(&world).connect()).unwrap();
    drop(runtime);
    world.0.clock().advance(3 * HOUR);
    let status = client.status().unwrap();
    assert_eq!(status.code(), StatusCode::Warning);
    let text = status.last_error();
    assert!(text.contains("ended with its tokio runtime"), "{text}");
}

#[test]
fn a_caller_without_a_runtime_waits_for_the_task_of_another_one() {
    let world = server();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let client = runtime.block_on(fetching(&world).connect()).unwrap();
    let mut wish = std::pin::pin!(client.refresh());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let status = loop {
        if let std::task::Poll::Ready(status) = wish.as_mut().poll(&mut context) {
            break status;
        }
        std::thread::yield_now();
    };
    assert_eq!(status.unwrap().code(), StatusCode::Ok);
    drop(runtime);
    let mut wish = std::pin::pin!(client.refresh());
    let std::task::Poll::Ready(refused) = wish.as_mut().poll(&mut context) else {
        panic!("no task can start here, so there is nothing to wait for");
    };
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::IllegalUsage);
}

#[test]
fn a_caller_without_a_runtime_stops_waiting_when_that_of_the_task_is_dropped() {
    for has_run in [true, false] {
        let world = server();
        let runtime = paused_runtime();
        let client = runtime.block_on(async {
            let client = fetching(&world).connect().await.unwrap();
            if has_run {
                tokio::task::yield_now().await;
            }
            client
        });
        let mut wish = std::pin::pin!(client.refresh());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(wish.as_mut().poll(&mut context).is_pending());
        drop(runtime);
        let std::task::Poll::Ready(refused) = wish.as_mut().poll(&mut context) else {
            panic!("the task that it waited for has gone");
        };
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::IllegalUsage);
    }
}

#[tokio::test(start_paused = true)]
async fn settings_and_keys_that_do_not_fit_are_explained() {
    let (server, _) = server();
    let error = api(&server).validate().unwrap_err();
    assert!(error.message().contains("nothing to do: fetch"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = api(&server)
        .check_user_tickets(BlackboxEnv::Test)
        .disk_cache(&missing)
        .validate()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("does not exist"), "{error}");
    assert!(!error.message().contains(".draft"), "{error}");
}

#[test]
fn a_new_task_keeps_the_retry_settings_of_the_old_one() {
    let world = server();
    let folder = tempfile::tempdir().unwrap();
    world.0.set_retry_settings(Some(RetrySettings {
        dsts_limit: Some(1),
        ..RetrySettings::default()
    }));
    let builder = || fetching(&world).disk_cache(folder.path());
    let first = paused_runtime();
    let client = first.block_on(builder().connect()).unwrap();
    drop(first);
    world.0.set_retry_settings(None);
    let ids = [OTHER, OWN];
    let added = paused_runtime().block_on(client.add_destinations(ids));
    assert!(added.unwrap().values().all(Result::is_ok));
    assert_eq!(tickets_asked(&world.0), 3);
    // And what it adds on the disk stands beside what was there.
    world.0.faults().add(Fault::on_any().status(503));
    let all = builder().destinations(ids);
    let client = paused_runtime().block_on(all.connect()).unwrap();
    assert!(client.service_ticket(PEER).is_ok() && client.service_ticket(OTHER).is_ok());
}

#[tokio::test(start_paused = true)]
async fn stopping_cuts_a_long_wait_short() {
    let world = server();
    world.0.set_retry_settings(Some(RetrySettings {
        exponential_backoff_min_sec: Some(60),
        ..RetrySettings::default()
    }));
    let client = fetching(&world).connect().await.unwrap();
    world.0.clock().advance(HOUR + SECOND);
    // Longer than the worker sleeps, and shorter than it waits before its first try.
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(tickets_asked(&world.0), 1, "the task waits");
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    client.stop();
    tokio::task::yield_now().await;
    assert_eq!(alive(), before - 1);
    let error = client.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped);
}

#[tokio::test(start_paused = true)]
async fn no_retry_settings_stop_a_client_not_even_from_its_disk_cache() {
    let most = Some(u32::MAX);
    for field in 0..=10 {
        let is = |at| {
            if field == 10 || field == at {
                most
            } else {
                None
            }
        };
        let world = server();
        let folder = tempfile::tempdir().unwrap();
        world.0.set_retry_settings(Some(RetrySettings {
            exponential_backoff_min_sec: is(0),
            exponential_backoff_max_sec: is(1),
            max_random_sleep_default: is(2),
            max_random_sleep_when_ok: is(3),
            retries_on_start: is(4),
            retries_in_background: is(5),
            worker_awaking_period_sec: is(6),
            dsts_limit: is(7),
            roles_update_period_sec: is(8),
            roles_warn_period_sec: is(9),
            ..RetrySettings::default()
        }));
        let builder = || fetching(&world).disk_cache(folder.path());
        let first = builder().connect().await.unwrap();
        drop(first);
        // The second one has the settings from the disk alone.
        world.0.set_retry_settings(None);
        let asked = tickets_asked(&world.0);
        let client = builder().connect().await.unwrap();
        assert_eq!(tickets_asked(&world.0), asked, "field {field}");
        let down = Fault::on("tvm-api.getTickets").times(3).status(503);
        world.0.faults().add(down);
        for _ in 0..30 {
            world.0.clock().advance(600 * SECOND);
            tokio::time::sleep(600 * SECOND).await;
        }
        let refreshed = tickets_asked(&world.0) - asked;
        assert!(refreshed >= 5, "field {field}: {refreshed}");
        assert_eq!(
            client.status().unwrap().code(),
            StatusCode::Ok,
            "field {field}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn requests_for_one_destination_each_wait_only_before_the_first() {
    let world = server();
    world.0.set_retry_settings(Some(RetrySettings {
        dsts_limit: Some(1),
        max_random_sleep_when_ok: Some(600_000),
        ..RetrySettings::default()
    }));
    let ids: Vec<TvmId> = (1000..1100).map(TvmId::new).collect();
    for id in &ids {
        let _ = world.0.add_service(*id, &format!("peer-{id}"));
    }
    let client = fetching(&world).destinations(ids).connect().await.unwrap();
    let asked = tickets_asked(&world.0);
    world.0.clock().advance(HOUR + SECOND);
    tokio::time::sleep(1000 * SECOND).await;
    assert_eq!(tickets_asked(&world.0) - asked, 101);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn tickets_fetched_while_the_clock_was_ahead_are_fetched_again() {
    let world = server();
    world.0.set_ticket_lifetime(30 * 24 * 60 * 60);
    world.0.clock().advance(24 * HOUR);
    let client = fetching(&world).connect().await.unwrap();
    let right = client.update_times().service_tickets.unwrap() - 24 * HOUR;
    world.0.clock().set(right);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(tickets_asked(&world.0), 2);
    assert_eq!(client.update_times().service_tickets, Some(right));
}

#[tokio::test(start_paused = true)]
async fn keys_are_not_believed_over_plain_http() {
    let (server, _) = server();
    let checking = || api(&server).check_user_tickets(BlackboxEnv::Test);
    let error = checking()
        .tvm_url("http://tvm.example")
        .connect()
        .await
        .unwrap_err();
    assert!(error.message().contains("plain http"), "{error}");
    assert!(!error.is_retryable());
    assert!(server.journal().is_empty());
    let allowed = checking().tvm_url("http://tvm.example").allow_plain_http();
    assert!(allowed.connect().await.is_ok());
    assert!(checking().tvm_url("localhost:1").connect().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn another_part_that_fails_is_not_named_as_the_reason() {
    let world = server();
    let client = fetching(&world)
        .check_service_tickets()
        .connect()
        .await
        .unwrap();
    let keys = Fault::on("tvm-api.getKeys").status(404);
    world.0.faults().add(keys);
    client.refresh().await.unwrap();
    let tickets = Fault::on("tvm-api.getTickets").status(503);
    world.0.faults().add(tickets);
    let added = client.add_destinations([OTHER]).await.unwrap();
    let error = added[&OTHER].as_ref().unwrap_err();
    assert!(
        error.message().contains("ServiceTickets: Path:/2/ticket"),
        "{error}"
    );
}
