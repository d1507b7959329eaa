//! Compares the outcome of one step.

use serde_json::Value;
use vouchsafe::cloud_credentials::{Error as Fault, ErrorKind};
use vouchsafe::core::ErrorKind as Kind;

use super::expected::{Case, Outcome, Raised, Recorded};
use super::network::pairs;
use crate::vectors::report::Judgement;

/// The result of a step.
pub(super) enum Got {
    Value(Value),
    Fault(Fault),
    /// What a generator gave.
    Walked(Walked),
    /// The step has no result to compare.
    Nothing,
}

/// What a generator of Python gave, and how it ended.
pub(super) struct Walked {
    pub(super) items: Vec<Value>,
    pub(super) end: Option<Fault>,
}

pub(super) fn compare_outcome(case: &Case, step: &Recorded, got: &Got, judgement: &mut Judgement) {
    let (deed, outcome) = (step.deed.as_str(), &step.outcome);
    match (outcome, got) {
        // What a constructor there refuses is refused here at the latest when it is used, by a rule.
        (Outcome::Err(raised), Got::Nothing) if case.policy == "match" => {
            judgement.differ(format!("expected {}: {}", raised.class, raised.message));
        }
        (Outcome::Ok(object), Got::Nothing) if step.bind.is_some() => {
            if object["object"] != deed {
                judgement.differ(format!("expected {object}, got a {deed}"));
            }
        }
        (_, Got::Nothing) => {}
        (_, Got::Walked(walked)) => compare_walk(step, walked, judgement),
        (Outcome::Err(raised), got) => expect_raised(case, step, raised, got, judgement),
        (Outcome::Ok(recorded), Got::Value(answer)) if answer.get("answer").is_some() => {
            compare_answer(recorded, &answer["answer"], judgement);
        }
        // The service refused, which is an error here and an answer there.
        (Outcome::Ok(recorded), Got::Fault(fault)) if recorded["response"]["status"].is_u64() => {
            let status = recorded["response"]["status"].as_u64();
            if fault.status().map(|status| u64::from(status.as_u16())) != status {
                judgement.differ(format!("expected status {status:?}, got {fault}"));
            }
        }
        // Their results are specific to Python.
        (Outcome::Ok(_), Got::Value(_))
            if matches!(
                deed,
                "revoke_access_token" | "revoke_refresh_token" | "write_credentials"
            ) => {}
        (Outcome::Ok(ids), Got::Value(removed)) if deed == "remove_profile" => {
            let is_there = ids.as_array().is_some_and(|ids| !ids.is_empty());
            if removed != &Value::Bool(is_there) {
                judgement.differ(format!("removed: expected {is_there}, got {removed}"));
            }
        }
        (Outcome::Ok(answer), Got::Value(tokens)) if deed == "fetch_tokens" => {
            for name in ["access_token", "refresh_token"] {
                if answer.get(name) != tokens.get(name) {
                    judgement.differ(format!("{name}: not the one of the answer"));
                }
            }
        }
        (Outcome::Ok(recorded), Got::Value(answer)) if deed == "request" => {
            for name in ["status", "body"] {
                let (recorded, answer) = (&recorded["response"][name], &answer["response"][name]);
                if recorded != answer {
                    judgement.differ(format!("{name}: expected {recorded}, got {answer}"));
                }
            }
        }
        (Outcome::Ok(recorded), got) if deed == "get_authorization_url" => {
            let url = |value: &Value| {
                let url = value[0].as_str().unwrap_or_default().to_owned();
                let (base, query) = url.split_once('?').unwrap_or((&url, ""));
                let (query, fragment) = query.split_once('#').unwrap_or((query, ""));
                (
                    base.to_owned(),
                    pairs(query),
                    fragment.to_owned(),
                    value[1].clone(),
                )
            };
            match got {
                Got::Value(value) if url(value) == url(recorded) => {}
                Got::Value(value) => judgement.differ(format!("expected {recorded}, got {value}")),
                _ => judgement.differ("expected a URL"),
            }
        }
        (Outcome::Ok(recorded), got) if deed == "parse_store" => {
            // Here they are in the order of their numbers.
            let mut recorded = recorded.clone();
            if let Some(documents) = recorded["profiles_in_file_order"].as_array_mut() {
                documents.sort_by_key(|document| document["doc_id"].as_u64());
            }
            expect_value(got, &recorded, judgement);
        }
        (Outcome::Ok(recorded), got) => expect_value(got, recorded, judgement),
    }
}

