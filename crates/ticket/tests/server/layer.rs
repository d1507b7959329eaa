//! The layer in front of plain tower services and of a real axum router.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, Request, Response};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::task::Task;
use vouchsafe_ticket::server::{
    ContextChecker, Presence, RefusalKind, ServiceTicket, TicketChecker, TicketLayer, UserTicket,
};
use vouchsafe_ticket::{
    BlackboxEnv, CheckError, CheckedServiceTicket, CheckedUserTicket, Roles, ServiceContext,
    ServiceTicketDraft, TicketStatus, TicketType, Uid, UserContext, UserTicketDraft, mock,
};

use crate::support::{
    ADA, Answer, CALLER, ENV, Log, SERVICE, TEST_KEY, US, USER, ask, assert_logged,
    assert_no_signature, bad_service_tickets, checker, from_caller, keys, of_ada, request, roles,
    service, service_keys, user, user_keys, user_of_key,
};

/// A service that returns the caller and its user.
fn app(layer: TicketLayer) -> Router {
    let tell = async |request: Request<Body>| {
        let src = ServiceTicket::find(request.extensions()).map(|t| t.map(|t| t.src().get()));
        let uid = UserTicket::find(request.extensions()).map(|t| t.map(|t| t.default_uid().get()));
        format!("{:?} {:?}", src.ok(), uid.ok())
    };
    Router::new().route("/", get(tell)).layer(layer)
}

