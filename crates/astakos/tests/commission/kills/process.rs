//! The process that is killed: a copy of this program, which counts its steps.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vouchsafe_astakos::Client;
use vouchsafe_astakos::commission::{
    CommissionId, Intent, Issuer, Journal, OpenCommission, Outcome,
};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::call::{Retry, Timeouts};
use vouchsafe_core::store::{Capabilities, Disk, Expect, Key, Loaded, Store, Swapped, SystemDisk};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result, SecretBytes, env};

use super::place::Place;
use crate::faults::{Told, request};
use crate::quick;

const URL: &str = "VOUCHSAFE_KILLS_URL";
const TOKEN: &str = "VOUCHSAFE_KILLS_TOKEN";
/// Set if only what the journal does counts: steps on the disk, and within calls of the store.
const INNER: &str = "VOUCHSAFE_KILLS_INNER";
const STEP: &str = "VOUCHSAFE_KILLS_STEP";
const DEED: &str = "VOUCHSAFE_KILLS_DEED";
const COUNT: &str = "VOUCHSAFE_KILLS_COUNT";
const SIGKILL: i32 = 9;

/// Counts what a process does, and kills it before it does the step that was asked for.
#[derive(Debug)]
struct Steps {
    left: AtomicU64,
}

impl Steps {
    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let pid = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &pid]).status();
            loop {
                std::thread::park();
            }
        }
    }
}

/// Every step on the disk counts, and so does the middle of a write.
#[derive(Debug)]
struct SteppingDisk(Arc<Steps>);

impl Disk for SteppingDisk {
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let (first, last) = bytes.split_at(bytes.len() / 2);
        for part in [first, last] {
            self.0.step();
            SystemDisk.write(file, part)?;
        }
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.0.step();
        SystemDisk.sync(file)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        self.0.step();
        SystemDisk.cut(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step();
        SystemDisk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.step();
        SystemDisk.sync_folder(folder)
    }
}

#[derive(Debug)]
struct SteppingTransport(HttpTransport, Arc<Steps>);

impl Transport for SteppingTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            self.1.step();
            let result = self.0.send(request).await;
            self.1.step();
            result
        })
    }
}

#[derive(Debug)]
struct SteppingJournal(Arc<dyn Journal>, Arc<Steps>);

impl Journal for SteppingJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.1.step();
            let result = self.0.intent(intent).await;
            self.1.step();
            result
        })
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.1.step();
            let result = self.0.outcome(id, outcome).await;
            self.1.step();
            result
        })
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        self.0.open()
    }
}

/// Every moment within a call counts at which it waits for the server or for the disk.
#[derive(Debug)]
struct SteppingStore(Arc<dyn Store>, Arc<Steps>);

impl SteppingStore {
    fn stepping<'a, T: 'a>(&'a self, mut call: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        Box::pin(async move {
            let result = poll_fn(|context| {
                self.1.step();
                call.as_mut().poll(context)
            });
            let result = result.await;
            self.1.step();
            result
        })
    }
}

impl Store for SteppingStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        self.stepping(self.0.load(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        self.stepping(self.0.compare_and_swap(key, expect, value))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.stepping(self.0.remove(key, expect))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

/// What the killed process is: a copy of this program that runs this one test.
#[test]
fn a_process_to_be_killed() {
    let Some(url) = env::var(URL).unwrap() else {
        return;
    };
    let var = |name| env::var(name).unwrap().unwrap();
    let counted = |is_counted: bool| {
        let left = if is_counted {
            var(STEP).parse().unwrap()
        } else {
            0
        };
        Arc::new(Steps {
            left: AtomicU64::new(left),
        })
    };
    let is_inner = env::var(INNER).unwrap().is_some();
    let (steps, inner) = (counted(!is_inner), counted(is_inner));
    let transport = HttpTransport::builder().build().unwrap();
    let client = Client::builder()
        .transport(Arc::new(SteppingTransport(transport, Arc::clone(&steps))))
        .auth_url(url)
        .token(var(TOKEN))
        .retry(Retry::none())
        .timeouts(Timeouts::default().attempt(Duration::from_millis(300)))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let disk = Arc::new(SteppingDisk(Arc::clone(&inner)));
        let over = |store| Arc::new(SteppingStore(store, inner)) as _;
        let journal = Place::given().open_on(disk, over).await;
        let journal = Arc::new(SteppingJournal(journal, steps));
        let issuer = quick(client, journal).build().unwrap();
        live(issuer, &var(DEED), var(COUNT).parse().unwrap()).await;
    });
}

async fn live(issuer: Issuer, deed: &str, count: u64) {
    if deed == "reconcile" {
        issuer.reconcile().await.unwrap();
        return;
    }
    let mut tasks = Vec::new();
    for number in 0..count {
        let (issuer, deed) = (issuer.clone(), deed.to_owned());
        tasks.push(tokio::spawn(async move {
            let guard = issuer.issue(&request(number)).await.unwrap();
            match deed.as_str() {
                "commit" => {
                    guard.commit().await.unwrap();
                    // One write: told whole or not at all.
                    let line = format!("accepted {number}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
                "reject" => {
                    guard.reject().await.unwrap();
                }
                _ => drop(guard),
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    issuer.flush(Duration::from_secs(20)).await;
}

/// Starts a process that dies before a step, and returns how it ended and what it told.
///
/// Of an "inner" deed, only what its journal does counts.
pub(super) fn process(
    url: &str,
    server: &Server,
    place: &Place,
    deed: &str,
    step: u64,
    count: u64,
) -> (ExitStatus, BTreeMap<u64, Told>) {
    let token = server.service_token("cyclades").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    place.give(&mut command);
    let (deed, is_inner) = match deed.strip_prefix("inner ") {
        Some(deed) => (deed, true),
        None => (deed, false),
    };
    if is_inner {
        command.env(INNER, "1");
    }
    let output = command
        .args([
            "--exact",
            "kills::process::a_process_to_be_killed",
            "--nocapture",
            "--quiet",
        ])
        .env(URL, url)
        .env(TOKEN, token.expose())
        .env(STEP, step.to_string())
        .env(DEED, deed)
        .env(COUNT, count.to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let unknown = if deed == "commit" {
        Told::Unknown
    } else {
        Told::Not
    };
    let mut told: BTreeMap<u64, Told> = (0..count).map(|number| (number, unknown)).collect();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((_, number)) = line.split_once("accepted ") {
            told.insert(number.parse().unwrap(), Told::Accepted);
        }
    }
    (output.status, told)
}

pub(super) fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(SIGKILL)
}
