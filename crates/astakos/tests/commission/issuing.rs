//! Issuing when answers are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vouchsafe_astakos::commission::{
    CommissionId, Committed, Intent, Journal, MemoryJournal, OpenCommission, Outcome,
};
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Client, CommissionRequest, ErrorKind, Holder};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::{BoxFuture, Result};

use super::network::{Fate, ISSUE as ISSUE_AT, client_over};
use super::{VM, client, issuer, one, quick, used};

const LIMIT: Duration = Duration::from_secs(60);
const ISSUE: &str = "account.issueCommission";

fn issued(server: &Server) -> usize {
    server.commissions().len()
}

#[tokio::test(start_paused = true)]
async fn the_name_stays_readable() {
    let server = Server::new();
    let guard = issuer(&server).issue(&one()).await.unwrap();
    let name = server.pending_commissions().remove(0).name;
    assert_eq!(name, format!("[vouchsafe:worker:{}] server 42", guard.id()));
}

#[tokio::test(start_paused = true)]
async fn a_commission_whose_answer_was_lost_is_adopted() {
    let server = Server::new();
    let issuer = issuer(&server);
    for fault in [
        Fault::on(ISSUE).reset_before_head(),
        Fault::on(ISSUE).reset_in_head(),
        Fault::on(ISSUE).cut_body(),
        Fault::on(ISSUE).no_answer(),
        Fault::on(ISSUE).not_http(),
    ] {
        server.faults().add(fault.times(1));
        let guard = issuer.issue(&one()).await.unwrap();
        assert_eq!(server.pending_commissions().len(), 1);
        assert_eq!(server.pending_commissions()[0].serial, guard.serial());
        guard.reject().await.unwrap();
        server.faults().clear();
    }
    assert_eq!(issued(&server), 5);
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_never_arrived_is_issued_again() {
    let server = Server::new();
    let issuer = issuer(&server);
    for fault in [
        Fault::on(ISSUE).status(502),
        Fault::on(ISSUE).status(500).body("<html>"),
        Fault::on(ISSUE).garbage(),
    ] {
        server.faults().add(fault.times(1));
        let guard = issuer.issue(&one()).await.unwrap();
        assert_eq!(server.pending_commissions().len(), 1);
        guard.reject().await.unwrap();
        server.faults().clear();
    }
    assert_eq!(issued(&server), 3);
}

/// What a busy server or a gateway answers, with and without `Retry-After`.
const BUSY: [(u16, Option<u64>); 5] = [
    (429, None),
    (429, Some(1)),
    (503, None),
    (503, Some(1)),
    (408, None),
];

#[tokio::test(start_paused = true)]
async fn a_gateway_that_passes_a_commission_on_and_refuses_it_then_charges_nothing_twice() {
    for (status, wait) in BUSY {
        let server = Server::new();
        let lost = AtomicBool::new(true);
        let client = client_over(&server, move |method, path| {
            let is_issue = method == ISSUE_AT.0 && path.ends_with(ISSUE_AT.1);
            match is_issue && lost.swap(false, Ordering::SeqCst) {
                true => Fate::IsRefused(status, wait),
                false => Fate::Arrives,
            }
        });
        let issuer = quick(client, Arc::new(MemoryJournal::new()))
            .build()
            .unwrap();
        let begun = tokio::time::Instant::now();
        let guard = issuer.issue(&one()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(wait.unwrap_or_default()));
        assert_eq!(server.pending_commissions()[0].serial, guard.serial());
        guard.commit().await.unwrap();
        tokio::time::sleep(LIMIT).await;
        assert_eq!(issued(&server), 1, "{status} {wait:?}");
        assert_eq!(server.journal().count(ISSUE), 1, "{status} {wait:?}");
        assert_eq!(used(&server), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_commission_refused_by_a_busy_server_is_looked_for_before_it_is_issued_again() {
    for (status, wait) in BUSY {
        let server = Server::new();
        let issuer = issuer(&server);
        let mut busy = Fault::on(ISSUE).times(1).status(status);
        if let Some(wait) = wait {
            busy = busy.retry_after(Duration::from_secs(wait));
        }
        server.faults().add(busy);
        issuer.issue(&one()).await.unwrap().commit().await.unwrap();
        let asked: Vec<_> = server.journal().entries();
        let asked: Vec<_> = asked.iter().filter_map(|entry| entry.operation).collect();
        let issues = |id: &&str| *id == ISSUE;
        let first = asked.iter().position(issues).unwrap();
        let looked = asked
            .iter()
            .position(|id| *id == "account.pendingCommissions");
        let second = asked.iter().rposition(|id| *id == ISSUE).unwrap();
        assert!(
            first < looked.unwrap() && looked.unwrap() < second,
            "{asked:?}"
        );
        assert_eq!(used(&server), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_answer_is_not_believed_before_looking() {
    let server = Server::new();
    let issuer = issuer(&server);
    // All that alice may have: the second try is refused because of the first, which came late.
    let alice = Server::alice();
    let (holder, source) = (Holder::user(&alice), Holder::project(&alice));
    let limit = server.holding(&holder, Some(&source), VM).unwrap().limit;
    let all = CommissionRequest::one(&alice, [(&alice, VM, limit)]);
    server
        .faults()
        .add(Fault::on(ISSUE).nth(1).reset_before_head());
    let empty = Fault::on("account.pendingCommissions").nth(1).status(200);
    server.faults().add(empty.body("[]"));
    let guard = issuer.issue(&all).await.unwrap();
    assert_eq!(issued(&server), 1);
    guard.commit().await.unwrap();
    assert_eq!(used(&server), (limit, limit));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_turns_up_late_is_rejected() {
    let server = Server::new();
    let issuer = issuer(&server);
    server
        .faults()
        .add(Fault::on(ISSUE).nth(1).reset_before_head());
    // The list does not show the first yet, not at the second look either: another is issued.
    let empty = Fault::on("account.pendingCommissions").times(2).status(200);
    server.faults().add(empty.body("[]"));
    let guard = issuer.issue(&one()).await.unwrap();
    assert_eq!(server.pending_commissions().len(), 2);
    guard.commit().await.unwrap();
    tokio::time::sleep(LIMIT).await;
    assert!(server.pending_commissions().is_empty());
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn giving_up_while_issuing_leaves_nothing_reserved() {
    let server = Server::new();
    let issuer = issuer(&server);
    server.faults().add(Fault::on(ISSUE).times(1).no_answer());
    let given_up = tokio::time::timeout(Duration::from_secs(1), issuer.issue(&one())).await;
    assert!(given_up.is_err());
    assert_eq!(server.pending_commissions().len(), 1);
    assert_eq!(issuer.flush(LIMIT).await.in_hand, 0);
    assert!(server.pending_commissions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_and_not_rejected_stays_in_the_journal() {
    let server = Server::new();
    let journal = Arc::new(MemoryJournal::new());
    let kept = Arc::clone(&journal) as Arc<dyn Journal>;
    let issuer = quick(client(&server), kept).build().unwrap();
    server.faults().add(Fault::on(ISSUE).times(1).no_answer());
    let given_up = tokio::time::timeout(Duration::from_secs(1), issuer.issue(&one())).await;
    assert!(given_up.is_err());
    // The server does it for none of them, and does not say so.
    let silent = Fault::on("account.resolveCommissions").status(200);
    let nothing = r#"{"accepted": [], "rejected": [], "failed": []}"#;
    server.faults().add(silent.body(nothing));
    issuer.flush(LIMIT).await;
    assert_eq!(server.pending_commissions().len(), 1);
    assert_eq!(journal.open().await.unwrap().len(), 1);
    server.faults().clear();
    assert_eq!(issuer.reconcile().await.unwrap().rejected.len(), 1);
    assert!(journal.open().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_with_the_numbers_and_forgotten() {
    let server = Server::new();
    let issuer = issuer(&server);
    let alice = Server::alice();
    let much = CommissionRequest::one(&alice, [(&alice, VM, 1_000_000)]);
    let error = issuer.issue(&much).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaLimit);
    assert_eq!(error.quota_limit().unwrap().requested(), 1_000_000);
    assert_eq!(issuer.open().in_hand, 0);
    assert_eq!(issuer.reconcile().await.unwrap().settled, 0);
    assert_eq!(server.journal().count(ISSUE), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_at_once_cannot_be_made_safe() {
    let server = Server::new();
    let error = issuer(&server)
        .issue(&one().auto_accept(true))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
    assert!(server.journal().is_empty());
}

#[derive(Debug)]
struct Full;

impl Journal for Full {
    fn intent<'a>(&'a self, _: &'a Intent) -> BoxFuture<'a, Result<()>> {
        let full = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, "disk full");
        Box::pin(std::future::ready(Err(full)))
    }

    fn outcome(&self, _: CommissionId, _: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_was_not_written_down() {
    let server = Server::new();
    let issuer = quick(client(&server), Arc::new(Full)).build().unwrap();
    let error = issuer.issue(&one()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Core(vouchsafe_core::ErrorKind::Store)
    );
    assert!(server.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retries_as_in_python_do_not_issue_twice() {
    let server = Server::new();
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .retry_like_python(3)
        .build()
        .unwrap();
    let journal = Arc::new(MemoryJournal::new());
    let issuer = quick(client, journal).build().unwrap();
    server
        .faults()
        .add(Fault::on(ISSUE).times(1).reset_before_head());
    let guard = issuer.issue(&one()).await.unwrap();
    assert_eq!(issued(&server), 1);
    let lost = Fault::on("account.resolveCommissions").times(1);
    server.faults().add(lost.reset_before_head());
    assert_eq!(guard.commit().await.unwrap(), Committed::Earlier);
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_set_for_the_calls_of_a_client_holds() {
    let server = Server::new();
    let options = CallOptions::new().attempt_timeout(Duration::from_millis(50));
    let journal = Arc::new(MemoryJournal::new());
    let client = client(&server).with_options(options);
    let issuer = quick(client, journal).build().unwrap();
    server.faults().add(Fault::on(ISSUE).times(1).no_answer());
    let begun = tokio::time::Instant::now();
    issuer.issue(&one()).await.unwrap().commit().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn issuing_ends_with_the_patience_whatever_hangs() {
    let server = Server::new();
    let issuer = issuer(&server);
    server
        .faults()
        .add(Fault::on(ISSUE).times(1).reset_before_head());
    // Looking for it takes longer than anybody waits.
    let slow = Fault::on("account.pendingCommissions").delay(Duration::from_secs(4));
    server.faults().add(slow.status(503));
    let before = tokio::time::Instant::now();
    let error = issuer.issue(&one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(
        before.elapsed() <= Duration::from_secs(20),
        "{:?}",
        before.elapsed()
    );
}
