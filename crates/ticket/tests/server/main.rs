//! The server side: with plain tower services, in front of a real axum router, and over a socket.
#![allow(clippy::unwrap_used, reason = "a test")]

mod client;
mod extract;
mod guard;
mod layer;
mod outgoing;
mod support;
