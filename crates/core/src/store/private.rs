//! A file that only one process can have open.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use zeroize::Zeroizing;

use super::place::{Identity, Links, folder_of, open_regular, require_one_name, resolve};
use super::{Disk, Draft, Owner, lock, require_private_folder};
use crate::sync::lock;

/// A file that belongs to this user alone, that one process has open at a time, and that is
/// appended to or replaced whole.
///
/// The file itself is locked, so a second process cannot open it by another name. Each write first
/// checks that the path still refers to the open file, that the file has no other name, and that no
/// other writer changed it: a write that would be lost is refused.
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
    file: Arc<File>,
    held: Held,
    length: u64,
    /// Why writes are refused.
    closed: Option<&'static str>,
    disk: Arc<dyn Disk>,
}

/// The open file, to be synced while others write.
#[derive(Clone, Debug)]
pub struct Handle {
    file: Arc<File>,
    disk: Arc<dyn Disk>,
}

impl PrivateFile {
    /// Opens a file, or creates it with the content `initial`.
    ///
    /// # Errors
    ///
    /// If it is not a regular file, belongs to another user, may be written by others, has several
    /// names, lies in a folder where others can replace it (see [`require_private_folder`]), or is
    /// open already; the error says by which process. An existing file is not changed: see
    /// [`claim`](Self::claim).
    pub fn open(path: &Path, initial: &[u8], disk: Arc<dyn Disk>) -> io::Result<Self> {
        let path = resolve(path)?;
        let owner = Owner::of_process();
        require_private_folder(folder_of(&path), owner)?;
        // Each round was lost to another process that has created or replaced the file in the
        // meantime.
        for _ in 0..ROUNDS {
            let mut options = OpenOptions::new();
            options.read(true).append(true);
            let opened = match open_regular(&path, &mut options, Links::Refuse)? {
                Some(file) => Self::locked(&path, file, owner, &disk)?,
                None => Self::created(&path, initial, &disk)?,
            };
            if let Some(opened) = opened {
                return Ok(opened);
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, BY_ANOTHER))
    }

