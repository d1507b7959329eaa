//! Tests of every operation, including new ones as soon as they are described.

use vouchsafe_wazo_auth::core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_wazo_auth::core::service::Service;
use vouchsafe_wazo_auth::mock::operations;
use vouchsafe_wazo_auth::{RenewingToken, Retry};

use super::*;

/// Makes a call of an operation, with the same value in all places of its path.
fn call(operation: &'static Operation, value: &str) -> Call {
    let fill = |part: &str| match part.starts_with('{') {
        true => value.to_owned(),
        false => part.to_owned(),
    };
    let path: Vec<_> = operation.path().split('/').map(fill).collect();
    Call::encoded(operation, &path.join("/")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_operation_whose_answer_is_lost_is_repeated_only_if_doubling_it_does_no_harm() {
    let mut counts = [0, 0];
    for operation in operations() {
        let told = Told::new([Then::Break, Then::Break, Then::Break]);
        let lost = told
            .client()
            .call(call(operation, ALICE), &(), &CallOptions::new())
            .await;
        let error = lost.unwrap_err();
        let is_safe = operation.repeatable() == Repeat::Safe;
        let times = if is_safe { 3 } else { 1 };
        assert_eq!(told.count(), times, "{}", operation.id());
        assert_eq!(error.sent(), Sent::Maybe, "{}", operation.id());
        counts[usize::from(is_safe)] += 1;
    }
    assert!(counts[0] > 30 && counts[1] > 50, "{counts:?}");
}

#[tokio::test]
async fn the_token_is_sent_only_with_operations_that_need_it() {
    for operation in operations() {
        let told = Told::new([]);
        let sent = told.client().with_credentials("alice", "planted");
        let _ = sent
            .call(call(operation, ALICE), &(), &CallOptions::new())
            .await;
        let token = told.header(0, "x-auth-token");
        assert_eq!(token.is_none(), operation.is_open(), "{}", operation.id());
        assert_eq!(told.header(0, "authorization"), None, "{}", operation.id());
    }
}

/// Sends a call of an operation that is refused, with a token that renews itself. Returns how many
/// requests that took.
async fn requests_for_refused(operation: &'static Operation, refusal: Then) -> usize {
    let issued = |text| answer(200, &super::token::token(text, 1000));
    let script = match operation.is_open() {
        true => vec![refusal],
        false => vec![issued("t1"), refusal, issued("t2")],
    };
    let told = Told::new(script);
    let client = told.builder().retry(Retry::none()).build().unwrap();
    let login = client.token().create().credentials("alice", "planted");
    let client = client.with_token_source(Arc::new(RenewingToken::new(login)));
    let call = call(operation, ALICE);
    let _ = client.call(call, &(), &CallOptions::new()).await;
    told.count()
}

#[tokio::test(start_paused = true)]
async fn only_a_token_that_the_service_does_not_know_is_replaced_and_the_request_repeated() {
    let object = |id: &str, details| json!({"error_id": id, "details": details});
    let reasons = json!({"reason": ["Authentication Failed"], "timestamp": [1.0]});
    let others = [
        object("unauthorized", json!({"invalid_token": "t1"})),
        object("unauthorized", json!({"required_access": "a.b"})),
        object(
            "unauthorized",
            json!({"reason": "missing_permission_or_invalid_tenant"}),
        ),
        object("unauthorized-tenant", json!({"tenant_uuid": TENANT})),
        reasons,
        json!({"message": "a proxy wants a password"}),
        json!("<html>"),
    ];
    let unknown = object("unauthorized", json!({"reason": "not_found_or_expired"}));
    let mut count = 0;
    for operation in operations() {
        let (refused, repeated) = match operation.is_open() {
            true => (1, 1),
            false => (2, 4),
        };
        for body in &others {
            let requests = requests_for_refused(operation, answer(401, body)).await;
            assert_eq!(requests, refused, "{} {body}", operation.id());
        }
        let requests = requests_for_refused(operation, answer(401, &unknown)).await;
        assert_eq!(requests, repeated, "{}", operation.id());
        count += usize::from(!operation.is_open());
    }
    assert!(count > 70, "{count}");
}

#[tokio::test]
async fn no_error_shows_a_secret_of_a_path() {
    let mut count = 0;
    for operation in operations().filter(|operation| operation.has_sensitive_path()) {
        let told = Told::new([answer(
            404,
            &json!({"message": "there is no planted-token"}),
        )]);
        let secret = vouchsafe_wazo_auth::Secret::from("planted-token");
        let call = call(operation, secret.expose()).hide(&secret);
        let error = told
            .client()
            .call(call, &(), &CallOptions::new())
            .await
            .unwrap_err();
        let body = error.body();
        let shown = format!("{error} {error:?} {body:?} {:?}", error.core().url());
        assert!(!shown.contains("planted"), "{}: {shown}", operation.id());
        count += 1;
    }
    assert_eq!(count, 4);
}
