//! Combines the look-ups of many tasks into few queries.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;

use super::Keeper;
use crate::sync::lock;
use crate::{BoxFuture, Error, ErrorKind, Sent};

/// Collects the keys that callers look up within a short time, and looks them up in one query.
///
/// A query contains each key once, however many callers wait for it. Queries run concurrently, so
/// one that hangs delays no other. Dropping a caller's future affects no other caller; dropping the
/// batcher ends its queries.
///
/// It outlives the runtime that its queries run on, as a [`Keeper`] does: queries in progress are
/// sent again from the runtime of a waiting caller. So a query must be harmless to repeat.
///
/// ```
/// use std::collections::BTreeMap;
/// use vouchsafe_core::task::Batcher;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let lengths = Batcher::builder("looking up lengths").build(|words: Vec<String>| async {
///     let of = |word: String| (word.clone(), word.len());
///     Ok::<_, vouchsafe_core::Error>(words.into_iter().map(of).collect::<BTreeMap<_, _>>())
/// });
/// let (one, other) = tokio::try_join!(lengths.get("a".to_owned()), lengths.get("bcd".to_owned()))?;
/// assert_eq!((one, other), (Some(1), Some(3))); // from one query
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping the batcher ends its queries"]
pub struct Batcher<K, V, E = Error> {
    queue: Arc<Queue<K, V, E>>,
    keeper: Keeper,
}

/// Builds a [`Batcher`].
#[derive(Clone, Debug)]
#[must_use]
pub struct BatcherBuilder<E = Error> {
    what: &'static str,
    window: Duration,
    max_keys: usize,
    splits: fn(&E) -> bool,
}

impl<E> BatcherBuilder<E> {
    /// Sets how long keys are collected before a query. Default: 3 milliseconds.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how many keys one query may have. Default: 100.
    pub fn max_keys(mut self, count: usize) -> Self {
        self.max_keys = count.max(1);
        self
    }

    /// Sets which errors may be caused by a single key. The keys of such a query are split in
    /// halves until the bad one fails alone. Default: none.
    pub fn split_on(mut self, splits: fn(&E) -> bool) -> Self {
        self.splits = splits;
        self
    }

    /// Builds the batcher over a query. Needs no runtime.
    ///
    /// A key that is missing in the answer is unknown; an error is returned for every key of the
    /// query.
    pub fn build<K, V, F, Fut>(self, ask: F) -> Batcher<K, V, E>
    where
        K: Clone + Ord + Send + 'static,
        V: Clone + Send + 'static,
        E: Clone + From<Error> + Send + 'static,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<BTreeMap<K, V>, E>> + Send + 'static,
    {
        let queue = Arc::new(Queue {
            ask: Box::new(move |keys| Box::pin(ask(keys))),
            window: self.window,
            max_keys: self.max_keys,
            splits: self.splits,
            waiting: Mutex::default(),
            arrived: Notify::new(),
        });
        let of_work = Arc::clone(&queue);
        let keeper = Keeper::new(self.what, move || run(Arc::clone(&of_work)));
        Batcher { queue, keeper }
    }
}

impl<E> Batcher<(), (), E> {
    /// Creates a builder. `what` names the queries in the log, such as "looking up names".
    pub fn builder(what: &'static str) -> BatcherBuilder<E> {
        BatcherBuilder {
            what,
            window: Duration::from_millis(3),
            max_keys: 100,
            splits: |_| false,
        }
    }
}

impl<K, V, E> Batcher<K, V, E>
where
    K: Clone + Ord + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + From<Error> + Send + 'static,
{
    /// Looks up a key together with others. Returns `None` if the answer does not contain it.
    ///
    /// # Errors
    ///
    /// That of the query. Of kind [`Transport`](ErrorKind::Transport), retryable, if the query
    /// panicked or its runtime ended with the caller's.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers.
    pub async fn get(&self, key: K) -> Result<Option<V>, E> {
        let (reply, answer) = oneshot::channel();
        lock(&self.queue.waiting).push((key, vec![reply]));
        self.queue.arrived.notify_one();
        let cut_short = |error: Error| Err(error.with_retryable(true).into());
        match self.keeper.wait(answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => cut_short(
                Error::new(ErrorKind::Transport, "the query was cut short").with_sent(Sent::Maybe),
            ),
            Err(ended) => cut_short(ended.into()),
        }
    }
}

impl<K, V, E> fmt::Debug for Batcher<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("waiting", &lock(&self.queue.waiting).len())
            .field("keeper", &self.keeper)
            .finish_non_exhaustive()
    }
}

