//! Commissions that survive lost answers, dropped guards and crashes.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test"
)]

mod batches;
mod faults;
mod files;
mod given_up;
mod grounds;
mod guards;
mod issuing;
mod kills;
mod network;
mod power;
mod reconciling;
mod stored;
mod storms;

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_astakos::commission::{Issuer, IssuerBuilder, Journal, MemoryJournal};
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Client, CommissionRequest, Holder};
use vouchsafe_core::call::Retry;

const VM: &str = "cyclades.vm";

/// A client of a server in this process.
fn client(server: &Server) -> Client {
    Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .retry(Retry::none())
        .build()
        .unwrap()
}

/// An issuer that is quick to try again.
fn quick(client: Client, journal: Arc<dyn Journal>) -> IssuerBuilder {
    Issuer::builder(client, "worker")
        .journal(journal)
        .patience(Duration::from_secs(20))
        .waits(Duration::from_millis(10), Duration::from_millis(200))
}

fn issuer(server: &Server) -> Issuer {
    let journal = Arc::new(MemoryJournal::new());
    quick(client(server), journal).build().unwrap()
}

/// One machine for alice, from her own project.
fn one() -> CommissionRequest {
    let alice = Server::alice();
    CommissionRequest::one(&alice, [(&alice, VM, 1)]).name("server 42")
}

/// What alice certainly uses, and what she may use with what is pending.
fn used(server: &Server) -> (i64, i64) {
    let alice = Server::alice();
    let (holder, source) = (Holder::user(&alice), Holder::project(&alice));
    let holding = server.holding(&holder, Some(&source), VM).unwrap();
    (holding.usage_min, holding.usage_max)
}
