//! Clients for any request: `HTTPClient` of Python, and ours.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::{Answer, Error as Fault, HttpClient};
use vouchsafe::core::call::{CallOptions, Form, Retry};

use super::calls::{bound, known};
use super::expected::Recorded;
use super::machine::Machine;
use super::network;
use super::outcome::Got;

/// An `HTTPClient`, and what it was told.
#[derive(Clone, Default)]
pub(super) struct ClientObject {
    pub(super) credentials: Option<String>,
    refreshes: Option<bool>,
    args: Map<String, Value>,
    /// The names of the query parameters, in order.
    params: Vec<String>,
}

impl ClientObject {
    /// Reads the arguments of a constructor.
    pub(super) fn new(step: &Recorded) -> Result<Self, String> {
        let args = &step.args;
        known(
            args,
            &[
                "url",
                "port",
                "auth",
                "credentials",
                "auto_refresh",
                "auto_retry",
                "headers",
                "params",
                "enforce_json",
                "raise_for_status",
                // Ours reads neither netrc nor proxies from the environment.
                "trust_env",
                "allow_redirects",
                "cookies",
                "timeout",
                // Of the connection.
                "cert",
                "max_retries",
                "pool_block",
                "pool_connections",
                "pool_maxsize",
                "proxies",
                "verify",
                // They change no request of these.
                "force_trace",
                "stream",
            ],
        )?;
        Ok(Self {
            credentials: bound(args.get("credentials")),
            refreshes: args.get("auto_refresh").map(|value| value == true),
            args: args.clone(),
            params: step.params.clone(),
        })
    }

    /// Returns the arguments of the constructor.
    pub(super) fn args(&self) -> &Map<String, Value> {
        &self.args
    }

    /// Returns the URL that requests go below, if one was given.
    pub(super) fn base_url(&self, machine: &Machine) -> Result<String, String> {
        base_url(machine, &self.args)
    }

    /// Returns how a request connects: as it says itself, or else as the constructor said.
    fn connection(&self, call: &Map<String, Value>) -> Map<String, Value> {
        let mut connection = self.args.clone();
        for name in ["cert", "port", "proxies", "verify"] {
            if let Some(value) = call.get(name).filter(|value| !value.is_null()) {
                connection.insert(name.to_owned(), value.clone());
            }
        }
        connection
    }

    fn client(
        &self,
        machine: &Machine,
        call: &Map<String, Value>,
    ) -> Result<Result<HttpClient, Fault>, String> {
        let connection = self.connection(call);
        let mut builder = HttpClient::builder()
            .base_url(base_url(machine, &connection)?)
            .transport(machine.transport(&connection)?)
            .clock(Arc::clone(&machine.clock) as _)
            .observer(Arc::clone(&machine.stats) as _)
            .retry(Retry::none());
        let name = bound(call.get("credentials")).or_else(|| self.credentials.clone());
        // It replaces the token there, which takes precedence here.
        let name = name.filter(|_| self.basic(call).is_ok_and(|basic| basic.is_none()));
        if let Some(name) = name {
            let credentials = machine.credentials.get(&name).ok_or("no credentials")?;
            let of_call = call.get("auto_refresh").map(|value| value == true);
            let refreshes = of_call.or(self.refreshes).unwrap_or(true);
            builder = builder.credentials(&credentials.with_auto_refresh(refreshes));
        }
        let option = |name: &str| call.get(name).or_else(|| self.args.get(name));
        builder = builder.auto_retry(option("auto_retry").is_none_or(|value| value != false));
        if option("allow_redirects") != Some(&json!(false)) {
            builder = builder.follow_redirects(30);
        }
        let is_set = |name: &str| {
            !call.contains_key(name)
                && self.args.get(name) == Some(&json!(true))
                && (name != "enforce_json" || self.accepts_json())
        };
        if is_set("raise_for_status") {
            builder = builder.expect_success();
        }
        if is_set("enforce_json") {
            builder = builder.expect_json();
        }
        let removed = |name: &str| {
            let headers = call.get("headers").and_then(Value::as_object);
            let mut nulls = headers.into_iter().flatten();
            nulls.any(|(other, value)| value.is_null() && other.eq_ignore_ascii_case(name))
        };
        for (name, value) in pairs(&self.args, "headers").filter(|(name, _)| !removed(name)) {
            builder = builder.header(name, value);
        }
        for (name, value) in ordered(&self.args, &self.params)? {
            builder = builder.query(name, value);
        }
        Ok(builder.build())
    }

    /// Returns the header of a user and a password, which requests and clients may be given.
    fn basic(&self, call: &Map<String, Value>) -> Result<Option<String>, String> {
        let given = call.get("auth").or_else(|| self.args.get("auth"));
        match given.map(|auth| (auth, auth.as_array().map(Vec::as_slice))) {
            None | Some((Value::Null, _)) => Ok(None),
            Some((_, Some([Value::String(user), Value::String(password)]))) => {
                let pair = STANDARD.encode(format!("{user}:{password}"));
                Ok(Some(format!("Basic {pair}")))
            }
            Some((other, _)) => Err(format!("no runner for auth {other}")),
        }
    }

    /// Returns whether the client asks for JSON: if not, it does not insist on it there, whatever
    /// it was told.
    fn accepts_json(&self) -> bool {
        let mut accept =
            pairs(&self.args, "headers").filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
        accept.all(|(_, accept)| accept.contains("application/json"))
    }

