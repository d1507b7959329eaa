//! Leases: the right to change a record, for a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::record::{Expect, Key, Loaded, Store, Swapped, Version};
use crate::{BoxFuture, Clock, Error, ErrorKind, Result, SecretBytes, SystemClock};

/// Gives leases on records.
///
/// A lease says who does what must be done once, such as a request for a new token. It ends by
/// itself, so that a holder that crashed or sleeps does not stop others. It does **not** keep a
/// holder from writing that has overslept: for that, each save is a
/// [compare-and-swap](Store::compare_and_swap) against the version that was read under the lease.
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Takes the lease on a record if nobody holds it.
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>>;

    /// Holds a lease for so long from now on. Returns `false` if somebody else took it.
    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>>;

    /// Gives a lease up. Returns `false` if somebody else took it; theirs is left alone.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>>;
}

/// A lease that is held, until its time is over.
#[derive(Debug)]
#[must_use = "others wait until it is released or its time is over"]
pub struct Lease {
    key: Key,
    fence: u64,
    version: Version,
}

impl Lease {
    /// Returns the record it is on.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns a number that is greater than that of every earlier lease on this record, for
    /// servers that refuse what an earlier holder sends.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

/// What became of the wish for a lease.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it is held or not")]
pub enum Acquired {
    /// It is held now.
    Lease(Lease),
    /// Somebody else holds it.
    Held {
        /// For how long at most, if nobody renews it.
        remaining: Duration,
    },
}

/// [`Leases`] over any [`Store`], as records beside those that they are on.
///
/// The store's compare-and-swap decides who gets one. When it ends is decided by the clocks of
/// those who ask, which should agree to within a fraction of the lease's time. A clock that is
/// wrong costs an extra holder at a time, never a record: see [`Leases`]. A clock that was set back
/// does not make others wait: a lease of the future counts as ended.
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

    /// Keeps leases in a store, with a clock to tell when they end.
    #[must_use]
    pub fn with_clock(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    fn now(&self) -> u64 {
        let since = self.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        millis(since.unwrap_or_default())
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
                    (Expect::Version(loaded.version.clone()), term.fence + 1)
                }
            };
            let term = Term::new(fence, now, time);
            match self
                .store
                .compare_and_swap(&of, &expect, &term.text())
                .await?
            {
                Swapped::Done(version) => {
                    return Ok(Acquired::Lease(Lease {
                        key: key.clone(),
                        fence,
                        version,
                    }));
                }
                // Each round is lost to somebody who took it or gave it up.
                Swapped::Conflict(other) => there = other,
            }
        }
    }

    /// Writes a lease anew if nobody else did meanwhile.
    async fn rewrite(&self, lease: &Lease, term: Term) -> Result<Option<Version>> {
        let (of, expect) = (lease.key.lease(), Expect::Version(lease.version.clone()));
        match self
            .store
            .compare_and_swap(&of, &expect, &term.text())
            .await?
        {
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
            // Kept, since the next fence must be greater.
            let ended = Term::new(lease.fence, 0, Duration::ZERO);
            Ok(self.rewrite(&lease, ended).await?.is_some())
        })
    }
}

/// What is written of a lease, in milliseconds since 1970.
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
        parse().ok_or_else(|| {
            let (namespace, profile) = (key.namespace(), key.profile());
            let what = format!("the lease on {namespace}/{profile} is damaged; remove it");
            Error::new(ErrorKind::Store, what)
        })
    }

    /// Returns how long it lasts, or `None` if it has ended.
    fn remaining(self, now: u64) -> Option<Duration> {
        let is_running = self.from <= now && now < self.until;
        is_running.then(|| Duration::from_millis(self.until - now))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
