//! Work that blocks and may never end.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout, timeout_at};

use super::blocking;
use crate::deadline::{after, in_words};
use crate::sync::lock;
use crate::{Error, ErrorKind, Result};

/// Work that blocks and may never end, such as reading from a network file system whose server is gone.
/// One piece of it is done at a time, and the next one waits for its turn.
///
/// What hangs in a system call cannot be interrupted. So work that takes longer than the limit goes on
/// without its caller, who gets an error, and others no longer wait for it: the next piece begins. While
/// that hangs too, another one begins only after twice the limit, then four times, eight times and so on,
/// and callers in between get an error at once. So no caller waits for longer than the limit, few threads
/// are lost, and work that can be done again is.
///
/// A runtime that is dropped waits for its threads, those that hang too, as at the end of `main` under
/// `#[tokio::main]`. One that may have such threads is better ended by
/// [`Runtime::shutdown_timeout`](tokio::runtime::Runtime::shutdown_timeout), which waits for a limited time,
/// or by [`Runtime::shutdown_background`](tokio::runtime::Runtime::shutdown_background), which waits for none.
///
/// ```
/// use std::time::Duration;
/// use vouchsafe_core::task::MayHang;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let reading = MayHang::new("reading the settings", Duration::from_secs(5));
/// let read = reading.run(|| std::fs::read("/etc/hosts")).await?;
/// # drop(read);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MayHang {
    what: &'static str,
    /// `None` if what is done ends with its caller.
    limit: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    /// Locked by the work whose turn it is.
    queue: Arc<tokio::sync::Mutex<()>>,
    /// When that began.
    begun_at: Instant,
    /// Each turn has a copy, those that others no longer wait for too.
    going_on: Arc<()>,
}

/// The turn of one piece of work, until it ends.
pub(crate) struct Turn {
    _first: OwnedMutexGuard<()>,
    _going_on: Arc<()>,
}

impl MayHang {
    /// Creates it for work of one kind, which no caller waits for longer than the limit. `what` names the
    /// work in errors, such as "reading the settings".
    #[must_use]
    pub fn new(what: &'static str, limit: Duration) -> Self {
        Self::of(what, Some(limit))
    }

    /// Creates it for work that ends when its caller drops it. Others wait for it without a limit.
    pub(crate) fn without_limit(what: &'static str) -> Self {
        Self::of(what, None)
    }

    fn of(what: &'static str, limit: Option<Duration>) -> Self {
        Self {
            what,
            limit,
            state: Mutex::new(State {
                queue: Arc::default(),
                begun_at: Instant::now(),
                going_on: Arc::default(),
            }),
        }
    }

    /// Does a piece of work when it is its turn, outside of the runtime's own threads. Work that has begun
    /// goes on if the returned future is dropped.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store), and retryable, if the work was not done within the limit,
    /// counted from this call; also of kind `Store` if it panicked or the runtime is shutting down.
    ///
    /// # Panics
    ///
    /// In a tokio runtime without timers.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let done = async {
            let turn = self.turn().await?;
            self.in_turn(turn, work).await
        };
        self.limited(done).await.map(|(done, _)| done)
    }

    /// Does a piece of work. The turn is returned with what came of it.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Turn)> {
        blocking(self.what, move || (work(), turn)).await
    }

    /// Waits for something that must not take longer than the limit.
    pub(crate) async fn limited<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.limit {
            Some(limit) => timeout(limit, work)
                .await
                .unwrap_or_else(|_| Err(self.late(limit))),
            None => work.await,
        }
    }

    /// Returns a turn if there is one now.
    pub(crate) fn try_turn(&self) -> Option<Turn> {
        let mut state = lock(&self.state);
        if let Ok(first) = Arc::clone(&state.queue).try_lock_owned() {
            return Some(state.begin(first));
        }
        if Instant::now() < state.next_at(self.limit?) {
            return None;
        }
        state.queue = Arc::default();
        let first = Arc::clone(&state.queue).try_lock_owned().ok()?;
        Some(state.begin(first))
    }

    /// Waits for a turn, unless the work whose turn it is has taken too long already.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        loop {
            if let Some(turn) = self.try_turn() {
                return Ok(turn);
            }
            let (queue, begun_at) = {
                let state = lock(&self.state);
                (Arc::clone(&state.queue), state.begun_at)
            };
            let next = Arc::clone(&queue).lock_owned();
            let first = match self.limit {
                None => next.await,
                Some(limit) => {
                    let late_at = after(begun_at, limit);
                    if late_at <= Instant::now() {
                        return Err(self.late(limit));
                    }
                    match timeout_at(late_at, next).await {
                        Ok(first) => first,
                        Err(_) => continue,
                    }
                }
            };
            let mut state = lock(&self.state);
            // Others may have stopped waiting in this queue.
            if Arc::ptr_eq(&queue, &state.queue) {
                return Ok(state.begin(first));
            }
        }
    }

    fn late(&self, limit: Duration) -> Error {
        let what = format!("{} was not done within {}", self.what, in_words(limit));
        Error::new(ErrorKind::Store, what).with_retryable(true)
    }
}

