//! Rules over checked tickets, on a layer and on single routes.

use axum::Router;
use axum::routing::get;
use vouchsafe_ticket::server::{ContextChecker, Guard, Presence, TicketLayer};
use vouchsafe_ticket::{BlackboxEnv, TvmId, Uid, UserContext, UserTicketDraft};

use crate::support::{
    ADA, Answer, CALLER, ENV, Log, SERVICE, TEST_KEY, US, USER, ask, assert_logged, checker,
    from_caller, keys, of_ada, request, roles, user, user_of_key,
};

fn behind(guard: Guard, layer: TicketLayer) -> Router {
    Router::new()
        .route("/", get(async || "in"))
        .layer(guard)
        .layer(layer)
}

/// Asks with both tickets, past a guard.
async fn passed(guard: Guard, checker: ContextChecker) -> Answer {
    let (service, user) = (from_caller(), of_ada());
    let app = behind(guard, TicketLayer::new(checker));
    ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await
}

#[tokio::test]
async fn every_rule_admits_exactly_the_callers_it_names() {
    let none: [&str; 0] = [];
    for (guard, code) in [
        (Guard::new(), None),
        (Guard::new().allow_sources([CALLER]), None),
        (
            Guard::new().allow_sources([CALLER]).allow_sources([US]),
            None,
        ),
        (
            Guard::new().allow_sources([US]).allow_sources([CALLER]),
            None,
        ),
        (Guard::new().allow_sources([US]), Some("source_not_allowed")),
        (Guard::new().allow_sources([]), Some("source_not_allowed")),
        (Guard::new().require_service_role("/read/"), None),
        (
            Guard::new().require_service_role("/write/"),
            Some("service_role_missing"),
        ),
        (
            Guard::new().require_any_service_role(["/write/", "/read/"]),
            None,
        ),
        (
            Guard::new().require_any_service_role(none),
            Some("service_role_missing"),
        ),
        (
            Guard::new()
                .require_service_role("/read/")
                .require_service_role("/write/"),
            Some("service_role_missing"),
        ),
        (Guard::new().require_user_role("/write/"), None),
        (
            Guard::new().require_user_role("/read/"),
            Some("user_role_missing"),
        ),
        (
            Guard::new().require_any_user_role(["/read/", "/write/"]),
            None,
        ),
        (
            Guard::new().require_any_user_role(none),
            Some("user_role_missing"),
        ),
        (Guard::new().require_service_scope("deliver"), None),
        (
            Guard::new().require_service_scope("mail:read"),
            Some("service_scope_missing"),
        ),
        (Guard::new().require_user_scope("mail:read"), None),
        (
            Guard::new().require_user_scope("deliver"),
            Some("user_scope_missing"),
        ),
        (
            Guard::new().require_any_user_scope(["x", "mail:read"]),
            None,
        ),
        (
            Guard::new().require_any_user_scope(none),
            Some("user_scope_missing"),
        ),
        (
            Guard::new()
                .require_service_role("/read/")
                .require_user_role("/read/"),
            Some("user_role_missing"),
        ),
    ] {
        let shown = format!("{guard:?}");
        let answer = passed(guard, checker().roles(roles())).await;
        match code {
            None => assert_eq!(answer, Answer::ok("in"), "{shown}"),
            Some(code) => assert_eq!(answer.problem(), (403, code.to_owned()), "{shown}"),
        }
    }
}

#[tokio::test]
async fn a_layer_takes_the_same_rules() {
    let (service, user) = (from_caller(), of_ada());
    let layer = || TicketLayer::new(checker().roles(roles()));
    for (layer, code) in [
        (layer().allow_sources([CALLER]), None),
        (layer().allow_sources([US]), Some("source_not_allowed")),
        (layer().require_service_role("/read/"), None),
        (
            layer().require_service_role("/write/"),
            Some("service_role_missing"),
        ),
        (
            layer().require_user_role("/read/"),
            Some("user_role_missing"),
        ),
        (layer().require_user_scope("x"), Some("user_scope_missing")),
        (
            layer().require_service_scope("x"),
            Some("service_scope_missing"),
        ),
    ] {
        let app = behind(Guard::new(), layer);
        let answer = ask(&app, request(&[(SERVICE, &service), (USER, &user)])).await;
        match code {
            None => assert_eq!(answer, Answer::ok("in")),
            Some(code) => assert_eq!(answer.problem(), (403, code.to_owned())),
        }
    }
}

