//! Where the journal of a process that is killed is, as another process learns it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use vouchsafe_astakos::commission::{FileJournal, Journal, StoreJournal};
use vouchsafe_core::env;
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::store::{Disk, Key, Store, SystemDisk};

use crate::grounds::Kind;

const FOLDER: &str = "VOUCHSAFE_KILLS_FOLDER";
const NAME: &str = "VOUCHSAFE_KILLS_NAME";
/// The kind of the store. Not set for a file.
const KIND: &str = "VOUCHSAFE_KILLS_KIND";

/// What holds the journals of a test.
pub(super) struct Ground {
    kind: Option<Kind>,
    folder: TempDir,
    _server: Option<Box<dyn Server>>,
}

impl Ground {
    /// Files in a folder, or a store. Returns `None` if the test is skipped.
    pub(super) fn start(kind: Option<Kind>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let server = match kind {
            Some(kind) => kind.start(folder.path())?,
            None => None,
        };
        Some(Self {
            kind,
            folder,
            _server: server,
        })
    }

    /// The journal of one run.
    pub(super) fn place(&self, name: &str) -> Place {
        Place {
            kind: self.kind,
            folder: self.folder.path().to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Where one journal is.
#[derive(Clone)]
pub(super) struct Place {
    kind: Option<Kind>,
    folder: PathBuf,
    name: String,
}

impl Place {
    /// A file of its own.
    pub(super) fn file(path: &Path) -> Self {
        Self {
            kind: None,
            folder: path.parent().unwrap().to_owned(),
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        }
    }

    /// The place that another process has given to this one.
    pub(super) fn given() -> Self {
        let var = |name| env::var(name).unwrap();
        Self {
            kind: var(KIND).map(|kind| Kind::named(&kind)),
            folder: var(FOLDER).unwrap().into(),
            name: var(NAME).unwrap(),
        }
    }

    pub(super) fn give(&self, command: &mut Command) {
        command.env(FOLDER, &self.folder).env(NAME, &self.name);
        if let Some(kind) = self.kind {
            command.env(KIND, format!("{kind:?}"));
        }
    }

    pub(super) async fn open(&self) -> Arc<dyn Journal> {
        self.open_on(Arc::new(SystemDisk), |store| store).await
    }

    /// Opens the journal on a disk, or in what `over` makes of its store.
    pub(super) async fn open_on(
        &self,
        disk: Arc<dyn Disk>,
        over: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Arc<dyn Journal> {
        let Some(kind) = self.kind else {
            let journal = FileJournal::open_on(self.folder.join(&self.name), disk);
            return Arc::new(journal.unwrap());
        };
        let store = over(kind.open(&self.folder));
        let key = Key::new("commissions", self.name.clone());
        Arc::new(StoreJournal::open(store, key).await.unwrap())
    }

    /// The journal as it is when its process is gone, while this one still has it open: a file has a
    /// lock, so this is a copy.
    pub(super) fn left(&self) -> Self {
        let mut left = self.clone();
        if self.kind.is_none() {
            left.name.push_str("-left");
            std::fs::copy(self.folder.join(&self.name), left.folder.join(&left.name)).unwrap();
        }
        left
    }
}
