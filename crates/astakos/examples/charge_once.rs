//! Charges exactly once although an answer is lost, and gives the quota back when the work fails.
//! Runs against the emulator: `cargo run -p vouchsafe-astakos --example charge_once --features
//! mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use vouchsafe_astakos::commission::{FileJournal, Issuer};
use vouchsafe_astakos::core::mock::Fault;
use vouchsafe_astakos::{Client, CommissionRequest, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    let token = server
        .service_token("cyclades")
        .context("the emulator has no cyclades")?;
    let folder = tempfile::tempdir()?;
    let issuer = start(server.client(token), &folder.path().join("commissions")).await?;

    let alice = mock::Server::alice();
    let request = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]).name("server 42");
    let issued = || server.journal().count("account.issueCommission");

    // The answer to the first issue is lost on its way back. The issuer looks for the commission
    // among the pending ones and adopts it: nothing is charged twice.
    server.faults().add(
        Fault::on("account.issueCommission")
            .times(1)
            .reset_after_head(),
    );
    issuer.issue(&request).await?.commit().await?;
    println!("one machine charged by {} request", issued());

    // The work fails: dropping the guard rejects the commission in the background.
    let guard = issuer.issue(&request).await?;
    drop(guard);

    // Before a program ends: wait for what runs in the background.
    let open = issuer.flush(Duration::from_secs(5)).await;
    println!(
        "pending at the server: {}",
        server.pending_commissions().len()
    );
    println!("{open:?}");
    Ok(())
}

/// Opens the journal and settles what an earlier run left half done. Called at each start.
async fn start(client: Client, journal: &Path) -> anyhow::Result<Issuer> {
    let journal = FileJournal::open(journal)?;
    let issuer = Issuer::builder(client, "worker-1")
        .journal(Arc::new(journal))
        .build()?;
    println!("{:?}", issuer.reconcile().await?);
    Ok(issuer)
}
