//! Leases in the records of any store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::claims::Claims;
use super::record::{Acquired, Expect, Key, Lease, Leases, Loaded, Scope, Store, Swapped, Version};
use crate::text::hex;
use crate::{BoxFuture, Clock, Error, ErrorKind, Result, SecretBytes, SystemClock};

/// [`Leases`] over any [`Store`], kept as records next to the ones that they are for.
///
/// The store's compare-and-swap decides which caller gets a lease. When a lease ends is decided by
/// the clocks of the callers, which should agree to within a third of the lease's duration: a caller
/// whose clock is ahead by that much ends it that much too early, and one whose clock is behind still
/// takes it for current. A lease from further in the future counts as ended, so that no caller waits
/// longer after a clock was set back. A wrong clock can cause two holders at a time, but never a lost
/// record: see [`Leases`].
///
/// The numbers of [`Lease::fence`] begin with the time, so that they grow even if the record of the lease
/// is removed.
#[derive(Clone, Debug)]
pub struct StoreLeases {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    claims: Arc<Claims>,
}

impl StoreLeases {
    /// Keeps leases in a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::with_clock(store, Arc::new(SystemClock::new()))
    }

    /// Keeps leases in a store, and uses a given clock to decide when they end.
    #[must_use]
    pub fn with_clock(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            claims: Arc::default(),
        }
    }

    fn now(&self) -> u64 {
        since_1970(&*self.clock)
    }

    async fn take(&self, key: &Key, time: Duration) -> Result<Acquired> {
        let of = key.lease();
        let mut claim = self.claims.begin(key);
        let mut there = self.store.load(&of).await?;
        loop {
            let now = self.now();
            let (expect, fence) = match &there {
                None => (Expect::Absent, now.max(1)),
                Some(loaded) => {
                    let term = Term::read(loaded, key)?;
                    let fence = if term.is_of(claim.owner()) {
                        term.fence
                    } else if let Some(remaining) = term.remaining(now) {
                        claim.answered();
                        return Ok(Acquired::Held { remaining });
                    } else {
                        if !term.is_released() {
                            claim.note_lapse();
                        }
                        term.fence.checked_add(1).ok_or_else(|| damaged(key))?
                    };
                    (Expect::Version(loaded.version.clone()), fence)
                }
            };
            let term = Term::new(fence, now, time, *claim.owner());
            match self
                .store
                .compare_and_swap(&of, &expect, &term.text())
                .await?
            {
                Swapped::Done(version) => {
                    let lease = Lease::new(key.clone(), fence, hold(claim.owner(), &version));
                    let lease = lease.after_lapse(claim.is_after_lapse());
                    claim.answered();
                    return Ok(Acquired::Lease(lease));
                }
                // Each round was lost to a caller that took or released the lease.
                Swapped::Conflict(other) => there = other,
            }
        }
    }

    /// Writes the lease again for another time, unless another caller has it by now. Without one, it
    /// ends: the record is kept, since the next fencing token must be greater.
    async fn rewrite(&self, lease: &Lease, term: Option<Term>) -> Result<Option<Version>> {
        // A lease of other leases.
        let Some((owner, version)) = lease.version.as_bytes().split_first_chunk() else {
            return Ok(None);
        };
        let term = match term {
            Some(term) => Term {
                owner: *owner,
                ..term
            },
            None if lease.is_after_lapse => Term::new(lease.fence, 1, Duration::ZERO, NO_OWNER),
            None => Term::new(lease.fence, 0, Duration::ZERO, *owner),
        };
        let (of, text) = (lease.key.lease(), term.text());
        let expect = Expect::Version(Version::new(version));
        let there = match self.store.compare_and_swap(&of, &expect, &text).await? {
            Swapped::Done(version) => return Ok(Some(hold(owner, &version))),
            Swapped::Conflict(there) => there,
        };
        // The answer to an earlier write of this holder may have been lost.
        let Some(there) = there else { return Ok(None) };
        if !Term::read(&there, &lease.key)?.is_of(owner) {
            return Ok(None);
        }
        let expect = Expect::Version(there.version);
        match self.store.compare_and_swap(&of, &expect, &text).await? {
            Swapped::Done(version) => Ok(Some(hold(owner, &version))),
            Swapped::Conflict(_) => Ok(None),
        }
    }
}

