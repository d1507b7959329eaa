//! The configuration of external services and of LDAP, which is separate for each tenant.

use std::time::{Duration, UNIX_EPOCH};

use http::Method;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::core::Clock as _;
use vouchsafe_wazo_auth::mock::Server;
use vouchsafe_wazo_auth::{Client, LdapEdit, LdapSecurity, NewTenant};

use super::raw;

/// An administrator in the top tenant, and in one below.
async fn above_and_below(server: &Server) -> (Client, Client) {
    let above = server.client_as("admin");
    let tenant = NewTenant::new().name("below");
    let tenant = above.tenants().create(&tenant).await.unwrap();
    (above.clone(), above.with_tenant(&tenant.uuid))
}

#[tokio::test]
async fn a_configuration_of_an_external_service_is_the_tenants_own() {
    let server = Server::new();
    let (above, below) = above_and_below(&server).await;
    let (above, below) = (above.external(), below.external());
    let code = async |client: &vouchsafe_wazo_auth::ExternalApi<'_>| {
        let missing = client.get_config("weather").await.unwrap_err();
        assert!(missing.is_not_found());
        missing.code().map(str::to_owned)
    };
    let config = json!({"key": ["s", 1, null]}).into();
    // A type that is not configured, and one that only another tenant has.
    assert_eq!(code(&above).await.as_deref(), Some("unknown-config"));
    let refused = above.update_config("weather", &config).await.unwrap_err();
    assert_eq!(refused.code(), Some("unknown-external-auth-type"));
    let refused = above.delete_config("weather").await.unwrap_err();
    assert_eq!(refused.code(), Some("unknown-external-auth-type"));

    below.create_config("weather", &config).await.unwrap();
    assert_eq!(below.get_config("weather").await.unwrap(), config);
    assert_eq!(code(&above).await.as_deref(), Some("unknown-external-auth"));
    let refused = above.update_config("weather", &config).await.unwrap_err();
    assert_eq!(refused.code(), Some("unknown-external-auth"));
    let taken = below.create_config("weather", &config).await.unwrap_err();
    assert!(taken.is_conflict());
    assert_eq!(taken.body().resource.as_deref(), Some("weather"));

    // Any JSON is one.
    for value in [json!([]), json!("text"), json!(7), json!(null), json!({})] {
        let value = value.into();
        below.update_config("weather", &value).await.unwrap();
        assert_eq!(below.get_config("weather").await.unwrap(), value);
    }
    above.create_config("weather", &config).await.unwrap();
    below.delete_config("weather").await.unwrap();
    assert_eq!(above.get_config("weather").await.unwrap(), config);
    assert_eq!(code(&below).await.as_deref(), Some("unknown-external-auth"));
    let gone = below.delete_config("weather").await.unwrap_err();
    assert_eq!(gone.code(), Some("unknown-external-auth"));
}

