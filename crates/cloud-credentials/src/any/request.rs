//! One request.

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderName, Method};
use serde::Serialize;
use tokio::time::Instant;
use vouchsafe_core::call::{Answer, Call, CallOptions, Form, Operation, Repeat};
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret};

use super::{HttpClient, names, redirect};
use crate::url::Url;
use crate::{Credentials, Error, Result};

/// Builds a request; see [`HttpClient::request`].
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct HttpRequest {
    client: HttpClient,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Option<Body>,
    repeat: Repeat,
    expected: Expected,
    options: CallOptions,
    /// The fault of the first setter with an invalid value.
    fault: Option<Core>,
}

#[derive(Clone)]
enum Body {
    Bytes(&'static str, Bytes),
    Form(Form),
}

impl HttpRequest {
    pub(super) fn new(client: HttpClient, method: Method, url: String) -> Self {
        let (headers, expected) = (client.0.headers.clone(), client.0.expected);
        Self {
            client,
            method,
            url,
            headers,
            query: Vec::new(),
            body: None,
            repeat: Repeat::OnlyIfUnsent,
            expected,
            options: CallOptions::new(),
            fault: None,
        }
    }

    /// Sets a header. It replaces one of the same name, such as one of the client's; the access
    /// token takes precedence. No `Debug` shows the value; those of `Authorization`,
    /// `Proxy-Authorization` and `Cookie` are also removed from texts of the server.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the query. Those of the client that have the same name are left out.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets a JSON body. A value that cannot be written as JSON is refused when the request is
    /// sent.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(text) => self.body = Some(Body::Bytes("application/json", text.into())),
            Err(cause) => {
                let what = "the body cannot be written as JSON";
                self.fault = Some(Core::new(Kind::Invalid, what).with_source(cause));
            }
        }
        self
    }

    /// Sets a form as body (`application/x-www-form-urlencoded`).
    pub fn form(mut self, form: Form) -> Self {
        self.body = Some(Body::Form(form));
        self
    }

    /// Sets a body of any type, such as `text/plain`; a header `Content-Type` takes precedence.
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some(Body::Bytes(content_type, body.into()));
        self
    }

    /// Sets whether the request may be sent twice. Default: only if no byte of it was sent,
    /// whatever its method.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Makes a status other than 2xx an error. It is that of the last answer: the token was
    /// replaced before, and redirects were followed.
    #[doc(alias = "raise_for_status")]
    pub fn expect_success(mut self) -> Self {
        self.expected.success = true;
        self
    }

    /// Makes an answer whose body is not JSON an error, whatever its status and content type, and
    /// whatever the request accepts. An empty body is not JSON. The answer is the last one, as with
    /// [`expect_success`](Self::expect_success), which takes precedence.
    #[doc(alias = "enforce_json")]
    pub fn expect_json(mut self) -> Self {
        self.expected.json = true;
        self
    }

    /// Sends the request with these credentials instead of the client's.
    pub fn credentials(mut self, credentials: &Credentials) -> Self {
        self.client = self.client.with_credentials(credentials);
        self
    }

    /// Sets options, such as a deadline. Options that are not set are the client's.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options.or(&self.options);
        self
    }

    /// Sends the request, and returns the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// - Of kind `Config` if the token must not be sent to the URL; nothing is sent.
    /// - Of kind `Invalid` if a part of the request is malformed; nothing is sent.
    /// - Those of [`Credentials`] if there is no token, or a refused one cannot be replaced. The
    ///   latter has the status 401, and the reason as its source.
    /// - With the status, if it is not 2xx and [success](Self::expect_success) is expected.
    /// - Of kind `Decode` with the status, if the body is not JSON and [JSON](Self::expect_json) is
    ///   expected.
    /// - Of kind `Status` with the status of the last one, if there are more redirects than are to
    ///   be followed.
    /// - Those of any call, such as a time limit or a broken connection.
    pub async fn send(mut self) -> Result<Answer> {
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        let inner = self.client.0.clone();
        let options = self.options.clone().or(&inner.options);
        let limit = inner.core.call_limit(&options);
        let begun = Instant::now();
        let mut url = inner.locate(&self.url)?;
        let mut query = merged(&inner.query, std::mem::take(&mut self.query));
        let mut left = inner.redirects;
        loop {
            let call = self.call(&url, &query)?;
            let options = options.clone();
            let options = options.deadline(limit.saturating_sub(begun.elapsed()));
            let (core, presented) = (&inner.core, inner.presented());
            let answer = core.exchange(url.base(), call, presented, &options).await;
            let answer = answer.map_err(Error::from)?;
            // The caller's own headers may be credentials, with a source of tokens or without.
            let may_follow = |next: &Url| next.has_origin_of(&url) || inner.is_known(next);
            let next = redirect::next(&answer, &url).filter(|_| inner.redirects > 0);
            if let Some(next) = next.filter(may_follow) {
                left = left
                    .checked_sub(1)
                    .ok_or_else(|| redirect::too_many(&answer, inner.redirects))?;
                url = next;
                // The location has its own query.
                query = Vec::new();
                if redirect::becomes_get(answer.status(), &self.method) {
                    self.method = Method::GET;
                    self.body = None;
                }
                continue;
            }
            return Ok(self.expected.of(answer)?);
        }
    }

    fn call(&self, url: &Url, query: &[(String, String)]) -> Result<Call> {
        let operation = operation(&self.method, self.repeat)?;
        let add = |target: vouchsafe_core::url::Target, (name, value): &(String, String)| {
            target.query(name, value)
        };
        let mut call = Call::new(operation, query.iter().fold(url.target().clone(), add));
        match &self.body {
            None => {}
            Some(Body::Form(form)) => call = call.form(form.clone()),
            Some(Body::Bytes(content_type, body)) => {
                call = call.body(content_type, body.clone());
            }
        }
        for (name, value) in &self.headers {
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                let what = format!("{name:?} is not the name of a header");
                return Err(Core::new(Kind::Invalid, what).into());
            };
            if header == CONTENT_TYPE && self.body.is_none() {
                continue;
            }
            call = match [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&header) {
                true => call.secret_header(header, &Secret::from(value.as_str()))?,
                false => call.header(header, value)?,
            };
        }
        Ok(call)
    }
}

