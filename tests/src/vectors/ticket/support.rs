//! Reading what cases say, and comparing.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use vouchsafe::ticket::{BlackboxEnv, KeyContainer, TicketStatus, TvmId};

/// What cases refer to by name.
pub(super) struct Fixtures(pub(super) Value);

impl Fixtures {
    pub(super) fn container(&self, case: &Value) -> KeyContainer {
        let name = text(case, "container");
        KeyContainer::parse(text(&self.0["containers"][name], "text")).unwrap()
    }
}

pub(super) fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text"))
}

pub(super) fn env(case: &Value, field: &str) -> BlackboxEnv {
    text(case, field).parse().unwrap()
}

pub(super) fn tvm_id(case: &Value, field: &str) -> TvmId {
    serde_json::from_value(case[field].clone()).unwrap()
}

pub(super) fn status(case: &Value) -> TicketStatus {
    let all = [
        TicketStatus::Ok,
        TicketStatus::Expired,
        TicketStatus::InvalidBlackboxEnv,
        TicketStatus::InvalidDst,
        TicketStatus::InvalidTicketType,
        TicketStatus::Malformed,
        TicketStatus::MissingKey,
        TicketStatus::SignBroken,
        TicketStatus::UnsupportedVersion,
        TicketStatus::NoRoles,
    ];
    let name = text(case, "status");
    all.into_iter()
        .find(|status| status.name() == name)
        .unwrap()
}

pub(super) fn now(case: &Value) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().unwrap())
}

/// Compares the fields that are expected.
pub(super) fn same(actual: &Value, expected: &Value) -> Result<(), String> {
    let equal = match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) if actual.contains_key("status") => {
            expected
                .iter()
                .filter(|(name, _)| *name != "debug_info_legacy")
                .all(|(name, value)| actual.get(name) == Some(value))
        }
        _ => actual == expected,
    };
    if equal {
        Ok(())
    } else {
        Err(format!("expected {expected}\n     got {actual}"))
    }
}

pub(super) fn contains(actual: &str, fragment: &str) -> Result<(), String> {
    if actual.contains(fragment) {
        Ok(())
    } else {
        Err(format!("{actual:?} lacks {fragment:?}"))
    }
}

pub(super) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.len().is_multiple_of(2), "half a byte");
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
