//! No `Debug` shows a secret. Logs and errors are searched in `faults`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Debug;
use std::sync::Arc;

use http::{HeaderName, Method, StatusCode, Uri};
use vouchsafe_core::auth::{
    Authorize, Bearer, Credentials, EnvToken, FileToken, HeaderToken, StaticToken, Token,
    TokenSource,
};
use vouchsafe_core::call::{
    Budget, Call, CallOptions, Fault as ServiceFault, Operation, Repeat, Retry,
};
use vouchsafe_core::mock::{CertificateAuthority, Handler, Host, ManualClock};
use vouchsafe_core::transport::{HttpTransport, Request, Response};
use vouchsafe_core::url::Target;
use vouchsafe_core::{Secret, SecretBytes};

/// In the credential, in the answer, in the query and in a path.
const PLANTED: &str = "planted-3c1f9a";

static READ: Operation = Operation::new("test.read", Method::GET, "/token/{token}")
    .repeat(Repeat::Safe)
    .sensitive_path();

/// Answers with a secret.
#[derive(Debug)]
struct Telling;

impl Handler for Telling {
    fn handle(&self, _: &Request) -> Response {
        let mut response = Response::new(StatusCode::OK);
        response.body = serde_json::json!({"token": PLANTED}).to_string().into();
        response
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("test.read")
    }
}

fn call() -> Call {
    let target = Target::new("/token/").segment("token", PLANTED).unwrap();
    Call::new(&READ, target.query("password", PLANTED))
}

#[test]
fn no_debug_of_a_public_type_shows_a_secret() {
    let secret = Secret::from(PLANTED);
    let token = Token::new(secret.clone());
    let source = StaticToken::new(secret.clone());
    let mut headers = http::HeaderMap::new();
    Bearer.authorize(&token, &mut headers).unwrap();
    let own = HeaderToken::new(HeaderName::from_static("x-auth-token"));
    own.authorize(&token, &mut headers).unwrap();
    let mut request = Request::new(Method::GET, "http://h/planted?q=planted".parse().unwrap());
    request.headers = headers.clone();
    request.body = PLANTED.into();
    let mut response = Response::new(StatusCode::OK);
    response.body = PLANTED.into();
    let host = Host::builder(Arc::new(Telling))
        .clock(Arc::new(ManualClock::at_unix(0)))
        .build();
    let json = Call::new(&READ, Target::new("/x")).json(PLANTED).unwrap();
    let missing = EnvToken::from_env("VOUCHSAFE_SURELY_UNSET").unwrap_err();

    let all: [&dyn Debug; 23] = [
        &secret,
        &SecretBytes::from(PLANTED.as_bytes().to_vec()),
        &token,
        &source,
        &FileToken::new("/run/token"),
        &missing,
        &headers,
        &own,
        &Credentials::bearer(&source),
        &(&source as &dyn TokenSource),
        &request,
        &response,
        &json,
        &call(),
        &Target::new("/x").query("password", PLANTED),
        &CallOptions::new(),
        &Retry::default(),
        &Budget::default(),
        &ServiceFault::default(),
        &host,
        &host.transport(),
        &HttpTransport::builder(),
        &CertificateAuthority::new().unwrap(),
    ];
    for value in all {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert!(!text.contains("planted"), "{text}");
            assert!(!text.contains("PRIVATE KEY"), "{text}");
        }
    }
}