/// Compares what a method of a service returned with the body that it was read from. What the body
/// lacks has a default.
fn compare_answer(recorded: &Value, answer: &Value, judgement: &mut Judgement) {
    if !recorded["response"].is_object() {
        return judgement.differ(format!("not an answer: {recorded}"));
    }
    let body = recorded["response"]["body"].as_str().unwrap_or_default();
    // Where nothing is returned, there is nothing to compare.
    let Ok(body) = serde_json::from_str::<Value>(body) else {
        return;
    };
    if !answer.is_null() && !holds(answer, &body) {
        judgement.differ(format!("expected {body}, got {answer}"));
    }
}

/// Returns whether all that is in `part` is in `whole`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(name, part)| {
            let found = whole.get(name);
            part.is_null() || found.is_some_and(|whole| holds(whole, part))
        }),
        (Value::Array(whole), Value::Array(part)) => {
            let mut pairs = whole.iter().zip(part);
            whole.len() == part.len() && pairs.all(|(whole, part)| holds(whole, part))
        }
        (whole, part) => whole == part,
    }
}

/// Compares what a walk gave and how it ended.
fn compare_walk(step: &Recorded, walked: &Walked, judgement: &mut Judgement) {
    let (items, raised) = match &step.outcome {
        Outcome::Ok(items) => (items.as_array().cloned().unwrap_or_default(), None),
        Outcome::Err(raised) => (
            step.yielded_before_error.clone().unwrap_or_default(),
            Some(raised),
        ),
    };
    if items.len() != walked.items.len() {
        let (expected, got) = (items.len(), &walked.items);
        return judgement.differ(format!("expected {expected} items, got {got:?}"));
    }
    for (recorded, item) in items.iter().zip(&walked.items) {
        match recorded.get("response") {
            Some(_) => compare_answer(recorded, item, judgement),
            None if holds(item, recorded) => {}
            None => judgement.differ(format!("expected {recorded}, got {item}")),
        }
    }
    match (raised, &walked.end) {
        (None, None) => {}
        // An error of Python itself: any typed one is right.
        (Some(raised), Some(_)) if !raised.library_error => {}
        (Some(raised), Some(fault)) => compare_end(raised, fault, judgement),
        (raised, end) => {
            let raised = raised.map(|raised| &raised.message);
            judgement.differ(format!("expected the end {raised:?}, got {end:?}"));
        }
    }
}

/// Compares how a walk failed: by the text of the exception, which names a code, a status or a
/// state.
fn compare_end(raised: &Raised, fault: &Fault, judgement: &mut Judgement) {
    // Where there is no state, its name there is that of nothing in Python.
    let message = raised.message.replace(": None", ": none");
    let message = message.as_str();
    let status = fault.status().map_or(0, |status| status.as_u16());
    let is_same = if message.starts_with("Invalid JSON") {
        fault.kind() == ErrorKind::Core(Kind::Decode)
    } else if message.starts_with("Bad ") || message.starts_with("JOB_FAILED") {
        fault.core().message() == message
    } else if let Some(expected) = message.strip_prefix("ack: status_code: ") {
        expected.parse() == Ok(status)
    } else if let Some((code, text)) = message.split_once(": ") {
        fault.code() == Some(code) && fault.core().message() == text
    } else {
        let expected = message.split(' ').next().unwrap_or_default();
        expected.parse() == Ok(status)
    };
    if !is_same {
        judgement.differ(format!("expected the end {message:?}, got {fault}"));
    }
}

/// Returns whether an error is what an `HTTPError` of any request stands for: a status that was to
/// be an error, or no answer.
fn is_http_error(message: &str, fault: &Fault) -> bool {
    let status = message
        .split(' ')
        .next()
        .and_then(|word| word.parse::<u16>().ok());
    match status {
        Some(status) => fault.status().map(|status| status.as_u16()) == Some(status),
        None => match fault.kind() {
            ErrorKind::Core(Kind::Timeout(_)) => message.contains("timed out"),
            ErrorKind::Core(Kind::Transport | Kind::Connect(_) | Kind::Config | Kind::Invalid) => {
                !message.contains("timed out")
            }
            _ => false,
        },
    }
}

