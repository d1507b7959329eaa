//! A call that is ready to be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::Operation;
use super::form::{Form, Wiped};
use super::headers::Headers;
use super::secrets::decoded;
use crate::secret::Secrets;
use crate::url::Target;
use crate::{Error, ErrorKind, Result, Secret, secret};

/// An operation with its arguments: path, query, headers and body. Creating one does no I/O.
/// Generated code creates most calls.
#[derive(Clone)]
pub struct Call(pub(crate) Box<Parts>);

/// Boxed, since each layer between the caller and the pipeline moves a call.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) operation: &'static Operation,
    pub(crate) target: Target,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    /// Whether headers or body hold something that must not go over plain http, or the answer does.
    pub(crate) holds_secret: bool,
    /// The secrets that are removed from everything that a server says about the call.
    pub(crate) secrets: Secrets,
    /// Puts the token of an attempt into the body.
    pub(crate) body_of: Option<BodyOf>,
}

/// Writes a body from a token.
pub(crate) type BodyOf = Arc<dyn Fn(Call, &Secret) -> Result<Call> + Send + Sync>;

impl Call {
    /// Creates a call without headers and body.
    #[must_use]
    pub fn new(operation: &'static Operation, target: Target) -> Self {
        Self(Box::new(Parts {
            operation,
            target,
            headers: Headers::new(),
            body: Bytes::new(),
            holds_secret: false,
            secrets: Secrets::default(),
            body_of: None,
        }))
    }

    /// Registers a secret that the call cannot recognise by itself, such as one in its path. It is
    /// removed from everything that the server says about the call, which is not sent over plain
    /// http to another machine unless the client allows that. Secrets in headers, forms and JSON
    /// bodies are registered automatically.
    #[must_use]
    pub fn hide(mut self, secret: &Secret) -> Self {
        self.0.holds_secret = true;
        self.0.secrets.add(secret);
        self
    }

    /// Creates a call from an encoded path and query, for protocols that have their own encoding.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the path does not match the operation's, or for the reasons of
    /// [`Target::encoded`]. The message does not include the path.
    pub fn encoded(operation: &'static Operation, path_and_query: &str) -> Result<Self> {
        let target =
            Target::encoded(path_and_query).map_err(|e| e.with_operation(operation.id()))?;
        let path = path_and_query.split('?').next().unwrap_or_default();
        if !fits(operation.path(), path) {
            return Err(
                Error::new(ErrorKind::Invalid, "target has another operation's path")
                    .with_operation(operation.id()),
            );
        }
        Ok(Self::new(operation, target))
    }

