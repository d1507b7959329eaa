//! What a guard does when it is used, dropped, or cut short.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use vouchsafe_astakos::ErrorKind;
use vouchsafe_astakos::commission::{
    CommissionId, Committed, FileJournal, Intent, Journal, MemoryJournal, OpenCommission, Outcome,
};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::{BoxFuture, Result};

use super::network::{Fate, RESOLVE, client_over};
use super::{issuer, one, quick, used};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_commit_accepts() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    assert_eq!(used(&server), (0, 1));
    assert_eq!(issuer.open().in_hand, 1);
    assert_eq!(guard.commit().await.unwrap(), Committed::Now);
    assert_eq!(used(&server), (1, 1));
    assert_eq!(issuer.flush(LIMIT).await.in_hand, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reject_gives_back() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    assert_eq!(guard.reject().await.unwrap(), Committed::Now);
    assert_eq!(used(&server), (0, 0));
    assert!(server.pending_commissions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_guard_rejects_in_the_background() {
    let server = Server::new();
    let issuer = issuer(&server);
    drop(issuer.issue(&one()).await.unwrap());
    assert_eq!(issuer.open().resolving, 1);
    let open = issuer.flush(LIMIT).await;
    assert_eq!((open.in_hand, open.resolving, open.left), (0, 0, 0));
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_rejects() {
    let server = Server::new();
    let issuer = issuer(&server);
    let task = tokio::spawn({
        let issuer = issuer.clone();
        async move {
            let _guard = issuer.issue(&one()).await.unwrap();
            panic!("the machine cannot be made");
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    issuer.flush(LIMIT).await;
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_commit_is_not_a_failure() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    let lost = Fault::on("account.resolveCommissions")
        .times(2)
        .reset_before_head();
    server.faults().add(lost);
    // The second try finds it done, and so does the third.
    assert_eq!(guard.commit().await.unwrap(), Committed::Earlier);
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outage_delays_a_commit_and_does_not_undo_it() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    server
        .faults()
        .add(Fault::on("account.resolveCommissions").status(503));
    let error = guard.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.is_timeout());
    assert_eq!(issuer.open().in_hand, 1);
    server.faults().clear();
    assert_eq!(issuer.flush(LIMIT).await.in_hand, 0);
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_commission_that_another_client_resolved_is_not_found() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    super::client(&server).reject(guard.serial()).await.unwrap();
    let error = guard.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_did_not_do_it() {
    let server = Server::new();
    let tries = AtomicU64::new(0);
    let client = client_over(&server, move |method, path| {
        let is_resolving = method == RESOLVE.0 && path.ends_with(RESOLVE.1);
        match is_resolving && tries.fetch_add(1, Ordering::SeqCst) < 2 {
            true => Fate::IsNotSent,
            false => Fate::Arrives,
        }
    });
    let journal = Arc::new(MemoryJournal::new());
    let issuer = quick(client, journal).build().unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    super::client(&server).reject(guard.serial()).await.unwrap();
    let error = guard.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(server.journal().count("account.resolveCommissions"), 1);
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_leaves_the_commission_to_reconcile() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    let refused = Fault::on("account.resolveCommissions").times(2).status(401);
    server.faults().add(refused);
    let error = guard.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(issuer.open().left, 1);
    server.faults().clear();
    let done = issuer.reconcile().await.unwrap();
    assert_eq!(done.accepted.len(), 1);
    assert_eq!(issuer.open().left, 0);
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_guard_outlives_its_issuer_without_background_work() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = issuer.issue(&one()).await.unwrap();
    drop(issuer);
    // The guard keeps what it needs; dropping it ends that.
    drop(guard);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.pending_commissions().len(), 1);
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn a_commit_is_done_in_the_runtime_that_waits_for_it() {
    let server = Server::new();
    let issuer = issuer(&server);
    let guard = runtime().block_on(issuer.issue(&one())).unwrap();
    let committed = runtime().block_on(guard.commit());
    assert_eq!(committed.unwrap(), Committed::Now);
    assert_eq!(used(&server), (1, 1));
}

#[test]
fn another_runtime_continues_where_the_first_ended() {
    let server = Server::new();
    let issuer = issuer(&server);
    let first = runtime();
    let guard = first.block_on(issuer.issue(&one())).unwrap();
    drop(first);
    drop(guard);
    assert_eq!(issuer.open().resolving, 1);
    runtime().block_on(issuer.flush(LIMIT));
    assert_eq!(used(&server), (0, 0));
}

#[test]
fn another_runtime_looks_for_what_the_first_may_have_issued() {
    let server = Server::new();
    let issuer = issuer(&server);
    server
        .faults()
        .add(Fault::on("account.issueCommission").times(1).no_answer());
    runtime().block_on(async {
        let short = Duration::from_millis(50);
        let given_up = tokio::time::timeout(short, issuer.issue(&one())).await;
        assert!(given_up.is_err());
    });
    assert_eq!(server.pending_commissions().len(), 1);
    runtime().block_on(async {
        issuer.flush(Duration::from_millis(100)).await;
        tokio::time::pause();
        tokio::time::sleep(LIMIT).await;
    });
    assert!(server.pending_commissions().is_empty());
    assert_eq!(issuer.open().in_hand, 0);
}

#[test]
fn a_commit_does_not_wait_for_a_runtime_that_nothing_drives() {
    let server = Server::new();
    let issuer = issuer(&server);
    let first = runtime();
    let guard = first.block_on(async {
        let guard = issuer.issue(&one()).await.unwrap();
        // The worker is in this runtime from now on.
        issuer.issue(&one()).await.unwrap().reject().await.unwrap();
        guard
    });
    let second = runtime();
    let committed = second.block_on(async {
        tokio::time::pause();
        guard.commit().await
    });
    assert_eq!(committed.unwrap(), Committed::Now);
    assert_eq!(used(&server), (1, 1));
    drop(first);
}

/// A journal that panics when it is first told that something is done.
#[derive(Debug, Default)]
struct Panics(MemoryJournal, AtomicBool);

impl Journal for Panics {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        self.0.intent(intent)
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if outcome == Outcome::Closed {
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert!(self.1.swap(true, Ordering::SeqCst), "a bug of the journal");
            }
            self.0.outcome(id, outcome).await
        })
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        self.0.open()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_journal_does_not_hold_up_the_others() {
    let server = Server::new();
    let issuer = quick(super::client(&server), Arc::new(Panics::default()))
        .build()
        .unwrap();
    let first = issuer.issue(&one()).await.unwrap();
    let other = issuer.issue(&one().force(true)).await.unwrap();
    let late = async {
        // While the first is being closed.
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.commit().await
    };
    let (first, other) = tokio::join!(first.commit(), late);
    assert_eq!(first.unwrap(), Committed::Now);
    assert_eq!(other.unwrap(), Committed::Now);
    assert_eq!(issuer.reconcile().await.unwrap().settled, 1);
    assert_eq!(used(&server), (2, 2));
}

/// Writes down what is to be accepted, and never says so.
#[derive(Debug, Default)]
struct Silent(MemoryJournal);

impl Journal for Silent {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        self.0.intent(intent)
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.0.outcome(id, outcome).await?;
            if matches!(outcome, Outcome::Committing(_)) {
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        self.0.open()
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_given_up_while_it_is_written_down_is_never_accepted() {
    for is_started_again in [false, true] {
        let server = Server::new();
        let journal = Arc::new(Silent::default());
        let client = super::client(&server);
        let mut issuer = quick(client.clone(), Arc::clone(&journal) as _)
            .build()
            .unwrap();
        let guard = issuer.issue(&one()).await.unwrap();
        let serial = guard.serial();
        // Rejecting is refused for a reason that does not pass.
        server
            .faults()
            .add(Fault::on("account.resolveCommissions").status(401));
        let given_up = tokio::time::timeout(Duration::from_secs(1), guard.commit()).await;
        assert!(given_up.is_err());
        assert_eq!(issuer.flush(LIMIT).await.left, 1);
        assert_eq!(server.pending_commissions().len(), 1);
        let open = journal.open().await.unwrap();
        assert_eq!((open.len(), open[0].committing), (1, None));
        server.faults().clear();
        if is_started_again {
            issuer = quick(client, journal as _).build().unwrap();
        }
        let report = issuer.reconcile().await.unwrap();
        assert_eq!(report.accepted, []);
        assert_eq!(report.rejected, [serial]);
        assert_eq!(used(&server), (0, 0));
    }
}

#[tokio::test]
async fn a_journal_does_not_take_a_decision_that_comes_after_its_undoing() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileJournal::open(folder.path().join("journal")).unwrap();
    let journals: [Arc<dyn Journal>; 2] = [Arc::new(file), Arc::new(MemoryJournal::new())];
    for journal in journals {
        let server = Server::new();
        let issuer = quick(super::client(&server), Arc::clone(&journal))
            .build()
            .unwrap();
        let guard = issuer.issue(&one()).await.unwrap();
        let (id, committing) = (guard.id(), Outcome::Committing(guard.serial()));
        journal.outcome(id, committing).await.unwrap();
        journal.outcome(id, Outcome::Rejecting).await.unwrap();
        let error = journal.outcome(id, committing).await.unwrap_err();
        assert!(error.to_string().contains("to be rejected"), "{error}");
        assert_eq!(journal.open().await.unwrap()[0].committing, None);
        journal.outcome(id, Outcome::Closed).await.unwrap();
        assert!(journal.outcome(id, committing).await.is_err());
        journal.outcome(id, Outcome::Rejecting).await.unwrap();
        assert_eq!(journal.open().await.unwrap(), []);
    }
}
