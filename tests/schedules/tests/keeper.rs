//! The keeper, whatever order its threads run in and whatever happens to their runtimes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Mutex;
use shuttle::thread;
use vouchsafe_schedules::check;
use vouchsafe_schedules::runtime::Runtime;
use vouchsafe_schedules::support::{Counter, fall, pause};
use vouchsafe_schedules::sync::{Notify, lock, oneshot};
use vouchsafe_schedules::task::{Ended, Keeper};

const SCHEDULES: usize = 1000;

/// Replies to jobs, as in the keeper's documentation.
#[derive(Clone)]
struct Office {
    keeper: Arc<Keeper>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<Vec<oneshot::Sender<()>>>,
    arrived: Notify,
    /// The instances of the work.
    works: Counter,
    /// How many more of them panic.
    falls: Mutex<usize>,
}

impl Office {
    fn new(falls: usize) -> Self {
        let queue = Arc::new(Queue {
            falls: Mutex::new(falls),
            ..Queue::default()
        });
        let of_work = Arc::clone(&queue);
        let start = move || work(Arc::clone(&of_work));
        Self {
            keeper: Arc::new(Keeper::new("replying", start)),
            queue,
        }
    }

    async fn ask(&self) -> Result<(), Ended> {
        let (job, reply) = oneshot::channel();
        lock(&self.queue.jobs).push(job);
        self.queue.arrived.notify_one();
        // The work puts a job back that it could not reply to.
        self.keeper.wait(reply).await.map(|reply| reply.unwrap())
    }

    /// Drops the keeper, and checks that nothing is left on these runtimes.
    fn close(self, runtimes: impl IntoIterator<Item = Runtime>) {
        let queue = self.queue;
        drop(self.keeper);
        for runtime in runtimes {
            runtime.settle();
            assert_eq!(runtime.tasks(), 0);
        }
        assert_eq!(queue.works.present(), 0);
    }
}

async fn work(queue: Arc<Queue>) {
    let _one = queue.works.enter_alone();
    {
        let mut falls = lock(&queue.falls);
        if *falls > 0 {
            *falls -= 1;
            drop(falls);
            fall();
        }
    }
    loop {
        let job = lock(&queue.jobs).pop();
        match job {
            // Taken before and after a pause, in which the work may end.
            Some(job) => {
                let mut held = Held(&queue, Some(job));
                pause(1).await;
                let _ = held.1.take().unwrap().send(());
            }
            None => queue.arrived.notified().await,
        }
    }
}

/// A job that goes back to the queue if it is dropped.
struct Held<'q>(&'q Queue, Option<oneshot::Sender<()>>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.1.take() {
            lock(&self.0.jobs).push(job);
        }
    }
}

#[test]
fn all_callers_get_their_replies_from_one_instance_at_a_time() {
    check(SCHEDULES, || {
        let office = Office::new(0);
        let callers = [0, 1].map(|_| {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                assert_eq!(runtime.block_on(office.ask()), Ok(()));
                runtime
            })
        });
        let runtimes = callers.map(|caller| caller.join().unwrap());
        office.close(runtimes);
    });
}

#[test]
fn a_caller_goes_on_when_the_runtime_of_the_work_is_dropped() {
    check(SCHEDULES, || {
        let office = Office::new(0);
        let ending = {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                runtime.block_on(async {
                    office.keeper.ensure();
                    pause(thread_rng().gen_range(0..3)).await;
                });
            })
        };
        let runtime = Runtime::new();
        assert_eq!(runtime.block_on(office.ask()), Ok(()));
        ending.join().unwrap();
        office.close([runtime]);
    });
}

#[test]
fn callers_take_the_work_from_a_runtime_that_is_not_driven() {
    check(3 * SCHEDULES, || {
        let office = Office::new(0);
        let still = {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                office.keeper.ensure_on(runtime.handle());
                if thread_rng().gen_bool(0.5) {
                    runtime.settle();
                }
                // Driven again later, when another runtime may have taken it.
                for _ in 0..thread_rng().gen_range(0..20) {
                    thread::yield_now();
                }
                runtime.settle();
                runtime
            })
        };
        let callers = [0, 1].map(|_| {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                assert_eq!(runtime.block_on(office.ask()), Ok(()));
                assert_eq!(runtime.block_on(office.ask()), Ok(()));
                runtime
            })
        });
        let [one, other] = callers.map(|caller| caller.join().unwrap());
        let still = still.join().unwrap();
        office.close([one, other, still]);
    });
}

#[test]
fn stopping_ends_the_work_and_the_wait_of_every_caller() {
    check(SCHEDULES, || {
        let office = Office::new(0);
        let callers = [0, 1].map(|_| {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                let ended = runtime.block_on(office.ask());
                assert!(matches!(ended, Ok(()) | Err(Ended::Stopped)), "{ended:?}");
                assert!(!office.keeper.ensure() || ended.is_ok());
                runtime
            })
        });
        office.keeper.stop();
        assert!(!office.keeper.ensure_on(Runtime::new().handle()));
        let runtimes = callers.map(|caller| caller.join().unwrap());
        let works = office.queue.works.total();
        for runtime in &runtimes {
            runtime.settle();
        }
        assert_eq!(works, office.queue.works.total());
        assert_eq!(office.queue.works.present(), 0);
        office.close(runtimes);
    });
}

#[test]
fn work_that_panics_is_started_again_and_no_caller_is_forgotten() {
    check(SCHEDULES, || {
        let falls = thread_rng().gen_range(1..6);
        let office = Office::new(falls);
        let callers = [0, 1].map(|_| {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                let ended = runtime.block_on(office.ask());
                // After the fourth panic the callers who wait are told.
                assert!(matches!(ended, Ok(()) | Err(Ended::Panicked)), "{ended:?}");
                (runtime, ended)
            })
        });
        let ended = callers.map(|caller| caller.join().unwrap());
        assert!(falls > 3 || ended.iter().all(|(_, ended)| ended.is_ok()));
        office.close(ended.map(|(runtime, _)| runtime));
    });
}

#[test]
fn an_owner_that_goes_takes_the_work_along_from_any_runtime() {
    check(SCHEDULES, || {
        let office = Office::new(0);
        let owners = [0, 1].map(|_| {
            let office = office.clone();
            thread::spawn(move || {
                let runtime = Runtime::new();
                runtime.block_on(async {
                    office.keeper.ensure();
                    pause(thread_rng().gen_range(0..3)).await;
                    drop(office);
                });
                runtime
            })
        });
        let works = office.queue.works.clone();
        drop(office);
        for runtime in owners.map(|owner| owner.join().unwrap()) {
            runtime.settle();
            assert_eq!(runtime.tasks(), 0);
        }
        assert_eq!(works.present(), 0);
    });
}
