//! Reading and writing the file under a lock, whatever the bytes mean.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vouchsafe_core::store::{Disk, Draft, Owner, lock, open_to_read};
use zeroize::Zeroizing;

use super::layout::{Members, TABLE, Tables};
use super::{SystemDisk, WriteMode, record};

/// The path of the file, and how it is written.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    mode: WriteMode,
    disk: Arc<dyn Disk>,
    has_warned: AtomicBool,
}

/// The result of an attempt.
pub(super) enum Tried<T> {
    Done(T),
    /// Another process has the lock.
    Busy,
    /// A program that locks nothing has written while the change was prepared.
    Overtaken,
    /// The file cannot be read; another process may be writing it.
    Damaged,
}

impl<T> Tried<T> {
    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Tried<U> {
        match self {
            Self::Done(done) => Tried::Done(map(done)),
            Self::Busy => Tried::Busy,
            Self::Overtaken => Tried::Overtaken,
            Self::Damaged => Tried::Damaged,
        }
    }
}

/// The result of a repair.
pub(super) enum Repaired {
    Done,
    /// The file is not damaged.
    NotNeeded,
    /// There is no good content.
    Impossible,
}

/// How long a file may stay half written by programs that do not lock it.
pub(super) const TORN: Duration = Duration::from_millis(500);

