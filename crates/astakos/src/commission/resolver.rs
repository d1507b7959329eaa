//! Sends the accepts and rejects of many tasks together.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};
use vouchsafe_core::call::{Backoff, Retry};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::{Ended, Keeper};
use vouchsafe_core::{BoxFuture, Error as CoreError, ErrorKind as CoreKind, Sent, TimeoutScope};

use super::busy::Busy;
use super::journal::{Journal, Outcome};
use super::pace::until;
use super::search::Search;
use super::{CommissionId, Committed};
use crate::{Client, CommissionAction, Error, ErrorKind, Resolution, Result, Serial};

/// The settings of a resolver.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) window: Duration,
    pub(super) max_batch: usize,
    /// The waits after failures.
    pub(super) backoff: Backoff,
}

/// Resolves commissions in the background; dropping it ends that.
#[derive(Debug)]
pub(super) struct Resolver {
    queue: Arc<Queue>,
    keeper: Keeper,
}

#[derive(Debug)]
struct Queue {
    jobs: Mutex<Vec<Job>>,
    arrived: Notify,
    /// The number of jobs that wait or are in progress.
    count: watch::Sender<usize>,
}

/// A commission to be resolved.
#[derive(Debug)]
struct Job {
    serial: Serial,
    action: CommissionAction,
    /// Set if the commission is in the journal, which closes it in the end; it is in progress until
    /// the job ends.
    busy: Option<Busy>,
    /// Set until it is recorded in the journal.
    undo: Option<Undo>,
    /// Whether an earlier attempt may have done it, although its answer was lost.
    may_be_done: bool,
    reply: Option<oneshot::Sender<Result<Committed>>>,
}

/// Notes that the journal may contain a decision to accept that was withdrawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Undo;

impl Resolver {
    pub(super) fn new(
        client: &Client,
        journal: Arc<dyn Journal>,
        search: Arc<Search>,
        settings: Settings,
    ) -> Self {
        let queue = Arc::new(Queue {
            jobs: Mutex::default(),
            arrived: Notify::new(),
            count: watch::Sender::new(0),
        });
        let worker = Worker {
            queue: Arc::clone(&queue),
            settings,
            // Attempts are counted here, where the meaning of a lost answer is known.
            client: client.without_repeats(),
            journal,
            search,
        };
        let keeper = Keeper::new("resolving commissions", move || worker.clone().run());
        Self { queue, keeper }
    }

    /// Hands a commission over. It is resolved even if no caller waits for the reply.
    pub(super) fn submit(
        &self,
        serial: Serial,
        action: CommissionAction,
        busy: Option<Busy>,
        undo: Option<Undo>,
        runtime: &Handle,
    ) -> oneshot::Receiver<Result<Committed>> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(Job {
            serial,
            action,
            busy,
            undo,
            may_be_done: false,
            reply: Some(sender),
        });
        self.keeper.ensure_on(runtime);
        receiver
    }

    /// Returns the number of jobs that wait or are in progress.
    pub(super) fn count(&self) -> usize {
        *self.queue.count.borrow()
    }

    /// Continues in this runtime if the previous one is gone.
    pub(super) fn resume(&self, runtime: &Handle) {
        if self.count() > 0 {
            self.keeper.ensure_on(runtime);
        }
    }

    /// Waits for the reply to a job, for at most `patience`.
    pub(super) async fn settled(
        &self,
        reply: oneshot::Receiver<Result<Committed>>,
        patience: Duration,
    ) -> Result<Committed> {
        match timeout_at(until(patience), self.wait(reply)).await {
            Ok(Ok(Ok(result))) => result,
            Ok(Ok(Err(_))) => Err(gone()),
            Ok(Err(ended)) => Err(unresolved(&ended.to_string())),
            Err(_) => Err(CoreError::new(
                CoreKind::Timeout(TimeoutScope::Call),
                format!("not resolved within {patience:?}; this continues in the background"),
            )
            .with_sent(Sent::Maybe)
            .into()),
        }
    }

    /// Waits for a reply, and keeps the worker running.
    async fn wait<T>(&self, reply: impl Future<Output = T>) -> Result<T, Ended> {
        self.keeper.wait(reply).await
    }

    /// Waits until no job is left, or the worker has been given up.
    pub(super) async fn drained(&self) {
        if self.count() > 0 {
            let mut count = self.queue.count.subscribe();
            // The remaining jobs are counted as open.
            let _ = self.wait(count.wait_for(|&count| count == 0)).await;
        }
    }
}

