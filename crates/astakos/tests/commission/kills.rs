//! Processes that are killed between any two steps, over real sockets and with a journal on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vouchsafe_astakos::Client;
use vouchsafe_astakos::commission::{
    CommissionId, FileJournal, Intent, Issuer, Journal, OpenCommission, Outcome, StoreJournal,
};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::call::{Retry, Timeouts};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::store::{Disk, Key, SystemDisk};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result, env};

use super::faults::{self, RUNS, STEPS, Told, check, fault, request};
use super::grounds::Kind;
use super::{client, quick};

const URL: &str = "VOUCHSAFE_KILLS_URL";
const TOKEN: &str = "VOUCHSAFE_KILLS_TOKEN";
const JOURNAL: &str = "VOUCHSAFE_KILLS_JOURNAL";
/// Set if only steps on the disk count.
const DISK: &str = "VOUCHSAFE_KILLS_DISK";
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
    let is_disk = env::var(DISK).unwrap().is_some();
    let (steps, disk) = (counted(!is_disk), counted(is_disk));
    let transport = HttpTransport::builder().build().unwrap();
    let client = Client::builder()
        .transport(Arc::new(SteppingTransport(transport, Arc::clone(&steps))))
        .auth_url(url)
        .token(var(TOKEN))
        .retry(Retry::none())
        .timeouts(Timeouts::default().attempt(Duration::from_millis(300)))
        .build()
        .unwrap();
    let disk = Arc::new(SteppingDisk(disk));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let path = var(JOURNAL);
        let journal = opened(Path::new(&path), disk).await;
        let journal = Arc::new(SteppingJournal(journal, steps));
        let issuer = quick(client, journal).build().unwrap();
        live(issuer, &var(DEED), var(COUNT).parse().unwrap()).await;
    });
}

