//! A server that gives scripted answers, and time that passes at once.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, ErrorKind, Result, Sent};

use super::shown::shown;

/// A server that gives these answers, one for each attempt, and the last one again.
///
/// Answers are separated by zero bytes. The first line of each is the status (200 if it is not a
/// number), then come lines of headers, and after an empty line the body. An empty answer is a
/// broken connection.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<VecDeque<Response>>,
    /// All that was sent, decoded.
    sent: Mutex<String>,
}

impl Script {
    pub(super) fn new(data: &[u8]) -> Arc<Self> {
        let answers = data.split(|byte| *byte == 0).map(answer);
        Self::of(answers.collect())
    }

    pub(super) fn of(answers: VecDeque<Response>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers),
            ..Self::default()
        })
    }

    /// Looks for secrets in all that is shown of an error. A server that knows others than those
    /// that it was sent may quote them.
    pub(super) fn search(&self, error: &Error, secrets: &[&str]) {
        let sent = self.sent.lock().expect("no test panics with it");
        let shown = shown(error);
        for secret in secrets.iter().filter(|secret| sent.contains(**secret)) {
            assert!(!shown.contains(secret), "{shown} shows {secret}");
        }
    }
}

fn answer(text: &[u8]) -> Response {
    let mut lines = text.split(|byte| *byte == b'\n');
    let mut read = lines.next().map_or(0, <[u8]>::len) + 1;
    let status = std::str::from_utf8(&text[..(read - 1).min(text.len())]).unwrap_or_default();
    let status = status.trim().parse().ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = Response::new(status.unwrap_or(StatusCode::OK));
    for line in lines {
        read += line.len() + 1;
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            break;
        };
        let name = HeaderName::from_bytes(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.trim_ascii())) {
            response.headers.append(name, value);
        }
    }
    response.body = text.get(read..).unwrap_or_default().to_vec().into();
    response
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.sent
            .lock()
            .expect("no test panics with it")
            .push_str(&decoded(&request));
        let mut answers = self.answers.lock().expect("no test panics with it");
        let answer = match answers.len() {
            0 => None,
            1 => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        let answer = answer.filter(|answer| {
            answer.status != StatusCode::OK || !answer.body.is_empty() || !answer.headers.is_empty()
        });
        // What a transport has to refuse itself.
        let answer = answer.filter(|answer| answer.body.len() <= request.response_limit);
        Box::pin(std::future::ready(answer.ok_or_else(|| {
            Error::new(ErrorKind::Transport, "the connection broke")
                .with_sent(Sent::Maybe)
                .with_retryable(true)
        })))
    }
}

fn decoded(request: &Request) -> String {
    let mut all = request.uri.to_string().into_bytes();
    all.extend(&request.body);
    for value in request.headers.values() {
        all.extend(value.as_bytes());
        if let Some(basic) = value.as_bytes().strip_prefix(b"Basic ") {
            all.extend(STANDARD.decode(basic).unwrap_or_default());
        }
    }
    percent_encoding::percent_decode(&all)
        .decode_utf8_lossy()
        .into_owned()
}

/// A network for what sends nothing.
pub(super) fn nowhere() -> Arc<dyn Transport> {
    Script::of(VecDeque::new())
}

/// Runs a future to its end, with time that passes at once.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime of one thread").block_on(future)
}

/// A call ends within its deadline, which is far below this.
pub(super) async fn within(call: impl Future<Output = ()>) {
    let limit = Duration::from_secs(15 * 60);
    let ended = tokio::time::timeout(limit, call).await;
    ended.expect("it ends in time");
}
