//! Credentials and decisions that several tasks or processes share.
//!
//! | part | holds |
//! | --- | --- |
//! | [`Store`] | the trait of shared records: nobody overwrites what they have not seen |
//! | [`MemoryStore`], [`FolderStore`] | records in memory, and in files of one machine |
//! | [`Leases`], [`StoreLeases`] | who makes a request that must be made once |
//! | `contract` (feature `mock`) | what every store must do, as tests |
//! | [`PrivateFile`] | a file that one process has open at a time and appends to |
//! | [`Draft`] | a new file beside an old one, put into its place whole or not at all |
//! | [`open_to_read`], [`Owner`], [`require_private_folder`] | checks before anything is believed |
//! | [`lock`] | advisory locks on open files |
//! | [`Disk`] | the steps on disk, replaceable in tests |
//!
//! What is not `async` here blocks. In async code call it through
//! [`task::blocking`](crate::task::blocking).
//!
//! Owners, modes and the identity of files are checked on Unix; other systems skip these checks.

#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod contract;
mod disk;
mod draft;
mod folder;
mod lease;
pub mod lock;
mod memory;
mod place;
mod private;
mod record;

pub use disk::{Disk, SystemDisk};
pub use draft::Draft;
pub use folder::FolderStore;
pub use lease::{Acquired, Lease, Leases, StoreLeases};
pub use memory::MemoryStore;
pub use place::{Owner, open_to_read, require_private_folder};
pub use private::{Handle, PrivateFile};
pub use record::{Capabilities, Expect, Key, Loaded, Scope, Store, Swapped, Version, Watch};