type Answer<K, V, E> = Result<BTreeMap<K, V>, E>;
type Ask<K, V, E> = dyn Fn(Vec<K>) -> BoxFuture<'static, Answer<K, V, E>> + Send + Sync;
type Reply<V, E> = oneshot::Sender<Result<Option<V>, E>>;
/// Keys, and the callers that wait for them.
type Keys<K, V, E> = Vec<(K, Vec<Reply<V, E>>)>;

struct Queue<K, V, E> {
    ask: Box<Ask<K, V, E>>,
    window: Duration,
    max_keys: usize,
    splits: fn(&E) -> bool,
    waiting: Mutex<Keys<K, V, E>>,
    arrived: Notify,
}

impl<K: Clone + Ord, V, E> Queue<K, V, E> {
    /// Waits for a first key, then briefly for more.
    async fn collect(&self) {
        while lock(&self.waiting).is_empty() {
            self.arrived.notified().await;
        }
        sleep(self.window).await;
    }

    /// Takes the waiting keys, in groups of one query each.
    fn take(&self) -> Vec<Keys<K, V, E>> {
        let mut keys: BTreeMap<K, Vec<Reply<V, E>>> = BTreeMap::new();
        for (key, mut replies) in lock(&self.waiting).drain(..) {
            replies.retain(|reply| !reply.is_closed());
            if !replies.is_empty() {
                keys.entry(key).or_default().append(&mut replies);
            }
        }
        let mut keys = keys.into_iter().peekable();
        let groups = std::iter::from_fn(|| {
            keys.peek()?;
            Some(keys.by_ref().take(self.max_keys).collect())
        });
        groups.collect()
    }
}

/// The keys of one query, and those of the next.
struct Group<K, V, E> {
    asked: Keys<K, V, E>,
    rest: Vec<Keys<K, V, E>>,
}

/// The queries in progress. The replies are kept here and not in the tasks of the queries, so that
/// they go back to the queue if this is dropped, even if the runtime of those tasks is not driven.
struct UnderWay<'q, K, V, E> {
    queue: &'q Queue<K, V, E>,
    queries: JoinSet<Answer<K, V, E>>,
    groups: HashMap<Id, Group<K, V, E>>,
}

impl<K, V, E> Drop for UnderWay<'_, K, V, E> {
    fn drop(&mut self) {
        let groups = self.groups.drain().map(|(_, group)| group);
        let keys = groups.flat_map(|group| std::iter::once(group.asked).chain(group.rest));
        lock(&self.queue.waiting).extend(keys.flatten());
    }
}

impl<K, V, E> UnderWay<'_, K, V, E>
where
    K: Clone + Ord + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    fn ask(&mut self, asked: Keys<K, V, E>, rest: Vec<Keys<K, V, E>>) {
        let keys = asked.iter().map(|(key, _)| key.clone()).collect();
        let query = self.queries.spawn((self.queue.ask)(keys));
        self.groups.insert(query.id(), Group { asked, rest });
    }

    fn answered(&mut self, done: Result<(Id, Answer<K, V, E>), JoinError>) {
        let (id, answer) = match done {
            Ok((id, answer)) => (id, Some(answer)),
            Err(error) => (error.id(), None),
        };
        let Some(Group {
            mut asked,
            mut rest,
        }) = self.groups.remove(&id)
        else {
            return;
        };
        match answer {
            Some(Err(error)) if asked.len() > 1 && (self.queue.splits)(&error) => {
                rest.push(asked.split_off(asked.len() / 2));
                rest.push(asked);
            }
            Some(answer) => reply(asked, &answer),
            // It panicked. Dropping the replies reports that it was cut short.
            None => drop(asked),
        }
        if let Some(next) = rest.pop() {
            self.ask(next, rest);
        }
    }
}

fn reply<K: Ord, V: Clone, E: Clone>(keys: Keys<K, V, E>, answer: &Answer<K, V, E>) {
    for (key, replies) in keys {
        for reply in replies {
            let result = match answer {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(error) => Err(error.clone()),
            };
            // The caller may have stopped waiting.
            let _ = reply.send(result);
        }
    }
}

async fn run<K, V, E>(queue: Arc<Queue<K, V, E>>)
where
    K: Clone + Ord + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    let mut under_way = UnderWay {
        queue: &queue,
        queries: JoinSet::new(),
        groups: HashMap::new(),
    };
    let mut collected = pin!(queue.collect());
    loop {
        tokio::select! {
            () = &mut collected => {
                for keys in queue.take() {
                    under_way.ask(keys, Vec::new());
                }
                collected.set(queue.collect());
            }
            Some(done) = under_way.queries.join_next_with_id() => under_way.answered(done),
        }
    }
}

#[cfg(test)]
mod tests;
