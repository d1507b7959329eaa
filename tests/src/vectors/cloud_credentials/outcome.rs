//! Compares the outcome of one step.

use serde_json::Value;
use vouchsafe::cloud_credentials::{Error as Fault, ErrorKind};

use super::expected::{Case, Outcome, Raised};
use super::network::pairs;
use crate::vectors::report::Judgement;

/// The result of a step.
pub(super) enum Got {
    Value(Value),
    Fault(Fault),
    /// The step has no result to compare.
    Nothing,
}

pub(super) fn compare_outcome(
    case: &Case,
    deed: &str,
    outcome: &Outcome,
    got: &Got,
    judgement: &mut Judgement,
) {
    match (outcome, got) {
        (_, Got::Nothing) => {}
        (Outcome::Err(raised), got) => expect_raised(case, raised, got, judgement),
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
        // An answer with an error status is an error here.
        (Outcome::Ok(recorded), Got::Fault(fault)) if deed == "request" => {
            let status = recorded["response"]["status"].as_u64();
            if fault.status().map(|status| u64::from(status.as_u16())) != status {
                judgement.differ(format!("expected status {status:?}, got {fault}"));
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

/// Compares an error by its kind.
fn expect_raised(case: &Case, raised: &Raised, got: &Got, judgement: &mut Judgement) {
    let Got::Fault(fault) = got else {
        return judgement.differ(format!("expected {}: {}", raised.class, raised.message));
    };
    if !raised.library_error {
        return;
    }
    let message = raised.message.as_str();
    let is_jwt = case.class == "jwt";
    let kinds: &[ErrorKind] = match raised.class.as_str() {
        "PartialCredentialsError" => &[ErrorKind::PartialCredentials],
        "HTTPError" => &[ErrorKind::TokenEndpoint],
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") && is_jwt => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("No exp") => &[ErrorKind::NoExpiry],
        "PanCloudError" | "CortexError" if message.starts_with("Expiration time") => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") => {
            &[ErrorKind::InvalidResponse]
        }
        "PanCloudError" | "CortexError" => &[ErrorKind::TokenEndpoint],
        other => return judgement.differ(format!("no kind for {other}")),
    };
    // The error of a refresh is the cause of that of the request.
    let cause = std::error::Error::source(fault).and_then(|cause| {
        let core = cause.downcast_ref::<vouchsafe::core::Error>()?;
        Some(Fault::from(core.clone()).kind())
    });
    if !kinds.contains(&fault.kind()) && !cause.is_some_and(|kind| kinds.contains(&kind)) {
        judgement.differ(format!(
            "expected {kinds:?}, got {:?}: {fault}",
            fault.kind()
        ));
    }
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
        Got::Fault(fault) => {
            judgement.differ(format!(
                "expected {kinds:?}, got {:?}: {fault}",
                fault.kind()
            ));
        }
        Got::Value(value) => judgement.differ(format!("expected {kinds:?}, got {value}")),
        Got::Nothing => judgement.differ(format!("expected {kinds:?}, got nothing")),
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
        Got::Nothing => None,
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
        Got::Nothing => {}
    }
}
