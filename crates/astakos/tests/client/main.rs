//! What the client promises, against the emulator and against scripts.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod answers;
mod discovery;
mod errors;
#[path = "../../../../tests/support/log.rs"]
mod log;
mod repeating;
mod requests;
mod secrets;
mod walking;

use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, StatusCode, Uri};
use vouchsafe_astakos::{Client, ClientBuilder};
use vouchsafe_core::call::Retry;
use vouchsafe_core::mock::{Handler, Host};
use vouchsafe_core::transport::{Request, Response};

const AUTH_URL: &str = "https://accounts.example.org/astakos/identity/v2.0";
const TOKEN: &str = "planted-token-of-a-user";

/// A service that answers as a function says, and keeps what it was asked.
struct Scripted {
    answer: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Handler for Scripted {
    fn handle(&self, request: &Request) -> Response {
        self.seen.lock().unwrap().push(Seen {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        (self.answer)(request)
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        None
    }
}

/// A client of a script, which is asked for the catalog like a real server, and what it is asked.
fn scripted(
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> (ClientBuilder, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let host = Host::new(Arc::new(Scripted {
        answer: Box::new(answer),
        seen: Arc::clone(&seen),
    }));
    let builder = Client::builder()
        .transport(host.transport())
        .auth_url(AUTH_URL)
        .token(TOKEN)
        .retry(Retry::none());
    (builder, seen)
}

fn json(status: u16, text: &str) -> Response {
    let mut response = Response::new(StatusCode::from_u16(status).unwrap());
    response.body = text.to_owned().into();
    response
}

/// A catalog whose addresses name another host.
fn catalog(account: &str) -> Response {
    json(
        200,
        &format!(r#"{{"access": {{"serviceCatalog": [{account}]}}}}"#),
    )
}

const ACCOUNT: &str = r#"{"name": "astakos_account", "type": "account", "endpoints": [
    {"versionId": "v1.0", "publicURL": "http://evil.example.net/astakos/account/v1.0",
     "SNF:uiURL": "http://evil.example.net/astakos/ui"}]}"#;

/// Answers the catalog, and anything else by a function.
fn after_catalog(
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> (ClientBuilder, Arc<Mutex<Vec<Seen>>>) {
    scripted(move |request| match request.uri.path() {
        path if path.ends_with("/tokens") => catalog(ACCOUNT),
        _ => answer(request),
    })
}

/// The requests that are not for the catalog.
fn calls(seen: &Mutex<Vec<Seen>>) -> Vec<Seen> {
    let seen = seen.lock().unwrap();
    let calls = seen
        .iter()
        .filter(|seen| !seen.uri.path().ends_with("/tokens"));
    calls.cloned().collect()
}
