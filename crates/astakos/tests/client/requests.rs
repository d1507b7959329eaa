//! What goes over the wire.

use std::collections::BTreeMap;

use vouchsafe_astakos::mock::{Seed, Server};
use vouchsafe_astakos::{ErrorKind, Feedback, MembershipAction, ProjectMode};
use vouchsafe_core::Secret;
use vouchsafe_core::call::CallOptions;

use super::{TOKEN, after_catalog, calls, json};

#[tokio::test]
async fn custom_headers_are_sent_with_every_request_and_do_not_replace_those_of_the_protocol() {
    let (builder, seen) = after_catalog(|_| json(200, r#"{"uuid_catalog": {}}"#));
    let client = builder
        .header("X-Client-IP", "192.0.2.1")
        .header("X-Auth-Token", "zzz")
        .header("Content-Type", "text/plain")
        .build()
        .unwrap();
    client.usernames(&["a"]).await.unwrap();
    let options = CallOptions::new()
        .header("x-client-ip", "192.0.2.2")
        .unwrap();
    client
        .with_options(options)
        .usernames(&["a"])
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    let of = |name: &str| {
        let values = seen
            .iter()
            .map(|seen| seen.header(name).unwrap_or_default());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("x-client-ip"), ["192.0.2.1", "192.0.2.1", "192.0.2.2"]);
    assert_eq!(of("x-auth-token"), [TOKEN; 3]);
    assert_eq!(of("content-type")[1], "application/json");
}

#[tokio::test]
async fn a_header_that_does_not_fit_is_refused_before_anything_is_sent() {
    let (builder, seen) = after_catalog(|_| json(200, "{}"));
    for (name, value) in [("a b", "x"), ("x", "planted\r\nX-Evil: 1"), ("", "x")] {
        let error = builder.clone().header(name, value).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadValue);
        assert!(!error.to_string().contains("planted"));
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn with_token_changes_the_token_of_that_client_only() {
    let (builder, seen) = after_catalog(|_| json(200, "{}"));
    let client = builder.build().unwrap();
    let other = client.with_token("other");
    other.quotas().await.unwrap();
    client.quotas().await.unwrap();
    let calls = calls(&seen);
    assert_eq!(calls[0].header("x-auth-token"), Some("other"));
    assert_eq!(calls[1].header("x-auth-token"), Some(TOKEN));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_that_needs_one() {
    let server = Server::new();
    let client = vouchsafe_astakos::Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .build()
        .unwrap();
    assert_eq!(
        client.quotas().await.unwrap_err().kind(),
        ErrorKind::BadValue
    );
    assert_eq!(
        client.authenticate(None).await.unwrap_err().kind(),
        ErrorKind::BadValue
    );
    assert!(server.journal().is_empty());
    assert!(!client.resources().await.unwrap().is_empty());
    assert!(!client.services().await.unwrap().is_empty());
}

#[tokio::test]
async fn look_ups_go_a_hundred_at_a_time() {
    let server = Server::builder()
        .seed(Seed::sample().crowd(250))
        .start()
        .unwrap();
    let client = server.client(server.service_token("cyclades").unwrap());
    let names: Vec<_> = (0..250)
        .map(|n| format!("User{n}@crowd.example.org"))
        .collect();
    let found = client.service_uuids(&names).await.unwrap();
    assert_eq!(found.len(), 250);
    // As they were asked for.
    assert!(found.contains_key("User7@crowd.example.org"));
    assert_eq!(server.journal().count("account.serviceUserCatalogs"), 3);
    let everybody = client.all_usernames().await.unwrap();
    assert!(everybody.len() >= 253);
}

#[tokio::test]
async fn a_value_in_a_path_stays_in_its_segment() {
    let (builder, seen) = after_catalog(|_| json(404, ""));
    let client = builder.build().unwrap();
    for id in ["a/b", "a?b=c", "a#b", "a%2Fb", "é", "a b"] {
        client.project(id).await.unwrap_err();
    }
    let paths: Vec<_> = calls(&seen)
        .iter()
        .map(|seen| seen.uri.to_string())
        .collect();
    let base = "https://accounts.example.org/astakos/account/v1.0/projects/";
    let expected = ["a%2Fb", "a%3Fb%3Dc", "a%23b", "a%252Fb", "%C3%A9", "a%20b"];
    assert_eq!(paths, expected.map(|path| format!("{base}{path}")));
    // Words that mean something else there, and steps upwards.
    for id in ["", ".", "..", "memberships", "apps"] {
        let error = client.project(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadValue, "{id}");
    }
    assert_eq!(calls(&seen).len(), expected.len());
}

#[tokio::test]
async fn lists_are_one_text_and_an_id_with_a_comma_is_refused() {
    let (builder, seen) = after_catalog(|_| json(200, "{}"));
    let client = builder.build().unwrap();
    client
        .service_quotas()
        .users(["a", "b&c"])
        .projects(["p"])
        .send()
        .await
        .unwrap();
    let query = calls(&seen)[0].uri.query().unwrap().to_owned();
    let pairs: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(pairs["user"], "a,b&c");
    assert_eq!(pairs["project"], "p");
    let error = client
        .service_quotas()
        .users(["a,b"])
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
    assert_eq!(calls(&seen).len(), 1);
}

#[tokio::test]
async fn feedback_is_a_form_in_utf8() {
    let (builder, seen) = after_catalog(|_| json(200, ""));
    builder
        .build()
        .unwrap()
        .send_feedback(&Feedback::new("γεια & co", "σ=1"))
        .await
        .unwrap();
    let call = calls(&seen).remove(0);
    assert_eq!(
        call.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let pairs: Vec<_> = form_urlencoded::parse(call.body.as_bytes())
        .into_owned()
        .collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        pairs,
        [
            pair("feedback_msg", "γεια & co"),
            pair("feedback_data", "σ=1")
        ]
    );
}

#[tokio::test]
async fn the_reason_is_sent_where_the_server_reads_it() {
    let (builder, seen) = after_catalog(|_| json(200, ""));
    let client = builder.build().unwrap();
    let approve = vouchsafe_astakos::ApplicationAction::Approve;
    client
        .application_action("p", 7, approve, "well")
        .await
        .unwrap();
    client
        .membership_action(8, &MembershipAction::Accept, "welcome")
        .await
        .unwrap();
    let calls = calls(&seen);
    assert_eq!(calls[0].body, r#"{"approve":{"app_id":7,"reason":"well"}}"#);
    assert_eq!(calls[1].body, r#"{"accept":"welcome"}"#);
}

#[tokio::test]
async fn filters_are_query_or_json_as_the_generation_has_it() {
    let (builder, seen) = after_catalog(|_| json(200, "[]"));
    builder
        .clone()
        .build()
        .unwrap()
        .projects()
        .name("n")
        .mode(ProjectMode::Member)
        .send()
        .await
        .unwrap();
    let old = builder.dialect(vouchsafe_astakos::Dialect::V015);
    let old = old.build().unwrap();
    old.projects().name("n").owner("u").send().await.unwrap();
    let calls = calls(&seen);
    assert_eq!(calls[0].uri.query(), Some("name=n&mode=member"));
    assert_eq!(
        (calls[1].uri.query(), calls[1].body.as_str()),
        (None, r#"{"filter":{"name":"n","owner":"u"}}"#)
    );
}

#[tokio::test]
async fn basic_credentials_are_refused_if_they_could_be_read_in_two_ways() {
    let (builder, _) = after_catalog(|_| json(200, "{}"));
    let grant = vouchsafe_astakos::TokenGrant::authorization_code("c");
    let client = builder.build().unwrap();
    let error = client
        .oauth2_token("a:b", &Secret::from("s"), &grant)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
}
