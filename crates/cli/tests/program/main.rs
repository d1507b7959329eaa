//! The built program, run as people and scripts run it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod astakos;
mod commands;
mod credentials;
mod demo;
mod discovery;
mod environment;
mod guides;
mod prompt;
mod proxy;
mod secrets;
mod serve;
mod serve_tvm;
mod support;
mod ticket;
mod wazo;
