//! The rules of the protocol that the client is made of: no sockets, no clock. Public only for
//! tests and tools; not part of what this crate promises.

mod backoff;
mod last_error;
mod retry_settings;
mod status;
mod verdict;

pub use backoff::Backoff;
pub use last_error::{LastError, Retriability, Scope, http_message};
pub use retry_settings::{Parsed, RetrySettings};
pub use status::{ClientStatus, StatusCode};
pub use verdict::Verdict;
