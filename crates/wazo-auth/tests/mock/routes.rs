//! Paths that are no route, and methods that a route does not have (protocol sections 3 and 4.4).

use http::Method;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::mock::{Seed, Server};

use super::raw;

#[test]
fn what_is_no_route_is_a_page_for_people() {
    let config = json!({"enabled_external_auth": ["mobile"]});
    let seed = Seed::sample()
        .configure(config.as_object().unwrap())
        .unwrap();
    let server = Server::from_seed(&seed);
    let token = server.issue_token("admin");
    let uuid = "00000000-0000-4000-8000-000000000000";
    for path in [
        "/",
        "/0.1",
        "/0.2/users",
        "/0.1/user",
        "/0.1/users/",
        "/0.1/Users",
        "/0.1/users/alice",
        "/0.1/users/me",
        "/0.1/users/00000000-0000-4000-8000-00000000000",
        "/0.1/users/00000000-0000-4000-8000-00000000000g",
        "/0.1/groups/staff",
        "/0.1/tenants/master",
        "/0.1/policies/a/acl/",
        "/0.1/policies/a/acl/b/c",
        "/0.1/policies/a/acl_templates/b",
        "/0.1/init",
        "/0.1/users/register",
        &format!("/0.1/tenants/{uuid}/policies/all"),
        &format!("/0.1/tenants/{uuid}/users"),
        &format!("/0.1/users/{uuid}/tenants"),
        // Its plug-in is not enabled, and this one does not exist.
        &format!("/0.1/users/{uuid}/external/google"),
        &format!("/0.1/users/{uuid}/external/weather"),
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let answer = raw(&server, method.clone(), path, Some(&token), None);
            assert_eq!(answer.status, 404, "{method} {path}");
            let media = answer.headers["content-type"].to_str().unwrap();
            assert!(media.starts_with("text/html"), "{method} {path}: {media}");
            let body = String::from_utf8_lossy(&answer.body);
            assert!(
                body.starts_with("<!doctype html>"),
                "{method} {path}: {body}"
            );
        }
        let answer = raw(&server, Method::HEAD, path, Some(&token), None);
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (404, 0),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_is_an_error_without_the_words_of_the_service() {
    let server = Server::new();
    let client = server.client_as("admin");
    let uuid = "00000000-0000-4000-8000-000000000000".parse().unwrap();
    // No plug-in of this type is there.
    let missing = client.external().get(&uuid, "weather").await.unwrap_err();
    assert!(missing.is_not_found());
    assert_eq!((missing.body().reason, missing.code()), (None, None));
    let missing = client.users().get(&uuid).await.unwrap_err();
    assert_eq!(missing.code(), Some("unknown-user"));
}

#[test]
fn a_method_that_a_route_does_not_have_is_told_from_those_it_has() {
    let server = Server::new();
    for (path, allow) in [
        ("/0.1/users", "GET, HEAD, OPTIONS, POST"),
        ("/0.1/token", "OPTIONS, POST"),
        ("/0.1/status", "HEAD, OPTIONS"),
        ("/0.1/policies/a.b/acl/c", "DELETE, OPTIONS, PUT"),
        ("/0.1/config", "GET, HEAD, OPTIONS, PATCH"),
    ] {
        let refused = raw(&server, Method::TRACE, path, None, None);
        assert_eq!(refused.status, 405, "{path}");
        assert_eq!(refused.headers["allow"], allow, "{path}");
        let body: Value = serde_json::from_slice(&refused.body).unwrap();
        assert!(body["message"].is_string());
        let told = raw(&server, Method::OPTIONS, path, None, None);
        assert_eq!(told.status, 200, "{path}");
        assert_eq!(told.headers["allow"], allow, "{path}");
    }
}
