//! Background work that outlives the runtime it was started on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Task;
use super::driven::Driven;
use super::pulse::{LOOK_EVERY, SILENT_LOOKS};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, lock, try_lock};
use crate::{BoxFuture, Error, ErrorKind, Sent};

/// Keeps one piece of background work running, and ends it when dropped.
///
/// Use it for a client whose task processes a queue or renews a value. At most one instance of the
/// work exists at a time, whatever happens to runtimes:
///
/// - [`ensure`](Self::ensure) starts the work on the current runtime if it is not running.
/// - If the runtime is dropped, the work is dropped with it. The next `ensure`, or a caller in
///   [`wait`](Self::wait), starts it again on its own runtime.
/// - A runtime can be alive without being driven: nothing calls `block_on`. A caller in `wait`
///   notices after two seconds without a sign of life, drops the work there and starts it on its
///   own runtime.
/// - If the work panics, it is started again on the same runtime: at once, then after one and two
///   seconds. After a fourth panic it stays ended until the next `ensure`. Panics before the work
///   last ran for a minute do not count.
///
/// The work is a future that can be dropped at each of its awaits, within the runtime that it ran on
/// wherever that happens: what it holds may spawn as it ends. Data that must not be lost
/// belongs in state that it shares with the owner, and must return there when the future is
/// dropped. That state must not own the keeper: the work holds the state, so neither would ever
/// end.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use tokio::sync::{Notify, oneshot};
/// use vouchsafe_core::task::Keeper;
///
/// #[derive(Default)]
/// struct Queue { jobs: Mutex<Vec<oneshot::Sender<u32>>>, arrived: Notify }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let queue = Arc::new(Queue::default());
/// let of_work = Arc::clone(&queue);
/// let keeper = Keeper::new("answering", move || {
///     let queue = Arc::clone(&of_work);
///     async move {
///         loop {
///             queue.arrived.notified().await;
///             for job in queue.jobs.lock().unwrap().drain(..) {
///                 let _ = job.send(42);
///             }
///         }
///     }
/// });
/// let (job, reply) = oneshot::channel();
/// queue.jobs.lock().unwrap().push(job);
/// queue.arrived.notify_one();
/// assert_eq!(keeper.wait(reply).await??, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping the keeper ends the work"]
pub struct Keeper(Arc<Shared>);

/// Why a caller's wait for background work is in vain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ended {
    /// [`Keeper::stop`] was called.
    Stopped,
    /// The work panicked, and again after each restart.
    Panicked,
    /// The work returned repeatedly, without a reply to the caller.
    Finished,
    /// The runtime was dropped, or the work was never started, and the caller waits outside of a
    /// runtime. Callers inside a runtime start the work there instead.
    RuntimeGone,
}

type Start = Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>;

struct Shared {
    what: &'static str,
    /// `None` once it is stopped.
    start: Mutex<Option<Start>>,
    state: Mutex<State>,
    /// Whether a run exists; read without a lock.
    is_running: AtomicBool,
    /// How many runs have ended, and how the last one did.
    ends: watch::Sender<(u64, Option<Ended>)>,
}

#[derive(Default)]
struct State {
    run: Option<Arc<Run>>,
    task: Option<Task>,
    is_stopped: bool,
}

/// The work on one runtime.
type Run = Driven<()>;

