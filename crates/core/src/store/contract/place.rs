//! What a test of the suite works with: a store that it has opened, and the leases on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{TIME, Time, held, key};
use crate::mock::ManualClock;
use crate::store::{Acquired, Lease, Leases, Store};
use crate::{Clock as _, SystemClock};

pub(super) struct Place {
    pub(super) store: Arc<dyn Store>,
    pub(super) leases: Arc<dyn Leases>,
    /// The clock of the leases; `None` if they go by real time.
    pub(super) clock: Option<Arc<ManualClock>>,
    pub(super) time: Time,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) async fn acquire(&self) -> Acquired {
        self.acquire_for(TIME).await
    }

    pub(super) async fn acquire_for(&self, time: Duration) -> Acquired {
        self.leases.acquire(&key(), time).await.unwrap()
    }

    /// Returns the time of a lease that a test waits for.
    pub(super) fn short(&self) -> Duration {
        if self.clock.is_some() {
            TIME / 4
        } else {
            Duration::from_secs(2) + 2 * self.doubt()
        }
    }

    /// Returns how much sooner or later than by this process' clock a lease may end.
    pub(super) fn doubt(&self) -> Duration {
        match self.time {
            // One process may take the time of the server for later by this much, and another for earlier.
            Time::ServerWithin(precision) => 2 * precision,
            Time::Server | Time::Process => Duration::ZERO,
        }
    }

    /// Takes the lease for a short time, and renews it to twice that. Returns the time before it was
    /// renewed, too.
    pub(super) async fn renewed(&self) -> (Lease, SystemTime) {
        loop {
            let taken = self.now();
            let mut lease = held(self.acquire_for(self.short()).await);
            let renewed = self.now();
            if self
                .leases
                .renew(&mut lease, 2 * self.short())
                .await
                .unwrap()
            {
                return (lease, renewed);
            }
            // The machine may be slow.
            let lasted = self.since(taken) + self.doubt();
            assert!(lasted >= self.short(), "it ended too soon");
        }
    }

    pub(super) fn now(&self) -> SystemTime {
        match &self.clock {
            Some(clock) => clock.now(),
            None => SystemClock::new().now(),
        }
    }

    pub(super) fn since(&self, then: SystemTime) -> Duration {
        self.now().duration_since(then).unwrap_or_default()
    }

    pub(super) async fn let_pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    /// Takes the lease once that of another holder, which lasts at most `time`, has ended.
    pub(super) async fn acquire_after(&self, time: Duration) -> Lease {
        if let Some(clock) = &self.clock {
            clock.advance(time);
        }
        loop {
            match self.acquire().await {
                Acquired::Lease(lease) => return lease,
                Acquired::Held { remaining } => {
                    assert!(self.clock.is_none() && remaining <= time, "{remaining:?}");
                    tokio::time::sleep(remaining.max(Duration::from_millis(10))).await;
                }
            }
        }
    }
}
