//! The behaviour that every [`Store`] must have, as tests: see
//! [`store_contract!`](crate::store_contract).

#![expect(
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

mod jumps;
mod leases;
mod logins;
mod place;
mod processes;
mod servers;
mod skipped;

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

pub use self::logins::check_logins;
use self::place::Place;
pub use self::servers::Server;
pub use self::skipped::{may_skip, skip};
use super::{
    Acquired, Expect, Key, Lease, Leases, Loaded, Scope, Store, StoreLeases, Swapped, Version,
};
use crate::mock::ManualClock;
use crate::{ErrorKind, SecretBytes};

/// Defines a module of tests, named by the first argument, for a store that a function opens:
/// `fn(&Path) -> Arc<dyn Store>`. Each test gets the path of a folder of its own; all processes
/// that open the store with the same path must share its records.
///
/// Some tests start the test program again as other processes, and kill them. They do nothing for a
/// store of [`Scope::Process`](crate::store::Scope::Process).
///
/// A store on a server has a third argument, the function that starts the server:
/// `fn(&Path) -> Option<Box<dyn Server>>` with a [`Server`]. It is called first. If it returns
/// `None`, the test is skipped.
///
/// ```
/// # use std::path::Path;
/// # use std::sync::Arc;
/// use vouchsafe_core::store::{MemoryStore, Store};
///
/// fn open(_: &Path) -> Arc<dyn Store> {
///     Arc::new(MemoryStore::new())
/// }
///
/// vouchsafe_core::store_contract!(memory_store, super::open);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_contract {
    ($name:ident, $open:path $(, $start:path)?) => {
        $crate::store_contract! { @module
            $name, $open, [$(.on_server($start))?],
            a_record_is_read_as_it_was_written
            a_writer_that_expects_something_else_changes_nothing
            a_removed_record_is_gone_and_its_version_never_comes_back
            profiles_are_listed_by_namespace
            records_of_any_bytes_and_names_are_kept
            a_record_that_is_too_large_is_refused
            a_reader_never_sees_half_a_record
            of_many_writers_each_sees_what_the_last_one_wrote
            a_lease_is_held_by_one_until_it_is_released
            a_lease_ends_by_itself_and_is_then_lost
            a_lease_that_lapsed_is_told_from_one_that_was_released
            an_acquisition_that_was_not_answered_is_no_holder
            a_renewal_that_was_not_answered_keeps_the_lease
            a_lease_whose_record_was_removed_is_lost
            a_holder_that_overslept_cannot_overwrite_what_came_after
            a_clock_that_jumps_costs_no_record_and_no_wait
            a_watch_hints_at_changes
            many_processes_make_one_request
            a_killed_holder_leaves_the_old_record_or_the_new_one
            a_killed_writer_leaves_a_whole_record
            a_server_that_restarts_keeps_what_was_written
            a_server_that_does_not_answer_ends_no_call_without_an_error
        }
    };
    (@module $name:ident, $open:path, [$($more:tt)*], $($test:ident)*) => {
        #[cfg(test)]
        mod $name {
            const SUITE: $crate::store::contract::Suite = $crate::store::contract::Suite::new(
                $open,
                concat!(module_path!(), "::a_process_of_another_test"),
            )
            $($more)*;

            $(
                #[test]
                fn $test() {
                    SUITE.$test();
                }
            )*

            #[test]
            fn a_process_of_another_test() {
                SUITE.process();
            }
        }
    };
}

/// Defines tests as [`store_contract!`](crate::store_contract) does, for [`Leases`] that are not
/// [`StoreLeases`]. The third argument is a function `fn(&Path) -> Arc<dyn Leases>`, a fourth starts
/// the server. After a semicolon, a [`Time`](crate::store::contract::Time) says whose clock ends the
/// leases, if it is not exactly that of the server. The time of these leases is real: the tests wait for
/// some of them to end.
///
/// A test moves the clock of a process with the program `faketime`. Without that it is
/// [skipped](crate::store::contract::skip).
#[macro_export]
macro_rules! lease_contract {
    ($name:ident, $open:path, $leases:path $(, $start:path)? $(; $time:expr)?) => {
        $crate::store_contract! { @module
            $name, $open, [.with_leases($leases)$(.on_server($start))?$(.by($time))?],
            a_lease_is_held_by_one_until_it_is_released
            a_lease_ends_by_itself_and_is_then_lost
            a_lease_that_lapsed_is_told_from_one_that_was_released
            an_acquisition_that_was_not_answered_is_no_holder
            a_renewal_that_was_not_answered_keeps_the_lease
            a_holder_that_overslept_cannot_overwrite_what_came_after
            a_process_whose_clock_jumps_keeps_its_lease_and_takes_no_other
            many_processes_make_one_request
            a_killed_holder_leaves_the_old_record_or_the_new_one
            a_server_that_restarts_never_grants_a_lower_fence
        }
    };
}

