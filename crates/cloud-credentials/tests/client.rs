//! The client against the emulator: credentials, refusals and faults.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::io::ErrorKind::WouldBlock;
use std::net::TcpListener;
use std::sync::Arc;

use http::{Method, StatusCode};
use vouchsafe_cloud_credentials::core::call::described::Described;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::Server;
use vouchsafe_cloud_credentials::{Client, Credentials, Error, OPERATIONS};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::service::Service;

async fn ask(client: &Client, described: &Described) -> Result<u16, Error> {
    let call = described.call(&described.examples())?;
    let answer = client.call(call, &(), &CallOptions::new()).await?;
    Ok(answer.status().as_u16())
}

/// There is no runtime, so nothing can be read in the background either.
#[test]
fn construction_touches_neither_the_disk_nor_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileStore::new(folder.path().join("pancloud/credentials.json"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let credentials = Credentials::builder()
        .store(Arc::new(file))
        .issuer(&url)
        .developer_token("planted")
        .developer_token_provider(&url)
        .build()
        .unwrap();
    let client = Client::builder().base_url(&url).credentials(&credentials);
    drop(client.build().unwrap());
    drop(credentials);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(listener.accept().unwrap_err().kind(), WouldBlock);
}

#[tokio::test]
async fn every_operation_is_answered_by_its_name() {
    let client = Server::new().client().unwrap();
    for described in OPERATIONS {
        let status = ask(&client, described).await;
        assert!(
            matches!(status, Ok(200..300)),
            "{}: {status:?}",
            described.name
        );
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
