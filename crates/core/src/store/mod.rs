//! Files that hold credentials or decisions, and that several processes may reach.
//!
//! | part | holds |
//! | --- | --- |
//! | [`PrivateFile`] | a file that one process has open at a time and appends to |
//! | [`Draft`] | a new file beside an old one, put into its place whole or not at all |
//! | [`open_to_read`], [`Owner`], [`require_private_folder`] | checks before anything is believed |
//! | [`lock`] | advisory locks on open files |
//! | [`Disk`] | the steps on disk, replaceable in tests |
//!
//! Everything here blocks. In async code call it through [`task::blocking`](crate::task::blocking).
//!
//! Owners, modes and the identity of files are checked on Unix; other systems skip these checks.

mod disk;
mod draft;
pub mod lock;
mod place;
mod private;

pub use disk::{Disk, SystemDisk};
pub use draft::Draft;
pub use place::{Owner, open_to_read, require_private_folder};
pub use private::{Handle, PrivateFile};
