//! Leases: the right to change a record for a limited time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::record::{Expect, Key, Loaded, Scope, Store, Swapped, Version};
use crate::{BoxFuture, Clock, Error, ErrorKind, Result, SecretBytes, SystemClock};

/// Grants leases on records.
///
/// A lease decides which process does something that must be done once, such as requesting a new
/// token. It ends by itself, so that a holder that crashed or is suspended does not block others.
/// It does **not** prevent such a holder from writing when it wakes up. For that, each write is a
/// [compare-and-swap](Store::compare_and_swap) with the version that was read under the lease.
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Takes the lease on a record, unless it is already held.
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>>;

    /// Extends a lease to `time` from now. Returns `false` if the lease has been lost.
    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>>;

    /// Releases a lease. Returns `false` if the lease has been lost; the new holder's is left
    /// alone.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>>;

    /// Returns which tasks share the leases.
    fn scope(&self) -> Scope;
}

/// A lease that is held until its duration is over.
#[derive(Debug)]
#[must_use = "others wait until it is released or its time is over"]
pub struct Lease {
    key: Key,
    fence: u64,
    version: Version,
}

impl Lease {
    /// Creates a lease, for implementations of [`Leases`]. `version` distinguishes this hold of the
    /// lease from all others.
    pub fn new(key: Key, fence: u64, version: Version) -> Self {
        Self {
            key,
            fence,
            version,
        }
    }

    /// Returns what distinguishes this hold of the lease from all others.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the record that the lease is for.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns a fencing token: a number greater than that of every earlier lease on this record,
    /// for servers that refuse requests of earlier holders.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

/// The result of trying to take a lease.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it is held or not")]
pub enum Acquired {
    /// The lease was taken.
    Lease(Lease),
    /// Another holder has the lease.
    Held {
        /// How long it lasts at most, unless it is renewed.
        remaining: Duration,
    },
}

/// [`Leases`] over any [`Store`], kept as records next to the ones that they are for.
///
/// The store's compare-and-swap decides which caller gets a lease. When a lease ends is decided by
/// the clocks of the callers, which should agree to within a third of the lease's duration: a caller
/// whose clock is ahead by that much ends it that much too early, and one whose clock is behind still
/// takes it for current. A lease from further in the future counts as ended, so that no caller waits
/// longer after a clock was set back. A wrong clock can cause two holders at a time, but never a lost
/// record: see [`Leases`].
#[derive(Clone, Debug)]
pub struct StoreLeases {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
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
        Self { store, clock }
    }

    fn now(&self) -> u64 {
        since_1970(&*self.clock)
    }

    async fn take(&self, key: &Key, time: Duration) -> Result<Acquired> {
        let of = key.lease();
        let mut there = self.store.load(&of).await?;
        loop {
            let now = self.now();
            let (expect, fence) = match &there {
                None => (Expect::Absent, 1),
                Some(loaded) => {
                    let term = Term::read(loaded, key)?;
                    if let Some(remaining) = term.remaining(now) {
                        return Ok(Acquired::Held { remaining });
                    }
                    let fence = term.fence.checked_add(1).ok_or_else(|| damaged(key))?;
                    (Expect::Version(loaded.version.clone()), fence)
                }
            };
            let term = Term::new(fence, now, time);
            match self
                .store
                .compare_and_swap(&of, &expect, &term.text())
                .await?
            {
                Swapped::Done(version) => {
                    return Ok(Acquired::Lease(Lease::new(key.clone(), fence, version)));
                }
                // Each round was lost to a caller that took or released the lease.
                Swapped::Conflict(other) => there = other,
            }
        }
    }

    /// Writes the lease again, unless another caller has it by now.
    async fn rewrite(&self, lease: &Lease, term: Term) -> Result<Option<Version>> {
        let (of, text) = (lease.key.lease(), term.text());
        let expect = Expect::Version(lease.version.clone());
        let there = match self.store.compare_and_swap(&of, &expect, &text).await? {
            Swapped::Done(version) => return Ok(Some(version)),
            Swapped::Conflict(there) => there,
        };
        // The answer to an earlier write of this holder may have been lost.
        let Some(there) = there else { return Ok(None) };
        if !Term::read(&there, &lease.key)?.is_of(lease) {
            return Ok(None);
        }
        let expect = Expect::Version(there.version);
        match self.store.compare_and_swap(&of, &expect, &text).await? {
            Swapped::Done(version) => Ok(Some(version)),
            Swapped::Conflict(_) => Ok(None),
        }
    }
}

impl Leases for StoreLeases {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(self.take(key, time))
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let term = Term::new(lease.fence, self.now(), time);
            let renewed = self.rewrite(lease, term).await?;
            let is_held = renewed.is_some();
            if let Some(version) = renewed {
                lease.version = version;
            }
            Ok(is_held)
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            // The record is kept, since the next fencing token must be greater.
            let ended = Term::new(lease.fence, 0, Duration::ZERO);
            Ok(self.rewrite(&lease, ended).await?.is_some())
        })
    }

    fn scope(&self) -> Scope {
        self.store.capabilities().scope
    }
}

/// The stored form of a lease; times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    fence: u64,
    from: u64,
    until: u64,
}

impl Term {
    fn new(fence: u64, from: u64, time: Duration) -> Self {
        Self {
            fence,
            from,
            until: from.saturating_add(millis(time)),
        }
    }

    fn text(self) -> SecretBytes {
        let text = format!("{} {} {}", self.fence, self.from, self.until);
        SecretBytes::from(text.into_bytes())
    }

    fn read(loaded: &Loaded, key: &Key) -> Result<Self> {
        let parse = || {
            let text = std::str::from_utf8(loaded.value.expose()).ok()?;
            let mut numbers = text.split(' ').map(str::parse::<u64>);
            let mut number = || numbers.next()?.ok();
            Some(Self {
                fence: number()?,
                from: number()?,
                until: number()?,
            })
        };
        parse().ok_or_else(|| damaged(key))
    }

    /// Returns whether it is that of this holder, who has not released it.
    fn is_of(self, lease: &Lease) -> bool {
        self.fence == lease.fence && self.until > 0
    }

    /// Returns how long it still lasts, or `None` if it has ended.
    fn remaining(self, now: u64) -> Option<Duration> {
        let time = self.until.saturating_sub(self.from);
        // The holder's clock may be ahead.
        let is_begun = self.from <= now.saturating_add(time / TOLERATED);
        let is_running = is_begun && now < self.until;
        is_running.then(|| Duration::from_millis(time.min(self.until - now)))
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
        let term = Term::new(1, 100_000, Duration::from_secs(30));
        let remaining = |now| term.remaining(now).map(|left| left.as_millis());
        assert_eq!(remaining(100_000), Some(30_000));
        assert_eq!(remaining(120_000), Some(10_000));
        assert_eq!(remaining(129_999), Some(1));
        assert_eq!(remaining(130_000), None);
        // Never longer than it was taken for.
        assert_eq!(remaining(99_999), Some(30_000));
        assert_eq!(remaining(90_000), Some(30_000));
        assert_eq!(remaining(89_999), None);
        assert_eq!(Term::new(1, 0, Duration::ZERO).remaining(0), None);
    }
}
