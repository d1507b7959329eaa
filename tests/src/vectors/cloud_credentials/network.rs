//! The recorded answers, by path and in order, and the requests that asked for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use http::{Method, StatusCode, Uri};
use serde_json::Value;
use vouchsafe::core::mock::Handler;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, ErrorKind, Result, Sent};

use super::expected::{self, Exchange};
use crate::vectors::report::Judgement;

/// Answers as recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Network(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, VecDeque<expected::Response>>,
    requests: Vec<Asked>,
    answers_all: bool,
    /// What becomes of a request instead of an answer, and how many are answered before it.
    broken: Option<(usize, Broken)>,
}

/// What became of a request that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The answer did not come.
    Silent,
    /// The connection was closed.
    Closed,
}

/// A request, in the parts that are compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) authorization: Option<String>,
    content_type: Option<String>,
    accept: Option<String>,
    /// Host and port; compared only where a proxy recorded them.
    pub(super) place: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
    Text(String),
}

impl Network {
    /// Adds the answers of recorded exchanges.
    pub(super) fn expect(&self, exchanges: &[Exchange]) {
        let mut state = self.state();
        for exchange in exchanges.iter().filter(|exchange| !is_of_proxy(exchange)) {
            let path = decoded(path_of(&exchange.request.target));
            let answers = state.answers.entry(path).or_default();
            answers.push_back(exchange.response.clone());
        }
    }

    /// Does not answer the request that comes after this number of others.
    pub(super) fn break_after(&self, answered: usize, broken: Broken) {
        self.state().broken = Some((answered, broken));
    }

    /// Answers requests that were not recorded too: with a token, and else with a success.
    pub(super) fn answer_all(&self) {
        self.state().answers_all = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Returns the requests since the last call.
    pub(super) fn take(&self) -> Vec<Asked> {
        let mut state = self.state();
        std::mem::take(&mut state.requests)
    }

    fn answer(&self, request: &Request) -> Result<Result<Response>, Broken> {
        let mut state = self.state();
        let path = request.uri.path().to_owned();
        let header = |name: &str| {
            let value = request.headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let content_type = header("content-type");
        let body = String::from_utf8_lossy(&request.body).into_owned();
        state.requests.push(Asked {
            method: request.method.to_string(),
            path: path.clone(),
            query: pairs(request.uri.query().unwrap_or_default()),
            body: read_body(content_type.as_deref(), Some(body)),
            authorization: header("authorization"),
            accept: header("accept"),
            content_type,
            place: Some(place(&request.uri)),
        });
        match state.broken.take() {
            Some((0, broken)) => return Err(broken),
            left => state.broken = left.map(|(answered, broken)| (answered - 1, broken)),
        }
        let found = state
            .answers
            .get_mut(&decoded(&path))
            .and_then(VecDeque::pop_front);
        let made = || state.answers_all.then(|| expected::Response::made(&path));
        let Some(answer) = found.or_else(made) else {
            let what = "the vectors have no answer to this request";
            let error = Error::new(ErrorKind::Transport, what).with_sent(Sent::Maybe);
            return Ok(Err(error));
        };
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::IM_A_TEAPOT);
        let mut response = Response::new(status);
        for (name, value) in &answer.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            // The port of the recording is not in the URLs here.
            let value = value.replace(":$PORT", "").parse();
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers.append(name, value);
            }
        }
        response.body = answer.body.unwrap_or_default().into();
        Ok(Ok(response))
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            match self.answer(&request) {
                Ok(answer) => answer,
                Err(Broken::Silent) => std::future::pending().await,
                Err(Broken::Closed) => {
                    let error = Error::new(ErrorKind::Transport, "the connection was closed");
                    Err(error.with_sent(Sent::Maybe))
                }
            }
        })
    }
}

impl Handler for Network {
    fn handle(&self, request: &Request) -> Response {
        match self.answer(request) {
            Ok(Ok(response)) => response,
            // A status that no client mistakes for an answer that was recorded.
            Ok(Err(_)) | Err(_) => Response::new(StatusCode::MISDIRECTED_REQUEST),
        }
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        None
    }
}

impl Asked {
    /// Returns a recorded request.
    pub(super) fn recorded(request: &expected::Request) -> Self {
        let header = |name: &str| {
            let mut headers = request.headers.iter();
            let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let content_type = header("content-type");
        Self {
            method: request.method.clone(),
            path: path.to_owned(),
            query: pairs(query),
            body: read_body(content_type.as_deref(), request.body.clone()),
            authorization: header("authorization"),
            // Older versions accept anything.
            accept: header("accept").filter(|accept| accept != "*/*"),
            content_type,
            place: request.via_tunnel.clone(),
        }
    }

    /// Tells in what a request differs from the recorded one.
    pub(super) fn compare(&self, recorded: &Self, judgement: &mut Judgement) {
        let mut recorded = recorded.clone();
        if recorded.accept.is_none() {
            recorded.accept.clone_from(&self.accept);
        }
        // Texts have one here, also those that are JSON.
        if recorded.content_type.is_none() && self.content_type.as_deref() == Some("text/plain") {
            recorded.content_type.clone_from(&self.content_type);
        }
        if recorded.place.is_none() {
            recorded.place.clone_from(&self.place);
        }
        if *self != recorded {
            judgement.differ(format!("request: expected {recorded:?}, got {self:?}"));
        }
    }
}

/// Returns whether tokens are requested there.
pub(super) fn is_for_tokens(target: &str) -> bool {
    ["RequestToken", "request_token"]
        .iter()
        .any(|end| target.ends_with(end))
}

/// Returns whether an exchange is one with a proxy.
pub(super) fn is_of_proxy(exchange: &Exchange) -> bool {
    exchange.request.method == "CONNECT"
}

/// Returns host and port, as a proxy is asked for them.
fn place(uri: &http::Uri) -> String {
    let usual = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(usual);
    format!("{}:{port}", uri.host().unwrap_or_default())
}

fn read_body(content_type: Option<&str>, body: Option<String>) -> Body {
    let Some(body) = body.filter(|body| !body.is_empty()) else {
        return Body::None;
    };
    match content_type {
        Some("application/x-www-form-urlencoded") => Body::Form(pairs(&body)),
        _ => match serde_json::from_str(&body) {
            Ok(value) => Body::Json(value),
            Err(_) => Body::Text(body),
        },
    }
}

pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// Returns a path without percent-encoding.
pub(super) fn decoded(path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path);
    decoded.decode_utf8_lossy().into_owned()
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
