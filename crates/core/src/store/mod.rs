//! Credentials and decisions shared by several tasks or processes.
//!
//! | part | holds |
//! | --- | --- |
//! | [`Store`] | the trait for shared records, whose writes never overwrite unseen changes |
//! | [`MemoryStore`], [`FolderStore`] | records in memory, and in files of one machine |
//! | [`Leases`], [`StoreLeases`] | which process makes a request that must be made once |
//! | [`Claims`] | for implementations of leases: acquisitions whose answers were lost |
//! | [`WithLease`], [`ReadThrough`] | two stores combined |
//! | [`CacheOver`] | a store that is read through a cache |
//! | `Sealed` (feature `seal`) | records encrypted in any store |
//! | [`Address`] | where a server is that does not speak HTTP |
//! | `Reach` (feature `client`) | the options that all stores on servers have |
//! | [`Link`] | the connection of a store on a server |
//! | [`Base64`] | bytes of a record in the JSON of a server |
//! | [`Hints`] | notifications of changes from a server |
//! | `contract` (feature `mock`) | the behaviour that every store must have, as tests |
//! | [`PrivateFile`] | a file that one process has open at a time and appends to |
//! | [`Draft`] | a new file next to an old one, put into place completely or not at all |
//! | [`open_to_read`], [`Owner`], [`require_private_folder`] | checks before a file is trusted |
//! | [`lock`] | advisory locks on open files |
//! | [`Disk`] | the individual disk operations, replaceable in tests |
//!
//! Functions that are not `async` block. In async code call them through
//! [`task::blocking`](crate::task::blocking).
//!
//! Owners, modes and the identity of files are checked on Unix; other systems skip these checks.

mod address;
mod cached;
mod claims;
mod combined;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod contract;
mod disk;
mod draft;
mod encoded;
mod folder;
mod hints;
mod lease;
mod link;
pub mod lock;
mod memory;
mod place;
mod private;
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
mod reach;
mod record;
#[cfg(feature = "seal")]
#[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
mod sealed;

pub use address::Address;
pub use cached::CacheOver;
pub use claims::{Claim, Claims};
pub use combined::{ReadThrough, WithLease};
pub use disk::{Disk, SystemDisk};
pub use draft::Draft;
pub use encoded::Base64;
pub use folder::FolderStore;
pub use hints::{Board, Hints};
pub use lease::StoreLeases;
pub use link::{Broken, Link};
pub use memory::MemoryStore;
pub use place::{Owner, open_to_read, require_private_folder};
pub use private::{Handle, PrivateFile};
#[cfg(feature = "client")]
pub use reach::Reach;
pub use record::{
    Acquired, Capabilities, Expect, Key, Lease, Leases, Loaded, Scope, Store, Swapped, Version,
    Watch, unique,
};
#[cfg(feature = "seal")]
pub use sealed::{KeySource, Sealed, SealingKey, WrappedKey};
