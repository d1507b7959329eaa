//! A soak: all clients, layers and stores for minutes, with faults, renewals and restarts. Neither
//! memory nor descriptors may grow, no login may be lost, and each request must be accounted for on
//! both sides.

mod account;
mod crew;
mod ledger;
mod place;
mod resources;
mod stores;
mod world;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use self::account::Balance;
use self::crew::{Job, Tally};
use self::resources::{Course, Sample};
use self::stores::Held;
use self::world::World;

/// How many calls are made at a time.
const WORKERS: u64 = 16;

/// How long everything that should end may take to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets everything run for a time, and returns what came of it.
///
/// # Errors
///
/// If something cannot be started.
pub async fn run(time: Duration, seed: u64) -> Result<Report, String> {
    let before = Sample::take()?;
    let world = World::open().await?;
    let held = Arc::new(Held::all(&world.cloud.0, &world.cloud.1).await?);
    let folder = TempDir::new().map_err(|cause| cause.to_string())?;
    let jobs = Arc::new(world.jobs(&held, folder.path()).await?);
    for (place, number) in world.places().into_iter().zip(0..) {
        place.add_faults(seed.wrapping_add(1_000 * number));
    }

    let tally = Arc::new(Tally::default());
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let (jobs, tally) = (Arc::clone(&jobs), Arc::clone(&tally));
        workers.spawn(crew::work(
            jobs,
            tally,
            Arc::clone(&stop),
            seed.wrapping_add(number),
        ));
    }
    let mut samples = Vec::new();
    let begun = Instant::now();
    let mut seconds = interval(Duration::from_secs(1));
    let mut second = 0;
    while begun.elapsed() < time {
        seconds.tick().await;
        second += 1;
        let mut trouble = pin!(trouble(&world, &held, second));
        loop {
            tokio::select! {
                done = &mut trouble => break done?,
                // A store takes its time to start again, and a journal keeps only so much.
                () = sleep(Duration::from_secs(1)) => settle(&world),
            }
        }
        samples.push(Sample::take()?);
        settle(&world);
    }
    stop.store(true, Relaxed);
    while let Some(done) = workers.join_next().await {
        done.map_err(|cause| format!("a worker ended: {cause}"))?;
    }

    let mut wrong = Vec::new();
    for place in world.places() {
        place.host.faults().clear();
    }
    recovered(&jobs, &held, &mut wrong).await;
    drop(jobs);
    let mut stores = Vec::new();
    for one in held.iter() {
        stores.push(one.ground.to_string());
    }
    drop(held);
    for place in world.places() {
        place.end().await;
    }
    let balances = world.places().map(|place| (place.name, place.balance()));
    for (name, balance) in &balances {
        wrong.extend(balance.wrong.iter().map(|why| format!("{name}: {why}")));
    }
    drop(world);
    let after = settled(before).await?;
    for (service, ends) in tally.ends() {
        wrong.extend(ends.wrong.iter().map(|why| format!("{service}: {why}")));
    }
    let report = Report {
        seed,
        time,
        stores,
        balances: balances.into(),
        tally: Arc::into_inner(tally).unwrap_or_default(),
        memory: Course::of(&samples, |sample| sample.kib),
        descriptors: Course::of(&samples, |sample| sample.descriptors),
        before,
        after,
        wrong,
    };
    Ok(report)
}

fn settle(world: &World) {
    for place in world.places() {
        place.settle();
    }
}

/// Does what services and machines do in a second: tokens expire, keys rotate, servers restart.
async fn trouble(world: &World, held: &[Held], second: u64) -> Result<(), String> {
    if second.is_multiple_of(3) {
        world.cloud.0.expire_access_tokens();
    }
    if second.is_multiple_of(10) {
        world.ticket.0.rotate_keys();
        world.ticket.0.drop_old_keys();
    }
    if second.is_multiple_of(7) {
        let places = world.places();
        let turn = (second / 7) as usize % places.len();
        places[turn].restart().await?;
    }
    if second.is_multiple_of(11) && !held.is_empty() {
        let turn = (second / 11) as usize % held.len();
        held[turn].restart().await?;
    }
    Ok(())
}

