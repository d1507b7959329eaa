//! One process of a fleet: it is given its orders, says that it is ready, and makes its calls at
//! once with the others.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use vouchsafe::cloud_credentials::{Client, Credentials, Error, Events};
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::sync::lock;
use vouchsafe::core::task::blocking;
use vouchsafe::core::transport::HttpTransport;
use vouchsafe::core::{BoxFuture, Clock, Result as CoreResult};
use vouchsafe_test_stores::{Ground, Shared, Site};

use super::issuer::Dead;
use super::record::{record, seed};
use super::steps::{
    Hook, LEASE_TIME, Moment, REQUEST_TIME, Standstill, around, around_requests, shortened,
};

/// What a process does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) site: Site,
    /// The URL of the authorization server and the API.
    pub(super) issuer: String,
    pub(super) tasks: usize,
    pub(super) objects: Objects,
    /// How many seconds the clock is ahead of the machine's.
    pub(super) ahead: i64,
    /// When to stop, say so, and wait for a line.
    pub(super) stop: Option<Moment>,
    /// Whether limits are those of the proof instead of the usual ones, which are longer.
    pub(super) is_quick: bool,
    /// How long the first lease lasts, if not as long as its holder believes.
    pub(super) lease: Option<Duration>,
    /// Whether a call that failed is made again if the error says that this may help.
    pub(super) is_patient: bool,
    /// Whether to say so when tokens cannot be saved.
    pub(super) tells_unsaved: bool,
}

/// How tasks share credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Objects {
    One,
    /// One for each task.
    Own,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Tasks whose call was answered.
    pub(super) served: usize,
    /// Tasks whose call failed for good, by the text of the error.
    pub(super) failed: BTreeMap<String, usize>,
    /// Calls that failed and were made again.
    #[serde(default)]
    pub(super) repeated: usize,
}

impl Orders {
    pub(super) fn new(site: Site, issuer: &str, tasks: usize) -> Self {
        Self {
            site,
            issuer: issuer.to_owned(),
            tasks,
            objects: Objects::One,
            ahead: 0,
            stop: None,
            is_quick: false,
            lease: None,
            is_patient: false,
            tells_unsaved: false,
        }
    }
}

impl Outcome {
    /// Adds what came of another process.
    pub(super) fn add(&mut self, other: Self) {
        self.served += other.served;
        self.repeated += other.repeated;
        for (why, count) in other.failed {
            *self.failed.entry(why).or_default() += count;
        }
    }
}

pub(super) const READY: &str = "ready";
pub(super) const STOPPED: &str = "stopped";
pub(super) const UNSAVED: &str = "unsaved";

/// Runs a process: reads its orders from standard input.
///
/// # Errors
///
/// If it is not given any, or the store cannot be opened.
pub async fn run() -> Result<(), String> {
    let orders: Orders = serde_json::from_str(&read()?).map_err(|cause| cause.to_string())?;
    let clock = Arc::new(ManualClock::running());
    let ahead = Duration::from_secs(orders.ahead.unsigned_abs());
    clock.set(match orders.ahead < 0 {
        true => clock.now() - ahead,
        false => clock.now() + ahead,
    });
    let clock: Arc<dyn Clock> = clock;
    let mut clients = Vec::new();
    let mut shared = orders.site.open(&clock)?;
    let count = match orders.objects {
        Objects::One => 1,
        Objects::Own => orders.tasks,
    };
    for number in 0..count {
        if number > 0 && orders.site.ground != Ground::Memory {
            shared = orders.site.open(&clock)?;
        }
        if orders.site.ground == Ground::Memory && number == 0 {
            seed(&*shared.store, PROFILE, &Dead::Refused.token()).await?;
        }
        let credentials = credentials(&orders, &shared, &clock)?;
        clients.push((client(&orders, &credentials)?, credentials));
    }
    tell(READY)?;
    read()?;
    let mut tasks = JoinSet::new();
    for number in 0..orders.tasks {
        let (client, _) = clients[number % count].clone();
        let is_patient = orders.is_patient;
        tasks.spawn(async move { call(&client, is_patient).await });
    }
    let mut outcome = Outcome::default();
    while let Some(done) = tasks.join_next().await {
        let (done, repeated) = done.map_err(|cause| cause.to_string())?;
        outcome.repeated += repeated;
        match done {
            Ok(()) => outcome.served += 1,
            Err(why) => *outcome.failed.entry(why).or_default() += 1,
        }
    }
    for (_, credentials) in &clients {
        if let Err(error) = credentials.flush().await {
            let why = format!("not saved: {}", error.core().message());
            *outcome.failed.entry(why).or_default() += 1;
        }
    }
    if orders.site.ground == Ground::Memory {
        // No other process can look at it.
        let left = record(&*shared.store, PROFILE).await?;
        tell(&left.to_string())?;
    }
    tell(&serde_json::to_string(&outcome).map_err(|cause| cause.to_string())?)
}

