//! Accepts and rejects of many tasks go out together.

use std::time::Duration;

use vouchsafe_astakos::commission::Committed;
use vouchsafe_astakos::mock::{CommissionState, Server};
use vouchsafe_astakos::{CommissionRequest, ErrorKind, Serial};
use vouchsafe_core::mock::Fault;

use super::{VM, client, issuer, used};

const RESOLVE: &str = "account.resolveCommissions";

async fn issue_zero(server: &Server) -> Serial {
    let alice = Server::alice();
    let nothing = CommissionRequest::one(&alice, [(&alice, VM, 0)]);
    client(server).issue(&nothing).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn many_tasks_share_one_call_and_each_gets_its_own_result() {
    let server = Server::new();
    let issuer = issuer(&server);
    let mut tasks = Vec::new();
    for number in 0..40 {
        let serial = issue_zero(&server).await;
        let issuer = issuer.clone();
        tasks.push(tokio::spawn(async move {
            match number % 2 {
                0 => issuer.accept(serial).await,
                _ => issuer.reject(serial).await,
            }
        }));
    }
    let unknown = Serial::new(999_999).unwrap();
    let missing = issuer.accept(unknown).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), Committed::Now);
    }
    assert_eq!(server.journal().count(RESOLVE), 1);
    assert_eq!(used(&server), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_serial_that_is_accepted_and_rejected_is_resolved_in_turn() {
    let server = Server::new();
    let issuer = issuer(&server);
    let serial = issue_zero(&server).await;
    let (accepted, rejected) = tokio::join!(issuer.accept(serial), issuer.reject(serial));
    assert_eq!(accepted.unwrap(), Committed::Now);
    assert_eq!(rejected.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.journal().count(RESOLVE), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_does_not_change_whose_turn_it_is() {
    let server = Server::new();
    let issuer = issuer(&server);
    let serial = issue_zero(&server).await;
    server.faults().add(Fault::on(RESOLVE).times(1).status(502));
    let (accepted, rejected) = tokio::join!(issuer.accept(serial), issuer.reject(serial));
    accepted.unwrap();
    assert_eq!(rejected.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.commissions()[0].state, CommissionState::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_does_not_affect_the_others() {
    let server = Server::new();
    let issuer = issuer(&server);
    let (one, other) = (issue_zero(&server).await, issue_zero(&server).await);
    let impatient = tokio::time::timeout(Duration::ZERO, issuer.accept(one));
    let (impatient, patient) = tokio::join!(impatient, issuer.accept(other));
    assert!(impatient.is_err());
    assert_eq!(patient.unwrap(), Committed::Now);
    issuer.flush(Duration::from_secs(9)).await;
    assert!(server.pending_commissions().is_empty());
}
