//! The steps of a refresh, seen from outside: a hook is called before and after each of them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::{self, Id};
use vouchsafe::core::store::{
    Acquired, Capabilities, Expect, Key, Lease, Leases, Loaded, Scope, Store, Swapped, Watch,
};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Result, SecretBytes};
use vouchsafe_test_stores::Shared;

/// A step of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Look,
    Acquire,
    /// Reading again, under the lease.
    Again,
    Request,
    Save,
    Release,
}

impl Step {
    pub(super) const ALL: [Self; 6] = [
        Self::Look,
        Self::Acquire,
        Self::Again,
        Self::Request,
        Self::Save,
        Self::Release,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Before,
    After,
}

/// A step, and whether it was done yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) step: Step,
    pub(super) side: Side,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side} {:?}", self.step)
    }
}

/// What happens at a moment: an error before a step means that it is not done, one after it that
/// its answer is lost.
pub(super) trait Hook: fmt::Debug + Send + Sync + 'static {
    fn at(&self, moment: Moment) -> BoxFuture<'_, Result<()>>;
}

/// Whether a process stands still: as one that is suspended or killed, it does so as a whole, so that
/// none of its tasks gets past a step.
#[derive(Debug, Default)]
pub(super) struct Standstill(watch::Sender<bool>);

impl Standstill {
    pub(super) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn end(&self) {
        self.0.send_replace(false);
    }

    /// Waits until the process goes on.
    pub(super) async fn over(&self) {
        // The sender is there for as long as this is.
        let _ = self.0.subscribe().wait_for(|is_still| !is_still).await;
    }
}

/// A store, its leases or a transport that call a hook.
#[derive(Clone, Debug)]
pub(super) struct Hooked<T: ?Sized> {
    hook: Arc<dyn Hook>,
    holder: Arc<Holder>,
    inner: Arc<T>,
}

/// The task that has the lease, which tells the two readings apart: callers read the record, too, while
/// the refresh that they wait for goes on.
type Holder = Mutex<Option<Option<Id>>>;

/// Puts a hook around a store and its leases.
pub(super) fn around(shared: &Shared, hook: &Arc<dyn Hook>) -> Shared {
    let holder = Arc::new(Holder::default());
    Shared {
        store: Arc::new(Hooked {
            hook: Arc::clone(hook),
            holder: Arc::clone(&holder),
            inner: Arc::clone(&shared.store),
        }),
        leases: Arc::new(Hooked {
            hook: Arc::clone(hook),
            holder,
            inner: Arc::clone(&shared.leases),
        }),
    }
}

/// Puts a hook around the requests for tokens.
pub(super) fn around_requests(
    transport: Arc<dyn Transport>,
    hook: &Arc<dyn Hook>,
) -> Arc<dyn Transport> {
    Arc::new(Hooked {
        hook: Arc::clone(hook),
        holder: Arc::default(),
        inner: transport,
    })
}

/// Leases of which the first one lasts no longer than it may. Later ones last as long as their holder believes, as
/// those of a store do: one that waits for the last holder, and then finds its own lease lost, would wait for ever.
#[derive(Debug)]
struct Shortened {
    leases: Arc<dyn Leases>,
    longest: Duration,
    is_first_over: AtomicBool,
}

/// How long a process believes a lease to last: others wait for a third of it after a lease that ended by itself.
pub(super) const LEASE_TIME: Duration = Duration::from_secs(6);
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(5);

/// Lets the first lease of a process end sooner than it believes.
pub(super) fn shortened(shared: &Shared, longest: Duration) -> Shared {
    Shared {
        store: Arc::clone(&shared.store),
        leases: Arc::new(Shortened {
            leases: Arc::clone(&shared.leases),
            longest,
            is_first_over: AtomicBool::new(false),
        }),
    }
}

impl Leases for Shortened {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let is_first = !self.is_first_over.load(Ordering::SeqCst);
            let time = if is_first {
                time.min(self.longest)
            } else {
                time
            };
            let taken = self.leases.acquire(key, time).await?;
            if matches!(taken, Acquired::Lease(_)) {
                self.is_first_over.store(true, Ordering::SeqCst);
            }
            Ok(taken)
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        self.leases.renew(lease, time)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        self.leases.release(lease)
    }

    fn scope(&self) -> Scope {
        self.leases.scope()
    }

    fn limit(&self) -> Duration {
        self.leases.limit()
    }
}

impl<T: ?Sized + Send + Sync> Hooked<T> {
    /// Begins the work after the hook: memory does all of it when it is called.
    async fn hooked<R: Send, F: Future<Output = Result<R>> + Send>(
        &self,
        step: Step,
        work: impl FnOnce() -> F + Send,
    ) -> Result<R> {
        let side = Side::Before;
        self.hook.at(Moment { step, side }).await?;
        let done = work().await?;
        let side = Side::After;
        self.hook.at(Moment { step, side }).await?;
        Ok(done)
    }
}

impl Store for Hooked<dyn Store> {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let is_holder = *lock(&self.holder) == Some(task::try_id());
            let step = if is_holder { Step::Again } else { Step::Look };
            self.hooked(step, || self.inner.load(key)).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        let swap = || self.inner.compare_and_swap(key, expect, value);
        Box::pin(self.hooked(Step::Save, swap))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.inner.remove(key, expect)
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        self.inner.watch(key)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

impl Leases for Hooked<dyn Leases> {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let taken = self
                .hooked(Step::Acquire, || self.inner.acquire(key, time))
                .await?;
            let is_leased = matches!(taken, Acquired::Lease(_));
            *lock(&self.holder) = is_leased.then(task::try_id);
            Ok(taken)
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        self.inner.renew(lease, time)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        *lock(&self.holder) = None;
        Box::pin(self.hooked(Step::Release, || self.inner.release(lease)))
    }

    fn scope(&self) -> Scope {
        self.inner.scope()
    }

    fn limit(&self) -> Duration {
        self.inner.limit()
    }
}

impl Transport for Hooked<dyn Transport> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(self.hooked(Step::Request, || self.inner.send(request)))
    }
}
