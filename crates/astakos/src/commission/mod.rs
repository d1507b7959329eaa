//! Commissions that are neither charged twice nor forgotten, whatever breaks.
//!
//! Commissions have two steps: one is issued, which reserves quota, and then accepted or rejected.
//! In between a caller can crash, and any answer can be lost. An [`Issuer`] handles these cases:
//!
//! - Each commission has a unique id in its name. After a lost answer the issuer searches the
//!   pending commissions for it and adopts it, so that nothing is reserved twice.
//! - [`Issuer::issue`] returns a [`CommissionGuard`]: [`commit`](CommissionGuard::commit) accepts;
//!   dropping it, also during a panic, rejects in the background.
//! - A [`Journal`] records each decision before anything is sent. After a crash,
//!   [`Issuer::reconcile`] compares it with the commissions pending at the server, accepts those
//!   for which this had been decided, and rejects the rest.
//!   A [`FileJournal`] is on a disk, a [`StoreJournal`] in a database or on a server.
//! - Accepts and rejects of many tasks are sent together, in one call.
//! - While the server fails, all tasks share one search for their commissions, and only one task at
//!   a time tries to issue again, at growing intervals.
//!
//! ```
//! # #[cfg(feature = "mock")] {
//! use std::sync::Arc;
//!
//! use vouchsafe_astakos::commission::{Issuer, MemoryJournal};
//! use vouchsafe_astakos::{Client, CommissionRequest, mock};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = mock::Server::new();
//! let client = Client::builder()
//!     .transport(server.host().transport())
//!     .auth_url(server.auth_url())
//!     .token(server.service_token("cyclades").ok_or("no token")?)
//!     .build()?;
//! let issuer = Issuer::builder(client, "worker-1")
//!     .journal(Arc::new(MemoryJournal::new()))
//!     .build()?;
//!
//! let alice = mock::Server::alice();
//! let request = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]).name("server 42");
//! let guard = issuer.issue(&request).await?;
//! // Create the machine here; if that fails, the guard releases the quota.
//! guard.commit().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod busy;
mod file;
mod guard;
mod id;
mod issue;
mod issuer;
mod journal;
mod lines;
mod pace;
mod reconcile;
mod resolver;
mod search;
mod stored;
mod watch;

pub use crate::model::Committed;
pub use file::FileJournal;
pub use guard::CommissionGuard;
pub use id::{CommissionId, CommissionIdError};
pub use issuer::{Issuer, IssuerBuilder, Open};
pub use journal::{Intent, Journal, MemoryJournal, OpenCommission, Outcome};
pub use reconcile::Reconciliation;
pub use stored::StoreJournal;
