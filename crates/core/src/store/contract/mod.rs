//! The behaviour that every [`Store`] must have, as tests: see
//! [`store_contract!`](crate::store_contract).

#![expect(
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

mod processes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{
    Acquired, Expect, Key, Lease, Leases as _, Loaded, Scope, Store, StoreLeases, Swapped, Version,
};
use crate::SecretBytes;
use crate::mock::ManualClock;

/// Defines a module of tests, named by the first argument, for a store that a function opens:
/// `fn(&Path) -> Arc<dyn Store>`. Each test gets the path of a folder of its own; all processes
/// that open the store with the same path must share its records.
///
/// Some tests start the test program again as other processes, and kill them. They do nothing for a
/// store of [`Scope::Process`](crate::store::Scope::Process).
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
    ($name:ident, $open:path) => {
        #[cfg(test)]
        mod $name {
            const SUITE: $crate::store::contract::Suite = $crate::store::contract::Suite::new(
                $open,
                concat!(module_path!(), "::a_process_of_another_test"),
            );

            $crate::store_contract! { @tests
                a_record_is_read_as_it_was_written
                a_writer_that_expects_something_else_changes_nothing
                a_removed_record_is_gone_and_its_version_never_comes_back
                profiles_are_listed_by_namespace
                records_of_any_bytes_and_names_are_kept
                a_reader_never_sees_half_a_record
                of_many_writers_each_sees_what_the_last_one_wrote
                a_lease_is_held_by_one_until_it_is_released
                a_lease_ends_by_itself_and_is_then_lost
                a_holder_that_overslept_cannot_overwrite_what_came_after
                a_clock_that_jumps_costs_no_record_and_no_wait
                a_watch_hints_at_changes
                many_processes_make_one_request
                a_killed_holder_leaves_the_old_record_or_the_new_one
                a_killed_writer_leaves_a_whole_record
            }

            #[test]
            fn a_process_of_another_test() {
                SUITE.process();
            }
        }
    };
    (@tests $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                SUITE.$test();
            }
        )*
    };
}

/// The tests; created by [`store_contract!`](crate::store_contract).
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    open: fn(&Path) -> Arc<dyn Store>,
    /// The test that other processes run.
    process: &'static str,
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

async fn acquire(leases: &StoreLeases) -> Acquired {
    leases.acquire(&key(), TIME).await.unwrap()
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
    pub const fn new(open: fn(&Path) -> Arc<dyn Store>, process: &'static str) -> Self {
        Self { open, process }
    }

    fn run<F: Future<Output = ()>>(&self, test: impl FnOnce(Place) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            store: (self.open)(folder.path()),
            path: folder.path().to_owned(),
        };
        block_on(test(place));
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
            let unknown = Expect::Version(Version::new(b"unknown"));
            let swapped = store.compare_and_swap(&key(), &unknown, &bytes("x")).await;
            assert_eq!(swapped.unwrap(), Swapped::Conflict(None));
            assert!(read(&*store).await.is_none());
            let old = write(&*store, Expect::Absent, "one").await.unwrap();
            let now = write(&*store, Expect::Any, "two").await.unwrap();
            for expect in [Expect::Absent, Expect::Version(old), unknown] {
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

    /// Values and names of any form, including empty ones and 64 KiB.
    pub fn records_of_any_bytes_and_names_are_kept(&self) {
        self.run(|Place { store, .. }| async move {
            let long = "n".repeat(300);
            let names = ["", " ", "a/b", "../..", "naïve 🦀", "A", "a", "\0\n", &long];
            let values = [Vec::new(), vec![0, 255, 10, 13], vec![b'x'; 64 << 10]];
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

    /// A second caller learns how long the lease is held; leases on other records are independent.
    pub fn a_lease_is_held_by_one_until_it_is_released(&self) {
        self.run(|Place { store, .. }| async move {
            let leases = StoreLeases::new(store);
            let first = held(acquire(&leases).await);
            assert!(is_refused(&acquire(&leases).await));
            let other = Key::new("application", "other");
            drop(held(leases.acquire(&other, TIME).await.unwrap()));
            let fence = first.fence();
            assert!(leases.release(first).await.unwrap());
            let mut second = held(acquire(&leases).await);
            assert!(second.fence() > fence);
            assert!(leases.renew(&mut second, TIME).await.unwrap());
            assert!(is_refused(&acquire(&leases).await));
            assert!(leases.release(second).await.unwrap());
        });
    }

    /// A holder that has lost its lease can neither renew nor release that of another.
    pub fn a_lease_ends_by_itself_and_is_then_lost(&self) {
        self.run(|Place { store, .. }| async move {
            let clock = Arc::new(ManualClock::running());
            let leases = StoreLeases::with_clock(store, Arc::clone(&clock) as _);
            let mut first = held(acquire(&leases).await);
            clock.advance(TIME / 2);
            assert!(leases.renew(&mut first, TIME).await.unwrap());
            clock.advance(TIME / 2);
            assert!(is_refused(&acquire(&leases).await));
            clock.advance(TIME);
            let second = held(acquire(&leases).await);
            assert!(second.fence() > first.fence());
            assert!(!leases.renew(&mut first, TIME).await.unwrap());
            assert!(!leases.release(first).await.unwrap());
            assert!(is_refused(&acquire(&leases).await));
            assert!(leases.release(second).await.unwrap());
        });
    }

    /// The last line of defence is that writes are conditional.
    pub fn a_holder_that_overslept_cannot_overwrite_what_came_after(&self) {
        self.run(|Place { store, .. }| async move {
            let clock = Arc::new(ManualClock::running());
            let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
            write(&*store, Expect::Absent, "old").await.unwrap();
            let sleeper = held(acquire(&leases).await);
            let seen = read(&*store).await.unwrap().version;
            clock.advance(2 * TIME);
            let awake = held(acquire(&leases).await);
            let now = read(&*store).await.unwrap().version;
            assert!(write(&*store, Expect::Version(now), "new").await.is_some());
            assert!(
                write(&*store, Expect::Version(seen), "late")
                    .await
                    .is_none()
            );
            assert_eq!(text(&read(&*store).await.unwrap()), "new");
            assert!(!leases.release(sleeper).await.unwrap());
            assert!(leases.release(awake).await.unwrap());
        });
    }

    /// Moving the clock an hour forward allows a second holder, whose write wins; moving it an hour
    /// back blocks no one.
    pub fn a_clock_that_jumps_costs_no_record_and_no_wait(&self) {
        self.run(|Place { store, .. }| async move {
            let clock = Arc::new(ManualClock::running());
            let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(&clock) as _);
            write(&*store, Expect::Absent, "old").await.unwrap();
            let first = held(acquire(&leases).await);
            let seen = read(&*store).await.unwrap().version;
            clock.advance(HOUR);
            let second = held(acquire(&leases).await);
            assert!(
                write(&*store, Expect::Version(seen.clone()), "new")
                    .await
                    .is_some()
            );
            assert!(
                write(&*store, Expect::Version(seen), "late")
                    .await
                    .is_none()
            );
            clock.set(crate::Clock::now(&*clock) - HOUR);
            let third = held(acquire(&leases).await);
            assert!(first.fence() < second.fence() && second.fence() < third.fence());
            assert!(!leases.release(second).await.unwrap());
            assert!(leases.release(third).await.unwrap());
            drop(first);
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

struct Place {
    store: Arc<dyn Store>,
    path: PathBuf,
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
        .enable_time()
        .build();
    runtime.unwrap().block_on(work);
}
