mod model;

use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::*;

/// Jobs and what a worker makes of them.
#[derive(Default)]
struct Queue {
    jobs: Mutex<Vec<oneshot::Sender<u32>>>,
    arrived: Notify,
    starts: AtomicU32,
    alive: AtomicU32,
    panics_left: AtomicU32,
}

impl Queue {
    fn put(&self) -> oneshot::Receiver<u32> {
        let (job, reply) = oneshot::channel();
        lock(&self.jobs).push(job);
        self.arrived.notify_one();
        reply
    }

    /// Answers with the number of the start that answers.
    async fn work(self: Arc<Self>) {
        let start = self.starts.fetch_add(1, Ordering::SeqCst) + 1;
        let alive = self.alive.fetch_add(1, Ordering::SeqCst);
        assert_eq!(alive, 0, "two instances at a time");
        let _alive = Alive(&self);
        loop {
            if lock(&self.jobs).is_empty() {
                self.arrived.notified().await;
            }
            let left = self.panics_left.load(Ordering::SeqCst);
            if left > 0 {
                self.panics_left.store(left - 1, Ordering::SeqCst);
                panic!("planted");
            }
            for job in lock(&self.jobs).drain(..) {
                let _ = job.send(start);
            }
        }
    }

    fn starts(&self) -> u32 {
        self.starts.load(Ordering::SeqCst)
    }

    fn alive(&self) -> u32 {
        self.alive.load(Ordering::SeqCst)
    }
}

struct Alive<'q>(&'q Queue);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn kept() -> (Arc<Queue>, Keeper) {
    let queue = Arc::new(Queue::default());
    let of_work = Arc::clone(&queue);
    let keeper = Keeper::new("answering", move || Arc::clone(&of_work).work());
    (queue, keeper)
}

fn paused() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

async fn turn() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn work_starts_once_however_often_it_is_ensured() {
    let (queue, keeper) = kept();
    assert!(!keeper.is_running());
    assert!(keeper.ensure() && keeper.ensure() && keeper.is_running());
    turn().await;
    assert_eq!(queue.starts(), 1);
}

#[test]
fn outside_of_a_runtime_nothing_starts() {
    let (_, keeper) = kept();
    assert!(!keeper.ensure());
    assert!(!keeper.is_running());
}

#[test]
fn a_caller_outside_of_a_runtime_waits_as_long_as_the_work_has_one() {
    let mut context = Context::from_waker(Waker::noop());
    for has_run in [true, false] {
        let (queue, keeper) = kept();
        let refused = pin!(keeper.wait(queue.put())).poll(&mut context);
        assert_eq!(refused, Poll::Ready(Err(Ended::RuntimeGone)));

        let runtime = paused();
        keeper.ensure_on(runtime.handle());
        let mut waiting = pin!(keeper.wait(queue.put()));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        if has_run {
            runtime.block_on(turn());
            let answered = waiting.as_mut().poll(&mut context);
            assert_eq!(answered, Poll::Ready(Ok(Ok(1))));
        }
        let mut waiting = pin!(keeper.wait(queue.put()));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(runtime);
        let told = waiting.as_mut().poll(&mut context);
        assert_eq!(told, Poll::Ready(Err(Ended::RuntimeGone)));

        keeper.stop();
        let told = pin!(keeper.wait(queue.put())).poll(&mut context);
        assert_eq!(told, Poll::Ready(Err(Ended::Stopped)));
    }
}

