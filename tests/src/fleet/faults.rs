//! Seeded runs in which one process is in trouble in the middle of a refresh: it dies, its store is
//! down or full, an answer is lost, it is suspended while its lease ends, its clock jumps. The next
//! process must hold the new tokens, or still be able to use the old ones.
//!
//! A process here is a runtime of its own, and dies by being dropped. `kills` has real ones.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe::cloud_credentials::{Credentials, Error};
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::Transport;
use vouchsafe::core::{Clock, Secret};
use vouchsafe_test_stores::{Ground, Shared, Site};

use super::Proof;
use super::issuer::{Dead, Issuer};
use super::record::{record, seed};
use super::scene::started;
use super::steps::{
    Hook, LEASE_TIME, Moment, REQUEST_TIME, Side, Step, around, around_requests, shortened,
};
use super::trouble::{Kind, Trouble};

/// Makes `runs` runs on a store, from the number `first` on.
///
/// # Errors
///
/// If something other than a run fails, such as the start of the server.
pub fn faults(ground: Ground, runs: u64, first: u64) -> Result<Proof, String> {
    let mut proof = Proof::new();
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let Some((_started, site)) = started(ground, folder.path()) else {
        proof.fail(format!("SKIPPED faults on {ground}: it is not installed"));
        return Ok(proof);
    };
    let begun = Instant::now();
    let next = AtomicU64::new(first);
    let done = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + runs {
                        return;
                    }
                    let case = Case::of(number);
                    let seen = case.run(&site, folder.path());
                    lock(&done).add(&case, seen);
                }
            });
        }
    });
    let tally = done
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    for failed in &tally.failed {
        proof.fail(format!("FAILED {ground}, {failed}"));
    }
    let took = begun.elapsed().as_secs();
    proof.note(format!("{ground}: {runs} runs in {took} s: {tally}"));
    Ok(proof)
}

/// What came of many runs.
#[derive(Debug, Default)]
struct Tally {
    struck: u64,
    has_new: u64,
    uses_old: u64,
    lost: u64,
    /// The longest time from the store's return until what had been kept was saved.
    slowest_save: Duration,
    failed: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &Case, seen: Result<Seen, String>) {
        match seen {
            Ok(seen) => {
                self.struck += u64::from(seen.has_struck);
                self.slowest_save = self.slowest_save.max(seen.saved_after);
                match seen.next {
                    Next::HasNew => self.has_new += 1,
                    Next::UsesOld => self.uses_old += 1,
                    Next::LogsIn => self.lost += 1,
                }
            }
            Err(why) => self.failed.push(format!("{case}: {why}")),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "trouble struck in {}; the next process held the new tokens in {}, used the old refresh \
             token in {}, and had to log in again in {}, where the only answer was lost and the \
             server had rotated at once; what was kept was saved at most {:.1} s after the store's \
             return; {} failed",
            self.struck,
            self.has_new,
            self.uses_old,
            self.lost,
            self.slowest_save.as_secs_f64(),
            self.failed.len()
        )
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Case {
    number: u64,
    rotation: Rotation,
    kind: Kind,
    moment: Moment,
    /// Whether what could not be saved is saved by the next refresh of the process, or by itself.
    is_saved_by_refresh: bool,
    /// Whether a process that is not in trouble needs a token at the same time.
    has_company: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            rotation,
            kind,
            moment,
            ..
        } = self;
        write!(f, "run {number} ({kind:?} {moment}, {rotation})")
    }
}

/// What came of a run.
struct Seen {
    has_struck: bool,
    /// How long it took to save what had been kept, once the store was well.
    saved_after: Duration,
    next: Next,
}

/// How the next process got its token.
enum Next {
    HasNew,
    UsesOld,
    LogsIn,
}

impl Case {
    fn of(number: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(number);
        let rotations = [Rotation::Keeps, Rotation::Overlaps, Rotation::Rotates];
        Self {
            number,
            rotation: rotations[random.usize(..rotations.len())],
            kind: Kind::ALL[random.usize(..Kind::ALL.len())],
            moment: Moment {
                step: Step::ALL[random.usize(..Step::ALL.len())],
                side: [Side::Before, Side::After][random.usize(..2)],
            },
            is_saved_by_refresh: random.bool(),
            has_company: random.bool(),
        }
    }

