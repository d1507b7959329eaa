//! What a user of the emulator relies on, over the real client.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod isolation;
mod legacy;
mod rules;
mod sessions;
mod world;