    /// Returns the operation.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.0.operation
    }

    /// Sets a function that puts the token of each attempt into the body, for protocols that have it
    /// there. It is used only if the call is sent with credentials, besides their scheme. The token
    /// is renewed and hidden like one in a header.
    #[must_use]
    pub fn body_with_token(
        mut self,
        write: impl Fn(Self, &Secret) -> Result<Self> + Send + Sync + 'static,
    ) -> Self {
        self.0.body_of = Some(Arc::new(write));
        self
    }

    /// Returns the call with the token in its body, if it has one there.
    pub(crate) fn completed(&self, token: Option<&Secret>) -> Result<Cow<'_, Self>> {
        let (Some(write), Some(token)) = (&self.0.body_of, token) else {
            return Ok(Cow::Borrowed(self));
        };
        let mut call = write(self.clone(), token)?.hide(token);
        call.0.holds_secret = true;
        Ok(Cow::Owned(call))
    }

    /// Turns this into a call of another operation with the same path, such as one that has another
    /// method on older servers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the path does not match the other operation's.
    pub fn for_operation(mut self, operation: &'static Operation) -> Result<Self> {
        self.0.operation = Self::encoded(operation, self.0.target.as_str())?.operation();
        Ok(self)
    }

    /// Returns the decoded value of a parameter in the path.
    #[must_use]
    pub fn path_value(&self, name: &str) -> Option<String> {
        let mut parts = self.0.operation.path().split('/');
        let at = parts.position(|part| {
            let inner = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            inner == Some(name)
        })?;
        let path = self.0.target.as_str().split('?').next()?;
        let value = decoded(path.split('/').nth(at)?.as_bytes());
        String::from_utf8(value.to_vec()).ok()
    }

    /// Returns the decoded names and values of the query.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let (_, query) = self.0.target.as_str().split_once('?').unwrap_or_default();
        let text = |part: &str| String::from_utf8_lossy(&decoded(part.as_bytes())).into_owned();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    /// Removes the query, for servers that take its values in another form.
    #[must_use]
    pub fn without_query(mut self) -> Self {
        let path = self.0.target.as_str().split('?').next().unwrap_or_default();
        self.0.target = Target::encoded(path).unwrap_or(self.0.target);
        self
    }

    /// Sets a header.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value contains characters that would end the header. The
    /// message includes the name, but not the value.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let value = self.header_value(&name, value)?;
        self.0.headers.set(name, value);
        Ok(self)
    }

    /// Sets a header that holds a credential. It is never shown, and the call is not sent over
    /// plain http to another machine unless the client allows that.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header).
    pub fn secret_header(mut self, name: HeaderName, secret: &Secret) -> Result<Self> {
        let mut value = self.header_value(&name, secret.expose())?;
        value.set_sensitive(true);
        self.0.headers.set(name, value);
        self.0.holds_secret = true;
        self.0.secrets.add_header(secret);
        Ok(self)
    }

    /// Refuses plain http to another machine, unless the client allows that, because the answer
    /// itself is trusted (such as public keys).
    #[must_use]
    pub fn require_secure(mut self) -> Self {
        self.0.holds_secret = true;
        self
    }

    /// Sets a form as body (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        let (text, secrets) = form.into_parts();
        self.secret_body(FORM, text, &secrets)
    }

    /// Sets an encoded form that holds a credential as the body
    /// (`application/x-www-form-urlencoded`), with the same consequences as
    /// [`secret_header`](Self::secret_header). `fields` names the fields whose values are secret;
    /// if none of them is found, all values are treated as secret.
    #[must_use]
    pub fn secret_form(mut self, text: &Secret, fields: &[&str]) -> Self {
        let mut is_found = false;
        for field in text.expose().split('&') {
            if let Some((name, value)) = field.split_once('=')
                && fields.contains(&name)
                && let Ok(value) = std::str::from_utf8(&decoded(value.as_bytes()))
            {
                is_found = true;
                self.0.secrets.add(&Secret::from(value));
            }
        }
        if !is_found {
            self.0.secrets.add_values(text.expose().as_bytes());
        }
        let body = Bytes::from_owner(Lent(text.clone()));
        let mut call = self.body(FORM, body);
        call.0.holds_secret = true;
        call
    }

    /// Sets a JSON body and its content type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value cannot be written as JSON, such as a map with keys that
    /// are not text.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        // Most bodies fit, and growing twice would cost more than all else here.
        let mut text = Vec::with_capacity(512);
        serde_json::to_writer(&mut text, body).map_err(|cause| self.not_json(cause))?;
        Ok(self.body(JSON, Bytes::from(text)))
    }

    /// Sets a JSON body that holds a credential: its memory is wiped, with the same consequences
    /// as [`secret_header`](Self::secret_header).
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json).
    pub fn secret_json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        let mut text = Wiped::default();
        let (written, secrets) = secret::noted(|| serde_json::to_writer(&mut text, body));
        written.map_err(|cause| self.not_json(cause))?;
        let mut call = self.secret_body(JSON, text.into_bytes(), &secrets);
        call.0.holds_secret = true;
        // The type writes its secrets as ordinary text, so any of its texts may be one.
        if secrets.is_empty() {
            call.0.secrets.add_values(&call.0.body);
        }
        Ok(call)
    }

    /// Changes a JSON body, for servers with other names for its members. A body that is not JSON
    /// stays as it is. Not for bodies with secrets, since the copies are not wiped.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json).
    pub fn edit_json(mut self, edit: impl FnOnce(&mut serde_json::Value)) -> Result<Self> {
        let Ok(mut body) = serde_json::from_slice(&self.0.body) else {
            return Ok(self);
        };
        edit(&mut body);
        let text = serde_json::to_vec(&body).map_err(|cause| self.not_json(cause))?;
        self.0.body = Bytes::from(text);
        Ok(self)
    }

    /// Sets a body of another media type, such as a form with files.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the media type is not valid in a header.
    pub fn content(self, media: &str, body: impl Into<Bytes>) -> Result<Self> {
        let mut call = self.header(CONTENT_TYPE, media)?;
        call.0.body = body.into();
        Ok(call)
    }

    fn secret_body(self, media: &'static str, body: Bytes, secrets: &Secrets) -> Self {
        let mut call = self.body(media, body);
        call.0.holds_secret |= !secrets.is_empty();
        call.0.secrets.extend(secrets);
        call
    }

    /// Sets a body of any type, and its content type.
    #[must_use]
    pub fn body(mut self, media: &'static str, body: Bytes) -> Self {
        self.0
            .headers
            .set(CONTENT_TYPE, HeaderValue::from_static(media));
        self.0.body = body;
        self
    }

    fn not_json(&self, cause: serde_json::Error) -> Error {
        Error::new(ErrorKind::Invalid, "the body cannot be written as JSON")
            .with_operation(self.0.operation.id())
            .with_source(cause)
    }

    fn header_value(&self, name: &HeaderName, value: &str) -> Result<HeaderValue> {
        HeaderValue::from_str(value).map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                format!("the value for {name} is not valid in a header"),
            )
            .with_operation(self.0.operation.id())
        })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Returns whether a path matches a template: the same segments, and a value for each parameter.
