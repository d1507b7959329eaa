//! Where requests go, and on whose behalf.

use vouchsafe_wazo_auth::ClientBuilder;

use super::*;

type Set = fn(ClientBuilder) -> ClientBuilder;

#[tokio::test]
async fn the_url_is_made_of_the_options() {
    let cases: [(Set, &str); 12] = [
        (|b| b, "https://wazo.example.com:443/api/auth/0.1/status"),
        (
            |b| b.default_port(),
            "https://wazo.example.com/api/auth/0.1/status",
        ),
        (
            |b| b.port(0),
            "https://wazo.example.com/api/auth/0.1/status",
        ),
        (|b| b.direct(), "http://wazo.example.com:9497/0.1/status"),
        (
            |b| b.prefix("api/auth/"),
            "https://wazo.example.com:443/api/auth/0.1/status",
        ),
        (|b| b.prefix(""), "https://wazo.example.com:443/0.1/status"),
        (
            |b| b.version("9.9"),
            "https://wazo.example.com:443/api/auth/9.9/status",
        ),
        (
            |b| b.version(""),
            "https://wazo.example.com:443/api/auth/status",
        ),
        (
            |b| b.prefix("").version(""),
            "https://wazo.example.com:443/status",
        ),
        (
            |b| b.host("2001:db8::7"),
            "https://[2001:db8::7]:443/api/auth/0.1/status",
        ),
        (
            |b| b.host("[2001:db8::7]").port(8443),
            "https://[2001:db8::7]:8443/api/auth/0.1/status",
        ),
        (
            |b| b.http().port(80),
            "http://wazo.example.com:80/api/auth/0.1/status",
        ),
    ];
    for (set, url) in cases {
        let told = Told::new([status(200)]);
        let client = set(told.builder()).build().unwrap();
        client.status().check().await.unwrap();
        let asked = told.last();
        assert_eq!(
            (asked.method.as_str(), asked.uri.to_string()),
            ("HEAD", url.to_owned())
        );
    }
}

#[test]
fn a_missing_or_malformed_host_is_refused_by_name() {
    for host in [
        "",
        "https://wazo.example.com",
        "wazo.example.com:443",
        "a b",
    ] {
        let error = Client::builder().host(host).build().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("host"),
            "{error}"
        );
    }
    let error = Client::builder().build().unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("host"),
        "{error}"
    );
}

#[tokio::test]
async fn a_ca_bundle_that_is_missing_or_holds_nothing_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let build = || {
        Client::builder()
            .host("wazo.example.com")
            .ca_bundle(&file)
            .build()
    };
    let error = build().unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("ca.pem: cannot be read"),
        "{error}"
    );
    std::fs::write(&file, "not PEM").unwrap();
    let error = build().unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("ca.pem"),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_is_sent_in_its_header_and_not_over_plain_http() {
    let told = Told::new([answer(200, &user("alice"))]);
    told.client().users().get(&alice()).await.unwrap();
    assert_eq!(told.header(0, "x-auth-token").as_deref(), Some(TOKEN));
    assert_eq!(told.header(0, "authorization"), None);
    assert_eq!(told.header(0, "wazo-tenant"), None);

    let plain = told.builder().direct().build().unwrap();
    let refused = plain.users().get(&alice()).await.unwrap_err();
    assert!(refused.is_config(), "{refused}");
    // Nor where the token is in the path.
    let refused = plain.token().is_valid(&TOKEN.into()).await.unwrap_err();
    assert!(refused.is_config(), "{refused}");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn another_token_or_tenant_uses_the_same_connections() {
    let told = Told::new([]);
    let client = told.client().with_tenant(&tenant());
    let other: TenantUuid = ALICE.parse().unwrap();
    client.users().delete(&alice()).await.unwrap();
    let by_call = client.policies().list().tenant(&other);
    let _ = by_call.send().await;
    client
        .with_token("t2")
        .users()
        .delete(&alice())
        .await
        .unwrap();
    client
        .with_tenant(&other)
        .users()
        .delete(&alice())
        .await
        .unwrap();
    let tenants: Vec<_> = (0..4)
        .map(|at| told.header(at, "wazo-tenant").unwrap())
        .collect();
    assert_eq!(tenants, [TENANT, ALICE, TENANT, ALICE]);
    let tokens: Vec<_> = (0..4)
        .map(|at| told.header(at, "x-auth-token").unwrap())
        .collect();
    assert_eq!(tokens, [TOKEN, TOKEN, "t2", TOKEN]);
}

#[tokio::test]
async fn every_argument_in_a_path_is_one_segment() {
    let told = Told::new([]);
    let client = told.client();
    let policy = "wazo-admin".parse().unwrap();
    client
        .policies()
        .add_access(&policy, "!dird.*.#")
        .await
        .unwrap();
    assert_eq!(
        told.line(0),
        "PUT /api/auth/0.1/policies/wazo-admin/acl/%21dird.%2A.%23"
    );
    client.token().delete_own("my phone/1?").await.unwrap();
    assert_eq!(
        told.line(1),
        "DELETE /api/auth/0.1/users/me/tokens/my%20phone%2F1%3F"
    );
    // The service would store the text `a%2Fb`.
    let refused = client
        .policies()
        .add_access(&policy, "a/b")
        .await
        .unwrap_err();
    assert_eq!(refused.sent(), Sent::No);
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn a_server_that_answers_anything_is_reachable() {
    let told = Told::new([
        status(404),
        status(500),
        Then::Break,
        Then::Break,
        Then::Break,
    ]);
    let client = told.client();
    assert!(client.is_server_reachable().await);
    assert!(client.is_server_reachable().await);
    assert_eq!(told.line(0), "HEAD /api/auth/0.1");
    assert_eq!(told.header(0, "x-auth-token"), None);
    assert!(!client.is_server_reachable().await);
}

#[test]
fn no_secret_is_shown() {
    let client = Client::builder()
        .host("wazo.example.com")
        .token("planted-token")
        .credentials("alice", "planted-password")
        .transport(Told::new([]));
    let shown = format!("{client:?} {:?}", client.clone().build().unwrap());
    assert!(
        shown.contains("alice") && !shown.contains("planted"),
        "{shown}"
    );
}
