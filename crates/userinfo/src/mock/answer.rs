//! Answers in the forms of the real services (protocol sections 4.1 and 4.2).

use http::header::{
    ALLOW, CACHE_CONTROL, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use vouchsafe_core::mock::respond;
pub(super) use vouchsafe_core::mock::respond::json;
use vouchsafe_core::transport::Response;

use super::rate::Rate;
use super::refusal::Refusal;

/// How to challenge a refused caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge<'a> {
    pub(super) realm: &'a str,
    pub(super) scheme: Scheme,
    /// At the ingress, scripts in browsers without a login get 403, because 401 would redirect them
    /// to a login page.
    pub(super) is_script: bool,
}

/// The scheme of a challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scheme {
    Basic,
    #[default]
    Bearer,
}

/// An answer without a body, for which the server sets a content type nevertheless.
pub(super) fn no_content() -> Response {
    respond::typed(204, "application/json", "")
}

pub(super) fn created(token: &str, location: &str) -> Response {
    let mut response = json(201, &json!({"token": token}));
    put(&mut response.headers, LOCATION, location);
    response
}

pub(super) fn not_found() -> Response {
    json(404, &json!({"detail": "Not Found"}))
}

pub(super) fn wrong_method(allow: Option<&Method>) -> Response {
    let mut response = json(405, &json!({"detail": "Method Not Allowed"}));
    if let Some(allow) = allow {
        put(&mut response.headers, ALLOW, allow.as_str());
    }
    response
}

pub(super) fn redirect(location: &str) -> Response {
    let mut response = respond::empty(307);
    put(&mut response.headers, LOCATION, location);
    response
}

/// Formats a refusal as the server does.
pub(super) fn refuse(refusal: &Refusal, challenge: Challenge<'_>) -> Response {
    match refusal {
        Refusal::NoCredentials => {
            let item = json!({"msg": "Authentication required", "type": "no_authorization"});
            let status = if challenge.is_script { 403 } else { 401 };
            let mut response = json(status, &json!({"detail": item}));
            let text = challenge.plain();
            challenge.put(&mut response, &text);
            response
        }
        Refusal::InvalidToken(msg) => challenge.error(401, 401, "invalid_token", msg, &[]),
        Refusal::InvalidRequest(msg) => challenge.error(403, 400, "invalid_request", msg, &[]),
        Refusal::InsufficientScope { msg, scopes } => {
            challenge.error(403, 403, "insufficient_scope", msg, scopes)
        }
        Refusal::RateLimited(rate) => rate_limited(rate),
        Refusal::PermissionDenied(msg) => items(403, "permission_denied", msg, None),
        Refusal::Rule {
            status,
            kind,
            msg,
            loc,
        } => items(*status, kind, msg, *loc),
        Refusal::Invalid(problems) => {
            let items: Vec<_> = problems.iter().map(|problem| problem.to_json()).collect();
            json(422, &json!({"detail": items}))
        }
        Refusal::UserInfoFailed => {
            let msg = "Unable to get user information";
            uncached(items(500, "user_info_failed", msg, None))
        }
        Refusal::Crash => respond::plain(500, "Internal Server Error"),
        Refusal::UnreadableBody => json(
            400,
            &json!({"detail": "There was an error parsing the body"}),
        ),
        Refusal::Preflight { meant, kind, msg } => {
            let mut response = uncached(items(403, kind, msg, None));
            put_copies(&mut response.headers, *meant, kind, msg);
            response
        }
    }
}

/// Adds the state of the user's rate limit for a service.
pub(super) fn put_rate(headers: &mut HeaderMap, rate: &Rate) {
    for (name, value) in [
        ("x-ratelimit-limit", rate.limit.to_string()),
        (
            "x-ratelimit-remaining",
            (rate.limit - rate.used).to_string(),
        ),
        ("x-ratelimit-used", rate.used.to_string()),
        ("x-ratelimit-reset", rate.reset.to_string()),
        ("x-ratelimit-resource", rate.service.clone()),
    ] {
        put(headers, HeaderName::from_static(name), &value);
    }
}

/// Adds a header, unless the text is not valid in one. Each character becomes one byte, as in the
/// server.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    if let Some(value) = bytes
        .ok()
        .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
    {
        headers.append(name, value);
    }
}

impl Challenge<'_> {
    fn plain(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Basic => "Basic",
            Scheme::Bearer => "Bearer",
        };
        format!("{scheme} realm=\"{}\"", self.realm)
    }

    /// An answer with a challenge that explains the fault, and copies of status and body that the
    /// ingress passes on to the user.
    fn error(&self, status: u16, meant: u16, kind: &str, msg: &str, scopes: &[String]) -> Response {
        let mut text = self.plain();
        // Basic supports only the realm.
        if self.scheme == Scheme::Bearer {
            text += &format!(", error=\"{kind}\", error_description=\"{msg}\"");
            let scopes = scopes.join(" ");
            if !scopes.is_empty() {
                text += &format!(", scope=\"{scopes}\"");
            }
        }
        let mut response = items(status, kind, msg, None);
        self.put(&mut response, &text);
        put_copies(&mut response.headers, meant, kind, msg);
        response
    }

    fn put(&self, response: &mut Response, text: &str) {
        put(&mut response.headers, WWW_AUTHENTICATE, text);
        response.headers.insert(CACHE_CONTROL, UNCACHED);
    }
}

