//! Access tokens on the requests of hyper-util's client, by a tower layer. Runs against the
//! emulator: `cargo run -p vouchsafe-cloud-credentials --example hyper_util_client --features
//! mock,tls-ring,tower`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower_layer::Layer as _;
use tower_service::Service as _;
use vouchsafe_cloud_credentials::{AuthorizeLayer, mock};

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

    // The layer goes around any client made of tower services.
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut client = AuthorizeLayer::new(Arc::new(credentials))
        .only_to("127.0.0.1")
        .layer(client);

    let url = format!("{}/directory-sync-service/v1/domains", serving.url());
    let request = || Request::get(&url).body(Full::new(Bytes::new()));
    let answer = client
        .call(request()?)
        .await
        .map_err(anyhow::Error::from_boxed)?;
    println!("first: {}", answer.status());

    // The token is refused: it is replaced, and the request is sent once more.
    server.expire_access_tokens();
    let answer = client
        .call(request()?)
        .await
        .map_err(anyhow::Error::from_boxed)?;
    println!("after the token expired: {}", answer.status());
    ensure!(answer.status().is_success(), "refused");
    ensure!(
        server.counts().refreshes() == 2,
        "one refresh for each token"
    );
    Ok(())
}
