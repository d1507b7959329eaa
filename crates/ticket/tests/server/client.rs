//! The layers over a real client, which asks emulators in this process. Time is paused.

use axum::Router;
use axum::routing::get;
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::Secret;
use vouchsafe_ticket::mock::Server;
use vouchsafe_ticket::server::{
    OutgoingTicketLayer, Refusal, ServiceTicket, TicketLayer, UserTicket,
};
use vouchsafe_ticket::{Client, Error, ErrorKind, TvmApiBuilder, TvmId};

use crate::support::{ADA, Answer, CALLER, ENV, SERVICE, US, USER, ask, request};

/// A service ticket of [`CALLER`] and a user ticket of [`ADA`], with the world that signed them.
fn world() -> (Server, Secret, Secret) {
    let server = Server::new();
    server.add_destination(US);
    let service = server.mint_service(CALLER, US).unwrap();
    let user = server.mint_user(ENV, &[ADA]).unwrap();
    (server, service, user)
}

fn asking(server: &Server, id: TvmId) -> TvmApiBuilder {
    Client::tvm_api(id)
        .transport(server.host().transport())
        .clock(server.clock().clone())
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
    let (server, service, user) = world();
    let client = asking(&server, US)
        .check_service_tickets()
        .check_user_tickets(ENV)
        .connect()
        .await
        .unwrap();
    let app = app(client.clone());
    let headers = [(SERVICE, service.expose()), (USER, user.expose())];
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
    let (server, service, user) = world();
    let client = asking(&server, US)
        .check_service_tickets()
        .connect()
        .await
        .unwrap();
    let app = app(client);
    let (service, user) = (service.expose(), user.expose());
    let answer = ask(&app, request(&[(SERVICE, service)])).await;
    assert_eq!(answer, Answer::ok("41 None"));
    let answer = ask(&app, request(&[(SERVICE, service), (USER, user)])).await;
    assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_client_has_the_tickets_for_outgoing_requests() {
    let server = Server::new();
    server.add_service(US, "us");
    let secret = server.add_service(CALLER, "caller");
    let client = asking(&server, CALLER)
        .secret(secret)
        .destinations([US, TvmId::new(7)])
        .allow_incomplete_tickets()
        .connect()
        .await
        .unwrap();
    let checking = asking(&server, US).check_service_tickets();
    let behind = app(checking.connect().await.unwrap());
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

#[tokio::test(start_paused = true)]
async fn a_clients_error_in_a_handler_becomes_the_answer() {
    let server = Server::new();
    let secret = server.add_service(CALLER, "caller");
    let client = asking(&server, CALLER)
        .secret(secret)
        .destination(TvmId::new(7))
        .allow_incomplete_tickets()
        .connect()
        .await
        .unwrap();
    let ticket = |dst: u32| {
        let client = client.clone();
        async move || -> Result<String, Error> {
            client.service_ticket(TvmId::new(dst))?;
            Ok(String::new())
        }
    };
    let by_refusal = {
        let client = client.clone();
        async move || -> Result<String, Refusal> {
            client.service_ticket(TvmId::new(7))?;
            Ok(String::new())
        }
    };
    let app = Router::new().route("/", get(ticket(7)).post(by_refusal).put(ticket(8)));
    for (method, status, code) in [
        ("GET", 503, "upstream_unavailable"),
        ("POST", 503, "upstream_unavailable"),
        // Not asked for in the settings.
        ("PUT", 500, "internal"),
    ] {
        let mut request = request(&[]);
        *request.method_mut() = method.parse().unwrap();
        let answer = ask(&app, request).await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert!(!answer.body.contains("Dst is not found"), "{answer:?}");
    }
}
