//! Reads requests as the server does: tokens, queries, JSON bodies and forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::form::{Fields, header};
use vouchsafe_core::transport::Request;

use super::bigint;
use super::refusal::{Refusal, Ruled};

/// The value of a query parameter; the last if there are several.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    Fields::of_query(request).last(name).map(str::to_owned)
}

/// A comma-separated list in the query.
pub(super) fn query_list(request: &Request, name: &str) -> Option<Vec<String>> {
    let text = query(request, name)?;
    Some(text.split(',').map(str::to_owned).collect())
}

/// Whether the request was sent over TLS, to the server or to the proxy in front of it.
pub(super) fn is_secure(request: &Request) -> bool {
    request.uri.scheme_str() == Some("https")
        || header(request, "x-forwarded-proto") == Some("https")
}

/// Scheme and host as the client sent them.
pub(super) fn origin(request: &Request) -> String {
    let scheme = if is_secure(request) { "https" } else { "http" };
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let authority = authority.or_else(|| header(request, "host"));
    format!("{scheme}://{}", authority.unwrap_or_default())
}

/// The token of a request. One in the query takes precedence over the header.
pub(super) fn token(request: &Request) -> Ruled<String> {
    let in_query = query(request, "X-Auth-Token").filter(|token| !token.is_empty());
    let token = match in_query {
        Some(token) => token,
        None => {
            // Header lines of one name are joined, which no token matches.
            let lines = request.headers.get_all("x-auth-token").iter();
            let lines: Vec<&[u8]> = lines.map(http::HeaderValue::as_bytes).collect();
            // The database accepts only text.
            String::from_utf8(lines.join(&b","[..])).map_err(|_| Refusal::Crash)?
        }
    };
    Some(token)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refusal::unauthorized("there is no token"))
}

/// Reads a body that must be labelled as JSON.
pub(super) fn json_body(request: &Request) -> Ruled<Value> {
    let content_type = header(request, "content-type").unwrap_or("text/plain");
    if !content_type.starts_with("application/json") {
        return Err(Refusal::bad("the body is not labelled as JSON"));
    }
    json(&request.body)
}

/// Reads the body of a GET, which may be left out.
pub(super) fn json_of_get(request: &Request) -> Ruled<Value> {
    match request.body.is_empty() {
        true => Ok(Value::Object(Map::new())),
        false => json(&request.body),
    }
}

/// Reads JSON, whatever its content type.
pub(super) fn json(body: &[u8]) -> Ruled<Value> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::bad("the body is no UTF-8"))?;
    serde_json::from_str(&bigint::protect(text)).map_err(|_| Refusal::bad("the body is no JSON"))
}

/// Finds the only action that a body names; other keys are ignored.
pub(super) fn action<'b, T: Copy>(
    body: &'b Value,
    known: &[(&'static str, T)],
) -> Ruled<(T, &'b Value)> {
    let fields = body
        .as_object()
        .ok_or_else(|| Refusal::bad("the request is no object"))?;
    let mut named = known
        .iter()
        .filter_map(|(name, action)| Some((*action, fields.get(*name)?)));
    let first = named
        .next()
        .ok_or_else(|| Refusal::bad("there is no such action"))?;
    match named.next() {
        None => Ok(first),
        Some(_) => Err(Refusal::bad("only one action at a time")),
    }
}

/// Reads a form. Only the content types of browsers are read, unless `any_type`.
pub(super) fn form(request: &Request, any_type: bool) -> Fields {
    let content_type = header(request, "content-type").unwrap_or_default();
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    match kind.trim() {
        "application/x-www-form-urlencoded" => Fields::parse(&request.body),
        "multipart/form-data" => multipart(&request.body, parameters),
        _ if any_type => Fields::parse(&request.body),
        _ => Fields::default(),
    }
}

/// The name and password of basic authentication.
pub(super) fn basic(request: &Request) -> Option<(String, Secret)> {
    let header = header(request, "authorization")?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Secret::from(password)))
}

/// Reads the fields of a multipart body that hold text.
fn multipart(body: &[u8], parameters: &str) -> Fields {
    let Some((_, boundary)) = parameters.split_once("boundary=") else {
        return Fields::default();
    };
    let boundary = boundary.split(';').next().unwrap_or_default();
    let delimiter = format!("--{}", boundary.trim().trim_matches('"'));
    let text = String::from_utf8_lossy(body);
    let parts = text.split(&delimiter).skip(1);
    let field = |part: &str| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        Some((name.to_owned(), content.to_owned()))
    };
    parts.filter_map(field).collect()
}
