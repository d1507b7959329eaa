//! Repertoire's routes, as seen through the ingress (protocol sections 8.1 and 8.2).

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION};
use serde_json::{Map, Value, json};
use vouchsafe_core::transport::{Request, Response};

use super::answer;
use super::gafaelfawr::caller;
use super::ingress::Check;
use super::refusal::Refusal;
use super::state::{Bootstrap, State};
use super::validate::{At, Problem};
use crate::generated::repertoire::routes::Op;

/// Returns a discovery document that leads to Gafaelfawr and little else.
pub(super) fn document(hostname: &str) -> Value {
    let base = format!("https://{hostname}");
    json!({
        "applications": ["gafaelfawr"],
        "services": {"internal": {"gafaelfawr": {
            "url": format!("{base}/auth/api"),
            "openapi": format!("{base}/auth/openapi.json"),
            "versions": {"v1": {"url": format!("{base}/auth/api/v1")}}
        }}}
    })
}

/// Answers a request to one of the routes; `params` are the parameters of its path.
pub(super) fn answer(
    state: &mut State,
    op: Op,
    request: &Request,
    params: &[String],
    now: i64,
) -> Result<Response, Refusal> {
    match op {
        Op::GetDiscovery => {
            let document = placed(state, request);
            let mut response = answer::json(200, &document);
            answer::put(&mut response.headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            Ok(response)
        }
        Op::ListInfluxdb => {
            need_user(state, request, now)?;
            let labels = databases(&state.repertoire.document);
            let labels = labels.into_iter().flat_map(Map::keys);
            let all: Map<_, _> = labels
                .filter_map(|label| Some((label.clone(), database(state, request, label)?)))
                .collect();
            Ok(answer::json(200, &all.into()))
        }
        Op::GetInfluxdb => {
            need_user(state, request, now)?;
            let label = params.first().map(String::as_str).unwrap_or_default();
            let found = database(state, request, label).ok_or_else(|| {
                let loc = Some(["path", "database"]);
                let msg = format!("Database {label} not found");
                Refusal::rule(404, "database_not_found", msg, loc)
            })?;
            Ok(answer::json(200, &found))
        }
    }
}

/// The ingress puts the user's name into a header and refuses callers without a valid token. A
/// request with that header has already passed the ingress, and the service checks nothing else.
fn need_user(state: &mut State, request: &Request, now: i64) -> Result<(), Refusal> {
    if request.headers.contains_key(USER) {
        return Ok(());
    }
    if request.headers.contains_key(AUTHORIZATION) {
        let caller = caller(state, &request.headers, Bootstrap::Unknown, now)?;
        return state.check(&caller, &Check::default(), now).map(drop);
    }
    let missing = Problem::missing(&At::Key(&At::Root("header"), USER), &Value::Null);
    // The server requires the header in two places.
    Err(vec![missing.clone(), missing].into())
}

/// Returns a database with its login instead of the URL of its credentials.
fn database(state: &State, request: &Request, label: &str) -> Option<Value> {
    let document = placed(state, request);
    let mut fields = databases(&document)?.get(label)?.as_object()?.clone();
    fields.remove("credentials_url");
    let login = state.repertoire.logins.get(label);
    let [user, password] = match login {
        Some((user, password)) => [json!(user), json!(password.expose())],
        None => [Value::Null, Value::Null],
    };
    fields.insert("username".to_owned(), user);
    fields.insert("password".to_owned(), password);
    Some(fields.into())
}

fn databases(document: &Value) -> Option<&Map<String, Value>> {
    document.get("influxdb_databases")?.as_object()
}

/// Returns the document with the installation's own URLs rewritten to the requested address, so
/// that clients work on any port.
fn placed(state: &State, request: &Request) -> Value {
    let mut document = state.repertoire.document.clone();
    let uri = &request.uri;
    if let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) {
        let own = format!("https://{}", state.hostname);
        place(&mut document, &own, &format!("{scheme}://{authority}"));
    }
    document
}

fn place(value: &mut Value, own: &str, asked: &str) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix(own)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                *text = format!("{asked}{rest}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| place(item, own, asked)),
        Value::Object(fields) => fields.values_mut().for_each(|item| place(item, own, asked)),
        _ => {}
    }
}

const USER: &str = "x-auth-request-user";