/// The version of a lease: its owner, and the version of its record.
fn hold(owner: &Owner, version: &Version) -> Version {
    Version::new(&[owner, version.as_bytes()].concat())
}

type Owner = [u8; 16];

/// The owner of a lease that has ended, but was not released.
const NO_OWNER: Owner = [0; 16];

impl Leases for StoreLeases {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(self.take(key, time))
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            for _ in 0..2 {
                let begun = Instant::now();
                let term = Term::new(lease.fence, self.now(), time, NO_OWNER);
                let Some(version) = self.rewrite(lease, Some(term)).await? else {
                    return Ok(false);
                };
                lease.version = version;
                // A clock that follows the server's learns from the answer that it was wrong, such as after
                // the machine's was set. By the right time, the lease has ended, or not begun, or ends too early.
                if term.lasts(self.now(), millis(begun.elapsed())) {
                    break;
                }
            }
            Ok(true)
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(self.rewrite(&lease, None).await?.is_some()) })
    }

    fn scope(&self) -> Scope {
        self.store.capabilities().scope
    }

    /// A call reads and writes, or writes twice.
    fn limit(&self) -> Duration {
        self.store.capabilities().limit.saturating_mul(2)
    }
}

/// The stored form of a lease; times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    fence: u64,
    from: u64,
    until: u64,
    owner: Owner,
}

impl Term {
    fn new(fence: u64, from: u64, time: Duration, owner: Owner) -> Self {
        Self {
            fence,
            from,
            until: from.saturating_add(millis(time)),
            owner,
        }
    }

    fn text(self) -> SecretBytes {
        let owner = hex(&self.owner);
        let text = format!("{} {} {} {owner}", self.fence, self.from, self.until);
        SecretBytes::from(text.into_bytes())
    }

    fn read(loaded: &Loaded, key: &Key) -> Result<Self> {
        let parse = || {
            let text = std::str::from_utf8(loaded.value.expose()).ok()?;
            let mut parts = text.split(' ');
            let mut number = || parts.next()?.parse::<u64>().ok();
            let (fence, from, until) = (number()?, number()?, number()?);
            let owner = u128::from_str_radix(parts.next()?, 16).ok()?;
            Some(Self {
                fence,
                from,
                until,
                owner: owner.to_be_bytes(),
            })
        };
        parse().ok_or_else(|| damaged(key))
    }

    fn is_released(self) -> bool {
        self.until == 0
    }

    /// Returns whether it is that of this owner, who has not released it.
    fn is_of(self, owner: &Owner) -> bool {
        self.owner == *owner && !self.is_released()
    }

    /// Returns how long it still lasts, or `None` if it has ended.
    fn remaining(self, now: u64) -> Option<Duration> {
        let time = self.until.saturating_sub(self.from);
        // The holder's clock may be ahead.
        let is_begun = self.from <= now.saturating_add(time / TOLERATED);
        let is_running = is_begun && now < self.until;
        is_running.then(|| Duration::from_millis(time.min(self.until - now)))
    }

    /// Returns whether it is current and ends when its holder expects that, who wrote it this long ago.
    fn lasts(self, now: u64, passed: u64) -> bool {
        let time = self.until.saturating_sub(self.from);
        let about = |left| {
            millis(left)
                .saturating_add(passed)
                .saturating_add(time / TOLERATED)
        };
        self.remaining(now).is_some_and(|left| about(left) >= time)
    }
}

fn damaged(key: &Key) -> Error {
    let (namespace, profile) = (key.namespace(), key.profile());
    let what = format!("the lease on {namespace}/{profile} is damaged; remove it");
    Error::new(ErrorKind::Store, what)
}

/// The part of a lease's duration by which clocks may differ.
const TOLERATED: u64 = 3;

