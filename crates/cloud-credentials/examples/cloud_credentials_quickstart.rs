//! The first call. Runs against the emulator:
//! `cargo run -p vouchsafe-cloud-credentials --example cloud_credentials_quickstart --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use vouchsafe_cloud_credentials::{Result, mock};

#[tokio::main]
async fn main() -> Result<()> {
    // In production: `Client::builder().base_url("https://HOST").token(token).build()?`.
    let server = mock::Server::new();
    let client = server.client()?;
    let answer = client.queries().list().send().await?;
    println!("{answer:?}");
    Ok(())
}
