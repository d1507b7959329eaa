// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;
