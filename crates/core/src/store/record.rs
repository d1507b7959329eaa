//! Records that several tasks, processes or machines share. How a token is refreshed is not here.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::{BoxFuture, Result, SecretBytes};

/// Keeps records that several may change at once: nobody overwrites what they have not seen.
///
/// A record is text or bytes that are a secret; what they mean is up to the caller. Any call may
/// fail with an error of kind [`Store`](crate::ErrorKind::Store), which is
/// [retryable](crate::Error::is_retryable) if the store may answer later.
///
/// Implementations pass [`store_contract!`](crate::store_contract).
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Returns a record, or `None` if there is none. A reader never sees half of a record.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>>;

    /// Writes a record if what is there is what the caller expects. Once this returns
    /// [`Swapped::Done`] the record is as durable as [`Capabilities::durable`] says.
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>>;

    /// Removes a record if what is there is what the caller expects, and returns whether it did:
    /// `false` if there is no record or another one.
    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>>;

    /// Returns the profiles of a namespace in order, or `None` if the store cannot list them.
    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let _ = namespace;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Returns hints that a record may have changed, if the store gives any.
    fn watch(&self, key: &Key) -> Option<Watch> {
        let _ = key;
        None
    }

    /// Returns what the store can do.
    fn capabilities(&self) -> Capabilities;
}

/// Names a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    namespace: String,
    profile: String,
    kind: Kind,
}

/// What is kept under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Record,
    Lease,
}

impl Key {
    /// Names a record. Any text will do, the empty one included; it is no secret.
    pub fn new(namespace: impl Into<String>, profile: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            profile: profile.into(),
            kind: Kind::Record,
        }
    }

    /// Returns what the record belongs to, such as an application.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the name within the namespace.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns the name of the lease on this record, which no caller can name otherwise. Stores
    /// do not list it.
    #[must_use]
    pub fn lease(&self) -> Self {
        Self {
            kind: Kind::Lease,
            ..self.clone()
        }
    }

    /// Returns whether this names a lease and not a record.
    #[must_use]
    pub fn is_lease(&self) -> bool {
        self.kind == Kind::Lease
    }
}

/// Tells one state of a record from any other. Versions have no order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Arc<[u8]>);

impl Version {
    /// Makes one of what the store tells versions by.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// Returns what the store tells versions by.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores make it")]
pub struct Loaded {
    /// The record.
    pub value: SecretBytes,
    /// Which state of it.
    pub version: Version,
}

/// What a writer expects to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must know them all")]
pub enum Expect {
    /// No record.
    Absent,
    /// The record in this state.
    Version(Version),
    /// Anything. For records that somebody enters, not for what is computed of what was read.
    Any,
}

impl Expect {
    /// Returns whether this is there.
    #[must_use]
    pub fn is_met_by(&self, there: Option<&Version>) -> bool {
        match self {
            Self::Absent => there.is_none(),
            Self::Version(version) => there == Some(version),
            Self::Any => true,
        }
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was done or not")]
#[must_use = "a conflict means that nothing was written"]
pub enum Swapped {
    /// The record is there in this state.
    Done(Version),
    /// Nothing was written; this is there instead.
    Conflict(Option<Loaded>),
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Who shares the records.
    pub scope: Scope,
    /// Whether a record survives the end of the process and of the machine.
    pub durable: bool,
    /// How many bytes a record may have.
    pub max_bytes: Option<usize>,
}

impl Capabilities {
    /// Describes a store that is durable and takes records of any size.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self {
            scope,
            durable: true,
            max_bytes: None,
        }
    }
}

/// Who shares the records of a store; a wider scope is greater.
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

/// Hints that a record may have changed. A hint can be missing or be one too many.
#[derive(Clone, Debug)]
pub struct Watch(watch::Receiver<u64>);

impl Watch {
    /// Makes one of a number that changes with the record.
    #[must_use]
    pub fn new(changes: watch::Receiver<u64>) -> Self {
        Self(changes)
    }

    /// Waits for the next hint. Never returns if the store is gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
