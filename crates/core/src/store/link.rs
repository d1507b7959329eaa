//! One connection to a server, shared by the calls of a store.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::{Error, ErrorKind, Result, Sent, deadline};

/// A connection to a server that all calls of a store share. It is opened when first needed, and
/// again after it broke or did not answer in time.
///
/// Every call has a time limit, connecting included. Nothing is sent a second time.
pub struct Link<C> {
    place: String,
    limit: Duration,
    is_alive: fn(&C) -> bool,
    /// Locked while a connection is opened.
    kept: Mutex<Kept<C>>,
    /// The number of the last connection that broke.
    broken: AtomicU64,
}

struct Kept<C> {
    connection: Option<C>,
    /// Counts connections, so that a late failure of an earlier one does not close the current one.
    count: u64,
}

/// Why a call on a [`Link`] failed.
#[derive(Debug)]
pub struct Broken {
    message: String,
    may_recover: bool,
    is_connection: bool,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Broken {
    /// The server refused the call. The message must not contain secrets.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            may_recover: false,
            is_connection: false,
            cause: None,
        }
    }

    /// The server cannot make the call now, but may be able to later.
    #[must_use]
    pub fn for_now(message: impl Into<String>) -> Self {
        Self {
            may_recover: true,
            ..Self::refused(message)
        }
    }

    /// The connection cannot be used any more; the next call opens another.
    #[must_use]
    pub fn connection(message: impl Into<String>) -> Self {
        Self {
            is_connection: true,
            ..Self::for_now(message)
        }
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl From<Error> for Broken {
    /// An error while connecting.
    fn from(error: Error) -> Self {
        Self {
            message: error.to_string(),
            may_recover: error.is_retryable(),
            is_connection: true,
            cause: Some(error.into()),
        }
    }
}

impl<C: Clone + Send> Link<C> {
    /// Creates a link to a server, without connecting. `place` is its host and port, for errors;
    /// `is_alive` returns whether a connection is still open, as far as is known.
    pub fn new(place: impl Into<String>, limit: Duration, is_alive: fn(&C) -> bool) -> Self {
        Self {
            place: place.into(),
            limit,
            is_alive,
            kept: Mutex::new(Kept {
                connection: None,
                count: 0,
            }),
            broken: AtomicU64::new(0),
        }
    }

    /// Returns the host and the port.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns how long a call may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Makes a call within the limit. `what` completes "cannot", as in "read a record".
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store), with [`Sent::No`] if there was no connection.
    pub async fn call<T, Connecting, Working>(
        &self,
        what: &str,
        connect: impl FnOnce() -> Connecting + Send,
        work: impl FnOnce(C) -> Working + Send,
    ) -> Result<T>
    where
        T: Send,
        Connecting: Future<Output = Result<C, Broken>> + Send,
        Working: Future<Output = Result<T, Broken>> + Send,
    {
        let late = deadline::after(Instant::now(), self.limit);
        let mut used = None;
        let done = timeout_at(late, async {
            let connection = {
                let mut kept = self.kept.lock().await;
                let is_whole = kept.count > self.broken.load(Ordering::Acquire);
                let alive = kept
                    .connection
                    .as_ref()
                    .filter(|kept| is_whole && (self.is_alive)(kept));
                let connection = match alive {
                    Some(connection) => connection.clone(),
                    None => {
                        kept.connection = None;
                        let connection = connect().await?;
                        kept.count += 1;
                        kept.connection = Some(connection.clone());
                        connection
                    }
                };
                used = Some(kept.count);
                connection
            };
            work(connection).await
        });
        let broken = match done.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(broken)) => broken,
            Err(_) => Broken::connection(format!("no answer within {:?}", self.limit)),
        };
        if broken.is_connection
            && let Some(used) = used
        {
            self.broken.fetch_max(used, Ordering::AcqRel);
            // It is not waited for: another call that opens a connection may take its whole limit.
            if let Ok(mut kept) = self.kept.try_lock()
                && kept.count == used
            {
                kept.connection = None;
            }
        }
        let message = if broken.message.contains(&self.place) {
            format!("cannot {what}: {}", broken.message)
        } else {
            format!("cannot {what} at {}: {}", self.place, broken.message)
        };
        let sent = if used.is_some() {
            Sent::Maybe
        } else {
            Sent::No
        };
        let error = Error::new(ErrorKind::Store, message)
            .with_retryable(broken.may_recover)
            .with_sent(sent);
        Err(match broken.cause {
            Some(cause) => error.with_source(cause),
            None => error,
        })
    }
}

