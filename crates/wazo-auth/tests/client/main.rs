//! Tests of the client, over a transport with scripted answers.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod emulated;
mod errors;
mod every;
mod legacy;
mod lists;
#[path = "../../../../tests/support/log.rs"]
mod log;
mod options;
mod renewing;
mod saml;
mod token;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use vouchsafe_wazo_auth::core::transport::{Request, Response, Transport};
use vouchsafe_wazo_auth::core::{BoxFuture, Error, ErrorKind, Result};
use vouchsafe_wazo_auth::{Client, ClientBuilder, Sent, TenantUuid, UserUuid};

const ALICE: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
const TENANT: &str = "1c2a6e70-7a53-4a2b-9d1e-9a4c6a5b0f11";
const TOKEN: &str = "3f1f1a4e-93b5-4b5e-9d0f-1b6f0f3b8f55";

/// Answers as told, then with 204, and keeps what it was asked.
#[derive(Default)]
struct Told {
    script: Mutex<VecDeque<Then>>,
    seen: Mutex<Vec<Request>>,
}

enum Then {
    Answer(Response),
    Break,
}

impl Told {
    fn new(script: impl IntoIterator<Item = Then>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    fn client(self: &Arc<Self>) -> Client {
        self.builder().build().unwrap()
    }

    fn builder(self: &Arc<Self>) -> ClientBuilder {
        Client::builder()
            .host("wazo.example.com")
            .transport(Arc::clone(self) as Arc<dyn Transport>)
            .token(TOKEN)
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Returns the method, path and query of a request.
    fn line(&self, index: usize) -> String {
        let seen = self.seen.lock().unwrap();
        let target = seen[index].uri.path_and_query().unwrap();
        format!("{} {target}", seen[index].method)
    }

    fn last(&self) -> Request {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    fn header(&self, index: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let value = seen[index].headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }

    fn json(&self, index: usize) -> Value {
        serde_json::from_slice(&self.seen.lock().unwrap()[index].body).unwrap()
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

impl Transport for Told {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.seen.lock().unwrap().push(request);
        let then = self.script.lock().unwrap().pop_front();
        Box::pin(async move {
            match then {
                Some(Then::Answer(response)) => Ok(response),
                Some(Then::Break) => Err(Error::new(ErrorKind::Transport, "it broke")
                    .with_sent(Sent::Maybe)
                    .with_retryable(true)),
                None => Ok(Response::new(StatusCode::NO_CONTENT)),
            }
        })
    }
}

fn status(code: u16) -> Then {
    Then::Answer(Response::new(StatusCode::from_u16(code).unwrap()))
}

fn answer(code: u16, body: &Value) -> Then {
    let mut response = Response::new(StatusCode::from_u16(code).unwrap());
    response.body = body.to_string().into();
    Then::Answer(response)
}

fn with_header(then: Then, name: &'static str, value: &'static str) -> Then {
    let Then::Answer(mut response) = then else {
        panic!("an answer has headers")
    };
    let name = HeaderName::from_static(name);
    response
        .headers
        .insert(name, HeaderValue::from_static(value));
    Then::Answer(response)
}

fn alice() -> UserUuid {
    ALICE.parse().unwrap()
}

fn tenant() -> TenantUuid {
    TENANT.parse().unwrap()
}

fn user(name: &str) -> Value {
    json!({"uuid": ALICE, "tenant_uuid": TENANT, "username": name})
}