#[tokio::test]
async fn the_answer_names_what_would_have_been_needed() {
    let guard = Guard::new().require_any_user_role(["/admin/", "/owner/"]);
    let answer = passed(guard, checker().roles(roles())).await;
    assert_eq!(
        answer.member("/detail"),
        "Only for users with the role /admin/ or /owner/"
    );
    let answer = passed(Guard::new().allow_sources([US]), checker()).await;
    assert_eq!(answer.member("/detail"), "The service 41 may not call this");
    assert_eq!(answer.member("/title"), "Forbidden");
}

#[tokio::test]
async fn a_rule_about_a_ticket_that_is_not_there_is_401() {
    let ticket = from_caller();
    for guard in [
        Guard::new().require_user_role("/write/"),
        Guard::new().require_user_scope("mail:read"),
    ] {
        let app = behind(guard, TicketLayer::new(checker().roles(roles())));
        let answer = ask(&app, request(&[(SERVICE, &ticket)])).await;
        assert_eq!(answer.problem(), (401, "user_ticket_missing".to_owned()));
    }
    let lax = TicketLayer::new(checker()).service_ticket(Presence::Optional);
    let app = behind(Guard::new().allow_sources([CALLER]), lax);
    let answer = ask(&app, request(&[])).await;
    assert_eq!(answer.problem(), (401, "service_ticket_missing".to_owned()));
}

#[tokio::test]
async fn without_roles_every_request_is_refused() {
    let log = Log::start();
    let answer = passed(Guard::new().require_service_role("/read/"), checker()).await;
    assert_eq!(answer.problem(), (503, "tickets_unjudged".to_owned()));
    assert_logged(&log, "WARN", "tickets_unjudged");
}

#[tokio::test]
async fn roles_of_users_who_cannot_have_any_are_a_fault_of_the_service() {
    let checker = checker()
        .roles(roles())
        .user(UserContext::new(BlackboxEnv::Test, &keys()).unwrap());
    let ticket = UserTicketDraft::new(BlackboxEnv::Test, ADA);
    let ticket = user_of_key(TEST_KEY, ticket);
    let app = behind(
        Guard::new().require_user_role("/write/"),
        TicketLayer::new(checker),
    );
    let log = Log::start();
    let answer = ask(&app, request(&[(SERVICE, &from_caller()), (USER, &ticket)])).await;
    assert_eq!(answer.problem(), (500, "roles_of_other_env".to_owned()));
    assert_logged(&log, "WARN", "roles_of_other_env");
}

#[tokio::test]
async fn a_user_without_an_entry_has_no_role() {
    let nobody = user(UserTicketDraft::new(ENV, Uid::new(0)));
    let app = behind(
        Guard::new().require_user_role("/write/"),
        TicketLayer::new(checker().roles(roles())),
    );
    let answer = ask(&app, request(&[(SERVICE, &from_caller()), (USER, &nobody)])).await;
    assert_eq!(answer.problem(), (403, "user_role_missing".to_owned()));
}

#[tokio::test]
async fn a_guard_without_a_layer_refuses_loudly() {
    for guard in [
        Guard::new().allow_sources([CALLER]),
        Guard::new().require_service_role("/read/"),
        Guard::new().require_user_role("/read/"),
        Guard::new().require_service_scope("x"),
        Guard::new().require_user_scope("x"),
    ] {
        let app = Router::new()
            .route("/", get(async || "in"))
            .layer(guard.clone());
        let log = Log::start();
        let answer = ask(&app, request(&[(SERVICE, &from_caller())])).await;
        assert_eq!(answer.problem(), (500, "layer_missing".to_owned()));
        assert_logged(&log, "WARN", "layer_missing");

        // Layers put on the wrong way round.
        let wrong = Router::new()
            .route("/", get(async || "in"))
            .layer(TicketLayer::new(checker().roles(roles())))
            .layer(guard);
        let answer = ask(&wrong, request(&[(SERVICE, &from_caller())])).await;
        assert_eq!(answer.problem(), (500, "layer_missing".to_owned()));
    }
}

#[tokio::test]
async fn a_rule_of_a_layer_that_does_not_look_is_a_fault_of_the_service() {
    let layer = TicketLayer::new(checker())
        .service_ticket(Presence::Ignored)
        .allow_sources([TvmId::new(41)]);
    let answer = ask(
        &behind(Guard::new(), layer),
        request(&[(SERVICE, &from_caller())]),
    )
    .await;
    assert_eq!(answer.problem(), (500, "layer_missing".to_owned()));
}
