//! The client against the emulators: starting, keeping fresh, status, what ends it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod environment;
#[path = "../../../../tests/support/log.rs"]
mod log;
mod roles;
mod secrets;
mod settings;
mod task;
mod tool;
mod world;

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::Secret;
use vouchsafe_core::mock::Fault;
use vouchsafe_ticket::{
    BlackboxEnv, CheckErrorKind, Client, ErrorKind, ServiceSecret, StatusCode, TicketStatus, TvmId,
    Uid,
};
use world::{DAY, HOUR, OTHER, OWN, PEER, ROLES, SLUG, World, last_error, status};

#[tokio::test(start_paused = true)]
async fn it_starts_with_tickets_and_keys_and_checks_what_others_send() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    assert_eq!(client.status().unwrap().last_error(), "OK");
    let ticket = client.service_ticket("peer").unwrap();
    assert_eq!(ticket, client.service_ticket(PEER).unwrap());

    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    let checked = client.check_service_ticket(incoming.expose()).unwrap();
    assert_eq!(checked.src(), PEER);
    let error = client.check_service_ticket(ticket.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::InvalidDst));

    let user = world
        .server
        .mint_user(BlackboxEnv::Test, &[Uid::new(7)])
        .unwrap();
    let checked = client.check_user_ticket(user.expose()).unwrap();
    assert_eq!(checked.default_uid(), Uid::new(7));
}

