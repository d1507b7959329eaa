//! The emulator: what it refuses, and what comes of it.
#![allow(clippy::unwrap_used, reason = "a test")]

mod ask;
mod consumers;
mod device;
mod login;
mod manage;
mod pages;
mod services;
mod tokens;
