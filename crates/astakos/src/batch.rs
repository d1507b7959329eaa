//! Questions of many tasks, asked together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;
use vouchsafe_core::task::Task;
use vouchsafe_core::{BoxFuture, Error as CoreError, ErrorKind as CoreKind, Sent};

use crate::{Error, Result};

/// Asks about several keys at once.
pub(crate) type Ask =
    dyn Fn(Vec<String>) -> BoxFuture<'static, Result<BTreeMap<String, String>>> + Send + Sync;

/// Gathers keys for a moment and asks about them in one call. Dropping it ends what runs in the
/// background.
pub(crate) struct Batcher {
    shared: Arc<Shared>,
    worker: Mutex<Option<Task>>,
}

struct Shared {
    ask: Box<Ask>,
    window: Duration,
    waiting: Mutex<Vec<(String, Reply)>>,
    arrived: Notify,
}

type Reply = oneshot::Sender<Result<Option<String>>>;

impl Batcher {
    pub(crate) fn new(window: Duration, ask: Box<Ask>) -> Self {
        Self {
            shared: Arc::new(Shared {
                ask,
                window,
                waiting: Mutex::default(),
                arrived: Notify::new(),
            }),
            worker: Mutex::new(None),
        }
    }

    /// Asks about a key together with others; `None` if the answer does not tell of it. Who stops
    /// waiting takes nobody along.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>> {
        let (reply, answer) = oneshot::channel();
        lock(&self.shared.waiting).push((key.to_owned(), reply));
        self.shared.arrived.notify_one();
        self.ensure_worker();
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Starts the worker if there is none, or its runtime is gone.
    fn ensure_worker(&self) {
        let mut worker = lock(&self.worker);
        if worker.as_ref().is_none_or(Task::is_finished) {
            *worker = Some(Task::spawn(run(Arc::clone(&self.shared))));
        }
    }
}

async fn run(shared: Arc<Shared>) {
    loop {
        if lock(&shared.waiting).is_empty() {
            shared.arrived.notified().await;
        }
        sleep(shared.window).await;
        let waiting: Vec<_> = std::mem::take(&mut *lock(&shared.waiting))
            .into_iter()
            .filter(|(_, reply)| !reply.is_closed())
            .collect();
        if waiting.is_empty() {
            continue;
        }
        let mut keys: Vec<_> = waiting.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        let answer = (shared.ask)(keys).await;
        for (key, reply) in waiting {
            let result = match &answer {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(error) => Err(error.clone()),
            };
            // Nobody may be waiting any more.
            let _ = reply.send(result);
        }
    }
}

fn ended() -> Error {
    CoreError::new(
        CoreKind::Transport,
        "the runtime ended before the answer came",
    )
    .with_retryable(true)
    .with_sent(Sent::Maybe)
    .into()
}

impl fmt::Debug for Batcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("waiting", &lock(&self.shared.waiting).len())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
