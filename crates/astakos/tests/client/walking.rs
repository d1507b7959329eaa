//! Quotas of many users, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use vouchsafe_astakos::mock::{Seed, Server};
use vouchsafe_astakos::{Client, ErrorKind};
use vouchsafe_core::call::Timeouts;
use vouchsafe_core::mock::Fault;

use super::{after_catalog, json};

fn server() -> Server {
    Server::builder()
        .seed(Seed::sample().crowd(300))
        .start()
        .unwrap()
}

async fn over_sockets(server: &Server) -> (Client, vouchsafe_core::mock::Serving) {
    let serving = server.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = Client::builder()
        .auth_url(format!("{}{}", serving.url(), server.identity_path()))
        .token(server.service_token("cyclades").unwrap())
        .timeouts(Timeouts::default().attempt(Duration::from_millis(500)))
        .build()
        .unwrap();
    (client, serving)
}

#[tokio::test]
async fn a_walk_brings_what_the_whole_answer_holds() {
    let server = server();
    let (client, _serving) = over_sockets(&server).await;
    let whole = client.service_quotas().send().await.unwrap();
    assert!(whole.len() > 300);
    let mut walk = client.service_quotas().walk().await.unwrap();
    let mut walked = BTreeMap::new();
    while let Some((user, quotas)) = walk.next().await.unwrap() {
        walked.insert(user, quotas);
    }
    assert_eq!(walked, whole);
    assert_eq!(walk.next().await.unwrap(), None);
    let alice = Server::alice();
    let mut one = client
        .service_quotas()
        .users([&alice])
        .walk()
        .await
        .unwrap();
    assert_eq!(one.next().await.unwrap().unwrap().0, alice);
    assert_eq!(one.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_comes_before_the_first_user() {
    let server = server();
    let (client, _serving) = over_sockets(&server).await;
    let error = client
        .service_quotas()
        .users(["unknown"])
        .walk()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let user = client.with_token(server.user_token("alice@example.org").unwrap());
    let error = user.service_quotas().walk().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_stalls_is_an_error_and_ends_the_walk() {
    let server = server();
    let (client, _serving) = over_sockets(&server).await;
    client.endpoints().await.unwrap();
    for fault in [
        Fault::on("account.serviceQuotas").cut_body(),
        Fault::on("account.serviceQuotas").reset_after_head(),
        Fault::on("account.serviceQuotas").drip(5_000, Duration::from_secs(2)),
    ] {
        server.faults().add(fault);
        let mut walk = client.service_quotas().walk().await.unwrap();
        let error = loop {
            match walk.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it came to an end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(walk.next().await.unwrap(), None);
        server.faults().clear();
    }
}

#[tokio::test]
async fn an_answer_that_holds_no_quotas_is_an_error() {
    for body in [
        "[]",
        r#"{"u": 7}"#,
        r#"{"u": {}} x"#,
        r#"{"u": {"p": {"r": {"usage": "1"}}}}"#,
    ] {
        let (builder, _) = after_catalog(move |_| json(200, body));
        let client = builder.build().unwrap();
        let mut walk = client.service_quotas().walk().await.unwrap();
        let error = loop {
            match walk.next().await {
                Ok(Some(_)) => {}
                other => break other.unwrap_err(),
            }
        };
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
    }
    let (builder, _) = after_catalog(|_| json(200, ""));
    let client = builder.build().unwrap();
    let mut walk = client.service_quotas().walk().await.unwrap();
    assert_eq!(walk.next().await.unwrap(), None);
}
