//! The form of refusals and documents (protocol sections 4 and 5.1).

use std::time::{Duration, UNIX_EPOCH};

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, EXPIRES, LAST_MODIFIED, LOCATION, VARY,
};
use serde_json::{Map, Value, json};
use vouchsafe_core::mock::form;
use vouchsafe_core::mock::respond::{put, typed};
use vouchsafe_core::transport::{Request, Response};

use super::bigint;
use super::reading;
use super::refusal::Refusal;

/// The format that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Xml,
}

impl Form {
    pub(super) fn of(request: &Request) -> Self {
        match reading::query(request, "format").as_deref() {
            Some("json") => return Self::Json,
            Some("xml") => return Self::Xml,
            _ => {}
        }
        let accept = form::header(request, "accept").unwrap_or_default();
        for kind in accept.split(',') {
            match kind.split(';').next().unwrap_or_default().trim() {
                "application/json" => return Self::Json,
                "application/xml" => return Self::Xml,
                _ => {}
            }
        }
        Self::Json
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=UTF-8",
            Self::Xml => "application/xml; charset=UTF-8",
        }
    }

    /// Only faults and documents of the identity service have an XML form. Everything else is JSON,
    /// whatever its content type.
    pub(super) fn document(self, status: u16, body: &Value) -> Response {
        self.with_body(status, bigint::restore(body.to_string()))
    }

    /// A document of the identity service.
    pub(super) fn identity(self, body: &Value) -> Response {
        match self {
            Self::Json => self.document(200, body),
            Self::Xml => self.with_body(200, xml_document(body)),
        }
    }

    pub(super) fn empty(self, status: u16) -> Response {
        self.with_body(status, String::new())
    }

    pub(super) fn refuse(self, refusal: &Refusal) -> Response {
        match refusal {
            Refusal::NotPending => self.empty(404),
            Refusal::Crash => self.fault(500, "unexpected error"),
            Refusal::Fault { status, message } => self.fault(*status, message),
            Refusal::Commission {
                status,
                message,
                data,
            } => {
                let fault = json!({"code": status, "message": message, "data": data});
                self.document(*status, &json!({fault_name(*status): fault}))
            }
        }
    }

    /// Lists the methods of a path.
    pub(super) fn wrong_method(self, allow: &[&str]) -> Response {
        let mut response = self.fault(405, "not with this method");
        put(&mut response.headers, ALLOW, &allow.join(","));
        response
    }

    fn fault(self, status: u16, message: &str) -> Response {
        let name = fault_name(status);
        match self {
            Self::Json => {
                let fault = json!({"code": status, "message": message, "details": ""});
                self.document(status, &json!({name: fault}))
            }
            Self::Xml => {
                let message = escaped(message);
                let body = format!(
                    "{XML}<{name} xmlns=\"http://docs.openstack.org/identity/api/v2.0\" \
                     code=\"{status}\">\n  <message>{message}</message>\n  \
                     <details></details>\n</{name}>\n"
                );
                self.with_body(status, body)
            }
        }
    }

    fn with_body(self, status: u16, body: String) -> Response {
        let mut response = typed(status, self.content_type(), body);
        put(&mut response.headers, VARY, "X-Auth-Token, Accept-Language");
        put(&mut response.headers, CONTENT_LANGUAGE, "en");
        let no_store = "no-cache, no-store, must-revalidate, max-age=0";
        put(&mut response.headers, CACHE_CONTROL, no_store);
        response
    }
}

/// Sets the dates of an answer that must not be cached, as Django does.
pub(super) fn date(response: &mut Response, now: i64) {
    let now = u64::try_from(now / 1_000_000).unwrap_or_default();
    let now = UNIX_EPOCH + Duration::from_secs(now);
    let now = httpdate::fmt_http_date(now);
    if response.headers.contains_key(CACHE_CONTROL) {
        put(&mut response.headers, LAST_MODIFIED, &now);
        put(&mut response.headers, EXPIRES, &now);
    }
}

/// A page, or text that is labelled as one.
pub(super) fn html(status: u16, body: impl Into<String>) -> Response {
    typed(status, "text/html; charset=utf-8", body.into())
}

pub(super) fn redirect(status: u16, to: &str) -> Response {
    let mut response = html(status, "");
    put(&mut response.headers, LOCATION, to);
    response
}

/// The answer of a page for browsers, such as the list of services.
pub(super) fn for_pages(request: &Request, body: &Value) -> Response {
    match reading::query(request, "callback") {
        Some(callback) => {
            let body = format!("{callback}({body})");
            typed(200, "application/javascript", body)
        }
        None => typed(200, "application/json", body.to_string()),
    }
}

fn fault_name(status: u16) -> &'static str {
    match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "notAllowed",
        409 => "conflict",
        413 => "overLimit",
        _ => "internalServerError",
    }
}

/// Writes a document: objects as elements, lists as elements of the same name.
fn xml_document(body: &Value) -> String {
    let mut text = XML.to_owned();
    if let Some(fields) = body.as_object() {
        xml_fields(fields, &mut text);
    }
    text
}

fn xml_fields(fields: &Map<String, Value>, text: &mut String) {
    for (name, value) in fields {
        // Names of the catalog have a prefix that is declared nowhere.
        xml_element(&name.replace(':', "-"), value, text);
    }
}

fn xml_element(name: &str, value: &Value, text: &mut String) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| xml_element(name, item, text));
        return;
    }
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Object(fields) => xml_fields(fields, text),
        Value::String(content) => text.push_str(&escaped(content)),
        Value::Null => {}
        other => text.push_str(&other.to_string()),
    }
    text.push_str(&format!("</{name}>\n"));
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
