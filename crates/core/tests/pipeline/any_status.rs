//! Calls whose answer may have any status.

use http::header::WWW_AUTHENTICATE;
use vouchsafe_core::auth::TokenSource;
use vouchsafe_core::call::Answer;

use super::credentials::{Renewing, Spent};
use super::*;

async fn exchange(
    told: &Arc<Told>,
    operation: &'static Operation,
    source: &dyn TokenSource,
    options: &CallOptions,
) -> Result<Answer> {
    let client = builder(told).build().unwrap();
    let call = Call::new(operation, Target::new("/x"));
    let credentials = Some(Credentials::bearer(source));
    client.exchange(&base(), call, credentials, options).await
}

fn scope_missing() -> Then {
    let mut response = Response::new(StatusCode::UNAUTHORIZED);
    let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
    response.headers.insert(WWW_AUTHENTICATE, challenge);
    Then::Answer(response)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_with_headers_and_body() {
    let mut response = body("why");
    response.status = StatusCode::NOT_FOUND;
    response
        .headers
        .insert("x-why", HeaderValue::from_static("y"));
    let told = Told::new([Then::Answer(response)]);
    let token = StaticToken::new(Secret::from("t"));
    let answer = exchange(&told, &WRITE, &token, &CallOptions::new()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.headers()["x-why"], "y");
    assert_eq!(answer.body().as_ref(), b"why");
    let error = answer.expect_success().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.operation(), Some("test.write"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_last_refusal_is_the_answer() {
    let told = Told::new([status(401)]);
    let options = CallOptions::new();
    let answer = exchange(&told, &WRITE, &Renewing::default(), &options).await;
    assert_eq!(
        (answer.unwrap().status(), told.count()),
        (StatusCode::OK, 2)
    );
    let told = Told::new([status(401), status(401)]);
    let answer = exchange(&told, &WRITE, &Renewing::default(), &options).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!((answer.attempts(), told.count()), (2, 2));
    let told = Told::new([status(401)]);
    let options = options.resend_refused(false);
    let answer = exchange(&told, &WRITE, &Renewing::default(), &options).await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_cannot_be_replaced_is_an_error() {
    let told = Told::new([status(401)]);
    let answer = exchange(&told, &WRITE, &Spent::default(), &CallOptions::new()).await;
    let error = answer.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "log in again");
}

#[tokio::test(start_paused = true)]
async fn a_token_without_the_scope_is_not_replaced() {
    let told = Told::new([scope_missing(), scope_missing()]);
    let (source, options) = (Renewing::default(), CallOptions::new());
    let answer = exchange(&told, &WRITE, &source, &options).await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
    let client = builder(&told).build().unwrap();
    let credentials = Some(Credentials::bearer(&source));
    let call = Call::new(&WRITE, Target::new("/write"));
    let sent = client.send(&base(), call, credentials, &options).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!((told.count(), source.0.into_inner()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_the_answer_of_a_later_attempt_that_failed() {
    let told = Told::new([busy("1"), broke(Sent::Maybe), broke(Sent::Maybe)]);
    let token = StaticToken::new(Secret::from("t"));
    let answer = exchange(&told, &READ, &token, &CallOptions::new()).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(told.count(), 3);
    let told = Told::new([busy("1"), busy("1"), busy("1")]);
    let answer = exchange(&told, &READ, &token, &CallOptions::new()).await;
    let status = answer.unwrap().status();
    assert_eq!((status.as_u16(), told.count()), (503, 3));
}
