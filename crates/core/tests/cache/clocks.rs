//! Two clocks: tokio's, which stands still while the machine sleeps, and the wall clock.

use vouchsafe_core::Clock;
use vouchsafe_core::mock::ManualClock;

use super::*;

fn clocked() -> (
    CacheBuilder<&'static str, Arc<str>, &'static str>,
    Arc<ManualClock>,
) {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    let wall: Arc<dyn Clock> = Arc::clone(&clock) as _;
    (words().clock(wall), clock)
}

#[tokio::test(start_paused = true)]
async fn time_that_the_machine_slept_through_counts() {
    let (builder, clock) = clocked();
    let (cache, service) = (builder.build(), Service::default());
    service.ask(&cache, "key", Ok("one")).await.unwrap();
    clock.advance(TTL - SECOND);
    assert!(cache.get(&"key").is_some());
    clock.advance(SECOND);
    assert!(cache.get(&"key").is_none());
    assert_eq!(service.ask(&cache, "key", Ok("two")).await, word("two"));
    assert_eq!(service.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn both_clocks_running_count_once() {
    let (builder, clock) = clocked();
    let (cache, service) = (builder.build(), Service::default());
    service.ask(&cache, "key", Ok("one")).await.unwrap();
    for _ in 0..99 {
        clock.advance(SECOND);
        advance(SECOND).await;
        assert!(cache.get(&"key").is_some());
    }
    clock.advance(SECOND);
    advance(SECOND).await;
    assert!(cache.get(&"key").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_put_back_prolongs_nothing() {
    let (builder, clock) = clocked();
    let (cache, service) = (builder.build(), Service::default());
    service.ask(&cache, "key", Ok("one")).await.unwrap();
    clock.set(SystemTime::UNIX_EPOCH);
    advance(TTL - SECOND).await;
    assert!(cache.get(&"key").is_some());
    advance(SECOND).await;
    assert!(cache.get(&"key").is_none());
}

#[tokio::test(start_paused = true)]
async fn stale_values_and_errors_expire_during_suspension() {
    let (builder, clock) = clocked();
    let cache = builder.stale_if_error(TTL).error_ttl(TTL).build();
    let service = Service::default();
    service.ask(&cache, "key", Ok("one")).await.unwrap();
    clock.advance(TTL + TTL / 2);
    assert_eq!(service.ask(&cache, "key", Err("down")).await, word("one"));
    clock.advance(TTL / 2);
    assert_eq!(service.ask(&cache, "key", Err("down")).await, Err("down"));
    // The error is remembered until the machine slept through its time.
    assert_eq!(service.ask(&cache, "key", Ok("two")).await, Err("down"));
    clock.advance(TTL);
    assert_eq!(service.ask(&cache, "key", Ok("two")).await, word("two"));
}

#[tokio::test(start_paused = true)]
async fn a_value_without_an_end_outlives_any_clock() {
    let (builder, clock) = clocked();
    let cache = builder.build();
    cache.insert("key", Fetched::new(Arc::from("one")).ttl(Duration::MAX));
    clock.advance(99 * 365 * Duration::from_secs(24 * 60 * 60));
    assert!(cache.get(&"key").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_server_can_set_a_day_at_most() {
    let cache = words().build();
    let now = SystemTime::UNIX_EPOCH;
    let far = Fetched::new(Arc::from("one")).expires_at(now + 900_000 * TTL, now);
    cache.insert("key", far);
    advance(Duration::from_secs(24 * 60 * 60 - 1)).await;
    assert!(cache.get(&"key").is_some());
    advance(SECOND).await;
    assert!(cache.get(&"key").is_none());
}

/// A wall clock that a hit reads late, and counts the readings that are not.
#[derive(Debug)]
struct Late {
    clock: ManualClock,
    exact: AtomicUsize,
}

impl Clock for Late {
    fn now(&self) -> SystemTime {
        self.exact.fetch_add(1, Ordering::Relaxed);
        self.clock.now()
    }

    fn coarse(&self) -> SystemTime {
        self.clock.now() - Duration::from_millis(10)
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_reads_the_cheap_clock_and_a_lifetime_begins_by_the_exact_one() {
    let clock = Arc::new(Late {
        clock: ManualClock::at_unix(1_700_000_000),
        exact: AtomicUsize::new(0),
    });
    let wall: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let (cache, service) = (words().clock(wall).build(), Service::default());
    let millis = Duration::from_millis;
    cache.insert("key", Fetched::new(Arc::from("one")).ttl(millis(5)));
    let exact = clock.exact.load(Ordering::Relaxed);
    clock.clock.advance(millis(14));
    assert_eq!(cache.get(&"key"), Some(Arc::from("one")));
    assert_eq!(service.ask(&cache, "key", Ok("two")).await, word("one"));
    assert_eq!(clock.exact.load(Ordering::Relaxed), exact);
    clock.clock.advance(millis(1));
    assert_eq!(service.ask(&cache, "key", Ok("two")).await, word("two"));
}
