//! Servers before 21.05, which have other names for accesses (protocol section 12).

use serde_json::Value;
use vouchsafe_core::Result;
use vouchsafe_core::call::Call;

use crate::generated::wazo_auth::{calls, operations};

/// Converts a call to the form for old servers.
pub(super) fn translated(call: Call) -> Result<Call> {
    let id = call.operation().id();
    if [operations::CREATE_POLICY.id(), operations::EDIT_POLICY.id()].contains(&id) {
        return call.edit_json(|body| rename(body, "acl", "acl_templates"));
    }
    let other = match id {
        id if id == operations::ADD_ACCESS.id() => calls::add_acl_template,
        id if id == operations::REMOVE_ACCESS.id() => calls::remove_acl_template,
        _ => return Ok(call),
    };
    match (call.path_value("policy_id"), call.path_value("access")) {
        (Some(policy), Some(access)) => other(&policy.parse()?, &access),
        _ => Ok(call),
    }
}

fn rename(body: &mut Value, name: &str, other: &str) {
    if let Some(members) = body.as_object_mut()
        && let Some(value) = members.remove(name)
    {
        members.insert(other.to_owned(), value);
    }
}
