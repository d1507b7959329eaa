//! Servers that fail for many at once, that use serials again, and that cut names.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vouchsafe_astakos::commission::{Committed, Issuer, MemoryJournal};
use vouchsafe_astakos::mock::{CommissionState, Server};
use vouchsafe_astakos::{Client, ErrorKind, Holder, Serial};
use vouchsafe_core::mock::Fault;

use super::faults::request;
use super::{VM, client, issuer, one, quick, used};

const ISSUE: &str = "account.issueCommission";
const LIST: &str = "account.pendingCommissions";
const INFO: &str = "account.commissionInfo";
const RESOLVE: &str = "account.resolveCommissions";
const MANY: usize = 200;

/// An issuer with the defaults, over a client with the defaults.
fn usual(server: &Server) -> Issuer {
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .build()
        .unwrap();
    Issuer::builder(client, "worker").build().unwrap()
}

/// Issues many at once, and returns how many were.
async fn storm(issuer: &Issuer) -> usize {
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let issuer = issuer.clone();
        tasks.spawn(async move { issuer.issue(&request(number as u64)).await });
    }
    let mut issued = 0;
    while let Some(result) = tasks.join_next().await {
        if let Ok(guard) = result.unwrap() {
            guard.commit().await.unwrap();
            issued += 1;
        }
    }
    issued
}

fn requests(server: &Server) -> usize {
    server.journal().entries().len()
}