impl Keeper {
    /// Creates a keeper without starting the work. `what` names the work in the log, such as
    /// "renewing tokens". `start` creates the work's future; it is called in the task, for each
    /// start.
    pub fn new<F, Fut>(what: &'static str, mut start: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(Shared {
            what,
            start: Mutex::new(Some(Box::new(move || Box::pin(start())))),
            state: Mutex::default(),
            is_running: AtomicBool::new(false),
            ends: watch::Sender::new((0, None)),
        }))
    }

    /// Starts the work on the current runtime if it is not running, and returns whether it is
    /// running now, which is not the case after [`stop`](Self::stop) or outside of a runtime. Takes
    /// no lock if it is running.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn ensure(&self) -> bool {
        self.is_running() || Handle::try_current().is_ok_and(|runtime| self.ensure_on(&runtime))
    }

    /// Like [`ensure`](Self::ensure), on a given runtime.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn ensure_on(&self, runtime: &Handle) -> bool {
        if self.is_running() {
            return true;
        }
        let run = Arc::new(Run::new());
        {
            let mut state = lock(&self.0.state);
            if state.is_stopped || state.run.is_some() {
                return !state.is_stopped;
            }
            state.run = Some(Arc::clone(&run));
            self.0.is_running.store(true, Ordering::Release);
        }
        let end = End {
            shared: Arc::clone(&self.0),
            run: Arc::clone(&run),
            how: Ended::RuntimeGone,
        };
        let _inside = runtime.enter();
        // Not under the lock: a runtime that shuts down drops the future at once.
        let task = Task::spawn(keep(end));
        let mut state = lock(&self.0.state);
        if !state.is_of(&run) {
            return false;
        }
        state.task = Some(task);
        true
    }

    /// Returns whether the work is running, as far as known: a runtime that is not driven is
    /// noticed only in [`wait`](Self::wait).
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running.load(Ordering::Acquire)
    }

    /// Waits for a result of the work, such as a `oneshot::Receiver` for its reply, and keeps the
    /// work running in the meantime. It has no time limit of its own: wrap it in a
    /// [`timeout`](tokio::time::timeout). Dropping it does not affect the work.
    ///
    /// Outside of a runtime, it waits for the work on another runtime, and can neither restart it
    /// nor take it over.
    ///
    /// # Errors
    ///
    /// [`Ended`] if the work has ended and cannot be restarted, or the caller is outside of a
    /// runtime.
    ///
    /// # Panics
    ///
    /// In a tokio runtime without timers.
    pub async fn wait<T>(&self, reply: impl Future<Output = T>) -> Result<T, Ended> {
        let mut reply = pin!(reply);
        let mut ends = self.0.ends.subscribe();
        let mut finished = 0;
        let mut probe: Option<Probe> = None;
        let mut silent = 0;
        let ended = loop {
            let is_running = self.ensure();
            let is_inside = Handle::try_current().is_ok();
            if !is_running && lock(&self.0.state).is_stopped {
                break Ended::Stopped;
            }
            if !is_running && !is_inside {
                break ends.borrow().1.unwrap_or(Ended::RuntimeGone);
            }
            tokio::select! {
                biased;
                reply = &mut reply => return Ok(reply),
                // If it cannot run, this caller's runtime is about to end.
                _ = ends.changed(), if is_running => {
                    (probe, silent) = (None, 0);
                    match ends.borrow_and_update().1 {
                        Some(Ended::Finished) if finished == RESTARTS => break Ended::Finished,
                        Some(Ended::Finished) => finished += 1,
                        Some(Ended::RuntimeGone) | None => {}
                        Some(how) => break how,
                    }
                }
                // In its own block, since it may only be created within a runtime.
                () = async { sleep(LOOK_EVERY).await }, if is_inside => match &probe {
                    Some(asked) if !asked.is_answered() => {
                        silent += 1;
                        if silent == SILENT_LOOKS {
                            self.0.take_over(&asked.run);
                            (probe, silent) = (None, 0);
                        }
                    }
                    _ => (probe, silent) = (self.0.probe(), 0),
                },
            }
        };
        // The result may have arrived just before the end.
        tokio::select! {
            biased;
            reply = &mut reply => Ok(reply),
            () = std::future::ready(()) => Err(ended),
        }
    }

    /// Ends the work permanently. Callers in [`wait`](Self::wait) get an error.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("what", &self.0.what)
            .field("running", &self.is_running())
            .finish()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "the background work was stopped",
            Self::Panicked => "the background work panicked again and again",
            Self::Finished => "the background work ended again and again without an answer",
            Self::RuntimeGone => "the runtime ended before the background work was done",
        })
    }
}

impl std::error::Error for Ended {}

/// Of kind [`Transport`](ErrorKind::Transport); it is unknown whether something was sent.
impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        Self::new(ErrorKind::Transport, ended.to_string()).with_sent(Sent::Maybe)
    }
}