#[tokio::test]
async fn a_consent_gives_a_user_a_token_until_it_is_deleted() {
    let server = Server::new();
    let admin = server.client_as("admin");
    let mut users = admin.users().list().items();
    let user = users.next().await.unwrap().unwrap().uuid;
    let later = server.clock().now() + Duration::from_secs(3600);
    let later = later.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let external = admin.external();
    assert!(external.get_google(&user).await.unwrap_err().is_not_found());
    server.consent("admin", "google");
    let first = external.get_google(&user).await.unwrap();
    server.consent("admin", "google");
    let stored = external.get_google(&user).await.unwrap();
    assert_ne!(first.access_token, stored.access_token);
    assert!(stored.token_expiration >= i64::try_from(later).ok());
    // The same for programs in other languages.
    let microsoft = external.get_microsoft(&user).await.unwrap_err();
    assert!(microsoft.is_not_found());
    let handler = server.host().handler();
    let body = br#"{"username": "admin", "type": "microsoft"}"#;
    assert_eq!(handler.act("consent", body).unwrap(), json!({}));
    let token = external.get_microsoft(&user).await.unwrap().access_token;
    assert!(!server.snapshot().to_string().contains(token.expose()));
    for (body, why) in [
        (r#"{"username": "eve", "type": "google"}"#, "no user eve"),
        (r#"{"username": "admin", "type": "mobile"}"#, "`google` or"),
        (r#"{"username": "admin"}"#, "type"),
    ] {
        let refused = handler.act("consent", body.as_bytes()).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    external.delete_google(&user).await.unwrap();
    assert!(external.get_google(&user).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_edit_of_ldap_keeps_what_it_leaves_out_but_for_the_version() {
    let server = Server::new();
    let (above, below) = above_and_below(&server).await;
    let empty = below.ldap_config().get().await.unwrap();
    assert_eq!(
        (empty.tenant_uuid, empty.host, empty.port),
        (None, None, None)
    );

    let edit = LdapEdit::new("ldap.example.com", 636, "dc=example", "uid", "mail");
    let whole = edit
        .clone()
        .protocol_version(2)
        .protocol_security(LdapSecurity::Ldaps)
        .bind_dn("cn=reader")
        .bind_password("planted-password")
        .search_filters("(a=b)");
    let first = below.ldap_config().update(&whole).await.unwrap();
    assert_eq!(first.protocol_version, Some(2));
    let second = below.ldap_config().update(&edit).await.unwrap();
    assert_eq!(second.protocol_version, Some(3));
    assert_eq!(second.protocol_security, Some(LdapSecurity::Ldaps));
    assert_eq!(second.bind_dn.as_deref(), Some("cn=reader"));
    assert_eq!(second.search_filters.as_deref(), Some("(a=b)"));
    assert_eq!(below.ldap_config().get().await.unwrap(), second);
    assert_eq!(above.ldap_config().get().await.unwrap().host, None);

    // The password is never shown.
    let token = server.issue_token("admin");
    above.ldap_config().update(&whole).await.unwrap();
    let shown = raw(
        &server,
        Method::GET,
        "/0.1/backends/ldap",
        Some(&token),
        None,
    );
    let shown: Value = serde_json::from_slice(&shown.body).unwrap();
    assert_eq!(shown["host"], "ldap.example.com");
    assert!(shown.get("bind_password").is_none());
    assert!(!server.snapshot().to_string().contains("planted"));

    for _ in 0..2 {
        below.ldap_config().delete().await.unwrap();
    }
    assert_eq!(below.ldap_config().get().await.unwrap().host, None);
    assert!(above.ldap_config().get().await.unwrap().host.is_some());
}

#[tokio::test]
async fn a_configuration_of_ldap_is_refused_by_its_first_wrong_member() {
    let server = Server::new();
    let token = server.issue_token("admin");
    let good = json!({
        "host": "h", "port": 389, "user_base_dn": "dc=e", "user_login_attribute": "uid",
        "user_email_attribute": "mail",
    });
    let put = |body: &Value| {
        let answer = raw(
            &server,
            Method::PUT,
            "/0.1/backends/ldap",
            Some(&token),
            Some(body),
        );
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status.as_u16(), body)
    };
    for (member, value) in [
        ("host", json!("h".repeat(513))),
        ("host", Value::Null),
        ("port", json!("x")),
        ("port", json!(true)),
        ("user_base_dn", json!(7)),
        ("user_login_attribute", json!("a".repeat(65))),
        ("user_email_attribute", json!([])),
        ("protocol_version", json!(4)),
        ("protocol_security", json!("ssl")),
        ("bind_dn", json!("d".repeat(257))),
    ] {
        let mut body = good.clone();
        body[member] = value.clone();
        let (status, refusal) = put(&body);
        assert_eq!(status, 400, "{member} {value}");
        let reason = format!("Invalid value supplied for field: {member}");
        assert_eq!(refusal["reason"], json!([reason]), "{member} {value}");
    }
    // The first in the order of the schema, not of the body.
    let mut body = good.clone();
    body["user_base_dn"] = json!(7);
    body["port"] = json!("x");
    let (_, refusal) = put(&body);
    let reason = "Invalid value supplied for field: port";
    assert_eq!(refusal["reason"], json!([reason]));
    // No bounds but those of length.
    for (member, value) in [("host", json!("")), ("port", json!(65_536))] {
        let mut body = good.clone();
        body[member] = value;
        assert_eq!(put(&body).0, 200, "{member}");
    }
    assert_eq!(put(&good).0, 200);
}

#[test]
fn a_list_of_users_of_a_method_is_refused_with_the_fault_of_each() {
    let server = Server::new();
    let token = server.issue_token("admin");
    let body = json!({"users": [{}, {"uuid": null}, {"uuid": "a"}, {"uuid": 7}]});
    let path = "/0.1/idp/ldap/users";
    let answer = raw(&server, Method::PUT, path, Some(&token), Some(&body));
    assert_eq!(answer.status, 400);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["error_id"], "invalid-list-param");
    let faults = ["required", "not_null", "type", "type"];
    for (at, fault) in faults.into_iter().enumerate() {
        let found = &answer["message"]["users"][at.to_string()]["uuid"];
        assert_eq!(found["constraint_id"], fault, "{answer}");
    }
}