    /// Whether the only answer is lost with what happens, so that a server that rotates at once
    /// takes neither the old refresh token nor issues another.
    fn loses_the_answer(&self) -> bool {
        let Moment { step, side } = self.moment;
        self.rotation == Rotation::Rotates
            && match self.kind {
                Kind::Crash => {
                    (step, side) == (Step::Request, Side::After)
                        || (step, side) == (Step::Save, Side::Before)
                }
                Kind::Lost => (step, side) == (Step::Request, Side::After),
                _ => false,
            }
    }

    fn run(&self, site: &Site, folder: &Path) -> Result<Seen, String> {
        let runtime = runtime()?;
        let mut site = site.clone();
        if matches!(site.ground, Ground::File | Ground::Sqlite) {
            site.folder = folder.join(self.number.to_string());
            std::fs::create_dir(&site.folder).map_err(|cause| cause.to_string())?;
        }
        let issuer = Issuer::new(self.rotation)?;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::running());
        // Records in memory belong to one process, so here all of them share one store.
        let memory = site.open(&clock)?;
        let records = match site.ground {
            Ground::Memory => Arc::clone(&memory.store),
            _ => site.records(&clock)?,
        };
        let open = |clock: &Arc<dyn Clock>| match site.ground {
            Ground::Memory => Ok(memory.clone()),
            _ => site.open(clock),
        };
        let profile = format!("run-{}", self.number);
        let dead = Dead::Refused.token();
        runtime.block_on(seed(&*memory.store, &profile, &dead))?;
        let process = |shared, transport, clock: &Arc<dyn Clock>| Process {
            shared,
            transport,
            clock: Arc::clone(clock),
            profile: profile.clone(),
            dead: Secret::from(dead.as_str()),
        };

        let (told, trouble) = mpsc::channel();
        let skewed = Arc::new(ManualClock::running());
        let in_trouble = Arc::new(Trouble::new(
            self.kind,
            self.moment,
            Arc::clone(&skewed),
            told,
        ));
        let hook: Arc<dyn Hook> = Arc::clone(&in_trouble) as _;
        let skewed: Arc<dyn Clock> = skewed;
        let shared = match (site.ground, self.kind) {
            (Ground::File, Kind::Full) => site.open_on(&skewed, in_trouble.disk()),
            _ => open(&skewed)?,
        };
        let shared = shortened(&around(&shared, &hook), site.ground.shortest_lease());
        let victim = process(shared, around_requests(issuer.transport(), &hook), &skewed);
        let healthy = || -> Result<Process, String> {
            Ok(process(open(&clock)?, issuer.transport(), &clock))
        };

        let company = self.has_company.then(healthy).transpose()?;
        let saved_after = thread::scope(|scope| {
            let victim = scope.spawn(|| {
                let done = self.suffer(&victim, &in_trouble, &issuer);
                in_trouble.end();
                done
            });
            if let Some(company) = company {
                let _ = runtime.block_on(company.need());
            }
            // Ends when the victim does, or it is suspended.
            while let Ok(()) = trouble.recv() {
                // It may be refused, where the answer is on its way to the victim.
                let other = healthy().map(|other| runtime.block_on(other.need()));
                in_trouble.resume();
                drop(other?);
            }
            victim
                .join()
                .map_err(|_| "the process panicked".to_owned())?
        })?;

