//! The server side in front of a real axum router.
#![allow(clippy::unwrap_used, reason = "a test")]

mod guards;
mod ingress;
mod layer;
mod support;
