//! Sends requests to a router in process, for tests of server sides.

#[path = "log.rs"]
mod log;

use std::future::poll_fn;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use tower_service::Service;

pub(crate) use self::log::Log;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn ok(body: &str) -> Self {
        Self {
            status: 200,
            headers: HeaderMap::new(),
            body: body.to_owned(),
        }
    }

    /// A member of the body, `Null` if it is not JSON or has none.
    pub(crate) fn member(&self, pointer: &str) -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        json.pointer(pointer).cloned().unwrap_or_default()
    }
}

/// Headers have tests of their own.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.body) == (other.status, &other.body)
    }
}

/// Asks in process.
pub(crate) async fn ask(app: &Router, request: Request<Body>) -> Answer {
    let mut app = app.clone();
    poll_fn(|context| Service::<Request<Body>>::poll_ready(&mut app, context))
        .await
        .unwrap();
    let response = app.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 16).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// Asserts that a module logged one line, of a level such as `WARN` and with this code.
#[track_caller]
pub(crate) fn assert_one_line(log: &Log, module: &str, level: &str, code: &str) {
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(module)).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].trim_start().starts_with(level), "{text}");
    assert!(lines[0].contains(code), "{text}");
}
