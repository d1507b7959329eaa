//! The extractors in front of a real axum router.

use axum::Router;
use axum::routing::get;
use vouchsafe_ticket::server::{
    Presence, Refusal, ServiceRoles, ServiceTicket, TicketLayer, UserRoles, UserTicket,
};
use vouchsafe_ticket::{BlackboxEnv, UserContext, UserTicketDraft, mock};

use crate::support::{
    ADA, Answer, CALLER, Log, SERVICE, TEST_KEY, USER, ask, assert_logged, checker, from_caller,
    keys, of_ada, request_to, roles, user_of_key,
};

/// A service that shows what its handlers are given.
fn app(layer: TicketLayer) -> Router {
    routes().layer(layer)
}

fn routes() -> Router {
    Router::new()
        .route("/service", get(service))
        .route(
            "/user",
            get(async |UserTicket(ticket): UserTicket| ticket.default_uid().to_string()),
        )
        .route(
            "/maybe",
            get(
                async |service: Option<ServiceTicket>, user: Option<UserTicket>| {
                    format!("{} {}", service.is_some(), user.is_some())
                },
            ),
        )
        .route("/reads", get(reads))
        .route("/writes", get(writes))
        .route("/notes/{kind}", get(notes))
}

async fn service(caller: ServiceTicket) -> String {
    caller.src().to_string()
}

async fn reads(caller: ServiceRoles) -> Result<String, Refusal> {
    caller.require("/read/")?;
    Ok(caller.ticket().src().to_string())
}

async fn writes(caller: ServiceRoles, user: UserRoles) -> Result<&'static str, Refusal> {
    user.require("/write/")?;
    caller.require("/write/")?;
    Ok("written")
}

async fn notes(
    axum::extract::Path(kind): axum::extract::Path<String>,
    user: UserRoles,
) -> Result<String, Refusal> {
    user.require_entity("/write/", &[("kind", &kind)])?;
    Ok(format!("{:?}", user.all()?))
}

async fn asked(app: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(app, request_to(path, headers)).await
}

#[tokio::test]
async fn handlers_are_given_the_checked_tickets() {
    let app = app(TicketLayer::new(checker()));
    let (service, user) = (from_caller(), of_ada());
    let both = [(SERVICE, &*service), (USER, &*user)];
    for (path, expected) in [
        ("/service", "41"),
        ("/user", "1815"),
        ("/maybe", "true true"),
    ] {
        assert_eq!(
            asked(&app, path, &both).await,
            Answer::ok(expected),
            "{path}"
        );
    }
    assert_eq!(
        asked(&app, "/maybe", &both[..1]).await,
        Answer::ok("true false")
    );
    let answer = asked(&app, "/user", &both[..1]).await;
    assert_eq!(answer.problem(), (401, "user_ticket_missing".to_owned()));
}

#[tokio::test]
async fn what_the_layer_let_pass_without_is_refused_or_none() {
    let lax = TicketLayer::new(checker()).service_ticket(Presence::Optional);
    let app = app(lax);
    assert_eq!(asked(&app, "/maybe", &[]).await, Answer::ok("false false"));
    let answer = asked(&app, "/service", &[]).await;
    assert_eq!(answer.problem(), (401, "service_ticket_missing".to_owned()));
    assert_eq!(answer.headers["www-authenticate"], SERVICE);
}

#[tokio::test]
async fn without_the_layer_every_extractor_refuses_loudly() {
    let (service, user) = (from_caller(), of_ada());
    let both = [(SERVICE, &*service), (USER, &*user)];
    let ignoring = TicketLayer::new(checker())
        .service_ticket(Presence::Ignored)
        .user_ticket(Presence::Ignored);
    for app in [routes(), app(ignoring)] {
        for path in [
            "/service", "/user", "/maybe", "/reads", "/writes", "/notes/a",
        ] {
            let log = Log::start();
            let answer = asked(&app, path, &both).await;
            assert_eq!(
                answer.problem(),
                (500, "layer_missing".to_owned()),
                "{path}"
            );
            assert!(answer.body.contains("TicketLayer"), "{answer:?}");
            assert_logged(&log, "WARN", "layer_missing");
        }
    }
}

#[tokio::test]
async fn a_handler_can_ask_for_a_role() {
    let app = app(TicketLayer::new(checker().roles(roles())));
    let (service, user) = (from_caller(), of_ada());
    let both = [(SERVICE, &*service), (USER, &*user)];
    assert_eq!(asked(&app, "/reads", &both).await, Answer::ok("41"));
    let answer = asked(&app, "/writes", &both).await;
    assert_eq!(answer.problem(), (403, "service_role_missing".to_owned()));
    let answer = asked(&app, "/writes", &both[..1]).await;
    assert_eq!(answer.problem(), (401, "user_ticket_missing".to_owned()));

    let answer = asked(&app, "/notes/note", &both).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("/write/"), "{answer:?}");
    let answer = asked(&app, "/notes/other", &both).await;
    assert_eq!(answer.problem(), (403, "user_role_missing".to_owned()));
}

#[tokio::test]
async fn missing_roles_are_503_and_roles_that_cannot_exist_are_500() {
    let (service, user) = (from_caller(), of_ada());
    let both = [(SERVICE, &*service), (USER, &*user)];
    let answer = asked(&app(TicketLayer::new(checker())), "/reads", &both).await;
    assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));

    let of_test = UserContext::new(BlackboxEnv::Test, &keys()).unwrap();
    let app = app(TicketLayer::new(checker().roles(roles()).user(of_test)));
    let user = user_of_key(TEST_KEY, UserTicketDraft::new(BlackboxEnv::Test, ADA));
    let answer = asked(&app, "/writes", &[(SERVICE, &service), (USER, &user)]).await;
    assert_eq!(answer.problem(), (500, "roles_of_other_env".to_owned()));
    assert!(
        answer.body.contains("must be from ProdYateam"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_handler_can_be_tested_with_a_ticket_made_by_hand() {
    let ticket = mock::ServiceTicket::new(CALLER).check().unwrap();
    assert_eq!(service(ticket.into()).await, "41");
}