#[tokio::test]
async fn good_tickets_are_checked_and_left_in_the_extensions() {
    let app = app(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
    assert_eq!(answer, Answer::ok("Some(Some(41)) Some(Some(1815))"));
    let answer = ask(&app, request(&[(SERVICE, &service)])).await;
    assert_eq!(answer, Answer::ok("Some(Some(41)) Some(None)"));
    // White space around a value belongs to HTTP, not to the ticket.
    let padded = format!(" {service}\t");
    let answer = ask(&app, request(&[(SERVICE, &padded)])).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_missing_ticket_is_401_and_names_the_header() {
    let required = TicketLayer::new(checker()).user_ticket(Presence::Required);
    let ticket = from_caller();
    for (headers, code, header) in [
        (&[][..], "service_ticket_missing", SERVICE),
        (&[(SERVICE, "")], "service_ticket_missing", SERVICE),
        (&[(SERVICE, " ")], "service_ticket_missing", SERVICE),
        (&[(SERVICE, &ticket)], "user_ticket_missing", USER),
        (
            &[(SERVICE, &ticket), (USER, "")],
            "user_ticket_missing",
            USER,
        ),
    ] {
        let log = Log::start();
        let answer = ask(&app(required.clone()), request(headers)).await;
        assert_eq!(answer.problem(), (401, code.to_owned()));
        assert_eq!(answer.headers["www-authenticate"], header);
        assert_eq!(answer.member("/title"), "Unauthorized");
        assert_eq!(answer.member("/detail"), format!("{header} is missing"));
        assert_logged(&log, "DEBUG", code);
    }
}

#[tokio::test]
async fn a_bad_service_ticket_is_401_with_its_status() {
    let app = app(TicketLayer::new(checker()));
    for (ticket, status) in bad_service_tickets() {
        let log = Log::start();
        let answer = ask(&app, request(&[(SERVICE, &ticket)])).await;
        assert_eq!(answer.problem(), (401, "service_ticket_refused".to_owned()));
        assert_eq!(answer.member("/ticket_status"), status);
        assert_eq!(answer.headers["www-authenticate"], SERVICE);
        assert_logged(&log, "DEBUG", "service_ticket_refused");
        assert!(!log.text().contains("planted"), "{}", log.text());
    }
}

#[tokio::test]
async fn the_answer_says_what_the_status_means() {
    let app = app(TicketLayer::new(checker()));
    let answer = ask(&app, request(&[(SERVICE, "nonsense")])).await;
    assert_eq!(
        answer.body,
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"X-Ya-Service-Ticket: Malformed ticket","code":"service_ticket_refused","ticket_status":"Malformed"}"#
    );
}

#[tokio::test]
async fn a_bad_user_ticket_is_refused_although_none_is_needed() {
    let app = app(TicketLayer::new(checker()));
    let service = from_caller();
    let expired = user(UserTicketDraft::new(ENV, ADA).expiration_time(1));
    let elsewhere = user(UserTicketDraft::new(BlackboxEnv::Test, ADA));
    for (ticket, status) in [
        ("nonsense", "Malformed"),
        (&*service, "InvalidTicketType"),
        (&*expired, "Expired"),
        (&*elsewhere, "InvalidBlackboxEnv"),
    ] {
        let answer = ask(&app, request(&[(SERVICE, &service), (USER, ticket)])).await;
        assert_eq!(answer.problem(), (401, "user_ticket_refused".to_owned()));
        assert_eq!(answer.member("/ticket_status"), status);
        assert_eq!(answer.headers["www-authenticate"], USER);
    }
}

#[tokio::test]
async fn a_header_that_comes_twice_is_400_whatever_it_holds() {
    let app = app(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    for (headers, code) in [
        (
            &[(SERVICE, &*service), (SERVICE, &service)][..],
            "service_ticket_repeated",
        ),
        (
            &[(SERVICE, &service), (SERVICE, "")],
            "service_ticket_repeated",
        ),
        (
            &[(SERVICE, &service), (USER, &user), (USER, "nonsense")],
            "user_ticket_repeated",
        ),
    ] {
        let answer = ask(&app, request(headers)).await;
        assert_eq!(answer.problem(), (400, code.to_owned()));
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_503_and_never_a_pass() {
    let (service, user) = (from_caller(), of_ada());
    let nothing = ContextChecker::new();
    let checkers = [
        nothing.clone(),
        // Keys for the other type of ticket alone.
        checker().service(ServiceContext::new(US, &user_keys()).unwrap()),
        checker().user(UserContext::new(ENV, &service_keys()).unwrap()),
        nothing.service(ServiceContext::new(US, &keys()).unwrap()),
    ];
    for checker in checkers {
        let log = Log::start();
        let answer = ask(
            &app(TicketLayer::new(checker)),
            request(&[(SERVICE, &service), (USER, &user)]),
        )
        .await;
        assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));
        assert_logged(&log, "WARN", "tickets_unjudged");
    }
}

#[tokio::test]
async fn what_is_optional_or_ignored_may_be_left_out() {
    let optional = TicketLayer::new(checker()).service_ticket(Presence::Optional);
    let answer = ask(&app(optional.clone()), request(&[])).await;
    assert_eq!(answer, Answer::ok("Some(None) Some(None)"));
    let answer = ask(&app(optional), request(&[(SERVICE, "nonsense")])).await;
    assert_eq!(answer.status, 401);

    let ignored = TicketLayer::new(checker())
        .service_ticket(Presence::Ignored)
        .user_ticket(Presence::Ignored);
    let answer = ask(
        &app(ignored),
        request(&[(SERVICE, "nonsense"), (USER, "a"), (USER, "b")]),
    )
    .await;
    assert_eq!(answer, Answer::ok("None None"));
}

#[tokio::test]
async fn an_inner_layer_keeps_what_it_does_not_look_for() {
    let inner = TicketLayer::new(checker())
        .service_ticket(Presence::Ignored)
        .user_ticket(Presence::Required);
    let app = app(inner).layer(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
    assert_eq!(answer, Answer::ok("Some(Some(41)) Some(Some(1815))"));
    let answer = ask(&app, request(&[(SERVICE, &service)])).await;
    assert_eq!(answer.problem(), (401, "user_ticket_missing".to_owned()));
}

#[tokio::test]
async fn an_inner_layer_that_ignores_both_changes_nothing() {
    let inner = TicketLayer::new(checker())
        .service_ticket(Presence::Ignored)
        .user_ticket(Presence::Ignored);
    let app = app(inner).layer(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
    assert_eq!(answer, Answer::ok("Some(Some(41)) Some(Some(1815))"));
}

#[tokio::test]
async fn an_inner_layer_that_looks_has_the_last_word() {
    // The outer layer lets requests pass without a service ticket, and has no caller to compare.
    let lax = TicketLayer::new(checker()).service_ticket(Presence::Optional);
    let strict = TicketLayer::new(checker()).allow_sources([US]);
    let app = app(strict).layer(lax);
    assert_eq!(ask(&app, request(&[])).await.status, 401);
    let answer = ask(&app, request(&[(SERVICE, &from_caller())])).await;
    assert_eq!(answer.problem(), (403, "source_not_allowed".to_owned()));
}

/// A plain tower service that counts its requests and returns its body as bytes.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Service<Request<()>> for Counting {
    type Response = Response<bytes::Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        let src = ServiceTicket::of(request.extensions()).unwrap().src();
        ready(Ok(Response::new(src.to_string().into())))
    }
}

async fn call<S>(service: &mut S, headers: &[(&str, &str)]) -> S::Response
where
    S: Service<Request<()>, Error = Infallible>,
{
    poll_fn(|context| service.poll_ready(context))
        .await
        .unwrap();
    let request = request(headers).map(|_| ());
    service.call(request).await.unwrap()
}

#[tokio::test]
async fn a_plain_tower_service_sees_only_requests_that_may_pass() {
    let inner = Counting::default();
    let mut service = TicketLayer::new(checker()).layer(inner.clone());
    let mut clone = service.clone();
    let ticket = from_caller();

    let answer = call(&mut service, &[(SERVICE, &ticket)]).await;
    assert_eq!(answer.body(), "41");
    let answer = call(&mut clone, &[(SERVICE, &ticket)]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(inner.0.load(Ordering::Relaxed), 2);

    assert_eq!(call(&mut service, &[]).await.status(), 401);
    let refused = call(&mut clone, &[(SERVICE, "nonsense")]).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(inner.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_future_can_move_between_threads() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let mut service = TicketLayer::new(checker()).layer(Counting::default());
    let answer = is_send(service.call(request(&[]).map(|_| ())))
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[test]
fn a_request_can_be_checked_without_tower() {
    let layer = TicketLayer::new(checker());
    let (service, user) = (from_caller(), of_ada());
    let mut good = request(&[(SERVICE, &service), (USER, &user)]);
    layer.check(&mut good).unwrap();
    let found = ServiceTicket::of(good.extensions()).unwrap();
    assert_eq!(found.src(), CALLER);
    assert!(found.has_scope("deliver"));
    // One copy for all who ask.
    let again = ServiceTicket::of(good.extensions()).unwrap().clone();
    assert!(Arc::ptr_eq(&found.0, &again.0));

    let mut bad = request(&[(SERVICE, "nonsense")]);
    let refusal = layer.check(&mut bad).unwrap_err();
    assert_eq!(
        refusal.kind(),
        RefusalKind::Refused(TicketType::Service, TicketStatus::Malformed)
    );
    assert_eq!(
        refusal.to_string(),
        "X-Ya-Service-Ticket: Malformed ticket (HTTP 401)"
    );
    let cause = std::error::Error::source(&refusal).unwrap();
    let cause: &CheckError = cause.downcast_ref().unwrap();
    assert_eq!(cause.status(), Some(TicketStatus::Malformed));
    assert!(ServiceTicket::find(bad.extensions()).is_err());
}

/// Judges every ticket as configured.
#[derive(Debug)]
struct Says(TicketStatus);

impl TicketChecker for Says {
    fn check_service<'t>(&self, _: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError> {
        mock::ServiceTicket::new(CALLER).status(self.0).check()
    }

    fn check_user<'t>(&self, _: &'t str) -> Result<CheckedUserTicket<'t>, CheckError> {
        mock::UserTicket::new(ADA).status(self.0).check().unwrap()
    }

    fn roles(&self) -> Option<Arc<Roles>> {
        None
    }
}

#[tokio::test]
async fn a_good_ticket_whose_subject_has_no_roles_is_403() {
    let strict = Arc::new(Says(TicketStatus::NoRoles));
    let answer = ask(
        &app(TicketLayer::new(strict.clone())),
        request(&[(SERVICE, "any")]),
    )
    .await;
    assert_eq!(answer.problem(), (403, "service_role_missing".to_owned()));
    assert_eq!(
        answer.member("/detail"),
        "X-Ya-Service-Ticket: Subject (src or defaultUid) does not have any roles in IDM"
    );
    let users = TicketLayer::new(strict).service_ticket(Presence::Ignored);
    let answer = ask(&app(users), request(&[(USER, "any")])).await;
    assert_eq!(answer.problem(), (403, "user_role_missing".to_owned()));
}

/// Refuses subjects without an entry in the roles, as a client with roles does.
#[derive(Debug)]
struct Strict(ContextChecker);

impl TicketChecker for Strict {
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError> {
        roles().require_source(self.0.check_service(ticket)?)
    }

    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError> {
        roles().require_default_uid(self.0.check_user(ticket)?)
    }

    fn roles(&self) -> Option<Arc<Roles>> {
        Some(roles())
    }
}

#[tokio::test]
async fn automatic_checks_of_roles_tell_callers_from_services_at_fault() {
    let stranger = service(ServiceTicketDraft::new(US, US));
    let of_nobody = user(UserTicketDraft::new(ENV, Uid::new(7)));
    let of_test = user_of_key(TEST_KEY, UserTicketDraft::new(BlackboxEnv::Test, ADA));
    let good = from_caller();
    let test_users = UserContext::new(BlackboxEnv::Test, &keys()).unwrap();
    for (checker, headers, status, code) in [
        (
            checker(),
            &[(SERVICE, &*stranger)][..],
            403,
            "service_role_missing",
        ),
        (
            checker(),
            &[(SERVICE, &good), (USER, &of_nobody)],
            403,
            "user_role_missing",
        ),
        (
            checker().user(test_users),
            &[(SERVICE, &good), (USER, &of_test)],
            500,
            "roles_of_other_env",
        ),
    ] {
        let answer = ask(&app(TicketLayer::new(Strict(checker))), request(headers)).await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
    }
}

#[tokio::test]
async fn a_checker_never_sees_what_cannot_be_a_ticket() {
    let app = app(TicketLayer::new(Says(TicketStatus::Ok)));
    let long = "3:serv:".to_owned() + &"A".repeat(64 << 10);
    for ticket in ["3:s\u{e9}rv:a:b", &long] {
        let answer = ask(&app, request(&[(SERVICE, ticket)])).await;
        assert_eq!(answer.problem(), (401, "service_ticket_refused".to_owned()));
        assert_eq!(answer.member("/ticket_status"), "Malformed");
    }
    let answer = ask(&app, request(&[(SERVICE, "anything else")])).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn signatures_are_in_no_answer_no_debug_and_no_log() {
    let log = Log::start();
    let good = from_caller();
    let mut tickets: Vec<String> = bad_service_tickets().into_iter().map(|(t, _)| t).collect();
    tickets.retain(|ticket| (100..1000).contains(&ticket.len()));
    let (user, roles) = (of_ada(), roles());
    let layer = TicketLayer::new(checker().roles(roles)).require_service_role("/nobody/");
    let mut seen = format!("{layer:?}");
    for ticket in tickets.iter().chain([&good]) {
        let headers = [(SERVICE, &**ticket), (USER, &*user)];
        seen += &format!("{:?}", ask(&app(layer.clone()), request(&headers)).await);
        let mut marked = request(&headers);
        if let Err(refusal) = layer.check(&mut marked) {
            seen += &format!("{refusal} {refusal:?}");
        }
        seen += &format!("{marked:?} {:?}", marked.extensions());
        seen += &format!("{:?}", ServiceTicket::find(marked.extensions()));
    }
    seen += &log.text();
    assert!(
        seen.contains("service_role_missing") && seen.contains("src=41"),
        "{seen}"
    );
    let all: Vec<&str> = tickets.iter().chain([&good, &user]).map(|t| &**t).collect();
    assert_eq!(all.len(), 8);
    assert_no_signature(&seen, &all);
}

#[tokio::test]
async fn behind_the_layer_the_headers_are_there_and_sensitive() {
    let show =
        async |headers: HeaderMap| format!("{headers:?} {}", headers[USER].to_str().unwrap());
    let app = Router::new()
        .route("/", get(show))
        .layer(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
    assert!(answer.body.ends_with(&user), "{answer:?}");
    assert!(!answer.body.contains(&service), "{answer:?}");
}

#[tokio::test]
async fn only_the_layer_identifies_the_caller() {
    // A ticket that some other code left in the extensions is not the layer's.
    let forged = mock::ServiceTicket::new(US).check().unwrap();
    let app = app(TicketLayer::new(checker()).service_ticket(Presence::Ignored))
        .layer(Extension(ServiceTicket::from(forged)));
    let answer = ask(&app, request(&[])).await;
    assert_eq!(answer, Answer::ok("None Some(None)"));
}

#[tokio::test]
async fn it_works_over_a_socket() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(TicketLayer::new(checker()));
    let _server = Task::spawn(async move {
        axum::serve(listener, app).await.unwrap();
    });

    let good = from_caller();
    let foreign = service(ServiceTicketDraft::new(CALLER, CALLER));
    for (header, status, text) in [
        (
            format!("x-ya-service-ticket: {good}\r\n"),
            200,
            "Some(Some(41))",
        ),
        (
            format!("X-YA-SERVICE-TICKET: {foreign}\r\n"),
            401,
            "InvalidDst",
        ),
        (
            "X-Ya-Service-Ticket: s\u{e9}rv\r\n".to_owned(),
            401,
            "Malformed",
        ),
        (
            format!("X-Ya-Service-Ticket: {good}\r\n").repeat(2),
            400,
            "service_ticket_repeated",
        ),
        (String::new(), 401, "service_ticket_missing"),
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{header}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(text), "{answer}");
    }
}

proptest! {
    #[test]
    fn whatever_the_headers_hold_nothing_passes_without_a_good_ticket(
        values in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80)), 0..4),
        change in (any::<prop::sample::Index>(), any::<u8>()),
    ) {
        let layer = TicketLayer::new(checker());
        let mut request = request(&[]);
        for (is_user, bytes) in values {
            if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                request.headers_mut().append(if is_user { USER } else { SERVICE }, value);
            }
        }
        prop_assert!(layer.check(&mut request).is_err());

        let good = from_caller();
        let mut bytes = good.clone().into_bytes();
        let index = change.0.index(bytes.len());
        bytes[index] = change.1;
        let Ok(value) = http::HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        // The signature's text may be written in more ways than one; what is signed may not.
        let is_signed = index < good.rfind(':').unwrap() && bytes != good.as_bytes();
        let mut request = Request::new(());
        request.headers_mut().insert(SERVICE, value);
        if layer.check(&mut request).is_ok() {
            prop_assert!(!is_signed);
        }
    }
}
