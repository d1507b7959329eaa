//! Credentials: where they come from, and one refresh for all who need it.
#![allow(clippy::unwrap_used, reason = "a test")]

mod fleet;
mod login;
mod server;
mod sources;
