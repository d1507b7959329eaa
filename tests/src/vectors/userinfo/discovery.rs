//! Runs tables of the discovery client: a document, and what each method says of it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::{Value, json};
use vouchsafe::core::call::Retry;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, ErrorKind};
use vouchsafe::userinfo::Result;
use vouchsafe::userinfo::discovery::{Client, InfluxCredentials, InfluxLocation};

use super::calls::{Outcome, REFUSED, fault};
use super::expected;
use super::standins::Standins;
use crate::vectors::Suite;
use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Expect, ExpectedError, Table};

/// Judges one case.
pub(super) async fn judge(suite: &Suite, table: &Table, judgement: &mut Judgement) {
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        match (&table.document, input.get("method")) {
            (Some(document), Some(_)) => method(document, input, result, judgement).await,
            _ if input.get("base_url").is_some() || input.get("env").is_some() => {
                base_url(suite, input, result, judgement).await;
            }
            _ => judgement.differ("neither a method of a document nor a base URL"),
        }
    }
}

async fn method(document: &Value, input: &Value, result: &Value, judgement: &mut Judgement) {
    let standins = Standins::default();
    // Rows that make requests tell those, and what came of them; others only the value.
    let (expect, requests) = match (result.get("requests"), as_expectation(result)) {
        (Some(requests), Some(expect)) => (expect, requests.as_array().cloned()),
        (None, Some(expect)) if result.as_object().is_some_and(|o| o.len() == 1) => (expect, None),
        _ => (Expect::Ok(result.clone()), None),
    };
    let recorder = Recorder::new(document.to_string(), &expect);
    let client = Client::builder()
        .base_url("https://discovery.invalid/repertoire")
        .transport(Arc::new(recorder.clone()))
        .retry(Retry::none())
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return judgement.differ(format!("the client cannot be built: {error}")),
    };
    let outcome = match perform(&client, input, &standins).await {
        Ok(Ok(value)) => Outcome::Ok(value),
        Ok(Err(error)) => Outcome::Failed(fault(&error, &standins)),
        Err(unknown) => return judgement.differ(unknown),
    };
    judgement.judged();
    match expected::differences(&expect, &outcome, "") {
        Ok(found) => found
            .iter()
            .for_each(|difference| judgement.differ(difference)),
        Err(lenient) => judgement.differ(lenient.difference()),
    }
    if let Some(requests) = requests {
        let got: Vec<Value> = recorder
            .requests()
            .iter()
            .skip(1)
            .map(|r| shown(r, &standins))
            .collect();
        for difference in
            Comparison::default().differences(&json!(requests), &json!(got), "requests")
        {
            judgement.differ(difference);
        }
    }
}

fn as_expectation(result: &Value) -> Option<Expect> {
    if let Some(value) = result.get("ok") {
        return Some(Expect::Ok(value.clone()));
    }
    let error = serde_json::from_value::<ExpectedError>(result.get("error")?.clone());
    error.ok().map(Expect::Error)
}

/// Calls a method with positional and named arguments, as the Python client takes them.
async fn perform(
    client: &Client,
    input: &Value,
    standins: &Standins,
) -> std::result::Result<Result<Value>, String> {
    let method = input["method"].as_str().unwrap_or_default();
    let names: &[&str] = match method {
        "butler_config_for" | "obscore_config_for" => &["dataset"],
        "url_for_data" => &["service", "dataset", "version"],
        "url_for_internal" => &["service", "version"],
        "url_for_ui" | "versions_for_internal" => &["service"],
        "versions_for_data" => &["service", "dataset"],
        "influxdb_databases" => &["local"],
        "influxdb_connection_info" => &["database"],
        "influxdb_credentials" => &["database", "token"],
        _ => &[],
    };
    let positional = input["args"].as_array().cloned().unwrap_or_default();
    let named = input["kwargs"].as_object().cloned().unwrap_or_default();
    if positional.len() > names.len() || named.keys().any(|n| !names.contains(&n.as_str())) {
        return Err(format!("unknown arguments of {method}"));
    }
    let argument = |name: &str| {
        let at = names.iter().position(|known| *known == name)?;
        positional
            .get(at)
            .or_else(|| named.get(name))
            .filter(|v| !v.is_null())
    };
    let text = |name: &str| argument(name).and_then(Value::as_str);
    let word = |name: &str| text(name).unwrap_or_default();
    Ok(match method {
        "applications" => client.applications().await.map(|v| json!(v)),
        "datasets" => client.datasets().await.map(|v| json!(v)),
        "environment" => client.environment().await.map(|v| json!(v)),
        "environment_name" => client.environment_name().await.map(|v| json!(v)),
        "butler_config_for" => client
            .butler_config_for(word("dataset"))
            .await
            .map(|v| json!(v)),
        "butler_repositories" => client.butler_repositories().await.map(|v| json!(v)),
        "obscore_config_for" => client
            .obscore_config_for(word("dataset"))
            .await
            .map(|v| json!(v)),
        "url_for_data" => client
            .url_for_data(word("service"), word("dataset"), text("version"))
            .await
            .map(|v| json!(v)),
        "url_for_internal" => client
            .url_for_internal(word("service"), text("version"))
            .await
            .map(|v| json!(v)),
        "url_for_ui" => client.url_for_ui(word("service")).await.map(|v| json!(v)),
        "versions_for_data" => client
            .versions_for_data(word("service"), word("dataset"))
            .await
            .map(|v| json!(v)),
        "versions_for_internal" => client
            .versions_for_internal(word("service"))
            .await
            .map(|v| json!(v)),
        "influxdb_databases" => {
            let location = match argument("local").and_then(Value::as_bool) {
                None => InfluxLocation::Any,
                Some(true) => InfluxLocation::Local,
                Some(false) => InfluxLocation::Remote,
            };
            client.influxdb_databases(location).await.map(|v| json!(v))
        }
        "influxdb_connection_info" => client
            .influxdb_connection_info(word("database"))
            .await
            .map(|v| json!(v)),
        "influxdb_credentials" => {
            let token = standins
                .token(word("token"))
                .ok_or_else(|| "an odd token: no call to make".to_owned())?;
            client
                .influxdb_credentials(word("database"), token)
                .await
                .map(|v| v.map_or(Value::Null, |v| dump_credentials(&v)))
        }
        "build_nublado_dict" => client.build_nublado_dict().await.map(|v| json!(v)),
        other => return Err(format!("unknown method {other:?}")),
    })
}

