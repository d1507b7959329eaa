//! Steering hosts from programs in other languages: JSON over HTTP under `/_mock/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /_mock/` | names the services |
//! | `GET /_mock/SERVICE/journal` | `{"requests": [..], "surprises": [..]}` |
//! | `DELETE /_mock/SERVICE/journal` | clears it |
//! | `POST /_mock/SERVICE/faults` | adds a fault: a JSON object, see below |
//! | `DELETE /_mock/SERVICE/faults` | removes all faults |
//! | `GET /_mock/SERVICE/clock` | `{"unix_ms": 1700000000000}` |
//! | `POST /_mock/SERVICE/clock` | `{"advance_ms": 1000}` or `{"unix_ms": 1700000000000}` |
//! | `POST /_mock/SERVICE/reset` | puts the service back to its start, clears journal and faults |
//! | `GET /_mock/SERVICE/snapshot` | the service's state |
//!
//! Without `SERVICE/` a request is for all services, and an answer is an object by their names.
//!
//! A fault has conditions, all of which must hold (`operation`, `nth`, `times`, `probability` with
//! `seed`, `from_ms` with `until_ms`), and what is done: `status`, `headers`, `json` or `text`,
//! `retry_after_s`, `delay_ms`, `skewed_date_s`, and `harm`, which is one of `"no_answer"`,
//! `"reset_before_head"`, `"reset_in_head"`, `"reset_after_head"`, `"cut_body"`, `"not_http"`,
//! `"garbage"`, `"close_when_idle"`, `{"drip": {"bytes": 1, "wait_ms": 100}}`,
//! `{"wrong_length": 5}` and `{"huge_body": 10000000}`. [`Fault`] says what each means.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Handler, Host};
use crate::Clock;
use crate::transport::{Request, Response};

/// The management of hosts. It is a [`Handler`] itself: serve it by a [`Host`] of its own.
#[derive(Clone, Debug, Default)]
pub struct Management {
    hosts: Vec<(String, Host)>,
}

impl Management {
    /// Begins without a host.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host under a service's name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, host: &Host) -> Self {
        self.hosts.push((name.into(), host.clone()));
        self
    }

    /// Answers, or returns a refusal.
    fn answer(&self, request: &Request) -> Result<Value, Refusal> {
        let path = request.uri.path();
        let nothing = || Refusal::new(StatusCode::NOT_FOUND, format!("there is no {path}"));
        let rest = path.strip_prefix(PREFIX).ok_or_else(nothing)?;
        if rest.is_empty() {
            let names: Vec<&str> = self.hosts.iter().map(|(name, _)| name.as_str()).collect();
            return Ok(json!({ "services": names }));
        }
        let (service, what) = match rest.split_once('/') {
            Some((service, what)) => (Some(service), what),
            None => (None, rest),
        };
        let act = Act::read(&request.method, what, &request.body)?.ok_or_else(nothing)?;
        let Some(service) = service else {
            let all = self.hosts.iter();
            return Ok(all
                .map(|(name, host)| (name.clone(), act.apply(host)))
                .collect());
        };
        let found = self.hosts.iter().find(|(name, _)| name == service);
        let (_, host) = found.ok_or_else(nothing)?;
        Ok(act.apply(host))
    }
}

impl Handler for Management {
    fn handle(&self, request: &Request) -> Response {
        let (status, body, allow) = match self.answer(request) {
            Ok(body) => (StatusCode::OK, body, None),
            Err(Refusal {
                status,
                message,
                allow,
            }) => (status, json!({ "error": message }), allow),
        };
        let mut response = Response::new(status);
        let content_type = HeaderValue::from_static("application/json");
        response.headers.insert(CONTENT_TYPE, content_type);
        if let Some(allow) = allow {
            response
                .headers
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        response.body = body.to_string().into();
        response
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        uri.path().starts_with(PREFIX).then_some("mock.manage")
    }
}

const PREFIX: &str = "/_mock/";

/// What is to be done to each host.
enum Act {
    TellJournal,
    ClearJournal,
    AddFault(Box<Fault>),
    ClearFaults,
    TellClock,
    TurnClock(Turn),
    Reset,
    TellState,
}

impl Act {
    /// Reads what is asked; `None` if there is no such thing.
    fn read(method: &Method, what: &str, body: &[u8]) -> Result<Option<Self>, Refusal> {
        let allow = match what {
            "journal" => "GET, DELETE",
            "faults" => "POST, DELETE",
            "clock" => "GET, POST",
            "reset" => "POST",
            "snapshot" => "GET",
            _ => return Ok(None),
        };
        Ok(Some(match (what, method.as_str()) {
            ("journal", "GET") => Self::TellJournal,
            ("journal", "DELETE") => Self::ClearJournal,
            ("faults", "POST") => Self::AddFault(Box::new(parse::<Rule>(body)?.fault()?)),
            ("faults", "DELETE") => Self::ClearFaults,
            ("clock", "GET") => Self::TellClock,
            ("clock", "POST") => Self::TurnClock(parse(body)?),
            ("reset", "POST") => Self::Reset,
            ("snapshot", "GET") => Self::TellState,
            _ => {
                return Err(Refusal {
                    status: StatusCode::METHOD_NOT_ALLOWED,
                    message: format!("{what} knows {allow}"),
                    allow: Some(allow),
                });
            }
        }))
    }

