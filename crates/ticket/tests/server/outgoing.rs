//! Service tickets on outgoing requests: as a tower layer, and for clients of this workspace.

use std::future::{Ready, poll_fn, ready};
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::Secret;
use vouchsafe_core::auth::{Authorize as _, TokenSource as _};
use vouchsafe_ticket::server::{
    OutgoingTicketLayer, ServiceTicket, TicketLayer, TicketSource, TicketTokens,
    service_ticket_header,
};
use vouchsafe_ticket::{Error, ErrorKind, Result, ServiceTicketDraft, TvmId};

use crate::support::{
    Answer, CALLER, SERVICE, US, ask, assert_no_signature, checker, from_caller, request, service,
};

/// Has a ticket for [`US`] alone.
#[derive(Debug)]
struct Tickets(Secret);

impl Tickets {
    fn new() -> Self {
        Self(Secret::from(from_caller()))
    }
}

impl TicketSource for Tickets {
    fn service_ticket(&self, dst: TvmId) -> Result<Secret> {
        match dst {
            US => Ok(self.0.clone()),
            _ => Err(missing()),
        }
    }
}

/// Errors of this crate are made by its own code only: this one comes from core.
fn missing() -> Error {
    let kind = vouchsafe_core::ErrorKind::NotFound;
    vouchsafe_core::Error::new(kind, "Failed to get ticket for '7': Dst is not found").into()
}

/// A client that keeps what it is asked to send.
#[derive(Clone, Debug, Default)]
struct Sent(Arc<Mutex<Vec<HeaderMap>>>);

impl Service<Request<()>> for Sent {
    type Response = ();
    type Error = io::Error;
    type Future = Ready<Result<(), io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.lock().unwrap().push(request.headers().clone());
        ready(match request.uri().path() {
            "/broken" => Err(io::Error::other("reset by peer")),
            _ => Ok(()),
        })
    }
}

