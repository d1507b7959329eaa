//! The format of recorded calls.

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
    /// Whether requests may follow for which nothing was recorded.
    #[serde(skip)]
    pub(super) goes_on: bool,
    /// Whether the result for the caller was not recorded.
    #[serde(skip)]
    pub(super) outcome_is_open: bool,
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
    /// Attempts beyond the first.
    pub(super) retry: i64,
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
        /// A field that decides nothing.
        #[serde(default, rename = "reason")]
        _reason: Value,
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
    #[serde(default, rename = "differs")]
    _differs: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) returns: Option<Value>,
    #[serde(default)]
    pub(super) raises: Option<Raised>,
    #[serde(default)]
    pub(super) sends_form: Option<Map<String, Value>>,
    /// What comes after the recorded exchanges, where the recorded client stopped too early.
    #[serde(default)]
    pub(super) continues: Value,
}

/// How a call continues after its recorded exchanges.
enum Continuation {
    /// It does not.
    None,
    /// It continues in a way that was not recorded.
    Open,
    /// With these exchanges, and perhaps another outcome.
    With(Vec<Exchange>, Option<Outcome>),
}

impl Port {
    fn continuation(&self) -> Result<Continuation, String> {
        let unknown = |cause: serde_json::Error| format!("port.continues: {cause}");
        let exchanges = |value: &Value| serde_json::from_value(value.clone()).map_err(unknown);
        Ok(match &self.continues {
            Value::Null | Value::Bool(false) => Continuation::None,
            Value::Bool(true) | Value::String(_) => Continuation::Open,
            list @ Value::Array(_) => Continuation::With(exchanges(list)?, None),
            one @ Value::Object(members) if members.contains_key("request") => Continuation::With(
                vec![serde_json::from_value(one.clone()).map_err(unknown)?],
                None,
            ),
            Value::Object(members) => {
                let mut members = members.clone();
                let list = members.remove("exchanges");
                let outcome = (!members.is_empty())
                    .then(|| serde_json::from_value(Value::Object(members)).map_err(unknown))
                    .transpose()?;
                match (list, outcome) {
                    (Some(list), outcome) => Continuation::With(exchanges(&list)?, outcome),
                    (None, Some(outcome)) => Continuation::With(Vec::new(), Some(outcome)),
                    (None, None) => return Err("port.continues: {} says nothing".to_owned()),
                }
            }
            other @ Value::Number(_) => return Err(format!("port.continues: {other} is unknown")),
        })
    }
}

impl Case {
    /// Returns the case with what a port does after the recorded exchanges.
    ///
    /// # Errors
    ///
    /// If it does not say so in a known form.
    pub(super) fn continued(mut self) -> Result<Self, String> {
        let Some(port) = &mut self.port else {
            return Ok(self);
        };
        match port.continuation()? {
            Continuation::None => {}
            Continuation::Open => {
                self.goes_on = true;
                self.outcome_is_open = port.returns.is_none() && port.raises.is_none();
            }
            Continuation::With(more, outcome) => {
                self.outcome_is_open =
                    outcome.is_none() && port.returns.is_none() && port.raises.is_none();
                match outcome {
                    Some(Outcome::Returns(value)) => port.returns = Some(value),
                    Some(Outcome::Raises(raised)) => port.raises = Some(raised),
                    None => {}
                }
                self.exchanges.extend(more);
            }
        }
        Ok(self)
    }
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn continued(port: Value) -> Result<Case, String> {
        let case = json!({
            "id": "made-up", "api": "0.21", "server": "scripted",
            "client": {"token": "t", "retry": 0, "use_pool": true},
            "call": {"method": "get_quotas", "args": [], "kwargs": {}},
            "exchanges": [], "outcome": {"raises": {"class": null}}, "port": port,
        });
        let case: Case = serde_json::from_value(case).map_err(|fault| fault.to_string())?;
        case.continued()
    }

    #[test]
    fn a_case_continues_in_every_form_that_says_how() {
        let exchange = json!({
            "role": "call",
            "request": {"method": "GET", "target": "/", "headers": [], "body": ""},
            "response": {"status": 200, "headers": [], "body": "{}"},
        });
        for (continues, more, goes_on, is_open) in [
            (json!(null), 0, false, false),
            (json!(true), 0, true, true),
            (json!("asks again"), 0, true, true),
            (json!([exchange]), 1, false, true),
            (exchange.clone(), 1, false, true),
            (
                json!({"exchanges": [exchange], "returns": {}}),
                1,
                false,
                false,
            ),
            (json!({"raises": {"class": "NotFound"}}), 0, false, false),
        ] {
            let case = continued(json!({"differs": "why", "continues": continues})).unwrap();
            let got = (case.exchanges.len(), case.goes_on, case.outcome_is_open);
            assert_eq!(got, (more, goes_on, is_open), "{continues}");
        }
    }

    #[test]
    fn another_way_to_go_on_is_refused() {
        for continues in [json!(3), json!({}), json!([1]), json!({"exchange": []})] {
            let port = json!({"differs": "why", "continues": continues});
            assert!(continued(port).is_err(), "{continues}");
        }
        assert!(continued(json!({"differs": "why", "stops": true})).is_err());
    }
}