/// Does each job until it ends well, or as it does without faults.
async fn recovered(jobs: &[Job], held: &[Held], wrong: &mut Vec<String>) {
    let begun = Instant::now();
    for one in held {
        loop {
            match one.credentials.refresh().await {
                Ok(_) => break,
                Err(_) if begun.elapsed() < PATIENCE => sleep(Duration::from_millis(100)).await,
                Err(error) => {
                    wrong.push(format!(
                        "the credentials in {} stay unusable: {error:?}",
                        one.ground
                    ));
                    break;
                }
            }
        }
    }
    for job in jobs.iter().filter(|job| job.must_end_well()) {
        while let Some(why) = job.fails().await {
            if begun.elapsed() >= PATIENCE {
                wrong.push(why);
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Waits until everything that was started has ended.
async fn settled(before: Sample) -> Result<Sample, String> {
    let begun = Instant::now();
    loop {
        let now = Sample::take()?;
        let is_over = now.tasks <= before.tasks && now.descriptors <= before.descriptors + SPARE;
        if is_over || begun.elapsed() >= PATIENCE {
            return Ok(now);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Descriptors that a process opens once, such as those for random bytes.
const SPARE: u64 = 4;

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    seed: u64,
    time: Duration,
    stores: Vec<String>,
    balances: Vec<(&'static str, Balance)>,
    tally: Tally,
    memory: Course,
    descriptors: Course,
    before: Sample,
    after: Sample,
    wrong: Vec<String>,
}

impl Report {
    /// Returns whether nothing grew, nothing is left, and every request is accounted for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings().is_empty()
    }

    fn findings(&self) -> Vec<String> {
        let mut findings = self.wrong.clone();
        // Allocators return memory in large pieces, and journals and sessions fill slowly.
        if !self.memory.is_flat(8 << 10) {
            findings.push("memory grows".to_owned());
        }
        if !self.descriptors.is_flat(16) {
            findings.push("descriptors grow".to_owned());
        }
        if self.after.tasks > self.before.tasks {
            findings.push("tasks are left".to_owned());
        }
        if self.after.descriptors > self.before.descriptors + SPARE {
            findings.push("descriptors are left".to_owned());
        }
        findings
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.time.as_secs_f64() / 60.0;
        let stores = self.stores.join(", ");
        writeln!(
            f,
            "seed {}, {minutes} minutes, stores: {stores}\n",
            self.seed
        )?;
        writeln!(
            f,
            "{}\n|{}",
            Balance::HEAD,
            " --- |".repeat(Balance::COLUMNS)
        )?;
        for (name, balance) in &self.balances {
            writeln!(f, "| {name} {balance}")?;
        }
        writeln!(
            f,
            "\n| service | ended well | with an error |\n| --- | --- | --- |"
        )?;
        for (service, ends) in self.tally.ends() {
            let failed = ends
                .failed
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"));
            let failed = failed.collect::<Vec<_>>().join(", ");
            writeln!(f, "| {service} | {} | {failed} |", ends.well)?;
        }
        let (memory, open) = (self.memory, self.descriptors);
        writeln!(
            f,
            "\n| | before | third fifth | last fifth | after |\n|{}",
            " --- |".repeat(5)
        )?;
        let (before, after) = (self.before, self.after);
        writeln!(
            f,
            "| memory, KiB | {} | {} | {} | {} |",
            before.kib, memory.early, memory.late, after.kib
        )?;
        writeln!(
            f,
            "| descriptors | {} | {} | {} | {} |",
            before.descriptors, open.early, open.late, after.descriptors
        )?;
        writeln!(f, "| tasks | {} | | | {} |\n", before.tasks, after.tasks)?;
        for finding in self.findings() {
            writeln!(f, "WRONG: {finding}")?;
        }
        Ok(())
    }
}
