//! The first call. Runs against the emulator:
//! `cargo run -p vouchsafe-{{NAME}} --example {{MODULE}}_quickstart --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use vouchsafe_{{MODULE}}::{Result, mock};

#[tokio::main]
async fn main() -> Result<()> {
    // In production: `Client::builder().base_url("https://HOST{{BASE}}").token(token).build()?`.
    let server = mock::Server::new();
    let client = server.client()?;
    {{EXAMPLE}}
    Ok(())
}
