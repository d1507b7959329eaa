//! The client of Astakos.

mod builder;
mod commissions;
mod dialect;
mod generation;
mod identity;
mod oauth2;
mod parts;
mod projects;
mod quotas;
mod users;

use std::sync::Arc;

use serde::de::IgnoredAny;
use vouchsafe_core::auth::{Credentials, HeaderToken, StaticToken, TokenSource};
use vouchsafe_core::call::{Answer, AnswerStream, Call, CallOptions, Repeat, Retry};
use vouchsafe_core::service::Service;
use vouchsafe_core::{CoreClient, Secret, Sent};

pub use builder::ClientBuilder;
pub use parts::{Prefixes, join_urls};
pub(crate) use quotas::heeded;

use self::generation::Generation;
use self::parts::Parts;
use crate::{Dialect, Error, ErrorKind, Result};

/// A client of Astakos.
///
/// [`builder`](Self::builder) takes the URL of the identity part and a token; the other parts
/// are found in the catalog, once, when the first of them is needed (protocol section 3.1).
///
/// Users and services have tokens; each call documents which it needs, and the other kind is
/// refused as [`ErrorKind::Unauthorized`]. [`with_token`](Self::with_token) sets another token for
/// some calls.
///
/// What can be doubled without harm is repeated after a broken connection or a busy server,
/// issuing a commission only if it was certainly not sent.
///
/// Cheap to clone and to share among tasks; clones share connections, limits and the catalog.
/// Nothing runs in the background.
#[derive(Clone, Debug)]
#[doc(alias = "AstakosClient")]
pub struct Client {
    inner: Arc<Inner>,
    token: Option<Arc<dyn TokenSource>>,
    options: CallOptions,
    python_retries: Option<u32>,
}

#[derive(Debug)]
struct Inner {
    core: CoreClient,
    parts: Parts,
    generation: Generation,
    scheme: HeaderToken,
    headers: CallOptions,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Returns the client with another token. It shares everything else with this one.
    #[must_use]
    pub fn with_token(&self, token: impl Into<Secret>) -> Self {
        Self {
            token: Some(Arc::new(StaticToken::new(token.into()))),
            ..self.clone()
        }
    }

    /// Returns the client with other options for its calls: a deadline, retries, a request id or
    /// headers. It shares everything else with this one.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            options: options.or(&self.inner.headers),
            ..self.clone()
        }
    }

    /// Returns the client for callers that count attempts themselves: nothing is repeated.
    pub(crate) fn without_repeats(&self) -> Self {
        Self {
            options: CallOptions::new().retry(Retry::none()).or(&self.options),
            python_retries: None,
            ..self.clone()
        }
    }

    pub(crate) fn core(&self) -> &CoreClient {
        &self.inner.core
    }

    /// Sends a call in the way of the server's generation. The answer holds no credential.
    async fn ask(&self, call: Call) -> Result<Answer> {
        Service::call(self, call, &(), &CallOptions::new()).await
    }

    /// Sends a call with the token that its operation wants. Errors come before anything is sent,
    /// the request for the catalog included.
    async fn send(&self, call: Call, options: CallOptions) -> Result<Answer> {
        let operation = call.operation();
        self.require_operation(operation)?;
        let token = match operation.is_open() {
            false => Some(self.token()?),
            // The service ignores it, but the Python clients send it except to servers of 0.14
            // (protocol section 4).
            true => self
                .token
                .as_ref()
                .filter(|_| self.dialect() != Dialect::V014),
        };
        self.deliver(call, token, options).await
    }

    /// Sends a call whatever the server's generation.
    async fn deliver(
        &self,
        call: Call,
        token: Option<&Arc<dyn TokenSource>>,
        options: CallOptions,
    ) -> Result<Answer> {
        let Inner { core, parts, .. } = &*self.inner;
        let base = parts.base(call.operation());
        let (base, options) = base.locate(core, call.operation(), options).await?;
        let credentials = token.map(|source| Credentials::new(&**source, &self.inner.scheme));
        let (options, repeats) = match self.python_retries {
            Some(repeats) => (options.retry(Retry::none()), repeats),
            None => (options, 0),
        };
        for _ in 0..repeats {
            let answer = core.send(&base, call.clone(), credentials, &options).await;
            if !is_repeated_by_python(call.operation().repeatable(), &answer) {
                return Ok(answer?);
            }
        }
        Ok(core.send(&base, call, credentials, &options).await?)
    }

    /// Sends a call and leaves the body of the answer to be read.
    async fn stream(&self, call: Call) -> Result<AnswerStream> {
        let token = self.token()?;
        let Inner { core, parts, .. } = &*self.inner;
        let base = parts.base(call.operation());
        // The deadline is that of the whole walk, so the look-up does not shorten it.
        let (base, _) = base
            .locate(core, call.operation(), self.options.clone())
            .await?;
        let credentials = Some(Credentials::new(&**token, &self.inner.scheme));
        Ok(core.stream(&base, call, credentials, &self.options).await?)
    }

    fn token(&self) -> Result<&Arc<dyn TokenSource>> {
        let missing = || Error::bad_value("no token was given to the client");
        self.token.as_ref().ok_or_else(missing)
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        let options = options.clone().or(&self.options);
        let answer = self.send_translated(call, options).await?;
        // No operation that is called this way answers with a secret.
        Ok(answer.keeping_body())
    }
}

/// Returns whether the Python client repeats a call after this answer (protocol section 6), and it
/// does no harm.
fn is_repeated_by_python(repeat: Repeat, answer: &vouchsafe_core::Result<Answer>) -> bool {
    let is_safe = repeat == Repeat::Safe;
    let error = match answer {
        Ok(it) => return is_safe && !it.body().is_empty() && it.json::<IgnoredAny>().is_err(),
        Err(error) => error,
    };
    let is_final = match error.status() {
        Some(status) => matches!(status.as_u16(), 401 | 404 | 413),
        None => Error::from(error.clone()).kind() == ErrorKind::BadValue,
    };
    (is_safe || error.sent() == Sent::No) && !is_final
}
