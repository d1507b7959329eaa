//! How long what is kept: points 4, 5, 9 and 10.

use super::*;

// Point 4. Refresh ahead of expiry.

#[tokio::test(start_paused = true)]
async fn a_value_about_to_expire_is_handed_out_at_once_and_refreshed_once() {
    let (cache, service) = (words().build(), Service::default());
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - 2 * SECOND).await;
    for _ in 0..10 {
        let ask = service.ask(&cache, "a", Ok("two"));
        let at_once = timeout(Duration::ZERO, ask).await.unwrap();
        assert_eq!(at_once, word("one"));
    }
    sleep(SECOND).await;
    settle().await;
    assert_eq!(service.ask(&cache, "a", Ok("three")).await, word("two"));
    assert_eq!(service.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_value_is_refreshed_before_the_last_fifth_of_its_life() {
    let (cache, service) = (words().build(), Service::default());
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        service.ask(&cache, key, Ok("one")).await.unwrap();
        advance(TTL.mul_f64(0.8) - SECOND).await;
        service.ask(&cache, key, Ok("two")).await.unwrap();
    }
    settle().await;
    assert_eq!(service.count(), 8);
}

#[tokio::test(start_paused = true)]
async fn values_stored_together_are_not_refreshed_together() {
    let cache = Cache::<usize, usize>::builder()
        .ttl(TTL)
        .jitter_seed(3)
        .build();
    for key in 0..1000 {
        cache.insert(key, Fetched::new(key));
    }
    let fetched = Arc::new(AtomicUsize::new(0));
    let mut seen = Vec::new();
    advance(TTL.mul_f64(0.8)).await;
    for _ in 0..4 {
        advance(TTL.mul_f64(0.05) - Duration::from_millis(1)).await;
        for key in 0..1000 {
            let fetched = Arc::clone(&fetched);
            let fetch = move || async move {
                fetched.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            };
            assert_eq!(cache.get_or_fetch(&key, fetch).await.unwrap(), key);
        }
        settle().await;
        seen.push(fetched.load(Ordering::SeqCst));
    }
    for (quarter, seen) in (1..).zip(&seen) {
        assert!(
            seen.abs_diff(quarter * 250) < 60,
            "{seen} after {quarter} quarters"
        );
    }
}

// Point 5. A refresh that fails.

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_keeps_the_old_value_until_it_expires() {
    let (cache, service) = (words().build(), Service::default());
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - Duration::from_millis(1500)).await;
    assert_eq!(service.ask(&cache, "a", Err("down")).await, word("one"));
    sleep(SECOND + Duration::from_millis(1)).await;
    // The failure is fresh: no second try yet.
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
    assert_eq!(service.count(), 2);
    advance(SECOND / 2).await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, Err("down"));
    advance(SECOND).await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("two"));
}

#[tokio::test(start_paused = true)]
async fn a_failing_service_is_asked_again_only_after_the_moment_of_its_error() {
    let (cache, service) = (words().build(), Service::default());
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - 10 * SECOND).await;
    for _ in 0..80 {
        assert_eq!(service.ask(&cache, "a", Err("down")).await, word("one"));
        sleep(SECOND / 10).await;
    }
    // Eight seconds, and each try takes one and is followed by one of peace.
    let tries = service.count() - 1;
    assert!((3..=4).contains(&tries), "{tries}");
}

#[tokio::test(start_paused = true)]
async fn an_old_value_replaces_an_error_for_as_long_as_the_user_allows() {
    let (cache, service) = (
        words().stale_if_error(50 * SECOND).build(),
        Service::default(),
    );
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL + 40 * SECOND).await;
    assert_eq!(cache.get(&"a"), None);
    // First the service is asked; then its error is remembered for a moment.
    assert_eq!(service.ask(&cache, "a", Err("down")).await, word("one"));
    assert_eq!(service.ask(&cache, "a", Err("down")).await, word("one"));
    assert_eq!(service.count(), 2);
    advance(9 * SECOND).await;
    assert_eq!(service.ask(&cache, "a", Err("down")).await, Err("down"));
    assert_eq!(service.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_definite_no_replaces_the_old_value() {
    let cache = words()
        .stale_if_error(50 * SECOND)
        .definite(|error| *error == "revoked")
        .build();
    let service = Service::default();
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - 2 * SECOND).await;
    assert_eq!(service.ask(&cache, "a", Err("revoked")).await, word("one"));
    sleep(SECOND).await;
    settle().await;
    assert_eq!(service.ask(&cache, "a", Err("down")).await, Err("revoked"));
    assert_eq!(service.count(), 2);
}

// Point 9. Time.

#[tokio::test(start_paused = true)]
async fn a_value_lives_from_being_stored_and_a_hit_does_not_prolong() {
    let (cache, service) = (words().refresh_ahead(0.0).build(), Service::default());
    service.ask(&cache, "a", Ok("one")).await.unwrap();
    advance(TTL - Duration::from_millis(1)).await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
    advance(Duration::from_millis(1)).await;
    assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("two"));
}

#[tokio::test(start_paused = true)]
async fn a_value_may_say_itself_how_long_it_lives() {
    let cache = words().build();
    let value = || Fetched::new(Arc::from("one"));
    cache.insert("brief", value().ttl(SECOND));
    cache.insert("for ever", value().ttl(Duration::MAX));
    cache.insert("not at all", value().ttl(Duration::ZERO));
    assert_eq!(cache.get(&"not at all"), None);
    advance(SECOND).await;
    assert_eq!(cache.get(&"brief"), None);
    assert!(cache.get(&"for ever").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_absolute_expiry_counts_by_the_servers_own_clock() {
    let cache = words().build();
    // A server whose clock is an hour behind ours.
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let value = |expiry| Fetched::new(Arc::from("one")).expires_at(expiry, date);
    cache.insert("a", value(date + 10 * SECOND));
    cache.insert("over", value(date - SECOND));
    assert_eq!(cache.get(&"over"), None);
    advance(9 * SECOND).await;
    assert!(cache.get(&"a").is_some());
    advance(SECOND).await;
    assert_eq!(cache.get(&"a"), None);
}

// Point 10. A fetch that brings nothing fresher.

#[tokio::test(start_paused = true)]
async fn the_next_refresh_may_begin_as_soon_as_the_interval_is_over() {
    let interval = 99 * SECOND;
    let cache = words().refresh_ahead(1.0).min_interval(interval).build();
    let service = Service::default();
    cache.insert("a", Fetched::new(Arc::from("one")));
    for (wait, fetches) in [(interval - SECOND, 0), (SECOND, 1)] {
        advance(wait).await;
        assert_eq!(service.ask(&cache, "a", Ok("two")).await, word("one"));
        tokio::task::yield_now().await;
        assert_eq!(service.count(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_brings_nothing_fresher_holds_the_next_one_off() {
    let cache = words().refresh_ahead(1.0).min_interval(30 * SECOND).build();
    let fetched = Arc::new(AtomicUsize::new(0));
    let born = tokio::time::Instant::now();
    for _ in 0..1000 {
        let asked = Arc::clone(&fetched);
        // The server hands out the same token until it ends.
        let fetch = move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(Fetched::new(Arc::from("token")).ttl(TTL.saturating_sub(born.elapsed())))
        };
        assert!(cache.get_or_fetch(&"a", fetch).await.is_ok());
        sleep(TTL / 1001).await;
    }
    let fetched = fetched.load(Ordering::SeqCst);
    // Without that it would be some ten: each brings half the lifetime of the one before.
    assert!(
        (2..=4).contains(&fetched),
        "{fetched} fetches in 100 seconds"
    );
}
