//! A journal in a file.
//!
//! One line for each record: the first 16 digits of its SHA-256, then the record. Lines are only
//! appended; a kill leaves at most one unfinished line at the end, which the next start cuts off.
//! When much of it is done, the rest is written to a file beside and put in its place.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// std has it from 1.89 on; the same names there would win over a plain import.
use fs4::FileExt as Lock;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result};

use super::CommissionId;
use super::journal::{Intent, Journal, OpenCommission, Outcome, apply, listed};
use crate::Serial;

/// A [`Journal`] in a file, which survives a kill at any moment.
///
/// It holds ids and serials, no names. One process has it at a time: beside it lies a lock,
/// `PATH.lock`. Many tasks that write at once share one sync of the disk.
#[derive(Clone, Debug)]
pub struct FileJournal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    written: Mutex<Written>,
    /// How much is safe on the disk. Whoever holds it syncs for all who have written.
    synced: Mutex<u64>,
    /// Held as long as the journal is.
    _lock: File,
}

#[derive(Debug)]
struct Written {
    file: Arc<File>,
    /// Records written since the start, also those before the file was replaced.
    count: u64,
    bytes: u64,
    open: BTreeMap<CommissionId, Option<Serial>>,
    /// After a failed write the end of the file is unknown, so nothing may follow.
    is_broken: bool,
    /// From which size on the file is written anew.
    compact_above: u64,
}

impl Written {
    fn check(&self) -> Result<()> {
        if self.is_broken {
            return Err(Error::new(
                ErrorKind::Store,
                "the journal is broken by an earlier failure; open it anew",
            ));
        }
        Ok(())
    }
}

/// Above this size a journal of which most is done is written anew.
const COMPACT: u64 = 1 << 20;
const OPEN_BYTES: u64 = 128;

impl FileJournal {
    /// Opens a journal, or begins one. Blocks on the disk; call it at the start.
    ///
    /// # Errors
    ///
    /// Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the file cannot be opened or written,
    /// another process has it, or a line other than the last is damaged: then somebody must look,
    /// for what it said is lost.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, crate::Error> {
        Ok(Self::open_file(path.as_ref())?)
    }

    fn open_file(path: &Path) -> Result<Self> {
        let explain = |what: &str, cause| failed(path, what, cause);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        private(&mut options);
        let lock = options
            .open(with_ending(path, "lock"))
            .map_err(|cause| explain("cannot lock", cause))?;
        match Lock::try_lock(&lock) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorKind::Store,
                    format!("another process has the journal {}", path.display()),
                ));
            }
            Err(fs4::TryLockError::Error(cause)) => return Err(explain("cannot lock", cause)),
        }
        let mut file = options
            .open(path)
            .map_err(|cause| explain("cannot open", cause))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)
            .map_err(|cause| explain("cannot read", cause))?;
        let (open, good) = replay(&text).map_err(|line| {
            Error::new(
                ErrorKind::Store,
                format!("line {line} of the journal {} is damaged", path.display()),
            )
        })?;
        if good < text.len() {
            tracing::warn!(
                journal = %path.display(),
                bytes = text.len() - good,
                "an unfinished line at the end of the journal is cut off"
            );
            file.set_len(good as u64)
                .and_then(|()| file.seek(SeekFrom::End(0)))
                .map_err(|cause| explain("cannot cut", cause))?;
        }
        // What was cut off must not come back, and the file must not vanish with its folder.
        file.sync_all()
            .and_then(|()| sync_folder(path))
            .map_err(|cause| explain("cannot sync", cause))?;
        Ok(Self(Arc::new(Shared {
            path: path.to_owned(),
            written: Mutex::new(Written {
                file: Arc::new(file),
                count: 0,
                bytes: good as u64,
                open,
                is_broken: false,
                compact_above: COMPACT,
            }),
            synced: Mutex::new(0),
            _lock: lock,
        })))
    }

    async fn write(&self, record: Record) -> Result<()> {
        let shared = Arc::clone(&self.0);
        // Goes on if the caller gives up: what was begun is written whole.
        spawn_blocking(move || shared.write(record))
            .await
            .unwrap_or_else(|cause| {
                Err(
                    Error::new(ErrorKind::Store, "writing the journal was cut short")
                        .with_source(cause),
                )
            })
    }
}

impl Shared {
    fn write(&self, record: Record) -> Result<()> {
        let mine = self.append(record)?;
        match record {
            Record::Closed(_) => Ok(()),
            Record::Intent(_) => self.sync(mine),
            Record::Committing(id, _) => self.sync(mine).inspect_err(|_| {
                // The caller is told that nothing was decided.
                lock(&self.written).open.insert(id, None);
            }),
        }
    }

    /// Writes a record, and returns how many were written up to it.
    fn append(&self, record: Record) -> Result<u64> {
        let mut written = lock(&self.written);
        written.check()?;
        let line = record.line();
        if let Err(cause) = (&*written.file).write_all(line.as_bytes()) {
            written.is_broken = true;
            return Err(failed(&self.path, "cannot write", cause));
        }
        written.bytes += line.len() as u64;
        written.count += 1;
        record.apply(&mut written.open);
        let needed = OPEN_BYTES * (1 + written.open.len() as u64);
        if written.bytes > written.compact_above && written.bytes > 4 * needed {
            // A long journal is as good as a short one.
            if let Err(cause) = self.compact(&mut written) {
                let journal = self.path.display();
                tracing::warn!(%journal, error = %cause, "the journal cannot be written anew");
                written.compact_above = written.bytes + COMPACT;
            }
        }
        Ok(written.count)
    }