impl Queue {
    fn push(&self, job: Job) {
        // Counted first: an empty queue must mean that nothing is in progress.
        self.count.send_modify(|count| *count += 1);
        lock(&self.jobs).push(job);
        self.arrived.notify_one();
    }
}

#[derive(Clone)]
struct Worker {
    queue: Arc<Queue>,
    settings: Settings,
    client: Client,
    journal: Arc<dyn Journal>,
    search: Arc<Search>,
}

/// Jobs in progress. If they fail or the worker ends, they go back to the front of the queue, so
/// that jobs of one commission keep their order.
struct Batch<'q> {
    queue: &'q Queue,
    jobs: Vec<Job>,
    /// Whether they may have been sent without an answer.
    is_under_way: bool,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut jobs = lock(&self.queue.jobs);
        let back = self.jobs.drain(..).map(|mut job| {
            job.may_be_done |= self.is_under_way;
            job
        });
        drop(jobs.splice(0..0, back));
    }
}

impl Worker {
    async fn run(self) {
        let mut backoff = self.settings.backoff.clone();
        loop {
            if lock(&self.queue.jobs).is_empty() {
                self.queue.arrived.notified().await;
            }
            sleep(self.settings.window).await;
            let mut batch = Batch {
                queue: &self.queue,
                jobs: take(&mut lock(&self.queue.jobs), self.settings.max_batch),
                is_under_way: false,
            };
            if batch.jobs.is_empty() {
                continue;
            }
            self.undo(&mut batch).await;
            batch.is_under_way = true;
            match self.resolve(&mut batch).await {
                Ok(()) => backoff.reset(),
                Err(Again { asked }) => {
                    drop(batch);
                    sleep(backoff.next_wait().max(asked)).await;
                }
            }
        }
    }

    /// Records in the journal what is to be rejected although it may contain a decision to accept.
    /// If the server refuses to reject, reconciliation goes by the journal.
    async fn undo(&self, batch: &mut Batch<'_>) {
        let mut writing = JoinSet::new();
        for (index, job) in batch.jobs.iter().enumerate() {
            if let (Some(Undo), Some(busy)) = (job.undo, &job.busy) {
                let (journal, id) = (Arc::clone(&self.journal), busy.id());
                writing.spawn(async move {
                    let result = journal.outcome(id, Outcome::Rejecting).await;
                    (index, id, result)
                });
            }
        }
        while let Some(written) = writing.join_next().await {
            match written {
                Ok((index, _, Ok(()))) => batch.jobs[index].undo = None,
                // It is rejected nevertheless, and the next attempt writes to the journal again.
                Ok((_, id, Err(error))) => tracing::warn!(
                    %id, %error, "the journal cannot say that a commission is to be rejected"
                ),
                Err(error) => tracing::warn!(%error, "the journal failed"),
            }
        }
    }