/// Compares an error by its kind.
fn expect_raised(
    case: &Case,
    step: &Recorded,
    raised: &Raised,
    got: &Got,
    judgement: &mut Judgement,
) {
    let Got::Fault(fault) = got else {
        return judgement.differ(format!("expected {}: {}", raised.class, raised.message));
    };
    if !raised.library_error {
        return;
    }
    let message = raised.message.as_str();
    let is_of_client = case.class.ends_with("http_client");
    let is_of_service = case.class.ends_with("_service");
    let cause = cause(fault);
    if raised.class == "HTTPError" {
        let by_cause = (cause.as_ref()).is_some_and(|cause| is_http_error(message, cause));
        if !is_http_error(message, fault) && !by_cause {
            judgement.differ(format!("expected {message:?}, got {fault}"));
        }
        return;
    }
    let is_jwt = case.class == "jwt";
    let kinds: &[ErrorKind] = match raised.class.as_str() {
        "PartialCredentialsError" => &[ErrorKind::PartialCredentials],
        "PanCloudError" | "CortexError" if is_jwt && message.contains("NoneType") => {
            &[ErrorKind::InvalidJwt, ErrorKind::PartialCredentials]
        }
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") && is_jwt => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("No exp") => &[ErrorKind::NoExpiry],
        "PanCloudError" | "CortexError" if message.starts_with("Expiration time") => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") && is_of_client => {
            &[ErrorKind::Core(Kind::Decode)]
        }
        "PanCloudError" | "CortexError"
            if message.starts_with("Invalid J") && (step.deed == "request" || is_of_service) =>
        {
            &[ErrorKind::Core(Kind::Decode), ErrorKind::InvalidResponse]
        }
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") => {
            &[ErrorKind::InvalidResponse]
        }
        "PanCloudError" | "CortexError" => &[ErrorKind::TokenEndpoint],
        other => return judgement.differ(format!("no kind for {other}")),
    };
    let cause = cause.map(|cause| cause.kind());
    if !kinds.contains(&fault.kind()) && !cause.is_some_and(|kind| kinds.contains(&kind)) {
        judgement.differ(format!(
            "expected {kinds:?}, got {:?}: {fault}",
            fault.kind()
        ));
    }
}

/// Returns the error of the refresh that an error of a request has as its cause.
fn cause(fault: &Fault) -> Option<Fault> {
    let cause = std::error::Error::source(fault)?;
    let core = cause.downcast_ref::<vouchsafe::core::Error>()?;
    Some(Fault::from(core.clone()))
}

pub(super) fn expect_kind(
    got: &Got,
    kinds: &[ErrorKind],
    status: Option<u16>,
    judgement: &mut Judgement,
) {
    match got {
        Got::Fault(fault) if kinds.contains(&fault.kind()) => {
            let has = fault.status().map(|status| status.as_u16());
            if status.is_some() && has != status {
                judgement.differ(format!("expected status {status:?}, got {has:?}"));
            }
        }
        Got::Fault(fault) if cause(fault).is_some_and(|cause| kinds.contains(&cause.kind())) => {}
        Got::Fault(fault) => {
            judgement.differ(format!(
                "expected {kinds:?}, got {:?}: {fault}",
                fault.kind()
            ));
        }
        Got::Value(value) => judgement.differ(format!("expected {kinds:?}, got {value}")),
        Got::Walked(_) | Got::Nothing => {
            judgement.differ(format!("expected {kinds:?}, got nothing"));
        }
    }
}

pub(super) fn expect_any(got: &Got, judgement: &mut Judgement) {
    if !matches!(got, Got::Fault(_)) {
        judgement.differ("expected an error");
    }
}

pub(super) fn expect_ok(got: &Got, judgement: &mut Judgement) {
    if let Got::Fault(fault) = got {
        judgement.differ(format!("expected a success, got {fault}"));
    }
}

pub(super) fn expect_status(got: &Got, status: u64, judgement: &mut Judgement) {
    let has = match got {
        Got::Value(value) => value["response"]["status"].as_u64(),
        Got::Fault(fault) => fault.status().map(|status| u64::from(status.as_u16())),
        Got::Walked(_) | Got::Nothing => None,
    };
    if has != Some(status) {
        judgement.differ(format!("expected status {status}, got {has:?}"));
    }
}

pub(super) fn expect_value(got: &Got, expected: &Value, judgement: &mut Judgement) {
    match got {
        Got::Value(value) if value == expected => {}
        Got::Value(value) => judgement.differ(format!("expected {expected}, got {value}")),
        Got::Fault(fault) => judgement.differ(format!("expected {expected}, got {fault}")),
        Got::Walked(_) => judgement.differ(format!("expected {expected}, got a walk")),
        Got::Nothing => {}
    }
}
