//! Whether the caller got what was recorded.

use serde_json::Value;
use vouchsafe::astakos::{Error, ErrorKind, Limit};

use super::case::{Answer, Case, Outcome, Raised};
use crate::vectors::report::Judgement;

/// Judges a result. `bodies` are those of the answers, by exchange.
pub(super) fn judge(
    case: &Case,
    answers: &[Answer],
    result: &Result<Value, Error>,
    judgement: &mut Judgement,
) {
    let port = case.port.clone().unwrap_or_default();
    let expected = match (port.returns, port.raises, &case.outcome) {
        (Some(value), _, _) => Outcome::Returns(value),
        (None, Some(raised), _) => Outcome::Raises(raised),
        // A form that the recorded client could not send is answered with nothing.
        (None, None, _) if port.sends_form.is_some() => Outcome::Returns(Value::Null),
        (None, None, outcome) => outcome.clone(),
    };
    match (&expected, result) {
        (Outcome::Returns(value), Ok(got)) => {
            if !is_same(value, got) {
                judgement.differ(format!("returns: expected {value}, got {got}"));
            }
        }
        (Outcome::Returns(value), Err(error)) => {
            if has_form(&case.call.method, value) || error.kind() != ErrorKind::InvalidResponse {
                judgement.differ(format!("expected {value}, got the error {error:?}"));
            } else {
                judgement.waive("an answer that is not what the call answers is refused");
            }
        }
        (Outcome::Raises(raised), Err(error)) => raises(case, raised, answers, error, judgement),
        (Outcome::Raises(raised), Ok(got)) => {
            judgement.differ(format!("expected {:?}, got {got}", raised.class));
        }
    }
}

fn raises(
    case: &Case,
    raised: &Raised,
    answers: &[Answer],
    error: &Error,
    judgement: &mut Judgement,
) {
    // Before it had a kind for them, the client raised the base class for transport errors.
    let is_older = ["0.14", "0.15"].iter().any(|api| case.api.starts_with(api));
    let class = raised.class.as_deref().unwrap_or_default();
    let status = error.status().map(|status| status.as_u16());
    let is_kind = match (class, raised.status) {
        ("BadRequest", _) => error.kind() == ErrorKind::BadRequest,
        ("Unauthorized", _) => error.kind() == ErrorKind::Unauthorized,
        ("Forbidden", _) => error.kind() == ErrorKind::Forbidden,
        ("NotFound", _) => error.kind() == ErrorKind::NotFound,
        ("QuotaLimit", _) => error.kind() == ErrorKind::QuotaLimit,
        ("NoUserName", _) => error.kind() == ErrorKind::NoUserName,
        ("NoUUID", _) => error.kind() == ErrorKind::NoUuid,
        ("NoEndpoints", _) => error.kind() == ErrorKind::NoEndpoints,
        ("InvalidResponse", _) => error.kind() == ErrorKind::InvalidResponse,
        ("ConnectionError", _) => error.kind() == ErrorKind::Connection,
        ("BadValue", _) => error.kind() == ErrorKind::BadValue,
        ("AstakosClientException", Some(409)) => error.kind() == ErrorKind::Conflict,
        // A raw error of Python, for which a port may have any kind.
        _ if raised.class.is_none() => true,
        // Raised by the client itself if a key is missing: there is no such status. Or an answer
        // without a body.
        ("AstakosClientException", Some(500)) if raised.body_of_exchange.is_none() => {
            match error.kind() {
                ErrorKind::InvalidResponse => true,
                ErrorKind::Connection => is_older,
                ErrorKind::Core(_) => status == Some(500),
                _ => false,
            }
        }
        ("AstakosClientException", _) => matches!(error.kind(), ErrorKind::Core(_)),
        _ => false,
    };
    if !is_kind {
        judgement.differ(format!("expected {class}, got {error:?}"));
    }
    // Errors that the recorded client makes itself carry 500.
    let is_local = raised.status == Some(500)
        && (class != "AstakosClientException" || raised.body_of_exchange.is_none());
    if !is_local && raised.status.is_some() && status != raised.status {
        judgement.differ(format!(
            "status: expected {:?}, got {status:?}",
            raised.status
        ));
    }
    if let Some(index) = raised.body_of_exchange {
        let body = match answers.get(index) {
            Some(Answer::Response { body, .. }) => Some(body.as_bytes()),
            _ => None,
        };
        let got = error.body().unwrap_or_default();
        if body != Some(got) {
            judgement.differ(format!("body: expected {body:?}, got {got:?}"));
        }
    }
    about(raised, error, judgement);
}

/// The facts that the recorded message holds.
fn about(raised: &Raised, error: &Error, judgement: &mut Judgement) {
    let limit = error.quota_limit();
    for (fact, expected) in &raised.about {
        let got = match fact.as_str() {
            "available" => limit.as_ref().map(|limit| match limit.available() {
                Limit::Finite(number) => Value::from(number),
                Limit::Unlimited => Value::Null,
            }),
            "requested" => limit.as_ref().map(|limit| limit.requested().into()),
            "resource_label" => limit.as_ref().map(|limit| limit.label().into()),
            // Words of the recorded client about what our types do not allow or say otherwise, and
            // the argument itself, which the caller has.
            "function" | "parameter" | "reason" | "cause" | "scheme" | "uuid" | "display_name" => {
                continue;
            }
            _ => is_told(expected, &error.to_string()).then(|| expected.clone()),
        };
        if got.as_ref() != Some(expected) {
            judgement.differ(format!("{fact}: expected {expected}, got {got:?}"));
        }
    }
}

/// Returns whether a text contains a fact; an empty fact need not be there.
fn is_told(fact: &Value, text: &str) -> bool {
    match fact {
        Value::Null => true,
        Value::String(word) => text.contains(word.as_str()),
        Value::Array(facts) => facts.iter().all(|fact| is_told(fact, text)),
        other => text.contains(&other.to_string()),
    }
}

/// Compares results: a typed answer omits what is missing, and has an empty value where the
/// recorded client has nothing.
fn is_same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().all(|(key, value)| match other.get(key) {
                Some(got) => is_same(value, got),
                None => value.is_null(),
            }) && other
                .iter()
                .all(|(key, value)| one.contains_key(key) || is_nothing(value))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Null, got) => is_nothing(got),
        _ => expected == got,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Returns whether a recorded answer has the form that the call returns: some recordings make up
/// other answers, and the recorded client returns any of them.
fn has_form(method: &str, value: &Value) -> bool {
    let objects = |value: &Value| {
        let mut values = value.as_object().into_iter().flat_map(|map| map.values());
        value.is_object() && values.all(Value::is_object)
    };
    match method {
        _ if value.is_null() => true,
        "get_quotas" => {
            objects(value) && value.as_object().is_some_and(|m| m.values().all(objects))
        }
        "get_resources" => objects(value),
        "get_services" | "get_projects" | "get_memberships" | "get_applications" => value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_object)),
        "get_pending_commissions" => value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_u64)),
        _ => true,
    }
}
