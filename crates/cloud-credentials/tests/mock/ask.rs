//! Requests as any client may send them.

use std::collections::BTreeMap;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Uri};
use serde_json::Value;
use vouchsafe_cloud_credentials::mock::Server;
use vouchsafe_core::transport::{Request, Response};

pub(crate) const BASE: &str = "https://auth.example.com";
pub(crate) const TOKEN: &str = "/api/oauth2/RequestToken";
pub(crate) const REVOKE: &str = "/api/oauth2/RevokeToken";
pub(crate) const AUTHORIZE: &str = "/as/authorization.oauth2";
pub(crate) const DEVICE: &str = "/as/device_authz.oauth2";
pub(crate) const BACK: &str = "https://app.example.com/back";

pub(crate) fn get(server: &Server, target: &str) -> Response {
    let uri: Uri = format!("{BASE}{target}").parse().unwrap();
    server.handle(&Request::new(Method::GET, uri))
}

pub(crate) fn post(server: &Server, path: &str, kind: &str, body: String) -> Response {
    server.handle(&posting(path, kind, body))
}

pub(crate) fn posting(path: &str, kind: &str, body: String) -> Request {
    let uri: Uri = format!("{BASE}{path}").parse().unwrap();
    let mut request = Request::new(Method::POST, uri);
    let kind = HeaderValue::from_str(kind).unwrap();
    request.headers.insert(CONTENT_TYPE, kind);
    request.body = body.into();
    request
}

/// Posts JSON, and returns the status and the body.
pub(crate) fn json(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    read(&post(server, path, "application/json", body.to_string()))
}

/// Posts a form, and returns the status and the body.
pub(crate) fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let body = encoded(fields);
    read(&post(
        server,
        path,
        "application/x-www-form-urlencoded",
        body,
    ))
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

pub(crate) fn read(response: &Response) -> (u16, Value) {
    let body = serde_json::from_slice(&response.body).unwrap_or_default();
    (response.status.as_u16(), body)
}

/// Returns the status and the error code.
pub(crate) fn refused((status, body): (u16, Value)) -> (u16, String) {
    (
        status,
        body["error"].as_str().unwrap_or_default().to_owned(),
    )
}

/// Returns what a redirect says.
pub(crate) fn redirect(response: &Response) -> (String, BTreeMap<String, String>) {
    assert_eq!(response.status, 302, "{:?}", response.body);
    let url = response.headers[LOCATION].to_str().unwrap();
    let (base, query) = url.split_once('?').unwrap();
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    (base.to_owned(), pairs.collect())
}

/// Visits the authorization page, and returns what the redirect says.
pub(crate) fn visit(server: &Server, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let target = format!("{AUTHORIZE}?{}", encoded(fields));
    redirect(&get(server, &target)).1
}

/// Returns the secret of the client `app`.
pub(crate) fn secret(server: &Server) -> String {
    let secret = server.client_secret("app").unwrap();
    secret.expose().to_owned()
}
