//! A way to ask a router, and a look at what was logged meanwhile: for tests of server sides. Each
//! service that has one takes this file in.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::sync::Once;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use tower_service::Service;

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

/// What this thread, and so this test, logs from the start on.
///
/// There is one subscriber for the whole program: with one for each thread, tracing may decide
/// in a thread without any that a line is never wanted.
pub(crate) struct Log(());

impl Log {
    pub(crate) fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing_subscriber::fmt()
                .with_ansi(false)
                .without_time()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(|| Lines)
                .init();
        });
        LINES.with_borrow_mut(Vec::clear);
        Self(())
    }

    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    /// One line of a module, of a level such as `WARN`, with this code.
    #[track_caller]
    pub(crate) fn assert_one_line(&self, module: &str, level: &str, code: &str) {
        let text = self.text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains(module)).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(lines[0].trim_start().starts_with(level), "{text}");
        assert!(lines[0].contains(code), "{text}");
    }
}

struct Lines;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
