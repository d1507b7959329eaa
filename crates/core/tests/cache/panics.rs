//! Foreign code that panics while a fetch ends: no caller may wait forever.

use std::panic::resume_unwind;
use std::sync::atomic::AtomicBool;

use super::*;

/// Not a panic that prints itself.
fn panic_on_purpose() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// Runs in its own task, so that a panic affects only that task.
fn alone<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinSet<T> {
    let mut task = JoinSet::new();
    task.spawn(future);
    task
}

/// A value whose next copy panics, once.
#[derive(Debug)]
struct Brittle(Arc<AtomicBool>, u32);

impl Clone for Brittle {
    fn clone(&self) -> Self {
        if self.0.swap(false, Ordering::SeqCst) {
            panic_on_purpose();
        }
        Self(Arc::clone(&self.0), self.1)
    }
}

type Brittles = Cache<&'static str, Brittle, Brittle>;

/// Two callers ask at the same time. The one that fetches meets the panic; the other fetches again.
async fn first_panics_second_answers(cache: Brittles, first: Result<Brittle, Brittle>) {
    let (go, went) = oneshot::channel::<()>();
    let fetching = cache.clone();
    let mut one = alone(async move {
        let fetch = || async move {
            let _ = went.await;
            first.map(Fetched::new)
        };
        fetching.get_or_fetch(&"key", fetch).await.map(|b| b.1)
    });
    settle().await;
    let waiting = cache.clone();
    let mut other = alone(async move {
        let good = Brittle(Arc::default(), 2);
        let fetch = || async move { Ok(Fetched::new(good)) };
        waiting.get_or_fetch(&"key", fetch).await.map(|b| b.1)
    });
    settle().await;
    go.send(()).unwrap();
    assert!(one.join_next().await.unwrap().unwrap_err().is_panic());
    let other = timeout(SECOND, other.join_next())
        .await
        .expect("an end")
        .unwrap();
    assert_eq!(other.unwrap().unwrap(), 2);
    assert_eq!(cache.get(&"key").unwrap().1, 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_copied_leaves_no_caller_waiting() {
    let armed = Arc::new(AtomicBool::new(true));
    let value = Brittle(armed, 1);
    first_panics_second_answers(Cache::builder().build(), Ok(value)).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_be_copied_leaves_no_caller_waiting() {
    let armed = Arc::new(AtomicBool::new(true));
    let error = Brittle(armed, 1);
    first_panics_second_answers(Cache::builder().build(), Err(error)).await;
}

#[tokio::test(start_paused = true)]
async fn a_judge_of_errors_that_panics_leaves_no_caller_waiting() {
    let error = || Brittle(Arc::default(), 1);
    let cache = Cache::builder().definite(|_| panic_on_purpose()).build();
    first_panics_second_answers(cache, Err(error())).await;
    let cache = Cache::builder().error_ttl_by(|_| panic_on_purpose());
    first_panics_second_answers(cache.build(), Err(error())).await;
}

/// Panics when a fetch begins.
#[derive(Debug)]
struct Startled(AtomicBool);

impl Observer for Startled {
    fn cache(&self, event: &CacheEvent) {
        if event.outcome == CacheOutcome::Miss && self.0.swap(false, Ordering::SeqCst) {
            panic_on_purpose();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_leaves_no_fetch_behind_that_never_ends() {
    let observer = Arc::new(Startled(AtomicBool::new(true)));
    let cache = words().observer("words", observer).build();
    let service = Service::default();
    let asking = (cache.clone(), service.clone());
    let mut first = alone(async move { asking.1.ask(&asking.0, "key", Ok("one")).await });
    assert!(first.join_next().await.unwrap().unwrap_err().is_panic());
    let second = timeout(TTL, service.ask(&cache, "key", Ok("two"))).await;
    assert_eq!(second.expect("an end"), word("two"));
    assert_eq!(service.count(), 1);
}

/// What judges errors may use the cache itself: nothing is locked.
#[tokio::test(start_paused = true)]
async fn judges_run_outside_of_the_lock() {
    static CACHE: std::sync::OnceLock<Cache<u8, u8, u8>> = std::sync::OnceLock::new();
    let cache = CACHE.get_or_init(|| {
        Cache::builder()
            .definite(|_| CACHE.get().is_some_and(Cache::is_empty))
            .error_ttl_by(|_| Some(SECOND * CACHE.get().map_or(0, Cache::len) as u32))
            .build()
    });
    let failed = cache.get_or_fetch(&1, || async { Err::<Fetched<u8>, _>(7) });
    assert_eq!(timeout(SECOND, failed).await.expect("an end"), Err(7));
}
