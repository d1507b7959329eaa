//! Accepts and rejects of many tasks, sent together.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_core::call::{Backoff, Retry};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::{Ended, Keeper};
use vouchsafe_core::{BoxFuture, Sent};

use super::busy::Busy;
use super::journal::{Journal, Outcome};
use super::search::Search;
use super::{CommissionId, Committed};
use crate::{Client, CommissionAction, Error, ErrorKind, Resolution, Result, Serial};

/// How an issuer resolves.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) window: Duration,
    pub(super) max_batch: usize,
    /// The waits after failures.
    pub(super) backoff: Backoff,
}

/// Sends what is asked of it in the background; dropping it ends that.
#[derive(Debug)]
pub(super) struct Resolver {
    queue: Arc<Queue>,
    keeper: Keeper,
}

#[derive(Debug)]
struct Queue {
    jobs: Mutex<Vec<Job>>,
    arrived: Notify,
    /// How many are waiting or under way.
    count: watch::Sender<usize>,
}

/// A commission to be resolved.
#[derive(Debug)]
struct Job {
    serial: Serial,
    action: CommissionAction,
    /// Closed in the journal when it is done; that it is under way ends with the job.
    busy: Option<Busy>,
    /// Set until it is in the journal.
    undo: Option<Undo>,
    /// Whether a try may have done it without our knowing.
    may_be_done: bool,
    reply: Option<oneshot::Sender<Result<Committed>>>,
}

/// Says that the journal may hold a decision to accept which does not stand.
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
            // Tries are counted here, where it is known what a lost answer means.
            client: client.without_repeats(),
            journal,
            search,
        };
        let keeper = Keeper::new("resolving commissions", move || worker.clone().run());
        Self { queue, keeper }
    }

    /// Hands a commission over. It is resolved whether or not anybody waits for the reply.
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

    /// Returns how many wait or are under way.
    pub(super) fn count(&self) -> usize {
        *self.queue.count.borrow()
    }

    /// Goes on in this runtime, if the one before is gone.
    pub(super) fn resume(&self, runtime: &Handle) {
        if self.count() > 0 {
            self.keeper.ensure_on(runtime);
        }
    }

    /// Waits for a reply, and keeps the worker running meanwhile.
    pub(super) async fn wait<T>(&self, reply: impl Future<Output = T>) -> Result<T, Ended> {
        self.keeper.wait(reply).await
    }

    /// Waits until nothing is waiting or under way, or the worker is given up.
    pub(super) async fn drained(&self) {
        if self.count() > 0 {
            let mut count = self.queue.count.subscribe();
            // What is left then is counted as open.
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

/// Jobs that are under way; if they fail or the worker ends in between, they go back to the front
/// of the queue: jobs of one commission keep their order.
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

    /// Tells the journal what is to be rejected although it may say otherwise. If the server
    /// refuses to reject, the journal is what reconciling goes by.
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
                // It is rejected nevertheless, and the next try writes to the journal again.
                Ok((_, id, Err(error))) => tracing::warn!(
                    %id, %error, "the journal cannot say that a commission is to be rejected"
                ),
                Err(error) => tracing::warn!(%error, "the journal failed"),
            }
        }
    }

    /// Sends a batch. What is to be tried again stays in it.
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
        let (resolution, requests) = match self.client.resolve_counted(&accept, &reject).await {
            Ok(resolved) => resolved,
            // For one that the server does not like it may refuse all.
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
        // All replies first: what follows may be cut short when the issuer is dropped.
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
                Some(_) if job.may_be_done || requests > 1 => Ok(Committed::Earlier),
                Some(failed) => Err(Error::lacks(
                    ErrorKind::NotFound,
                    format!("commission {} is not pending: {}", job.serial, failed.1),
                )),
                None => Err(Error::lacks(
                    ErrorKind::InvalidResponse,
                    format!("the answer says nothing of commission {}", job.serial),
                )),
            };
            // Not pending is as done as can be; what was not told of is left to the journal.
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

    /// Leaves out what an earlier try has done, as far as it can be known: a serial that was
    /// resolved may belong to another commission by now.
    async fn leave_out_done(&self, batch: &mut Batch<'_>) -> Result<(), Again> {
        let is_suspect = |job: &Job| job.may_be_done && job.busy.is_some();
        if !batch.jobs.iter().any(is_suspect) {
            return Ok(());
        }
        batch.is_under_way = false;
        let pending = match self.search.pending().await {
            Ok(pending) => pending,
            Err(error) => return self.failed(batch, &error),
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

    /// Keeps what may work later, and gives up the rest.
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

/// A batch is to be tried again.
struct Again {
    /// How long the server asks to wait, within bounds.
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

/// A job that was answered; it counts as under way until this is dropped.
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

/// Takes jobs for one call: a serial twice, to be accepted and rejected, would be neither.
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

/// Records that nothing is left to do. If that fails, reconciling finds it out again.
pub(super) async fn close(journal: &dyn Journal, id: CommissionId) {
    if let Err(error) = journal.outcome(id, Outcome::Closed).await {
        tracing::warn!(%id, %error, "a commission is done and cannot be closed in the journal");
    }
}

/// Whether a server refuses what it was sent, and not the caller.
fn is_of_content(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    !error.is_retryable() && matches!(status, Some(400 | 404 | 409 | 413 | 422))
}

/// Accepts and rejects commissions. If the server refuses all of them as a whole, each half is
/// sent alone, down to single ones, so that one that it does not like keeps no other.
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
            // What the answer does not name is tried again later.
            (Ok(some), Err(_)) | (Err(_), Ok(some)) => Ok(some),
            (Err(_), Err(_)) => Err(error),
        }
    })
}
