//! What the workers do: every call that can be made again and again, and every layer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{sleep, timeout};
use vouchsafe::core::{BoxFuture, Error};

use super::account::Account;

/// How something ended.
pub(super) enum Done {
    Well,
    /// With an error that faults explain.
    Failed(String),
    /// As it never may.
    Wrong(String),
}

impl Done {
    pub(super) fn of<T, E>(result: Result<T, E>, core: fn(&E) -> &Error) -> Self {
        match result {
            Ok(_) => Self::Well,
            Err(error) => Self::Failed(format!("{:?}", core(&error).kind())),
        }
    }
}

type Work = Box<dyn Fn() -> BoxFuture<'static, Done> + Send + Sync>;

/// Something to do.
pub(super) struct Job {
    service: &'static str,
    /// The operation, if it is one call, and who counts its requests.
    call: Option<(&'static str, Arc<Account>)>,
    work: Work,
}

impl Job {
    /// A call of an operation, which may be dropped.
    pub(super) fn call(
        service: &'static str,
        operation: &'static str,
        account: &Arc<Account>,
        work: impl Fn() -> BoxFuture<'static, Done> + Send + Sync + 'static,
    ) -> Self {
        Self {
            service,
            call: Some((operation, Arc::clone(account))),
            work: Box::new(work),
        }
    }

    /// Returns whether it ends well without faults. Many calls are about things that do not exist.
    pub(super) fn must_end_well(&self) -> bool {
        self.call.is_none()
    }

    /// Does it once; returns why it did not end well.
    pub(super) async fn fails(&self) -> Option<String> {
        match (self.work)().await {
            Done::Well => None,
            Done::Failed(why) | Done::Wrong(why) => Some(format!("{}: {why}", self.service)),
        }
    }

    /// Anything else.
    pub(super) fn task(
        service: &'static str,
        work: impl Fn() -> BoxFuture<'static, Done> + Send + Sync + 'static,
    ) -> Self {
        Self {
            service,
            call: None,
            work: Box::new(work),
        }
    }
}

/// How everything ended, by service.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, Ends>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    pub(super) well: u64,
    pub(super) failed: BTreeMap<String, u64>,
    pub(super) wrong: Vec<String>,
}

impl Tally {
    fn add(&self, service: &'static str, done: Done) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = all.entry(service).or_default();
        match done {
            Done::Well => ends.well += 1,
            Done::Failed(kind) => *ends.failed.entry(kind).or_default() += 1,
            Done::Wrong(why) if ends.wrong.len() < MOST_SHOWN => ends.wrong.push(why),
            Done::Wrong(_) => {}
        }
    }

    pub(super) fn ends(&self) -> BTreeMap<&'static str, Ends> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

/// Does one job after the other until it is told to stop.
pub(super) async fn work(jobs: Arc<Vec<Job>>, tally: Arc<Tally>, stop: Arc<AtomicBool>, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    while !stop.load(Relaxed) {
        let Some(job) = rng.choice(jobs.iter()) else {
            return;
        };
        let work = (job.work)();
        match &job.call {
            Some((operation, account)) if rng.u8(..) < GIVEN_UP => {
                let patience = Duration::from_micros(rng.u64(..20_000));
                match timeout(patience, work).await {
                    Ok(done) => tally.add(job.service, done),
                    Err(_) => account.give_up(operation),
                }
            }
            _ => tally.add(job.service, work.await),
        }
        sleep(BETWEEN).await;
    }
}

/// How many of 256 calls are dropped if they take longer than a moment.
const GIVEN_UP: u8 = 5;

/// How long a worker rests: the emulators are in the same process.
const BETWEEN: Duration = Duration::from_millis(10);

const MOST_SHOWN: usize = 10;
