//! Asks who a user is and what they may use, and charges a machine. Runs against the emulator:
//! `cargo run -p vouchsafe-astakos --example astakos_quickstart --features mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use anyhow::Context as _;
use vouchsafe_astakos::{CommissionRequest, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production: `Client::builder().auth_url("https://HOST/astakos/identity/v2.0").token(..)`.
    let server = mock::Server::new();
    let alice = server
        .user_token("alice@example.org")
        .context("the emulator has no alice")?;
    let cyclades = server
        .service_token("cyclades")
        .context("the emulator has no cyclades")?;
    let user = server.client(alice);
    let service = server.client(cyclades);

    let me = user.authenticate(None).await?.user.context("no user")?;
    let quotas = user.quotas().await?;
    let room = quotas.room(&me.id, "cyclades.vm").context("no quota")?;
    println!("{} may have {room} more machines", me.id);

    // Reserve, then settle. `commission::Issuer` does both safely: see the example charge_once.
    let request = CommissionRequest::one(&me.id, [(&me.id, "cyclades.vm", 1)]).name("server 42");
    let serial = service.issue(&request).await?;
    service.accept(serial).await?;
    let quotas = user.quotas().await?;
    let room = quotas.room(&me.id, "cyclades.vm").context("no quota")?;
    println!("now {room} more machines");

    // What does not fit is refused with the numbers.
    let many = CommissionRequest::one(&me.id, [(&me.id, "cyclades.vm", 1_000)]);
    let error = service.issue(&many).await.unwrap_err();
    println!("refused: {error}");
    Ok(())
}
