//! The catalog is asked for within the time of the call that needs it.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use tokio::time::Instant;
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Client, ErrorKind};
use vouchsafe_core::call::{CallOptions, Retry};
use vouchsafe_core::mock::Fault;

const LIMIT: Duration = Duration::from_secs(4);

fn client(server: &Server) -> Client {
    Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .retry(Retry::none())
        .build()
        .unwrap()
        .with_options(CallOptions::new().deadline(LIMIT))
}

#[tokio::test(start_paused = true)]
async fn the_catalog_and_the_call_share_one_deadline() {
    let server = Server::new();
    let slow = |operation| Fault::on(operation).delay(Duration::from_secs(3));
    server.faults().add(slow("identity.authenticate"));
    server.faults().add(slow("account.pendingCommissions"));
    let client = client(&server);
    let begun = Instant::now();
    let error = client.pending_commissions().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
    // Once it is known, all of the time is the call's.
    client.pending_commissions().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_for_another_callers_discovery_counts_towards_the_calls_limit() {
    let server = Server::new();
    server
        .faults()
        .add(Fault::on("identity.authenticate").no_answer());
    let client = client(&server);
    let begun = Instant::now();
    let (one, two, three) = tokio::join!(
        client.pending_commissions(),
        client.pending_commissions(),
        client.pending_commissions(),
    );
    for result in [one, two, three] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Connection);
    }
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
}
