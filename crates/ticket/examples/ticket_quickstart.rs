//! Checks the ticket of a caller, and fetches one to call another service. Runs against the
//! emulator: `cargo run -p vouchsafe-ticket --example ticket_quickstart --features mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use vouchsafe_ticket::{BlackboxEnv, Client, TvmId, mock};

const US: TvmId = TvmId::new(42);
const NOTES: TvmId = TvmId::new(100_500);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    let secret = server.add_service(US, "me");
    server.add_destination(NOTES);

    // Make one at start, and clone it. With tvmtool beside the service: `Client::tvmtool("me")`.
    let client = Client::tvm_api(US)
        .secret(secret)
        .destination(NOTES)
        .check_service_tickets()
        .check_user_tickets(BlackboxEnv::Prod)
        .transport(server.host().transport())
        .connect()
        .await?;

    // Who is calling? The text is that of the header X-Ya-Service-Ticket.
    let incoming = server.mint_service(NOTES, US)?;
    let caller = client.check_service_ticket(incoming.expose())?;
    println!("{} is calling", caller.src());

    // A ticket for another service is refused, and the error says why.
    let stray = server.mint_service(US, NOTES)?;
    let error = client.check_service_ticket(stray.expose()).unwrap_err();
    println!("refused: {error}");

    // A ticket to call another service with, from memory.
    let ticket = client.service_ticket(NOTES)?;
    println!("calling with {}", vouchsafe_ticket::redact(ticket.expose()));
    println!("the client is {}", client.status()?.last_error());
    Ok(())
}