    fn apply(&self, host: &Host) -> Value {
        match self {
            Self::TellJournal => json!({
                "requests": host.journal().entries(),
                "surprises": host.journal().surprises(),
            }),
            Self::ClearJournal => {
                host.journal().clear();
                json!({})
            }
            Self::AddFault(fault) => {
                host.faults().add((**fault).clone());
                json!({})
            }
            Self::ClearFaults => {
                host.faults().clear();
                json!({})
            }
            Self::TellClock => time(host),
            Self::TurnClock(turn) => {
                match *turn {
                    Turn::AdvanceMs(by) => host.clock().advance(Duration::from_millis(by)),
                    Turn::UnixMs(at) => {
                        host.clock()
                            .set(UNIX_EPOCH + Duration::from_millis(at.min(LAST_MS)));
                    }
                }
                time(host)
            }
            Self::Reset => {
                host.reset();
                json!({})
            }
            Self::TellState => host.handler().snapshot(),
        }
    }
}

fn time(host: &Host) -> Value {
    let since = host.clock().now().duration_since(UNIX_EPOCH);
    let passed = since.unwrap_or_default().as_millis();
    json!({ "unix_ms": u64::try_from(passed).unwrap_or(LAST_MS) })
}

/// The end of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Turn {
    AdvanceMs(u64),
    UnixMs(u64),
}

/// A fault as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    operation: Option<String>,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    retry_after_s: Option<u64>,
    delay_ms: Option<u64>,
    skewed_date_s: Option<i64>,
    harm: Option<HarmRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum HarmRule {
    NoAnswer,
    ResetBeforeHead,
    ResetInHead,
    ResetAfterHead,
    CutBody,
    NotHttp,
    Garbage,
    CloseWhenIdle,
    Drip { bytes: usize, wait_ms: u64 },
    WrongLength(u64),
    HugeBody(u64),
}

impl Rule {
    fn fault(self) -> Result<Fault, Refusal> {
        let refuse = |why: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, why));
        let ms = Duration::from_millis;
        let mut fault = match self.operation {
            Some(operation) => Fault::on(operation),
            None => Fault::on_any(),
        };
        if let Some(n) = self.nth {
            fault = fault.nth(n);
        }
        if let Some(limit) = self.times {
            fault = fault.times(limit);
        }
        match (self.probability, self.seed) {
            (Some(p), seed) if (0.0..=1.0).contains(&p) => {
                fault = fault.probability(p, seed.unwrap_or_default());
            }
            (Some(_), _) => return refuse("probability is between 0 and 1"),
            (None, Some(_)) => return refuse("seed goes with probability"),
            (None, None) => {}
        }
        if self.from_ms.is_some() || self.until_ms.is_some() {
            let until = self.until_ms.map_or(Duration::MAX, ms);
            fault = fault.between(ms(self.from_ms.unwrap_or_default()), until);
        }
        match self.status {
            Some(status @ 200..=999) => fault = fault.status(status),
            Some(_) => return refuse("status is between 200 and 999"),
            None => {}
        }
        for (name, value) in &self.headers {
            let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value.as_str()),
            ) else {
                return refuse("headers hold what does not fit a header");
            };
            fault = fault.header(name, value);
        }
        match (self.json, self.text) {
            (Some(_), Some(_)) => return refuse("json and text exclude each other"),
            (Some(json), None) => fault = fault.json(&json),
            (None, Some(text)) => fault = fault.body(text),
            (None, None) => {}
        }
        if let Some(wait) = self.retry_after_s {
            fault = fault.retry_after(Duration::from_secs(wait));
        }
        if let Some(delay) = self.delay_ms {
            fault = fault.delay(ms(delay));
        }
        if let Some(seconds) = self.skewed_date_s {
            fault = fault.skewed_date(seconds);
        }
        let fault = match self.harm {
            None => fault,
            Some(HarmRule::NoAnswer) => fault.no_answer(),
            Some(HarmRule::ResetBeforeHead) => fault.reset_before_head(),
            Some(HarmRule::ResetInHead) => fault.reset_in_head(),
            Some(HarmRule::ResetAfterHead) => fault.reset_after_head(),
            Some(HarmRule::CutBody) => fault.cut_body(),
            Some(HarmRule::NotHttp) => fault.not_http(),
            Some(HarmRule::Garbage) => fault.garbage(),
            Some(HarmRule::CloseWhenIdle) => fault.close_when_idle(),
            Some(HarmRule::Drip { bytes, wait_ms }) => fault.drip(bytes, ms(wait_ms)),
            Some(HarmRule::WrongLength(declared)) => fault.wrong_length(declared),
            Some(HarmRule::HugeBody(bytes)) => fault.huge_body(bytes),
        };
        if fault.does_nothing() {
            return refuse("the fault does nothing: give it a status, a delay, a harm");
        }
        Ok(fault)
    }
}

struct Refusal {
    status: StatusCode,
    message: String,
    allow: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|cause| Refusal::new(StatusCode::BAD_REQUEST, cause.to_string()))
}