#[tokio::test(start_paused = true)]
async fn all_waiting_callers_are_answered_by_one_instance() {
    let (queue, keeper) = kept();
    let replies = (0..100).map(|_| keeper.wait(queue.put()));
    for answer in futures_util::future::join_all(replies).await {
        assert_eq!(answer, Ok(Ok(1)));
    }
    assert_eq!(queue.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_does_not_disturb_work_that_lives() {
    let (queue, keeper) = kept();
    let never = std::future::pending::<()>();
    let hour = Duration::from_secs(60 * 60);
    assert!(timeout(hour, keeper.wait(never)).await.is_err());
    assert_eq!((queue.starts(), queue.alive()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_does_nothing_to_the_others() {
    let (queue, keeper) = kept();
    let mut given_up = Box::pin(keeper.wait(queue.put()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(given_up.as_mut().poll(&mut context).is_pending());
    let other = keeper.wait(queue.put());
    drop(given_up);
    assert_eq!(other.await, Ok(Ok(1)));
    assert_eq!((queue.starts(), queue.alive()), (1, 1));
}

#[test]
fn work_continues_in_the_next_runtime_when_its_own_is_dropped() {
    let (queue, keeper) = kept();
    for start in 1..4 {
        assert_eq!(paused().block_on(keeper.wait(queue.put())), Ok(Ok(start)));
        assert!(!keeper.is_running());
        assert_eq!(queue.alive(), 0);
    }
}

#[test]
fn a_waiting_caller_continues_when_the_runtime_of_the_work_is_dropped() {
    let (queue, keeper) = kept();
    let first = paused();
    let _inside = first.block_on(async { keeper.ensure() });
    paused().block_on(async {
        let mut wait = Box::pin(keeper.wait(queue.put()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        std::thread::spawn(move || drop(first)).join().unwrap();
        let before = Instant::now();
        assert_eq!(wait.await.unwrap().unwrap(), queue.starts());
        assert_eq!(before.elapsed(), Duration::ZERO, "told, not found out");
    });
}

#[test]
fn work_is_taken_from_a_runtime_that_nothing_drives() {
    let (queue, keeper) = kept();
    let first = paused();
    first.block_on(async {
        keeper.ensure();
        turn().await;
    });
    assert_eq!(queue.alive(), 1);
    let second = paused();
    let answers = second.block_on(async {
        let before = Instant::now();
        let waits = (0..10).map(|_| keeper.wait(queue.put()));
        let answers = futures_util::future::join_all(waits).await;
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        answers
    });
    assert!(answers.iter().all(|answer| *answer == Ok(Ok(2))));
    // Driven again, the first runtime neither goes on with the work nor ends the new one.
    first.block_on(turn());
    drop(first);
    assert!(keeper.is_running());
    assert_eq!((queue.starts(), queue.alive()), (2, 1));
    assert_eq!(second.block_on(keeper.wait(queue.put())), Ok(Ok(2)));
}

#[test]
fn work_that_never_began_is_taken_over_too() {
    let (queue, keeper) = kept();
    let first = paused();
    assert!(keeper.ensure_on(first.handle()));
    assert_eq!(paused().block_on(keeper.wait(queue.put())), Ok(Ok(1)));
    first.block_on(turn());
    assert_eq!(queue.starts(), 1);
}

#[test]
fn a_runtime_that_is_gone_starts_nothing() {
    let (queue, keeper) = kept();
    let first = paused();
    let handle = first.handle().clone();
    drop(first);
    assert!(!keeper.ensure_on(&handle));
    assert!(!keeper.is_running());
    assert_eq!(paused().block_on(keeper.wait(queue.put())), Ok(Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_is_started_again_at_once() {
    let (queue, keeper) = kept();
    queue.panics_left.store(1, Ordering::SeqCst);
    let before = Instant::now();
    assert_eq!(keeper.wait(queue.put()).await, Ok(Ok(2)));
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(queue.alive(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_each_time_is_given_up_and_waiting_callers_get_an_error() {
    let (queue, keeper) = kept();
    queue.panics_left.store(u32::MAX, Ordering::SeqCst);
    let waits = (0..50).map(|_| keeper.wait(queue.put()));
    for answer in futures_util::future::join_all(waits).await {
        assert_eq!(answer, Err(Ended::Panicked));
    }
    assert_eq!(queue.starts(), 1 + RESTARTS);
    assert!(!keeper.is_running());
    // What comes later tries again.
    queue.panics_left.store(0, Ordering::SeqCst);
    assert_eq!(keeper.wait(queue.put()).await, Ok(Ok(2 + RESTARTS)));
}

#[tokio::test(start_paused = true)]
async fn panics_far_apart_are_not_counted_together() {
    let (queue, keeper) = kept();
    for start in 2..10 {
        tokio::time::sleep(CALM).await;
        keeper.ensure();
        turn().await;
        queue.panics_left.store(1, Ordering::SeqCst);
        assert!(keeper.wait(queue.put()).await.is_ok(), "start {start}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_panics_counts_as_the_work() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let keeper = Keeper::new("failing", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        assert!(counted.load(Ordering::SeqCst) > 100, "planted");
        std::future::ready(())
    });
    let never = std::future::pending::<()>();
    assert_eq!(keeper.wait(never).await, Err(Ended::Panicked));
    assert_eq!(calls.load(Ordering::SeqCst), 1 + RESTARTS);
}

#[tokio::test(start_paused = true)]
async fn work_that_returns_without_an_answer_is_not_started_for_ever() {
    let keeper = Keeper::new("returning", || std::future::ready(()));
    let never = std::future::pending::<()>();
    assert_eq!(keeper.wait(never).await, Err(Ended::Finished));
}

#[tokio::test(start_paused = true)]
async fn work_ends_with_its_owner() {
    let (queue, keeper) = kept();
    let reply = queue.put();
    assert_eq!(keeper.wait(reply).await, Ok(Ok(1)));
    drop(keeper);
    assert_eq!(queue.alive(), 0);
    // Nothing else holds it: not the task, nor what starts it.
    turn().await;
    assert_eq!(Arc::strong_count(&queue), 1);
}

#[test]
fn work_on_a_runtime_that_nothing_drives_ends_with_its_owner() {
    let (queue, keeper) = kept();
    let runtime = paused();
    runtime.block_on(async {
        keeper.ensure();
        turn().await;
    });
    drop(keeper);
    assert_eq!((queue.alive(), Arc::strong_count(&queue)), (0, 1));
}

#[test]
fn what_ends_with_its_owner_may_still_spawn() {
    struct Spawns(Arc<AtomicBool>);

    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0
                .store(Handle::try_current().is_ok(), Ordering::Relaxed);
        }
    }

    let was_inside = Arc::new(AtomicBool::default());
    let of_work = Arc::clone(&was_inside);
    let keeper = Keeper::new("spawning", move || {
        let spawns = Spawns(Arc::clone(&of_work));
        async move {
            let _spawns = spawns;
            std::future::pending::<()>().await;
        }
    });
    let runtime = paused();
    runtime.block_on(async {
        keeper.ensure();
        turn().await;
    });
    drop(keeper);
    assert!(was_inside.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn the_last_owner_may_be_the_work_itself() {
    let owner: Arc<Mutex<Option<Keeper>>> = Arc::default();
    let of_work = Arc::clone(&owner);
    let (kept, gone) = oneshot::channel::<()>();
    let mut kept = Some(kept);
    let keeper = Keeper::new("ending itself", move || {
        let (owner, kept) = (Arc::clone(&of_work), kept.take());
        async move {
            drop(lock(&owner).take());
            std::future::pending::<()>().await;
            drop(kept);
        }
    });
    *lock(&owner) = Some(keeper);
    lock(&owner).as_ref().unwrap().ensure();
    assert!(gone.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_every_wait_and_nothing_starts_after_it() {
    let (queue, keeper) = kept();
    let stop = async {
        turn().await;
        keeper.stop();
    };
    let never = std::future::pending::<()>();
    let (told, ()) = tokio::join!(keeper.wait(never), stop);
    assert_eq!(told, Err(Ended::Stopped));
    assert!(!keeper.ensure());
    assert_eq!(keeper.wait(queue.put()).await, Err(Ended::Stopped));
    assert_eq!((queue.starts(), queue.alive()), (1, 0));
}

#[test]
fn what_it_prints_names_the_work() {
    let (_, keeper) = kept();
    let printed = format!("{keeper:?}");
    assert_eq!(printed, r#"Keeper { what: "answering", running: false }"#);
    let error = Error::from(Ended::Panicked);
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("panicked again and again"));
}
