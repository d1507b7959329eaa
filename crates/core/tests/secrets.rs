//! No secret reaches a log, an error or a `Debug`.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../../tests/support/log.rs"]
mod log;

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode, Uri};
use vouchsafe_core::auth::{
    Authorize, Bearer, Credentials, EnvToken, FileToken, HeaderToken, StaticToken, Token,
    TokenSource,
};
use vouchsafe_core::call::{
    Budget, Call, CallOptions, Fault as ServiceFault, Operation, Repeat, Retry, Timeouts,
};
use vouchsafe_core::mock::{CertificateAuthority, Fault, Handler, Host, ManualClock};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{CoreClient, Secret, SecretBytes};

use log::Log;

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

/// Calls that end well, are refused, break off and time out, over connections new and kept.
async fn calls(over: Arc<dyn Transport>, base: &str, host: &Host) -> Vec<String> {
    let client = CoreClient::builder()
        .transport(over)
        .timeouts(Timeouts::default().attempt(Duration::from_millis(200)))
        .build()
        .unwrap();
    let source = StaticToken::new(Secret::from(PLANTED));
    let base = base.parse().unwrap();
    let mut seen = vec![format!("{client:?} {client:#?} {source:?}")];
    for fault in [
        None,
        None,
        Some(Fault::on_any().status(401).body(PLANTED)),
        Some(Fault::on_any().status(503).body(PLANTED)),
        Some(Fault::on_any().reset_before_head()),
        Some(Fault::on_any().cut_body()),
        Some(Fault::on_any().not_http()),
        Some(Fault::on_any().no_answer()),
    ] {
        host.faults().clear();
        if let Some(fault) = fault {
            host.faults().add(fault);
        }
        let credentials = Some(Credentials::bearer(&source));
        match client
            .send(&base, call(), credentials, &CallOptions::new())
            .await
        {
            Ok(answer) => {
                let error = answer.json::<u8>().unwrap_err();
                seen.push(format!("{answer:?} {answer:#?} {error} {error:?}"));
            }
            Err(error) => {
                let mut text = format!("{error} {error:?} {error:#?}");
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    text += &format!(" {inner} {inner:?}");
                    cause = inner.source();
                }
                seen.push(text);
            }
        }
    }
    seen
}

#[tokio::test]
async fn nothing_logged_at_trace_holds_a_secret() {
    let log = Log::start();
    let host = Host::new(Arc::new(Telling));
    let authority = CertificateAuthority::new().unwrap();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let plain = host.serve(address).await.unwrap();
    let tls = host.serve_tls(address, &authority).await.unwrap();
    let transport = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap()
        .only_roots()
        .build()
        .unwrap();
    let transport: Arc<dyn Transport> = Arc::new(transport);
    let mut seen = calls(Arc::clone(&transport), &plain.url(), &host).await;
    seen.extend(calls(transport, &tls.url(), &host).await);
    seen.extend(calls(host.transport(), "http://127.0.0.1:1", &host).await);

    let log = log.text();
    // The search would find something: calls, attempts and the pool's own words are there.
    for word in [
        "auth.call",
        "test.read",
        "attempt=1",
        "hyper_util",
        "reuse idle connection",
    ] {
        assert!(log.contains(word), "{word} was not logged");
    }
    for line in log.lines().chain(seen.iter().map(String::as_str)) {
        assert!(!line.contains("planted"), "{line}");
    }
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
