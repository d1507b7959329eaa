//! Records that several tasks, processes or machines share, and leases: the right to change one for a
//! limited time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// Keeps records that several callers may change concurrently, without overwriting unseen changes.
///
/// A record is secret text or bytes whose meaning is up to the caller. Any call may fail with an
/// error of kind [`Store`](crate::ErrorKind::Store), which is
/// [retryable](crate::Error::is_retryable) if the store may recover.
///
/// Implementations pass [`store_contract!`](crate::store_contract).
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Returns a record, or `None` if it does not exist. A reader never sees a partial record.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>>;

    /// Writes a record if its current state is the expected one. Once this returns
    /// [`Swapped::Done`], the record is as durable as [`Capabilities::durable`] says.
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>>;

    /// Removes a record if its current state is the expected one, and returns whether it did:
    /// `false` if the record does not exist or has another state.
    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>>;

    /// Returns the profiles of a namespace in order, or `None` if the store cannot list them.
    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let _ = namespace;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Returns a source of hints that a record may have changed, if the store supports it.
    fn watch(&self, key: &Key) -> Option<Watch> {
        let _ = key;
        None
    }

    /// Returns the leases that the store has beside its records, such as those that its server ends by
    /// its own clock. By default, it has none, and [`StoreLeases`](super::StoreLeases) keep them in
    /// records, by the clocks of their clients.
    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        None
    }

    /// Returns what the store can do.
    fn capabilities(&self) -> Capabilities;
}

/// Grants leases on records.
///
/// A lease decides which process does something that must be done once, such as requesting a new
/// token. It ends by itself, so that a holder that crashed or is suspended does not block others.
/// It does **not** prevent such a holder from writing when it wakes up. For that, each write is a
/// [compare-and-swap](Store::compare_and_swap) with the version that was read under the lease.
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Takes the lease on a record, unless it is already held. One that these leases have taken for a
    /// caller that never got the answer is held by no caller: it is taken as well, except by leases that
    /// cannot tell it from another's (see [`Claims`](super::Claims)).
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>>;

    /// Extends a lease to `time` from now. Returns `false` if the lease has been lost.
    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>>;

    /// Releases a lease. Returns `false` if the lease has been lost; the new holder's is left
    /// alone. If the lease still says that it was taken [after a lapse](Lease::is_after_lapse), so does
    /// that of the next holder.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>>;

    /// Returns which tasks share the leases.
    fn scope(&self) -> Scope;

    /// Returns how long a call may take. It ends by itself then, or a little later. Default: ten
    /// seconds.
    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// A lease that is held until its duration is over.
#[derive(Debug)]
#[must_use = "others wait until it is released or its time is over"]
pub struct Lease {
    pub(super) key: Key,
    pub(super) fence: u64,
    pub(super) version: Version,
    pub(super) is_after_lapse: bool,
}

impl Lease {
    /// Creates a lease, for implementations of [`Leases`]. `version` distinguishes this hold of the
    /// lease from all others.
    pub fn new(key: Key, fence: u64, version: Version) -> Self {
        Self {
            key,
            fence,
            version,
            is_after_lapse: false,
        }
    }

    /// Says whether the last holder let the lease lapse: for implementations of [`Leases`], and for a
    /// holder that has seen to it, so that the next one need not.
    pub fn after_lapse(mut self, is_after_lapse: bool) -> Self {
        self.is_after_lapse = is_after_lapse;
        self
    }

    /// Returns whether the last holder did not release the lease: it crashed, was suspended, or could
    /// not reach the leases, and may come back with something to write. `false` if that is not known.
    #[must_use]
    pub fn is_after_lapse(&self) -> bool {
        self.is_after_lapse
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

/// The name of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    namespace: String,
    profile: String,
    kind: Kind,
}

/// The kind of thing that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Record,
    Lease,
}