#[tokio::test(start_paused = true)]
async fn many_guards_send_hardly_more_than_one_request_each_to_a_failing_server() {
    for status in [500, 502, 503] {
        let server = Server::new();
        let issuer = usual(&server);
        server.faults().add(Fault::on_any().status(status));
        // The catalog is known from before.
        assert_eq!(storm(&issuer).await, 0);
        let _ = issuer.flush(Duration::from_secs(60)).await;
        let count = requests(&server);
        println!("{count} requests for {MANY} issues that were answered {status}");
        // Each once; then what one caller alone would do: a try and a look at growing intervals,
        // each of up to three attempts, until the patience of 30 seconds ends, and three looks
        // afterwards.
        assert!(count <= MANY + 100, "{status}: {count} requests for {MANY}");
        assert_eq!(used(&server), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn many_whose_answers_are_lost_share_the_look_for_them() {
    let server = Server::new();
    let issuer = usual(&server);
    server
        .faults()
        .add(Fault::on(ISSUE).times(MANY as u64).reset_before_head());
    assert_eq!(storm(&issuer).await, MANY);
    assert_eq!(server.commissions().len(), MANY);
    let held = used(&server);
    assert_eq!(held, (MANY as i64, MANY as i64));
    assert_eq!(server.journal().count(ISSUE), MANY as u64);
    let looks = server.journal().count(LIST);
    assert!(looks <= 10, "{looks} looks");
    let names = server.journal().count(INFO);
    assert!(names <= looks * MANY as u64, "{names} names");
    let open = issuer.open();
    assert_eq!((open.in_hand, open.resolving, open.left), (0, 0, 0));
    // Late duplicates may still come, and the answer of a flush says so.
    assert_eq!(issuer.flush(Duration::ZERO).await.watched, MANY);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(issuer.open().watched, 0);
}

#[tokio::test(start_paused = true)]
async fn all_waiting_guards_are_served_when_the_server_comes_back() {
    let server = Server::new();
    let issuer = usual(&server);
    let outage = Duration::from_secs(10);
    server
        .faults()
        .add(Fault::on_any().between(Duration::ZERO, outage).status(502));
    assert_eq!(storm(&issuer).await, MANY);
    assert_eq!(server.commissions().len(), MANY);
    assert_eq!(used(&server), (MANY as i64, MANY as i64));
}

#[tokio::test(start_paused = true)]
async fn a_serial_that_is_used_again_is_taken_for_no_other_commission() {
    let server = Server::builder().reuse_serials().start().unwrap();
    let stranger = client(&server);
    let issuer = issuer(&server);
    // Looked at while it is a stranger's, ...
    let theirs = stranger.issue(&one()).await.unwrap();
    issuer.reconcile().await.unwrap();
    stranger.reject(theirs).await.unwrap();
    // ... it is found when it is one's own.
    server
        .faults()
        .add(Fault::on(ISSUE).times(1).reset_before_head());
    let guard = issuer.issue(&one()).await.unwrap();
    assert_eq!(guard.serial(), theirs);
    assert_eq!(server.pending_commissions().len(), 1);
    guard.reject().await.unwrap();
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_accept_whose_answer_was_lost_does_not_accept_a_commission_that_reuses_the_serial() {
    let server = Server::builder().reuse_serials().start().unwrap();
    let stranger = client(&server);
    let wait = Duration::from_secs(5);
    let issuer = quick(client(&server), Arc::new(MemoryJournal::new()))
        .waits(wait, wait)
        .build()
        .unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    let serial = guard.serial();
    server
        .faults()
        .add(Fault::on(RESOLVE).times(1).reset_before_head());
    let meanwhile = async {
        while server.journal().count(RESOLVE) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stranger.issue(&one()).await.unwrap()
    };
    let (committed, theirs) = tokio::join!(guard.commit(), meanwhile);
    assert_eq!(committed.unwrap(), Committed::Earlier);
    assert_eq!(theirs, serial);
    assert_eq!(server.pending_commissions()[0].serial, theirs);
    let states: Vec<_> = server.commissions().iter().map(|c| c.state).collect();
    assert_eq!(
        states,
        [CommissionState::Accepted, CommissionState::Pending]
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_beside_a_lost_answer_counts_as_sent_only_once_it_was() {
    let server = Server::new();
    let wait = Duration::from_secs(5);
    let issuer = quick(client(&server), Arc::new(MemoryJournal::new()))
        .waits(wait, wait)
        .build()
        .unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    let faults = server.faults();
    faults.add(Fault::on(RESOLVE).times(1).reset_before_head());
    // Whether the lost one was done cannot be found out at first.
    faults.add(Fault::on(LIST).times(1).status(503));
    let beside = async {
        while server.journal().count(RESOLVE) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        issuer.accept(Serial::new(999_999).unwrap()).await
    };
    let (committed, unknown) = tokio::join!(guard.commit(), beside);
    assert_eq!(committed.unwrap(), Committed::Earlier);
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.journal().count(RESOLVE), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cuts_long_names_keeps_what_a_commission_is_known_by() {
    let server = Server::builder().commission_name_limit(64).start().unwrap();
    let issuer = issuer(&server);
    server
        .faults()
        .add(Fault::on(ISSUE).times(1).reset_before_head());
    let request = one().name("a name that tells everything there is to tell ".repeat(9));
    let guard = issuer.issue(&request).await.unwrap();
    assert_eq!(server.commissions().len(), 1);
    assert_eq!(server.commissions()[0].name.chars().count(), 64);
    guard.commit().await.unwrap();
    let alice = Holder::user(Server::alice());
    let source = Holder::project(Server::alice());
    assert_eq!(
        server.holding(&alice, Some(&source), VM).unwrap().usage(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn one_commission_that_the_server_refuses_to_look_at_keeps_no_other() {
    let server = Server::new();
    let issuer = issuer(&server);
    let mut guards = Vec::new();
    for number in 0..8 {
        guards.push(issuer.issue(&request(number)).await.unwrap());
    }
    // The whole is refused, and the first half, and its first half.
    server.faults().add(Fault::on(RESOLVE).times(3).status(400));
    let mut tasks = JoinSet::new();
    for guard in guards {
        tasks.spawn(guard.commit());
    }
    let mut done = 0;
    while let Some(result) = tasks.join_next().await {
        done += usize::from(matches!(result.unwrap(), Ok(Committed::Now)));
    }
    assert_eq!(done, 8);
    assert_eq!(server.journal().count(RESOLVE), 7);
}
