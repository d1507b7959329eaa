//! Clients for any request: `HTTPClient` of Python, and ours.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::{Answer, HttpClient};
use vouchsafe::core::call::{CallOptions, Retry};

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
                "proxies",
                "verify",
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

    fn client(&self, machine: &Machine, call: &Map<String, Value>) -> Result<HttpClient, String> {
        let mut builder = HttpClient::builder()
            .base_url(self.base_url(machine)?)
            .transport(machine.transport(&self.args)?)
            .clock(Arc::clone(&machine.clock) as _)
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
        builder.build().map_err(|error| error.to_string())
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
        let client = self.client(machine, args)?;
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
        let is_set = |name: &str| args.get(name) == Some(&json!(true));
        if is_set("raise_for_status") {
            request = request.expect_success();
        }
        if is_set("enforce_json") {
            request = request.expect_json();
        }
        if let Some(seconds) = args.get("timeout").and_then(Value::as_f64) {
            let limit = Duration::from_secs_f64(seconds);
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
    map.into_iter().flatten().map(|(name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), value)
    })
}
