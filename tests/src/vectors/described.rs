//! Vectors of services whose operations are called by name: the request of a call, and the result
//! of an answer.
//!
//! A file is `{"schema": "NAME-described/1", "cases": [...]}`, and a case
//!
//! ```json
//! {
//!   "id": "rooms/list",
//!   "operation": "roomList",
//!   "arguments": {"limit": "2", "tag": ["a", "b"]},
//!   "request": {"method": "GET", "path": "/rooms?limit=2&tag=a&tag=b"},
//!   "response": {"status": 404, "body": {"error": "gone"}},
//!   "outcome": {"kind": "NotFound", "code": "gone"}
//! }
//! ```
//!
//! `arguments.body` is the body of the request. Without `response` the call is only formed. An
//! `outcome` without a kind is success.

use std::path::Path;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use vouchsafe::core::call::CallOptions;
use vouchsafe::core::call::described::{Arguments, Described};
use vouchsafe::core::service::Service;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{self, BoxFuture};

use super::report::Judgement;
use super::{Error, Report};

/// A service whose operations are called by name.
#[expect(clippy::exhaustive_structs, reason = "a runner fills it in whole")]
pub struct Target<'a, S: Service<Credential = ()>> {
    /// Its name, as in the schema of its files.
    pub name: &'a str,
    /// Its operations.
    pub operations: &'static [Described],
    /// Makes a client over a transport. It sends each call once.
    pub client: &'a (dyn Fn(Arc<dyn Transport>) -> S + Send + Sync),
    /// Returns core's error behind the service's.
    pub fault: fn(&S::Error) -> core::Error,
}

impl<S: Service<Credential = ()>> std::fmt::Debug for Target<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Runs every file in a folder.
///
/// # Errors
///
/// If there is no file, or one cannot be read.
pub async fn run<S: Service<Credential = ()>>(
    folder: &Path,
    target: &Target<'_, S>,
    report: &mut Report,
) -> Result<(), Error> {
    let files = super::json_files(folder)?;
    if files.is_empty() {
        return Err(Error::Missing(folder.to_owned()));
    }
    for path in files {
        let file: File = super::read(&path)?;
        if file.schema != format!("{}-described/1", target.name) {
            let why = format!("unknown schema {:?}", file.schema);
            return Err(Error::Unreadable(path, why));
        }
        for case in file.cases {
            let id = case["id"].as_str().unwrap_or_default().to_owned();
            let mut judgement = Judgement::default();
            judgement.judged();
            match serde_json::from_value(case) {
                Ok(case) => judge(target, &case, &mut judgement).await,
                Err(cause) => judgement.differ(format!("cannot be read: {cause}")),
            }
            report.add(&id, judgement);
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct File {
    schema: String,
    cases: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "id")]
    _id: String,
    operation: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    request: Expected,
    response: Option<Answered>,
    #[serde(default)]
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    status: u16,
    #[serde(default)]
    body: Value,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    kind: Option<String>,
    code: Option<String>,
}

async fn judge<S: Service<Credential = ()>>(
    target: &Target<'_, S>,
    case: &Case,
    judgement: &mut Judgement,
) {
    let id = |one: &&Described| one.operation.id().split('.').next_back() == Some(&case.operation);
    let Some(described) = target.operations.iter().find(id) else {
        return judgement.differ(format!("there is no operation {}", case.operation));
    };
    let call = arguments(described, &case.arguments).and_then(|arguments| {
        described
            .call(&arguments)
            .map_err(|fault| fault.to_string())
    });
    let call = match call {
        Ok(call) => call,
        Err(why) => return judgement.differ(why),
    };
    let answered = case.response.clone();
    let wire = Arc::new(Wire {
        answer: answered.unwrap_or(Answered {
            status: 200,
            body: Value::Null,
        }),
        seen: Mutex::default(),
    });
    let client = (target.client)(wire.clone());
    let answer = client.call(call, &(), &CallOptions::new()).await;
    let seen = std::mem::take(&mut *lock(&wire.seen));
    match seen.as_slice() {
        [request] => compare(request, &case.request, judgement),
        requests => judgement.differ(format!("sent {} requests", requests.len())),
    }
    let found = answer.map_err(|fault| (target.fault)(&fault));
    let (kind, code) = match &found {
        Ok(_) => (None, None),
        Err(fault) => {
            let kind = format!("{:?}", fault.kind());
            (Some(kind), fault.code().map(str::to_owned))
        }
    };
    if kind != case.outcome.kind {
        let expected = &case.outcome.kind;
        judgement.differ(format!("kind: expected {expected:?}, got {kind:?}"));
    }
    if case.outcome.code.is_some() && code != case.outcome.code {
        let expected = &case.outcome.code;
        judgement.differ(format!("code: expected {expected:?}, got {code:?}"));
    }
}

fn arguments(described: &Described, given: &Map<String, Value>) -> Result<Arguments, String> {
    let mut arguments = Arguments::new();
    for (name, value) in given {
        if name == "body" {
            arguments = arguments.body(value.to_string());
            continue;
        }
        let mut all = described.parameters.iter();
        let parameter = all.find(|parameter| parameter.name == name);
        let parameter = parameter.ok_or_else(|| format!("there is no parameter {name}"))?;
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            arguments = arguments.value(parameter, text);
        }
    }
    Ok(arguments)
}

