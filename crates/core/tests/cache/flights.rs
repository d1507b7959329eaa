//! Which caller fetches: points 1, 2, 3 and 6.

use super::*;

// Point 1. At most one flight for each key.

#[tokio::test(start_paused = true)]
async fn five_hundred_misses_of_one_key_make_one_fetch() {
    let (cache, service) = (words().build(), Service::default());
    let mut callers = JoinSet::new();
    for _ in 0..500 {
        let (cache, service) = (cache.clone(), service.clone());
        callers.spawn(async move { service.ask(&cache, "a", Ok("one")).await });
    }
    let answers = callers.join_all().await;
    assert_eq!(answers.len(), 500);
    assert!(answers.into_iter().all(|answer| answer == word("one")));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetches_of_different_keys_run_side_by_side() {
    let (cache, service) = (words().build(), Service::default());
    let begin = tokio::time::Instant::now();
    let (a, b) = tokio::join!(
        service.ask(&cache, "a", Ok("one")),
        service.ask(&cache, "b", Ok("two")),
    );
    assert_eq!((a, b), (word("one"), word("two")));
    assert!(begin.elapsed() < 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_cache_without_room_or_lifetime_shares_only_concurrent_fetches() {
    for cache in [
        words().capacity(0).build(),
        words().ttl(Duration::ZERO).build(),
    ] {
        let service = Service::default();
        for round in 1..=2 {
            let (a, b) = tokio::join!(
                service.ask(&cache, "a", Ok("one")),
                service.ask(&cache, "a", Ok("one")),
            );
            assert_eq!((a, b), (word("one"), word("one")));
            assert_eq!(service.count(), round);
        }
        assert_eq!(service.ask(&cache, "a", Err("no")).await, Err("no"));
        assert_eq!(service.ask(&cache, "a", Ok("one")).await, word("one"));
        cache.insert("a", Fetched::new(Arc::from("put")));
        assert!(cache.is_empty());
    }
}

// Point 2. The flight runs in its own task.

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_stop_the_fetch() {
    let (cache, service) = (words().build(), Service::default());
    let given_up = timeout(SECOND / 2, service.ask(&cache, "a", Ok("one"))).await;
    assert!(given_up.is_err());
    sleep(SECOND).await;
    assert_eq!(cache.get(&"a"), Some(Arc::from("one")));
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_fetches_with_it() {
    let cache = words().build();
    let (alive, ended) = oneshot::channel::<()>();
    let fetch = || async move {
        let _alive = alive;
        std::future::pending().await
    };
    assert!(
        timeout(SECOND, cache.get_or_fetch(&"a", fetch))
            .await
            .is_err()
    );
    let clone = cache.clone();
    drop(cache);
    settle().await;
    let mut ended = ended;
    assert!(
        ended
            .try_recv()
            .is_err_and(|e| e == oneshot::error::TryRecvError::Empty)
    );
    drop(clone);
    assert!(ended.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_fetches_with_it_even_if_they_were_cleared() {
    let cache = words().build();
    let (alive, ended) = oneshot::channel::<()>();
    let fetch = || async move {
        let _alive = alive;
        std::future::pending().await
    };
    assert!(
        timeout(SECOND, cache.get_or_fetch(&"a", fetch))
            .await
            .is_err()
    );
    cache.clear();
    drop(cache);
    assert!(ended.await.is_err());
}

// Point 3. Errors are shared and kept for a moment.

#[tokio::test(start_paused = true)]
async fn an_error_is_shared_by_all_waiting_callers() {
    let (cache, service) = (
        words().error_ttl(Duration::ZERO).build(),
        Service::default(),
    );
    let mut callers = JoinSet::new();
    for _ in 0..500 {
        let (cache, service) = (cache.clone(), service.clone());
        callers.spawn(async move { service.ask(&cache, "a", Err("down")).await });
    }
    let answers = callers.join_all().await;
    assert!(answers.into_iter().all(|answer| answer == Err("down")));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_kept_for_its_moment_and_no_longer() {
    let (cache, service) = (words().build(), Service::default());
    assert_eq!(service.ask(&cache, "a", Err("down")).await, Err("down"));
    advance(SECOND.mul_f64(0.74)).await;
    assert_eq!(service.ask(&cache, "a", Ok("one")).await, Err("down"));
    assert_eq!(cache.get(&"a"), None);
    advance(SECOND.mul_f64(0.26)).await;
    assert_eq!(service.ask(&cache, "a", Ok("one")).await, word("one"));
    assert_eq!(service.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn caches_forget_the_same_error_at_different_times() {
    let mut still = 0;
    for seed in 0..100 {
        let (cache, service) = (words().jitter_seed(seed).build(), Service::default());
        assert_eq!(service.ask(&cache, "a", Err("down")).await, Err("down"));
        advance(SECOND.mul_f64(0.875)).await;
        still += usize::from(service.ask(&cache, "a", Ok("one")).await.is_err());
    }
    assert!((20..80).contains(&still), "{still} of 100");
}

#[tokio::test(start_paused = true)]
async fn no_error_is_kept_if_its_lifetime_is_zero() {
    let (cache, service) = (
        words().error_ttl(Duration::ZERO).build(),
        Service::default(),
    );
    assert_eq!(service.ask(&cache, "a", Err("down")).await, Err("down"));
    assert_eq!(service.ask(&cache, "a", Ok("one")).await, word("one"));
}

#[tokio::test(start_paused = true)]
async fn a_definite_no_may_last_longer() {
    let lasts = |error: &&str| (*error == "no such user").then_some(10 * SECOND);
    let (cache, service) = (words().error_ttl_by(lasts).build(), Service::default());
    let no = Err("no such user");
    assert_eq!(
        service.ask(&cache, "a", no).await.unwrap_err(),
        "no such user"
    );
    advance(9 * SECOND).await;
    assert!(service.ask(&cache, "a", Ok("one")).await.is_err());
    assert_eq!(service.ask(&cache, "b", Err("down")).await, Err("down"));
    assert_eq!(service.ask(&cache, "a", Ok("one")).await, word("one"));
    assert_eq!(service.ask(&cache, "b", Ok("two")).await, word("two"));
}

// Point 6. A flight whose task vanishes.

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

#[test]
fn a_fetch_lost_with_its_runtime_is_taken_over_by_the_next_caller() {
    let (cache, service) = (words().build(), Service::default());
    let first = runtime();
    let given_up = first.block_on(async {
        let fetch = || std::future::pending();
        timeout(SECOND, cache.get_or_fetch(&"a", fetch)).await
    });
    assert!(given_up.is_err());

    // One caller waits already when the first runtime goes, another comes later.
    let second = runtime();
    let waiting = {
        let (cache, service) = (cache.clone(), service.clone());
        second.spawn_in(async move { service.ask(&cache, "a", Ok("one")).await })
    };
    second.block_on(settle());
    assert_eq!(service.count(), 0);
    drop(first);
    assert_eq!(second.block_on(waiting.join_all()), [word("one")]);
    assert_eq!(
        second.block_on(service.ask(&cache, "a", Ok("two"))),
        word("one")
    );
    assert_eq!(service.count(), 1);
}

/// Begins a fetch on a runtime that nothing drives afterwards. Returns its caller, and what ends it.
fn stuck(
    cache: &Words,
    runtime: &tokio::runtime::Runtime,
) -> (JoinSet<Answer>, oneshot::Sender<&'static str>) {
    let (go_on, may_go_on) = oneshot::channel();
    let cache = cache.clone();
    let caller = runtime.spawn_in(async move {
        let fetch = || async move { Ok(Fetched::new(Arc::from(may_go_on.await.unwrap()))) };
        cache.get_or_fetch(&"a", fetch).await
    });
    runtime.block_on(settle());
    (caller, go_on)
}

#[test]
fn a_value_whose_fetch_nothing_drives_is_fetched_again_once_for_all_callers() {
    // Where nothing is kept, too.
    for ttl in [TTL, Duration::ZERO] {
        let cache = words().ttl(ttl).fetch_again(true).build();
        let service = Service::default();
        let (first, second) = (runtime(), runtime());
        let (caller, go_on) = stuck(&cache, &first);
        second.block_on(async {
            let begin = tokio::time::Instant::now();
            let asks = (0..100).map(|_| {
                let (cache, service) = (cache.clone(), service.clone());
                async move { service.ask(&cache, "a", Ok("one")).await }
            });
            let answers = asks.collect::<JoinSet<_>>().join_all().await;
            assert!(answers.into_iter().all(|answer| answer == word("one")));
            assert_eq!(begin.elapsed(), 3 * SECOND);
        });
        assert_eq!(service.count(), 1);
        // Driven again, the first fetch is for its caller alone.
        go_on.send("late").unwrap();
        assert_eq!(first.block_on(caller.join_all()), [word("late")]);
        let kept = (!ttl.is_zero()).then(|| Arc::from("one"));
        assert_eq!(cache.get(&"a"), kept);
    }
}

#[test]
fn a_fetch_that_must_not_be_made_twice_is_waited_for() {
    let (cache, service) = (words().build(), Service::default());
    let (first, second) = (runtime(), runtime());
    let (caller, go_on) = stuck(&cache, &first);
    second.block_on(async {
        let ask = service.ask(&cache, "a", Ok("two"));
        assert!(timeout(60 * SECOND, ask).await.is_err());
    });
    go_on.send("one").unwrap();
    assert_eq!(first.block_on(caller.join_all()), [word("one")]);
    assert_eq!(
        second.block_on(service.ask(&cache, "a", Ok("two"))),
        word("one")
    );
    assert_eq!(service.count(), 0);
}

#[test]
fn a_fetch_that_is_driven_elsewhere_is_waited_for() {
    let cache = words().fetch_again(true).build();
    let service = Service::default();
    let (first, second) = (runtime(), runtime());
    let caller = {
        let (cache, service) = (cache.clone(), service.clone());
        let slow = async move {
            let fetch = || async move {
                sleep(600 * SECOND).await;
                service.answer(Ok("one")).await
            };
            cache.get_or_fetch(&"a", fetch).await
        };
        first.spawn_in(slow)
    };
    first.block_on(settle());
    let (asks, other) = (cache.clone(), service.clone());
    let waiting = second.spawn_in(async move { other.ask(&asks, "a", Ok("two")).await });
    for _ in 0..100 {
        second.block_on(advance(SECOND / 2));
        second.block_on(settle());
        first.block_on(settle());
    }
    assert_eq!(first.block_on(caller.join_all()), [word("one")]);
    assert_eq!(second.block_on(waiting.join_all()), [word("one")]);
    assert_eq!(service.count(), 1);
}

#[test]
fn what_was_put_meanwhile_is_what_a_fetch_that_nothing_drives_would_have_brought() {
    let cache = words().fetch_again(true).build();
    let service = Service::default();
    let (first, second) = (runtime(), runtime());
    let (_caller, _go_on) = stuck(&cache, &first);
    second.block_on(async {
        let put = async {
            settle().await;
            cache.insert("a", Fetched::new(Arc::from("put")));
        };
        let (answer, ()) = tokio::join!(service.ask(&cache, "a", Ok("one")), put);
        assert_eq!(answer, word("put"));
    });
    assert_eq!(service.count(), 0);
}

trait SpawnIn {
    fn spawn_in(&self, future: impl Future<Output = Answer> + Send + 'static) -> JoinSet<Answer>;
}

impl SpawnIn for tokio::runtime::Runtime {
    fn spawn_in(&self, future: impl Future<Output = Answer> + Send + 'static) -> JoinSet<Answer> {
        let mut set = JoinSet::new();
        set.spawn_on(future, self.handle());
        set
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_caller_takes_over_a_fetch_that_panics() {
    let (cache, service) = (words().build(), Service::default());
    let mut unlucky = JoinSet::new();
    let clone = cache.clone();
    unlucky.spawn(async move {
        let fetch = || async {
            sleep(SECOND).await;
            panic!("a bug in the fetch")
        };
        clone.get_or_fetch(&"a", fetch).await
    });
    settle().await;
    let mut waiting = JoinSet::new();
    for _ in 0..100 {
        let (cache, service) = (cache.clone(), service.clone());
        waiting.spawn(async move { service.ask(&cache, "a", Ok("one")).await });
    }
    let panic = unlucky.join_next().await.unwrap().unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"a bug in the fetch"));
    let answers = waiting.join_all().await;
    assert!(answers.into_iter().all(|answer| answer == word("one")));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_panics_leaves_no_flight_behind() {
    let (cache, service) = (words().build(), Service::default());
    let mut unlucky = JoinSet::new();
    let clone = cache.clone();
    unlucky.spawn(async move {
        let fetch = || -> std::future::Pending<_> { panic!("a bug in the closure") };
        clone.get_or_fetch(&"a", fetch).await
    });
    assert!(unlucky.join_next().await.unwrap().is_err());
    assert_eq!(service.ask(&cache, "a", Ok("one")).await, word("one"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_keeps_the_old_value_and_lets_another_try() {
    let (cache, service) = (words().build(), Service::default());
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - 5 * SECOND).await;
    let fetch = || async { panic!("a bug in the fetch") };
    assert_eq!(cache.get_or_fetch(&"a", fetch).await, word("one"));
    settle().await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
    assert_eq!(service.count(), 1);
    sleep(SECOND).await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
    sleep(SECOND).await;
    settle().await;
    assert_eq!(service.ask(&cache, "a", Ok("three")).await, word("two"));
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_ends_late_removes_only_itself() {
    let (cache, service) = (words().build(), Service::default());
    let gate = Arc::new(Semaphore::new(0));
    let old = Arc::clone(&gate);
    let mut callers = JoinSet::new();
    let clone = cache.clone();
    callers.spawn(async move {
        let fetch = move || async move {
            let _ = old.acquire().await;
            Ok(Fetched::new(Arc::from("old")))
        };
        clone.get_or_fetch(&"a", fetch).await
    });
    settle().await;
    cache.clear();
    let (clone, asks) = (cache.clone(), service.clone());
    callers.spawn(async move { asks.ask(&clone, "a", Ok("new")).await });
    settle().await;
    gate.add_permits(1);
    assert_eq!(callers.join_next().await.unwrap().unwrap(), word("old"));
    // The newer flight is still the one to join.
    assert_eq!(service.ask(&cache, "a", Ok("third")).await, word("new"));
    assert_eq!(service.count(), 1);
}