#[tokio::test(start_paused = true)]
async fn another_environment_is_checked_as_far_as_that_is_allowed() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    let user = world
        .server
        .mint_user(BlackboxEnv::Prod, &[Uid::new(7)])
        .unwrap();
    let error = client.check_user_ticket(user.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::InvalidBlackboxEnv));
    assert!(
        client
            .check_user_ticket_in(user.expose(), BlackboxEnv::Prod)
            .is_ok()
    );
    let strict = world.api().check_user_tickets(BlackboxEnv::Prod);
    let strict = strict.connect().await.unwrap();
    let error = strict
        .check_user_ticket_in(user.expose(), BlackboxEnv::Test)
        .unwrap_err();
    let (from, to) = (BlackboxEnv::Prod, BlackboxEnv::Test);
    assert_eq!(error.kind(), CheckErrorKind::IllegalOverride { from, to });
    let error = strict.check_service_ticket("3:serv:a:b").unwrap_err();
    assert_eq!(error.kind(), CheckErrorKind::Disabled);
    assert_eq!(
        strict.service_ticket(PEER).unwrap_err().message(),
        "Need to enable ServiceTickets fetching"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_fails_at_once_when_another_try_will_not_help() {
    let world = World::new();
    let wrong = ServiceSecret::parse(&Secret::from("d3Jvbmc")).unwrap();
    let builder = world.api().secret(wrong).destination(PEER);
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Start);
    assert!(!error.is_retryable());
    let text = error.to_string();
    let expected = "Failed to start TvmClient. Do not retry: ServiceTickets: \
                    Path:/2/ticket.Code=400: ";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(world.count("tvm-api.getTickets"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_tries_three_times_when_another_try_may_help() {
    let world = World::new();
    world
        .server
        .faults()
        .add(Fault::on("tvm-api.getKeys").times(2).status(503));
    assert!(world.full().connect().await.is_ok());
    assert_eq!(world.count("tvm-api.getKeys"), 3);
    world
        .server
        .faults()
        .add(Fault::on("tvm-api.getKeys").status(503));
    let error = world.full().connect().await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with("Failed to start TvmClient. You can retry: PublicKeys: "),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_refused_stops_the_start_unless_that_is_allowed() {
    let world = World::new();
    world.server.refuse_destination(OTHER, Some("no"));
    let error = world
        .fetching()
        .destination(OTHER)
        .connect()
        .await
        .unwrap_err();
    assert!(
        error
            .message()
            .ends_with("Failed to get ServiceTicket for 44: no"),
        "{error}"
    );
    let builder = world
        .fetching()
        .destination(OTHER)
        .allow_incomplete_tickets();
    let client = builder.connect().await.unwrap();
    assert_eq!(status(&client), StatusCode::IncompleteTicketsSet);
    assert_eq!(client.status().unwrap().last_error(), "OK");
    let error = client.service_ticket(OTHER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingServiceTicket);
    assert_eq!(error.message(), "Failed to get ticket for '44': no");
}

#[tokio::test(start_paused = true)]
async fn each_part_is_fetched_again_when_it_is_due() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    let counts = || {
        (
            world.count("tvm-api.getTickets"),
            world.count("tvm-api.getKeys"),
        )
    };
    assert_eq!(counts(), (1, 1));
    world.advance(HOUR - Duration::from_secs(10));
    world.looked().await;
    assert_eq!(counts(), (1, 1));
    world.advance(Duration::from_secs(20));
    world.until(|| counts() == (2, 1)).await;
    world.server.rotate_keys();
    world.advance(DAY);
    world.until(|| counts() == (3, 2)).await;
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    // Nothing was fetched twice.
    world.looked().await;
    assert_eq!(counts(), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_is_gone_turns_the_status_while_checks_go_on() {
    let world = World::new();
    world.server.set_ticket_lifetime(30 * 24 * 60 * 60);
    let client = world.full().connect().await.unwrap();
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    world.server.faults().add(Fault::on_any().status(503));
    assert_eq!(status(&client), StatusCode::Ok);
    world.advance(HOUR * 2);
    world.asked().await;
    assert_eq!(status(&client), StatusCode::Ok);
    world.advance(Duration::from_secs(1));
    assert_eq!(status(&client), StatusCode::Warning);
    let told = "ServiceTickets: Path:/2/ticket.Code=503";
    world.until(|| last_error(&client).starts_with(told)).await;
    world.advance(DAY * 6);
    world.asked().await;
    assert_eq!(status(&client), StatusCode::Error);
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    assert!(client.service_ticket(PEER).is_ok());
    world.server.faults().clear();
    world.until(|| status(&client) == StatusCode::Ok).await;
}

#[tokio::test(start_paused = true)]
async fn bad_keys_leave_the_old_ones_in_place() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    world
        .server
        .faults()
        .add(Fault::on("tvm-api.getKeys").garbage());
    world.advance(DAY * 2 + HOUR);
    world
        .until(|| last_error(&client).contains("PublicKeys: "))
        .await;
    assert!(
        client.check_service_ticket(incoming.expose()).is_err(),
        "expired by now"
    );
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_folder_with_everything_starts_a_client_without_the_network() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    world.server.set_roles(SLUG, ROLES);
    let builder = || world.full().roles(SLUG).disk_cache(folder.path());
    drop(builder().connect().await.unwrap());
    let before = world.server.journal().len();
    world.server.faults().add(Fault::on_any().status(503));
    let client = builder().connect().await.unwrap();
    assert_eq!(world.server.journal().len(), before);
    assert_eq!(status(&client), StatusCode::Ok);
    assert_eq!(client.roles().unwrap().revision(), "r1");
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    assert!(client.service_ticket("peer").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_folder_with_some_tickets_is_completed() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    drop(
        world
            .fetching()
            .disk_cache(folder.path())
            .connect()
            .await
            .unwrap(),
    );
    let builder = world
        .fetching()
        .destination(OTHER)
        .disk_cache(folder.path());
    let client = builder.connect().await.unwrap();
    assert!(client.service_ticket(PEER).is_ok() && client.service_ticket(OTHER).is_ok());
    world.server.faults().add(Fault::on_any().status(503));
    // Both answers are in the folder now.
    let builder = world
        .fetching()
        .destination(OTHER)
        .disk_cache(folder.path());
    assert!(builder.connect().await.is_ok());
    // Of another service, they are of no use.
    let secret = world.secret.clone();
    let other = Client::tvm_api(PEER)
        .secret(secret)
        .destination(OTHER)
        .disk_cache(folder.path())
        .transport(world.server.host().transport());
    assert!(other.connect().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn destinations_are_added_while_the_client_runs() {
    let world = World::new();
    let client = world.fetching().connect().await.unwrap();
    assert!(client.add_destinations([]).await.unwrap().is_empty());
    assert!(client.service_ticket_if_known(OTHER).unwrap().is_none());
    let unknown = TvmId::new(99);
    let added = client.add_destinations([OTHER, unknown]).await.unwrap();
    assert!(added[&OTHER].is_ok());
    let error = added[&unknown].as_ref().unwrap_err();
    assert_eq!(
        error.message(),
        "Failed to get ticket for '99': Dst is not found"
    );
    assert!(client.service_ticket_if_known(OTHER).unwrap().is_some());
    assert!(client.service_ticket_if_known(unknown).is_err());
    // What was added is fetched again with the others, and what was refused is not.
    let held = || client.service_ticket(OTHER).unwrap();
    let old = held();
    world.advance(HOUR + Duration::from_secs(1));
    world.until(|| held().expose() != old.expose()).await;
    assert_eq!(status(&client), StatusCode::Ok);
    world.server.faults().add(Fault::on_any().status(503));
    let added = client.add_destinations([TvmId::new(98)]).await.unwrap();
    assert!(added[&TvmId::new(98)].is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_for_destinations_outlives_its_caller() {
    let world = World::new();
    let client = world.fetching().connect().await.unwrap();
    let wish = client.add_destinations([OTHER]);
    assert!(tokio::time::timeout(Duration::ZERO, wish).await.is_err());
    world.until(|| client.service_ticket(OTHER).is_ok()).await;
}

#[tokio::test(start_paused = true)]
async fn refresh_fetches_changed_keys_at_once() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    world.server.rotate_keys();
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    let error = client.check_service_ticket(incoming.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::MissingKey));
    let before = tokio::time::Instant::now();
    assert_eq!(client.refresh().await.unwrap().code(), StatusCode::Ok);
    assert!(before.elapsed() < Duration::from_secs(1));
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    world.server.faults().add(Fault::on_any().status(503));
    client.refresh().await.unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_every_clone_and_waiting_callers() {
    let world = World::new();
    let client = world.full().connect().await.unwrap();
    world.server.set_ticket_lifetime(1);
    let clone = client.clone();
    world.server.faults().add(Fault::on_any().no_answer());
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn(async move { clone.add_destinations([OTHER]).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    client.stop();
    client.stop();
    let waited = waiting.join_next().await.unwrap().unwrap();
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(client.status().unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(
        client.service_ticket(PEER).unwrap_err().kind(),
        ErrorKind::Stopped
    );
    let error = client.check_service_ticket("").unwrap_err();
    assert_eq!(error.kind(), CheckErrorKind::Stopped);
    let before = world.server.journal().len();
    world.advance(DAY);
    tokio::time::sleep(DAY).await;
    assert_eq!(world.server.journal().len(), before);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_clone() {
    let world = World::new();
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    let client = world.fetching().connect().await.unwrap();
    let clone = client.clone();
    assert_eq!(alive(), before + 1);
    drop(client);
    tokio::task::yield_now().await;
    assert_eq!(alive(), before + 1);
    drop(clone);
    tokio::task::yield_now().await;
    assert_eq!(alive(), before);
}

/// Breaks whatever tells it of a call, once it is armed.
#[derive(Debug, Default)]
struct Breaker(std::sync::atomic::AtomicBool);

impl vouchsafe_core::observe::Observer for Breaker {
    fn call(&self, _: &vouchsafe_core::observe::CallEvent<'_>) {
        if self.0.swap(false, std::sync::atomic::Ordering::SeqCst) {
            panic!("the breaker was armed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_outlives_a_panic_of_its_task() {
    let world = World::new();
    let breaker = Arc::new(Breaker::default());
    let builder = world.fetching().observer(Arc::<Breaker>::clone(&breaker));
    let client = builder.connect().await.unwrap();
    breaker.0.store(true, std::sync::atomic::Ordering::SeqCst);
    world.advance(HOUR + Duration::from_secs(1));
    // The answer that the panic lost is fetched again, without any call.
    world.until(|| world.count("tvm-api.getTickets") == 3).await;
    assert_eq!(status(&client), StatusCode::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_given_up_leaves_nothing_behind() {
    let world = World::new();
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    world.server.host().set_latency(Duration::from_secs(1));
    for given_up_after in [0, 1500] {
        let start = world.full().connect();
        let limit = Duration::from_millis(given_up_after);
        assert!(tokio::time::timeout(limit, start).await.is_err());
        tokio::task::yield_now().await;
        assert_eq!(alive(), before);
    }
    let asked = world.server.journal().len();
    tokio::time::sleep(DAY).await;
    assert_eq!(world.server.journal().len(), asked);
}

#[test]
fn a_client_continues_in_another_runtime() {
    let world = World::new();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let first = runtime();
    let client = first.block_on(world.fetching().connect()).unwrap();
    drop(first);
    // Outside of any runtime, what is held is still there.
    assert!(client.service_ticket(PEER).is_ok());
    runtime().block_on(async {
        assert_eq!(status(&client), StatusCode::Ok);
        world.advance(HOUR + Duration::from_secs(1));
        world.until(|| world.count("tvm-api.getTickets") == 2).await;
    });
}

#[tokio::test(start_paused = true)]
async fn retry_settings_are_applied_and_kept_on_the_disk() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    world
        .server
        .set_retry_settings(Some(vouchsafe_ticket::protocol::RetrySettings {
            dsts_limit: Some(1),
            retries_on_start: Some(5),
            ..Default::default()
        }));
    let builder = || {
        world
            .fetching()
            .destination(OTHER)
            .disk_cache(folder.path())
    };
    drop(builder().connect().await.unwrap());
    assert_eq!(world.count("tvm-api.getTickets"), 1);
    std::fs::remove_file(folder.path().join("service_tickets")).unwrap();
    world.server.set_retry_settings(None);
    world
        .server
        .faults()
        .add(Fault::on("tvm-api.getTickets").times(4).status(503));
    let client = builder().connect().await.unwrap();
    assert!(client.service_ticket(OTHER).is_ok());
    // Four tries that failed, then one request for each destination.
    assert_eq!(world.count("tvm-api.getTickets"), 1 + 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn contexts_are_rebuilt_only_for_new_keys() {
    let world = World::new();
    world.server.set_ticket_lifetime(30 * 24 * 60 * 60);
    let client = world
        .full()
        .ticket_cache_capacity(0)
        .connect()
        .await
        .unwrap();
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    world.server.rotate_keys();
    world.server.drop_old_keys();
    client.refresh().await.unwrap();
    let error = client.check_service_ticket(incoming.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::MissingKey));

    // The same with a cache: what it knows is of the keys that are gone.
    let client = world.full().connect().await.unwrap();
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    for _ in 0..3 {
        assert!(client.check_service_ticket(incoming.expose()).is_ok());
    }
    client.refresh().await.unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    world.server.rotate_keys();
    world.server.drop_old_keys();
    client.refresh().await.unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_err());
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_a_secret() {
    let world = World::new();
    let builder = world.full();
    let shown = format!("{builder:?} {:?}", world.tool());
    let client = builder.connect().await.unwrap();
    let ticket = client.service_ticket(PEER).unwrap();
    let signature = ticket.expose().rsplit(':').next().unwrap().to_owned();
    let shown = format!(
        "{shown} {client:?} {:?} {:?}",
        client.status(),
        client.update_times()
    );
    let token = world.server.tool_token();
    assert!(
        !shown.contains(token.expose()) && !shown.contains(&signature),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_used_to_this_machine_only() {
    let world = World::new();
    let error = world
        .fetching()
        .tvm_url("tvm.example")
        .connect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("plain http"), "{error}");
    assert!(
        world
            .fetching()
            .tvm_url("localhost:1")
            .connect()
            .await
            .is_ok()
    );
    let builder = world.fetching().tvm_url("tvm.example").allow_plain_http();
    assert!(builder.connect().await.is_ok());
}
