//! The only task of a client: it fetches everything at the start, and refreshes it afterwards.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, sleep_until};
use vouchsafe_core::task::Task;

use super::fetch::{Fetcher, Phase};
use super::roles::blocking;
use super::shared::{Place, Shared};
use crate::client::protocol::{Blob, CacheFile, Retriability, StatusCode};
use crate::engine::env::BlackboxEnv;
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(crate) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) fetcher: Fetcher,
    /// A caller requested it, or the daemon's configuration has changed.
    pub(super) all_is_due: bool,
    last_status: Option<StatusCode>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            fetcher: Fetcher::new(Arc::clone(&shared)),
            shared,
            all_is_due: false,
            last_status: None,
        }
    }

    /// Creates a worker for a client that has already been started.
    pub(crate) fn resumed(shared: Arc<Shared>) -> Self {
        tracing::debug!("Worker begins anew");
        let mut worker = Self::new(shared);
        worker.fetcher.resume();
        worker
    }

    /// Fetches everything that is configured.
    pub(crate) async fn start(&mut self) -> Result<()> {
        match self.shared.place {
            Place::Api { .. } => self.start_api().await?,
            Place::Tool { .. } => self.start_tool().await?,
        }
        self.warn_of_contradiction();
        self.tell_status();
        Ok(())
    }

    /// Warns at the start about settings with which every check of a user ticket would fail.
    fn warn_of_contradiction(&self) {
        let keys = self.shared.keys.load();
        let env = keys.as_ref().and_then(|keys| keys.own_env());
        if let Some(env) = env.filter(|env| *env != BlackboxEnv::ProdYateam)
            && self.shared.checks().default_uid
            && self.shared.slug().is_some()
        {
            tracing::warn!(
                %env,
                "All user tickets will be refused: only users of ProdYateam have roles. Turn \
                 check_default_uid off, or check user tickets of ProdYateam"
            );
        }
    }

    /// Runs until the task is dropped.
    pub(crate) fn spawn(mut self) -> Task {
        let end = End(Arc::clone(&self.shared));
        Task::spawn(async move {
            let _end = end;
            tracing::debug!("Worker started");
            let mut next = Instant::now() + self.fetcher.period;
            loop {
                tokio::select! {
                    () = self.shared.wake.notified() => {}
                    () = sleep_until(next) => {}
                }
                self.fetch_asked().await;
                self.refresh().await;
                if Instant::now() >= next {
                    self.cycle(Phase::Background).await;
                    next = Instant::now() + self.fetcher.period;
                }
                self.tell_status();
            }
        })
    }

    async fn cycle(&mut self, phase: Phase) {
        match self.shared.place {
            Place::Api { .. } => self.cycle_api(phase).await,
            Place::Tool { .. } => self.cycle_tool(phase).await,
        }
    }

    /// Refreshes everything for the callers that wait for it.
    async fn refresh(&mut self) {
        let waiting = std::mem::take(&mut *self.shared.refresh());
        if waiting.is_empty() {
            return;
        }
        self.all_is_due = true;
        self.cycle(Phase::Asked).await;
        self.all_is_due = false;
        for done in waiting {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Logs the status when it has changed.
    fn tell_status(&mut self) {
        let status = self.shared.status_code();
        if self.last_status.replace(status) == Some(status) {
            return;
        }
        let error = self.shared.last_error().message().to_owned();
        match status {
            StatusCode::Ok => tracing::info!(%status, "Status of the TVM client changed"),
            _ => tracing::warn!(%status, error, "Status of the TVM client changed"),
        }
    }

    /// Returns the error of a start that could not fetch what it needs.
    pub(super) fn start_failed(&self) -> Error {
        let (retriability, message) = {
            let last = self.shared.last_error();
            let chosen = last.chosen().map(|(retriability, _)| retriability);
            (chosen, last.message().to_owned())
        };
        start_error(retriability.unwrap_or(Retriability::Retriable), &message)
    }

    /// Reads a file of the disk cache. Failures are logged.
    pub(super) async fn read(&self, which: CacheFile) -> Option<Blob> {
        let disk = self.shared.disk.clone()?;
        match blocking(move || disk.read(which)).await {
            Ok(Some(blob)) => {
                tracing::info!(file = which.name(), "File was successfully read");
                Some(blob)
            }
            Ok(None) => {
                tracing::debug!(file = which.name(), "File does not exist");
                None
            }
            Err(error) => {
                tracing::warn!(file = which.name(), %error, "File cannot be read");
                None
            }
        }
    }

    /// Writes a file of the disk cache, if there is one. Failures are logged.
    pub(super) async fn write(&self, which: CacheFile, time: i64, data: Vec<u8>) {
        let Some(disk) = self.shared.disk.clone() else {
            return;
        };
        let data = zeroize::Zeroizing::new(data);
        match blocking(move || disk.write(which, time, &data)).await {
            Ok(()) => tracing::info!(file = which.name(), "File was successfully written"),
            Err(error) => tracing::warn!(file = which.name(), %error, "File cannot be written"),
        }
    }
}

pub(super) fn start_error(retriability: Retriability, message: &str) -> Error {
    let (advice, is_retryable) = match retriability {
        Retriability::Retriable => ("You can retry", true),
        Retriability::NonRetriable => ("Do not retry", false),
    };
    let message = format!("Failed to start TvmClient. {advice}: {message}");
    let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Config, message);
    Error::of(ErrorKind::Start, core.with_retryable(is_retryable))
}

/// Records that the worker has ended, whatever the reason.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        tracing::debug!("Worker stopped");
        self.0.worker_gone.store(true, Ordering::Release);
        // The waiting callers wake up and start another worker.
        self.0.forget_wishes();
    }
}