        let made = issuer.counts();
        // Two can hold the lease: it is short here, and the server slow at times.
        let may_be_refused =
            self.kind == Kind::Pause || self.has_company || self.loses_the_answer();
        if made.refusals > 0 && !may_be_refused {
            return Err(format!("{made:?}"));
        }
        let has_struck = in_trouble.has_struck();
        let next = healthy()?;
        let (first, second) = runtime.block_on(async { (next.need().await, next.again().await) });
        let next = match (first, second) {
            (Ok(token), Ok(_)) if issuer.issued(token.expose()) => {
                // One for what was needed and one to see that there is more.
                match issuer.counts().requests - made.requests {
                    1 => Next::HasNew,
                    2 => Next::UsesOld,
                    more => return Err(format!("the next process made {more} requests")),
                }
            }
            (Ok(_), Ok(_)) => return Err("a token that was not issued".to_owned()),
            (Err(error), Err(_)) if has_struck && self.loses_the_answer() => {
                let sent = issuer.counts().requests;
                let last = healthy()?;
                let again = runtime.block_on(last.need());
                let is_told = |error: &Error| error.is_reauthorization_needed();
                if !is_told(&error) || !again.as_ref().is_err_and(is_told) {
                    return Err(format!("no error says to log in again: {error}"));
                }
                if issuer.counts().requests != sent {
                    return Err("a refused refresh token was sent again".to_owned());
                }
                Next::LogsIn
            }
            (first, second) => {
                let shown = |result: Result<_, Error>| result.err().map(|error| error.to_string());
                let (first, second) = (shown(first.map(drop)), shown(second.map(drop)));
                return Err(format!("the next process: {first:?}, then {second:?}"));
            }
        };
        let left = runtime.block_on(record(&*records, &profile))?;
        let left = left["refresh_token"].as_str().unwrap_or_default();
        if !matches!(next, Next::LogsIn) && !issuer.takes(left) {
            return Err("the refresh token in the store is not good".to_owned());
        }
        Ok(Seen {
            has_struck,
            saved_after,
            next,
        })
    }

    /// What the process in trouble does, until it dies or all is saved.
    /// Returns how long the latter took.
    fn suffer(
        &self,
        process: &Process,
        trouble: &Trouble,
        issuer: &Issuer,
    ) -> Result<Duration, String> {
        let runtime = runtime()?;
        let saved_after = runtime.block_on(async {
            let credentials = process.credentials().map_err(|error| error.to_string())?;
            let work = async {
                let mut tasks = JoinSet::new();
                for _ in 0..CALLERS {
                    let (credentials, dead) = (credentials.clone(), process.dead.clone());
                    tasks.spawn(async move { credentials.refresh_stale(&dead).await.map(drop) });
                }
                // Errors are no surprise here.
                while tasks.join_next().await.is_some() {}
                trouble.heal();
                let healed = Instant::now();
                if matches!(self.kind, Kind::Down | Kind::Full) {
                    self.settle(&credentials, process, trouble, issuer).await?;
                }
                let flushed = credentials.flush().await;
                flushed.map_err(|error| error.to_string())?;
                Ok::<_, String>(healed.elapsed())
            };
            tokio::select! {
                done = work => done,
                () = trouble.crashed() => Ok(Duration::ZERO),
            }
        })?;
        // As if the process had ended here.
        runtime.shutdown_background();
        Ok(saved_after)
    }

    /// Waits until what was kept is saved.
    async fn settle(
        &self,
        credentials: &Credentials,
        process: &Process,
        trouble: &Trouble,
        issuer: &Issuer,
    ) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            if self.is_saved_by_refresh {
                // An error of a moment ago is remembered for a second.
                let _ = credentials.refresh().await;
            }
            let tried = trouble.saves();
            let left = record(&*process.shared.store, &process.profile).await?;
            if issuer.takes(left["refresh_token"].as_str().unwrap_or_default()) {
                return Ok(());
            }
            // Time alone would not tell a busy machine from saves that fail.
            if tried > MOST_SAVES || begun.elapsed() > PATIENCE {
                return Err(format!("what was kept was not saved by {tried} attempts"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A process: what it was started with.
struct Process {
    shared: Shared,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    profile: String,
    dead: Secret,
}

impl Process {
    fn credentials(&self) -> Result<Credentials, Error> {
        let builder = Credentials::builder()
            .token_url("https://tokens.example.com")
            .transport(Arc::clone(&self.transport))
            .clock(Arc::clone(&self.clock))
            .store(Arc::clone(&self.shared.store))
            .leases(Arc::clone(&self.shared.leases))
            .request_time(REQUEST_TIME)
            .lease_time(LEASE_TIME)
            .profile(self.profile.as_str());
        builder.build()
    }

    /// Needs another token than the dead one, and ends.
    async fn need(&self) -> Result<Secret, Error> {
        let credentials = self.credentials()?;
        let token = credentials.refresh_stale(&self.dead).await;
        ended(&credentials, token).await
    }

    /// Replaces whatever token there is, and ends.
    async fn again(&self) -> Result<Secret, Error> {
        let credentials = self.credentials()?;
        let token = credentials.refresh().await;
        ended(&credentials, token).await
    }
}

/// Saves what a busy store did not take in time, as a program does before it ends.
async fn ended(credentials: &Credentials, token: Result<Secret, Error>) -> Result<Secret, Error> {
    credentials.flush().await?;
    token
}

fn runtime() -> Result<Runtime, String> {
    let mut builder = Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .map_err(|cause| cause.to_string())
}

const AT_A_TIME: usize = 12;
const CALLERS: usize = 3;
/// How often tokens are saved at most, once the store is well: company may have changed the record meanwhile,
/// and a call may be too late on a busy machine.
const MOST_SAVES: u32 = 4;
/// Longer than a few calls of a store take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
