//! The folder of the disk cache, shared by processes: those of the original library, and those
//! that are killed.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test"
)]

mod kills;
mod original;

use vouchsafe_ticket::protocol::CacheFile;

const FILES: [CacheFile; 4] = [
    CacheFile::ServiceTickets,
    CacheFile::PublicKeys,
    CacheFile::RetrySettings,
    CacheFile::Roles,
];