    /// Sends a batch. Jobs that have to be tried again stay in it.
    async fn resolve(&self, batch: &mut Batch<'_>) -> Result<(), Again> {
        self.leave_out_done(batch).await?;
        if batch.jobs.is_empty() {
            return Ok(());
        }
        let of = |action| {
            let jobs = batch.jobs.iter().filter(move |job| job.action == action);
            jobs.map(|job| job.serial).collect::<Vec<_>>()
        };
        let (accept, reject) = (of(CommissionAction::Accept), of(CommissionAction::Reject));
        let (resolution, has_lost_attempt) = match self.client.resolve_once(&accept, &reject).await
        {
            Ok(resolved) => resolved,
            // The server may refuse all of them because of one.
            Err(error) if is_of_content(&error) && batch.jobs.len() > 1 => {
                let half = batch.jobs.len() / 2;
                let mut rest = Batch {
                    queue: batch.queue,
                    jobs: batch.jobs.split_off(half),
                    is_under_way: false,
                };
                Box::pin(self.resolve(batch)).await?;
                rest.is_under_way = true;
                let second = Box::pin(self.resolve(&mut rest)).await;
                batch.jobs = std::mem::take(&mut rest.jobs);
                batch.is_under_way = rest.is_under_way;
                return second;
            }
            Err(error) => return self.failed(batch, &error),
        };
        // All replies first: the rest may be interrupted when the issuer is dropped.
        let mut done = Vec::new();
        for mut job in std::mem::take(&mut batch.jobs) {
            let list = match job.action {
                CommissionAction::Accept => &resolution.accepted,
                CommissionAction::Reject => &resolution.rejected,
            };
            let failure = resolution
                .failed
                .iter()
                .find(|failed| failed.0 == job.serial);
            let result = match failure {
                _ if list.contains(&job.serial) => Ok(Committed::Now),
                Some(_) if job.may_be_done || has_lost_attempt => Ok(Committed::Earlier),
                Some(failed) => Err(Error::lacks(
                    ErrorKind::NotFound,
                    format!("commission {} is not pending: {}", job.serial, failed.1),
                )),
                None => Err(Error::lacks(
                    ErrorKind::InvalidResponse,
                    format!("the answer says nothing of commission {}", job.serial),
                )),
            };
            // If it is not pending, it is done. Commissions missing in the answer are left to the
            // journal.
            let is_closed = !matches!(&result, Err(e) if e.kind() == ErrorKind::InvalidResponse);
            job.answer(result);
            done.push(Done {
                queue: &self.queue,
                busy: job.busy.take(),
                is_closed,
            });
        }
        for done in done {
            if let Some(busy) = done.busy.as_ref().filter(|_| done.is_closed) {
                close(&*self.journal, busy.id()).await;
            }
        }
        Ok(())
    }

    /// Leaves out jobs that an earlier attempt has done, as far as that is known: the serial of a
    /// resolved commission may belong to another one by now.
    async fn leave_out_done(&self, batch: &mut Batch<'_>) -> Result<(), Again> {
        let is_suspect = |job: &Job| job.may_be_done && job.busy.is_some();
        if !batch.jobs.iter().any(is_suspect) {
            return Ok(());
        }
        batch.is_under_way = false;
        let pending = match self.search.pending().await {
            Ok(pending) => pending,
            Err(error) => {
                let failed = self.failed(batch, &error);
                // It was only read: what was not sent before is not sent now.
                batch.is_under_way = false;
                return failed;
            }
        };
        batch.is_under_way = true;
        let is_done = |job: &Job| {
            let id = job.busy.as_ref().map(Busy::id);
            is_suspect(job) && id.is_some_and(|id| !pending.contains(&(job.serial, id)))
        };
        let (done, left) = std::mem::take(&mut batch.jobs)
            .into_iter()
            .partition(is_done);
        batch.jobs = left;
        let done: Vec<Job> = done;
        let mut closed = Vec::new();
        for mut job in done {
            job.answer(Ok(Committed::Earlier));
            closed.push(Done {
                queue: &self.queue,
                busy: job.busy.take(),
                is_closed: true,
            });
        }
        for done in closed {
            if let Some(busy) = &done.busy {
                close(&*self.journal, busy.id()).await;
            }
        }
        Ok(())
    }

