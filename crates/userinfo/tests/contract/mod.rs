//! Every operation of both services, driven to success: in process, over TCP, over TLS.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use vouchsafe_core::Clock;
use vouchsafe_core::mock::CertificateAuthority;
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_userinfo::discovery::InfluxLocation;
use vouchsafe_userinfo::mock::Server;
use vouchsafe_userinfo::{
    BotUsername, Client, Expiry, GroupName, Limits, NewGroup, NewServiceToken, NewUserToken, Quota,
    QuotaConfig, Scope, Token, TokenChange, TokenType, Username,
};

/// Returns the ids of the operations that were answered with success.
pub(crate) async fn run() -> BTreeSet<String> {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut driven = BTreeSet::new();

    let server = Server::new();
    drive(
        &server,
        &server.client(),
        &server.host().transport(),
        "https://data.example.com",
    )
    .await;
    collect(&server, &mut driven);

    let server = Server::new();
    let serving = server.serve(any).await.unwrap();
    let transport = HttpTransport::builder().build().unwrap();
    over_sockets(&server, &serving.url(), transport).await;
    collect(&server, &mut driven);

    let server = Server::new();
    let authority = CertificateAuthority::new().unwrap();
    let serving = server.serve_tls(any, &authority).await.unwrap();
    let builder = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap();
    over_sockets(
        &server,
        &serving.url(),
        builder.only_roots().build().unwrap(),
    )
    .await;
    collect(&server, &mut driven);

    driven
}

async fn over_sockets(server: &Server, base: &str, transport: HttpTransport) {
    let transport: Arc<dyn Transport> = Arc::new(transport);
    let client = Client::builder()
        .transport(Arc::clone(&transport))
        .repertoire_url(format!("{base}{}", server.repertoire_path()))
        .build()
        .unwrap();
    drive(server, &client, &transport, base).await;
}

fn collect(server: &Server, driven: &mut BTreeSet<String>) {
    server.journal().assert_no_surprises();
    let good = server.journal().entries().into_iter().filter(|entry| {
        entry
            .status
            .is_some_and(|status| (200..300).contains(&status))
    });
    driven.extend(good.filter_map(|entry| entry.operation).map(str::to_owned));
}

async fn drive(server: &Server, client: &Client, transport: &Arc<dyn Transport>, base: &str) {
    user_information(server, client).await;
    tokens(server, client).await;
    quota_overrides(server, client).await;
    discovery(server, client, base).await;
    ingress(server, transport, base).await;
    modify(server, transport, base).await;
}

async fn user_information(server: &Server, client: &Client) {
    let (token, service_token) = (server.user_token(), server.service_token());
    let alice: Username = "alice".parse().unwrap();

    let own = client.user_info(&token).await.unwrap();
    assert_eq!(own.username, "alice");
    assert!(own.is_in_group("g_heavy"));
    assert!(matches!(own.quota, Quota::Limited(_)));

    let named = client.user_info_for(&service_token, &alice).await.unwrap();
    assert_eq!(named, own);

    let groups = client.groups(&service_token).await.unwrap();
    assert!(groups.user.iter().any(|group| group.name == "g_science"));
    assert!(groups.system.iter().any(|group| group.name == "admins"));

    let users = client.users(&service_token).await.unwrap();
    let names: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
}

async fn tokens(server: &Server, client: &Client) {
    let (token, admin) = (server.user_token(), server.admin_token());
    let (alice, bot): (Username, BotUsername) =
        ("alice".parse().unwrap(), "bot-ledger".parse().unwrap());
    let scopes: [Scope; 1] = ["read:all".parse().unwrap()];
    let group: GroupName = "g_bots".parse().unwrap();
    let in_an_hour = server.clock().now() + Duration::from_secs(3600);

    let new = NewServiceToken::new(&bot)
        .scopes(&scopes)
        .expires(in_an_hour)
        .name("Ledger")
        .email("ledger@example.com")
        .uid(9000)
        .gid(9001)
        .groups([NewGroup::new(&group, 9001)]);
    let made = client.create_service_token(&admin, &new).await.unwrap();
    let bot_info = client.user_info(&made).await.unwrap();
    assert_eq!(bot_info.name.as_deref(), Some("Ledger"));
    assert_eq!((bot_info.uid, bot_info.gid), (Some(9000), Some(9001)));
    let info = client.token_info(&made).await.unwrap();
    assert_eq!(
        (info.token.as_str(), &info.token_type),
        (made.key(), &TokenType::Service)
    );
    assert_eq!(info.scopes, ["read:all"]);
    let left = info.expires.unwrap().duration_since(info.created).unwrap();
    assert!(left <= Duration::from_secs(3600), "{left:?}");

    let new = NewUserToken::new("laptop")
        .scopes(&scopes)
        .expires(in_an_hour);
    let own = client
        .create_user_token(&token, &alice, &new)
        .await
        .unwrap();
    let all = client.tokens(&token, &alice).await.unwrap();
    assert!(
        all.iter()
            .any(|info| info.token_name.as_deref() == Some("laptop"))
    );
    let one = client
        .token_info_by_key(&token, &alice, own.key())
        .await
        .unwrap();
    assert_eq!(
        (one.username.as_str(), one.expires.is_some()),
        ("alice", true)
    );
    let change = TokenChange::new().token_name("desk").expires(Expiry::Never);
    let changed = client
        .modify_token(&admin, &alice, own.key(), &change)
        .await
        .unwrap();
    assert_eq!(changed.token_name.as_deref(), Some("desk"));
    assert_eq!((changed.expires, changed.scopes), (None, one.scopes));
    let none: [Scope; 0] = [];
    let change = TokenChange::new().scopes(none);
    let changed = client
        .modify_token(&admin, &alice, own.key(), &change)
        .await
        .unwrap();
    assert!(changed.scopes.is_empty() && changed.expires.is_none());
    client
        .revoke_token(&token, &alice, own.key())
        .await
        .unwrap();
    assert_eq!(
        client.user_info(&own).await.unwrap_err().status(),
        Some(StatusCode::UNAUTHORIZED)
    );
}

