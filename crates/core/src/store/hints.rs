//! Hints at changes, from a server to watchers.

use std::collections::HashMap;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::record::Watch;
use crate::call::{Backoff, Jitter};
use crate::sync::lock;
use crate::task::Keeper;
use crate::{Error, ErrorKind, Result};

/// Distributes the notifications of one listener on a server, so that stores can implement
/// [`Store::watch`](super::Store::watch).
///
/// The listener starts with the first watch and ends when this is dropped. If it fails, or takes
/// over a minute to begin, it is restarted after at most ten seconds.
#[derive(Debug)]
pub struct Hints {
    board: Arc<Board>,
    keeper: Keeper,
}

/// Where a listener reports changes.
#[derive(Default)]
pub struct Board {
    /// By the name that the store gives a record.
    watched: Mutex<HashMap<Vec<u8>, watch::Sender<u64>>>,
    is_listening: watch::Sender<bool>,
}

impl Hints {
    /// Creates hints from a listener. It must call [`Board::listening`] once it receives
    /// notifications, then [`Board::changed`] for each, and return when the connection ends.
    pub fn new<F, Fut>(listen: F) -> Self
    where
        F: Fn(Arc<Board>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let board = Arc::new(Board::default());
        let of_work = Arc::clone(&board);
        let keeper = Keeper::new("watching a store", move || {
            keep_listening(listen.clone(), Arc::clone(&of_work))
        });
        Self { board, keeper }
    }

    /// Watches a record by the name that the listener will use. Outside of a tokio runtime there
    /// are no hints until the next call inside of one.
    #[must_use]
    pub fn watch(&self, name: &[u8]) -> Watch {
        let changes = {
            let mut watched = lock(&self.board.watched);
            watched.retain(|_, changes| changes.receiver_count() > 0);
            watched.entry(name.to_owned()).or_default().subscribe()
        };
        self.keeper.ensure();
        Watch::new(changes)
    }
}

impl Board {
    /// Reports that notifications are received from now on. Any record may have changed before.
    pub fn listening(&self) {
        self.is_listening.send_replace(true);
        for changes in lock(&self.watched).values() {
            changes.send_modify(|count| *count += 1);
        }
    }

    /// Ends when the listener should have begun but has not.
    async fn silence(&self) {
        let mut is_listening = self.is_listening.subscribe();
        let begun = is_listening.wait_for(|is_listening| *is_listening);
        if timeout(PATIENCE, begun).await.is_ok() {
            pending::<()>().await;
        }
    }

    /// Reports that a record has changed.
    pub fn changed(&self, name: &[u8]) {
        if let Some(changes) = lock(&self.watched).get(name) {
            changes.send_modify(|count| *count += 1);
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("watched", &lock(&self.watched).len())
            .finish_non_exhaustive()
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a listener may take to connect: by default longer than any call of a store.
const PATIENCE: Duration = Duration::from_secs(60);

async fn keep_listening<F, Fut>(listen: F, board: Arc<Board>)
where
    F: Fn(Arc<Board>) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
    loop {
        board.is_listening.send_replace(false);
        let ended = tokio::select! {
            ended = listen(Arc::clone(&board)) => ended,
            () = board.silence() => {
                let what = "the server did not answer a listener";
                Err(Error::new(ErrorKind::Store, what))
            }
        };
        if *board.is_listening.borrow() {
            backoff.reset();
        }
        let wait = backoff.next_wait();
        tracing::debug!(
            ?wait,
            error = ended.err().map(tracing::field::display),
            "watching again"
        );
        sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_gets_no_answer_is_started_again_and_one_without_news_is_not() {
        let starts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&starts);
        let hints = Hints::new(move |board| {
            let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if !is_first {
                    board.listening();
                }
                pending().await
            }
        });
        let mut watch = hints.watch(b"one");
        watch.changed().await;
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        sleep(10 * PATIENCE).await;
        assert_eq!(starts.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_fails_is_started_again_and_hints_at_what_it_missed() {
        let starts = Arc::new(AtomicUsize::new(0));
        let (counted, fail) = (Arc::clone(&starts), Arc::new(Notify::new()));
        let failing = Arc::clone(&fail);
        let hints = Hints::new(move |board| {
            let (starts, fail) = (Arc::clone(&counted), Arc::clone(&failing));
            async move {
                // The first connections fail.
                if starts.fetch_add(1, Ordering::SeqCst) > 2 {
                    board.listening();
                    board.changed(b"other");
                    fail.notified().await;
                }
                Err(Error::new(ErrorKind::Store, "planted"))
            }
        });
        let mut watch = hints.watch(b"one");
        watch.changed().await;
        assert_eq!(starts.load(Ordering::SeqCst), 4);
        fail.notify_one();
        watch.changed().await;
        assert_eq!(starts.load(Ordering::SeqCst), 5);
        assert_eq!(watch.count(), 2);
        hints.board.changed(b"one");
        watch.changed().await;
        assert_eq!(watch.count(), 3);
        hints.board.changed(b"other");
        let none = tokio::time::timeout(LONGEST_WAIT, watch.changed()).await;
        assert!(none.is_err(), "hinted at another record");
    }

    #[tokio::test]
    async fn a_record_is_watched_for_as_long_as_its_watch_is_kept() {
        let hints = Hints::new(|_| pending());
        let _one = hints.watch(b"one");
        drop(hints.watch(b"two"));
        let _three = hints.watch(b"three");
        let mut names: Vec<_> = lock(&hints.board.watched).keys().cloned().collect();
        names.sort();
        assert_eq!(names, [&b"one"[..], b"three"]);
        assert_eq!(format!("{:?}", hints.board), "Board { watched: 2, .. }");
    }

    #[tokio::test]
    async fn a_listener_ends_with_its_store() {
        struct End(Arc<Notify>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let (begun, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (on_begin, on_end) = (Arc::clone(&begun), Arc::clone(&ended));
        let hints = Hints::new(move |_| {
            let end = End(Arc::clone(&on_end));
            on_begin.notify_one();
            async move {
                let _end = end;
                std::future::pending().await
            }
        });
        drop(hints.watch(b"one"));
        begun.notified().await;
        drop(hints);
        ended.notified().await;
    }
}
