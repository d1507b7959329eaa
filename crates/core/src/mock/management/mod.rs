//! Controlling hosts from programs in other languages: JSON over HTTP under `/_mock/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /_mock`, `GET /_mock/SERVICE` | describes all of this, or the part of one service, in OpenAPI 3.1 |
//! | `GET /_mock/` | lists the services |
//! | `GET /_mock/SERVICE/journal` | `{"requests": [..], "surprises": [..]}` |
//! | `DELETE /_mock/SERVICE/journal` | clears it |
//! | `GET /_mock/SERVICE/operations` | the ids that faults can name |
//! | `GET /_mock/SERVICE/faults` | the faults, and how often each was applied |
//! | `POST /_mock/SERVICE/faults` | adds a fault: a JSON object, see below |
//! | `DELETE /_mock/SERVICE/faults` | removes all faults |
//! | `GET /_mock/SERVICE/clock` | `{"unix_ms": 1700000000000}` |
//! | `POST /_mock/SERVICE/clock` | `{"advance_ms": 1000}` or `{"unix_ms": 1700000000000}` |
//! | `POST /_mock/SERVICE/reset` | restores the initial state and time, clears journal and faults |
//! | `GET /_mock/SERVICE/snapshot` | the service's state |
//! | `POST /_mock/SERVICE/ACTION` | an action of the service: see [`Handler::actions`] |
//!
//! Without `SERVICE/` a request applies to all services, and the answer is an object by their
//! names; actions need the service.
//!
//! A fault has conditions, all of which must hold (`operation`, `nth`, `times`, `probability` with
//! `seed`, `from_ms` with `until_ms`), and effects: `status`, `headers`, `json` or `text`,
//! `retry_after_s`, `delay_ms`, `skewed_date_s`, and `harm`, which is one of `"no_answer"`,
//! `"reset_before_head"`, `"reset_in_head"`, `"reset_after_head"`, `"cut_body"`, `"not_http"`,
//! `"garbage"`, `"close_when_idle"`, `"refuse_stream"`, `{"reset_stream": 2}`, `{"go_away": 11}`,
//! `{"drip": {"bytes": 1, "wait_ms": 100}}`, `{"wrong_length": 5}` and `{"huge_body": 10000000}`.
//! [`Fault`] documents each of them.
//!
//! Any web page that is open on the machine can send requests to loopback addresses. Therefore the
//! management requires a loopback name in `Host`, and refuses the origins of other pages and the
//! content types that pages may send without a preflight.

mod description;
mod fault;
mod guard;

use std::time::{Duration, UNIX_EPOCH};

use http::header::{ALLOW, CACHE_CONTROL, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::fault::Rule;
use super::{Fault, Handler, Host, faults, respond, strict};
use crate::transport::{Request, Response};
use crate::{Clock, Error, ErrorKind};

/// The management API of hosts. It is itself a [`Handler`], to be served by its own [`Host`].
#[derive(Clone, Debug, Default)]
pub struct Management {
    hosts: Vec<(String, Host)>,
}

impl Management {
    /// Creates a management API without hosts.
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
        guard::admit(request)?;
        let path = request.uri.path();
        let nothing = || Refusal::new(StatusCode::NOT_FOUND, format!("there is no {path}"));
        let rest = path.strip_prefix(PREFIX).ok_or_else(nothing)?;
        let rest = match rest {
            "" => return get(request, || description::of(&self.hosts)),
            "/" => {
                let names: Vec<_> = self.hosts.iter().map(|(name, _)| name).collect();
                return get(request, || json!({ "services": names }));
            }
            rest => rest.strip_prefix('/').ok_or_else(nothing)?,
        };
        let host = |service: &str| {
            let mut hosts = self.hosts.iter();
            hosts.find(|(name, _)| name == service)
        };
        let (service, what) = match rest.trim_end_matches('/').split_once('/') {
            Some((service, what)) => (Some(host(service).ok_or_else(nothing)?), what),
            None => match host(rest.trim_end_matches('/')) {
                Some(one) => {
                    return get(request, || description::of(std::slice::from_ref(one)));
                }
                None => (None, rest),
            },
        };
        let chosen = service.map_or(self.hosts.as_slice(), std::slice::from_ref);
        if let Some(act) = Act::read(&request.method, what, &request.body)? {
            act.check(chosen)?;
            if let Some((_, host)) = service {
                return act.apply(host);
            }
            let of_each = |(name, host): &(String, Host)| Ok((name.clone(), act.apply(host)?));
            return chosen.iter().map(of_each).collect();
        }
        let (_, host) = service.ok_or_else(|| match self.with_action(what) {
            Some(name) => Refusal::new(
                StatusCode::NOT_FOUND,
                format!("{what} belongs to one service: {PREFIX}/{name}/{what}"),
            ),
            None => nothing(),
        })?;
        let mut actions = host.handler().actions().iter();
        let action = actions.find(|action| action.name() == what);
        let action = action.ok_or_else(nothing)?;
        if request.method != Method::POST {
            return Err(Refusal::method(what, "POST"));
        }
        if action.fields().next().is_none() && !request.body.is_empty() {
            let Nothing {} = parse(&request.body)?;
        }
        Ok(host.handler().act(what, &request.body)?)
    }

    /// Returns the first service that has an action.
    fn with_action(&self, what: &str) -> Option<&str> {
        let mut hosts = self.hosts.iter();
        let found = hosts.find(|(_, host)| {
            let mut actions = host.handler().actions().iter();
            actions.any(|action| action.name() == what)
        });
        found.map(|(name, _)| name.as_str())
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
        let mut response = respond::json(status.as_u16(), &body);
        let same_origin = HeaderName::from_static("cross-origin-resource-policy");
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (same_origin, "same-origin"),
        ] {
            respond::put(&mut response.headers, name, value);
        }
        if let Some(allow) = allow {
            respond::put(&mut response.headers, ALLOW, allow);
        }
        response
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        uri.path().starts_with(PREFIX).then_some("mock.manage")
    }
}