impl Place {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            mode: WriteMode::default(),
            disk: Arc::new(SystemDisk),
            has_warned: AtomicBool::new(false),
        }
    }

    pub(super) fn with_mode(&self, mode: WriteMode) -> Self {
        Self {
            mode,
            ..self.copied()
        }
    }

    pub(super) fn with_disk(&self, disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            ..self.copied()
        }
    }

    fn copied(&self) -> Self {
        Self {
            mode: self.mode,
            disk: Arc::clone(&self.disk),
            ..Self::new(self.path.clone())
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn mode(&self) -> WriteMode {
        self.mode
    }

    /// Reads the file. `read` returns `None` for damaged tables.
    pub(super) fn read<T>(
        &self,
        waited: Duration,
        read: impl FnOnce(&Tables) -> Option<T>,
    ) -> io::Result<Tried<T>> {
        let lock = match self.open_lock()? {
            None => None,
            Some(file) if lock::try_shared(&file)? => Some(Locked(file)),
            Some(_) => return Ok(Tried::Busy),
        };
        if self.beside(NEW).exists() {
            drop(lock);
            return self.change(waited, |tables| Some((read(tables)?, false)));
        }
        let bytes = self.content()?;
        // The first writer has created the lock in the meantime.
        if lock.is_none() && self.beside(LOCK).exists() {
            return Ok(Tried::Busy);
        }
        let tables = Tables::read(&bytes);
        let found = tables.as_ref().and_then(read);
        if found.is_some() && lock.is_some() && !self.is_kept(&bytes) && has_profiles(&bytes) {
            drop(lock);
            self.keep_if_possible(Self::keep_what_others_wrote);
        }
        Ok(done(found))
    }

    /// Changes the file. `change` returns `None` for damaged tables, otherwise whether to write. `waited` is how
    /// long programs that lock nothing have been in the way.
    pub(super) fn change<T>(
        &self,
        waited: Duration,
        change: impl FnOnce(&mut Tables) -> Option<(T, bool)>,
    ) -> io::Result<Tried<T>> {
        let Some(_lock) = self.lock()? else {
            return Ok(Tried::Busy);
        };
        if !self.complete(waited)? {
            return Ok(Tried::Damaged);
        }
        let content = self.content()?;
        let Some(mut tables) = Tables::read(&content) else {
            return Ok(Tried::Damaged);
        };
        let Some((result, has_changed)) = change(&mut tables) else {
            return Ok(Tried::Damaged);
        };
        // An empty table, such as `pancloud` makes of a file that was cut to nothing, takes the place of a
        // copy with profiles only once a change replaces that, too.
        if has_profiles(&content) || !self.has_backup_of_profiles() {
            self.keep_if_possible(|place| place.keep(&content));
        }
        if has_changed {
            // A program that writes all the time must not block a change for ever.
            let before = (waited < TORN).then_some(&**content);
            if !self.write(tables.text().as_bytes(), before)? {
                return Ok(Tried::Overtaken);
            }
        }
        Ok(Tried::Done(result))
    }

    /// Returns what is odd about a file that is not JSON.
    pub(super) fn oddity(&self) -> Option<String> {
        Tables::oddity(&self.content().ok()?)
    }

    /// Returns which member of a profile has the wrong type.
    pub(super) fn mistyped(&self) -> Option<String> {
        let tables = Tables::read(&self.content().ok()?)?;
        let found = tables.documents(TABLE)?.into_iter();
        let mut mistyped = found.filter_map(|(id, members)| Some((id, record::mistyped(members)?)));
        let (id, name) = mistyped.next()?;
        Some(format!("{name} of document {id} is not text"))
    }

    /// Replaces a damaged file by its last good content, and keeps the damaged one.
    pub(super) fn repair(&self, waited: Duration) -> io::Result<Tried<Repaired>> {
        let Some(_lock) = self.lock()? else {
            return Ok(Tried::Busy);
        };
        if !self.complete(waited)? {
            return Ok(Tried::Damaged);
        }
        let damaged = self.content()?;
        if is_sound(&damaged) {
            return Ok(Tried::Done(Repaired::NotNeeded));
        }
        if waited < TORN {
            return Ok(Tried::Damaged);
        }
        let kept = read(&self.beside(BACKUP))?.filter(|kept| is_sound(kept));
        let Some(kept) = kept else {
            return Ok(Tried::Done(Repaired::Impossible));
        };
        // Other programs may still be able to read it.
        self.draft(DAMAGED, &damaged)?;
        self.write_in_place(&kept)?;
        Ok(Tried::Done(Repaired::Done))
    }

    pub(super) fn read_leases<T>(
        &self,
        read: impl FnOnce(&Members) -> Option<T>,
    ) -> io::Result<Tried<T>> {
        let Some(file) = self.open_lock()? else {
            return Ok(done(read(&Members::new())));
        };
        if !lock::try_shared(&file)? {
            return Ok(Tried::Busy);
        }
        let file = Locked(file);
        Ok(done(read(&leases(&file.0)?)))
    }

    pub(super) fn change_leases<T>(
        &self,
        change: impl FnOnce(&mut Members) -> Option<(T, bool)>,
    ) -> io::Result<Tried<T>> {
        let Some(file) = self.lock()? else {
            return Ok(Tried::Busy);
        };
        let mut members = leases(&file.0)?;
        let Some((result, has_changed)) = change(&mut members) else {
            return Ok(Tried::Damaged);
        };
        if has_changed {
            // Emptied first: half of the new leases followed by the rest of the old ones could look
            // like leases. Not synced: no lease outlives the machine.
            self.disk.cut(&file.0, 0)?;
            (&file.0).rewind()?;
            let bytes = serde_json::to_vec(&members)?;
            self.disk.write(&file.0, &bytes)?;
        }
        Ok(Tried::Done(result))
    }

    /// Takes the exclusive lock, unless another process has it.
    fn lock(&self) -> io::Result<Option<Locked>> {
        make_folder(folder_of(&self.path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private(&mut options).open(self.beside(LOCK))?;
        Ok(lock::try_exclusive(&file)?.then_some(Locked(file)))
    }

    /// Opens the lock file, if a writer has created it.
    fn open_lock(&self) -> io::Result<Option<File>> {
        open_to_read(&self.beside(LOCK))
    }

    /// Reads the file; nothing if it does not exist.
    fn content(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let Some(file) = open_to_read(&self.path)? else {
            return Ok(Zeroizing::default());
        };
        self.warn(&file);
        read_open(&file)
    }

    /// Writes the file. In place, it returns `false` and writes nothing if the content is no longer `before`,
    /// since `pancloud`, which takes no lock, has written in the meantime.
    fn write(&self, bytes: &[u8], before: Option<&[u8]>) -> io::Result<bool> {
        match self.mode {
            WriteMode::InPlace => {
                self.draft(NEW, bytes)?;
                if let Some(before) = before
                    && **self.content()? != *before
                {
                    fs::remove_file(self.beside(NEW))?;
                    return Ok(false);
                }
                self.write_in_place(bytes)?;
                self.keep_backup()?;
            }
            WriteMode::Replace => {
                self.draft(BACKUP, bytes)?;
                let permissions = fs::metadata(&self.path)
                    .ok()
                    .map(|there| there.permissions());
                let draft = Draft::beside(&self.path)?;
                draft.write(bytes)?;
                draft.replace()?;
                if let Some(permissions) = permissions {
                    fs::set_permissions(&self.path, permissions)?;
                }
            }
        }
        Ok(true)
    }

    /// Completes the write of a process that was killed, from the complete content next to the
    /// file, unless others have written since. Returns `false` if others may be writing.
    fn complete(&self, waited: Duration) -> io::Result<bool> {
        let new = self.beside(NEW);
        let Some(content) = read(&new)? else {
            return Ok(true);
        };
        let there = read(&self.path)?.unwrap_or_default();
        let before = read(&self.beside(BACKUP))?.unwrap_or_default();
        let is_torn = !there.is_empty() && Tables::read(&there).is_none();
        if is_torn && waited < TORN {
            return Ok(false);
        }
        // Half of it can be good JSON, too, and the copy has more than a file that was emptied.
        let is_ours = there.is_empty()
            || is_half_written(&there, &content, &before)
            || (!is_torn && !has_profiles(&there) && has_profiles(&before));
        if is_torn && !is_ours {
            self.draft(DAMAGED, &there)?;
        }
        // A write that is not needed could only meet one of others.
        if (is_torn || is_ours) && there != content {
            self.write_in_place(&content)?;
        }
        self.keep_backup()?;
        Ok(true)
    }

    /// Keeps the content of the file as the last good one. `pancloud` keeps none, so a repair would
    /// otherwise bring back what it has replaced, such as a spent refresh token.
    fn keep(&self, content: &[u8]) -> io::Result<()> {
        if self.is_kept(content) || !is_sound(content) || !self.is_of_process()? {
            return Ok(());
        }
        self.draft(BACKUP, content)
    }

    /// Returns whether the file belongs to the user of this process. The owner could not read a copy that
    /// another user made, such as root.
    fn is_of_process(&self) -> io::Result<bool> {
        let owner = Owner::of_file(&fs::metadata(&self.path)?);
        Ok(owner == Owner::of_process())
    }

    /// Keeps what another program wrote, under the lock.
    fn keep_what_others_wrote(&self) -> io::Result<()> {
        if !self.is_of_process()? {
            return Ok(());
        }
        let Some(_lock) = self.lock()? else {
            return Ok(());
        };
        // A killed writer's content is completed first.
        if self.beside(NEW).exists() {
            return Ok(());
        }
        let content = self.content()?;
        match has_profiles(&content) {
            true => self.keep(&content),
            false => Ok(()),
        }
    }

    /// Reading must work where nothing can be written.
    fn keep_if_possible(&self, keep: impl FnOnce(&Self) -> io::Result<()>) {
        if let Err(cause) = keep(self) {
            let file = self.beside(BACKUP);
            tracing::debug!(file = %file.display(), %cause, "the last good content was not kept");
        }
    }

    /// Returns whether this is the last good content, or none worth keeping.
    fn is_kept(&self, content: &[u8]) -> bool {
        // A file that was cut to nothing reads as one without profiles.
        content.is_empty()
            || matches!(read(&self.beside(BACKUP)), Ok(Some(kept)) if *kept == content)
    }

    fn has_backup_of_profiles(&self) -> bool {
        matches!(read(&self.beside(BACKUP)), Ok(Some(kept)) if has_profiles(&kept))
    }

    fn keep_backup(&self) -> io::Result<()> {
        self.disk.rename(&self.beside(NEW), &self.beside(BACKUP))?;
        self.disk.sync_folder(folder_of(&self.path))?;
        if let Ok(newest) = fs::metadata(&self.path).and_then(|file| file.modified()) {
            for ending in [NEW, BACKUP, DAMAGED] {
                Draft::sweep(&self.beside(ending), newest);
            }
        }
        Ok(())
    }

    fn draft(&self, ending: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = Draft::beside(&self.beside(ending))?;
        draft.write(bytes)?;
        draft.replace()
    }

    fn write_in_place(&self, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private(&mut options).open(&self.path)?;
        overwrite(&file, bytes, &*self.disk)?;
        self.disk.sync(&file)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(ending);
        PathBuf::from(path)
    }

    /// Warns once that others can read the file.
    fn warn(&self, file: &File) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = file
                .metadata()
                .map_or(0, |there| there.permissions().mode());
            if mode & 0o044 != 0 && !self.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    file = %self.path.display(),
                    mode = %format_args!("{:04o}", mode & 0o7777),
                    "other users can read the credentials; run chmod go-r"
                );
            }
        }
        #[cfg(not(unix))]
        let _ = file;
    }
}