fn rate_limited(rate: &Rate) -> Response {
    let kind = "rate_limited";
    let msg = format!("Rate limit ({}/minute) exceeded", rate.limit);
    let mut response = uncached(items(403, kind, &msg, None));
    let headers = &mut response.headers;
    put_copies(headers, 429, kind, &msg);
    put_rate(headers, rate);
    let reset = std::time::Duration::from_secs(rate.reset.try_into().unwrap_or_default());
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + reset);
    put(headers, RETRY_AFTER, &date);
    response
}

fn items(status: u16, kind: &str, msg: &str, loc: Option<[&str; 2]>) -> Response {
    let mut item = json!({"msg": msg, "type": kind});
    if let Some(loc) = loc {
        item["loc"] = json!(loc);
    }
    json(status, &json!({"detail": [item]}))
}

fn put_copies(headers: &mut HeaderMap, meant: u16, kind: &str, msg: &str) {
    let status = HeaderName::from_static("x-error-status");
    put(headers, status, &meant.to_string());
    let msg = ascii_json(msg);
    let body = format!("{{\"detail\": [{{\"msg\": {msg}, \"type\": \"{kind}\"}}]}}");
    put(headers, HeaderName::from_static("x-error-body"), &body);
}

/// Formats text as JSON that is valid in a header.
fn ascii_json(text: &str) -> String {
    let mut out = String::new();
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out += &format!("\\u{unit:04x}");
            }
        }
    }
    out
}

fn uncached(mut response: Response) -> Response {
    response.headers.insert(CACHE_CONTROL, UNCACHED);
    response
}

const UNCACHED: HeaderValue = HeaderValue::from_static("no-cache, no-store");

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: Challenge<'_> = Challenge {
        realm: "h",
        scheme: Scheme::Bearer,
        is_script: false,
    };

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.headers.get(name).map(|v| v.to_str().unwrap())
    }

    #[test]
    fn a_refused_token_is_challenged_and_copied_for_the_ingress() {
        let refusal = Refusal::InvalidToken("Nö \"token\"".to_owned());
        let response = refuse(&refusal, CHALLENGE);
        assert_eq!(response.status, 401);
        assert_eq!(
            header(&response, "cache-control"),
            Some("no-cache, no-store")
        );
        assert_eq!(header(&response, "x-error-status"), Some("401"));
        assert_eq!(
            header(&response, "x-error-body"),
            Some(r#"{"detail": [{"msg": "N\u00f6 \"token\"", "type": "invalid_token"}]}"#)
        );
    }

    #[test]
    fn missing_credentials_have_a_shape_of_their_own() {
        let response = refuse(&Refusal::NoCredentials, CHALLENGE);
        assert_eq!(
            header(&response, "www-authenticate"),
            Some("Bearer realm=\"h\"")
        );
        assert_eq!(header(&response, "x-error-status"), None);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert!(body["detail"].is_object());
        let script = Challenge {
            scheme: Scheme::Basic,
            is_script: true,
            ..CHALLENGE
        };
        let response = refuse(&Refusal::NoCredentials, script);
        assert_eq!(response.status, 403);
        assert_eq!(
            header(&response, "www-authenticate"),
            Some("Basic realm=\"h\"")
        );
    }

    #[test]
    fn the_challenge_names_the_scopes() {
        let refusal = Refusal::InsufficientScope {
            msg: "m".to_owned(),
            scopes: vec!["a".to_owned(), "b".to_owned()],
        };
        assert_eq!(
            header(&refuse(&refusal, CHALLENGE), "www-authenticate"),
            Some(
                "Bearer realm=\"h\", error=\"insufficient_scope\", error_description=\"m\", \
                 scope=\"a b\""
            )
        );
    }

    #[test]
    fn a_header_is_written_as_bytes_and_an_empty_scope_not_at_all() {
        let refusal = Refusal::InvalidRequest("Unknown Authorization type Bäsic".to_owned());
        let response = refuse(&refusal, CHALLENGE);
        let challenge = response.headers["www-authenticate"].as_bytes();
        assert!(challenge.ends_with(b"type B\xE4sic\""), "{challenge:?}");
        let refusal = Refusal::InsufficientScope {
            msg: "m".to_owned(),
            scopes: vec![String::new()],
        };
        let response = refuse(&refusal, CHALLENGE);
        let challenge = header(&response, "www-authenticate").unwrap();
        assert!(
            challenge.ends_with("error_description=\"m\""),
            "{challenge}"
        );
    }

    #[test]
    fn a_full_window_says_when_to_come_back() {
        let rate = Rate {
            limit: 5,
            used: 5,
            reset: 60,
            service: "s".to_owned(),
        };
        let response = refuse(&Refusal::RateLimited(rate), CHALLENGE);
        assert_eq!(response.status, 403);
        assert_eq!(header(&response, "x-error-status"), Some("429"));
        assert_eq!(
            header(&response, "retry-after"),
            Some("Thu, 01 Jan 1970 00:01:00 GMT")
        );
        assert_eq!(header(&response, "x-ratelimit-remaining"), Some("0"));
        assert_eq!(header(&response, "www-authenticate"), None);
    }
}
