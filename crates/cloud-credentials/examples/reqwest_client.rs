//! Access tokens on the requests of reqwest: its client behind the tower layer, without any
//! middleware crate. Runs against the emulator: `cargo run -p vouchsafe-cloud-credentials --example
//! reqwest_client --features mock,tls-ring,tower`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;
use vouchsafe_cloud_credentials::{AuthorizeLayer, mock};

/// reqwest's client as a service of requests that can be sent again.
#[derive(Clone)]
struct Reqwest(reqwest::Client);

impl Service<Request<Bytes>> for Reqwest {
    type Response = Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = reqwest::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<reqwest::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            client.execute(request).await.map(Response::from)
        })
    }
}

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

    // Redirects are not followed within the layer: the token must not go elsewhere.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut client = AuthorizeLayer::new(Arc::new(credentials))
        .only_to("127.0.0.1")
        .layer(Reqwest(client));

    let url = format!("{}/directory-sync-service/v1/domains", serving.url());
    let request = || Request::get(&url).body(Bytes::new());
    let answer = client
        .call(request()?)
        .await
        .map_err(anyhow::Error::from_boxed)?;
    println!("first: {}", reqwest::Response::from(answer).text().await?);

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
