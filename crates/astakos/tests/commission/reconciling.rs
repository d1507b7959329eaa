//! Journal and server, brought together.

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_astakos::commission::{Issuer, Journal, MemoryJournal};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::mock::Fault;

use super::{client, issuer, one, quick, used};

/// An issuer whose process dies: none of its work continues.
async fn crashed(server: &Server, journal: &Arc<MemoryJournal>, commit: bool) {
    let journal: Arc<dyn Journal> = Arc::clone(journal) as _;
    let issuer = quick(client(server), journal).build().unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    if commit {
        server
            .faults()
            .add(Fault::on("account.resolveCommissions").status(503));
        guard.commit().await.unwrap_err();
        server.faults().clear();
    } else {
        drop(issuer);
        drop(guard);
    }
}

fn again(server: &Server, journal: &Arc<MemoryJournal>) -> Issuer {
    quick(client(server), Arc::clone(journal) as _)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_is_accepted_and_the_rest_rejected() {
    let server = Server::new();
    let journal = Arc::new(MemoryJournal::new());
    crashed(&server, &journal, true).await;
    crashed(&server, &journal, false).await;
    assert_eq!(server.pending_commissions().len(), 2);
    let issuer = again(&server, &journal);
    let done = issuer.reconcile().await.unwrap();
    assert_eq!((done.accepted.len(), done.rejected.len()), (1, 1));
    assert_eq!(used(&server), (1, 1));
    assert!(journal.open().await.unwrap().is_empty());
    let again = issuer.reconcile().await.unwrap();
    assert_eq!(
        (again.accepted.len(), again.rejected.len(), again.settled),
        (0, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_before_the_crash_is_only_closed() {
    let server = Server::new();
    let journal = Arc::new(MemoryJournal::new());
    let first = again(&server, &journal);
    let guard = first.issue(&one()).await.unwrap();
    let serial = guard.serial();
    let always = Fault::on("account.resolveCommissions")
        .times(1)
        .reset_before_head();
    server.faults().add(always);
    // The answer is lost, and the process ends before it can ask again.
    tokio::select! {
        biased;
        _ = guard.commit() => panic!("not that quick"),
        () = tokio::time::sleep(Duration::from_millis(4)) => drop(first),
    }
    assert!(
        server
            .pending_commissions()
            .iter()
            .all(|one| one.serial != serial)
    );
    server.faults().clear();
    let done = again(&server, &journal).reconcile().await.unwrap();
    assert_eq!((done.settled, done.rejected.len()), (1, 0));
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_does_not_know_is_rejected() {
    let server = Server::new();
    crashed(&server, &Arc::new(MemoryJournal::new()), false).await;
    // The journal is lost with the process.
    let done = issuer(&server).reconcile().await.unwrap();
    assert_eq!(done.rejected.len(), 1);
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn commissions_of_others_and_those_in_hand_are_left_alone() {
    let server = Server::new();
    let foreign = client(&server).issue(&one().name("by hand")).await.unwrap();
    let other = Issuer::builder(client(&server), "other").build().unwrap();
    let other = other.issue(&one().force(true)).await.unwrap();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one().force(true)).await.unwrap();
    let done = issuer.reconcile().await.unwrap();
    assert_eq!((done.in_hand, done.rejected.len()), (1, 0));
    let pending: Vec<_> = server
        .pending_commissions()
        .into_iter()
        .map(|commission| commission.serial)
        .collect();
    assert_eq!(pending, [foreign, other.serial(), guard.serial()]);
}

#[tokio::test(start_paused = true)]
async fn cut_short_it_can_be_called_again() {
    let server = Server::new();
    let journal = Arc::new(MemoryJournal::new());
    crashed(&server, &journal, true).await;
    crashed(&server, &journal, false).await;
    let issuer = again(&server, &journal);
    for operation in [
        "account.pendingCommissions",
        "account.commissionInfo",
        "account.resolveCommissions",
    ] {
        server
            .faults()
            .add(Fault::on(operation).times(1).reset_before_head());
        assert!(issuer.reconcile().await.is_err(), "{operation}");
        server.faults().clear();
    }
    issuer.reconcile().await.unwrap();
    assert!(server.pending_commissions().is_empty());
    assert_eq!(used(&server), (1, 1));
    assert!(journal.open().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_while_the_server_is_asked_is_not_forgotten() {
    let server = Server::new();
    let issuer = issuer(&server);
    let foreign = one().name("by hand").force(true);
    client(&server).issue(&foreign).await.unwrap();
    // The list has come; a name on it takes long.
    let slow = Fault::on("account.commissionInfo").times(1);
    server.faults().add(slow.delay(Duration::from_secs(2)));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let guard = issuer.issue(&one().force(true)).await.unwrap();
        let refused = Fault::on("account.resolveCommissions").times(2);
        server.faults().add(refused.status(401));
        guard.commit().await.unwrap_err();
        assert_eq!(issuer.open().left, 1);
        server.faults().clear();
    };
    let (done, ()) = tokio::join!(issuer.reconcile(), meanwhile);
    assert_eq!(done.unwrap().settled, 0);
    let done = issuer.reconcile().await.unwrap();
    assert_eq!((done.accepted.len(), done.rejected.len()), (1, 0));
    assert_eq!(issuer.open().left, 0);
    assert_eq!(used(&server), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_for_is_counted_and_left() {
    let server = Server::new();
    let journal = Arc::new(MemoryJournal::new());
    let issuer = again(&server, &journal);
    let lost = Fault::on("account.issueCommission").times(1).no_answer();
    server.faults().add(lost);
    server
        .faults()
        .add(Fault::on("account.pendingCommissions").status(503));
    let given_up = tokio::time::timeout(Duration::from_secs(1), issuer.issue(&one())).await;
    assert!(given_up.is_err());
    assert_eq!(issuer.open().in_hand, 1);
    let open = issuer.flush(Duration::from_secs(60)).await;
    assert_eq!((open.in_hand, open.left), (0, 1));
    assert_eq!(journal.open().await.unwrap().len(), 1);
    server.faults().clear();
    assert_eq!(issuer.reconcile().await.unwrap().rejected.len(), 1);
    assert_eq!(issuer.open().left, 0);
    assert_eq!(used(&server), (0, 0));
}
