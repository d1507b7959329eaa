//! A journal in a file: writing, syncing and replacing it. What the lines mean is in `lines`.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use vouchsafe_core::store::{Disk, PrivateFile, SystemDisk};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::blocking;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result};

use super::CommissionId;
use super::journal::{Intent, Journal, Known, OpenCommission, Outcome, check, listed};
use super::lines::{Form, HEADER, Line, OPEN_BYTES, START, file_of, replay};

/// A [`Journal`] in a file, which survives a kill at any point and a power cut.
///
/// The file contains ids and serials, no names. Only one journal has the file open at a time,
/// whatever path leads to it. Tasks that write at the same time share one sync of the disk.
///
/// After a failed write, such as on a full disk, the partial record is removed and later records
/// may succeed. After a failed *sync* the contents of the disk are unknown: the journal refuses all
/// later records, and must be opened again.
#[derive(Clone, Debug)]
pub struct FileJournal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    written: Mutex<Written>,
    /// The number of records that are safe on the disk. The task that holds the lock syncs for all
    /// tasks that have written.
    synced: Mutex<u64>,
}

#[derive(Debug)]
struct Written {
    file: PrivateFile,
    /// The number of records written since the start, including those before the file was replaced.
    count: u64,
    /// How often the file was replaced.
    replaced: u64,
    known: Known,
    /// The size from which the file is replaced by one with only the open commissions.
    compact_above: u64,
}

/// The least size at which a journal with mostly closed commissions is replaced.
const COMPACT: u64 = 1 << 20;
/// Far more than millions of records take; a larger file is not read into memory.
const LARGEST: u64 = 256 << 20;

impl FileJournal {
    /// Opens a journal, or creates one. Blocks on the disk; call it at the start.
    ///
    /// Nothing is destroyed: only an unfinished last line after valid ones is removed, and lines
    /// that a power cut damaged before they were synced are left out.
    ///
    /// # Errors
    ///
    /// Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if
    ///
    /// - the file cannot be opened or written, or is open already: the error says whether in this
    ///   process or in another one;
    /// - it is not a regular file, belongs to another user, may be written by others, has several
    ///   names (hard links), or lies in a folder where others can replace it;
    /// - it is not a journal, or is one of a later version or of more than 256 MiB;
    /// - a line is damaged that was safe on the disk: the error names it, and an operator must
    ///   decide, since its record is lost.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, crate::Error> {
        Self::open_on(path, Arc::new(SystemDisk))
    }

    /// Opens a journal on a disk that a test controls.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(path: impl AsRef<Path>, disk: Arc<dyn Disk>) -> Result<Self, crate::Error> {
        let path = path.as_ref();
        let file = PrivateFile::open(path, HEADER.as_bytes(), disk)
            .map_err(|cause| failed(path, "cannot open", cause))?;
        Ok(Self::read(file)?)
    }

    fn read(mut file: PrivateFile) -> Result<Self> {
        let path = file.path().to_owned();
        let unreadable = |cause| failed(&path, "cannot read", cause);
        let unwritable = |cause| failed(&path, "cannot write", cause);
        let unusable = |fault: &dyn std::fmt::Display| {
            let what = format!("cannot read the journal {}: {fault}", path.display());
            Error::new(ErrorKind::Store, what)
        };
        let length = file.length();
        if length > LARGEST {
            return Err(unusable(&format!("{length} bytes are too many for one")));
        }
        // A file that is not a journal is not read to its end.
        let start = file.read(START).map_err(unreadable)?;
        let form = Form::of(&start).map_err(|fault| unusable(&fault))?;
        let text = file.read(length).map_err(unreadable)?;
        let replayed = replay(&text, form).map_err(|fault| unusable(&fault))?;
        file.claim().map_err(unwritable)?;
        let journal = path.display();
        let whole = replayed.whole as u64;
        if whole < length {
            let bytes = length - whole;
            tracing::warn!(%journal, bytes, "an unfinished last line is cut off");
        }
        if replayed.damaged > 0 {
            let lines = replayed.damaged;
            tracing::warn!(%journal, lines, "damaged lines that were never synced are left out");
        }
        if form != Form::Second || replayed.damaged > 0 {
            let text = file_of(&replayed.open);
            file.replace(text.as_bytes()).map_err(unwritable)?;
        } else {
            if whole < length {
                file.cut(whole).map_err(unwritable)?;
            } else {
                let sync = file.handle().sync();
                sync.map_err(|cause| failed(&path, "cannot sync", cause))?;
            }
            if replayed.synced.is_none() {
                vouch(&mut file, whole);
            }
        }
        Ok(Self(Arc::new(Shared {
            written: Mutex::new(Written {
                file,
                count: 0,
                replaced: 0,
                known: replayed.open,
                compact_above: COMPACT,
            }),
            synced: Mutex::new(0),
        })))
    }

    async fn write(&self, line: Line) -> Result<()> {
        let shared = Arc::clone(&self.0);
        // Continues if the caller gives up, so that no record is written in part.
        blocking("writing the journal", move || shared.write(line)).await?
    }
}

