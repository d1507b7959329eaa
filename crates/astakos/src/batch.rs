//! Combines the queries of many tasks into one call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Task;
use vouchsafe_core::{BoxFuture, Error as CoreError, ErrorKind as CoreKind, Sent};

use crate::{Error, ErrorKind, Result};

/// A query about several keys at once.
pub(crate) type Ask =
    dyn Fn(Vec<String>) -> BoxFuture<'static, Result<BTreeMap<String, String>>> + Send + Sync;

/// Collects keys for a moment and queries all of them in one call. Dropping it ends its background
/// tasks.
///
/// The task that sends the query runs in the runtime of the first caller. A runtime may exist
/// without being driven, so the task records a heartbeat, and a caller who misses it sends the
/// query again from a task of its own.
pub(crate) struct Batcher {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<Task>>,
}

struct Shared {
    ask: Box<Ask>,
    window: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    keys: Vec<(String, Reply)>,
    /// The heartbeat of the task that will query these keys.
    sign: Option<Sign>,
}

type Reply = oneshot::Sender<Result<Option<String>>>;

/// When a task last ran.
#[derive(Clone)]
struct Sign(Arc<Mutex<Instant>>);

/// The maximum number of keys in one call: as many as the client puts into one request.
const MOST: usize = 100;

/// The interval of the heartbeat.
const SIGN_EVERY: Duration = Duration::from_millis(500);

/// How long a heartbeat may be missing before callers start another task.
const SILENCE: Duration = Duration::from_secs(2);

impl Batcher {
    pub(crate) fn new(window: Duration, ask: Box<Ask>) -> Self {
        Self {
            shared: Arc::new(Shared {
                ask,
                window,
                waiting: Mutex::default(),
            }),
            tasks: Mutex::default(),
        }
    }

    /// Looks up a key together with others; `None` if the answer does not contain it. Cancelling
    /// one caller does not affect the others.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>> {
        let (mut answer, mut sign) = self.enter(key, false);
        loop {
            match timeout(SIGN_EVERY, &mut answer).await {
                Ok(answer) => return answer.unwrap_or_else(|_| Err(ended())),
                Err(_) if sign.is_silent() => (answer, sign) = self.enter(key, true),
                Err(_) => {}
            }
        }
    }

    /// Adds a key to the waiting ones, and starts a task for them if none is running.
    fn enter(
        &self,
        key: &str,
        is_forced: bool,
    ) -> (oneshot::Receiver<Result<Option<String>>>, Sign) {
        let (reply, answer) = oneshot::channel();
        let mut waiting = lock(&self.shared.waiting);
        waiting.keys.push((key.to_owned(), reply));
        if let Some(sign) = &waiting.sign
            && !is_forced
            && !sign.is_silent()
        {
            return (answer, sign.clone());
        }
        let sign = Sign::new();
        waiting.sign = Some(sign.clone());
        drop(waiting);
        let mut tasks = lock(&self.tasks);
        tasks.retain(|task| !task.is_finished());
        tasks.push(Task::spawn(run(Arc::clone(&self.shared), sign.clone())));
        (answer, sign)
    }
}

impl Sign {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn is_silent(&self) -> bool {
        lock(&self.0).elapsed() >= SILENCE
    }

    /// Records the heartbeat while the work runs.
    async fn while_doing<T>(&self, work: impl Future<Output = T>) -> T {
        let mut ticks = interval(SIGN_EVERY);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => *lock(&self.0) = Instant::now(),
            }
        }
    }
}

/// Collects keys for a moment, then queries everything that waits.
async fn run(shared: Arc<Shared>, sign: Sign) {
    sign.while_doing(sleep(shared.window)).await;
    let mut keys: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
    {
        let mut waiting = lock(&shared.waiting);
        waiting.sign = None;
        for (key, reply) in waiting.keys.drain(..) {
            if !reply.is_closed() {
                keys.entry(key).or_default().push(reply);
            }
        }
    }
    // Each query runs on its own: one that fails or hangs does not delay the others. They end with
    // this task.
    let mut asking = JoinSet::new();
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        asking.spawn(ask(Arc::clone(&shared), keys.by_ref().take(MOST).collect()));
    }
    sign.while_doing(async { while asking.join_next().await.is_some() {} })
        .await;
}

/// Queries keys. A server may refuse all of them because of a single one, so refused keys are split
/// into halves until the bad one fails alone.
async fn ask(shared: Arc<Shared>, keys: Vec<(String, Vec<Reply>)>) {
    let mut groups = vec![keys];
    while let Some(mut group) = groups.pop() {
        let answer = (shared.ask)(group.iter().map(|(key, _)| key.clone()).collect()).await;
        if let Err(error) = &answer
            && error.kind() == ErrorKind::BadRequest
            && group.len() > 1
        {
            groups.push(group.split_off(group.len() / 2));
            groups.push(group);
            continue;
        }
        for (key, replies) in group {
            for reply in replies {
                let result = match &answer {
                    Ok(found) => Ok(found.get(&key).cloned()),
                    Err(error) => Err(error.clone()),
                };
                // The caller may have stopped waiting.
                let _ = reply.send(result);
            }
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
            .field("waiting", &lock(&self.shared.waiting).keys.len())
            .finish_non_exhaustive()
    }
}