fn credentials(
    orders: &Orders,
    shared: &Shared,
    clock: &Arc<dyn Clock>,
) -> Result<Credentials, String> {
    let told = |error: vouchsafe::core::Error| error.to_string();
    let transport = HttpTransport::builder().build().map_err(told)?;
    let (mut shared, mut of_tokens) = (shared.clone(), Arc::new(transport) as _);
    if let Some(longest) = orders.lease {
        shared = shortened(&shared, longest);
    }
    if let Some(moment) = orders.stop {
        let hook: Arc<dyn Hook> = Arc::new(Stop::new(moment));
        shared = around(&shared, &hook);
        of_tokens = around_requests(of_tokens, &hook);
    }
    let mut builder = Credentials::builder()
        .token_url(orders.issuer.as_str())
        .transport(of_tokens)
        .allow_plain_http()
        .clock(Arc::clone(clock))
        .store(shared.store)
        .leases(shared.leases);
    if orders.is_quick {
        builder = builder.request_time(REQUEST_TIME).lease_time(LEASE_TIME);
    }
    if orders.tells_unsaved {
        builder = builder.events(Arc::new(TellUnsaved::default()));
    }
    builder.build().map_err(|error| error.to_string())
}

fn client(orders: &Orders, credentials: &Credentials) -> Result<Client, String> {
    let client = Client::builder()
        .base_url(orders.issuer.as_str())
        .allow_plain_http()
        .credentials(credentials);
    client.build().map_err(|error| error.to_string())
}

/// Makes a call of the API, and returns how often it was made again.
async fn call(client: &Client, is_patient: bool) -> (Result<(), String>, usize) {
    let until = Instant::now() + PATIENCE;
    let mut repeated = 0;
    loop {
        let Err(error) = client.directory().attributes().await else {
            return (Ok(()), repeated);
        };
        if !is_patient || !error.is_retryable() || Instant::now() > until {
            // Without places and times, so that equal failures are counted together.
            return (Err(error.core().message().to_owned()), repeated);
        }
        repeated += 1;
        sleep(Duration::from_millis(200)).await;
    }
}

/// Says once that tokens could not be saved.
#[derive(Debug, Default)]
struct TellUnsaved {
    is_over: AtomicBool,
}

impl Events for TellUnsaved {
    fn unsaved(&self, _: &str, _: &Error) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            // Whoever waits for it notices if this fails.
            let _ = tell(UNSAVED);
        }
    }
}

/// Stops the process once, at one moment, until a line says to go on.
#[derive(Debug)]
struct Stop {
    moment: Moment,
    has_begun: Mutex<bool>,
    still: Standstill,
}

impl Stop {
    fn new(moment: Moment) -> Self {
        Self {
            moment,
            has_begun: Mutex::default(),
            still: Standstill::default(),
        }
    }

    /// Returns whether this is the moment. The process stands still from then on.
    fn begins(&self, moment: Moment) -> bool {
        // Whoever comes here next finds the process standing still.
        let mut has_begun = lock(&self.has_begun);
        let begins = moment == self.moment && !*has_begun;
        if begins {
            *has_begun = true;
            self.still.begin();
        }
        begins
    }
}

impl Hook for Stop {
    fn at(&self, moment: Moment) -> BoxFuture<'_, CoreResult<()>> {
        Box::pin(async move {
            if self.begins(moment) {
                blocking("waiting for a line", || {
                    // Whoever reads it kills, suspends or wakes this process.
                    let _ = tell(STOPPED).and_then(|()| read());
                })
                .await?;
                self.still.end();
            }
            self.still.over().await;
            Ok(())
        })
    }
}

fn read() -> Result<String, String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read.map_err(|cause| cause.to_string())? {
        0 => Err("the other end is gone".to_owned()),
        _ => Ok(line),
    }
}

fn tell(line: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    let done = writeln!(output, "{line}").and_then(|()| output.flush());
    done.map_err(|cause| cause.to_string())
}

pub(super) const PROFILE: &str = "default";
const PATIENCE: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::super::steps::{Side, Step};
    use super::*;

    #[tokio::test]
    async fn while_one_task_is_stopped_no_other_takes_a_step() {
        let at = |step, side| Moment { step, side };
        let stop = Stop::new(at(Step::Look, Side::After));
        assert!(!stop.begins(at(Step::Look, Side::Before)));
        assert!(stop.begins(at(Step::Look, Side::After)));
        for moment in [
            at(Step::Look, Side::After),
            at(Step::Acquire, Side::Before),
            at(Step::Request, Side::Before),
        ] {
            assert!(!stop.begins(moment));
            let mut other = stop.at(moment);
            // Polls it once.
            let polled = timeout(Duration::ZERO, &mut other).await;
            assert!(polled.is_err(), "{moment}");
            stop.still.end();
            other.await.unwrap();
            stop.still.begin();
        }
    }
}
