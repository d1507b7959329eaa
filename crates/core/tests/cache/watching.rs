//! Without a runtime, between threads, and with an observer.

use std::sync::atomic::AtomicIsize;

use super::*;

#[test]
fn without_a_runtime_a_fetch_runs_inside_its_caller() {
    let cache = Cache::<u8, u8>::builder().build();
    let fetch = || async { Ok(Fetched::new(1)) };
    let mut ask = std::pin::pin!(cache.get_or_fetch(&1, fetch));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(ask.as_mut().poll(&mut cx).is_ready());
    assert_eq!(cache.get(&1), Some(1));
}

#[test]
fn a_fetch_inside_its_caller_that_began_before_a_change_does_not_store() {
    type Numbers = Cache<u8, u8>;
    let changes: [(fn(&Numbers), _); 3] = [
        (|cache| cache.insert(1, Fetched::new(2)), Some(2)),
        (|cache| assert!(!cache.forget(&1)), None),
        (Numbers::clear, None),
    ];
    for (change, held) in changes {
        let cache = Numbers::builder().build();
        let (answer, waits) = oneshot::channel();
        let fetch = || async { Ok(Fetched::new(waits.await.unwrap())) };
        let mut ask = std::pin::pin!(cache.get_or_fetch(&1, fetch));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(ask.as_mut().poll(&mut cx).is_pending());
        change(&cache);
        answer.send(1).unwrap();
        assert!(ask.as_mut().poll(&mut cx).is_ready());
        assert_eq!(cache.get(&1), held);
    }
}

#[derive(Debug, Default)]
struct Seen(Mutex<Vec<CacheOutcome>>);

impl Observer for Seen {
    fn cache(&self, event: &CacheEvent) {
        assert_eq!(event.name, "words");
        self.0.lock().unwrap().push(event.outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_the_outcome_of_each_look_up() {
    use CacheOutcome::{Error, Hit, Joined, Miss, Refresh, Stale};

    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observer> = Arc::clone(&seen) as _;
    let cache = words()
        .stale_if_error(TTL)
        .observer("words", observer)
        .build();
    let service = Service::default();
    let told = || std::mem::take(&mut *seen.0.lock().unwrap());

    let (a, b) = tokio::join!(
        service.ask(&cache, "a", Ok("one")),
        service.ask(&cache, "a", Ok("one")),
    );
    assert_eq!((a, b), (word("one"), word("one")));
    assert_eq!(told(), [Miss, Joined]);
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    assert_eq!(told(), [Hit]);
    advance(TTL - Duration::from_millis(100)).await;
    service.ask(&cache, "a", Err("down")).await.unwrap();
    assert_eq!(told(), [Refresh]);
    sleep(SECOND).await;
    settle().await;
    service.ask(&cache, "a", Ok("two")).await.unwrap();
    assert_eq!(told(), [Stale]);
    advance(SECOND).await;
    service.ask(&cache, "a", Err("down")).await.unwrap();
    assert_eq!(told(), [Miss, Stale]);
    service.ask(&cache, "b", Err("down")).await.unwrap_err();
    service.ask(&cache, "b", Err("down")).await.unwrap_err();
    assert_eq!(told(), [Miss, Error, Error]);
}

#[derive(Debug, Default)]
struct Held(AtomicIsize);

impl Observer for Held {
    fn cache_entries(&self, name: &'static str, change: isize) {
        assert_eq!(name, "words");
        self.0.fetch_add(change, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_can_tell_how_many_entries_there_are() {
    let held = Arc::new(Held::default());
    let observer: Arc<dyn Observer> = Arc::clone(&held) as _;
    let cache = words().capacity(2).observer("words", observer).build();
    let entries = || held.0.load(Ordering::Relaxed);
    for (key, entries_then) in [("a", 1), ("b", 2), ("c", 2)] {
        cache.insert(key, Fetched::new("word".into()));
        assert_eq!(
            entries(),
            entries_then,
            "the third takes the place of the first"
        );
    }
    let service = Service::default();
    service.ask(&cache, "d", Err("down")).await.unwrap_err();
    assert_eq!(entries(), 3, "an error is kept as well");
    cache.forget(&"c");
    assert_eq!(entries(), 2);
    cache.clear();
    assert_eq!(entries(), 0);
    cache.insert("a", Fetched::new("word".into()));
    drop(cache);
    assert_eq!(entries(), 0);
}

#[test]
fn futures_and_caches_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let cache = words().build();
    is_shared(&cache);
    let service = Service::default();
    is_send(&service.ask(&cache, "a", Ok("one")));
}