/// Returns the time of a clock in milliseconds.
pub(super) fn since_1970(clock: &dyn Clock) -> u64 {
    let since = clock.now().duration_since(SystemTime::UNIX_EPOCH);
    millis(since.unwrap_or_default())
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_current_for_clocks_that_differ_by_a_third_of_it() {
        let term = Term::new(1, 100_000, Duration::from_secs(30), [0; 16]);
        let remaining = |now| term.remaining(now).map(|left| left.as_millis());
        assert_eq!(remaining(100_000), Some(30_000));
        assert_eq!(remaining(120_000), Some(10_000));
        assert_eq!(remaining(129_999), Some(1));
        assert_eq!(remaining(130_000), None);
        // Never longer than it was taken for.
        assert_eq!(remaining(99_999), Some(30_000));
        assert_eq!(remaining(90_000), Some(30_000));
        assert_eq!(remaining(89_999), None);
        for ended in [0, 1] {
            let term = Term::new(1, ended, Duration::ZERO, NO_OWNER);
            assert!([0, 1, 2].iter().all(|now| term.remaining(*now).is_none()));
            assert_eq!(term.is_released(), ended == 0);
        }
    }

    #[test]
    fn a_lease_lasts_if_no_more_of_it_is_missing_than_has_passed_and_a_third() {
        let term = Term::new(1, 100_000, Duration::from_secs(30), [0; 16]);
        for (now, passed, lasts) in [
            (89_999, 0, false),
            (90_000, 0, true),
            (110_000, 0, true),
            (110_001, 0, false),
            (110_001, 1, true),
            // A write that took long is no reason for another one.
            (129_999, 29_999, true),
            (130_000, 30_000, false),
        ] {
            assert_eq!(term.lasts(now, passed), lasts, "{now} after {passed}");
        }
        assert!(Term::new(1, 0, Duration::MAX, NO_OWNER).lasts(1, u64::MAX));
    }
}

#[cfg(all(test, feature = "mock"))]
mod learning {
    use super::*;
    use crate::mock::ManualClock;
    use crate::store::MemoryStore;

    /// Records whose answers set the clock of their caller right, as the dates of a server do.
    #[derive(Debug)]
    struct Telling {
        records: Arc<MemoryStore>,
        right: Arc<ManualClock>,
        callers: Arc<ManualClock>,
    }

    impl Telling {
        fn answer<'a, T: 'a>(&'a self, call: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
            Box::pin(async move {
                let answer = call.await;
                self.callers.set(self.right.now());
                answer
            })
        }
    }

    impl Store for Telling {
        fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
            self.answer(self.records.load(key))
        }

        fn compare_and_swap<'a>(
            &'a self,
            key: &'a Key,
            expect: &'a Expect,
            value: &'a SecretBytes,
        ) -> BoxFuture<'a, Result<Swapped>> {
            self.answer(self.records.compare_and_swap(key, expect, value))
        }

        fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
            self.answer(self.records.remove(key, expect))
        }

        fn capabilities(&self) -> crate::store::Capabilities {
            self.records.capabilities()
        }
    }

    #[tokio::test]
    async fn a_holder_that_learns_the_time_from_the_answer_to_its_renewal_keeps_the_lease() {
        let time = Duration::from_secs(30);
        let key = Key::new("application", "profile");
        for (seconds, is_forward) in [(3600, true), (3600, false), (20, true), (20, false)] {
            let wrong = Duration::from_secs(seconds);
            let right = Arc::new(ManualClock::running());
            let callers = Arc::new(ManualClock::new(right.now()));
            let records = Arc::new(MemoryStore::new());
            let store = Telling {
                records: Arc::clone(&records),
                right: Arc::clone(&right),
                callers: Arc::clone(&callers),
            };
            let holder = StoreLeases::with_clock(Arc::new(store), Arc::clone(&callers) as _);
            let other = StoreLeases::with_clock(records, Arc::clone(&right) as _);
            let Acquired::Lease(mut lease) = holder.acquire(&key, time).await.unwrap() else {
                unreachable!("there is no holder");
            };
            let now = callers.now();
            callers.set(if is_forward { now + wrong } else { now - wrong });
            assert!(holder.renew(&mut lease, time).await.unwrap());
            let there = other.acquire(&key, time).await.unwrap();
            assert!(
                matches!(there, Acquired::Held { remaining } if remaining > time * 2 / 3),
                "{wrong:?}, {is_forward}: {there:?}"
            );
            assert!(holder.release(lease).await.unwrap());
        }
    }
}