    /// Keeps jobs that may succeed later, and gives up the others.
    fn failed(&self, batch: &mut Batch<'_>, error: &Error) -> Result<(), Again> {
        let is_lost = error.core().sent() == Sent::Maybe;
        if error.is_retryable() || (is_lost && error.status().is_none()) {
            tracing::debug!(error = %error, "commissions are not resolved yet");
            batch.is_under_way = is_lost;
            let asked = error.retry_after().unwrap_or_default();
            return Err(Again {
                asked: asked.min(Retry::LONGEST_ASKED),
            });
        }
        tracing::warn!(error = %error, count = batch.jobs.len(), "commissions are left to reconcile");
        for mut job in std::mem::take(&mut batch.jobs) {
            job.answer(Err(error.clone()));
            drop(Done {
                queue: &self.queue,
                busy: job.busy.take(),
                is_closed: false,
            });
        }
        Ok(())
    }
}

/// A batch has to be tried again.
struct Again {
    /// How long the server asks to wait, within limits.
    asked: Duration,
}

impl Job {
    fn answer(&mut self, result: Result<Committed>) {
        if let Some(reply) = self.reply.take() {
            // The caller may be gone.
            let _ = reply.send(result);
        }
    }
}

/// A job that was answered. It counts as in progress until this is dropped.
struct Done<'q> {
    queue: &'q Queue,
    busy: Option<Busy>,
    is_closed: bool,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if let Some(busy) = self.busy.take().filter(|_| !self.is_closed) {
            busy.leave();
        }
        self.queue.count.send_modify(|count| *count -= 1);
    }
}

/// Takes jobs for one call. A serial occurs once: the server would refuse to both accept and reject
/// it.
fn take(jobs: &mut Vec<Job>, most: usize) -> Vec<Job> {
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    let mut serials = BTreeSet::new();
    for job in jobs.drain(..) {
        if taken.len() < most && serials.insert(job.serial) {
            taken.push(job);
        } else {
            left.push(job);
        }
    }
    *jobs = left;
    taken
}

/// Returns the error for a job whose worker is gone.
pub(super) fn gone() -> Error {
    unresolved("the runtime ended before the commission was resolved")
}

fn unresolved(why: &str) -> Error {
    CoreError::new(
        CoreKind::Transport,
        format!("{why}; reconcile() will resolve it"),
    )
    .with_sent(Sent::Maybe)
    .into()
}

/// Records that a commission is closed. If that fails, reconciliation finds it out again.
pub(super) async fn close(journal: &dyn Journal, id: CommissionId) {
    if let Err(error) = journal.outcome(id, Outcome::Closed).await {
        tracing::warn!(%id, %error, "a commission is done and cannot be closed in the journal");
    }
}

/// Returns whether the server refuses the contents of a call rather than its caller.
fn is_of_content(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    !error.is_retryable() && matches!(status, Some(400 | 404 | 409 | 413 | 422))
}

/// Accepts and rejects commissions. If the server refuses the whole call, each half is sent
/// separately, down to single commissions, so that an invalid one does not affect the others.
pub(super) fn resolve_in_halves<'a>(
    client: &'a Client,
    accept: &'a [Serial],
    reject: &'a [Serial],
) -> BoxFuture<'a, Result<Resolution>> {
    Box::pin(async move {
        let count = accept.len() + reject.len();
        let error = match client.resolve(accept, reject).await {
            Err(error) if is_of_content(&error) && count > 1 => error,
            result => return result,
        };
        let (accept, more_accept) = accept.split_at(accept.len() / 2);
        let (reject, more_reject) = reject.split_at(reject.len().div_ceil(2));
        let first = resolve_in_halves(client, accept, reject).await;
        let second = resolve_in_halves(client, more_accept, more_reject).await;
        match (first, second) {
            (Ok(mut all), Ok(more)) => {
                all.accepted.extend(more.accepted);
                all.rejected.extend(more.rejected);
                all.earlier.extend(more.earlier);
                all.failed.extend(more.failed);
                Ok(all)
            }
            // Commissions missing in the answer are tried again later.
            (Ok(some), Err(_)) | (Err(_), Ok(some)) => Ok(some),
            (Err(_), Err(_)) => Err(error),
        }
    })
}
