//! The recorded answers, by path and in order, and the requests that asked for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use http::StatusCode;
use serde_json::Value;
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
}

/// A request, in the parts that are compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) authorization: Option<String>,
    content_type: Option<String>,
    accept: Option<String>,
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
        for exchange in exchanges {
            let path = path_of(&exchange.request.target).to_owned();
            let answers = state.answers.entry(path).or_default();
            answers.push_back(exchange.response.clone());
        }
    }

    /// Answers requests that were not recorded too: with a token, and else with a success.
    pub(super) fn answer_all(&self) {
        self.state().answers_all = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Returns the requests since the last call.
    pub(super) fn take(&self) -> Vec<Asked> {
        let mut state = self.state();
        std::mem::take(&mut state.requests)
    }

    fn answer(&self, request: &Request) -> Result<Response> {
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
        });
        let found = state.answers.get_mut(&path).and_then(VecDeque::pop_front);
        let made = || state.answers_all.then(|| expected::Response::made(&path));
        let Some(answer) = found.or_else(made) else {
            let what = "the vectors have no answer to this request";
            return Err(Error::new(ErrorKind::Transport, what).with_sent(Sent::Maybe));
        };
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::IM_A_TEAPOT);
        let mut response = Response::new(status);
        for (name, value) in &answer.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value.parse()) {
                response.headers.append(name, value);
            }
        }
        response.body = answer.body.unwrap_or_default().into();
        Ok(response)
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move { self.answer(&request) })
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
        }
    }

    /// Tells in what a request differs from the recorded one.
    pub(super) fn compare(&self, recorded: &Self, judgement: &mut Judgement) {
        let mut recorded = recorded.clone();
        if recorded.accept.is_none() {
            recorded.accept.clone_from(&self.accept);
        }
        if *self != recorded {
            judgement.differ(format!("request: expected {recorded:?}, got {self:?}"));
        }
    }
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

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
