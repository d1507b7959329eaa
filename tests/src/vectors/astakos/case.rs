//! Recorded calls as they are written down.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A call of a client method, and the exchanges that it made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    #[serde(rename = "id")]
    _id: String,
    pub(super) api: String,
    #[serde(rename = "server")]
    _server: String,
    pub(super) client: Client,
    pub(super) call: Call,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) outcome: Outcome,
    #[serde(default)]
    pub(super) port: Option<Port>,
    #[serde(default, rename = "note")]
    _note: Value,
}

/// How the client is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    #[serde(default)]
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) auth_url: Option<String>,
    #[serde(default)]
    pub(super) astakos_url: Option<String>,
    pub(super) retry: u32,
    pub(super) use_pool: bool,
    #[serde(default)]
    pub(super) headers: Map<String, Value>,
}

/// What is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) args: Vec<Value>,
    pub(super) kwargs: Map<String, Value>,
    #[serde(default, rename = "property")]
    _property: bool,
    #[serde(default = "once")]
    pub(super) repeat: usize,
}

fn once() -> usize {
    1
}

/// A request and what was answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) role: Role,
    #[serde(default)]
    pub(super) connection: Option<u64>,
    pub(super) request: Request,
    pub(super) response: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Discovery,
    Call,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// What is answered: the real thing, or a fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Answer {
    Fault {
        fault: Fault,
        #[serde(default)]
        body: String,
        #[serde(default, rename = "status")]
        _status: Value,
        #[serde(default, rename = "reason")]
        _reason: Value,
        #[serde(default, rename = "headers")]
        _headers: Value,
    },
    Response {
        status: u16,
        #[serde(default)]
        reason: String,
        headers: Vec<(String, String)>,
        body: String,
        #[serde(default)]
        framing: Option<Framing>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fault {
    Close,
    Truncate,
    Garbage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Framing {
    CloseDelimited,
    Chunked,
}

/// What the caller got.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Returns(Value),
    Raises(Raised),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raised {
    pub(super) class: Option<String>,
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) body_of_exchange: Option<usize>,
    #[serde(default)]
    pub(super) about: Map<String, Value>,
    #[serde(default, rename = "reference_raises_raw")]
    _raw: Value,
}

/// How a port differs from what was recorded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    #[serde(default)]
    pub(super) differs: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) returns: Option<Value>,
    #[serde(default)]
    pub(super) raises: Option<Raised>,
    #[serde(default)]
    pub(super) sends_form: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) continues: Value,
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}
