//! The part of a call that its answer keeps.

use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

use super::Operation;
use crate::secret::Secrets;

/// Details of a successful call.
pub(crate) struct Context {
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    pub(crate) has_lost_attempt: bool,
    pub(crate) uri: Uri,
    pub(crate) started: Instant,
    pub(crate) secrets: Secrets,
    pub(crate) piece_limit: Duration,
    /// Set only if the caller set a deadline for this call.
    pub(crate) deadline: Option<Instant>,
}
