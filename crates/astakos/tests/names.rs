//! Look-ups of many tasks.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use vouchsafe_astakos::mock::{Seed, Server};
use vouchsafe_astakos::{Client, ErrorKind, Names};
use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::mock::{Fault, Handler, Host};
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::{BoxFuture, Result, Secret};

const LOOK_UP: &str = "account.serviceUserCatalogs";

fn server() -> Server {
    Server::builder()
        .seed(Seed::sample().crowd(250))
        .start()
        .unwrap()
}

fn names(server: &Server) -> Names {
    let token = server.service_token("cyclades").unwrap();
    Names::builder(server.client(token)).for_service().build()
}

#[tokio::test(start_paused = true)]
async fn look_ups_at_the_same_time_are_sent_together_and_cached() {
    let server = server();
    let names = names(&server);
    for _ in 0..2 {
        let mut tasks = Vec::new();
        for number in 0..250 {
            let names = names.clone();
            tasks.push(tokio::spawn(async move {
                names.uuid(&format!("User{number}@crowd.example.org")).await
            }));
        }
        let mut found = Vec::new();
        for task in tasks {
            found.push(task.await.unwrap().unwrap());
        }
        found.dedup();
        assert_eq!(found.len(), 250);
        // A hundred at a time.
        assert_eq!(server.journal().count(LOOK_UP), 3);
    }
    names.clear();
    names.uuid("user0@crowd.example.org").await.unwrap();
    assert_eq!(server.journal().count(LOOK_UP), 4);
}

#[tokio::test(start_paused = true)]
async fn both_directions_agree_and_case_does_not_matter() {
    let server = server();
    let names = names(&server);
    let (one, other) = tokio::join!(
        names.uuid("ALICE@example.org"),
        names.uuid("alice@Example.ORG")
    );
    assert_eq!(one.unwrap(), Server::alice());
    assert_eq!(other.unwrap(), Server::alice());
    assert_eq!(
        names.username(&Server::alice()).await.unwrap(),
        "alice@example.org"
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_names_are_looked_up_again_soon() {
    let server = server();
    let names = names(&server);
    for _ in 0..3 {
        let error = names.username("unknown").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoUserName);
        let error = names.uuid("unknown").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoUuid);
    }
    assert_eq!(server.journal().count(LOOK_UP), 2);
    tokio::time::sleep(Duration::from_secs(6)).await;
    names.username("unknown").await.unwrap_err();
    assert_eq!(server.journal().count(LOOK_UP), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_goes_to_all_waiting_callers_and_is_not_cached() {
    let server = server();
    let names = names(&server);
    server.faults().add(Fault::on(LOOK_UP).times(1).status(403));
    let alice = Server::alice();
    let bob = Server::bob();
    let (one, other) = tokio::join!(names.username(&alice), names.username(&bob));
    assert_eq!(one.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Forbidden);
    names.username(&alice).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn cancelling_one_waiter_does_not_affect_the_others() {
    let server = server();
    let names = names(&server);
    let (alice, bob) = (Server::alice(), Server::bob());
    let impatient = tokio::time::timeout(Duration::from_millis(1), names.username(&alice));
    let (impatient, patient) = tokio::join!(impatient, names.username(&bob));
    assert!(impatient.is_err());
    assert_eq!(patient.unwrap(), "bob@example.org");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_does_not_delay_others() {
    let server = server();
    let names = names(&server);
    let hangs = Fault::on(LOOK_UP).times(1).no_answer();
    names.username(&Server::bob()).await.unwrap();
    server.faults().add(hangs);
    names.clear();
    let (alice, bob) = (Server::alice(), Server::bob());
    let stuck = tokio::time::timeout(Duration::from_secs(1), names.username(&alice));
    let quick = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        names.username(&bob).await
    };
    let quick = tokio::time::timeout(Duration::from_secs(1), quick);
    let (stuck, quick) = tokio::join!(stuck, quick);
    assert!(stuck.is_err());
    assert_eq!(quick.unwrap().unwrap(), "bob@example.org");
}

#[test]
fn another_runtime_goes_on() {
    let server = server();
    let names = names(&server);
    for uuid in [Server::alice(), Server::bob()] {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(names.username(&uuid)).unwrap();
    }
}

#[test]
fn a_runtime_that_is_alive_and_not_driven_keeps_no_caller_waiting() {
    let server = server();
    let names = names(&server);
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    first.block_on(names.username(&Server::alice())).unwrap();
    let limit = Duration::from_secs(10);
    let found = second
        .block_on(async { tokio::time::timeout(limit, names.username(&Server::bob())).await });
    assert_eq!(found.unwrap().unwrap(), "bob@example.org");
    // Given up while it gathers: the next caller is in another runtime.
    let soon = Duration::from_millis(1);
    let uuid = names.uuid("alice@example.org");
    first
        .block_on(async { tokio::time::timeout(soon, uuid).await })
        .unwrap_err();
    let found =
        second.block_on(async { tokio::time::timeout(limit, names.uuid("bob@example.org")).await });
    assert_eq!(found.unwrap().unwrap(), Server::bob());
    drop(first);
}

/// A server that refuses requests with names that it does not like, as 0.16.2 does with those
/// that are not ASCII (protocol section 7.2).
#[derive(Debug)]
struct Ascii(Server);

impl Handler for Ascii {
    fn handle(&self, request: &Request) -> Response {
        if request.body.is_ascii() {
            return self.0.handle(request);
        }
        let mut refused = Response::new(StatusCode::BAD_REQUEST);
        refused.body = r#"{"badRequest": {"code": 400, "message": "no"}}"#.into();
        refused
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        uri.path().contains("user_catalogs").then_some(LOOK_UP)
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_server_refuses_fails_alone() {
    let server = server();
    let host = Host::new(Arc::new(Ascii(server.clone())));
    let client = Client::builder()
        .transport(host.transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .build()
        .unwrap();
    let names = Names::builder(client).for_service().build();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100 {
        let names = names.clone();
        let name = match number {
            7 | 64 => format!("\u{fc}ser{number}@crowd.example.org"),
            _ => format!("user{number}@crowd.example.org"),
        };
        tasks.spawn(async move { (number, names.uuid(&name).await) });
    }
    while let Some(found) = tasks.join_next().await {
        match found.unwrap() {
            (7 | 64, found) => assert_eq!(found.unwrap_err().kind(), ErrorKind::BadRequest),
            (number, found) => assert!(found.is_ok(), "{number}: {found:?}"),
        }
    }
    // The batch, and for each bad one at most two for each of seven halvings.
    let asked = host.journal().count(LOOK_UP);
    assert!(asked <= 2 * 2 * 7 + 1, "{asked} requests");
}

/// A source that panics the first time.
#[derive(Debug)]
struct Panics(Secret, AtomicBool);

impl TokenSource for Panics {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(self.1.swap(true, Ordering::SeqCst), "no token yet");
            Ok(Token::new(self.0.clone()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_during_a_look_up_leaves_no_caller_waiting() {
    let server = server();
    let token = server.service_token("cyclades").unwrap();
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token_source(Arc::new(Panics(token, AtomicBool::new(false))))
        .build()
        .unwrap();
    let names = Names::builder(client).for_service().build();
    let alice = Server::alice();
    let late = async {
        // While the first is being asked about.
        tokio::time::sleep(Duration::from_millis(50)).await;
        names.uuid("alice@example.org").await
    };
    let (first, late) = tokio::join!(names.uuid("unknown@example.org"), late);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(late.unwrap(), alice);
}
