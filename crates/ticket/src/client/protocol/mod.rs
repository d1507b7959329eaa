//! The protocol rules on which the client is built, without sockets or a clock; only `disk`
//! accesses the machine. Public only for tests and tools; not part of this crate's stable API.

mod backoff;
pub mod blob;
mod disk;
mod health;
mod last_error;
mod python_url;
pub mod requests;
mod retry_settings;
pub mod roles_codec;
mod status;
mod ticket_set;
mod tickets;
pub mod tool;
mod verdict;

pub use backoff::Backoff;
pub use blob::Blob;
pub use disk::{CacheFile, DiskCache};
pub use health::{Health, KEYS_UNUSABLE, Mode, Seconds, TicketSet, keys_unusable};
pub use last_error::{LastError, Retriability, Scope, http_message};
pub use python_url::python_url;
pub use retry_settings::{Parsed, RetrySettings};
pub use status::{ClientStatus, StatusCode};
pub use ticket_set::{Destination, Tickets};
pub use tickets::{Fetched, parse_all, parse_tool, parse_tvm_api};
pub use verdict::Verdict;
