//! The client against the emulator: credentials, refusals and faults.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use http::{Method, StatusCode};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::mock::{Fault, ManualClock};
use vouchsafe_core::service::Service;
use vouchsafe_{{MODULE}}::core::call::described::Described;
use vouchsafe_{{MODULE}}::mock::{Seed, Server};
use vouchsafe_{{MODULE}}::{Client, Error, OPERATIONS};

async fn ask(client: &Client, described: &Described) -> Result<u16, Error> {
    let call = described.call(&described.examples())?;
    let answer = client.call(call, &(), &CallOptions::new()).await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn every_operation_is_answered_by_its_name() {
    let client = Server::new().client().unwrap();
    for described in OPERATIONS {
        let status = ask(&client, described).await;
        assert!(matches!(status, Ok(200..300)), "{}: {status:?}", described.name);
    }
}

#[tokio::test]
async fn another_token_is_refused_where_one_is_needed() {
    let client = Server::new().client().unwrap().with_token("planted");
    for described in OPERATIONS {
        let asked = ask(&client, described).await;
        match described.operation.is_open() {
            true => assert!(asked.is_ok(), "{}", described.name),
            false => {
                let error = asked.unwrap_err();
                assert!(error.is_unauthorized(), "{error}");
                assert!(!format!("{error} {error:?}").contains("planted"));
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_server_is_told_with_its_code_and_operation() {
    let server = Server::new();
    let client = server.client().unwrap();
    let has_body = |one: &&Described| *one.operation.method() != Method::HEAD;
    let described = OPERATIONS.iter().find(has_body).unwrap();
    let body = serde_json::json!({"error": "not_here"});
    server.faults().add(Fault::on_any().status(418).json(&body));
    let error = ask(&client, described).await.unwrap_err();
    assert_eq!(error.status().unwrap(), StatusCode::IM_A_TEAPOT);
    assert_eq!(error.code(), Some("not_here"));
    assert_eq!(error.operation(), Some(described.operation.id()));
}

#[tokio::test]
async fn a_server_from_a_seed_accepts_its_token_and_has_the_clock_that_is_set() {
    let seed = Seed::parse(r#"{"token": "sesame"}"#).unwrap();
    let clock = Arc::new(ManualClock::running());
    let server = Server::builder().seed(seed).clock(Arc::clone(&clock)).start();
    assert!(Arc::ptr_eq(server.clock(), &clock));
    let client = server.client().unwrap();
    let takes_token = |one: &&Described| !one.operation.is_open();
    let described = OPERATIONS.iter().find(takes_token).unwrap();
    ask(&client.with_token("sesame"), described).await.unwrap();
    let other = Server::new().token();
    assert!(ask(&client.with_token(other), described).await.unwrap_err().is_unauthorized());
    let error = Seed::parse(r#"{"token": "sesame", "more": 1}"#).unwrap_err();
    assert!(!error.to_string().contains("sesame"), "{error}");
}