fn compare(request: &Request, expected: &Expected, judgement: &mut Judgement) {
    let mut same = |what: &str, expected: &str, found: &str| {
        if expected != found {
            judgement.differ(format!("{what}: expected {expected}, got {found}"));
        }
    };
    same("method", &expected.method, request.method.as_str());
    let path = request
        .uri
        .path_and_query()
        .map_or("", |path| path.as_str());
    same("path", &expected.path, path);
    let text = String::from_utf8_lossy(&request.body);
    match &expected.body {
        Value::Null => same("body", "", &text),
        // A form.
        Value::String(form) => same("body", form, &text),
        json => {
            let found: Value = serde_json::from_str(&text).unwrap_or_default();
            same("body", &json.to_string(), &found.to_string());
        }
    }
}

/// Gives one answer, and records the request.
#[derive(Debug)]
struct Wire {
    answer: Answered,
    seen: Mutex<Vec<Request>>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.status.fmt(f)
    }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, core::Result<Response>> {
        let mut seen = lock(&self.seen);
        seen.push(request);
        let status = StatusCode::from_u16(self.answer.status).unwrap_or_default();
        let mut response = Response::new(status);
        if !self.answer.body.is_null() {
            response.body = self.answer.body.to_string().into();
        }
        Box::pin(async { Ok(response) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::Method;
    use serde_json::json;
    use vouchsafe::core::CoreClient;
    use vouchsafe::core::call::described::{Body, Parameter, Place};
    use vouchsafe::core::call::{Answer, Call, Operation, Retry};
    use vouchsafe::core::service::{Base, Session};
    use vouchsafe::core::url::BaseUrl;

    use super::*;

    static SAVE: Operation = Operation::new("t.noteSave", Method::PUT, "/notes/{id}").open();

    static OPERATIONS: &[Described] = &[Described {
        operation: &SAVE,
        name: "note-save",
        about: "Save a note",
        parameters: &[Parameter {
            name: "id",
            flag: "id",
            place: Place::Path,
            required: true,
            secret: false,
            about: "",
            example: "1",
        }],
        body: Some(Body {
            is_form: false,
            required: true,
            example: "{}",
        }),
        answers_secret: false,
    }];

    #[derive(Clone, Debug)]
    struct Client(Session);

    impl Service for Client {
        type Error = core::Error;
        type Credential = ();

        async fn call(&self, call: Call, (): &(), options: &CallOptions) -> core::Result<Answer> {
            self.0.send(call, options).await
        }
    }

    fn client(transport: Arc<dyn Transport>) -> Client {
        let core = CoreClient::builder()
            .transport(transport)
            .retry(Retry::none());
        let base = BaseUrl::parse("https://t.example.com").unwrap();
        Client(Session::new(core.build().unwrap(), Base::fixed(base)))
    }

    async fn report(cases: &[Value]) -> Result<Report, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = json!({"schema": "t-described/1", "cases": cases});
        fs::write(folder.path().join("a.json"), file.to_string()).unwrap();
        let target = Target {
            name: "t",
            operations: OPERATIONS,
            client: &client,
            fault: core::Error::clone,
        };
        let mut report = Report::default();
        run(folder.path(), &target, &mut report).await?;
        Ok(report)
    }

    fn case() -> Value {
        json!({
            "id": "save",
            "operation": "noteSave",
            "arguments": {"id": 7, "body": {"text": "a"}},
            "request": {"method": "PUT", "path": "/notes/7", "body": {"text": "a"}},
            "response": {"status": 404},
            "outcome": {"kind": "NotFound"},
        })
    }

    #[tokio::test]
    async fn a_case_that_is_as_it_should_be_passes() {
        let report = report(&[case()]).await.unwrap();
        assert_eq!(
            (report.passed(), report.failures().len()),
            (1, 0),
            "{report}"
        );
    }

    #[tokio::test]
    async fn every_difference_is_reported() {
        let changed = |key: &str, value: Value| {
            let mut case = case();
            *case.pointer_mut(key).unwrap() = value;
            case
        };
        let wrong = [
            changed("/request/path", json!("/notes/8")),
            changed("/request/method", json!("POST")),
            changed("/request/body/text", json!("b")),
            changed("/response/status", json!(200)),
            changed("/outcome/kind", json!("Conflict")),
            changed("/operation", json!("noteLoad")),
            changed("/arguments", json!({"id": 7})),
            changed("/arguments", json!({"id": 7, "body": {}, "odd": 1})),
            changed("/request", json!({"method": "PUT", "path": "/", "odd": 1})),
        ];
        let report = report(&wrong).await.unwrap();
        assert_eq!(report.failures().len(), wrong.len(), "{report}");
        assert!(
            report
                .failures()
                .iter()
                .all(|one| !one.differences.is_empty())
        );
    }

    #[tokio::test]
    async fn a_folder_without_vectors_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target {
            name: "t",
            operations: OPERATIONS,
            client: &client,
            fault: core::Error::clone,
        };
        let missing = run(folder.path(), &target, &mut Report::default()).await;
        assert!(matches!(missing, Err(Error::Missing(_))), "{missing:?}");
    }
}
