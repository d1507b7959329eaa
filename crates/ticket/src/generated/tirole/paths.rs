// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Calls with their arguments in place. Values are encoded piece by piece, so that none
//! leaves its place.

use http::HeaderName;
use vouchsafe_core::{Result, Secret};
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;

/// What may be given to `getActualRoles`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetActualRolesParams {
    /// The number of the asking process.
    pub(crate) pid: Option<String>,
    /// Its name, if known; the spelling is the original's.
    pub(crate) process_name: Option<String>,
    /// The asking library.
    pub(crate) lib_version: Option<String>,
    /// The known revision, in quotes.
    pub(crate) if_none_match: Option<String>,
}

/// The roles of a system, unless they are known already.
///
/// The body may be compressed, as the header X-Tirole-Compression says: empty for not at all,
/// or 1, the codec (brotli, gzip, zstd), the decoded size and the SHA-256 of what is decoded,
/// with colons between.
pub(crate) fn get_actual_roles(
    system_slug: &str,
    x_ya_service_ticket: &Secret,
    params: &GetActualRolesParams,
) -> Result<Call> {
    let target = Target::new("/v1/get_actual_roles");
    let target = target.query("system_slug", system_slug);
    let target = target.query_opt("_pid", params.pid.as_deref());
    let target = target.query_opt("_procces_name", params.process_name.as_deref());
    let target = target.query_opt("lib_version", params.lib_version.as_deref());
    let call = Call::new(&operations::GET_ACTUAL_ROLES, target);
    let call = call
        .secret_header(
            HeaderName::from_static("x-ya-service-ticket"),
            x_ya_service_ticket,
        )?;
    let call = match &params.if_none_match {
        Some(value) => call.header(HeaderName::from_static("if-none-match"), value)?,
        None => call,
    };
    Ok(call)
}