impl Shared {
    fn write(&self, line: Line) -> Result<()> {
        let mine = self.append(line)?;
        match line {
            Line::Outcome(_, Outcome::Closed) | Line::Synced(_) => Ok(()),
            Line::Intent(_) | Line::Outcome(_, Outcome::Rejecting) => self.sync(mine),
            Line::Outcome(id, Outcome::Committing(_)) => self.sync(mine).inspect_err(|_| {
                // The caller gets an error: the decision was not made.
                let known = &mut lock(&self.written).known;
                Line::Outcome(id, Outcome::Rejecting).apply(known);
            }),
        }
    }

    /// Writes a record, and returns the number of records written including it.
    fn append(&self, line: Line) -> Result<u64> {
        let mut written = lock(&self.written);
        if let Line::Outcome(id, outcome) = line {
            check(&written.known, id, outcome)?;
            if outcome == Outcome::Rejecting {
                // Whatever is on the disk, this process must not accept it.
                line.apply(&mut written.known);
            }
        }
        let text = line.text();
        if written.file.length() + text.len() as u64 > LARGEST {
            let full = io::Error::from(io::ErrorKind::FileTooLarge);
            return Err(failed(written.file.path(), "cannot write", full));
        }
        if let Err(cause) = written.file.append(text.as_bytes()) {
            return Err(failed(written.file.path(), "cannot write", cause));
        }
        written.count += 1;
        line.apply(&mut written.known);
        written.compact();
        Ok(written.count)
    }

    /// Returns once the first `mine` records are safe on the disk.
    fn sync(&self, mine: u64) -> Result<()> {
        let mut synced = lock(&self.synced);
        if *synced >= mine {
            return Ok(());
        }
        let (handle, count, length, replaced) = {
            let written = lock(&self.written);
            // A later sync says nothing about data that an earlier one failed to write.
            if let Err(cause) = written.file.check() {
                return Err(failed(written.file.path(), "cannot sync", cause));
            }
            (
                written.file.handle(),
                written.count,
                written.file.length(),
                written.replaced,
            )
        };
        let result = handle.sync();
        let mut written = lock(&self.written);
        if let Err(cause) = result {
            // The system may have dropped what was written.
            written
                .file
                .close("a sync failed, so that what it holds is unknown");
            return Err(failed(written.file.path(), "cannot sync", cause));
        }
        *synced = count;
        if written.replaced == replaced {
            vouch(&mut written.file, length);
        }
        Ok(())
    }
}

impl Written {
    /// Replaces the file by one with only the open commissions, if most are closed.
    fn compact(&mut self) {
        let bytes = self.file.length();
        let needed = OPEN_BYTES * (1 + self.known.len() as u64);
        if bytes <= self.compact_above || bytes <= 4 * needed {
            return;
        }
        match self.file.replace(file_of(&self.known).as_bytes()) {
            Ok(()) => {
                self.replaced += 1;
                self.compact_above = COMPACT;
            }
            // The journal works without this; the file is only longer.
            Err(error) => {
                let journal = self.file.path().display();
                tracing::warn!(%journal, %error, "the journal cannot be shortened");
                self.compact_above = bytes + COMPACT;
            }
        }
    }
}

impl Journal for FileJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.write(Line::Intent(intent.id)))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(Line::Outcome(id, outcome)))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        let open = listed(&lock(&self.0.written).known);
        Box::pin(std::future::ready(Ok(open)))
    }
}

/// Records how many bytes are synced. Without this record, damage would later look like that of a
/// power cut, but a full disk must not keep a journal from opening.
fn vouch(file: &mut PrivateFile, bytes: u64) {
    if let Err(error) = file.append(Line::Synced(bytes).text().as_bytes()) {
        let journal = file.path().display();
        tracing::warn!(%journal, %error, "the journal cannot say that it was synced");
    }
}

/// Includes the cause, since only this line is logged.
fn failed(path: &Path, what: &str, cause: io::Error) -> Error {
    let message = format!("{what} the journal {}: {cause}", path.display());
    Error::new(ErrorKind::Store, message).with_source(cause)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn journal(path: &Path) -> FileJournal {
        FileJournal::open(path).unwrap()
    }

    fn intent() -> (CommissionId, Line) {
        let id = CommissionId::random().unwrap();
        (id, Line::Intent(id))
    }

    #[test]
    fn a_sync_after_a_failed_one_does_not_make_up_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder.path().join("journal"));
        let mine = || journal.0.append(intent().1).unwrap();
        let (first, second) = (mine(), mine());
        journal.0.sync(first).unwrap();
        journal.0.sync(second).unwrap();
        let third = mine();
        // The sync of another task has failed in the meantime.
        lock(&journal.0.written).file.close("planted");
        assert!(journal.0.sync(third).is_err());
        assert!(journal.0.sync(second).is_ok());
    }

    #[test]
    fn a_journal_that_cannot_be_shortened_continues() {
        #[derive(Debug)]
        struct Stuck;
        impl Disk for Stuck {
            fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
                Err(io::Error::other("planted"))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let stuck = FileJournal::open_on(&path, Arc::new(Stuck)).unwrap();
        let (id, line) = intent();
        stuck.0.write(line).unwrap();
        lock(&stuck.0.written).compact_above = 0;
        for _ in 0..20 {
            let other = CommissionId::random().unwrap();
            stuck
                .0
                .write(Line::Outcome(other, Outcome::Closed))
                .unwrap();
        }
        assert!(lock(&stuck.0.written).compact_above > COMPACT);
        drop(stuck);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left"
        );
        assert!(lock(&journal(&path).0.written).known.contains_key(&id));
    }
}
