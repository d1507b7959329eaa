// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Calls with their arguments in place. Values are encoded piece by piece, so that none
//! leaves its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::operations;
