//! Authorization servers that are found by their metadata, and what is learned from answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_cloud_credentials::core::Clock;
use vouchsafe_cloud_credentials::{
    BodyFormat, ClientAuthentication, Credentials, CredentialsBuilder, Error, ErrorKind, Pkce,
    TokenSource as _,
};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result};

const ISSUER: &str = "https://login.example.com/tenant";
const OAUTH: &str = "GET https://login.example.com/.well-known/oauth-authorization-server/tenant";
const OPENID: &str = "GET https://login.example.com/tenant/.well-known/openid-configuration";
const TOKEN: &str = "POST https://tokens.example.com/t";

/// Serves metadata at one path, and tokens elsewhere.
#[derive(Debug)]
struct Server {
    path: &'static str,
    metadata: Mutex<Value>,
    headers: Vec<(&'static str, String)>,
    seen: Mutex<Vec<Request>>,
}

impl Server {
    fn new(path: &'static str, metadata: Value) -> Arc<Self> {
        Self::with_headers(path, metadata, Vec::new())
    }

    fn with_headers(
        path: &'static str,
        metadata: Value,
        headers: Vec<(&'static str, String)>,
    ) -> Arc<Self> {
        Arc::new(Self {
            path,
            metadata: Mutex::new(metadata),
            headers,
            seen: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let shown = seen.iter().map(shown);
        shown.collect()
    }

    fn last(&self) -> Request {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    fn builder(self: &Arc<Self>) -> CredentialsBuilder {
        Credentials::builder()
            .client_id("c:d")
            .client_secret("s")
            .refresh_token("rt")
            .issuer(ISSUER)
            .transport(Arc::clone(self) as Arc<dyn Transport>)
    }

    fn credentials(self: &Arc<Self>) -> Credentials {
        self.builder().build().unwrap()
    }
}

fn shown(request: &Request) -> String {
    format!("{} {}", request.method, request.uri)
}

impl Transport for Server {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.seen.lock().unwrap().push(request.clone());
        let (status, body) = match request.uri.path() {
            path if path.contains(".well-known") && shown(&request) != self.path => {
                (StatusCode::NOT_FOUND, json!({}))
            }
            path if path.contains(".well-known") => {
                (StatusCode::OK, self.metadata.lock().unwrap().clone())
            }
            _ => (
                StatusCode::OK,
                json!({"access_token": "at", "expires_in": 3600}),
            ),
        };
        let mut response = Response::new(status);
        response.body = body.to_string().into();
        for (name, value) in &self.headers {
            response.headers.insert(*name, value.parse().unwrap());
        }
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example.com/a",
        "token_endpoint": "https://tokens.example.com/t",
        "revocation_endpoint": "https://tokens.example.com/r",
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

#[tokio::test]
async fn endpoints_are_found_once_and_asked_as_the_standard_says() {
    let server = Server::new(OAUTH, metadata());
    let credentials = server.credentials();
    assert!(server.asked().is_empty());
    credentials.refresh().await.unwrap();
    let last = server.last();
    assert_eq!(last.body, "refresh_token=rt&grant_type=refresh_token");
    // c%3Ad:s
    assert_eq!(last.headers["authorization"], "Basic YyUzQWQ6cw==");
    credentials.revoke_access_token().await.unwrap();
    let revoked = "POST https://tokens.example.com/r";
    assert_eq!(server.asked(), [OAUTH, TOKEN, revoked]);
    let known = credentials.server_metadata().await.unwrap().unwrap();
    assert_eq!(known.issuer, ISSUER);
}

#[tokio::test]
async fn a_client_without_a_secret_says_who_it_is() {
    let server = Server::new(OAUTH, metadata());
    let credentials = Credentials::builder().issuer(ISSUER).client_id("public");
    let credentials = credentials.transport(Arc::clone(&server) as Arc<dyn Transport>);
    let credentials = credentials.build().unwrap();
    credentials.exchange("planted").send().await.unwrap();
    let last = server.last();
    assert_eq!(
        last.body,
        "grant_type=authorization_code&client_id=public&code=planted"
    );
    assert!(!last.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_client_without_a_secret_refreshes_where_the_metadata_says_that_there_are_such() {
    let public = |server: &Arc<Server>| {
        let builder = Credentials::builder().issuer(ISSUER).client_id("public");
        let builder = builder.transport(Arc::clone(server) as Arc<dyn Transport>);
        builder.refresh_token("rt").build().unwrap()
    };
    let announcing = |methods: &[&str]| {
        let mut metadata = metadata();
        metadata["token_endpoint_auth_methods_supported"] = json!(methods);
        Server::new(OAUTH, metadata)
    };
    for methods in [
        &["none"][..],
        &["private_key_jwt", "none"],
        &["client_secret_basic", "none"],
        &["client_secret_post", "none"],
    ] {
        let server = announcing(methods);
        public(&server).token().await.unwrap();
        assert_eq!(server.asked(), [OAUTH, TOKEN]);
        let last = server.last();
        let body = String::from_utf8(last.body.to_vec()).unwrap();
        assert!(
            body.contains("client_id=public") && !body.contains("secret"),
            "{body}"
        );
        assert!(!last.headers.contains_key("authorization"));
    }
    // One that has a secret sends it where that is possible.
    let server = announcing(&["none", "client_secret_basic"]);
    server.credentials().refresh().await.unwrap();
    assert!(server.last().headers.contains_key("authorization"));
    let server = announcing(&["none"]);
    server.credentials().refresh().await.unwrap();
    assert_eq!(
        server.last().body,
        "client_id=c%3Ad&refresh_token=rt&grant_type=refresh_token"
    );
    for methods in [&["client_secret_basic"][..], &["client_secret_post"]] {
        let server = announcing(methods);
        let error = public(&server).refresh().await.unwrap_err();
        assert_eq!(error.missing().unwrap().values(), ["client_secret"]);
        assert_eq!(server.asked(), [OAUTH]);
    }
    // What is not announced is not assumed.
    let server = Server::new(OAUTH, metadata());
    let error = public(&server).refresh().await.unwrap_err();
    assert_eq!(error.missing().unwrap().values(), ["client_secret"]);
}

#[tokio::test]
async fn the_path_of_openid_is_the_second_choice_and_without_either_it_is_a_configuration_error() {
    let server = Server::new(OPENID, metadata());
    server.credentials().refresh().await.unwrap();
    assert_eq!(server.asked(), [OAUTH, OPENID, TOKEN]);
    let server = Server::new("", metadata());
    let error = server.credentials().refresh().await.unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains(ISSUER),
        "{error}"
    );
    assert_eq!(server.asked(), [OAUTH, OPENID]);
}

#[tokio::test]
async fn metadata_of_another_issuer_and_endpoints_without_tls_are_refused() {
    for (key, value) in [
        ("issuer", "https://login.example.com/tenant/"),
        ("issuer", "https://evil.test"),
        ("token_endpoint", "http://tokens.example.com/t"),
        ("authorization_endpoint", "http://login.example.com/a"),
        ("token_endpoint", "nowhere"),
    ] {
        let mut metadata = metadata();
        metadata[key] = value.into();
        let server = Server::new(OAUTH, metadata);
        let error = server.credentials().refresh().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{value}: {error}");
        assert_eq!(server.asked(), [OAUTH]);
    }
    let mut local = metadata();
    local["token_endpoint"] = "http://127.0.0.1:1/t".into();
    let server = Server::new(OAUTH, local);
    server.credentials().refresh().await.unwrap();
    assert_eq!(server.last().uri, "http://127.0.0.1:1/t");
}

#[tokio::test(start_paused = true)]
async fn metadata_is_kept_as_long_as_the_server_says() {
    for (control, asked) in [("max-age=3000", 1), ("no-store", 2), ("max-age=10", 2)] {
        let headers = vec![("cache-control", control.to_owned())];
        let server = Server::with_headers(OAUTH, metadata(), headers);
        let credentials = server.credentials();
        credentials.server_metadata().await.unwrap();
        tokio::time::advance(Duration::from_secs(100)).await;
        credentials.server_metadata().await.unwrap();
        assert_eq!(server.asked().len(), asked, "{control}");
    }
}

#[tokio::test]
async fn what_is_set_takes_precedence_over_what_was_found() {
    let server = Server::new(OAUTH, metadata());
    let builder = server
        .builder()
        .token_url("https://own.example.com/RequestToken");
    let builder = builder.client_authentication(ClientAuthentication::None);
    builder.build().unwrap().refresh().await.unwrap();
    let last = server.last();
    assert_eq!(shown(&last), "POST https://own.example.com/RequestToken");
    assert!(!last.headers.contains_key("authorization"));
    let mut in_body = metadata();
    in_body["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    let server = Server::new(OAUTH, in_body);
    server.credentials().refresh().await.unwrap();
    assert!(
        server
            .last()
            .body
            .starts_with(b"client_id=c%3Ad&client_secret=s")
    );
}

#[tokio::test]
async fn another_server_has_the_endpoints_that_are_set_and_takes_forms() {
    let server = Server::new(OAUTH, metadata());
    let other = || {
        let builder = Credentials::builder().client_id("c").client_secret("s");
        let builder = builder.refresh_token("rt").access_token("at");
        builder
            .transport(Arc::clone(&server) as Arc<dyn Transport>)
            .token_endpoint("https://own.example.com/oauth/token?tenant=1")
    };
    let credentials = other().build().unwrap();
    credentials.refresh().await.unwrap();
    let last = server.last();
    assert_eq!(
        shown(&last),
        "POST https://own.example.com/oauth/token?tenant=1"
    );
    assert!(last.body.starts_with(b"client_id=c&client_secret=s"));
    let asked = server.asked().len();
    credentials.revoke_refresh_token().await.unwrap_err();
    credentials.authorize().url().await.unwrap_err();
    assert_eq!(server.asked().len(), asked);
    let as_json = other().body_format(BodyFormat::Json).build().unwrap();
    as_json.refresh().await.unwrap();
    assert!(server.last().body.starts_with(b"{"));
    let found = other().issuer(ISSUER).build().unwrap();
    found.refresh().await.unwrap();
    assert_eq!(server.last().uri.path(), "/oauth/token");
}

#[tokio::test]
async fn all_that_is_set_takes_precedence_over_what_was_found() {
    let mut found = metadata();
    found["device_authorization_endpoint"] = "https://tokens.example.com/d".into();
    let server = Server::new(OAUTH, found);
    let builder = server.builder().body_format(BodyFormat::Json);
    let builder = builder.revocation_url("https://own.example.com/revoke");
    let builder = builder.authorization_url("https://own.example.com/authorize");
    let builder = builder.device_authorization_url("https://own.example.com/device");
    let credentials = builder.build().unwrap();
    credentials.refresh().await.unwrap();
    // What is not set is found.
    assert_eq!(shown(&server.last()), TOKEN);
    let sent: Value = serde_json::from_slice(&server.last().body).unwrap();
    assert_eq!(sent["refresh_token"], "rt");
    credentials.revoke_refresh_token().await.unwrap();
    let revoke = "POST https://own.example.com/revoke";
    assert_eq!(shown(&server.last()), revoke);
    let login = credentials.authorize().url().await.unwrap();
    let own = "https://own.example.com/authorize?";
    assert!(login.url.starts_with(own), "{}", login.url);
    // This server answers it with a token.
    credentials.device_login().send().await.unwrap_err();
    let device = "POST https://own.example.com/device";
    assert_eq!(server.asked(), [OAUTH, TOKEN, revoke, device]);
}

#[tokio::test]
async fn a_secret_is_not_sent_in_a_way_that_the_server_does_not_take() {
    let mut other = metadata();
    let methods = json!(["private_key_jwt", "tls_client_auth"]);
    other["token_endpoint_auth_methods_supported"] = methods;
    let server = Server::new(OAUTH, other);
    let credentials = server.credentials();
    for error in [
        credentials.refresh().await.unwrap_err(),
        credentials.exchange("x").send().await.unwrap_err(),
        credentials.revoke_refresh_token().await.unwrap_err(),
        credentials.authorize().url().await.unwrap_err(),
    ] {
        assert!(error.is_config(), "{error}");
        for named in [
            ISSUER,
            "private_key_jwt, tls_client_auth",
            "client_secret_basic",
        ] {
            assert!(error.to_string().contains(named), "{error}");
        }
    }
    assert_eq!(server.asked(), [OAUTH]);
    // Metadata may be wrong.
    let builder = server.builder();
    let builder = builder.client_authentication(ClientAuthentication::Body);
    builder.build().unwrap().refresh().await.unwrap();
    assert_eq!(shown(&server.last()), TOKEN);
}

#[tokio::test]
async fn logins_use_what_was_found_and_check_who_answers() {
    let server = Server::new(OAUTH, metadata());
    let login = server.credentials().authorize().url().await.unwrap();
    assert!(
        login.url.starts_with("https://login.example.com/a?"),
        "{}",
        login.url
    );
    let callback = |issuer: &str| format!("?code=x&state={}{issuer}", login.state);
    assert!(
        login
            .callback(&callback("&iss=https://login.example.com/tenant"))
            .is_ok()
    );
    for other in ["", "&iss=https://evil.test"] {
        let error = login.callback(&callback(other)).unwrap_err();
        assert!(error.is_forbidden(), "{other}");
    }
    // A server that promises nothing may leave it out, but not lie.
    let mut quiet = metadata();
    quiet["authorization_response_iss_parameter_supported"] = false.into();
    quiet["code_challenge_methods_supported"] = json!(["plain"]);
    let server = Server::new(OAUTH, quiet);
    let request = server.credentials().authorize();
    let error: Error = request.clone().url().await.unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("S256"),
        "{error}"
    );
    let login = request.pkce(Pkce::Off).url().await.unwrap();
    let callback = |issuer: &str| format!("?code=x&state={}{issuer}", login.state);
    assert!(login.callback(&callback("")).is_ok());
    assert!(login.callback(&callback("&iss=https://evil.test")).is_err());
}

#[derive(Debug)]
struct Slow;

impl Clock for Slow {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000_000)
    }
}

#[tokio::test]
async fn expiries_are_those_of_the_servers_clock_unless_it_is_not_to_be_followed() {
    // Ten minutes ahead.
    let date = || vec![("date", "Sun, 09 Sep 2001 01:56:40 GMT".to_owned())];
    for (follows, expires) in [(true, 1_000_004_200), (false, 1_000_003_600)] {
        let server = Server::with_headers(OAUTH, metadata(), date());
        let store = Arc::new(vouchsafe_core::store::MemoryStore::new());
        let builder = server.builder().clock(Arc::new(Slow));
        let builder = builder.store(store.clone()).follow_server_clock(follows);
        builder.build().unwrap().refresh().await.unwrap();
        let record = crate::server::record(&*store).await;
        assert_eq!(record["expires_at"], expires);
    }
}
