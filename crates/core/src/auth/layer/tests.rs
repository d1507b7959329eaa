use std::future::{Ready, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::WWW_AUTHENTICATE;

use super::*;
use crate::Secret;
use crate::auth::StaticToken;
use crate::sync::lock;

/// Makes another token after each refusal, until it cannot.
#[derive(Debug, Default)]
struct Renewing {
    refused: AtomicU64,
    fails_from: Option<u64>,
}

impl TokenSource for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let generation = self.refused.load(Ordering::Relaxed);
        let token = Token::new(Secret::from(format!("t{generation}"))).of_generation(generation);
        let fails = self.fails_from.is_some_and(|from| generation >= from);
        let failed = || Error::new(ErrorKind::Credential, "log in again");
        Box::pin(ready(if fails { Err(failed()) } else { Ok(token) }))
    }

    fn forget(&self, generation: u64) {
        self.refused.fetch_max(generation + 1, Ordering::Relaxed);
    }
}

/// Accepts one token, and notes what it was sent.
#[derive(Clone, Debug)]
struct Server {
    accepts: &'static str,
    challenge: &'static str,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    fn new(accepts: &'static str) -> Self {
        Self {
            accepts,
            challenge: "Bearer error=\"invalid_token\"",
            seen: Arc::default(),
        }
    }

    fn seen(&self) -> Vec<(String, String)> {
        std::mem::take(&mut lock(&self.seen))
    }
}

impl Service<Request<&'static str>> for Server {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<&'static str>) -> Self::Future {
        let value = request.headers().get(AUTHORIZATION);
        let value = value.map_or("", |value| value.to_str().unwrap()).to_owned();
        let is_good = value == self.accepts;
        lock(&self.seen).push((value, (*request.body()).to_owned()));
        let mut answer = Response::new(());
        if !is_good {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            let challenge = self.challenge.parse().unwrap();
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        ready(Ok(answer))
    }
}

fn layer(source: impl TokenSource) -> AuthorizeLayer {
    AuthorizeLayer::new(Arc::new(source)).only_to("api.example.org")
}

async fn send(layer: &AuthorizeLayer, server: &Server, url: &str) -> Result<StatusCode, BoxError> {
    let mut client = layer.layer(server.clone());
    std::future::poll_fn(|context| client.poll_ready(context)).await?;
    let request = Request::put(url).body("body")?;
    Ok(client.call(request).await?.status())
}

const URL: &str = "https://API.example.org/x";

fn sent(tokens: &[&str]) -> Vec<(String, String)> {
    let sent = tokens.iter().map(|token| match *token {
        "" => (String::new(), "body".to_owned()),
        token => (format!("Bearer {token}"), "body".to_owned()),
    });
    sent.collect()
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_same_request_sent_once_more() {
    let server = Server::new("Bearer t1");
    let layer = layer(Renewing::default());
    assert_eq!(send(&layer, &server, URL).await.unwrap(), StatusCode::OK);
    assert_eq!(server.seen(), sent(&["t0", "t1"]));
    // The newer one is used from now on.
    assert_eq!(send(&layer, &server, URL).await.unwrap(), StatusCode::OK);
    assert_eq!(server.seen(), sent(&["t1"]));
}

#[tokio::test]
async fn a_second_refusal_is_the_answer() {
    let server = Server::new("Bearer never");
    let status = send(&layer(Renewing::default()), &server, URL).await;
    assert_eq!(status.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.seen(), sent(&["t0", "t1"]));
}

#[tokio::test]
async fn without_a_newer_token_the_refusal_is_the_answer() {
    let server = Server::new("Bearer never");
    let token = StaticToken::new(Secret::from("t0"));
    let status = send(&layer(token), &server, URL).await;
    assert_eq!(status.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.seen(), sent(&["t0"]));
}

#[tokio::test]
async fn why_a_refused_token_could_not_be_replaced_is_the_error() {
    let server = Server::new("Bearer never");
    let source = Renewing {
        fails_from: Some(1),
        ..Renewing::default()
    };
    let error = send(&layer(source), &server, URL).await.unwrap_err();
    assert_eq!(error.to_string(), "log in again");
    assert_eq!(server.seen(), sent(&["t0"]));
}

#[tokio::test]
async fn a_token_that_does_not_suffice_is_not_replaced() {
    let mut server = Server::new("Bearer never");
    server.challenge = "Bearer error=\"insufficient_scope\"";
    let layer = layer(Renewing::default());
    let status = send(&layer, &server, URL).await;
    assert_eq!(status.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.seen(), sent(&["t0"]));
    // Nor is it taken for a bad one later.
    server.accepts = "Bearer t0";
    assert_eq!(send(&layer, &server, URL).await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn without_resending_the_token_is_replaced_for_later_requests() {
    let server = Server::new("Bearer t1");
    let layer = layer(Renewing::default()).resend_refused(false);
    let status = send(&layer, &server, URL).await;
    assert_eq!(status.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&layer, &server, URL).await.unwrap(), StatusCode::OK);
    assert_eq!(server.seen(), sent(&["t0", "t1"]));
}

#[tokio::test]
async fn other_hosts_and_plain_http_get_no_token() {
    let server = Server::new("");
    let layer = layer(Renewing::default());
    for other in [
        "https://example.org/",
        "https://api.example.org.evil.test/",
        "/x",
    ] {
        send(&layer, &server, other).await.unwrap();
        assert_eq!(server.seen(), sent(&[""]), "{other}");
    }
    let plain = "http://api.example.org/";
    let error = send(&layer, &server, plain).await.unwrap_err();
    assert!(error.to_string().contains("plain http"), "{error}");
    assert_eq!(server.seen(), sent(&[]));
    let layer = layer.allow_plain_http();
    send(&layer, &server, plain).await.unwrap();
    assert_eq!(server.seen()[0], sent(&["t0"])[0]);
}

#[tokio::test]
async fn a_credential_of_the_request_is_left_alone() {
    let server = Server::new("Basic x");
    let mut client = layer(Renewing::default()).layer(server.clone());
    let request = Request::get(URL).header(AUTHORIZATION, "Basic x");
    let answer = client.call(request.body("body").unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(server.seen(), [("Basic x".to_owned(), "body".to_owned())]);
}

/// A client whose connection is closed.
#[derive(Clone)]
struct Closed;

impl Service<Request<()>> for Closed {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err("closed".into()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

#[tokio::test]
async fn the_layer_is_ready_when_its_client_is() {
    let mut client = layer(Renewing::default()).layer(Closed);
    let ready = std::future::poll_fn(|context| client.poll_ready(context)).await;
    assert_eq!(ready.unwrap_err().to_string(), "closed");
}
