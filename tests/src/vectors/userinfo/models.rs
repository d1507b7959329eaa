//! Runs tables of models: a document, and what is read from it. Ours are read where they arrive,
//! through the clients.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use vouchsafe::core::call::Retry;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, ErrorKind as CoreKind};
use vouchsafe::userinfo::{Client, Error, Token, UserInfo, discovery};

use super::calls::{Outcome, fault};
use super::discovery::dump_credentials;
use super::expected;
use super::rules::BEYOND;
use super::standins::Standins;
use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Expect, Table};

/// Judges one case.
pub(super) async fn judge(table: &Table, judgement: &mut Judgement) {
    let model = table.model.as_deref().unwrap_or_default();
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number}"));
        let Some(reading) = read(model, input).await else {
            return judgement.differ(format!("no reader for the model {model:?}"));
        };
        judgement.judged();
        match (
            result.get("ok"),
            result.get("error").and_then(Value::as_array),
        ) {
            (Some(dump), _) => judge_dump(&reading, dump, judgement),
            (_, Some(faults)) => judge_refusal(&reading, faults, judgement),
            _ => judge_derived(model, &reading, result, judgement),
        }
    }
}

/// A document as it was read: the part that the model is about, and where it stands in the
/// document that was sent.
struct Reading {
    sent: Value,
    within: &'static str,
    result: Result<Read, Error>,
}

enum Read {
    User(Box<UserInfo>),
    Other(Value),
}

async fn read(model: &str, input: &Value) -> Option<Reading> {
    let (sent, within) = match model {
        "GafaelfawrQuota" => (json!({"username": "u", "quota": input}), "quota"),
        "GafaelfawrNotebookQuota" => (
            json!({"username": "u", "quota": {"notebook": input}}),
            "quota.notebook",
        ),
        "GafaelfawrTapQuota" => (
            json!({"username": "u", "quota": {"tap": {"t": input}}}),
            "quota.tap.t",
        ),
        "GafaelfawrGroup" => (json!({"username": "u", "groups": [input]}), "groups[0]"),
        "GafaelfawrUserInfo"
        | "GafaelfawrGroups"
        | "Discovery"
        | "InfluxDatabaseWithCredentials" => (input.clone(), ""),
        _ => return None,
    };
    let result = fetch(model, sent.to_string()).await;
    Some(Reading {
        sent,
        within,
        result,
    })
}

async fn fetch(model: &str, document: String) -> Result<Read, Error> {
    let credentials_url = "https://m.invalid/credentials";
    let (discovery_document, answer) = match model {
        "Discovery" => (document, String::new()),
        _ => (
            json!({
                "services": {"internal": {"gafaelfawr": {
                    "url": "https://m.invalid/",
                    "versions": {"v1": {"url": "https://m.invalid/api"}},
                }}},
                "influxdb_databases": {"i": {
                    "url": "https://m.invalid/", "database": "d",
                    "schema_registry": "https://m.invalid/",
                    "credentials_url": credentials_url,
                }},
            })
            .to_string(),
            document,
        ),
    };
    let transport: Arc<dyn Transport> = Arc::new(Fixed {
        discovery: discovery_document,
        answer,
    });
    let discovery = discovery::Client::builder()
        .base_url("https://m.invalid/repertoire")
        .transport(Arc::clone(&transport))
        .retry(Retry::none())
        .build()?;
    let token = Token::random();
    Ok(match model {
        "Discovery" => Read::Other(json!(*discovery.document().await?)),
        "InfluxDatabaseWithCredentials" => {
            let credentials = discovery.influxdb_credentials("i", token).await?;
            Read::Other(credentials.map_or(Value::Null, |c| dump_credentials(&c)))
        }
        model => {
            let client = Client::builder()
                .discovery(discovery)
                .transport(transport)
                .retry(Retry::none())
                .build()?;
            if model == "GafaelfawrGroups" {
                Read::Other(json!(client.groups(token).await?))
            } else {
                Read::User(Box::new((*client.user_info(&token).await?).clone()))
            }
        }
    })
}