thread_local! {
    static LIMIT: Cell<Duration> = const { Cell::new(Duration::from_secs(60)) };
}

/// Returns how long a call of the store that the running test opens may take: 60 s, so that a busy
/// machine fails no test, and 4 s in the one whose server does not answer.
#[must_use]
pub fn limit() -> Duration {
    LIMIT.get()
}

/// Defines a test of the builder of a store on a server: plain connections are made to this machine
/// only, unless more is allowed. Its arguments are the function from a URL to the builder, the URL of
/// a server elsewhere without TLS and its host and port, and one of a server on this machine. If a URL
/// has a password, it contains "planted".
#[macro_export]
macro_rules! reach_contract {
    ($builder:path, $elsewhere:literal at $place:literal, $here:literal) => {
        #[test]
        fn records_are_not_sent_in_the_clear_to_other_machines() {
            let error = $builder($elsewhere).build().unwrap_err();
            assert!(error.is_config(), "{error}");
            assert!(error.to_string().contains($place), "{error}");
            assert!(!format!("{error:?}").contains("planted"), "{error:?}");
            $builder($elsewhere).allow_plain().build().unwrap();
            $builder($here).build().unwrap();
        }
    };
}

/// Opens the store that belongs to a folder.
pub type Open = fn(&Path) -> Arc<dyn Store>;
/// Opens the leases that belong to a folder.
pub type OpenLeases = fn(&Path) -> Arc<dyn Leases>;
/// Starts the server that belongs to a folder, or says why the test is skipped.
pub type StartServer = fn(&Path) -> Option<Box<dyn Server>>;

/// The tests; created by [`store_contract!`](crate::store_contract).
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    open: Open,
    /// `None` for [`StoreLeases`].
    leases: Option<OpenLeases>,
    time: Time,
    start: Option<StartServer>,
    /// The test that other processes run.
    process: &'static str,
}

/// Whose clock ends a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Time {
    /// That of the server. The clocks of its clients do not matter.
    Server,
    /// That of the server, which each client knows to within this.
    ServerWithin(Duration),
    /// That of each client.
    Process,
}

const TASKS: usize = 10;
const TIME: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