    /// Returns when so many records are safe on the disk.
    fn sync(&self, mine: u64) -> Result<()> {
        let mut synced = lock(&self.synced);
        if *synced >= mine {
            return Ok(());
        }
        let (file, count) = {
            let written = lock(&self.written);
            // Of what an earlier sync failed to write, a later one says nothing.
            written.check()?;
            (Arc::clone(&written.file), written.count)
        };
        if let Err(cause) = file.sync_data() {
            // After a failed sync the system may have dropped what was written.
            lock(&self.written).is_broken = true;
            return Err(failed(&self.path, "cannot sync", cause));
        }
        *synced = count;
        Ok(())
    }

    /// Writes what is open to a file beside, syncs it and puts it into place. A kill leaves the
    /// old file or the new one.
    fn compact(&self, written: &mut Written) -> io::Result<()> {
        let beside = with_ending(&self.path, "new");
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        private(&mut options);
        let file = options.open(&beside)?;
        file.set_len(0)?;
        let mut text = String::new();
        for (&id, &committing) in &written.open {
            text.push_str(&Record::Intent(id).line());
            if let Some(serial) = committing {
                text.push_str(&Record::Committing(id, serial).line());
            }
        }
        (&file).write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        written.bytes = text.len() as u64;
        written.compact_above = COMPACT;
        written.file = Arc::new(file);
        // Until the folder is safe, a crash of the machine may bring the old file back.
        sync_folder(&self.path).inspect_err(|_| written.is_broken = true)
    }
}

impl Journal for FileJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.write(Record::Intent(intent.id)))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(match outcome {
            Outcome::Committing(serial) => Record::Committing(id, serial),
            Outcome::Closed => Record::Closed(id),
        }))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        let open = listed(&lock(&self.0.written).open);
        Box::pin(std::future::ready(Ok(open)))
    }
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    Intent(CommissionId),
    Committing(CommissionId, Serial),
    Closed(CommissionId),
}

impl Record {
    fn line(self) -> String {
        let text = match self {
            Self::Intent(id) => format!("intent {id}"),
            Self::Committing(id, serial) => format!("committing {id} {serial}"),
            Self::Closed(id) => format!("closed {id}"),
        };
        format!("{} {text}\n", checksum(&text))
    }

    fn parse(line: &str) -> Option<Self> {
        let (sum, text) = line.split_once(' ')?;
        if sum != checksum(text) {
            return None;
        }
        let mut words = text.split(' ');
        let (kind, id) = (words.next()?, words.next()?.parse().ok()?);
        let record = match kind {
            "intent" => Self::Intent(id),
            "committing" => Self::Committing(id, words.next()?.parse().ok()?),
            "closed" => Self::Closed(id),
            _ => return None,
        };
        words.next().is_none().then_some(record)
    }

    fn apply(self, open: &mut BTreeMap<CommissionId, Option<Serial>>) {
        match self {
            Self::Intent(id) => {
                open.insert(id, None);
            }
            Self::Committing(id, serial) => apply(open, id, Outcome::Committing(serial)),
            Self::Closed(id) => apply(open, id, Outcome::Closed),
        }
    }
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads all records, and returns how many bytes of them are good. An unfinished line at the end
/// is not; any other that is not is told by its number.
fn replay(text: &[u8]) -> Result<(BTreeMap<CommissionId, Option<Serial>>, usize), usize> {
    let mut open = BTreeMap::new();
    let mut good = 0;
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let record = line
            .strip_suffix(b"\n")
            .and_then(|line| std::str::from_utf8(line).ok())
            .and_then(Record::parse);
        match record {
            Some(record) => record.apply(&mut open),
            // Of a line that was being written when the power went, any part may be missing.
            None if good + line.len() == text.len() => break,
            None => return Err(index + 1),
        }
        good += line.len();
    }
    Ok((open, good))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Other users of the machine have no business with it.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes a new name in a folder survive a crash.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn failed(path: &Path, what: &str, cause: io::Error) -> Error {
    let message = format!("{what} the journal {}", path.display());
    Error::new(ErrorKind::Store, message).with_source(cause)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_after_a_failed_one_does_not_make_up_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let journal = FileJournal::open(folder.path().join("journal")).unwrap();
        let mine = |record| journal.0.append(record).unwrap();
        let (first, second) = (CommissionId::random(), CommissionId::random());
        let (first, second) = (
            mine(Record::Intent(first.unwrap())),
            mine(Record::Intent(second.unwrap())),
        );
        journal.0.sync(first).unwrap();
        journal.0.sync(second).unwrap();
        let third = mine(Record::Intent(CommissionId::random().unwrap()));
        // The sync of another task has failed meanwhile.
        lock(&journal.0.written).is_broken = true;
        assert!(journal.0.sync(third).is_err());
        assert!(journal.0.sync(second).is_ok());
    }

    #[test]
    fn a_journal_that_cannot_be_written_anew_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = FileJournal::open(&path).unwrap();
        // Where the new file would be, there is something else.
        fs::create_dir(with_ending(&path, "new")).unwrap();
        let id = CommissionId::random().unwrap();
        journal.0.write(Record::Intent(id)).unwrap();
        lock(&journal.0.written).compact_above = 0;
        let other = CommissionId::random().unwrap();
        for _ in 0..20 {
            journal.0.write(Record::Closed(other)).unwrap();
        }
        drop(journal);
        let journal = FileJournal::open(&path).unwrap();
        assert!(lock(&journal.0.written).open.contains_key(&id));
    }
}
