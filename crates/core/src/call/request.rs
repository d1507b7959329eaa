//! A call that has been formed and not been sent.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::Operation;
use crate::url::Target;
use crate::{Error, ErrorKind, Result};

/// An operation with its arguments in place: path, query, headers, body. Forming one does no
/// I/O; generated code does it.
#[derive(Clone)]
pub struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// Forms a call without headers and body.
    #[must_use]
    pub fn new(operation: &'static Operation, target: Target) -> Self {
        Self {
            operation,
            target,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Returns the operation.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Sets a header.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value holds what would end the header: the message names
    /// the header, not the value.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                format!("the value for {name} does not fit a header"),
            )
            .with_operation(self.operation.id())
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets a JSON body and its content type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Result<Self> {
        let text = serde_json::to_vec(body).map_err(|cause| {
            Error::new(ErrorKind::Invalid, "the body cannot be written as JSON")
                .with_operation(self.operation.id())
                .with_source(cause)
        })?;
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Bytes::from(text);
        Ok(self)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Path, query and body may hold secrets; only the operation's data says which.
        f.debug_struct("Call")
            .field("operation", &self.operation.id())
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
