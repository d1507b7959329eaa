//! A successful answer, and ways to read it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Operation;
use super::context::Context;
use super::objects::ObjectsOnly;
use super::secrets::Filter;
use crate::error::KEPT_BODY;
use crate::secret::Secrets;
use crate::text::without_mark;
use crate::transport::Response;
use crate::{Error, ErrorKind, Result, Sent};

/// A successful answer.
#[derive(Clone)]
pub struct Answer(Box<Inner>);

/// Boxed, since each layer between the pipeline and the caller moves an answer.
#[derive(Clone)]
struct Inner {
    operation: &'static Operation,
    response: Response,
    attempts: u32,
    has_lost_attempt: bool,
    elapsed: Duration,
    uri: Uri,
    /// The secrets of the call, in case the answer quotes them.
    secrets: Secrets,
    keeps_body: bool,
    /// Set only where any status is an answer.
    refusal: Option<Error>,
}

impl Answer {
    pub(super) fn new(response: Response, context: Context) -> Self {
        Self(Box::new(Inner {
            operation: context.operation,
            response,
            attempts: context.attempts,
            has_lost_attempt: context.has_lost_attempt,
            elapsed: context.started.elapsed(),
            uri: context.uri,
            secrets: context.secrets,
            keeps_body: false,
            refusal: None,
        }))
    }

    pub(super) fn with_refusal(mut self, error: Error) -> Self {
        self.0.refusal = Some(error);
        self
    }

    /// Makes a refusal an error, as calls do whose answer is not of
    /// [any status](crate::CoreClient::exchange).
    ///
    /// # Errors
    ///
    /// That of the refusal, with its status.
    pub fn expect_success(mut self) -> Result<Self> {
        match self.0.refusal.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Makes a body that is not JSON an error, whatever the status. An empty one is not JSON either.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] with the status. The text of the body is not included.
    pub fn expect_json(self) -> Result<Self> {
        self.text()?;
        self.json::<IgnoredAny>()?;
        Ok(self)
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.response.status
    }

    /// Returns how many requests were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the server may have carried out an earlier attempt of the call, as
    /// [`Error::has_lost_attempt`] says in full.
    #[must_use]
    pub fn has_lost_attempt(&self) -> bool {
        self.0.has_lost_attempt
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.response.headers
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.response.body
    }

    /// Reads the body as JSON, whatever its content type. A byte order mark at the start is
    /// skipped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] with the position of the fault, such as `quota.notebook.cpu`. The text
    /// of the body is not included, except after [`keeping_body`](Self::keeping_body).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        read(self.body()).map_err(|_| match self.explain::<T>() {
            error if self.0.keeps_body => self.keep_body(error),
            error => error,
        })
    }

    /// Reads the body as [`json`](Self::json), or returns the default if there is no body.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json).
    pub fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T> {
        match self.body().is_empty() {
            true => Ok(T::default()),
            false => self.json(),
        }
    }

    /// Converts what was read from this answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] with the text of the conversion's error, which must not hold secrets
    /// other than those of the call.
    pub fn convert<W, T>(&self, wire: W) -> Result<T>
    where
        T: TryFrom<W>,
        T::Error: fmt::Display,
    {
        T::try_from(wire).map_err(|fault| self.decode_error(fault.to_string()))
    }

    /// Returns the same answer, whose errors of [`json`](Self::json) keep the body as
    /// [`keep_body`](Self::keep_body) does, unless the operation has a
    /// [sensitive answer](Operation::sensitive_answer).
    #[must_use]
    pub fn keeping_body(mut self) -> Self {
        self.0.keeps_body = !self.0.operation.has_sensitive_answer();
        self
    }

    /// Reads the body as text, without a byte order mark at the start.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if the body is not UTF-8. The text of the body is not included.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(without_mark(self.body()))
            .map_err(|_| self.decode_error("the answer is not UTF-8"))
    }

    /// Keeps the beginning of the body in an error, without the secrets of the call. Only for
    /// answers that hold no other secrets.
    #[must_use]
    pub fn keep_body(&self, error: Error) -> Error {
        error.with_body(&Filter::of(&self.0.secrets).body_of(self.body(), KEPT_BODY))
    }

    /// Returns a text of the answer without the secrets of the call, for errors: some servers quote
    /// what they refuse, also where they answer 200.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        Filter::of(&self.0.secrets).text(text)
    }

    /// Creates an error for an answer whose content is invalid. Its message is
    /// [without secrets](Self::without_secrets).
    #[must_use]
    pub fn decode_error(&self, message: impl AsRef<str>) -> Error {
        let message = self.without_secrets(message.as_ref());
        let error = Error::new(ErrorKind::Decode, message)
            .with_status(self.status())
            .with_sent(Sent::Maybe)
            .with_attempts(self.0.attempts, self.0.elapsed)
            .with_lost_attempt(self.0.has_lost_attempt);
        self.0.operation.locate(error, &self.0.uri)
    }

    /// Parses again while tracking the position: slower, and done only after a failure.
    fn explain<T: DeserializeOwned>(&self) -> Error {
        let mut reader = serde_json::Deserializer::from_slice(without_mark(self.body()));
        let place = match serde_path_to_error::deserialize::<_, T>(ObjectsOnly(&mut reader)) {
            Err(fault) => fault.path().to_string(),
            // The value is valid, but something follows it.
            Ok(_) => String::from("."),
        };
        let what = match read::<T>(self.body()) {
            Err(cause) => match cause.classify() {
                serde_json::error::Category::Data => "does not have the expected form",
                serde_json::error::Category::Eof => "ends too early",
                _ => "is not JSON",
            },
            Ok(_) => "could not be read",
        };
        match place.as_str() {
            "." | "?" => self.decode_error(format!("the answer {what}")),
            place => self.decode_error(format!("the answer {what} at {place}")),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.0.operation.id())
            .field("url", &self.0.operation.printable(&self.0.uri))
            .field("response", &self.0.response)
            .field("attempts", &self.0.attempts)
            .finish_non_exhaustive()
    }
}

/// Reads a whole JSON document.
fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(without_mark(body));
    let value = T::deserialize(ObjectsOnly(&mut reader))?;
    reader.end()?;
    Ok(value)
}
