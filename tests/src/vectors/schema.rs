//! The files of vectors as they are written down. Where a key that is not known here would change
//! what a case means, the file is refused rather than judged wrongly.

use std::collections::BTreeMap;
use std::time::Duration;

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
    #[serde(default)]
    pub(super) id: String,
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
#[serde(deny_unknown_fields)]
pub(super) struct Capture {
    pub(super) step: usize,
    pub(super) from: String,
    pub(super) placeholder: String,
    #[serde(default, rename = "note")]
    _note: Value,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// If it is not a schema, or uses unknown keywords.
    pub(super) fn read(case: Value) -> Result<Self, String> {
        let kind = case["kind"].as_str().unwrap_or_default();
        let own: &[&str] = match kind {
            "exchange" => EXCHANGE_KEYS,
            "sequence" => &["steps", "captures"],
            "client" => &["options", "upstream", "steps"],
            "table" => &["columns", "rows", "model", "rule", "document"],
            other => return Err(format!("unknown kind {other:?}")),
        };
        let known = [CASE_KEYS, own].concat();
        if let Some(key) = unknown_key(&case, &known) {
            return Err(format!("unknown key {key:?}"));
        }
        if let Some(service) = case.get("service")
            && !SERVICES.iter().any(|known| service == known)
        {
            return Err(format!("unknown service {service}"));
        }
        let exchanges = match kind {
            "exchange" => std::slice::from_ref(&case),
            "sequence" => case["steps"].as_array().map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        for exchange in exchanges {
            let key = unknown_key(&exchange["request"], REQUEST_KEYS)
                .or_else(|| unknown_key(&exchange["response"], RESPONSE_KEYS))
                .or_else(|| unknown_key(exchange, EXCHANGE_KEYS).filter(|_| kind == "sequence"));
            if let Some(key) = key {
                return Err(format!("unknown key {key:?} in an exchange"));
            }
        }
        serde_json::from_value(case).map_err(|cause| cause.to_string())
    }
}

const SERVICES: &[&str] = &["gafaelfawr", "repertoire", "client", "rules"];
const CASE_KEYS: &[&str] = &[
    "id", "class", "title", "note", "kind", "service", "config", "source",
];
const EXCHANGE_KEYS: &[&str] = &[
    "request",
    "response",
    "volatile",
    "unordered",
    "relative_time",
    "note",
    "title",
];
const REQUEST_KEYS: &[&str] = &["method", "path", "headers", "body", "raw_body"];
const RESPONSE_KEYS: &[&str] = &["status", "headers", "body", "text"];

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
    pub(super) cache_size: Option<i64>,
    pub(super) timeout_s: Option<f64>,
    pub(super) discovery_cache_timeout_s: Option<f64>,
    pub(super) base_path: Option<String>,
}

impl Options {
    /// Returns whether our types can hold all of them.
    pub(super) fn is_possible(&self) -> bool {
        let times = [
            self.cache_lifetime_s,
            self.timeout_s,
            self.discovery_cache_timeout_s,
        ];
        let is_time = |seconds: &f64| Duration::try_from_secs_f64(*seconds).is_ok();
        times.iter().flatten().all(is_time)
            && self
                .cache_size
                .is_none_or(|size| usize::try_from(size).is_ok())
    }
}

/// What the upstream answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    /// The outer option distinguishes absent from `null`, which is a document.
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
    #[serde(default, rename = "note")]
    _note: Value,
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
    Repeated(Repeated),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repeated {
    times: usize,
    each: Call,
    #[serde(default, rename = "note")]
    _note: Value,
}

impl Calls {
    pub(super) fn to_vec(&self) -> Vec<Call> {
        match self {
            Self::List(calls) => calls.clone(),
            Self::Repeated(all) => vec![all.each.clone(); all.times],
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedError {
    pub(super) class: String,
    #[serde(default, rename = "bases")]
    pub(super) _bases: Value,
    #[serde(default, rename = "message")]
    pub(super) _message: Value,
    pub(super) status: Option<u16>,
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    pub(super) body: Option<String>,
}

/// A request as the upstream saw it from the recorded client.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    #[serde(rename = "content-type")]
    pub(super) content_type: Option<String>,
    pub(super) body: Option<Value>,
}

/// Rows of input and result for one function.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Table {
    pub(super) rows: Vec<(Value, Value)>,
    /// Which model, in model tables.
    pub(super) model: Option<String>,
    /// Which rule, in tables of names.
    pub(super) rule: Option<String>,
    /// What discovery served, in tables of the discovery client.
    pub(super) document: Option<Value>,
}

/// Returns a key of an object that is not among those known.
pub(super) fn unknown_key<'v>(value: &'v Value, known: &[&str]) -> Option<&'v str> {
    let mut keys = value.as_object()?.keys().map(String::as_str);
    keys.find(|key| !known.contains(key))
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
    fn a_key_that_is_not_known_is_refused_wherever_it_stands() {
        let case = serde_json::json!({
            "id": "a/b", "class": "a", "kind": "sequence", "captures": [],
            "steps": [{"request": {"method": "GET", "path": "/", "headers": {}},
                       "response": {"status": 200}}],
        });
        assert!(Case::read(case.clone()).is_ok());
        for place in ["/", "/steps/0", "/steps/0/request", "/steps/0/response"] {
            let mut case = case.clone();
            case.pointer_mut(place.trim_end_matches('/')).unwrap()["trailers"] = 1.into();
            assert!(Case::read(case).is_err(), "{place}");
        }
        let mut other = case.clone();
        other["service"] = "weather".into();
        assert!(Case::read(other).is_err());
        for kind in ["exchange", "table", "client", "new"] {
            let mut case = case.clone();
            case["kind"] = kind.into();
            assert!(Case::read(case).is_err(), "{kind}");
        }
    }

    #[test]
    fn options_that_no_type_holds_are_known_as_such() {
        for (text, possible) in [
            (r#"{"cache_lifetime_s": 0, "cache_size": 0}"#, true),
            (r#"{"timeout_s": -1}"#, false),
            (r#"{"cache_lifetime_s": 1e300}"#, false),
            (r#"{"cache_size": -1}"#, false),
        ] {
            let options: Options = serde_json::from_str(text).unwrap();
            assert_eq!(options.is_possible(), possible, "{text}");
        }
    }

    #[test]
    fn an_answer_of_null_is_not_an_answer_without_a_body() {
        let null: Answer = serde_json::from_str(r#"{"status":200,"json":null}"#).unwrap();
        let none: Answer = serde_json::from_str(r#"{"status":200}"#).unwrap();
        assert_eq!((null.body().as_str(), none.body().as_str()), ("null", ""));
    }

    #[test]
    fn steps_are_told_apart_by_their_keys() {
        let text = r#"[{"sleep_ms":5,"note":"n"},
            {"concurrent":{"times":2,"each":{"call":"c"},"note":"n"},"expect_all":{"ok":null},"upstream_requests":1},
            {"call":"c","args":{},"expect":{"error":{"class":"E"}},"upstream_requests":[]}]"#;
        let steps: Vec<Step> = serde_json::from_str(text).unwrap();
        assert!(matches!(
            steps.as_slice(),
            [Step::Sleep(_), Step::Concurrent(_), Step::Call(_)]
        ));
    }
}
