// Made by `cargo xtask codegen` from crates/astakos/api/ui.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;

/// Returns the registered components, in the order of a menu bar.
///
/// No token is needed. If the catalog tells no address of the user interface, the error is
/// `ErrorKind::NoEndpoints`.
pub(crate) fn get_services() -> Result<Call> {
    let target = Target::new("/get_services");
    Ok(Call::new(&operations::GET_SERVICES, target))
}
