//! Any request with the access token of credentials, by our own client.
#![allow(clippy::unwrap_used, reason = "a test")]

mod redirects;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde_json::json;
use vouchsafe_cloud_credentials::core::auth::StaticToken;
use vouchsafe_cloud_credentials::core::call::Form;
use vouchsafe_cloud_credentials::{
    Credentials, CredentialsBuilder, Error, ErrorKind, HttpClient, HttpClientBuilder, Repeat,
};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, ErrorKind as Kind, Result};

type Rule = dyn Fn(&Request, &str) -> Answer + Send + Sync;
type Answer = (u16, Vec<(&'static str, String)>, String);

/// A service and its authorization server, which are asked alike.
struct Service {
    answer: Box<Rule>,
    seen: Mutex<Vec<Request>>,
}

impl Service {
    /// Answers by the request and its token; requests for tokens bring `new`.
    fn new(answer: impl Fn(&Request, &str) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            seen: Mutex::default(),
        })
    }

    /// Accepts the token `new`.
    fn refusing() -> Arc<Self> {
        Self::new(|_, token| match token {
            "Bearer new" => status(200),
            _ => status(401),
        })
    }

    /// Returns the requests since the last call, with their tokens.
    fn asked(&self) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let shown = seen.iter().map(|request| {
            let token = token_of(request);
            format!("{} {} {token}", request.method, request.uri)
        });
        shown.map(|line| line.trim_end().to_owned()).collect()
    }

    fn last(&self) -> Request {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    fn credentials(self: &Arc<Self>) -> CredentialsBuilder {
        let transport = Arc::clone(self) as Arc<dyn Transport>;
        Credentials::builder()
            .access_token("old")
            .client_id("id")
            .client_secret("secret")
            .refresh_token("refresh")
            .token_url("https://tokens.example.com")
            .transport(transport)
    }

    fn client(self: &Arc<Self>, credentials: &CredentialsBuilder) -> HttpClientBuilder {
        let credentials = credentials.clone().build().unwrap();
        HttpClient::builder()
            .base_url("https://api.example.com/base/")
            .transport(Arc::clone(self) as Arc<dyn Transport>)
            .credentials(&credentials)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}

impl Transport for Service {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.seen.lock().unwrap().push(request.clone());
        let (code, headers, body) = (self.answer)(&request, &token_of(&request));
        let mut response = Response::new(StatusCode::from_u16(code).unwrap());
        for (name, value) in headers {
            response.headers.append(name, value.parse().unwrap());
        }
        response.body = match request.uri.path() {
            "/api/oauth2/RequestToken" if code == 401 => {
                response.status = StatusCode::OK;
                Bytes::from_static(br#"{"access_token": "new"}"#)
            }
            _ => body.into(),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn token_of(request: &Request) -> String {
    let value = request.headers.get(AUTHORIZATION);
    value.map_or("", |value| value.to_str().unwrap()).to_owned()
}

fn status(code: u16) -> Answer {
    (code, Vec::new(), String::new())
}

const TOKENS: &str = "POST https://tokens.example.com/api/oauth2/RequestToken";

#[tokio::test]
async fn a_refused_token_is_refreshed_and_the_same_request_sent_once_more() {
    let service = Service::refusing();
    let client = service.client(&service.credentials()).build().unwrap();
    let request = client
        .request(Method::PUT, "x")
        .query("q", "a b")
        .header("x-own", "1")
        .json(&json!({"n": 1}));
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status(), answer.attempts()), (StatusCode::OK, 2));
    let last = service.last();
    assert_eq!(last.headers["x-own"], "1");
    assert_eq!(last.headers[CONTENT_TYPE], "application/json");
    assert_eq!(last.body, br#"{"n":1}"#.as_slice());
    let url = "PUT https://api.example.com/base/x?q=a%20b";
    let expected = [
        format!("{url} Bearer old"),
        TOKENS.to_owned(),
        format!("{url} Bearer new"),
    ];
    assert_eq!(service.asked(), expected);
}

#[tokio::test]
async fn a_second_refusal_and_any_other_status_are_answers() {
    let service = Service::new(|request, _| match request.uri.path() {
        "/base/forbidden" => status(403),
        _ => status(401),
    });
    let client = service.client(&service.credentials()).build().unwrap();
    let get = |path: &str| client.request(Method::GET, path).send();
    assert_eq!(get("x").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.asked().len(), 3);
    // A missing right is nothing that a newer token would have.
    let answer = get("forbidden").await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(service.asked().len(), 1);
    let refused = client.request(Method::GET, "forbidden").expect_success();
    assert!(refused.send().await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn json_is_expected_of_any_status_by_the_request_or_the_client() {
    let service = Service::new(|request, _| {
        let body = match request.uri.path() {
            "/base/json" => "\u{feff}{\"e\": [1]} ",
            "/base/more" => "{} planted",
            "/base/text" => "planted",
            _ => "",
        };
        // What the server calls it does not count.
        let headers = vec![("content-type", "application/json".to_owned())];
        (500, headers, body.to_owned())
    });
    let builder = service.client(&service.credentials());
    let any = builder.clone().build().unwrap();
    let json = builder.clone().expect_json().build().unwrap();
    for path in ["json", "more", "text", "empty"] {
        let answer = any.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let of_request = any.request(Method::GET, path).expect_json();
        // Whatever a request accepts.
        let of_client = json.request(Method::GET, path).header("Accept", "text/*");
        for request in [of_request, of_client] {
            let sent = request.send().await;
            if path == "json" {
                assert_eq!(sent.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
                continue;
            }
            let error = sent.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Core(Kind::Decode), "{path}");
            assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
            assert!(!format!("{error:?} {error}").contains("planted"));
        }
    }
    // The status comes first.
    let both = builder.expect_success().expect_json().build().unwrap();
    let error = both.request(Method::GET, "text").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Kind::Status), "{error:?}");
}

#[tokio::test]
async fn only_the_last_answer_is_judged() {
    let service = Service::new(|request, token| match (request.uri.path(), token) {
        // Replaced by a new token.
        ("/api/oauth2/RequestToken", _) => status(401),
        (_, "Bearer old") => (401, Vec::new(), "denied".to_owned()),
        ("/base/from", _) => {
            let to = vec![("location", "/base/to".to_owned())];
            (302, to, "moved".to_owned())
        }
        _ => (200, Vec::new(), "[]".to_owned()),
    });
    let client = service.client(&service.credentials()).follow_redirects(1);
    let client = client.expect_success().expect_json().build().unwrap();
    let answer = client.request(Method::GET, "from").send().await.unwrap();
    assert_eq!(answer.body(), "[]");
    assert_eq!(service.asked().len(), 4);

    // A refusal that stays is judged, after the refresh.
    let service = Service::new(|_, _| (401, Vec::new(), "denied".to_owned()));
    let client = service.client(&service.credentials()).build().unwrap();
    let request = client.request(Method::GET, "x").expect_json();
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Kind::Decode));
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn a_token_without_the_scope_is_not_refreshed() {
    let service = Service::new(|_, _| {
        let challenge = "Bearer error=\"insufficient_scope\"".to_owned();
        (401, vec![("www-authenticate", challenge)], String::new())
    });
    let client = service.client(&service.credentials()).build().unwrap();
    let answer = client.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn without_retry_the_token_is_refreshed_and_without_refresh_it_is_not() {
    let service = Service::refusing();
    let client = service.client(&service.credentials()).auto_retry(false);
    let client = client.build().unwrap();
    let answer = client.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.asked()[1..], [TOKENS]);
    let answer = client.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let service = Service::refusing();
    let credentials = service.credentials().auto_refresh(false);
    let client = service.client(&credentials).build().unwrap();
    let answer = client.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_static_token_that_is_refused_is_the_answer_and_a_missing_one_is_an_error() {
    let service = Service::refusing();
    let transport = Arc::clone(&service) as Arc<dyn Transport>;
    let credentials = Credentials::builder().transport(transport);
    let client = service.client(&credentials.clone().access_token("old"));
    let get = |client: HttpClientBuilder| client.build().unwrap().request(Method::GET, "x").send();
    let answer = get(client).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.asked().len(), 1);
    let error = get(service.client(&credentials)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCredentials);
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn a_refresh_that_fails_is_the_error_of_the_request() {
    let service = Service::new(|request, _| match request.uri.path() {
        "/api/oauth2/RequestToken" => (400, vec![], r#"{"error": "invalid_grant"}"#.to_owned()),
        _ => status(401),
    });
    let client = service.client(&service.credentials()).build().unwrap();
    let sent = client.request(Method::GET, "x").send().await;
    let error = sent.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error:?}");
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn the_token_goes_only_where_the_client_may_go() {
    let service = Service::new(|_, _| status(200));
    let client = service.client(&service.credentials());
    let client = client.allow_url("https://other.example.com:8443");
    let client = client.build().unwrap();
    let get = |url: &'static str| client.request(Method::GET, url).send();
    get("https://API.example.com/elsewhere").await.unwrap();
    get("https://other.example.com:8443/x").await.unwrap();
    assert_eq!(service.asked().len(), 2);
    for url in [
        "https://other.example.com/x",
        "http://api.example.com/base",
        "https://api.example.com.evil.test/",
    ] {
        let error: Error = get(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(Kind::Config), "{url}");
    }
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn a_request_is_doubled_only_if_it_says_that_it_may() {
    let service = Service::new(|_, _| (503, vec![("retry-after", "0".to_owned())], String::new()));
    let client = service.client(&service.credentials()).build().unwrap();
    let get = || client.request(Method::GET, "x");
    assert_eq!(get().send().await.unwrap().status().as_u16(), 503);
    assert_eq!(service.asked().len(), 1);
    let answer = get().repeat(Repeat::Safe).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn settings_of_the_client_are_completed_by_those_of_the_request() {
    let service = Service::new(|_, _| status(200));
    let client = service.client(&service.credentials());
    let client = client.query("z", "1").query("y", "2");
    let client = client.header("accept", "text/plain").header("x-a", "1");
    let client = client.build().unwrap();
    let other = Credentials::builder().access_token("other");
    let other = other.transport(Arc::clone(&service) as Arc<dyn Transport>);
    let request = client.request(Method::POST, "x");
    let request = request.query("y", "3").query("y", "4").header("X-A", "2");
    let request = request.credentials(&other.build().unwrap());
    request
        .form(Form::new().field("f", "&"))
        .send()
        .await
        .unwrap();
    let last = service.last();
    assert_eq!(last.headers["accept"], "text/plain");
    assert_eq!(last.headers["x-a"], "2");
    assert_eq!(last.body, "f=%26");
    let url = "POST https://api.example.com/base/x?z=1&y=3&y=4 Bearer other";
    assert_eq!(service.asked(), [url]);
}

#[tokio::test]
async fn what_does_not_fit_a_request_is_refused_before_it_is_sent() {
    let service = Service::new(|_, _| status(200));
    let client = service.client(&service.credentials()).build().unwrap();
    let get = || client.request(Method::GET, "x");
    let unnamed = std::collections::BTreeMap::from([((1, 2), 3)]);
    for (what, request) in [
        ("path", client.request(Method::GET, "a/../b")),
        ("method", client.request(Method::TRACE, "x")),
        ("name", get().header("a b", "1")),
        ("value", get().header("a", "1\n2")),
        ("body", get().json(&unnamed)),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(Kind::Invalid), "{what}");
    }
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn without_credentials_requests_go_anywhere_and_a_header_may_hold_one() {
    let service = Service::new(|_, _| status(200));
    let client = HttpClient::builder()
        .transport(Arc::clone(&service) as Arc<dyn Transport>)
        .header("Authorization", "Bearer planted")
        .build()
        .unwrap();
    let request = client.request(Method::GET, "https://any.example.com");
    request.send().await.unwrap();
    assert_eq!(
        service.asked(),
        ["GET https://any.example.com/ Bearer planted"]
    );
    let source = Arc::new(StaticToken::new("wins".into()));
    let client = HttpClient::builder()
        .transport(Arc::clone(&service) as Arc<dyn Transport>)
        .header("Authorization", "Bearer planted")
        .token_source(source);
    let client = client.build().unwrap();
    client.request(Method::GET, "x").send().await.unwrap();
    assert!(service.asked()[0].ends_with("Bearer wins"));
}

#[test]
fn no_value_of_a_header_a_parameter_or_a_body_is_shown() {
    let service = Service::new(|_, _| status(200));
    let builder = service
        .client(&service.credentials())
        .base_url("https://api.example.com/base?key=planted")
        .allow_url("https://other.example.com/?key=planted")
        .header("X-Client", "planted")
        .query("of-client", "planted");
    let client = builder.clone().build().unwrap();
    let request = client
        .request(Method::POST, "https://api.example.com/x?key=planted")
        .header("X-Request", "planted")
        .query("of-request", "planted");
    let bytes = request.clone().body("text/plain", "planted");
    let form = request.clone().form(Form::new().field("f", "planted"));
    let json = request.json(&json!({"password": "planted"}));
    let seen = [
        (format!("{builder:?}"), "of-client"),
        (format!("{client:?}"), "X-Client"),
        (format!("{bytes:?}"), "7 bytes of text/plain"),
        (format!("{form:?}"), "of-request"),
        (format!("{json:?}"), "X-Request"),
    ];
    for (shown, told) in seen {
        // Debug of bytes may show their numbers.
        let is_hidden = !shown.contains("planted") && !shown.contains("112, 108, 97");
        assert!(is_hidden && shown.contains(told), "{shown}");
    }
}