fn key() -> Key {
    Key::new("application", "profile")
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

fn text(loaded: &Loaded) -> &str {
    std::str::from_utf8(loaded.value.expose()).unwrap()
}

async fn read(store: &dyn Store) -> Option<Loaded> {
    store.load(&key()).await.unwrap()
}

async fn write(store: &dyn Store, expect: Expect, value: &str) -> Option<Version> {
    match store
        .compare_and_swap(&key(), &expect, &bytes(value))
        .await
        .unwrap()
    {
        Swapped::Done(version) => Some(version),
        Swapped::Conflict(_) => None,
    }
}

fn held(acquired: Acquired) -> Lease {
    match acquired {
        Acquired::Lease(lease) => lease,
        Acquired::Held { remaining } => {
            unreachable!("the lease is held by another for {remaining:?}")
        }
    }
}

fn is_refused(acquired: &Acquired) -> bool {
    matches!(acquired, Acquired::Held { remaining } if *remaining <= TIME)
}

/// What another process says once it can begin.
const READY: &str = "ready";

/// Tells the process that started this one.
fn tell(word: &str) {
    println!("{word}");
}

/// A value that shows whether it is complete.
fn whole(seed: u64) -> SecretBytes {
    let mut random = fastrand::Rng::with_seed(seed);
    let length = 100 << random.usize(0..9);
    let mut value = seed.to_be_bytes().to_vec();
    value.extend((0..length).map(|_| random.u8(..)));
    SecretBytes::from(value)
}

fn check_whole(loaded: &Loaded) {
    let value = loaded.value.expose();
    let (seed, _) = value.split_first_chunk().unwrap();
    let is_whole = *value == *whole(u64::from_be_bytes(*seed)).expose();
    assert!(is_whole, "half a record was read");
}

impl Suite {
    /// Creates the tests of a store. `process` is the path of the test that other processes run,
    /// including its crate.
    #[must_use]
    pub const fn new(open: Open, process: &'static str) -> Self {
        Self {
            open,
            leases: None,
            time: Time::Server,
            start: None,
            process,
        }
    }

    /// Tests these leases instead of [`StoreLeases`].
    #[must_use]
    pub const fn with_leases(mut self, leases: OpenLeases) -> Self {
        self.leases = Some(leases);
        self
    }

    /// Says whose clock ends these leases. Default: [`Time::Server`].
    #[must_use]
    pub const fn by(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// Starts a server for each test.
    #[must_use]
    pub const fn on_server(mut self, start: StartServer) -> Self {
        self.start = Some(start);
        self
    }

    fn open(&self, path: &Path) -> Place {
        let store = (self.open)(path);
        let (leases, clock, time): (Arc<dyn Leases>, _, _) = match self.leases {
            Some(leases) => (leases(path), None, self.time),
            None => {
                let clock = Arc::new(ManualClock::running());
                let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
                (Arc::new(leases), Some(clock), Time::Process)
            }
        };
        Place {
            store,
            leases,
            clock,
            time,
            path: path.to_owned(),
        }
    }

    fn run<F: Future<Output = ()>>(&self, test: impl FnOnce(Place) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let _server = match self.start.map(|start| start(folder.path())) {
            Some(None) => return,
            server => server,
        };
        block_on(test(self.open(folder.path())));
    }

    fn run_shared<F: Future<Output = ()>>(&self, test: impl FnOnce(Place) -> F) {
        self.run(|place| async move {
            if place.store.capabilities().scope > Scope::Process {
                test(place).await;
            } else {
                println!("nothing to do: no other process shares the records");
            }
        });
    }

    /// A new record is read back with the version that the write returned.
    pub fn a_record_is_read_as_it_was_written(&self) {
        self.run(|Place { store, .. }| async move {
            assert!(read(&*store).await.is_none());
            let first = write(&*store, Expect::Absent, "one").await.unwrap();
            let there = read(&*store).await.unwrap();
            assert_eq!((text(&there), &there.version), ("one", &first));
            let second = write(&*store, Expect::Version(first.clone()), "two").await;
            let there = read(&*store).await.unwrap();
            assert_eq!(
                (text(&there), Some(&there.version)),
                ("two", second.as_ref())
            );
            assert_ne!(Some(first), second);
            write(&*store, Expect::Any, "three").await.unwrap();
            assert_eq!(text(&read(&*store).await.unwrap()), "three");
        });
    }

    /// A conflict writes nothing and returns the present record.
    pub fn a_writer_that_expects_something_else_changes_nothing(&self) {
        self.run(|Place { store, .. }| async move {
            // Also what a store could write for "none".
            let unknown = [b"unknown".as_slice(), &[], &[0; 8], &[0xff; 8]];
            let unknown = unknown.map(|bytes| Expect::Version(Version::new(bytes)));
            for unknown in &unknown {
                let swapped = store.compare_and_swap(&key(), unknown, &bytes("x")).await;
                assert_eq!(swapped.unwrap(), Swapped::Conflict(None), "{unknown:?}");
                assert!(read(&*store).await.is_none());
            }
            let old = write(&*store, Expect::Absent, "one").await.unwrap();
            let now = write(&*store, Expect::Any, "two").await.unwrap();
            let others = [Expect::Absent, Expect::Version(old)];
            for expect in others.into_iter().chain(unknown) {
                let swapped = store.compare_and_swap(&key(), &expect, &bytes("x")).await;
                let Swapped::Conflict(Some(there)) = swapped.unwrap() else {
                    unreachable!("written although {expect:?} was not there");
                };
                assert_eq!((text(&there), &there.version), ("two", &now));
                assert!(!store.remove(&key(), &expect).await.unwrap());
            }
            assert_eq!(read(&*store).await.unwrap().version, now);
        });
    }

    /// A record that is removed and created again has a new version.
    pub fn a_removed_record_is_gone_and_its_version_never_comes_back(&self) {
        self.run(|Place { store, .. }| async move {
            assert!(!store.remove(&key(), &Expect::Any).await.unwrap());
            let first = write(&*store, Expect::Absent, "one").await.unwrap();
            let expect = Expect::Version(first.clone());
            assert!(store.remove(&key(), &expect).await.unwrap());
            assert!(read(&*store).await.is_none());
            assert!(!store.remove(&key(), &expect).await.unwrap());
            let second = write(&*store, Expect::Absent, "one").await.unwrap();
            assert_ne!(first, second);
            assert!(write(&*store, expect, "x").await.is_none());
            assert!(store.remove(&key(), &Expect::Any).await.unwrap());
        });
    }

    /// A store that can list records lists those of a namespace, in order and without leases.
    pub fn profiles_are_listed_by_namespace(&self) {
        self.run(|Place { store, .. }| async move {
            let leases = StoreLeases::new(Arc::clone(&store));
            for (namespace, profile) in [("a", "2"), ("a", "1"), ("b", "3")] {
                let key = Key::new(namespace, profile);
                let swapped = store
                    .compare_and_swap(&key, &Expect::Absent, &bytes("x"))
                    .await;
                assert!(matches!(swapped.unwrap(), Swapped::Done(_)));
                drop(held(leases.acquire(&key, TIME).await.unwrap()));
            }
            if let Some(names) = store.list("a").await.unwrap() {
                assert_eq!(names, ["1", "2"]);
                assert!(store.list("c").await.unwrap().unwrap().is_empty());
            }
        });
    }

    /// Values and names of any form: empty ones, text in Unicode, bytes that are no text, and 64 KiB.
    pub fn records_of_any_bytes_and_names_are_kept(&self) {
        self.run(|Place { store, .. }| async move {
            let long = "n".repeat(300);
            let names = ["", " ", "a/b", "../..", "naïve 🦀", "A", "a", "\0\n", &long];
            let values = [
                Vec::new(),
                vec![0, 255, 10, 13],
                "{\"naïve\": \"🦀 é\"}".into(),
                vec![b'x'; 64 << 10],
            ];
            for (number, name) in names.into_iter().enumerate() {
                let key = Key::new(name, name);
                let value = SecretBytes::from(values[number % values.len()].clone());
                let swapped = store.compare_and_swap(&key, &Expect::Absent, &value).await;
                assert!(matches!(swapped.unwrap(), Swapped::Done(_)), "{name:?}");
            }
            for (number, name) in names.into_iter().enumerate() {
                let loaded = store.load(&Key::new(name, name)).await.unwrap().unwrap();
                let is_same = *loaded.value.expose() == *values[number % values.len()];
                assert!(is_same, "{name:?}");
                assert!(
                    store
                        .load(&Key::new(name, "other"))
                        .await
                        .unwrap()
                        .is_none()
                );
            }
        });
    }

    /// A store with a limit takes a record of that size, and names the limit if there is more.
    pub fn a_record_that_is_too_large_is_refused(&self) {
        self.run(|Place { store, .. }| async move {
            let Some(limit) = store.capabilities().max_bytes else {
                println!("nothing to do: there is no limit");
                return;
            };
            let mut value = vec![b'x'; limit];
            let full = SecretBytes::from(value.clone());
            let swapped = store.compare_and_swap(&key(), &Expect::Any, &full).await;
            assert!(matches!(swapped.unwrap(), Swapped::Done(_)));
            value.push(b'x');
            let more = SecretBytes::from(value);
            let error = store.compare_and_swap(&key(), &Expect::Any, &more).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(!error.is_retryable());
            assert!(error.to_string().contains(&limit.to_string()), "{error}");
            assert!(read(&*store).await.unwrap().value == full);
        });
    }

    /// Records are read while others write them.
    pub fn a_reader_never_sees_half_a_record(&self) {
        self.run(|Place { store, .. }| async move {
            let first = store
                .compare_and_swap(&key(), &Expect::Any, &whole(0))
                .await;
            assert!(matches!(first.unwrap(), Swapped::Done(_)));
            let mut writers = JoinSet::new();
            for writer in 1..=3 {
                let store = Arc::clone(&store);
                writers.spawn(async move {
                    for round in 0..40 {
                        let value = whole(writer * 1000 + round);
                        let done = store.compare_and_swap(&key(), &Expect::Any, &value).await;
                        assert!(matches!(done.unwrap(), Swapped::Done(_)));
                    }
                });
            }
            while !writers.is_empty() {
                check_whole(&read(&*store).await.unwrap());
                while let Some(done) = writers.try_join_next() {
                    done.unwrap();
                }
                tokio::task::yield_now().await;
            }
        });
    }

    /// No change is lost between comparing and writing.
    pub fn of_many_writers_each_sees_what_the_last_one_wrote(&self) {
        self.run(|Place { store, .. }| async move {
            write(&*store, Expect::Absent, "0").await.unwrap();
            let mut writers = JoinSet::new();
            for _ in 0..TASKS {
                let store = Arc::clone(&store);
                writers.spawn(async move { add(&*store, 10).await });
            }
            while let Some(done) = writers.join_next().await {
                done.unwrap();
            }
            assert_eq!(text(&read(&*store).await.unwrap()), "100");
        });
    }

    /// A store that supports watching sends a hint for each change, or one for several changes.
    pub fn a_watch_hints_at_changes(&self) {
        self.run(|Place { store, .. }| async move {
            let Some(mut watch) = store.watch(&key()) else {
                println!("nothing to do: the store gives no hints");
                return;
            };
            for value in ["one", "two"] {
                write(&*store, Expect::Any, value).await.unwrap();
                let hint = tokio::time::timeout(TIME, watch.changed()).await;
                assert!(hint.is_ok(), "no hint at {value}");
            }
        });
    }
}

async fn add(store: &dyn Store, times: u32) {
    for _ in 0..times {
        loop {
            let there = read(store).await.unwrap();
            let sum: u32 = text(&there).parse().unwrap();
            let expect = Expect::Version(there.version.clone());
            if write(store, expect, &(sum + 1).to_string()).await.is_some() {
                break;
            }
        }
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work);
}
