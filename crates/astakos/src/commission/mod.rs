//! Commissions that are neither charged twice nor forgotten, whatever breaks.
//!
//! The service has two steps: a commission is issued, which reserves, and then accepted or
//! rejected. Between them a caller can crash, and any of the answers can be lost. An [`Issuer`]
//! closes these gaps:
//!
//! - Each commission carries an id of its own in its name. After a lost answer the issuer looks
//!   for it among the pending ones and adopts it, so that nothing is reserved twice.
//! - [`Issuer::issue`] returns a [`CommissionGuard`]: [`commit`](CommissionGuard::commit) accepts;
//!   dropping it, by a panic too, rejects in the background.
//! - A [`Journal`] is told before anything is sent. After a crash [`Issuer::reconcile`] compares it
//!   with what is pending at the server, and accepts what was decided and rejects the rest.
//! - Accepts and rejects of many tasks go out together, in one call.
//! - While the server fails, all who look for their commissions share one look, and one of all
//!   who would issue again does, at growing intervals.
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
//! // Make the thing; if this fails, the guard gives the quota back.
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
mod issuer;
mod journal;
mod lines;
mod pace;
mod reconcile;
mod resolver;
mod search;
mod watch;

pub use crate::types::Committed;
pub use file::FileJournal;
pub use guard::CommissionGuard;
pub use id::{CommissionId, CommissionIdError};
pub use issuer::{Issuer, IssuerBuilder, Open};
pub use journal::{Intent, Journal, MemoryJournal, OpenCommission, Outcome};
pub use reconcile::Reconciliation;
