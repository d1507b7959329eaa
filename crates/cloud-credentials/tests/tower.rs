//! Credentials behind a tower layer, with a client that is not ours.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tower_layer::Layer as _;
use tower_service::Service as _;
use vouchsafe_cloud_credentials::{AuthorizeLayer, mock};

#[tokio::test]
async fn many_requests_through_a_layer_with_one_refused_token_make_one_refresh() {
    let server = mock::Server::new();
    let serving = server.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let login = server.log_in("app").unwrap();
    let credentials = mock::Server::credentials_builder_at(&serving.url())
        .client_id("app")
        .client_secret(login.client_secret.unwrap())
        .refresh_token(login.refresh_token.unwrap())
        .build()
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let layer = AuthorizeLayer::new(Arc::new(credentials)).only_to("127.0.0.1");
    let client = layer.layer(client);
    let url = format!("{}/directory-sync-service/v1/domains", serving.url());
    for round in 1..=3 {
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            let (mut client, url) = (client.clone(), url.clone());
            asking.spawn(async move {
                let request = Request::get(url).body(Full::new(Bytes::new())).unwrap();
                std::future::poll_fn(|context| client.poll_ready(context))
                    .await
                    .unwrap();
                client.call(request).await.unwrap().status()
            });
        }
        assert_eq!(asking.join_all().await, [StatusCode::OK; 50]);
        assert_eq!(server.counts().refreshes(), round);
        assert_eq!(server.counts().refused(), 0);
        server.expire_access_tokens();
    }
}
