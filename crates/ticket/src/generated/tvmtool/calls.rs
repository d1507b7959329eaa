// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;

/// Whether the daemon is well.
pub(crate) fn ping() -> Result<Call> {
    let target = Target::new("/tvm/ping");
    Ok(Call::new(&operations::PING, target))
}

/// The configuration of the daemon.
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
