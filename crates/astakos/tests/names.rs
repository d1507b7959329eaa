//! Look-ups of many tasks.
#![cfg(feature = "mock")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vouchsafe_astakos::mock::{Seed, Server};
use vouchsafe_astakos::{Client, ErrorKind, Names};
use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::mock::Fault;
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
async fn what_many_ask_in_one_moment_goes_out_together_and_is_remembered() {
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
async fn who_is_not_there_is_asked_about_again_soon() {
    let server = server();
    let names = names(&server);
    for _ in 0..3 {
        let error = names.username("nobody").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoUserName);
        let error = names.uuid("nobody").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoUuid);
    }
    assert_eq!(server.journal().count(LOOK_UP), 2);
    tokio::time::sleep(Duration::from_secs(6)).await;
    names.username("nobody").await.unwrap_err();
    assert_eq!(server.journal().count(LOOK_UP), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_to_all_who_waited_and_not_remembered() {
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
async fn who_gives_up_takes_nobody_along() {
    let server = server();
    let names = names(&server);
    let (alice, bob) = (Server::alice(), Server::bob());
    let impatient = tokio::time::timeout(Duration::from_millis(1), names.username(&alice));
    let (impatient, patient) = tokio::join!(impatient, names.username(&bob));
    assert!(impatient.is_err());
    assert_eq!(patient.unwrap(), "bob@example.org");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_holds_up_nobody_else() {
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
async fn a_panic_while_asking_leaves_nobody_waiting() {
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
    let (first, late) = tokio::join!(names.uuid("nobody@example.org"), late);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(late.unwrap(), alice);
}
