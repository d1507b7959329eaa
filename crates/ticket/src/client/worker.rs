//! The background work of a client, which fetches everything at the start and refreshes it
//! afterwards.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};
use vouchsafe_core::task::Keeper;

use super::fetch::Phase;
use super::held::Held;
use super::source::Source;
use super::wishes::Wishes;
use crate::client::protocol::StatusCode;
use crate::engine::env::BlackboxEnv;
use crate::error::Result;

#[derive(Debug)]
pub(crate) struct Worker {
    held: Arc<Held>,
    wishes: Arc<Wishes>,
    source: Source,
    last_status: Option<StatusCode>,
}

impl Worker {
    /// Fetches everything that is configured.
    pub(crate) async fn start(
        held: Arc<Held>,
        wishes: Arc<Wishes>,
        mut source: Source,
    ) -> Result<Self> {
        source.start().await?;
        let mut worker = Self {
            held,
            wishes,
            source,
            last_status: None,
        };
        worker.warn_of_contradiction();
        worker.tell_status();
        Ok(worker)
    }

    /// Keeps the work running, on one runtime after another. The worker keeps its state.
    pub(crate) fn keep(self) -> Keeper {
        let worker = Arc::new(Mutex::new(self));
        Keeper::new("refreshing tickets, keys and roles", move || {
            let worker = Arc::clone(&worker);
            async move { worker.lock().await.run().await }
        })
    }

    /// Warns at the start about settings with which every check of a user ticket would fail.
    fn warn_of_contradiction(&self) {
        let keys = self.held.keys.load();
        let env = keys.as_ref().and_then(|keys| keys.own_env());
        if let Some(env) = env.filter(|env| *env != BlackboxEnv::ProdYateam)
            && self.held.checks.default_uid
            && self.held.facts.load().slug.is_some()
        {
            tracing::warn!(
                %env,
                "All user tickets will be refused: only users of ProdYateam have roles. Call \
                 without_default_uid_check(), or check user tickets of ProdYateam"
            );
        }
    }

    async fn run(&mut self) {
        let _end = End(Arc::clone(&self.wishes));
        tracing::debug!("Worker started");
        let mut next = Instant::now() + self.source.period();
        loop {
            tokio::select! {
                () = self.wishes.arrived() => {}
                () = sleep_until(next) => {}
            }
            self.source.answer(&self.wishes).await;
            let waiting = self.wishes.take_refreshes();
            if !waiting.is_empty() {
                self.source.cycle(Phase::Asked, true).await;
                for done in waiting {
                    // The caller may have stopped waiting.
                    let _ = done.send(());
                }
            }
            if Instant::now() >= next {
                self.source.cycle(Phase::Background, false).await;
                next = Instant::now() + self.source.period();
            }
            self.tell_status();
        }
    }

    /// Logs the status when it has changed.
    fn tell_status(&mut self) {
        let status = self.held.status_code();
        if self.last_status.replace(status) == Some(status) {
            return;
        }
        let error = self.held.last_error().message().to_owned();
        match status {
            StatusCode::Ok => tracing::info!(%status, "Status of the TVM client changed"),
            _ => tracing::warn!(%status, error, "Status of the TVM client changed"),
        }
    }
}

/// Wakes waiting callers when the work ends, for whatever reason, so that they ask the next run.
struct End(Arc<Wishes>);

impl Drop for End {
    fn drop(&mut self) {
        tracing::debug!("Worker stopped");
        self.0.forget();
    }
}