impl Sent {
    fn last(&self) -> HeaderMap {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn send<S>(client: &mut S, uri: &str) -> Result<(), BoxError>
where
    S: Service<Request<()>, Response = (), Error = BoxError>,
{
    poll_fn(|context| client.poll_ready(context)).await?;
    client.call(Request::get(uri).body(()).unwrap()).await
}

fn to_us() -> OutgoingTicketLayer {
    OutgoingTicketLayer::new(Tickets::new(), US)
}

#[tokio::test]
async fn a_ticket_is_put_on_the_request_and_marked_sensitive() {
    let sent = Sent::default();
    let mut client = to_us().layer(sent.clone());
    send(&mut client, "https://api.example.org/").await.unwrap();

    let headers = sent.last();
    assert!(headers[SERVICE].is_sensitive());
    let mut incoming = request(&[(SERVICE, headers[SERVICE].to_str().unwrap())]);
    TicketLayer::new(checker()).check(&mut incoming).unwrap();
    let found = ServiceTicket::of(incoming.extensions()).unwrap();
    assert_eq!((found.src(), found.dst()), (CALLER, US));
}

#[tokio::test]
async fn a_ticket_that_is_there_already_is_replaced() {
    let sent = Sent::default();
    let mut client = to_us().layer(sent.clone());
    let mut request = Request::get("https://api.example.org/").body(()).unwrap();
    for _ in 0..2 {
        let others = HeaderValue::from_static("somebody-elses");
        request.headers_mut().append(SERVICE, others);
    }
    client.call(request).await.unwrap();
    let headers = sent.last();
    assert_eq!(headers.get_all(SERVICE).iter().count(), 1);
    assert_ne!(headers[SERVICE], "somebody-elses");
}

#[tokio::test]
async fn without_a_ticket_nothing_is_sent_and_the_error_says_why() {
    let sent = Sent::default();
    let mut client = OutgoingTicketLayer::new(Tickets::new(), TvmId::new(7)).layer(sent.clone());
    let error = send(&mut client, "https://api.example.org/")
        .await
        .unwrap_err();
    let error: &Error = error.downcast_ref().unwrap();
    assert_eq!(error.to_string(), missing().to_string());
    assert_eq!(sent.count(), 0);
}

#[tokio::test]
async fn a_text_that_does_not_fit_a_header_is_not_a_ticket() {
    let sent = Sent::default();
    let broken = Tickets(Secret::from("3:serv:planted\r\nX-Evil: 1"));
    let mut client = OutgoingTicketLayer::new(broken, US).layer(sent.clone());
    let error = send(&mut client, "https://api.example.org/")
        .await
        .unwrap_err();
    let shown = format!("{error} {error:?}");
    let error: &Error = error.downcast_ref().unwrap();
    let credential = vouchsafe_core::ErrorKind::Credential;
    assert_eq!(error.kind(), ErrorKind::Core(credential));
    assert!(!shown.contains("planted"), "{shown}");
    assert_eq!(sent.count(), 0);
}

#[tokio::test]
async fn a_ticket_is_sent_over_tls_or_to_this_machine() {
    for (uri, may) in [
        ("https://api.example.org/", true),
        ("HTTPS://api.example.org:8443/", true),
        // Whatever a resolver makes of it.
        ("http://localhost:8080/", false),
        ("http://127.0.0.1:8080/", true),
        ("http://[::1]:8080/", true),
        ("http://api.example.org/", false),
        ("http://localhost.example.org/", false),
        ("http://127.0.0.1.example.org/", false),
        ("http://10.0.0.1/", false),
        ("/only/a/path", false),
    ] {
        let sent = Sent::default();
        let outcome = send(&mut to_us().layer(sent.clone()), uri).await;
        assert_eq!(outcome.is_ok(), may, "{uri}");
        assert_eq!(sent.count(), usize::from(may), "{uri}");
        if let Err(error) = outcome {
            let error: &Error = error.downcast_ref().unwrap();
            assert_eq!(error.kind(), ErrorKind::BrokenSettings);
        }
        let mut allowed = to_us().allow_plain_http().layer(sent.clone());
        send(&mut allowed, uri).await.unwrap();
    }
}

#[tokio::test]
async fn a_layer_for_one_host_sends_to_no_other() {
    let sent = Sent::default();
    let layer = to_us().only_to("api.example.org").allow_plain_http();
    let mut client = layer.layer(sent.clone());
    send(&mut client, "https://API.example.org:8443/")
        .await
        .unwrap();
    for uri in [
        "https://evil.example.org/",
        "https://example.org/",
        "http://localhost/",
        "/path",
    ] {
        let error = send(&mut client, uri).await.unwrap_err();
        assert!(
            error.to_string().contains("the host only"),
            "{uri}: {error}"
        );
    }
    assert_eq!(sent.count(), 1);
}

#[tokio::test]
async fn the_clients_own_error_comes_through() {
    let sent = Sent::default();
    let mut client = to_us().layer(sent.clone());
    let error = send(&mut client.clone(), "https://api.example.org/broken")
        .await
        .unwrap_err();
    assert!(error.downcast_ref::<io::Error>().is_some());
    send(&mut client, "https://api.example.org/").await.unwrap();
    assert_eq!(sent.count(), 2);
}

#[tokio::test]
async fn a_proxy_calls_on_with_its_own_ticket() {
    let behind = Router::new()
        .route(
            "/",
            get(async |caller: ServiceTicket| caller.src().to_string()),
        )
        .layer(TicketLayer::new(checker()));
    let mut client = to_us().allow_plain_http().layer(behind.clone());
    let mut passed_on = request(&[(SERVICE, &service(ServiceTicketDraft::new(US, US)))]);
    assert_eq!(
        ask(&behind, request_like(&passed_on)).await,
        Answer::ok("42")
    );
    to_us()
        .allow_plain_http()
        .authorize(&mut passed_on)
        .unwrap();
    assert_eq!(ask(&behind, passed_on).await, Answer::ok("41"));
    let response = client.call(request(&[])).await.unwrap();
    assert_eq!(response.status(), 200);
}

fn request_like(request: &Request<axum::body::Body>) -> Request<axum::body::Body> {
    let mut same = crate::support::request(&[]);
    *same.headers_mut() = request.headers().clone();
    same
}

#[tokio::test]
async fn other_clients_of_this_workspace_take_tickets_as_tokens() {
    let expiring = service(ServiceTicketDraft::new(CALLER, US).expiration_time(1_700_000_001));
    let tokens = TicketTokens::new(Tickets(Secret::from(&*expiring)), US);
    let token = tokens.token().await.unwrap();
    let expiry = token.expiry().unwrap();
    let since = expiry.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 1_700_000_001);

    let mut headers = HeaderMap::new();
    service_ticket_header()
        .authorize(&token, &mut headers)
        .unwrap();
    assert_eq!(headers[SERVICE], *expiring);
    assert!(headers[SERVICE].is_sensitive());

    let tokens = TicketTokens::new(Arc::new(Tickets::new()), TvmId::new(7));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), vouchsafe_core::ErrorKind::Credential);
    assert!(error.to_string().contains("Dst is not found"), "{error}");
}

#[tokio::test]
async fn the_ticket_is_in_no_debug() {
    let ticket = from_caller();
    let layer = OutgoingTicketLayer::new(Tickets(Secret::from(&*ticket)), US);
    let tokens = TicketTokens::new(Tickets(Secret::from(&*ticket)), US);
    let mut outgoing = Request::get("https://api.example.org/").body(()).unwrap();
    layer.authorize(&mut outgoing).unwrap();
    let seen = format!(
        "{layer:?} {tokens:?} {:?} {outgoing:?}",
        layer.layer(Sent::default())
    );
    assert!(seen.contains("Sensitive"), "{seen}");
    assert_no_signature(&seen, &[&ticket]);
}
