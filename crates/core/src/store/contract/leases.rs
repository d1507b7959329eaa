//! Tests of leases: their holders, their durations, and what a former holder can still do.

use std::time::Duration;

use super::{HOUR, Suite, TIME, held, is_refused, key, read, text, write};
use crate::Clock as _;
use crate::mock::cancel::{at_each_await, cut};
use crate::store::{Acquired, Expect, Key, Lease};

impl Suite {
    /// A second caller learns how long the lease is held; leases on other records are independent.
    pub fn a_lease_is_held_by_one_until_it_is_released(&self) {
        self.run(|place| async move {
            let first = held(place.acquire().await);
            assert!(is_refused(&place.acquire().await));
            let other = Key::new("application", "other");
            drop(held(place.leases.acquire(&other, TIME).await.unwrap()));
            let fence = first.fence();
            assert!(place.leases.release(first).await.unwrap());
            let mut second = held(place.acquire().await);
            assert!(second.fence() > fence);
            assert!(place.leases.renew(&mut second, TIME).await.unwrap());
            assert!(is_refused(&place.acquire().await));
            assert!(place.leases.release(second).await.unwrap());
        });
    }

    /// A holder that has lost its lease can neither renew nor release that of another.
    pub fn a_lease_ends_by_itself_and_is_then_lost(&self) {
        self.run(|place| async move {
            let leases = &place.leases;
            let (mut first, renewed) = place.renewed().await;
            place.let_pass(place.short()).await;
            let second = match place.acquire().await {
                Acquired::Lease(second) => {
                    let since = place.since(renewed) + place.doubt();
                    assert!(since >= 2 * place.short(), "it was renewed");
                    second
                }
                Acquired::Held { .. } => place.acquire_after(2 * place.short()).await,
            };
            assert!(second.fence() > first.fence());
            assert!(!leases.renew(&mut first, TIME).await.unwrap());
            assert!(!leases.release(first).await.unwrap());
            assert!(is_refused(&place.acquire().await));
            assert!(leases.release(second).await.unwrap());
        });
    }

    /// A holder that does not know of its last renewal can still renew and release its lease.
    pub fn a_renewal_that_was_not_answered_keeps_the_lease(&self) {
        self.run(|place| async move {
            let leases = &place.leases;
            let mut first = held(place.acquire().await);
            let unanswered = async |lease: &Lease| {
                let (key, version) = (lease.key().clone(), lease.version().clone());
                let mut lease = Lease::new(key, lease.fence(), version);
                assert!(leases.renew(&mut lease, TIME).await.unwrap());
            };
            unanswered(&first).await;
            assert!(leases.renew(&mut first, TIME).await.unwrap());
            unanswered(&first).await;
            assert!(is_refused(&place.acquire().await));
            assert!(leases.release(first).await.unwrap());
            assert!(leases.release(held(place.acquire().await)).await.unwrap());
        });
    }

    /// A new holder learns whether the last one let the lease lapse, until a holder has seen to it.
    pub fn a_lease_that_lapsed_is_told_from_one_that_was_released(&self) {
        self.run(|place| async move {
            let first = held(place.acquire().await);
            assert!(!first.is_after_lapse());
            assert!(place.leases.release(first).await.unwrap());
            let lapses = held(place.acquire_for(place.short()).await);
            assert!(!lapses.is_after_lapse());
            let next = place.acquire_after(place.short()).await;
            assert!(next.is_after_lapse());
            let fence = next.fence();
            assert!(place.leases.release(next).await.unwrap());
            let mut next = held(place.acquire().await);
            assert!(next.is_after_lapse() && next.fence() > fence);
            assert!(place.leases.renew(&mut next, TIME).await.unwrap());
            assert!(next.is_after_lapse());
            let next = next.after_lapse(false);
            assert!(place.leases.release(next).await.unwrap());
            assert!(!held(place.acquire().await).is_after_lapse());
        });
    }

    /// A caller that gave up, or whose connection broke, does not wait for the lease that it may have
    /// taken; the others do.
    pub fn an_acquisition_that_was_not_answered_is_no_holder(&self) {
        self.run(|place| async move {
            let leases = &place.leases;
            at_each_await(async |polls| {
                let key = Key::new("application", polls.to_string());
                if cut(polls, leases.acquire(&key, TIME))
                    .await
                    .output()
                    .is_some()
                {
                    return true;
                }
                let lease = held(leases.acquire(&key, TIME).await.unwrap());
                assert!(!lease.is_after_lapse());
                assert!(is_refused(&leases.acquire(&key, TIME).await.unwrap()));
                assert!(leases.release(lease).await.unwrap());
                false
            })
            .await;
        });
    }

    /// Whoever removes the record of a lease ends it, and does not give that of the next holder to the
    /// last one.
    pub fn a_lease_whose_record_was_removed_is_lost(&self) {
        self.run(|place| async move {
            let mut first = held(place.acquire().await);
            assert!(
                place
                    .store
                    .remove(&key().lease(), &Expect::Any)
                    .await
                    .unwrap()
            );
            place.let_pass(Duration::from_secs(1)).await;
            let second = held(place.acquire().await);
            assert!(second.fence() > first.fence());
            assert!(!place.leases.renew(&mut first, TIME).await.unwrap());
            assert!(!place.leases.release(first).await.unwrap());
            assert!(is_refused(&place.acquire().await));
            assert!(place.leases.release(second).await.unwrap());
        });
    }

    /// Conditional writes protect a record even if two holders exist.
    pub fn a_holder_that_overslept_cannot_overwrite_what_came_after(&self) {
        self.run(|place| async move {
            let store = &*place.store;
            write(store, Expect::Absent, "old").await.unwrap();
            let sleeper = held(place.acquire_for(place.short()).await);
            let seen = read(store).await.unwrap().version;
            let awake = place.acquire_after(place.short()).await;
            let now = read(store).await.unwrap().version;
            assert!(write(store, Expect::Version(now), "new").await.is_some());
            assert!(write(store, Expect::Version(seen), "late").await.is_none());
            assert_eq!(text(&read(store).await.unwrap()), "new");
            assert!(!place.leases.release(sleeper).await.unwrap());
            assert!(place.leases.release(awake).await.unwrap());
        });
    }

    /// Moving the clock an hour forward allows a second holder, whose write wins; moving it an hour
    /// back blocks no one.
    pub fn a_clock_that_jumps_costs_no_record_and_no_wait(&self) {
        self.run(|place| async move {
            let (store, clock) = (&*place.store, place.clock.as_ref().unwrap());
            write(store, Expect::Absent, "old").await.unwrap();
            let first = held(place.acquire().await);
            let seen = Expect::Version(read(store).await.unwrap().version);
            clock.advance(HOUR);
            let second = held(place.acquire().await);
            assert!(write(store, seen.clone(), "new").await.is_some());
            assert!(write(store, seen, "late").await.is_none());
            clock.set(clock.now() - HOUR);
            let third = held(place.acquire().await);
            assert!(first.fence() < second.fence() && second.fence() < third.fence());
            assert!(!place.leases.release(second).await.unwrap());
            assert!(place.leases.release(third).await.unwrap());
            drop(first);
        });
    }
}
