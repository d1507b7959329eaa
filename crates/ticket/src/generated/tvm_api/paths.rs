// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Calls with their arguments in place. Values are encoded piece by piece, so that none
//! leaves its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, Form};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// What may be given to `getKeys`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetKeysParams {
    /// The number of the asking process.
    pub(crate) pid: Option<String>,
    /// Its name, if known; the spelling is the original's.
    pub(crate) process_name: Option<String>,
    /// The asking library.
    pub(crate) lib_version: Option<String>,
    /// Whether the server is to say how to retry.
    pub(crate) get_retry_settings: Option<wire::GetKeysGetRetrySettings>,
    /// The asking service; left out if it has no id.
    pub(crate) src: Option<u32>,
    /// The number of the environment whose user tickets are checked.
    pub(crate) env: Option<i64>,
}

/// The public keys of the authority.
///
/// The answer is the text of a key container.
pub(crate) fn get_keys(params: &GetKeysParams) -> Result<Call> {
    let target = Target::new("/2/keys");
    let target = target.query_opt("_pid", params.pid.as_deref());
    let target = target.query_opt("_procces_name", params.process_name.as_deref());
    let target = target.query_opt("lib_version", params.lib_version.as_deref());
    let target = target
        .query_opt(
            "get_retry_settings",
            params.get_retry_settings.as_ref().map(|value| value.as_str()),
        );
    let target = target
        .query_opt("src", params.src.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("env", params.env.map(|value| value.to_string()).as_deref());
    Ok(Call::new(&operations::GET_KEYS, target))
}

/// Service tickets for up to 300 destinations.
///
/// Asking again issues further tickets and changes nothing. The body's signature covers its
/// time, so each attempt has a body of its own.
pub(crate) fn get_tickets(body: &wire::TicketRequest) -> Result<Call> {
    let target = Target::new("/2/ticket");
    let form = Form::new()
        .field("grant_type", &body.grant_type)
        .field("src", &body.src.to_string())
        .field("dst", &body.dst)
        .field("ts", &body.ts.to_string())
        .secret("sign", &body.sign)
        .field_opt("get_retry_settings", body.get_retry_settings.as_deref())
        .field_opt("_pid", body.pid.as_deref())
        .field_opt("_procces_name", body.process_name.as_deref())
        .field_opt("lib_version", body.lib_version.as_deref());
    Ok(Call::new(&operations::GET_TICKETS, target).form(form))
}
