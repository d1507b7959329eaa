//! Background tasks that end with their owner.

use std::fmt;

use tokio::task::AbortHandle;

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

    /// Returns whether the task has come to its end, or its runtime is gone.
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
}
