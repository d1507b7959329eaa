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
use vouchsafe_core::auth::TokenSource;
use vouchsafe_core::call::{Answer, AnswerStream, Call, CallOptions, Repeat, Retry};
use vouchsafe_core::service::{Service, Session};
use vouchsafe_core::{CoreClient, Sent};

pub use builder::ClientBuilder;
pub use parts::{Prefixes, join_urls};

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
/// Calls that are safe to repeat are repeated after a broken connection or if the server is busy.
/// Issuing a commission is repeated only if it was certainly not sent.
///
/// Cheap to clone and to share among tasks; clones share connections, limits and the catalog.
/// Nothing runs in the background.
#[derive(Clone, Debug)]
#[doc(alias = "AstakosClient")]
pub struct Client {
    session: Session<Error>,
    parts: Arc<Parts>,
    generation: Generation,
    python_retries: Option<u32>,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    vouchsafe_core::session_methods!(session);

    /// Returns the client without retries, for callers that count attempts themselves.
    pub(crate) fn without_repeats(&self) -> Self {
        Self {
            python_retries: None,
            ..self.with_options(CallOptions::new().retry(Retry::none()))
        }
    }

    pub(crate) fn core(&self) -> &CoreClient {
        self.session.client()
    }

    /// Sends a call in the form of the server's generation. The answer contains no credential.
    async fn ask(&self, call: Call) -> Result<Answer> {
        Service::call(self, call, &(), &CallOptions::new()).await
    }

    /// Sends a call with the token that its operation needs. If there is none, nothing is sent, not
    /// even the request for the catalog.
    async fn send(&self, call: Call, options: &CallOptions) -> Result<Answer> {
        let operation = call.operation();
        self.require_operation(operation)?;
        let token = match operation.is_open() {
            false => Some(self.session.token_for(operation)?),
            // The service ignores it, but the Python clients send it except to servers of 0.14
            // (protocol section 4).
            true => self
                .session
                .token()
                .filter(|_| self.dialect() != Dialect::V014),
        };
        self.deliver(call, token, options).await
    }

    /// Sends a call whatever the server's generation.
    async fn deliver(
        &self,
        call: Call,
        token: Option<&dyn TokenSource>,
        options: &CallOptions,
    ) -> Result<Answer> {
        let base = self.parts.base(call.operation());
        let located = self.session.locate(base, call.operation(), options);
        let (base, options) = located.await?;
        let credentials = self.session.credentials(token);
        let (options, repeats) = match self.python_retries {
            Some(repeats) => (options.retry(Retry::none()), repeats),
            None => (options, 0),
        };
        for _ in 0..repeats {
            let sent = self.core().send(&base, call.clone(), credentials, &options);
            let answer = sent.await;
            if !is_repeated_by_python(call.operation().repeatable(), &answer) {
                return Ok(answer?);
            }
        }
        Ok(self.core().send(&base, call, credentials, &options).await?)
    }

    /// Sends a call and returns the answer with its body still to be read.
    async fn stream(&self, call: Call, options: &CallOptions) -> Result<AnswerStream> {
        let call = self.translated(call)?;
        let token = Some(self.session.token_for(call.operation())?);
        let base = self.parts.base(call.operation());
        self.session.stream_as(base, call, token, options).await
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        let answer = self.send_translated(call, options).await?;
        Ok(answer.keeping_body())
    }
}

/// Returns whether the Python client repeats a call after this answer (protocol section 6), and
/// that is harmless.
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
