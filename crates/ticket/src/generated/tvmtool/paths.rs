// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Calls with their arguments in place. Values are encoded piece by piece, so that none
//! leaves its place.

use http::HeaderName;
use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;

/// Whether the daemon is well.
pub(crate) fn ping() -> Result<Call> {
    let target = Target::new("/tvm/ping");
    Ok(Call::new(&operations::PING, target))
}

/// What the daemon is set up for.
pub(crate) fn get_meta() -> Result<Call> {
    let target = Target::new("/tvm/private_api/__meta__");
    Ok(Call::new(&operations::GET_META, target))
}

/// The public keys of the authority.
///
/// The answer is the text of a key container.
pub(crate) fn get_keys() -> Result<Call> {
    let target = Target::new("/tvm/keys");
    Ok(Call::new(&operations::GET_KEYS, target))
}

/// What may be given to `getTickets`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetTicketsParams {
    /// Alias or id of the asking service; may be left out if the daemon has one only (assumed).
    pub(crate) src: Option<String>,
}

/// Service tickets for destinations.
pub(crate) fn get_tickets(dsts: &str, params: &GetTicketsParams) -> Result<Call> {
    let target = Target::new("/tvm/tickets");
    let target = target.query("dsts", dsts);
    let target = target.query_opt("src", params.src.as_deref());
    Ok(Call::new(&operations::GET_TICKETS, target))
}

/// What may be given to `getRoles`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetRolesParams {
    /// The known revision, in quotes.
    pub(crate) if_none_match: Option<String>,
}

/// The roles of the service's system, unless they are known already.
///
/// The body is never compressed.
pub(crate) fn get_roles(own_alias: &str, params: &GetRolesParams) -> Result<Call> {
    let target = Target::new("/v2/roles");
    let target = target.query("self", own_alias);
    let call = Call::new(&operations::GET_ROLES, target);
    let call = match &params.if_none_match {
        Some(value) => call.header(HeaderName::from_static("if-none-match"), value)?,
        None => call,
    };
    Ok(call)
}