/// A locked file; dropping it gives up the lock.
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file may not be enough: a child process that is being started shares it for a
        // moment.
        let _ = lock::unlock(&self.0);
    }
}

fn done<T>(found: Option<T>) -> Tried<T> {
    found.map_or(Tried::Damaged, Tried::Done)
}

/// Returns whether profiles can be read from the content of a file.
fn is_sound(content: &[u8]) -> bool {
    Tables::read(content).is_some_and(|tables| tables.documents(TABLE).is_some())
}

/// Returns whether there is anything to lose in the content of a file. `pancloud` makes one that was cut to
/// nothing into one with an empty table.
fn has_profiles(content: &[u8]) -> bool {
    Tables::read(content)
        .is_some_and(|tables| (tables.documents(TABLE)).is_some_and(|found| !found.is_empty()))
}

/// Reads leases. A file that a killed process left half written holds no leases.
fn leases(file: &File) -> io::Result<Members> {
    Ok(serde_json::from_slice(&read_open(file)?).unwrap_or_default())
}

/// Returns whether a file is what a write in place left when it was interrupted.
fn is_half_written(there: &[u8], new: &[u8], old: &[u8]) -> bool {
    let pairs = there.iter().zip(new);
    let written = pairs.take_while(|(one, other)| one == other).count();
    let rest = &there[written..];
    rest.is_empty() || old.get(written..) == Some(rest)
}

/// Readers that do not lock the file may briefly see the old end after the new content, but never a
/// file that ends early.
fn overwrite(file: &File, bytes: &[u8], disk: &dyn Disk) -> io::Result<()> {
    let mut at_start = file;
    at_start.rewind()?;
    disk.write(file, bytes)?;
    disk.sync(file)?;
    // Programs that lock nothing may have written meanwhile: cut to our length, theirs would be damaged.
    let there = read_open(file)?;
    match there.len() > bytes.len() && there.starts_with(bytes) {
        true => disk.cut(file, bytes.len() as u64),
        false => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    open_to_read(path)?.as_ref().map(read_open).transpose()
}

fn read_open(mut file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata()?.len();
    if length > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.rewind()?;
    // Reserve all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(length).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Restricts a new file to its owner.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

const LOCK: &str = ".lock";
const NEW: &str = ".new";
const BACKUP: &str = ".bak";
const DAMAGED: &str = ".damaged";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;