fn fits(template: &str, path: &str) -> bool {
    let mut parts = template.split('/');
    let mut segments = path.split('/');
    loop {
        match (parts.next(), segments.next()) {
            (None, None) => return true,
            (Some(part), Some(segment)) if part == segment && !part.contains('{') => {}
            (Some(part), Some(segment)) => {
                let (Some((before, _)), Some((_, after))) =
                    (part.split_once('{'), part.rsplit_once('}'))
                else {
                    return false;
                };
                let value = segment
                    .strip_prefix(before)
                    .and_then(|rest| rest.strip_suffix(after));
                if value.is_none_or(str::is_empty) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Lends a secret to a body without copying it; the last owner wipes it.
struct Lent(Secret);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Path, query and body may hold secrets, and only the operation's data says which.
        f.debug_struct("Call")
            .field("operation", &self.0.operation.id())
            .field("headers", &self.0.headers)
            .field("body_bytes", &self.0.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use http::header::AUTHORIZATION;

    use super::super::secrets::Filter;
    use super::*;

    static OPERATION: Operation = Operation::new("t.o", Method::POST, "/o");

    #[test]
    fn a_ready_target_is_taken_for_its_operation_only() {
        static ONE: Operation = Operation::new("t.one", Method::GET, "/a/{name}/x:{y}");
        let call = Call::encoded(&ONE, "/a/b%2Fc/x:1?d=1,2").unwrap();
        assert_eq!(call.0.target.as_str(), "/a/b%2Fc/x:1?d=1,2");
        for bad in [
            "/a/b/x:",
            "/a//x:1",
            "/a/b/y:1",
            "/a/b",
            "/a/b/x:1/",
            "/z/b/x:1",
            "/a/../x:1",
            "/a/{name}/x:1#",
            "/a/%2e%2E/x:1",
        ] {
            let error = Call::encoded(&ONE, bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
            assert!(!error.to_string().contains(bad), "{error}");
        }
        assert!(Call::encoded(&OPERATION, "/o?a=/../b").is_ok());
        assert!(Call::encoded(&OPERATION, "/p").is_err());
    }

    #[test]
    fn the_members_of_a_json_body_can_be_called_otherwise() {
        let call = Call::new(&OPERATION, Target::new("/a"));
        let rename = |body: &mut serde_json::Value| body["b"] = body["a"].take();
        let bare = call.clone().edit_json(rename).unwrap();
        assert!(bare.0.body.is_empty());
        let call = call.json(&serde_json::json!({"a": 1})).unwrap();
        let call = call.edit_json(rename).unwrap();
        assert_eq!(call.0.body, r#"{"a":null,"b":1}"#);
        assert_eq!(call.0.headers.get(&CONTENT_TYPE).unwrap(), JSON);
    }

    #[test]
    fn a_call_is_translated_for_servers_that_have_it_otherwise() {
        static PUT: Operation = Operation::new("t.put", Method::PUT, "/a/{id}/b");
        static POST: Operation = Operation::new("t.post", Method::POST, "/a/{id}/b").dialect("1+");
        let target = Target::new("/a/").segment("id", "x/ü").unwrap();
        let target = target.literal("/b").query("q", "1&2").query("r", "");
        let call = Call::new(&PUT, target).for_operation(&POST).unwrap();
        assert_eq!(call.operation().servers(), Some("1+"));
        assert_eq!(call.path_value("id").as_deref(), Some("x/ü"));
        assert_eq!(call.path_value("b"), None);
        let values = call.query();
        let call = call.without_query();
        assert_eq!(call.0.target.as_str(), "/a/x%2F%C3%BC/b");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values, [pair("q", "1&2"), pair("r", "")]);
        assert!(call.query().is_empty());
        let other = Call::new(&PUT, Target::new("/a/1/b")).for_operation(&OPERATION);
        assert_eq!(other.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn bodies_say_what_they_are_and_whether_they_hold_a_secret() {
        let new = || Call::new(&OPERATION, Target::new("/o"));
        let form = new().form(Form::new().field("a", "b c"));
        assert_eq!(form.0.body, "a=b+c");
        assert_eq!(form.0.headers.get(&CONTENT_TYPE).unwrap(), FORM);
        assert!(!form.0.holds_secret);
        let secret = Form::new().secret("a", &Secret::from("planted"));
        let form = new().form(secret);
        assert!(form.0.holds_secret && !format!("{form:?}").contains("planted"));

        assert!(!new().json(&["planted"]).unwrap().0.holds_secret);
        let json = new().secret_json(&["planted"]).unwrap();
        assert_eq!(json.0.body, "[\"planted\"]");
        assert_eq!(json.0.headers.get(&CONTENT_TYPE).unwrap(), JSON);
        assert!(json.0.holds_secret && !format!("{json:?}").contains("planted"));
    }

    #[test]
    fn all_values_of_a_body_without_known_secrets_are_secret() {
        let new = || {
            let call = Call::new(&OPERATION, Target::new("/o"));
            let other = Secret::from("Bearer other-secret");
            call.secret_header(AUTHORIZATION, &other).unwrap()
        };
        let text = Secret::from("a=planted%2Done&b=x");
        for call in [
            new().secret_form(&text, &["c"]),
            new().secret_json(&["planted-one"]).unwrap(),
        ] {
            let clean = Filter::of(&call.0.secrets).text("no planted-one by other-secret");
            assert_eq!(clean, "no [secret] by [secret]");
        }
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let call = Call::new(&OPERATION, Target::new("/o"))
            .secret_form(&Secret::from("a=planted"), &["a"])
            .secret_header(AUTHORIZATION, &Secret::from("planted"))
            .unwrap();
        assert_eq!(call.0.body, "a=planted");
        assert!(call.0.holds_secret);
        assert!(!format!("{call:?}").contains("planted"));
        assert!(
            Call::new(&OPERATION, Target::new("/o"))
                .require_secure()
                .0
                .holds_secret
        );
        let refused = Call::new(&OPERATION, Target::new("/o"))
            .secret_header(AUTHORIZATION, &Secret::from("planted\r\nX: y"));
        let error = refused.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
