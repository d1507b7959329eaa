//! Clients for any request: `HTTPClient` of Python, and ours.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::{Answer, Error as Fault, HttpClient};
use vouchsafe::core::call::{CallOptions, Form, Retry};

use super::calls::{bound, known};
use super::expected::Recorded;
use super::machine::Machine;
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
                "credentials",
                "auto_refresh",
                "auto_retry",
                "headers",
                "params",
                "enforce_json",
                "raise_for_status",
                // Ours reads neither netrc nor proxies from the environment.
                "trust_env",
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

    fn client(
        &self,
        machine: &Machine,
        call: &Map<String, Value>,
    ) -> Result<Result<HttpClient, Fault>, String> {
        let mut builder = HttpClient::builder()
            .base_url(self.base_url(machine)?)
            .transport(machine.transport(&self.args)?)
            .clock(Arc::clone(&machine.clock) as _)
            .observer(Arc::clone(&machine.stats) as _)
            .retry(Retry::none());
        let name = bound(call.get("credentials")).or_else(|| self.credentials.clone());
        if let Some(name) = name {
            let credentials = machine.credentials.get(&name).ok_or("no credentials")?;
            let of_call = call.get("auto_refresh").map(|value| value == true);
            let refreshes = of_call.or(self.refreshes).unwrap_or(true);
            builder = builder.credentials(&credentials.with_auto_refresh(refreshes));
        }
        let option = |name: &str| call.get(name).or_else(|| self.args.get(name));
        builder = builder.auto_retry(option("auto_retry").is_none_or(|value| value != false));
        if call.get("allow_redirects") != Some(&json!(false)) {
            builder = builder.follow_redirects(30);
        }
        let is_set =
            |name: &str| !call.contains_key(name) && self.args.get(name) == Some(&json!(true));
        if is_set("raise_for_status") {
            builder = builder.expect_success();
        }
        if is_set("enforce_json") {
            builder = builder.expect_json();
        }
        for (name, value) in pairs(&self.args, "headers") {
            builder = builder.header(name, value);
        }
        for (name, value) in ordered(&self.args, &self.params) {
            builder = builder.query(name, value);
        }
        Ok(builder.build())
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
            ],
        )?;
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        let method = text("method").ok_or("no method")?.parse::<Method>();
        let method = method.map_err(|cause| cause.to_string())?;
        let path = text("path").or(text("endpoint")).unwrap_or_default();
        let url = match text("url") {
            Some(url) => machine.replaced(&format!("{url}{path}")),
            None => path.to_owned(),
        };
        let client = match self.client(machine, args)? {
            Ok(client) => client,
            Err(fault) => return Ok(Got::Fault(fault)),
        };
        let mut request = client.request(method, url);
        for (name, value) in ordered(args, &step.params) {
            request = request.query(name, value);
        }
        for (name, value) in pairs(args, "headers") {
            request = request.header(name, value);
        }
        if let Some(body) = args.get("json").filter(|body| !body.is_null()) {
            request = request.json(body);
        }
        match args.get("data") {
            Some(Value::Object(fields)) => {
                let add = |form: Form, (name, value): (&String, &Value)| match value.as_str() {
                    Some(text) => form.field(name, text),
                    None => form.field(name, &value.to_string()),
                };
                request = request.form(fields.iter().fold(Form::new(), add));
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
        if is_set("enforce_json") {
            request = request.expect_json();
        }
        if let Some(seconds) = args.get("timeout").and_then(Value::as_f64) {
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
    let url = url.map_or_else(
        || machine.usual_api().to_owned(),
        |url| machine.replaced(url),
    );
    match args.get("port") {
        None => Ok(url),
        Some(Value::String(port)) if port == "$PORT" => Ok(url + &machine.port()),
        Some(Value::Number(port)) => Ok(format!("{url}:{port}")),
        Some(other) => Err(format!("not a port: {other}")),
    }
}

/// Returns the names and texts of the query parameters, in order.
fn ordered(args: &Map<String, Value>, names: &[String]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = pairs(args, "params").collect();
    pairs.sort_by_key(|(name, _)| names.iter().position(|other| other == name));
    pairs
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