    /// Sends the request of a step.
    pub(super) async fn request(&self, machine: &Machine, step: &Recorded) -> Result<Got, String> {
        let args = &step.args;
        known(
            args,
            &[
                "method",
                "path",
                "endpoint",
                "url",
                "json",
                "params",
                "headers",
                "auth",
                "credentials",
                "auto_refresh",
                "auto_retry",
                "allow_redirects",
                "enforce_json",
                "raise_for_status",
                "timeout",
                "data",
                "force_trace",
                "stream",
                "cert",
                "cookies",
                "port",
                "proxies",
                "verify",
            ],
        )?;
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        let method = text("method").ok_or("no method")?.to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes()).map_err(|cause| cause.to_string())?;
        let path = text("path").or(text("endpoint")).unwrap_or_default();
        let path = utf8_percent_encode(path, NOT_IN_PATHS).to_string();
        let url = match text("url") {
            Some(url) => machine.with_port(url, &self.connection(args))? + &path,
            None => path,
        };
        let client = match self.client(machine, args)? {
            Ok(client) => client,
            Err(fault) => return Ok(Got::Fault(fault)),
        };
        let mut request = client.request(method, url);
        for (name, value) in ordered(args, &step.params)? {
            request = request.query(name, value);
        }
        for (name, value) in pairs(args, "headers") {
            request = request.header(name, value);
        }
        let cookies = pairs(&self.args, "cookies").chain(pairs(args, "cookies"));
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies.join("; "));
        }
        if let Some(body) = args.get("json").filter(|body| !body.is_null()) {
            request = request.json(body);
        }
        match args.get("data") {
            Some(Value::Object(_)) => {
                let add = |form: Form, (name, value): (String, String)| form.field(&name, &value);
                request = request.form(pairs(args, "data").fold(Form::new(), add));
            }
            Some(Value::Array(fields)) => {
                let fields = listed(fields)?.into_iter();
                let add = |form: Form, (name, value): (String, String)| form.field(&name, &value);
                request = request.form(fields.fold(Form::new(), add));
            }
            Some(Value::String(text)) => request = request.body("text/plain", text.clone()),
            None | Some(Value::Null) => {}
            Some(other) => return Err(format!("no runner for data {other}")),
        }
        let traces = args.get("force_trace").or(self.args.get("force_trace"));
        if traces == Some(&json!(true)) {
            request = request.header("x-envoy-force-trace", "");
        }
        let is_set = |name: &str| args.get(name) == Some(&json!(true));
        if is_set("raise_for_status") {
            request = request.expect_success();
        }
        if is_set("enforce_json") && self.accepts_json() {
            request = request.expect_json();
        }
        if let Some(basic) = self.basic(args)? {
            request = request.header("Authorization", basic);
        }
        // Of a pair, the first is for the connection.
        let limit = args.get("timeout").or_else(|| self.args.get("timeout"));
        let limit = limit.and_then(|limit| match limit {
            Value::Array(pair) => pair.last(),
            one => Some(one),
        });
        if let Some(limit) = limit.filter(|limit| !limit.is_null()) {
            let seconds = limit
                .as_f64()
                .ok_or_else(|| format!("not a time: {limit}"))?;
            let limit = Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())?;
            request = request.options(CallOptions::new().deadline(limit));
        }
        Ok(match request.send().await {
            Ok(answer) => Got::Value(shown(&answer)),
            Err(fault) => Got::Fault(fault),
        })
    }
}

fn shown(answer: &Answer) -> Value {
    json!({"response": {
        "status": answer.status().as_u16(),
        "body": String::from_utf8_lossy(answer.body()),
    }})
}

/// Returns the base URL of a constructor's arguments.
pub(super) fn base_url(machine: &Machine, args: &Map<String, Value>) -> Result<String, String> {
    let url = args.get("url").and_then(Value::as_str);
    machine.with_port(url.unwrap_or(machine.usual_api()), args)
}

/// What a path may not hold, and is encoded by Python where its caller did not.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// Returns the names and texts of the query parameters, in order.
fn ordered(args: &Map<String, Value>, names: &[String]) -> Result<Vec<(String, String)>, String> {
    match args.get("params") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(query)) => Ok(network::pairs(query)),
        Some(Value::Array(items)) => listed(items),
        Some(Value::Object(_)) => {
            let mut pairs: Vec<_> = pairs(args, "params").collect();
            pairs.sort_by_key(|(name, _)| names.iter().position(|other| other == name));
            Ok(pairs)
        }
        Some(other) => Err(format!("no runner for params {other}")),
    }
}

/// Returns the names and texts of a list of pairs.
fn listed(items: &[Value]) -> Result<Vec<(String, String)>, String> {
    let pair = |item: &Value| match item.as_array().map(Vec::as_slice) {
        Some([Value::String(name), Value::String(value)]) => Ok((name.clone(), value.clone())),
        _ => Err(format!("not a pair of texts: {item}")),
    };
    items.iter().map(pair).collect()
}

/// Returns the names and texts of a map among arguments.
fn pairs<'a>(
    args: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (String, String)> + use<'a> {
    let map = args.get(name).and_then(Value::as_object);
    // As Python writes them, and each of several.
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    };
    map.into_iter().flatten().flat_map(move |(name, value)| {
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        let there = values.iter().filter(|value| !value.is_null());
        let named: Vec<_> = there.map(|value| (name.clone(), text(value))).collect();
        named
    })
}
