//! What refusals mean.

use std::time::{Duration, UNIX_EPOCH};

use vouchsafe_wazo_auth::core::ErrorKind as Core;
use vouchsafe_wazo_auth::{ErrorKind, PasswordChange, Result};

use super::*;

fn object(id: &str, details: &Value) -> Value {
    json!({
        "message": "what happened", "error_id": id, "details": details,
        "resource": "users", "timestamp": 1_000.25,
    })
}

async fn refused(code: u16, body: &Value) -> vouchsafe_wazo_auth::Error {
    let told = Told::new([answer(code, body)]);
    let error = told.client().users().delete(&alice()).await.unwrap_err();
    assert_eq!(told.count(), 1);
    error
}

#[tokio::test]
async fn the_two_meanings_of_401_are_told_apart() {
    let unknown = json!({"reason": "not_found_or_expired", "required_access": "a.b"});
    let error = refused(401, &object("unauthorized", &unknown)).await;
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.is_unauthorized() && !error.is_forbidden());
    assert_eq!(error.body().required_access(), Some("a.b"));

    let missing = json!({
        "reason": "missing_permission_or_invalid_tenant", "required_access": "a.b",
        "tenant_uuid": null,
    });
    let error = refused(401, &object("unauthorized", &missing)).await;
    assert_eq!(error.kind(), ErrorKind::MissingAccess);
    assert!(error.is_forbidden() && !error.is_unauthorized());
    assert_eq!(error.body().error_id.as_deref(), Some("unauthorized"));

    let error = refused(
        401,
        &object("unauthorized-tenant", &json!({"tenant_uuid": TENANT})),
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::HiddenTenant);
    assert_eq!(error.body().details["tenant_uuid"], TENANT);
    // Without a reason the token is not at fault, or the service does not say.
    let error = refused(401, &object("unauthorized", &json!({"invalid_token": "t"}))).await;
    assert_eq!(error.kind(), ErrorKind::MissingAccess);
    // What is not of the service says nothing of the token.
    for body in [json!({}), json!("<html>")] {
        let error = refused(401, &body).await;
        assert_eq!(error.kind(), ErrorKind::Core(Core::Forbidden));
    }
}

#[tokio::test]
async fn an_access_that_the_caller_may_not_grant_is_missing_too() {
    let details = json!({"invalid_token": "t", "required_access": "a.b"});
    let told = Told::new([answer(401, &object("unauthorized", &details))]);
    let policy = "p".parse().unwrap();
    let added = told.client().policies().add_access(&policy, "a.b").await;
    assert_eq!(added.unwrap_err().kind(), ErrorKind::MissingAccess);
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    let details = json!({"uuid": ALICE});
    let reasons = json!({"reason": ["in words"], "timestamp": [1_000.25], "status_code": 409});
    let cases = [
        (400, object("invalid-data", &json!({})), Core::Invalid),
        (403, object("forbidden-group", &details), Core::Forbidden),
        (404, object("unknown-user", &details), Core::NotFound),
        (404, json!("<html>"), Core::NotFound),
        (409, reasons, Core::Conflict),
        (405, json!({"message": "no"}), Core::Status),
        (429, json!({}), Core::Throttled),
        (500, json!({"message": "Internal"}), Core::Status),
    ];
    for (code, body, kind) in cases {
        let told = Told::new([answer(code, &body)]);
        let error = told.client().users().delete(&alice()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(kind), "{code}");
    }
}

#[tokio::test]
async fn all_that_a_body_says_is_kept() {
    let error = refused(404, &object("unknown-user", &json!({"uuid": ALICE}))).await;
    let body = error.body();
    assert_eq!(body.reason.as_deref(), Some("what happened"));
    assert_eq!(error.code(), Some("unknown-user"));
    assert_eq!(body.details, json!({"uuid": ALICE}));
    assert_eq!(body.resource.as_deref(), Some("users"));
    assert_eq!(
        body.timestamp,
        Some(UNIX_EPOCH + Duration::from_millis(1_000_250))
    );
    let line =
        "wazo-auth.deleteUser at wazo.example.com:443: what happened (HTTP 404, unknown-user";
    assert!(error.to_string().starts_with(line), "{error}");

    let reasons = json!({"reason": ["no such policy"], "timestamp": [1.0], "status_code": 404});
    let error = refused(404, &reasons).await;
    assert!(error.to_string().contains("no such policy"), "{error}");
    assert_eq!(
        error.body().timestamp,
        Some(UNIX_EPOCH + Duration::from_secs(1))
    );
}

#[tokio::test]
async fn a_wrong_old_password_does_not_blame_the_token() {
    let change = PasswordChange::new("old", "new");
    let answered = async |code, body: Value| -> Result<()> {
        let told = Told::new([answer(code, &body)]);
        told.client()
            .users()
            .change_password(&alice(), &change)
            .await
    };
    let reasons =
        json!({"reason": ["Authentication Failed"], "timestamp": [1.0], "status_code": 401});
    let error = answered(401, reasons).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Core::Invalid));
    let unknown = object("unauthorized", &json!({"reason": "not_found_or_expired"}));
    let error = answered(401, unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    let elsewhere = object("password-managed-externally", &json!({"uuid": ALICE}));
    let error = answered(405, elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PasswordManagedElsewhere);
    assert!(error.is_conflict());
}

#[tokio::test]
async fn a_refused_login_and_a_login_too_many_have_different_errors() {
    for (code, kind) in [
        (401, ErrorKind::LoginFailed),
        (429, ErrorKind::TooManySessions),
    ] {
        let told = Told::new([answer(code, &json!({"reason": ["in words"]}))]);
        let client = told.client().with_credentials("alice", "planted");
        let error = client.token().create().send().await.unwrap_err();
        assert_eq!((error.kind(), told.count()), (kind, 1));
        assert!(!format!("{error:?}").contains("planted"));
    }
}
