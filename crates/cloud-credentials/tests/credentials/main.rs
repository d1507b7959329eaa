//! Credentials: where they come from, and one refresh for all who need it.
#![allow(clippy::unwrap_used, reason = "a test")]

mod cancelled;
mod developer;
mod device;
mod early;
mod failures;
mod fleet;
mod late_attempts;
mod late_logins;
mod lineages;
mod login;
mod logins;
mod marks;
mod meanwhile;
mod metadata;
mod outcomes;
mod profiles;
mod server;
mod sources;
mod unsaved;
mod waiting;
mod writing;
