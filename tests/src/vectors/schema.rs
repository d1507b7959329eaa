//! The files of vectors as they are written down. Where a key that is not known here would change
//! what a case means, the file is refused rather than judged wrongly.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One file: the cases of a class.
#[derive(Debug, Deserialize)]
pub(super) struct ClassFile {
    pub(super) schema: String,
    pub(super) cases: Vec<Value>,
}

/// One case; its kind says how it is judged.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) class: String,
    #[serde(default)]
    pub(super) title: String,
    /// Which server of the recorded world, or, in tables, the configuration itself.
    #[serde(default)]
    pub(super) config: Value,
    #[serde(flatten)]
    pub(super) kind: Kind,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Kind {
    Exchange(Exchange),
    Sequence(Sequence),
    Client(Script),
    Table(Table),
}

/// A request to a server and its answer.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Exchange {
    pub(super) request: Value,
    pub(super) response: Value,
    #[serde(default)]
    pub(super) volatile: Vec<String>,
    #[serde(default)]
    pub(super) unordered: Vec<String>,
    #[serde(default)]
    pub(super) relative_time: BTreeMap<String, i64>,
}

/// Exchanges in order on one server.
#[derive(Debug, Deserialize)]
pub(super) struct Sequence {
    pub(super) steps: Vec<Exchange>,
    #[serde(default)]
    pub(super) captures: OneOrMany<Capture>,
}

/// A value that a server makes up, and what later steps call it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Capture {
    pub(super) step: usize,
    pub(super) from: String,
    pub(super) placeholder: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// Calls of a client against a scripted upstream.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    #[serde(default)]
    pub(super) options: Options,
    pub(super) upstream: BTreeMap<String, Vec<Answer>>,
    pub(super) steps: Vec<Step>,
}

/// How the client is set up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    pub(super) cache_lifetime_s: Option<f64>,
    pub(super) cache_size: Option<usize>,
    pub(super) timeout_s: Option<f64>,
    pub(super) discovery_cache_timeout_s: Option<f64>,
    pub(super) base_path: Option<String>,
}

/// What the upstream answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    /// The outer option tells absent from `null`, which is a document of its own.
    #[serde(default, deserialize_with = "present")]
    pub(super) json: Option<Value>,
    pub(super) text: Option<String>,
    pub(super) content_type: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) delay_ms: u64,
    #[serde(default)]
    pub(super) drop: bool,
}

impl Answer {
    /// Returns the body as text, with the placeholder for the upstream's address in it.
    pub(super) fn body(&self) -> String {
        match (&self.json, &self.text) {
            (Some(json), _) => json.to_string(),
            (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    Sleep(Sleep),
    Concurrent(Concurrent),
    Call(CallStep),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sleep {
    pub(super) sleep_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallStep {
    pub(super) call: String,
    #[serde(default)]
    pub(super) args: Value,
    pub(super) expect: Expect,
    pub(super) upstream_requests: Vec<SeenRequest>,
    #[serde(default, rename = "note")]
    _note: Value,
}

/// Several calls at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Concurrent {
    pub(super) concurrent: Calls,
    #[serde(default)]
    pub(super) expect: Vec<Expect>,
    pub(super) expect_all: Option<Expect>,
    pub(super) upstream_requests: usize,
    pub(super) max_in_flight: Option<usize>,
    #[serde(default, rename = "note")]
    _note: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Calls {
    List(Vec<Call>),
    Repeated { times: usize, each: Call },
}

impl Calls {
    pub(super) fn to_vec(&self) -> Vec<Call> {
        match self {
            Self::List(calls) => calls.clone(),
            Self::Repeated { times, each } => vec![each.clone(); *times],
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Call {
    pub(super) call: String,
    #[serde(default)]
    pub(super) args: Value,
}

/// What the recorded client returned or raised.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    Ok(Value),
    Error(ExpectedError),
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ExpectedError {
    pub(super) class: String,
    pub(super) status: Option<u16>,
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    pub(super) body: Option<String>,
}

/// A request as the upstream saw it from the recorded client.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(super) struct SeenRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    #[serde(rename = "content-type")]
    pub(super) content_type: Option<String>,
    pub(super) body: Option<Value>,
}

/// Rows of input and result for one function.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) rows: Vec<(Value, Value)>,
    /// Which model, in model tables.
    pub(super) model: Option<String>,
    /// Which rule, in tables of names.
    pub(super) rule: Option<String>,
    /// What discovery served, in tables of the discovery client.
    pub(super) document: Option<Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_refused_rather_than_passed_over() {
        let text = r#"{"id":"a/b","class":"a","kind":"client","options":{"new":1},"upstream":{},"steps":[]}"#;
        assert!(serde_json::from_str::<Case>(text).is_err());
    }

    #[test]
    fn an_answer_of_null_is_not_an_answer_without_a_body() {
        let null: Answer = serde_json::from_str(r#"{"status":200,"json":null}"#).unwrap();
        let none: Answer = serde_json::from_str(r#"{"status":200}"#).unwrap();
        assert_eq!((null.body().as_str(), none.body().as_str()), ("null", ""));
    }

    #[test]
    fn steps_are_told_apart_by_their_keys() {
        let text = r#"[{"sleep_ms":5},
            {"concurrent":{"times":2,"each":{"call":"c"}},"expect_all":{"ok":null},"upstream_requests":1},
            {"call":"c","args":{},"expect":{"error":{"class":"E"}},"upstream_requests":[]}]"#;
        let steps: Vec<Step> = serde_json::from_str(text).unwrap();
        assert!(matches!(
            steps.as_slice(),
            [Step::Sleep(_), Step::Concurrent(_), Step::Call(_)]
        ));
    }
}
