//! A client whose requests pass a stack of tower's layers on their way to the network. Runs against the emulator: `cargo run -p vouchsafe-userinfo --example through_tower
//! --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use axum::http::{HeaderValue, Request};
use bytes::Bytes;
use http_body_util::Full;
use tower::ServiceBuilder;
use vouchsafe_core::transport::{HttpTransport, ServiceTransport, TransportService};
use vouchsafe_userinfo::{Client, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    let serving = server.serve(([127, 0, 0, 1], 0).into()).await?;
    let token = server.user_token();

    // tower's own layers above this crate's connections: every attempt passes them, retries too.
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let stack = ServiceBuilder::new()
        .concurrency_limit(8)
        .map_request(move |mut request: Request<Full<Bytes>>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let headers = request.headers_mut();
            headers.insert("x-environment", HeaderValue::from_static("staging"));
            request
        })
        .service(TransportService::new(Arc::new(
            HttpTransport::builder().build()?,
        )));
    let client = Client::builder()
        .repertoire_url(format!("{}{}", serving.url(), server.repertoire_path()))
        .transport(Arc::new(ServiceTransport::new(stack)))
        .build()?;
    let user = client.user_info(&token).await?;
    // Discovery, and the call itself.
    let count = count.load(Ordering::Relaxed);
    println!("{} by {count} requests", user.username);
    ensure!(count == 2, "each request passes the stack");
    Ok(())
}