/// Shows headers and parameters by their names, the URL without its query, and the size of the body:
/// what is left out may be secret. A URL that is refused is not shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("client", &self.client)
            .field("method", &self.method)
            .field("url", &self.client.0.locate(&self.url).ok())
            .field("headers", &names(&self.headers))
            .field("query", &names(&self.query))
            .field("body", &self.body)
            .field("repeat", &self.repeat)
            .field("expected", &self.expected)
            .field("options", &self.options)
            .field("fault", &self.fault)
            .finish()
    }
}

/// What makes an answer an error.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected {
    pub(super) success: bool,
    pub(super) json: bool,
}

impl Expected {
    fn of(self, answer: Answer) -> Result<Answer, Core> {
        let answer = match self.success {
            true => answer.expect_success()?,
            false => answer,
        };
        match self.json {
            true => answer.expect_json(),
            false => Ok(answer),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(content_type, body) => {
                write!(f, "{} bytes of {content_type}", body.len())
            }
            Self::Form(form) => fmt::Debug::fmt(form, f),
        }
    }
}

/// Replaces the client's parameters by the request's with the same name.
fn merged(of_client: &[(String, String)], mut own: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut query = Vec::new();
    let is_replaced = |name: &str| own.iter().any(|(other, _)| other == name);
    let replaced: Vec<bool> = of_client
        .iter()
        .map(|(name, _)| is_replaced(name))
        .collect();
    for (pair, is_replaced) in of_client.iter().zip(replaced) {
        match is_replaced {
            true => query.extend(own.extract_if(.., |(name, _)| *name == pair.0)),
            false => query.push(pair.clone()),
        }
    }
    query.append(&mut own);
    query
}

/// Returns the operation for requests with a method.
fn operation(method: &Method, repeat: Repeat) -> Result<&'static Operation> {
    let operations = match repeat {
        Repeat::Safe => &SAFE,
        Repeat::OnlyIfUnsent => &ONCE,
    };
    let mut of_method = operations.iter();
    let found = of_method.find(|operation| operation.method() == method);
    found.ok_or_else(|| {
        let what = format!("the method {method} is not supported");
        Core::new(Kind::Invalid, what).into()
    })
}

const fn any(method: Method) -> Operation {
    Operation::new("http.request", method, "/").response_limit(16 << 20)
}

static ONCE: [Operation; 7] = [
    any(Method::GET),
    any(Method::HEAD),
    any(Method::OPTIONS),
    any(Method::POST),
    any(Method::PUT),
    any(Method::PATCH),
    any(Method::DELETE),
];

static SAFE: [Operation; 7] = [
    any(Method::GET).repeat(Repeat::Safe),
    any(Method::HEAD).repeat(Repeat::Safe),
    any(Method::OPTIONS).repeat(Repeat::Safe),
    any(Method::POST).repeat(Repeat::Safe),
    any(Method::PUT).repeat(Repeat::Safe),
    any(Method::PATCH).repeat(Repeat::Safe),
    any(Method::DELETE).repeat(Repeat::Safe),
];