    /// `None` if the path now refers to another file.
    fn locked(
        path: &Path,
        file: File,
        owner: Owner,
        disk: &Arc<dyn Disk>,
    ) -> io::Result<Option<Self>> {
        let about = file.metadata()?;
        owner.require_for(&about)?;
        let file = Arc::new(file);
        let held = Held::lock(&file, Identity::of(&about, path))?;
        match fs::symlink_metadata(path) {
            Ok(there) if Identity::of(&there, path) == held.identity => {}
            Ok(_) => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause),
        }
        // Checked under the lock: a process that replaces the file holds it, and the file briefly
        // has two names.
        let about = file.metadata()?;
        require_one_name(&about)?;
        // Its creator may have been killed before the name was safe.
        disk.sync_folder(folder_of(path))?;
        Ok(Some(Self {
            path: path.to_owned(),
            file,
            held,
            length: about.len(),
            closed: None,
            disk: Arc::clone(disk),
        }))
    }

    /// `None` if another process created it first.
    fn created(path: &Path, initial: &[u8], disk: &Arc<dyn Disk>) -> io::Result<Option<Self>> {
        let draft = Draft::beside_on(path, Arc::clone(disk))?;
        draft.write(initial)?;
        let about = draft.metadata()?;
        // It has been locked since it was created, and no other process knows its name.
        let mut held = Held::expect(Identity::of(&about, path));
        let file = match draft.place_new_locked() {
            Ok(file) => held.holds(file),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let opened = Self {
            path: path.to_owned(),
            file,
            held,
            length: initial.len() as u64,
            closed: None,
            disk: Arc::clone(disk),
        };
        opened.disk.sync_folder(folder_of(path))?;
        Ok(Some(opened))
    }

    /// Makes the file private if others may read it, and removes drafts that killed writers left
    /// next to it. Call this once the content shows that the file is the caller's own: by a wrong
    /// setting it may be any file, which other programs need to read.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn claim(&self) -> io::Result<()> {
        make_private(&self.file)?;
        if let Ok(newest) = self.file.metadata()?.modified() {
            Draft::sweep(&self.path, newest);
        }
        Ok(())
    }

    /// Returns the path of the file, with symbolic links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the length of the file in bytes, without failed writes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads the first `most` bytes, or all if there are fewer. Their memory is wiped when dropped.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let most = most.min(self.length);
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let room = usize::try_from(most).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let mut file = &*self.file;
        io::Seek::rewind(&mut file)?;
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Appends to the file. The data survives a kill, and a power cut once it is
    /// [synced](Handle::sync).
    ///
    /// # Errors
    ///
    /// If the path refers to another file, the file was changed in the meantime, or the disk fails.
    /// A partial write is cut off again; if that fails too, all later writes are refused.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        if let Err(cause) = self.disk.write(&self.file, bytes) {
            if self.disk.cut(&self.file, self.length).is_err() {
                self.closed = Some("a failed write left it with an unknown end");
            }
            return Err(cause);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Shortens the file, and returns once that survives a power cut.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        self.check()?;
        self.disk.cut(&self.file, length)?;
        self.length = length;
        self.disk
            .sync(&self.file)
            .inspect_err(|_| self.close("a sync failed after it was cut"))
    }

    /// Replaces the content. After a kill or a power cut, the file has the old content or the new.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and the old content is kept. If only syncing the folder fails,
    /// the new content is in place, a power cut may bring the old one back, and later writes are
    /// refused.
    pub fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        self.check()?;
        let draft = Draft::beside_on(&self.path, Arc::clone(&self.disk))?;
        draft.write(content)?;
        let mut held = Held::expect(Identity::of(&draft.metadata()?, &self.path));
        self.file = held.holds(draft.replace_locked()?);
        // The lock on the old file is released only now, when no path refers to it.
        self.held = held;
        self.length = content.len() as u64;
        self.disk
            .sync_folder(folder_of(&self.path))
            .inspect_err(|_| self.close("a sync failed after it was replaced"))
    }

    /// Refuses all later writes. For a failed sync, after which the state of the file is unknown.
    pub fn close(&mut self, reason: &'static str) {
        self.closed = Some(reason);
    }

    /// Returns the open file, to be synced while others write. After [`replace`](Self::replace) it
    /// is still the old file, whose content is part of the new one.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            file: Arc::clone(&self.file),
            disk: Arc::clone(&self.disk),
        }
    }

    /// Checks that a write would not be lost.
    ///
    /// # Errors
    ///
    /// Says why it would be lost.
    pub fn check(&self) -> io::Result<()> {
        if let Some(reason) = self.closed {
            return Err(io::Error::other(format!("{reason}; open it again")));
        }
        let about = fs::symlink_metadata(&self.path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => io::Error::new(cause.kind(), "it was removed while open"),
            _ => cause,
        })?;
        if Identity::of(&about, &self.path) != self.held.identity {
            return Err(io::Error::other("another file took its place while open"));
        }
        if about.len() != self.length {
            return Err(io::Error::other(format!(
                "it was changed meanwhile: {} bytes instead of {}",
                about.len(),
                self.length
            )));
        }
        require_one_name(&about)
    }
}

impl Handle {
    /// Returns once everything written before survives a power cut.
    ///
    /// # Errors
    ///
    /// If it may not survive.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }
}

/// A file that this process has locked; dropping it gives up the lock.
#[derive(Debug)]
struct Held {
    identity: Identity,
    file: Option<Arc<File>>,
}

/// The files that this process has open. A lock shows that a file is open, but not by which
/// process.
static HELD: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());

impl Held {
    /// Locks a file.
    fn lock(file: &Arc<File>, identity: Identity) -> io::Result<Self> {
        let mut all = all_held();
        if lock::try_exclusive(file)? {
            all.insert(identity.clone());
            return Ok(Self {
                identity,
                file: Some(Arc::clone(file)),
            });
        }
        let who = if all.contains(&identity) {
            "this process has it open already"
        } else {
            BY_ANOTHER
        };
        Err(io::Error::new(io::ErrorKind::WouldBlock, who))
    }

    /// Registers a locked draft as open in this process, before others can find it.
    fn expect(identity: Identity) -> Self {
        all_held().insert(identity.clone());
        Self {
            identity,
            file: None,
        }
    }

    fn holds(&mut self, file: File) -> Arc<File> {
        let file = Arc::new(file);
        self.file = Some(Arc::clone(&file));
        file
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut all = all_held();
        all.remove(&self.identity);
        if let Some(file) = &self.file {
            // Closing it may not be enough: a child process that is being started shares it for a
            // moment.
            let _ = lock::unlock(file);
        }
    }
}

fn all_held() -> MutexGuard<'static, BTreeSet<Identity>> {
    lock(&HELD)
}

const BY_ANOTHER: &str = "another process has it open";
const ROUNDS: usize = 8;

/// Removes the permissions of other users. They could not write the file.
fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mut permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            file.set_permissions(permissions)?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests;
