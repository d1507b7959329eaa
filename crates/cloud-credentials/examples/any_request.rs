//! Any request with the access token, by our own client. Runs against the emulator: `cargo run -p
//! vouchsafe-cloud-credentials --example any_request --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use anyhow::{Context as _, ensure};
use http::Method;
use vouchsafe_cloud_credentials::{HttpClient, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    let serving = server.serve(([127, 0, 0, 1], 0).into()).await?;
    let login = server.log_in("app")?;
    let credentials = mock::Server::credentials_builder_at(&serving.url())
        .client_id("app")
        .client_secret(login.client_secret.context("no secret")?)
        .refresh_token(login.refresh_token.context("no refresh token")?)
        .build()?;
    let client = HttpClient::builder()
        .base_url(serving.url())
        .credentials(&credentials)
        .build()?;

    // The first request gets a token, a refused token is replaced, and a 404 is an answer.
    let domains = || client.request(Method::GET, "/directory-sync-service/v1/domains");
    println!("first: {}", domains().send().await?.status());
    server.expire_access_tokens();
    let answer = domains().expect_success().send().await?;
    println!("after the token expired: {}", answer.status());
    let answer = client.request(Method::GET, "/nowhere").send().await?;
    println!("somewhere else: {}", answer.status());
    ensure!(
        server.counts().refreshes() == 2,
        "one refresh for each token"
    );
    Ok(())
}
