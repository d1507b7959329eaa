//! What goes, and what is never held: points 7, 8 and 11.

use super::*;

// Point 7. Forgetting.

#[tokio::test(start_paused = true)]
async fn a_value_is_forgotten_only_if_it_is_still_of_that_generation() {
    let cache = words().build();
    cache.insert("a", Fetched::new(Arc::from("one")).generation(1));
    cache.insert("a", Fetched::new(Arc::from("two")).generation(2));
    assert!(!cache.forget_generation(&"a", 1));
    assert_eq!(cache.get(&"a"), Some(Arc::from("two")));
    assert!(cache.forget_generation(&"a", 2));
    assert_eq!(cache.get(&"a"), None);
    assert!(!cache.forget_generation(&"a", 2));
}

#[tokio::test(start_paused = true)]
async fn forgetting_removes_value_and_error() {
    let (cache, service) = (words().build(), Service::default());
    cache.insert("a", Fetched::new(Arc::from("one")));
    assert!(cache.forget(&"a"));
    assert!(!cache.forget(&"a"));
    assert!(service.ask(&cache, "a", Err("down")).await.is_err());
    assert!(!cache.forget(&"a"));
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("two"));
}

#[tokio::test(start_paused = true)]
async fn clearing_empties_and_a_fetch_begun_before_does_not_store() {
    let (cache, service) = (words().build(), Service::default());
    cache.insert("b", Fetched::new(Arc::from("two")));
    assert!(!cache.is_empty());
    let (answer, ()) = tokio::join!(service.ask(&cache, "a", Ok("one")), async {
        settle().await;
        cache.clear();
    });
    assert_eq!(answer, word("one"));
    assert!(cache.is_empty());
    let (answer, ()) = tokio::join!(service.ask(&cache, "a", Err("down")), async {
        settle().await;
        cache.clear();
    });
    assert_eq!(answer, Err("down"));
    assert_eq!(service.ask(&cache, "a", Ok("three")).await, word("three"));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_begun_before_an_insert_or_a_forgetting_does_not_store() {
    let (cache, service) = (words().build(), Service::default());
    let (answer, ()) = tokio::join!(service.ask(&cache, "a", Ok("one")), async {
        settle().await;
        cache.insert("a", Fetched::new(Arc::from("newer")));
    });
    assert_eq!(answer, word("one"));
    assert_eq!(cache.get(&"a"), Some(Arc::from("newer")));
    let (answer, ()) = tokio::join!(service.ask(&cache, "b", Ok("one")), async {
        settle().await;
        cache.forget(&"b");
    });
    assert_eq!(answer, word("one"));
    assert_eq!(cache.get(&"b"), None);
}

// Point 8. Bounds.

#[tokio::test(start_paused = true)]
async fn at_capacity_the_expired_go_first_then_the_least_recently_used() {
    let cache = words().capacity(3).build();
    let put = |key, ttl| cache.insert(key, Fetched::new(Arc::from(key)).ttl(ttl));
    put("long", 50 * SECOND);
    put("short", 5 * SECOND);
    put("longer", 60 * SECOND);
    advance(5 * SECOND).await;
    // Most recently asked for, and yet expired.
    assert_eq!(cache.get(&"short"), None);
    put("fourth", 50 * SECOND);
    assert!(cache.get(&"longer").is_some());
    assert!(cache.get(&"long").is_some());
    put("fifth", 50 * SECOND);
    assert_eq!(cache.get(&"fourth"), None);
    assert_eq!(cache.len(), 3);
    assert!(cache.get(&"long").is_some());
    assert!(cache.get(&"longer").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_order_of_use_counts_and_not_how_often() {
    let cache = words().capacity(2).build();
    let put = |key| cache.insert(key, Fetched::new(Arc::from(key)));
    put("early");
    for _ in 0..3 {
        assert!(cache.get(&"early").is_some());
    }
    advance(SECOND).await;
    put("late");
    advance(SECOND).await;
    put("new");
    assert_eq!(cache.get(&"early"), None);

    assert!(cache.get(&"new").is_some());
    advance(SECOND).await;
    assert!(cache.get(&"late").is_some());
    put("newer");
    assert_eq!(cache.get(&"new"), None);
    assert!(cache.get(&"late").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_large_cache_all_in_use_makes_room_without_walking_through_it() {
    let cache = Cache::<usize, (), &str>::builder().capacity(1000).build();
    for key in 0..1000 {
        cache.insert(key, Fetched::new(()));
        assert_eq!(cache.get(&key), Some(()));
    }
    cache.insert(1000, Fetched::new(()));
    // The first ones were passed over, and then it was enough.
    assert_eq!(cache.get(&0), Some(()));
    assert_eq!((0..100).filter(|key| cache.get(key).is_none()).count(), 1);
    assert_eq!(cache.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_large_cache_spares_an_entry_once_for_the_uses_since_its_last_turn() {
    let cache = Cache::<usize, (), &str>::builder().capacity(100).build();
    let mut next = 0;
    let mut put = |count| {
        for key in next..next + count {
            cache.insert(key, Fetched::new(()));
        }
        next += count;
    };
    put(100);
    for _ in 0..3 {
        assert_eq!(cache.get(&0), Some(()));
        assert_eq!(cache.get(&0), Some(()));
        // Every other entry has its turn, and goes.
        put(99);
    }
    put(1);
    assert_eq!(cache.get(&0), None);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_times_the_capacity_stays_within_it() {
    let cache = Cache::<usize, (), &str>::builder().capacity(10).build();
    for key in 0..10_000 {
        let outcome = if key % 2 == 0 {
            Ok(Fetched::new(()))
        } else {
            Err("no")
        };
        let got = cache.get_or_fetch(&key, || async move { outcome }).await;
        assert_eq!(got.is_ok(), key % 2 == 0);
        assert!(cache.len() <= 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_errors_pushes_no_value_out_and_the_oldest_error_goes() {
    let cache = Cache::<usize, usize, &str>::builder().capacity(10).build();
    for key in 0..10 {
        cache.insert(key, Fetched::new(key));
    }
    for key in 10..1000 {
        let fetch = || async { Err("no such key") };
        assert!(cache.get_or_fetch(&key, fetch).await.is_err());
    }
    assert!((0..10).all(|key| cache.get(&key) == Some(key)));
    let good = |key: usize| async move { Ok(Fetched::new(key)) };
    assert!(cache.get_or_fetch(&990, || good(990)).await.is_err());
    assert!(cache.get_or_fetch(&989, || good(989)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn flights_beyond_the_bound_run_inside_their_callers() {
    let cache = Cache::<usize, usize, &str>::builder()
        .capacity(2000)
        .build();
    let gate = Arc::new(Semaphore::new(0));
    let begun = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for key in 0..2010 {
        let (cache, gate, begun) = (cache.clone(), Arc::clone(&gate), Arc::clone(&begun));
        callers.spawn(async move {
            let fetch = || async move {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = gate.acquire().await;
                Ok(Fetched::new(key))
            };
            cache.get_or_fetch(&key, fetch).await
        });
    }
    settle().await;
    // No caller is held up, and there is nothing to join for the last ones.
    assert_eq!(begun.load(Ordering::SeqCst), 2010);
    let unshared = cache.get_or_fetch(&2000, || async { Ok(Fetched::new(7)) });
    assert_eq!(timeout(SECOND, unshared).await, Ok(Ok(7)));
    let shared = cache.get_or_fetch(&1999, || async { Ok(Fetched::new(7)) });
    gate.add_permits(1);
    assert_eq!(shared.await, Ok(1999));
    assert_eq!(callers.join_all().await.len(), 2010);
    assert_eq!(cache.len(), 2000);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_not_refreshed_beyond_the_bound_of_fetches() {
    let cache = Cache::<usize, usize, &str>::builder()
        .capacity(1)
        .ttl(TTL)
        .refresh_ahead(1.0)
        .build();
    for key in 1..=1024 {
        let waits = cache.get_or_fetch(&key, std::future::pending);
        assert!(timeout(Duration::ZERO, waits).await.is_err());
    }
    cache.insert(0, Fetched::new(1));
    advance(TTL - Duration::from_millis(1)).await;
    let fetch = || -> std::future::Ready<_> { panic!("there are too many fetches already") };
    assert_eq!(cache.get_or_fetch(&0, fetch).await, Ok(1));
}

#[test]
fn a_value_dropped_by_the_cache_may_use_the_cache() {
    #[derive(Clone)]
    struct Nosy(#[expect(dead_code, reason = "dropping it is the point")] Arc<OnDrop>);
    struct OnDrop(Mutex<Option<Cache<u8, Nosy>>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            // Would wait for itself if values were dropped under the lock.
            if let Some(cache) = self.0.lock().unwrap().take() {
                let _ = cache.len();
            }
        }
    }
    let cache = Cache::<u8, Nosy>::builder().capacity(1).build();
    let nosy = || Fetched::new(Nosy(Arc::new(OnDrop(Mutex::new(Some(cache.clone()))))));
    cache.insert(1, nosy());
    cache.insert(1, nosy());
    cache.insert(2, nosy());
    cache.forget(&2);
    cache.insert(3, nosy());
    cache.clear();
    cache.insert(4, nosy().ttl(Duration::ZERO));
    assert!(cache.is_empty());
}

// Point 11. Keys.

#[test]
fn a_key_made_of_a_token_does_not_hold_it() {
    let token = Secret::from("gt-planted-secret");
    let cache = Cache::<Digest, u8>::builder().build();
    let key = Digest::of(token.expose());
    cache.insert(key, Fetched::new(1));
    assert_eq!(cache.get(&Digest::of("gt-planted-secret")), Some(1));
    assert_eq!(size_of_val(&key), 32);
    assert_eq!(format!("{key:?}"), "Digest(..)");
}

#[test]
fn what_is_shown_has_lifetimes_but_no_key_and_no_value() {
    let cache = Cache::<&str, &str>::builder().capacity(7).ttl(SECOND);
    let shown = format!("{cache:?}");
    assert!(shown.contains("capacity: 7, ttl: 1s"), "{shown}");
    let cache = cache.build();
    let value = Fetched::new("planted").ttl(SECOND).generation(3);
    assert_eq!(
        format!("{value:?}"),
        "Fetched { ttl: Some(1s), generation: 3, .. }"
    );
    cache.insert("planted", value);
    assert_eq!(format!("{cache:?}"), "Cache { .. }");
}