async fn quota_overrides(server: &Server, client: &Client) {
    let (token, admin) = (server.user_token(), server.admin_token());
    assert_eq!(client.quota_overrides(&token).await.unwrap(), None);

    let mut limits = Limits::default();
    limits.api.insert("search".to_owned(), 1);
    let mut overrides = QuotaConfig::default();
    overrides.default = Some(limits);
    let stored = client
        .set_quota_overrides(&admin, &overrides)
        .await
        .unwrap();
    assert_eq!(stored.default, overrides.default);
    assert_eq!(client.quota_overrides(&token).await.unwrap(), Some(stored));

    assert!(client.remove_quota_overrides(&admin).await.unwrap());
    assert!(!client.remove_quota_overrides(&admin).await.unwrap());
}

async fn discovery(server: &Server, client: &Client, base: &str) {
    let path = server.repertoire_path();
    server.set_discovery(serde_json::json!({
        "applications": ["gafaelfawr"],
        "influxdb_databases": {"metrics": {
            "url": "https://influx.example.com/",
            "database": "m",
            "schema_registry": "https://schemas.example.com/",
            "credentials_url": format!("{base}{path}/discovery/influxdb/metrics"),
        }},
        "services": {"internal": {"gafaelfawr": {
            "url": format!("{base}/auth/api"),
            "versions": {"v1": {"url": format!("{base}/auth/api/v1")}},
        }}},
    }));
    server.set_influxdb_login("metrics", "reader", "planted-password");
    let discovery = client.discovery();
    discovery.clear_cache();
    let document = discovery.document().await.unwrap();
    assert_eq!(document.applications(), ["gafaelfawr"]);
    let databases = document.influxdb_databases(InfluxLocation::Any);
    assert_eq!(databases.collect::<Vec<_>>(), ["metrics"]);

    let token = server.user_token();
    let found = discovery
        .influxdb_credentials("metrics", &token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.username.as_deref(), Some("reader"));
    assert_eq!(
        found.password.as_ref().map(|secret| secret.expose()),
        Some("planted-password")
    );
    assert!(!format!("{found:?}").contains("planted"));
    assert!(
        discovery
            .influxdb_credentials("other", &token)
            .await
            .unwrap()
            .is_none()
    );
    let all = discovery.all_influxdb_credentials(&token).await.unwrap();
    assert_eq!(all["metrics"], found);
}

/// The routes that only the ingress asks.
async fn ingress(server: &Server, transport: &Arc<dyn Transport>, base: &str) {
    let token = server.user_token();
    let answer = ask(
        transport,
        base,
        "/ingress/auth?scope=read:all&delegate_to=search",
        Some(&token),
    );
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["x-auth-request-user"], "alice");
    let delegated = answer.headers["x-auth-request-token"].to_str().unwrap();
    assert!(Token::parse(delegated).is_ok());

    let answer = ask(transport, base, "/ingress/anonymous", Some(&token)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers.get("x-auth-request-user").is_none());
}

/// The route that only administrators of tokens ask.
async fn modify(server: &Server, transport: &Arc<dyn Transport>, base: &str) {
    let key = server.user_token().key().to_owned();
    let uri = format!("{base}/auth/api/v1/users/alice/tokens/{key}");
    let mut request = Request::new(Method::PATCH, uri.parse().unwrap());
    let admin = format!("Bearer {}", server.admin_token().secret().expose());
    request.headers = HeaderMap::from_iter([
        (AUTHORIZATION, HeaderValue::try_from(admin).unwrap()),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    request.body = "{}".into();
    let answer = transport.send(request).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
}

async fn ask(
    transport: &Arc<dyn Transport>,
    base: &str,
    target: &str,
    token: Option<&Token>,
) -> Response {
    let uri = format!("{base}{target}").parse().unwrap();
    let mut request = Request::new(Method::GET, uri);
    request.headers = HeaderMap::from_iter(
        [
            ("x-original-method", "GET"),
            ("x-original-url", "https://data.example.com/search"),
        ]
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))),
    );
    if let Some(token) = token {
        let value = format!("Bearer {}", token.secret().expose());
        request
            .headers
            .insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
    }
    transport.send(request).await.unwrap()
}
