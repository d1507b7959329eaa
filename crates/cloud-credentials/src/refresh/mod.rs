//! One refresh, whatever the fleet: many tasks in many processes on many machines that meet one
//! dead token make one token request.
//!
//! [`machine`] decides, and this file does what it says. How callers of one process share a refresh
//! is in `credentials`.

pub(crate) mod machine;
#[cfg(test)]
mod model;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, Loaded, Store, Swapped};
use vouchsafe_core::{BoxFuture, Clock, Error as Core, ErrorKind as Kind};

use self::machine::{Event, Issued, Machine, Outcome, Read, Step, Wanted};
use crate::{Error, Record, Result};

/// Asks a token endpoint for the tokens of these credentials.
pub(crate) trait Ask: Send + Sync {
    fn ask<'a>(&'a self, credentials: &'a Record) -> BoxFuture<'a, Result<Issued>>;
}

/// Refreshes the record of one profile.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) key: Key,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) times: Times,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// How long a lease lasts.
    pub(crate) lease: Duration,
    /// How long a token request may take; less than a lease lasts.
    pub(crate) request: Duration,
    /// How long the refresh of another process is waited for.
    pub(crate) patience: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            request: Duration::from_secs(20),
            patience: Duration::from_secs(45),
        }
    }
}

/// A lease, and since when it is held.
struct Held {
    lease: Lease,
    since: Instant,
}

impl Coordinator {
    /// Refreshes, or finds that another process has done it. The error is the last one of the
    /// store or the token endpoint.
    pub(crate) async fn run(&self, wanted: Wanted, ask: &dyn Ask) -> (Outcome, Option<Error>) {
        let begun = Instant::now();
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        let mut watch = self.store.watch(&self.key);
        let mut held: Option<Held> = None;
        let mut failure = None;
        let mut machine = Machine::new(wanted);
        let mut step = Step::Load;
        loop {
            let event = match step {
                Step::Load => match self.load().await {
                    Ok(read) => Event::Loaded(read, self.clock.now()),
                    Err(error) => self.store_failed(error, &mut failure),
                },
                Step::Acquire => match self.acquire().await {
                    Ok(Acquired::Lease(lease)) => {
                        held = Some(Held {
                            lease,
                            since: Instant::now(),
                        });
                        Event::Leased
                    }
                    Ok(Acquired::Held { remaining }) => Event::Held(remaining),
                    Err(error) => self.store_failed(error, &mut failure),
                },
                Step::Wait(most) => {
                    let left = self.times.patience.saturating_sub(begun.elapsed());
                    let wait = backoff.next_wait().min(most).min(left);
                    match left.is_zero() {
                        true => Event::Late,
                        false => {
                            let hint = async {
                                match &mut watch {
                                    Some(watch) => watch.changed().await,
                                    None => std::future::pending().await,
                                }
                            };
                            tokio::select! {
                                () = sleep(wait) => {}
                                () = hint => {}
                            }
                            Event::Waited
                        }
                    }
                }
                Step::Request(credentials) => match self.keep(held.take()).await {
                    Ok(Some(kept)) => {
                        held = Some(kept);
                        self.request(ask, &credentials, &mut failure).await
                    }
                    Ok(None) => Event::LeaseLost,
                    Err(error) => self.store_failed(error, &mut failure),
                },
                Step::Save(record, expect) => {
                    let saved = match record.write() {
                        Ok(value) => {
                            let swap = self.store.compare_and_swap(&self.key, &expect, &value);
                            limited(swap).await.and_then(|swapped| match swapped {
                                Swapped::Done(_) => Ok(Event::Saved),
                                Swapped::Conflict(there) => Ok(Event::Conflict(read(there)?)),
                            })
                        }
                        Err(error) => Err(error),
                    };
                    saved.unwrap_or_else(|error| {
                        tracing::warn!(profile = self.key.profile(), %error, "credentials were not saved");
                        self.store_failed(error, &mut failure)
                    })
                }
                Step::Release => {
                    if let Some(held) = held.take() {
                        // It ends by itself.
                        let _ = limited(self.leases.release(held.lease)).await;
                    }
                    Event::Released
                }
                Step::Done(outcome) => return (outcome, failure),
            };
            step = machine.next(event);
        }
    }

    /// Reads the record.
    pub(crate) async fn load(&self) -> Result<Option<Read>> {
        read(limited(self.store.load(&self.key)).await?)
    }

    async fn acquire(&self) -> Result<Acquired> {
        limited(self.leases.acquire(&self.key, self.times.lease)).await
    }

    /// Makes sure that the lease outlasts a request. `None` if it was lost.
    async fn keep(&self, held: Option<Held>) -> Result<Option<Held>> {
        let Some(mut held) = held else {
            return Ok(None);
        };
        if held.since.elapsed() + self.times.request < self.times.lease {
            return Ok(Some(held));
        }
        let since = Instant::now();
        let renewed = limited(self.leases.renew(&mut held.lease, self.times.lease)).await?;
        held.since = since;
        Ok(renewed.then_some(held))
    }

    async fn request(
        &self,
        ask: &dyn Ask,
        credentials: &Record,
        failure: &mut Option<Error>,
    ) -> Event {
        match ask.ask(credentials).await {
            Ok(issued) => Event::Issued(issued, self.clock.now()),
            Err(error) => {
                let is_refused = error.is_reauthorization_needed();
                *failure = Some(error);
                match is_refused {
                    true => Event::RefusedGrant,
                    false => Event::NotIssued,
                }
            }
        }
    }

    fn store_failed(&self, error: Error, failure: &mut Option<Error>) -> Event {
        *failure = Some(error);
        Event::StoreFailed
    }
}

fn read(loaded: Option<Loaded>) -> Result<Option<Read>> {
    let read = |loaded: Loaded| Ok((Record::read(&loaded.value)?, loaded.version));
    loaded.map(read).transpose()
}

/// Bounds the time of an operation of a store.
pub(crate) async fn limited<T>(work: impl Future<Output = vouchsafe_core::Result<T>>) -> Result<T> {
    let Ok(done) = timeout(STORE_TIME, work).await else {
        let what = format!("the store of credentials gave no answer within {STORE_TIME:?}");
        return Err(Core::new(Kind::Store, what).with_retryable(true).into());
    };
    Ok(done?)
}

/// Longer than stores wait for other writers.
const STORE_TIME: Duration = Duration::from_secs(15);
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