const PREFIX: &str = "/_mock";

/// Answers a request that only reads.
fn get(request: &Request, answer: impl FnOnce() -> Value) -> Result<Value, Refusal> {
    match request.method {
        Method::GET => Ok(answer()),
        _ => Err(Refusal::method(request.uri.path(), "GET")),
    }
}

/// The action for each host.
enum Act {
    TellJournal,
    ClearJournal,
    TellOperations,
    TellFaults,
    AddFault(Box<Fault>),
    ClearFaults,
    TellClock,
    TurnClock(Turn),
    Reset,
    TellState,
}

impl Act {
    /// Reads the target of a request; `None` if it does not exist.
    fn read(method: &Method, what: &str, body: &[u8]) -> Result<Option<Self>, Refusal> {
        let allow = match what {
            "journal" => "GET, DELETE",
            "operations" => "GET",
            "faults" => "GET, POST, DELETE",
            "clock" => "GET, POST",
            "reset" => "POST",
            "snapshot" => "GET",
            _ => return Ok(None),
        };
        Ok(Some(match (what, method.as_str()) {
            ("journal", "GET") => Self::TellJournal,
            ("journal", "DELETE") => Self::ClearJournal,
            ("operations", "GET") => Self::TellOperations,
            ("faults", "GET") => Self::TellFaults,
            ("faults", "POST") => Self::AddFault(Box::new(parse::<Rule>(body)?.fault()?)),
            ("faults", "DELETE") => Self::ClearFaults,
            ("clock", "GET") => Self::TellClock,
            ("clock", "POST") => Self::TurnClock(parse(body)?),
            ("reset", "POST") => Self::Reset,
            ("snapshot", "GET") => Self::TellState,
            _ => return Err(Refusal::method(what, allow)),
        }))
    }

    /// Refuses a request that no service can carry out, before any service does.
    fn check(&self, hosts: &[(String, Host)]) -> Result<(), Refusal> {
        let Self::AddFault(fault) = self else {
            return Ok(());
        };
        let Some(operation) = fault.operation() else {
            return Ok(());
        };
        if hosts.iter().any(|(_, host)| can_have(host, operation)) {
            return Ok(());
        }
        let known = hosts.iter().flat_map(|(_, host)| host.operations());
        let known: Vec<_> = known.map(|operation| operation.id()).collect();
        Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            faults::no_such_operation(&known, operation),
        ))
    }

    fn apply(&self, host: &Host) -> Result<Value, Refusal> {
        Ok(match self {
            Self::TellJournal => json!({
                "requests": host.journal().entries(),
                "surprises": host.journal().surprises(),
            }),
            Self::ClearJournal => {
                host.journal().clear();
                json!({})
            }
            Self::TellOperations => {
                let operations = host.operations().iter();
                let ids: Vec<_> = operations.map(|operation| operation.id()).collect();
                json!({ "operations": ids })
            }
            Self::TellFaults => json!({ "faults": host.faults().told() }),
            Self::AddFault(fault) => {
                // Among several services, it is for those that have the operation.
                if fault.operation().is_none_or(|id| can_have(host, id)) {
                    host.faults().try_add((**fault).clone())?;
                }
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
        })
    }
}

/// Returns whether a host has an operation, as far as known.
fn can_have(host: &Host, operation: &str) -> bool {
    let known = host.operations();
    known.is_empty() || known.iter().any(|known| known.id() == operation)
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

/// The body of an action without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

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

    fn method(what: &str, allow: &'static str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            message: format!("{what} knows {allow}"),
            allow: Some(allow),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.message())
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    Ok(strict::read(body)?)
}