impl Key {
    /// Names a record. Any text is valid, including an empty one; it is not secret.
    pub fn new(namespace: impl Into<String>, profile: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            profile: profile.into(),
            kind: Kind::Record,
        }
    }

    /// Returns the namespace, such as the name of an application.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the name within the namespace.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns the name of the lease on this record, which cannot be constructed in any other way.
    /// Stores do not list it.
    #[must_use]
    pub fn lease(&self) -> Self {
        Self {
            kind: Kind::Lease,
            ..self.clone()
        }
    }

    /// Returns the name of the record that this or the lease is for.
    pub(super) fn record(&self) -> Self {
        Self {
            kind: Kind::Record,
            ..self.clone()
        }
    }

    /// Returns whether this names a lease rather than a record.
    #[must_use]
    pub fn is_lease(&self) -> bool {
        self.kind == Kind::Lease
    }
}

/// Distinguishes one state of a record from all others. Versions have no order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Arc<[u8]>);

impl Version {
    /// Creates a version from the store's own representation.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// Returns the store's own representation.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Returns random bytes, for a store whose versions or owners of leases must never be used again, not
/// even after a record was removed. They are not a secret. Behind them are 64 bits of the thread's
/// generator, which a copy of the running process, made by fork or from a snapshot of its machine, has
/// too.
#[must_use]
pub fn unique() -> [u8; 16] {
    let mut bytes = [0; 16];
    fastrand::Rng::new().fill(&mut bytes);
    bytes
}

/// A record that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores make it")]
pub struct Loaded {
    /// The record.
    pub value: SecretBytes,
    /// The version of its state.
    pub version: Version,
}

/// The state that a writer expects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must know them all")]
pub enum Expect {
    /// The record does not exist.
    Absent,
    /// The record has this version.
    Version(Version),
    /// Any state. For records that a user enters, not for values computed from what was read.
    Any,
}

impl Expect {
    /// Returns whether the state of a record matches.
    #[must_use]
    pub fn is_met_by(&self, there: Option<&Version>) -> bool {
        match self {
            Self::Absent => there.is_none(),
            Self::Version(version) => there == Some(version),
            Self::Any => true,
        }
    }
}

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was done or not")]
#[must_use = "a conflict means that nothing was written"]
pub enum Swapped {
    /// The record now has this version.
    Done(Version),
    /// Nothing was written; this is the current state.
    Conflict(Option<Loaded>),
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Which tasks share the records.
    pub scope: Scope,
    /// Whether a record survives the end of the process and of the machine.
    pub durable: bool,
    /// The maximum size of a record in bytes.
    pub max_bytes: Option<usize>,
    /// How long a call may take. It ends by itself then, or a little later.
    pub limit: Duration,
}

impl Capabilities {
    /// Describes a store that is durable, takes records of any size, and whose calls take at most
    /// ten seconds.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self {
            scope,
            durable: true,
            max_bytes: None,
            limit: LIMIT,
        }
    }
}

impl Capabilities {
    /// Returns an error if a store with these capabilities cannot take a record, for stores to
    /// check before they write.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) if the record or its name is too long.
    pub fn require_room(&self, key: &Key, value: &SecretBytes) -> Result<()> {
        let too_large = |what, limit| {
            let what = format!("{what} may have {limit} bytes, and this one has more");
            Err(Error::new(ErrorKind::Store, what))
        };
        match self.max_bytes {
            Some(limit) if value.expose().len() > limit => too_large("a record", limit),
            _ if key.namespace.len() + key.profile.len() > LONGEST_NAMES => {
                too_large("the name of a record", LONGEST_NAMES)
            }
            _ => Ok(()),
        }
    }
}

/// How long a call of a store or of leases takes at most, by default.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// The maximum size of the two parts of a name in bytes.
pub(super) const LONGEST_NAMES: usize = 8 << 10;

/// Which tasks share the records of a store; a wider scope compares as greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// The tasks of this process.
    Process,
    /// The processes of this machine.
    Machine,
    /// All machines that reach the store.
    Network,
}

/// Hints that a record may have changed. Hints may be missing or superfluous.
#[derive(Clone, Debug)]
pub struct Watch(watch::Receiver<u64>);

impl Watch {
    /// Creates hints from a number that changes with the record.
    #[must_use]
    pub fn new(changes: watch::Receiver<u64>) -> Self {
        Self(changes)
    }

    /// Returns a number that has grown with each hint.
    pub(super) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits for the next hint. Never returns once the store is gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
