//! No secret is shown anywhere.

use vouchsafe_astakos::commission::Issuer;
use vouchsafe_astakos::{CommissionRequest, ErrorKind, TokenGrant};
use vouchsafe_core::Secret;
use vouchsafe_core::call::CallOptions;

use super::log::Log;
use super::{TOKEN, after_catalog, json};

#[tokio::test]
async fn neither_debug_nor_errors_nor_logs_nor_urls_show_one() {
    let log = Log::start();

    // A server that quotes what it is given.
    let (builder, seen) = after_catalog(|request| {
        let token = request
            .headers
            .get("x-auth-token")
            .map(|token| token.to_str().unwrap());
        let text = format!("no such token: {}", token.unwrap_or_default());
        json(
            401,
            &serde_json::json!({"unauthorized": {"code": 401, "message": text}}).to_string(),
        )
    });
    let builder = builder.header("X-Secret", "planted-header");
    let mut shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    let options = CallOptions::new()
        .header("x-other", "planted-option")
        .unwrap();
    let client = client.with_options(options);
    shown += &format!("{client:?}");
    let error = client.quotas().await.unwrap_err();
    shown += &format!("{error} {error:?} {:?}", error.core());
    let access = Secret::from("planted-access");
    let error = client.validate_token(&access).send().await.map(|_| ());
    shown += &format!("{error:?}");
    let grant = TokenGrant::authorization_code("planted-code");
    shown += &format!("{grant:?}");
    let secret = Secret::from("planted-secret");
    let error = client
        .oauth2_token("app", &secret, &grant)
        .await
        .unwrap_err();
    shown += &format!("{error} {error:?}");
    let issuer = Issuer::builder(client, "me").build().unwrap();
    shown += &format!("{issuer:?}");
    let error = issuer.issue(&CommissionRequest::raw([])).await.unwrap_err();
    shown += &format!("{error} {error:?}");
    shown += &log.text();
    assert!(shown.contains("auth.call"), "something was logged");
    assert!(!shown.contains("planted"), "{shown}");
    for seen in seen.lock().unwrap().iter() {
        // The one call that has it in its path; it is shown as a template.
        let is_check = seen.method == http::Method::GET && seen.uri.path().contains("/tokens/");
        assert!(
            is_check || !seen.uri.to_string().contains("planted"),
            "{seen:?}"
        );
        assert!(!seen.uri.to_string().contains(TOKEN));
    }
}

#[tokio::test]
async fn an_answer_with_a_token_is_not_kept_when_it_cannot_be_understood() {
    let body = r#"{"access": {"token": {"id": "planted"}, "user": 7}}"#;
    let (builder, _) = after_catalog(move |_| json(200, body));
    let client = builder.build().unwrap();
    let error = client.validate_token("t").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(error.body(), None);
    let error = client.quotas().await.unwrap_err();
    assert_eq!(error.body(), Some(body.as_bytes()), "one without is kept");
}

#[test]
fn a_token_in_an_answer_is_a_secret() {
    let text = r#"{"token": {"id": "planted"}, "user": {"id": "u"}}"#;
    let access: vouchsafe_astakos::Access = serde_json::from_str(text).unwrap();
    assert_eq!(access.token.as_ref().unwrap().id.expose(), "planted");
    assert!(!format!("{access:?}").contains("planted"));
}

#[test]
fn a_header_that_does_not_fit_is_refused_by_build_without_its_value() {
    let builder = vouchsafe_astakos::Client::builder()
        .auth_url("https://accounts.example.com/identity/v2.0")
        .header("x-first", "planted\n")
        .header("x-second", "fits");
    let shown = format!("{builder:?}");
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), vouchsafe_astakos::ErrorKind::BadValue);
    assert!(error.to_string().contains("x-first"), "{error}");
    let shown = format!("{shown} {error} {error:?}");
    assert!(!shown.contains("planted"), "{shown}");
}
