//! Commissions whose callers give up, at each of their awaits.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use vouchsafe_astakos::commission::{
    CommissionId, Intent, Journal, MemoryJournal, OpenCommission, Outcome,
};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::{BoxFuture, Result};

use super::{client, one, quick, used};

const TAKES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(60);

/// A journal that takes its time, before and after it writes.
#[derive(Debug, Default)]
struct Slow(MemoryJournal);

async fn slowly<T>(work: impl Future<Output = T>) -> T {
    tokio::time::sleep(TAKES).await;
    let done = work.await;
    tokio::time::sleep(TAKES).await;
    done
}

impl Journal for Slow {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        Box::pin(slowly(self.0.intent(intent)))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(slowly(self.0.outcome(id, outcome)))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        Box::pin(slowly(self.0.open()))
    }
}

/// What is given up.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Issue,
    Commit,
    Reject,
    /// Of a commission by its number, without the guard.
    Accept,
    Flush,
    Reconcile,
}

const DEEDS: [Deed; 6] = [
    Deed::Issue,
    Deed::Commit,
    Deed::Reject,
    Deed::Accept,
    Deed::Flush,
    Deed::Reconcile,
];

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_at_any_await_is_done_or_undone_and_leaves_nothing() {
    for deed in DEEDS {
        for trouble in [None, Some(false), Some(true)] {
            let polls = at_each_await(async |polls| given_up(deed, trouble, polls).await).await;
            assert!(polls >= 2, "{deed:?}: {polls}");
        }
    }
}

/// Drops the future of an operation after a number of polls, and returns whether it was ready before. With
/// trouble, its first request fails, after the server has handled it or before.
async fn given_up(deed: Deed, trouble: Option<bool>, polls: usize) -> bool {
    let what = format!("{deed:?} {trouble:?}, given up after {polls} polls");
    let before = tasks();
    let server = Server::new();
    server.host().set_latency(TAKES);
    let journal = Arc::new(Slow::default());
    let issuer = quick(client(&server), Arc::clone(&journal) as _);
    let issuer = issuer.build().unwrap();
    let guard = match deed {
        Deed::Issue => None,
        _ => Some(issuer.issue(&one()).await.unwrap()),
    };
    match trouble {
        Some(true) => server
            .faults()
            .add(Fault::on_any().times(1).reset_before_head()),
        Some(false) => server.faults().add(Fault::on_any().times(1).status(503)),
        None => {}
    }
    let cut = cut(polls, async {
        match (deed, guard) {
            (Deed::Commit, Some(guard)) => drop(guard.commit().await.unwrap()),
            (Deed::Reject, Some(guard)) => drop(guard.reject().await.unwrap()),
            (Deed::Accept, Some(guard)) => drop(issuer.accept(guard.serial()).await.unwrap()),
            (Deed::Flush, guard) => {
                drop(guard);
                issuer.flush(LIMIT).await;
            }
            (Deed::Reconcile, guard) => {
                drop(guard);
                issuer.reconcile().await.unwrap();
            }
            _ => drop(issuer.issue(&one()).await.unwrap()),
        }
    });
    let cut = cut.await;
    let is_done = cut.output().is_some();

    let open = issuer.flush(LIMIT).await;
    assert_eq!(
        (open.in_hand, open.resolving, open.left),
        (0, 0, 0),
        "{what}"
    );
    assert!(server.pending_commissions().is_empty(), "{what}");
    let now = used(&server);
    match deed {
        Deed::Commit | Deed::Accept if is_done => assert_eq!(now, (1, 1), "{what}"),
        Deed::Commit | Deed::Accept => assert!([(0, 0), (1, 1)].contains(&now), "{what}: {now:?}"),
        _ => assert_eq!(now, (0, 0), "{what}"),
    }
    assert_eq!(cut.wakers(), 0, "{what}");
    // Nothing stands in the way of the next one.
    server.faults().clear();
    let guard = issuer.issue(&one()).await.unwrap();
    guard.commit().await.unwrap();
    assert_eq!(used(&server), (now.0 + 1, now.1 + 1), "{what}");
    issuer.flush(LIMIT).await;
    drop(issuer);
    tokio::time::sleep(LIMIT).await;
    assert_eq!(tasks(), before, "{what}");
    // The next process finds nothing to undo.
    let next = quick(client(&server), journal).build().unwrap();
    next.reconcile().await.unwrap();
    assert_eq!(used(&server), (now.0 + 1, now.1 + 1), "{what}");
    is_done
}
