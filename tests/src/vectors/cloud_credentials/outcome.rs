//! Compares the outcome of one step.

use serde_json::Value;
use vouchsafe::cloud_credentials::{Error as Fault, ErrorKind};
use vouchsafe::core::ErrorKind as Kind;

use super::expected::{Case, Exchange, Outcome, Raised, Recorded};
use super::network::{is_for_tokens, pairs};
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
        // A harness operation, or a setter.
        (Outcome::Ok(value), Got::Nothing) if deed != "adapter_calls" && !value.is_null() => {
            judgement.differ(format!("expected {value}, got nothing"));
        }
        (_, Got::Nothing) => {}
        (_, Got::Walked(walked)) => compare_walk(step, walked, judgement),
        (_, _) if step.yielded_before_error.is_some() => {
            judgement.differ("expected a walk, which gives items before it fails");
        }
        (Outcome::Err(raised), got) => expect_raised(case, step, raised, got, judgement),
        (Outcome::Ok(recorded), Got::Value(answer)) if answer.get("answer").is_some() => {
            compare_answer(recorded, &answer["answer"], judgement);
            compare_place(step, recorded, judgement);
        }
        // The service refused, which is an error here and an answer there. An answer of success that
        // cannot be read is no refusal.
        (Outcome::Ok(recorded), Got::Fault(fault)) if recorded["response"]["status"].is_u64() => {
            let status = recorded["response"]["status"].as_u64();
            let is_refusal = deed != "request" && status.is_some_and(|status| status >= 300);
            let has = fault.status().map(|status| u64::from(status.as_u16()));
            if !is_refusal || has != status {
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
            // What the answer has beside these is not kept.
            for name in [
                "access_token",
                "refresh_token",
                "token_type",
                "scope",
                "expires_in",
            ] {
                // A text of digits there, a number here.
                let plain = |value: Option<&Value>| match value {
                    Some(Value::String(text)) => Some(text.clone()),
                    other => other.filter(|value| !value.is_null()).map(Value::to_string),
                };
                let (expected, got) = (plain(answer.get(name)), plain(tokens.get(name)));
                let is_time = |text: &String| text.parse::<u64>().is_ok();
                if name == "expires_in" && !expected.as_ref().is_some_and(is_time) {
                    continue;
                }
                if expected != got {
                    judgement.differ(format!("{name}: not the one of the answer: {got:?}"));
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
            compare_place(step, recorded, judgement);
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
    let status = recorded["response"]["status"].as_u64().unwrap_or_default();
    if !(200..300).contains(&status) {
        return judgement.differ(format!("expected status {status}, got {answer}"));
    }
    // Where nothing is returned, there is nothing to compare.
    if answer.is_null() {
        return;
    }
    let body = recorded["response"]["body"].as_str().unwrap_or_default();
    match serde_json::from_str::<Value>(body) {
        Ok(body) if holds(answer, &body) => {}
        _ => judgement.differ(format!("expected {body}, got {answer}")),
    }
}

/// Compares where an answer came from, with what status and after how many redirects, with the
/// exchanges: these are compared with ours.
fn compare_place(step: &Recorded, recorded: &Value, judgement: &mut Judgement) {
    let response = &recorded["response"];
    let Some(last) = last_of_service(step) else {
        return;
    };
    let status = u64::from(last.response.status);
    if response["status"].as_u64() != Some(status) {
        judgement.differ(format!("expected {}, got {status}", response["status"]));
    }
    let url = response["url"].as_str().unwrap_or_default();
    let (_, rest) = url.split_once("://").unwrap_or_default();
    // A fragment is never sent.
    let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
    let target = rest.split_once('/').map_or("", |(_, path)| path);
    let sent = last.request.target.trim_start_matches('/');
    if target != sent {
        judgement.differ(format!("expected the answer of {url}, got that of /{sent}"));
    }
    let moved = |status: u16| matches!(status, 301 | 302 | 303 | 307 | 308);
    let before = step
        .exchanges
        .iter()
        .filter(|one| !std::ptr::eq(*one, last));
    let redirects = before.filter(|one| moved(one.response.status));
    if response["history"].as_u64() != u64::try_from(redirects.count()).ok() {
        judgement.differ(format!(
            "another number of redirects: {}",
            response["history"]
        ));
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
        Outcome::Ok(Value::Array(items)) if step.yielded_before_error.is_none() => {
            (items.clone(), None)
        }
        Outcome::Ok(other) => return judgement.differ(format!("not items: {other}")),
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
        (Some(raised), Some(fault)) => compare_end(step, raised, fault, judgement),
        (raised, end) => {
            let raised = raised.map(|raised| &raised.message);
            judgement.differ(format!("expected the end {raised:?}, got {end:?}"));
        }
    }
}

/// Compares how a walk failed: by the text of the exception, which names a code, a status or a
/// state.
fn compare_end(step: &Recorded, raised: &Raised, fault: &Fault, judgement: &mut Judgement) {
    match raised.class.as_str() {
        "PanCloudError" | "CortexError" => {}
        "HTTPError" if is_http_error(&raised.message, fault) => return,
        "PartialCredentialsError" if is_of_kind(fault, ErrorKind::PartialCredentials) => return,
        other => return judgement.differ(format!("expected {other}, got {fault}")),
    }
    // Where there is no state, its name there is that of nothing in Python.
    let message = raised.message.replace(": None", ": none");
    let message = message.as_str();
    let status = fault.status().map_or(0, |status| status.as_u16());
    let is_same = if message.starts_with("Invalid JSON") {
        fault.kind() == ErrorKind::Core(Kind::Decode) || is_refusal(step, fault)
    } else if message.starts_with("no \"") {
        fault.kind() == ErrorKind::Core(Kind::Decode)
    } else if message.starts_with("Bad ") || message.starts_with("JOB_FAILED") {
        // Of what is no text, both have the form of their language.
        let plain = |text: &str| text.replace(['\'', '"', ' '], "");
        plain(fault.core().message()) == plain(message)
    } else if let Some((_, expected)) = message.split_once(": status_code: ") {
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

/// Returns the last exchange with the service. After a refusal, there may be one for a token.
fn last_of_service(step: &Recorded) -> Option<&Exchange> {
    let mut exchanges = step.exchanges.iter();
    exchanges.rfind(|one| !is_for_tokens(&one.request.target))
}

/// Returns whether an error, or the one of the refresh that is its cause, is of a kind.
fn is_of_kind(fault: &Fault, kind: ErrorKind) -> bool {
    fault.kind() == kind || cause(fault).is_some_and(|cause| cause.kind() == kind)
}

/// Returns whether an error says the status of the last answer, and that one is a refusal, or has no
/// content: its body is looked at first there.
fn is_refusal(step: &Recorded, fault: &Fault) -> bool {
    let last = last_of_service(step).map(|last| last.response.status);
    let has = fault.status().map(|status| status.as_u16());
    last.is_some_and(|status| status != 200) && has == last
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
        None if message.contains("redirects") => {
            fault.kind() == ErrorKind::Core(Kind::Status)
                && fault.core().message().contains("redirects")
        }
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
    let last = step.exchanges.last().map(|last| last.response.status);
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
    // A body is looked at before the status there, where it has to be JSON.
    if raised.message.starts_with("Invalid JSON") && is_of_service && is_refusal(step, fault) {
        return;
    }
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
        // A redirect that is not followed is no answer there, and a refusal here.
        "PanCloudError" | "CortexError"
            if message.starts_with("Invalid J") && last.is_some_and(|last| last >= 300) =>
        {
            &[ErrorKind::InvalidResponse, ErrorKind::TokenEndpoint]
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
