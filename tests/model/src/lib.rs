//! The decisions of a refresh of cloud-credentials, compiled from their own file, and a model checker
//! that has three participants take them in every order.
//!
//! A package of its own is optimised where tests are not: its millions of states take an eighth of the time.

#![cfg(test)]
#![allow(dead_code, reason = "what the model does not need")]

mod fleet;
#[path = "../../../crates/cloud-credentials/src/refresh/machine.rs"]
mod machine;
