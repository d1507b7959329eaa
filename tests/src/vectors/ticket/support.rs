//! Reading what cases say, and comparing.

use std::time::SystemTime;

use serde_json::Value;
use vouchsafe::ticket::{BlackboxEnv, KeyContainer, TicketStatus, TvmId, Uid};

use crate::vectors::schema::unknown_key;

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

/// Thrown for a case with a value that no type of ours can hold; it is left out by this rule.
pub(super) struct Impossible(pub(super) &'static str);

/// Leaves the case out.
fn impossible(rule: &'static str) -> ! {
    // Not a failure, so the panic's hook has nothing to print.
    std::panic::resume_unwind(Box::new(Impossible(rule)))
}

pub(super) const NO_ID: &str = "an id that is no number of 32 bits";
pub(super) const NO_UID: &str = "an id of a user that is no number of 64 bits without a sign";
const NO_CODE: &str = "a code that is no number of 16 bits";
const NO_NUMBER: &str = "a whole number that no type of 64 bits holds";

pub(super) fn tvm_id(case: &Value, field: &str) -> TvmId {
    id(&case[field])
}

/// Reads an id; a value that is not a number is a mistake in the case.
pub(super) fn id(value: &Value) -> TvmId {
    assert!(value.is_number(), "{value} is no id");
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    TvmId::new(number.unwrap_or_else(|| impossible(NO_ID)))
}

pub(super) fn ids(value: &Value) -> Vec<TvmId> {
    value.as_array().unwrap().iter().map(id).collect()
}

pub(super) fn uid(value: &Value) -> Uid {
    assert!(value.is_number(), "{value} is no id");
    Uid::new(value.as_u64().unwrap_or_else(|| impossible(NO_UID)))
}

/// Reads an HTTP code.
pub(super) fn code(value: &Value) -> u16 {
    assert!(value.is_number(), "{value} is no code");
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.unwrap_or_else(|| impossible(NO_CODE))
}

pub(super) fn whole(value: &Value) -> i64 {
    assert!(value.is_number(), "{value} is no number");
    value.as_i64().unwrap_or_else(|| impossible(NO_NUMBER))
}

/// Reads a flag that may be absent.
pub(super) fn flag(case: &Value, field: &str, absent: bool) -> bool {
    match &case[field] {
        Value::Null => absent,
        value => value
            .as_bool()
            .unwrap_or_else(|| panic!("{field} is no flag")),
    }
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
    let time = vouchsafe::core::timestamp::from_unix_seconds(whole(&case["now"]));
    time.unwrap_or_else(|| impossible(NO_NUMBER))
}

/// Refuses a part of a case with a member that is not among those known.
pub(super) fn known(part: &Value, what: &str, known: &[&str]) -> Result<(), String> {
    match unknown_key(part, known) {
        _ if !part.is_object() && !part.is_null() => Err(format!("{part} is not {what}")),
        Some(key) => Err(format!("unknown key {key:?} of {what}")),
        None => Ok(()),
    }
}

/// Reads a text that may be absent.
pub(super) fn optional<'c>(case: &'c Value, field: &str) -> Option<&'c str> {
    (!case[field].is_null()).then(|| text(case, field))
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

/// Reads a number in hex, which may have an odd count of digits, as bytes.
pub(super) fn number_hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    if text.len().is_multiple_of(2) {
        return hex(value);
    }
    hex(&Value::from(format!("0{text}")))
}

pub(super) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.len().is_multiple_of(2), "half a byte");
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
