//! A case as it was recorded. Where a key that is not known here would change what it means, it is
//! refused rather than judged wrongly.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    #[serde(rename = "id")]
    _id: String,
    pub(super) class: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(default, rename = "notes")]
    _notes: Value,
    #[serde(rename = "impl")]
    pub(super) program: Value,
    #[serde(rename = "libs")]
    _libs: Value,
    #[serde(default, rename = "tags")]
    _tags: Value,
    pub(super) policy: String,
    #[serde(default)]
    pub(super) rust: String,
    pub(super) setup: Setup,
    pub(super) steps: Vec<Recorded>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    pub(super) now: Option<f64>,
    pub(super) uuid4: Option<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) store_path: Option<String>,
    pub(super) store_text: Option<String>,
    pub(super) store_mode: Option<String>,
    /// Of the process, so that it cannot be set for one case; files are private whatever it is.
    #[serde(default, rename = "umask")]
    _umask: Value,
    #[serde(default)]
    pub(super) home_files: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    #[serde(rename = "do")]
    pub(super) deed: String,
    #[serde(default)]
    pub(super) on: Option<String>,
    #[serde(default)]
    pub(super) bind: Option<String>,
    pub(super) args: Map<String, Value>,
    /// The names of the members of the argument `params`, in the order of the file.
    #[serde(skip)]
    pub(super) params: Vec<String>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) outcome: Outcome,
    #[serde(default)]
    pub(super) store_after: Option<StoreAfter>,
    /// Private members of Python objects.
    #[serde(default, rename = "credentials_after")]
    _credentials_after: Value,
    /// How long Python slept, in seconds; waits are longer here, and random.
    #[serde(default, rename = "sleeps")]
    _sleeps: Option<Vec<f64>>,
    /// What a generator gave before it failed.
    #[serde(default)]
    pub(super) yielded_before_error: Option<Vec<Value>>,
    /// How many answers were not asked for there; they are not recorded.
    #[serde(default, rename = "unused_responses")]
    _unused_responses: Option<u64>,
    #[serde(default)]
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) response: Response,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    #[serde(rename = "version")]
    _version: Value,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    /// Host and port, where a proxy was between.
    #[serde(default)]
    pub(super) via_tunnel: Option<String>,
    /// Of a client certificate, which the server itself asks for.
    #[serde(default, rename = "client_cert_subject")]
    _client_cert_subject: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(default, rename = "reason")]
    _reason: Value,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Outcome {
    Ok(Value),
    Err(Raised),
}

/// An exception of Python.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raised {
    pub(super) class: String,
    #[serde(rename = "bases")]
    _bases: Value,
    pub(super) message: String,
    /// Whether the package raised it on purpose.
    pub(super) library_error: bool,
    #[serde(rename = "message_portable")]
    _message_portable: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreAfter {
    pub(super) text: Option<String>,
    pub(super) file_mode: Option<String>,
    #[serde(default)]
    pub(super) dir_mode: Option<String>,
}

impl Recorded {
    /// Returns a step that was not recorded: a request for a path.
    pub(super) fn request(path: &str) -> Self {
        let args = [("method", "GET"), ("path", path)];
        let args = args.map(|(name, value)| (name.to_owned(), Value::from(value)));
        Self {
            deed: "request".to_owned(),
            on: None,
            bind: None,
            args: args.into_iter().collect(),
            params: Vec::new(),
            exchanges: Vec::new(),
            outcome: Outcome::Ok(Value::Null),
            store_after: None,
            _credentials_after: Value::Null,
            _sleeps: None,
            yielded_before_error: None,
            _unused_responses: None,
            note: None,
        }
    }
}

impl Response {
    /// Returns an answer that was not recorded.
    pub(super) fn made(path: &str) -> Self {
        let body = match path.ends_with("RequestToken") {
            // It expires an hour after the time of all cases.
            true => r#"{"access_token": "e30.eyJleHAiOjE3MDAwMDM2MDB9.c2ln"}"#,
            false => r#"{"ok": 1}"#,
        };
        Self {
            status: 200,
            _reason: Value::Null,
            headers: Vec::new(),
            body: Some(body.to_owned()),
        }
    }
}
