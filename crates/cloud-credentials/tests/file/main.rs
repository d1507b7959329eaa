//! The file of credentials: its bytes, its modes, and what other writers do to it.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;
mod sharing;
