//! A call that has been formed and not been sent.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::Operation;
use crate::url::Target;
use crate::{Error, ErrorKind, Result, Secret};

/// An operation with its arguments in place: path, query, headers, body. Forming one does no
/// I/O; generated code does it.
#[derive(Clone)]
pub struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether headers or body hold what must not go over plain http.
    pub(crate) holds_secret: bool,
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
            holds_secret: false,
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
        let value = self.header_value(&name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets a header that holds a credential: it is shown nowhere, and does not go over plain
    /// http to another machine unless the client allows that.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header).
    pub fn secret_header(mut self, name: HeaderName, value: &Secret) -> Result<Self> {
        let mut value = self.header_value(&name, value.expose())?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.holds_secret = true;
        Ok(self)
    }

    /// Sets a form as body (`application/x-www-form-urlencoded`) whose text is ready and holds
    /// a credential, with the same consequences as [`secret_header`](Self::secret_header).
    #[must_use]
    pub fn secret_form(mut self, text: &Secret) -> Self {
        self.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        self.body = Bytes::from_owner(Wiped(text.clone()));
        self.holds_secret = true;
        self
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

    fn header_value(&self, name: &HeaderName, value: &str) -> Result<HeaderValue> {
        HeaderValue::from_str(value).map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                format!("the value for {name} does not fit a header"),
            )
            .with_operation(self.operation.id())
        })
    }
}

/// Lends a secret to a body without copying it; the last of both wipes it.
struct Wiped(Secret);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
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

#[cfg(test)]
mod tests {
    use http::Method;
    use http::header::AUTHORIZATION;

    use super::*;

    static OPERATION: Operation = Operation::new("t.o", Method::POST, "/o");

    #[test]
    fn what_is_secret_is_not_shown() {
        let call = Call::new(&OPERATION, Target::new("/o"))
            .secret_form(&Secret::from("a=planted"))
            .secret_header(AUTHORIZATION, &Secret::from("planted"))
            .unwrap();
        assert_eq!(call.body, "a=planted");
        assert!(call.holds_secret);
        assert!(!format!("{call:?}").contains("planted"));
        let refused = Call::new(&OPERATION, Target::new("/o"))
            .secret_header(AUTHORIZATION, &Secret::from("planted\r\nX: y"));
        let error = refused.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
