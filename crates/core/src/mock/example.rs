//! Answers with the examples of a description, for emulators without rules.

use http::HeaderMap;
use http::header::ALLOW;
use serde_json::json;

use super::respond;
use super::route::Found;
use crate::auth::{Authorize, Token};
use crate::transport::{Request, Response};
use crate::{Result, Secret};

/// The example of an operation's successful answer.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "generated tables are made of it")]
pub struct Example {
    /// The status.
    pub status: u16,
    /// The media type; empty for an answer without a body.
    pub content_type: &'static str,
    /// The body.
    pub body: &'static str,
}

impl Example {
    /// Returns the answer.
    #[must_use]
    pub fn response(&self) -> Response {
        match self.content_type {
            "" => respond::empty(self.status),
            content_type => respond::typed(self.status, content_type, self.body),
        }
    }
}

/// Answers a request with the example of its operation: 404 if there is no operation, 405 if the
/// path has only other methods, 401 if the operation needs a credential and the request does not
/// have the right one.
pub fn answer<Op: Copy>(
    found: &Found<Op>,
    is_known: bool,
    example: impl FnOnce(Op) -> Example,
) -> Response {
    let refuse = |status, code: &str| respond::json(status, &json!({ "error": code }));
    match found {
        Found::Route { operation, .. } if !operation.is_open() && !is_known => {
            refuse(401, "unauthorized")
        }
        Found::Route { op, .. } => example(*op).response(),
        Found::WrongMethod { allow } => {
            let mut response = refuse(405, "method_not_allowed");
            let methods: Vec<_> = allow.iter().map(http::Method::as_str).collect();
            respond::put(&mut response.headers, ALLOW, &methods.join(", "));
            response
        }
        Found::TrailingSlash | Found::Nothing => refuse(404, "not_found"),
    }
}

/// Returns whether a request presents a token by a scheme.
///
/// # Errors
///
/// If the token is not valid in the scheme.
pub fn presents(request: &Request, scheme: &dyn Authorize, token: &Secret) -> Result<bool> {
    let mut wanted = HeaderMap::new();
    scheme.authorize(&Token::new(token.clone()), &mut wanted)?;
    Ok(wanted
        .iter()
        .all(|(name, value)| request.headers.get(name) == Some(value)))
}

#[cfg(test)]
mod tests {
    use http::{Method, Uri};

    use super::*;
    use crate::auth::Bearer;
    use crate::call::Operation;

    static READ: Operation = Operation::new("t.read", Method::GET, "/read");
    static OPEN: Operation = Operation::new("t.open", Method::GET, "/open").open();

    fn status(found: &Found<()>, is_known: bool) -> u16 {
        let example = Example {
            status: 201,
            content_type: "application/json",
            body: "{}",
        };
        answer(found, is_known, |()| example).status.as_u16()
    }

    #[test]
    fn operations_that_are_not_open_need_the_token() {
        let route = |operation| Found::Route {
            op: (),
            operation,
            path: "/",
            params: Vec::new(),
        };
        assert_eq!(status(&route(&READ), true), 201);
        assert_eq!(status(&route(&READ), false), 401);
        assert_eq!(status(&route(&OPEN), false), 201);
        assert_eq!(status(&Found::Nothing, true), 404);
        let others = Found::WrongMethod {
            allow: vec![Method::GET, Method::PUT],
        };
        assert_eq!(status(&others, true), 405);
        let refused = answer(&others, true, |()| unreachable!());
        assert_eq!(refused.headers["allow"], "GET, PUT");
    }

    #[test]
    fn a_token_is_known_by_the_header_of_its_scheme() {
        let token = Secret::from("planted");
        let mut request = Request::new(Method::GET, Uri::from_static("http://h/"));
        assert!(!presents(&request, &Bearer, &token).unwrap());
        let header = |text: &'static str| http::HeaderValue::from_static(text);
        request
            .headers
            .insert("authorization", header("Bearer other"));
        assert!(!presents(&request, &Bearer, &token).unwrap());
        request
            .headers
            .insert("authorization", header("Bearer planted"));
        assert!(presents(&request, &Bearer, &token).unwrap());
    }
}
