//! Background tasks that end with their owner, and work that blocks.
//!
//! [`Task`] is one future on one runtime. [`Keeper`] keeps background work running for a client
//! that outlives runtimes, and [`Batcher`] combines look-ups on top of it. [`MayHang`] limits how long
//! work that blocks is waited for.

mod batcher;
mod driven;
mod keeper;
mod may_hang;
pub(crate) mod pulse;

use std::fmt;

use tokio::task::AbortHandle;

pub use self::batcher::{Batcher, BatcherBuilder};
pub use self::keeper::{Ended, Keeper};
pub use self::may_hang::MayHang;
pub(crate) use self::may_hang::Turn;
use crate::{Error, ErrorKind, Result};

/// A spawned task; dropping this ends it at its next await.
#[must_use = "dropping the task ends it"]
pub struct Task(AbortHandle);

impl Task {
    /// Spawns a future on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, as [`tokio::spawn`] does.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> Self {
        Self(tokio::spawn(future).abort_handle())
    }

    /// Returns whether the task has ended, or its runtime is gone.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Spawns what drives a connection. It ends by itself when nothing can use the connection any more.
#[cfg(feature = "client")]
#[expect(clippy::disallowed_methods, reason = "its owner need not end it")]
pub(crate) fn spawn_driver<F>(driver: F) -> AbortHandle
where
    F: Future<Output: Send> + Send + 'static,
{
    let task = tokio::spawn(async move {
        // Requests see how it ended.
        let _ = driver.await;
    });
    task.abort_handle()
}

/// Runs work that blocks, on the disk or for long, outside of the runtime's own threads.
///
/// Work that has started continues if the returned future is dropped.
///
/// # Errors
///
/// Of kind [`Store`](ErrorKind::Store) if the work panicked or the runtime is shutting down; `what`
/// names the work there, such as "writing the journal".
pub async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|cause| {
        Error::new(ErrorKind::Store, format!("{what} was cut short")).with_source(cause)
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_dropped_task_ends() {
        let (kept, gone) = oneshot::channel::<()>();
        let task = Task::spawn(async move {
            let _kept = kept;
            std::future::pending::<()>().await;
        });
        drop(task);
        assert!(gone.await.is_err());
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_with_its_name() {
        assert_eq!(blocking("adding", || 1 + 1).await.unwrap(), 2);
        let error = blocking("reading a file", || -> u8 { panic!("planted") })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "reading a file was cut short");
    }
}
