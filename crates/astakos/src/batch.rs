//! Questions of many tasks, asked together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
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

/// How many keys one call asks about at most: as many as the client puts into one request.
const MOST: usize = 100;

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
        let mut answer = answer;
        loop {
            match timeout(LOOK_AFTER, &mut answer).await {
                Ok(answer) => return answer.unwrap_or_else(|_| Err(ended())),
                // Who asks may have ended with its runtime, and this go on in another.
                Err(_) => self.ensure_worker(),
            }
        }
    }

    /// Starts the worker if there is none, or its runtime is gone.
    fn ensure_worker(&self) {
        let mut worker = lock(&self.worker);
        if worker.as_ref().is_none_or(Task::is_finished) {
            *worker = Some(Task::spawn(run(Arc::clone(&self.shared))));
        }
    }
}

/// How often is seen to it that somebody asks.
const LOOK_AFTER: Duration = Duration::from_secs(1);

async fn run(shared: Arc<Shared>) {
    // Those that are under way end with this task.
    let mut asking = JoinSet::new();
    loop {
        if lock(&shared.waiting).is_empty() {
            shared.arrived.notified().await;
        }
        sleep(shared.window).await;
        while asking.try_join_next().is_some() {}
        let mut waiting: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
        for (key, reply) in std::mem::take(&mut *lock(&shared.waiting)) {
            if !reply.is_closed() {
                waiting.entry(key).or_default().push(reply);
            }
        }
        // Each on its own: one that fails or hangs holds up no other.
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() {
            let some = waiting.by_ref().take(MOST).collect();
            asking.spawn(ask(Arc::clone(&shared), some));
        }
    }
}

async fn ask(shared: Arc<Shared>, waiting: BTreeMap<String, Vec<Reply>>) {
    let answer = (shared.ask)(waiting.keys().cloned().collect()).await;
    for (key, replies) in waiting {
        for reply in replies {
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
