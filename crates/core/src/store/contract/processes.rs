//! Tests with several processes that share a store, some of which are killed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::jumps::{JUMP, jump};
use super::{
    Place, READY, Suite, TASKS, TIME, block_on, check_whole, is_refused, key, read, tell, text,
    whole, write,
};
use crate::env;
use crate::store::{Acquired, Expect, Swapped};

const PLACE: &str = "VOUCHSAFE_CONTRACT_PLACE";
const DEED: &str = "VOUCHSAFE_CONTRACT_DEED";
const PROCESSES: usize = 20;

impl Suite {
    /// Twenty processes with ten tasks each try to refresh a stale record.
    pub fn many_processes_make_one_request(&self) {
        self.run_shared(|Place { store, path, .. }| async move {
            write(&*store, Expect::Absent, STALE).await.unwrap();
            let mut started: Vec<Process> = (0..PROCESSES)
                .map(|_| self.start(&path, "refresh"))
                .collect();
            // They begin as close together as possible.
            for process in &mut started {
                process.wait_for(READY);
            }
            for process in &mut started {
                process.go_on();
            }
            for process in &mut started {
                assert!(process.child.wait().unwrap().success());
            }
            assert_eq!(count(&path.join(REQUESTS)), 1);
            assert_eq!(text(&read(&*store).await.unwrap()), FRESH);
        });
    }

    /// A holder is killed after each step; the next holder continues from the stored record.
    pub fn a_killed_holder_leaves_the_old_record_or_the_new_one(&self) {
        self.run_shared(|place| async move {
            let (store, requests_made) = (&*place.store, place.path.join(REQUESTS));
            for (step, requests, left) in [
                ("acquire", 1, STALE),
                ("request", 2, STALE),
                ("save", 1, FRESH),
                ("release", 1, FRESH),
            ] {
                if let Some(clock) = &place.clock {
                    clock.reset();
                }
                let _ = fs::remove_file(&requests_made);
                write(store, Expect::Any, STALE).await.unwrap();
                let mut process = self.start(&place.path, &format!("stop {step}"));
                process.wait_for(READY);
                let since = Instant::now();
                process.go_on();
                process.wait_for(step);
                process.kill();
                assert_eq!(text(&read(store).await.unwrap()), left, "{step}");

                // No caller waits longer for a dead holder than its lease lasts.
                let now = place.acquire().await;
                if since.elapsed() + place.doubt() < place.short() {
                    assert_eq!(is_refused(&now), step != "release", "{step}");
                }
                let lease = match now {
                    Acquired::Lease(lease) => lease,
                    Acquired::Held { .. } => place.acquire_after(place.short()).await,
                };
                assert!(place.leases.release(lease).await.unwrap());
                refresh(&place, TIME, |_| {}).await;
                assert_eq!(text(&read(store).await.unwrap()), FRESH, "{step}");
                assert_eq!(count(&requests_made), requests, "{step}");
            }
        });
    }

    /// Writers are killed at arbitrary moments.
    pub fn a_killed_writer_leaves_a_whole_record(&self) {
        self.run_shared(|Place { store, path, .. }| async move {
            let first = store
                .compare_and_swap(&key(), &Expect::Any, &whole(0))
                .await;
            assert!(matches!(first.unwrap(), Swapped::Done(_)));
            for _ in 0..30 {
                let mut process = self.start(&path, "write");
                process.wait_for(READY);
                process.go_on();
                process.wait_for("wrote");
                // About the duration of a few writes.
                sleep(Duration::from_micros(fastrand::u64(0..5000))).await;
                process.kill();
                check_whole(&read(&*store).await.unwrap());
                // The dead writer holds no lock.
                let done = store
                    .compare_and_swap(&key(), &Expect::Any, &whole(1))
                    .await;
                assert!(matches!(done.unwrap(), Swapped::Done(_)));
            }
        });
    }

    /// The work of the other processes; does nothing in the main one.
    pub fn process(&self) {
        let (Some(place), Some(deed)) = (env::var(PLACE).unwrap(), env::var(DEED).unwrap()) else {
            return;
        };
        let place = Arc::new(self.open(Path::new(&place)));
        tell(READY);
        let _ = std::io::stdin().lock().read_line(&mut String::new());
        block_on(async {
            if deed == "write" {
                let store = &place.store;
                for round in 0.. {
                    let value = whole(fastrand::u64(..));
                    let done = store.compare_and_swap(&key(), &Expect::Any, &value).await;
                    assert!(matches!(done.unwrap(), Swapped::Done(_)));
                    if round == 0 {
                        tell("wrote");
                    }
                }
            }
            if deed == JUMP {
                return jump(&place).await;
            }
            if let Some(stop) = deed.strip_prefix("stop ") {
                let after = |step: &str| {
                    if step == stop {
                        tell(step);
                        // Waits until it is killed, or until the parent process has ended.
                        let _ = std::io::stdin().lock().read_line(&mut String::new());
                        std::process::exit(1);
                    }
                };
                return refresh(&place, place.short(), after).await;
            }
            let mut tasks = JoinSet::new();
            for _ in 0..TASKS {
                let place = Arc::clone(&place);
                tasks.spawn(async move { refresh(&place, TIME, |_| {}).await });
            }
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        });
    }

    fn start(&self, place: &Path, deed: &str) -> Process {
        self.start_with(place, deed, |_| {})
    }

    pub(super) fn start_with(
        &self,
        place: &Path,
        deed: &str,
        set: impl FnOnce(&mut Command),
    ) -> Process {
        // The name of a test does not begin with its crate.
        let (_, test) = self.process.split_once("::").unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        set(&mut command);
        let mut child = command
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(PLACE, place)
            .env(DEED, deed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines }
    }
}

/// The content of a record that needs the request, and after the request.
const STALE: &str = "stale";
const FRESH: &str = "fresh";

/// Makes the request unless another process already did, as a service would.
async fn refresh(place: &Place, time: Duration, after: impl Fn(&str)) {
    let store = &*place.store;
    // As the coordinator waits: 200 tasks that ask every few milliseconds test the server's speed.
    let mut pause = 20;
    loop {
        if text(&read(store).await.unwrap()) == FRESH {
            return;
        }
        let Acquired::Lease(lease) = place.acquire_for(time).await else {
            sleep(Duration::from_millis(fastrand::u64(pause / 2..=pause))).await;
            pause = (pause * 2).min(1000);
            continue;
        };
        after("acquire");
        // Read again: another process may have refreshed it before this one got the lease.
        let there = read(store).await.unwrap();
        if text(&there) == STALE {
            let mut file = File::options()
                .create(true)
                .append(true)
                .open(place.path.join(REQUESTS));
            file.as_mut().unwrap().write_all(b"request\n").unwrap();
            after("request");
            let version = write(store, Expect::Version(there.version), FRESH).await;
            assert!(version.is_some(), "a version was saved without the lease");
            after("save");
        }
        place.leases.release(lease).await.unwrap();
        after("release");
    }
}

fn count(requests: &Path) -> usize {
    fs::read_to_string(requests).map_or(0, |text| text.lines().count())
}

/// The file in the folder that counts the requests.
const REQUESTS: &str = "requests.txt";

pub(super) struct Process {
    pub(super) child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    pub(super) fn wait_for(&mut self, word: &str) {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with(word)), "a process failed");
    }

    pub(super) fn go_on(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"go on\n").unwrap();
    }

    fn kill(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "a process failed");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
