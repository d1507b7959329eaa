//! Runs tables of the discovery client: a document, and what each method returns for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};

use http::StatusCode;
use serde_json::{Value, json};
use vouchsafe::core::call::Retry;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, ErrorKind};
use vouchsafe::userinfo::Result;
use vouchsafe::userinfo::discovery::{Client, ClientBuilder, InfluxCredentials, InfluxLocation};

use super::calls::{Outcome, REFUSED, Unprepared, fault, named};
use super::expected;
use super::rules::without_nulls;
use super::standins::Standins;
use crate::vectors::Suite;
use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Expect, ExpectedError, Table, unknown_key};

/// Judges one case.
pub(super) async fn judge(suite: &Suite, table: &Table, judgement: &mut Judgement) {
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        if let Some(key) = unknown_key(
            input,
            &["title", "method", "args", "kwargs", "base_url", "env"],
        ) {
            judgement.differ(format!("unknown key {key:?}"));
            continue;
        }
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
    // Most rows begin with a client that holds the document; some have it read first.
    let read = requests.iter().flatten().next().and_then(discovery_base);
    let client = Client::builder()
        .base_url(read.unwrap_or("https://discovery.invalid/repertoire"))
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
        Err(Unprepared::Unknown(what)) => return judgement.differ(format!("unknown {what}")),
        // Refused by a type: there is no call to make.
        Err(Unprepared::Odd(_)) => {
            judgement.judged();
            return;
        }
    };
    judgement.judged();
    match expected::differences(&expect, &outcome, "") {
        Ok(found) => found
            .iter()
            .for_each(|difference| judgement.differ(difference)),
        Err(lenient) => judgement.differ(lenient.difference()),
    }
    if let Some(requests) = &requests {
        let got: Vec<Value> = recorder
            .requests()
            .iter()
            .skip(usize::from(read.is_none()))
            .map(|request| shown(request, &standins))
            .collect();
        let requests: Vec<Value> = requests.iter().map(without_nulls).collect();
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
) -> std::result::Result<Result<Value>, Unprepared> {
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
    let positional = input["args"].as_array().map_or(&[][..], Vec::as_slice);
    let more = input["kwargs"].as_object().into_iter().flatten();
    let mut arguments = named(&json!(positional), names).map_err(Unprepared::Unknown)?;
    for (name, value) in more {
        if !names.contains(&name.as_str()) || arguments.get(name).is_some() {
            return Err(Unprepared::Unknown(format!("argument {name:?}")));
        }
        arguments[name] = value.clone();
    }
    // A name that is missing, or is not text, is not valid for any type.
    let required = names
        .iter()
        .filter(|name| !matches!(**name, "version" | "local"));
    for name in required {
        if !arguments[*name].is_string() {
            return Err(Unprepared::Odd(format!("{name} {}", arguments[*name])));
        }
    }
    let odd = |name: &str| Err(Unprepared::Odd(format!("{name} {}", arguments[name])));
    let is_nothing = |name: &str| arguments.get(name).is_none_or(Value::is_null);
    if names.contains(&"version") && !is_nothing("version") && !arguments["version"].is_string() {
        return odd("version");
    }
    if names.contains(&"local") && !is_nothing("local") && !arguments["local"].is_boolean() {
        return odd("local");
    }
    let argument = |name: &str| arguments.get(name).filter(|value| !value.is_null());
    let text = |name: &str| argument(name).and_then(Value::as_str);
    let word = |name: &str| text(name).unwrap_or_default();
    if method == "influxdb_credentials" {
        let token = standins
            .token(word("token"))
            .ok_or_else(|| Unprepared::Odd("token".to_owned()))?;
        let found = client.influxdb_credentials(word("database"), token).await;
        return Ok(found.map(|v| v.map_or(Value::Null, |v| dump_credentials(&v))));
    }
    let document = match client.document().await {
        Ok(document) => document,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(match method {
        "applications" => json!(document.applications()),
        "datasets" => json!(document.datasets().collect::<Vec<_>>()),
        "environment" => json!(document.environment()),
        "environment_name" => json!(document.environment_name()),
        "butler_config_for" => json!(document.butler_config_for(word("dataset"))),
        "butler_repositories" => json!(document.butler_repositories().collect::<BTreeMap<_, _>>()),
        "obscore_config_for" => json!(document.obscore_config_for(word("dataset"))),
        "url_for_data" => {
            json!(document.url_for_data(word("service"), word("dataset"), text("version")))
        }
        "url_for_internal" => json!(document.url_for_internal(word("service"), text("version"))),
        "url_for_ui" => json!(document.url_for_ui(word("service"))),
        "versions_for_data" => {
            json!(document.versions_for_data(word("service"), word("dataset")))
        }
        "versions_for_internal" => json!(document.versions_for_internal(word("service"))),
        "influxdb_databases" => {
            let location = match argument("local").and_then(Value::as_bool) {
                None => InfluxLocation::Any,
                Some(true) => InfluxLocation::Local,
                Some(false) => InfluxLocation::Remote,
            };
            json!(document.influxdb_databases(location).collect::<Vec<_>>())
        }
        "influxdb_connection_info" => json!(document.influxdb_connection_info(word("database"))),
        "build_nublado_dict" => json!(document.build_nublado_dict()),
        other => return Err(Unprepared::Unknown(format!("method {other:?}"))),
    }))
}