impl Shared {
    /// Probes the run for a sign of life.
    fn probe(&self) -> Option<Probe> {
        let run = lock(&self.state).run.clone()?;
        let count = run.pulse.probe();
        Some(Probe { run, count })
    }

    /// Ends a run whose runtime is not driven.
    fn take_over(&self, run: &Arc<Run>) {
        if !run.take() {
            return;
        }
        tracing::debug!(work = self.what, "its runtime is not driven: taken from it");
        // The work has returned its state before the next run can start.
        self.finish(run, Ended::RuntimeGone);
    }

    fn stop(&self) {
        let run = {
            let mut state = lock(&self.state);
            state.is_stopped = true;
            // From here on `ensure` starts nothing, and says so.
            self.is_running.store(false, Ordering::Release);
            state.run.clone()
        };
        if let Some(run) = run {
            // If it is being polled, aborting the task drops it after that.
            run.take();
            self.finish(&run, Ended::Stopped);
        }
        // If its start is being called, it is dropped with the task.
        let start = try_lock(&self.start).and_then(|mut start| start.take());
        drop(start);
    }

    /// Records that a run has ended, if it is still the current one.
    fn finish(&self, run: &Arc<Run>, how: Ended) {
        let task = {
            let mut state = lock(&self.state);
            if !state.is_of(run) {
                return;
            }
            state.run = None;
            self.is_running.store(false, Ordering::Release);
            state.task.take()
        };
        drop(task);
        self.ends
            .send_modify(|(count, last)| (*count, *last) = (*count + 1, Some(how)));
    }

    /// Runs the work, restarting it after panics, and returns how it ended.
    async fn rounds(&self, run: &Run) -> Ended {
        let mut panics = 0;
        loop {
            let began = Instant::now();
            match self.drive(run).await {
                Some(true) => return Ended::Finished,
                Some(false) => {}
                None => return Ended::RuntimeGone,
            }
            if began.elapsed() >= CALM {
                panics = 0;
            }
            panics += 1;
            if panics > RESTARTS {
                tracing::error!(work = self.what, "panicked again, and is given up");
                return Ended::Panicked;
            }
            tracing::warn!(work = self.what, "panicked, and is started again");
            if panics > 1 {
                sleep(Duration::from_secs(u64::from(panics - 1))).await;
            }
        }
    }

    /// Starts the work, polls it to its end, and returns whether it returned or panicked; `None` if
    /// it was taken away.
    async fn drive(&self, run: &Run) -> Option<bool> {
        let begin = AssertUnwindSafe(|| lock(&self.start).as_mut().map(|start| start()));
        let work = match catch_unwind(begin) {
            Ok(work) => work?,
            Err(_) => return Some(false),
        };
        if !run.put(work) {
            return None;
        }
        run.run().await.map(|ended| ended.is_ok())
    }
}

impl State {
    fn is_of(&self, run: &Arc<Run>) -> bool {
        self.run.as_ref().is_some_and(|own| Arc::ptr_eq(own, run))
    }
}

/// A probe for a sign of life.
struct Probe {
    run: Arc<Run>,
    count: u64,
}

impl Probe {
    fn is_answered(&self) -> bool {
        self.run.pulse.has_answered(self.count)
    }
}

/// Records the end of a run, whatever ends it; owned by its task.
struct End {
    shared: Arc<Shared>,
    run: Arc<Run>,
    how: Ended,
}

impl Drop for End {
    fn drop(&mut self) {
        self.run.end();
        self.shared.finish(&self.run, self.how);
    }
}

/// The task of a run.
async fn keep(mut end: End) {
    let (shared, run) = (Arc::clone(&end.shared), Arc::clone(&end.run));
    end.how = tokio::select! {
        how = shared.rounds(&run) => how,
        never = run.pulse.answer_probes() => match never {},
    };
}

/// The number of consecutive panics that are followed by a restart.
const RESTARTS: u32 = 3;

/// How long the work must run before earlier panics are forgotten.
const CALM: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
