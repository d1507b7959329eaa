// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.
