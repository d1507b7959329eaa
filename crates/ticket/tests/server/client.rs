//! The layers over a real client, which asks an authority in this process. Time is paused.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::Secret;
use vouchsafe_core::mock::{Handler, Host};
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_ticket::server::{OutgoingTicketLayer, ServiceTicket, TicketLayer, UserTicket};
use vouchsafe_ticket::{Client, Error, ErrorKind, ServiceSecret, ServiceTicketDraft, TvmId};

use crate::support::{
    Answer, CALLER, ENV, SERVICE, US, USER, ask, checker, from_caller, key_text, of_ada, request,
    service,
};

/// Knows [`US`] and [`CALLER`]; any secret is right.
#[derive(Debug)]
struct Authority;

impl Handler for Authority {
    fn handle(&self, request: &Request) -> Response {
        let mut response = Response::new(StatusCode::OK);
        response.body = match request.uri.path() {
            "/2/keys" => key_text().into(),
            _ => {
                let ticket = service(ServiceTicketDraft::new(CALLER, US));
                format!(
                    r#"{{"42": {{"ticket": "{ticket}"}}, "7": {{"error": "Dst is not found"}}}}"#
                )
                .into()
            }
        };
        response
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        Some(match uri.path() {
            "/2/keys" => "keys",
            _ => "tickets",
        })
    }
}

async fn checking() -> Client {
    Client::tvm_api(US)
        .transport(Host::new(Arc::new(Authority)).transport())
        .check_service_tickets()
        .check_user_tickets(ENV)
        .connect()
        .await
        .unwrap()
}

fn app(client: Client) -> Router {
    let tell = async |caller: ServiceTicket, user: Option<UserTicket>| {
        format!("{} {:?}", caller.src(), user.map(|user| user.default_uid()))
    };
    Router::new()
        .route("/", get(tell))
        .layer(TicketLayer::new(client))
}

#[tokio::test(start_paused = true)]
async fn a_client_checks_for_the_layer() {
    let client = checking().await;
    let app = app(client.clone());
    let (service, user) = (from_caller(), of_ada());
    let headers = [(SERVICE, &*service), (USER, &*user)];
    let answer = ask(&app, request(&headers)).await;
    assert_eq!(answer, Answer::ok("41 Some(Uid(1815))"));
    let answer = ask(&app, request(&[(SERVICE, "nonsense")])).await;
    assert_eq!(answer.problem(), (401, "service_ticket_refused".to_owned()));

    client.stop();
    let answer = ask(&app, request(&headers)).await;
    assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_check_one_type_lets_none_of_it_pass() {
    let client = Client::tvm_api(US)
        .transport(Host::new(Arc::new(Authority)).transport())
        .check_service_tickets()
        .connect()
        .await
        .unwrap();
    let app = app(client);
    let (service, user) = (from_caller(), of_ada());
    let answer = ask(&app, request(&[(SERVICE, &service)])).await;
    assert_eq!(answer, Answer::ok("41 None"));
    let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
    assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_client_has_the_tickets_for_outgoing_requests() {
    let client = Client::tvm_api(CALLER)
        .transport(Host::new(Arc::new(Authority)).transport())
        .secret(ServiceSecret::parse(&Secret::from("c2VjcmV0")).unwrap())
        .destinations([US, TvmId::new(7)])
        .allow_incomplete_tickets()
        .connect()
        .await
        .unwrap();
    let behind = Router::new()
        .route(
            "/",
            get(async |caller: ServiceTicket| caller.src().to_string()),
        )
        .layer(TicketLayer::new(checker()));

    let to = |dst: u32| {
        OutgoingTicketLayer::new(client.clone(), TvmId::new(dst))
            .allow_plain_http()
            .layer(behind.clone())
    };
    let response = to(42).call(request(&[])).await.unwrap();
    assert_eq!(response.status(), 200);

    for (dst, kind) in [
        (7, ErrorKind::MissingServiceTicket),
        (8, ErrorKind::BrokenSettings),
    ] {
        let error = to(dst).call(request(&[])).await.unwrap_err();
        let error: &Error = error.downcast_ref().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
    }
    client.stop();
    let error = to(42).call(request(&[])).await.unwrap_err();
    let error: &Error = error.downcast_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Stopped);
}