/// Writes credentials with every field, including the password.
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
    without_nulls(&json!({
        "method": request.method.as_str(),
        "url": request.uri.to_string(),
        "authorization": authorization,
    }))
}

/// Returns the base URL of a recorded request for the document, if it is one.
fn discovery_base(request: &Value) -> Option<&str> {
    request["url"].as_str()?.strip_suffix("/discovery")
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
    let builder = match base {
        Some(base) => Client::builder().base_url(base),
        None => ClientBuilder::from_env()?,
    };
    let client = builder.transport(Arc::new(recorder.clone())).build()?;
    client.document().await?;
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

/// A transport that serves a document, answers everything else as a row expects it, and records
/// the requests.
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
        lock(&self.0.asked)
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn judged(rows: Value) -> Judgement {
        let table = Table {
            rows: serde_json::from_value(rows).unwrap(),
            document: Some(json!({"influxdb_databases": {"i": {
                "url": "https://m.invalid/", "database": "d",
                "schema_registry": "https://m.invalid/",
                "credentials_url": "https://m.invalid/i",
            }}})),
            ..Table::default()
        };
        let mut judgement = Judgement::default();
        judge(&Suite::default(), &table, &mut judgement).await;
        judgement
    }

    #[tokio::test]
    async fn a_row_may_begin_before_or_after_the_document_was_read() {
        let ask =
            json!({"method": "GET", "url": "https://m.invalid/i", "authorization": "Bearer gt-a"});
        let read = json!({"method": "GET", "url": "https://r.invalid/x/discovery"});
        let result = |requests: Value| json!({"error": {"class": "RepertoireWebError", "status": 403}, "requests": requests});
        let input = json!({"method": "influxdb_credentials", "args": ["i", "gt-a"]});
        let named =
            json!({"method": "influxdb_credentials", "args": ["i"], "kwargs": {"token": "gt-a"}});
        let judgement = judged(json!([
            [input, result(json!([ask]))],
            [named, result(json!([read, ask]))],
        ]))
        .await;
        assert_eq!(judgement.differences(), [""; 0]);
        let judgement = judged(json!([[input, result(json!([read]))]])).await;
        assert_eq!(judgement.differences().len(), 1);
    }

    #[tokio::test]
    async fn arguments_that_no_type_holds_make_no_call_and_unknown_ones_fail() {
        let odd = json!([
            [{"method": "url_for_ui", "args": [7]}, null],
            [{"method": "url_for_ui", "args": []}, null],
            [{"method": "url_for_internal", "args": ["s", 2]}, null],
            [{"method": "influxdb_databases", "kwargs": {"local": "yes"}}, []],
            [{"method": "influxdb_credentials", "args": ["i", "a b"]}, null],
        ]);
        assert_eq!(judged(odd).await.differences(), [""; 0]);
        for row in [
            json!([{"method": "url_for_ui", "args": ["a", "b"]}, null]),
            json!([{"method": "url_for_ui", "kwargs": {"name": "a"}}, null]),
            json!([{"method": "url_for_ui", "args": ["a"], "cached": false}, null]),
            json!([{"method": "url_for_all"}, null]),
            json!([{"title": "nothing"}, null]),
        ] {
            let judgement = judged(json!([row.clone()])).await;
            assert_eq!(judgement.differences().len(), 1, "{row}");
        }
    }
}