fn judge_dump(reading: &Reading, expected: &Value, judgement: &mut Judgement) {
    let outcome = match &reading.result {
        Ok(read) => Outcome::Ok(dump(read, reading.within)),
        Err(error) => {
            let mut fault = fault(error, &Standins::default());
            fault.place = fault.place.map(|place| strip(&place, reading.within));
            Outcome::Failed(fault)
        }
    };
    let sent = part(&reading.sent, reading.within);
    match expected::differences(&Expect::Ok(expected.clone()), &outcome, "") {
        Ok(found) => found
            .iter()
            .for_each(|difference| judgement.differ(difference)),
        Err(lenient) if lenient.is_shown_by(&sent) => judgement.waive(expected::LENIENT),
        Err(lenient) if lenient.is_beyond(&sent) => judgement.waive(BEYOND),
        Err(lenient) => judgement.differ(lenient.difference()),
    }
}

/// Ours stops at the first fault, so it has to be one of those listed.
fn judge_refusal(reading: &Reading, faults: &[Value], judgement: &mut Judgement) {
    let error = match &reading.result {
        Ok(read) => {
            let dump = dump(read, reading.within);
            return judgement.differ(format!("expected {faults:?}, got {dump}"));
        }
        Err(error) => error,
    };
    if error.core().kind() != CoreKind::Decode {
        judgement.differ(format!("expected {faults:?}, got {error}"));
    }
    let place = fault(error, &Standins::default()).place.unwrap_or_default();
    let place = strip(&place, reading.within);
    let fits = faults.iter().any(|fault| {
        let loc = fault["loc"].as_array().map_or(&[][..], Vec::as_slice);
        // A missing member has no place.
        let is_missing = fault["type"] == "missing" && !loc.is_empty();
        place == written(loc) || is_missing && place == written(&loc[..loc.len() - 1])
    });
    if !fits {
        judgement.differ(format!(
            "expected {faults:?}, got a fault at {place:?}: {error}"
        ));
    }
}

/// Values that are derived from a model.
fn judge_derived(model: &str, reading: &Reading, expected: &Value, judgement: &mut Judgement) {
    let user = match &reading.result {
        Ok(Read::User(user)) => user,
        Ok(Read::Other(_)) => return judgement.differ("nothing is derived from this model"),
        Err(error) => return judgement.differ(error.to_string()),
    };
    let got = match model {
        "GafaelfawrUserInfo" => Some(json!(user.supplemental_groups())),
        "GafaelfawrNotebookQuota" => user.quota.notebook().map(|quota| {
            json!({
                "memory_bytes": quota.memory_bytes(),
                "logging_context": quota.logging_context(),
            })
        }),
        "GafaelfawrTapQuota" => user
            .quota
            .tap("t")
            .map(|quota| json!(quota.logging_context())),
        _ => None,
    };
    match got {
        Some(got) => Comparison::default()
            .differences(expected, &got, "result")
            .iter()
            .for_each(|difference| judgement.differ(difference)),
        None => judgement.differ(format!("nothing is derived from {model}")),
    }
}

fn dump(read: &Read, within: &str) -> Value {
    match read {
        Read::User(user) => part(&json!(user), within),
        Read::Other(value) => value.clone(),
    }
}

fn part(value: &Value, within: &str) -> Value {
    crate::vectors::compare::find(value, within)
        .cloned()
        .unwrap_or(Value::Null)
}

/// Writes a place as our errors do: `groups[0].id`.
fn written(loc: &[Value]) -> String {
    loc.iter().fold(String::new(), |place, part| match part {
        Value::String(name) if place.is_empty() => name.clone(),
        Value::String(name) => format!("{place}.{name}"),
        index => format!("{place}[{index}]"),
    })
}

fn strip(place: &str, within: &str) -> String {
    let rest = place.strip_prefix(within).unwrap_or(place);
    rest.trim_start_matches('.').to_owned()
}

/// Serves a discovery document, and one answer to everything else.
#[derive(Debug)]
struct Fixed {
    discovery: String,
    answer: String,
}

impl Transport for Fixed {
    fn send(&self, request: Request) -> BoxFuture<'_, vouchsafe::core::Result<Response>> {
        let mut response = Response::new(StatusCode::OK);
        response.body = if request.uri.path().ends_with("/discovery") {
            self.discovery.clone().into()
        } else {
            self.answer.clone().into()
        };
        Box::pin(async move { Ok(response) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_errors_write_them() {
        assert_eq!(
            written(&[json!("groups"), json!(0), json!("id")]),
            "groups[0].id"
        );
        assert_eq!(written(&[]), "");
        assert_eq!(strip("quota.notebook.cpu", "quota"), "notebook.cpu");
        assert_eq!(strip("quota", "quota"), "");
    }
}