/// Opens the journal at a path: a file, or a folder with a database.
async fn opened(path: &Path, disk: Arc<dyn Disk>) -> Arc<dyn Journal> {
    if path.is_dir() {
        let store = Kind::Sqlite.open(path);
        let key = Key::new("commissions", "worker");
        return Arc::new(StoreJournal::open(store, key).await.unwrap());
    }
    Arc::new(FileJournal::open_on(path, disk).unwrap())
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
fn process(
    url: &str,
    server: &Server,
    journal: &Path,
    deed: &str,
    step: u64,
    count: u64,
) -> (ExitStatus, BTreeMap<u64, Told>) {
    let token = server.service_token("cyclades").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let (deed, is_disk) = match deed.strip_prefix("disk ") {
        Some(deed) => (deed, true),
        None => (deed, false),
    };
    if is_disk {
        command.env(DISK, "1");
    }
    let output = command
        .args([
            "--exact",
            "kills::a_process_to_be_killed",
            "--nocapture",
            "--quiet",
        ])
        .env(URL, url)
        .env(TOKEN, token.expose())
        .env(JOURNAL, journal)
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

fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(SIGKILL)
}

async fn served(server: &Server) -> (vouchsafe_core::mock::Serving, String) {
    let serving = server.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("{}{}", serving.url(), server.identity_path());
    (serving, url)
}

async fn reconcile(server: &Server, journal: &Path, what: &str) {
    let journal = opened(journal, Arc::new(SystemDisk)).await;
    faults::reconcile(server, journal, what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_before_any_step_loses_nothing_and_charges_nothing_twice() {
    kill_before_any_step("journal").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_before_any_step_with_a_journal_in_a_store_loses_nothing() {
    kill_before_any_step("").await;
}

/// The journal is a file of this name, or a database in the folder if that is empty.
async fn kill_before_any_step(name: &str) {
    let mut kills = 0;
    for (deed, lost) in [
        ("commit", None),
        ("commit", Some(STEPS[0])),
        ("commit", Some(STEPS[3])),
        ("reject", None),
        ("reject", Some(STEPS[3])),
        ("drop", None),
        ("drop", Some(STEPS[0])),
    ] {
        for step in 1.. {
            let what = format!("{deed}, {lost:?} lost, killed before step {step}");
            let server = Server::new();
            let (_serving, url) = served(&server).await;
            let folder = tempfile::tempdir().unwrap();
            let journal = folder.path().join(name);
            if let Some(lost) = lost {
                server
                    .faults()
                    .add(Fault::on(lost).times(1).reset_before_head());
            }
            let (status, told) = process(&url, &server, &journal, deed, step, 1);
            reconcile(&server, &journal, &what).await;
            check(&server, &told, &what);
            if !is_killed(status) {
                assert!(status.success(), "{what}: {status}");
                assert!(step > 8, "{what}: so few steps");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} processes killed, one before each step");
}

/// Makes a journal that is shortened with the next record.
async fn long_journal(path: &Path) {
    let journal = FileJournal::open(path).unwrap();
    let id = CommissionId::random().unwrap();
    while std::fs::metadata(path).unwrap().len() <= (1 << 20) - 100 {
        journal.outcome(id, Outcome::Closed).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_any_two_steps_on_the_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long");
    long_journal(&long).await;
    let (mut kills, mut drafts) = (0, 0);
    for (deed, is_long) in [
        ("disk commit", false),
        ("disk commit", true),
        ("disk reject", true),
        ("disk drop", false),
    ] {
        for step in 1.. {
            let what = format!("{deed}, long: {is_long}, killed before step {step}");
            let server = Server::new();
            let (_serving, url) = served(&server).await;
            let folder = tempfile::tempdir().unwrap();
            let journal = folder.path().join("journal");
            if is_long {
                std::fs::copy(&long, &journal).unwrap();
            }
            let (status, told) = process(&url, &server, &journal, deed, step, 1);
            drafts += std::fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().path() != journal)
                .count();
            reconcile(&server, &journal, &what).await;
            check(&server, &told, &what);
            if !is_killed(status) {
                assert!(status.success(), "{what}: {status}");
                assert!(step > 10, "{what}: so few steps");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} processes killed between steps on the disk, {drafts} with a draft");
    assert!(drafts > 4, "none was killed while it shortened the journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_reconciling_can_be_made_good() {
    for step in 1.. {
        let what = format!("reconcile, killed before step {step}");
        let server = Server::new();
        let (_serving, url) = served(&server).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        {
            let journal = Arc::new(FileJournal::open(&path).unwrap());
            let issuer = quick(client(&server), Arc::clone(&journal) as _)
                .build()
                .unwrap();
            let decided = issuer.issue(&request(0)).await.unwrap();
            let committing = Outcome::Committing(decided.serial());
            journal.outcome(decided.id(), committing).await.unwrap();
            let open = issuer.issue(&request(1)).await.unwrap();
            // Neither guard may do anything more: as if the process were gone.
            std::mem::forget((decided, open));
        }
        // Another name for the same file, whose lock is free.
        let copy = folder.path().join("copy");
        std::fs::copy(&path, &copy).unwrap();
        let (status, _) = process(&url, &server, &copy, "reconcile", step, 0);
        reconcile(&server, &copy, &what).await;
        let told = BTreeMap::from([(0, Told::Accepted), (1, Told::Not)]);
        check(&server, &told, &what);
        if !is_killed(status) {
            assert!(status.success(), "{what}: {status}");
            assert!(step > 8, "so few steps");
            println!("{} processes killed while reconciling", step - 1);
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seeded_kills_of_many_tasks_under_faults() {
    let runs: u64 = env::var(RUNS)
        .unwrap()
        .map_or(300, |runs| runs.parse().unwrap());
    let runs = runs / 10;
    let (mut kills, mut accepted) = (0, 0);
    for seed in 0..runs {
        let what = format!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let server = Server::new();
        let (_serving, url) = served(&server).await;
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        for step in STEPS {
            // Those that only take long would make this take long.
            let number = random.u64(8..15);
            let fault = fault(step, if number == 14 { 1 } else { number });
            server
                .faults()
                .add(fault.probability(random.f64() / 2.0, random.u64(..)));
        }
        let deed = ["commit", "commit", "reject", "drop"][random.usize(..4)];
        let step = random.u64(1..60);
        let (status, told) = process(&url, &server, &journal, deed, step, random.u64(1..6));
        reconcile(&server, &journal, &what).await;
        check(&server, &told, &what);
        kills += u64::from(is_killed(status));
        accepted += told
            .values()
            .filter(|&&told| told == Told::Accepted)
            .count();
    }
    println!(
        "{runs} seeded processes, {kills} of them killed, {accepted} commissions told accepted"
    );
    assert!(runs < 20 || kills > runs / 4);
}
