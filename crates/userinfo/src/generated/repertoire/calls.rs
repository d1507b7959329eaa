// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;

/// The whole discovery document.
pub(crate) fn get_discovery() -> Result<Call> {
    let target = Target::new("/discovery");
    Ok(Call::new(&operations::GET_DISCOVERY, target))
}

/// Returns the connection information of all InfluxDB databases, with credentials, by label.
///
/// Never cached.
pub(crate) fn list_influxdb() -> Result<Call> {
    let target = Target::new("/discovery/influxdb");
    Ok(Call::new(&operations::LIST_INFLUXDB, target))
}