impl<C> fmt::Debug for Link<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("place", &self.place)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Connects if necessary and makes the call; returns the number of the connection.
    async fn call(link: &Link<usize>, made: &AtomicUsize, fault: Option<Broken>) -> Result<usize> {
        let connect = || async { Ok(made.fetch_add(1, Ordering::SeqCst)) };
        let work = |connection| async move { fault.map_or(Ok(connection), Err) };
        link.call("read a record", connect, work).await
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_it_breaks() {
        let (link, made) = (Link::new("host:1", SECOND, |_| true), AtomicUsize::new(0));
        assert_eq!(call(&link, &made, None).await.unwrap(), 0);
        let error = call(&link, &made, Some(Broken::refused("planted")))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot read a record at host:1: planted");
        assert!(!error.is_retryable());
        assert_eq!(call(&link, &made, None).await.unwrap(), 0);
        let error = call(&link, &made, Some(Broken::connection("reset")))
            .await
            .unwrap_err();
        assert!(error.is_retryable() && error.sent() == Sent::Maybe);
        assert_eq!(call(&link, &made, None).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_late_failure_of_an_old_connection_does_not_cost_the_new_one() {
        let (link, made) = (Link::new("host:1", SECOND, |_| true), AtomicUsize::new(0));
        let (fail, failing) = tokio::sync::oneshot::channel();
        let late = link.call(
            "read a record",
            || async { Ok(made.fetch_add(1, Ordering::SeqCst)) },
            |_| async { Err::<(), _>(failing.await.unwrap()) },
        );
        let others = async {
            let reset = || Broken::connection("reset");
            call(&link, &made, Some(reset())).await.unwrap_err();
            assert_eq!(call(&link, &made, None).await.unwrap(), 1);
            fail.send(reset()).unwrap();
        };
        let (late, ()) = tokio::join!(late, others);
        assert!(late.is_err());
        assert_eq!(call(&link, &made, None).await.unwrap(), 1);
    }

    #[test]
    fn a_link_says_where_it_leads_and_how_long_a_call_takes() {
        let link = Link::<usize>::new("host:1", SECOND, |_| true);
        assert_eq!((link.place(), link.limit()), ("host:1", SECOND));
        let shown = format!("{link:?}");
        assert_eq!(shown, "Link { place: \"host:1\", limit: 1s, .. }");
    }

    #[tokio::test]
    async fn a_connection_that_has_ended_is_not_used_again() {
        let (link, made) = (
            Link::new("host:1", SECOND, |&at| at > 0),
            AtomicUsize::new(0),
        );
        for connection in [0, 1, 1] {
            assert_eq!(call(&link, &made, None).await.unwrap(), connection);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_costs_its_connection() {
        let (link, made) = (Link::new("host:1", SECOND, |_| true), AtomicUsize::new(0));
        let begun = Instant::now();
        let hung = link.call(
            "read a record",
            || async { Ok(made.fetch_add(1, Ordering::SeqCst)) },
            |_| std::future::pending::<Result<(), _>>(),
        );
        let error = hung.await.unwrap_err();
        assert_eq!(begun.elapsed(), SECOND);
        assert!(error.is_retryable() && error.sent() == Sent::Maybe);
        assert_eq!(call(&link, &made, None).await.unwrap(), 1);

        let link = Link::<usize>::new("host:1", SECOND, |_| true);
        let connect = std::future::pending::<Result<usize, Broken>>;
        let error = link
            .call("x", connect, |_| async { Ok(()) })
            .await
            .unwrap_err();
        assert!(error.is_retryable() && error.sent() == Sent::No);
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_waits_longer_for_the_connection_of_another() {
        type Flag = Arc<AtomicBool>;
        let is_open = |flag: &Flag| flag.load(Ordering::SeqCst);
        let (link, flag) = (Link::new("host:1", SECOND, is_open), Flag::default());
        flag.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let hung = async {
            let connect = || async { Ok(Arc::clone(&flag)) };
            let work = |_| std::future::pending::<Result<(), _>>();
            link.call("x", connect, work).await.unwrap_err();
            assert_eq!(begun.elapsed(), SECOND);
        };
        let connecting = async {
            sleep(SECOND / 2).await;
            flag.store(false, Ordering::SeqCst);
            let connect = std::future::pending::<Result<Flag, Broken>>;
            let work = |_| async { Ok(()) };
            link.call("x", connect, work).await.unwrap_err();
            assert_eq!(begun.elapsed(), SECOND * 3 / 2);
        };
        tokio::join!(hung, connecting);
    }
}