impl State {
    fn begin(&mut self, first: OwnedMutexGuard<()>) -> Turn {
        self.begun_at = Instant::now();
        Turn {
            _first: first,
            _going_on: Arc::clone(&self.going_on),
        }
    }

    /// Returns when others no longer wait for the work whose turn it is.
    fn next_at(&self, limit: Duration) -> Instant {
        // This has one, and so has the turn.
        let hanging = Arc::strong_count(&self.going_on).saturating_sub(2);
        let times = 1 << hanging.min(MOST_DOUBLED);
        after(self.begun_at, limit.saturating_mul(times))
    }
}

impl fmt::Debug for MayHang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MayHang")
            .field("what", &self.what)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// How often the time until the next attempt is doubled.
const MOST_DOUBLED: usize = 20;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// Work that hangs until its other end is dropped, and how often it was begun.
    #[derive(Clone, Default)]
    struct Hung {
        begun: Arc<AtomicUsize>,
        ends: Arc<Mutex<Vec<mpsc::Sender<()>>>>,
    }

    impl Hung {
        fn work(&self) -> impl FnOnce() + Send + 'static {
            let (sender, receiver) = mpsc::channel::<()>();
            lock(&self.ends).push(sender);
            let begun = Arc::clone(&self.begun);
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = receiver.recv();
            }
        }

        /// Waits until so much of it has begun.
        async fn begun(&self, count: usize) {
            while self.begun.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        }

        fn end(&self) {
            lock(&self.ends).clear();
        }
    }

    /// Work must end before its runtime can.
    impl Drop for Hung {
        fn drop(&mut self) {
            self.end();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_caller_waits_for_longer_than_the_limit_nor_for_what_hangs() {
        let (hung, doing) = (Hung::default(), MayHang::new("reading", LIMIT));
        let mut first = Box::pin(doing.run(hung.work()));
        assert!((&mut first).now_or_never().is_none());
        hung.begun(1).await;
        advance(Duration::from_secs(2)).await;
        let mut second = Box::pin(doing.run(|| 2));
        assert!((&mut second).now_or_never().is_none());
        advance(Duration::from_secs(3)).await;
        let error = first.await.unwrap_err();
        assert_eq!(error.message(), "reading was not done within 5 s");
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Store, true)
        );
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(doing.run(|| 3).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn each_piece_that_hangs_doubles_the_time_until_the_next_one() {
        let (hung, doing) = (Hung::default(), MayHang::new("reading", LIMIT));
        for _ in 0..160 {
            let done = doing.run(hung.work()).now_or_never();
            assert!(!matches!(done, Some(Ok(()))));
            advance(Duration::from_secs(1)).await;
        }
        // At 0, 5, 15, 35, 75 and 155 seconds.
        let going_on = || Arc::strong_count(&lock(&doing.state).going_on) - 1;
        assert_eq!(going_on(), 6);
        hung.begun(6).await;
        hung.end();
        while going_on() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(doing.run(|| 1).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn work_whose_caller_has_gone_keeps_its_turn_until_it_ends() {
        let (hung, doing) = (Hung::default(), MayHang::new("reading", LIMIT));
        assert!(doing.run(hung.work()).now_or_never().is_none());
        hung.begun(1).await;
        let mut next = Box::pin(doing.run(|| 2));
        assert!((&mut next).now_or_never().is_none());
        hung.end();
        assert_eq!(next.await.unwrap(), 2);
    }
}
