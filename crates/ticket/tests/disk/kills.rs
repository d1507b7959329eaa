//! Writers that are killed at random moments, several on one folder.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use vouchsafe_core::env;
use vouchsafe_ticket::protocol::{Blob, DiskCache};

use super::{FILES, original};

/// How many writers are killed.
const KILLS: &str = "VOUCHSAFE_KILLS";
const DEFAULT_KILLS: u32 = 1000;
/// Tells this program's copies which folder they write to.
const FOLDER: &str = "VOUCHSAFE_KILLS_FOLDER";
const WRITERS: usize = 3;
const READY: &str = "the first file is written";
/// About as long as a few writes take.
const LONGEST_LIFE: Duration = Duration::from_millis(10);

#[test]
fn killed_writers_leave_the_old_or_the_new_file() {
    let kills = env::var(KILLS).unwrap();
    let kills = kills.map_or(DEFAULT_KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(folder.path()).unwrap();
    for which in FILES {
        cache.write(which, 1, &value(1)).unwrap();
    }
    let done = AtomicBool::new(false);
    let reads = thread::scope(|scope| {
        // Ends the reader when a check below fails, too.
        let end = End(&done);
        let reader = scope.spawn(|| {
            let mut reads = 0_u32;
            while !done.load(Ordering::Acquire) {
                check_all(folder.path(), &cache);
                reads += 1;
            }
            reads
        });
        let mut writers: Vec<_> = (0..WRITERS).map(|_| Writer::start(folder.path())).collect();
        for kill in 0..kills {
            let writer = &mut writers[kill as usize % WRITERS];
            writer.await_first_file();
            at_a_random_moment();
            writer.kill();
            check_all(folder.path(), &cache);
            *writer = Writer::start(folder.path());
        }
        drop(writers);
        drop(end);
        reader.join().unwrap()
    });

    let drafts = drafts(folder.path());
    println!(
        "{kills} writers killed, {} of them within a write; {reads} rounds of reading beside",
        drafts.len()
    );
    // Else no kill came at the moments that this is about.
    assert!(kills < 100 || drafts.len() > 10);
    for draft in drafts {
        let file = File::options().append(true).open(draft).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - Duration::from_secs(3600)).unwrap();
    }
    for which in FILES {
        cache.write(which, 1, &value(1)).unwrap();
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), FILES.len(), "{left:?}");
}

/// Not a separate test: the copies of this program that are killed run it.
#[test]
fn a_writer_writes_until_it_is_killed() {
    let Some(folder) = env::var(FOLDER).unwrap() else {
        return;
    };
    // Whatever becomes of the one who kills.
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let cache = DiskCache::open(folder).unwrap();
    for (round, which) in FILES.into_iter().cycle().enumerate() {
        let seed = fastrand::i64(1..);
        cache.write(which, seed, &value(seed)).unwrap();
        if round == 0 {
            println!("{READY}");
        }
    }
}

/// A value that shows whether it is complete: some hundred bytes up to many blocks.
fn value(seed: i64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed.unsigned_abs());
    let length = 100 << random.usize(0..8);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Reads everything as we do and as the original does.
fn check_all(folder: &Path, cache: &DiskCache) {
    for which in FILES {
        let Blob { time, data, .. } = cache.read(which).unwrap().unwrap();
        assert!(*data == value(time), "{}", which.name());
        let theirs = original::read(&folder.join(which.name())).unwrap();
        let (time, data) = theirs.unwrap();
        assert!(data == value(time), "{}", which.name());
    }
}

fn drafts(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "draft"))
        .collect()
}

fn at_a_random_moment() {
    let nanos = fastrand::u64(0..LONGEST_LIFE.as_nanos().try_into().unwrap());
    let (_sender, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_nanos(nanos));
}

struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Writer {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::a_writer_writes_until_it_is_killed"])
            .args(["--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn await_first_file(&mut self) {
        let mut lines = self.lines.by_ref().map(|line| line.unwrap());
        assert!(lines.any(|line| line.contains(READY)), "a writer failed");
    }

    fn kill(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "a writer failed");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