/// Writes credentials with every field, the password in the open.
pub(super) fn dump_credentials(credentials: &InfluxCredentials) -> Value {
    let mut dump = json!(credentials.database);
    dump["username"] = json!(credentials.username);
    dump["password"] = json!(credentials.password.as_ref().map(|p| p.expose()));
    dump
}

fn shown(request: &Request, standins: &Standins) -> Value {
    let authorization = request
        .headers
        .get(http::header::AUTHORIZATION)
        .map(|value| standins.authorization(&String::from_utf8_lossy(value.as_bytes())));
    json!({
        "method": request.method.as_str(),
        "url": request.uri.to_string(),
        "authorization": authorization,
    })
}

/// Where discovery is read from, by argument or by environment.
async fn base_url(suite: &Suite, input: &Value, result: &Value, judgement: &mut Judgement) {
    let outcome = match &input["base_url"] {
        Value::String(url) => discovery_url(Some(url)).await.map_err(drop),
        _ => {
            let Some(program) = &suite.probe else {
                return judgement.waive(
                    "discovery by environment: a process cannot change its own environment, and \
                     there is no program to start with another",
                );
            };
            match probe(program, input["env"].as_str()).await {
                Ok(outcome) => outcome,
                Err(cause) => return judgement.differ(format!("the probe failed: {cause}")),
            }
        }
    };
    judgement.judged();
    let expected = match as_expectation(result) {
        Some(Expect::Ok(Value::String(url))) => match url.parse::<http::Uri>() {
            Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => url,
            // A base that is no URL is a mistake in the configuration: told when the client is
            // built, not at its first call.
            _ => REFUSED.to_owned(),
        },
        _ => REFUSED.to_owned(),
    };
    let got = outcome.unwrap_or_else(|()| REFUSED.to_owned());
    if expected != got {
        judgement.differ(format!("expected {expected:?}, got {got:?}"));
    }
}

/// Returns the URL that a client asks for discovery; without a base URL, that of the environment.
///
/// # Errors
///
/// If no client can be built.
pub(super) async fn discovery_url(base: Option<&str>) -> Result<String> {
    let recorder = Recorder::new("{}".to_owned(), &Expect::Ok(Value::Null));
    let mut builder = Client::builder().transport(Arc::new(recorder.clone()));
    if let Some(base) = base {
        builder = builder.base_url(base);
    }
    builder.build()?.applications().await?;
    let asked = recorder.requests();
    Ok(asked.first().map(|r| r.uri.to_string()).unwrap_or_default())
}

async fn probe(program: &PathBuf, value: Option<&str>) -> std::io::Result<Result<String, ()>> {
    let mut command = tokio::process::Command::new(program);
    command.arg(PROBE).stdin(Stdio::null()).env_remove(VARIABLE);
    if let Some(value) = value {
        command.env(VARIABLE, value);
    }
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(if output.status.success() {
        Ok(text)
    } else {
        Err(())
    })
}

/// The argument with which a program prints the discovery URL of its environment.
pub(super) const PROBE: &str = "--discovery-url-of-environment";
const VARIABLE: &str = "REPERTOIRE_BASE_URL";

/// A transport that serves a document, answers everything else as a row expects it, and writes
/// down what it was asked.
#[derive(Clone, Debug)]
struct Recorder(Arc<Script>);

#[derive(Debug)]
struct Script {
    document: String,
    other: Option<(StatusCode, String)>,
    asked: Mutex<Vec<Request>>,
}

impl Recorder {
    fn new(document: String, expect: &Expect) -> Self {
        let other = match expect {
            Expect::Ok(value) => Some((StatusCode::OK, value.to_string())),
            Expect::Error(error) => match error.status {
                Some(status) => {
                    let body = error.body.clone().unwrap_or_default();
                    StatusCode::from_u16(status)
                        .ok()
                        .map(|status| (status, body))
                }
                None if error.class.ends_with("WebError") => None,
                None => Some((StatusCode::OK, "not what was asked for".to_owned())),
            },
        };
        Self(Arc::new(Script {
            document,
            other,
            asked: Mutex::default(),
        }))
    }

    fn requests(&self) -> Vec<Request> {
        self.asked().clone()
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Request>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, vouchsafe::core::Result<Response>> {
        let is_first = self.asked().is_empty();
        self.asked().push(request);
        let answer = if is_first {
            Some((StatusCode::OK, self.0.document.clone()))
        } else {
            self.0.other.clone()
        };
        Box::pin(async move {
            let (status, body) =
                answer.ok_or_else(|| Error::new(ErrorKind::Transport, "as the row says"))?;
            let mut response = Response::new(status);
            response.body = body.into();
            Ok(response)
        })
    }
}
