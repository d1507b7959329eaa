//! Credentials in a file that `pancloud` shares.

mod disk;
mod layout;
mod record;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{
    Capabilities, Disk, Expect, Key, Loaded, Scope, Store, Swapped, SystemDisk, Version,
};
use vouchsafe_core::task::blocking;
use vouchsafe_core::{BoxFuture, Error as Core, ErrorKind as Kind, SecretBytes};

use self::disk::{Place, Repaired, Tried};
use self::layout::Tables;
use crate::error::Corrupt;
use crate::{Record, Result};

/// A [`Store`] in the file of credentials that `pancloud` and its successor use, in their format,
/// shared by the processes of one machine.
///
/// The namespace of a [`Key`] is the name of a table; `pancloud` uses only
/// [`NAMESPACE`](Self::NAMESPACE). A value is a [`Record`]. If a profile has several documents, all
/// are written, and the first one is read.
///
/// Nothing is created before the first write. A new file has mode 0600 and new folders 0700;
/// existing modes are kept. Next to the file are `FILE.lock`, which processes lock while they read
/// or write and which holds leases, and `FILE.bak`, the last good content: what was written last, or
/// what another program wrote, as soon as it is read. A read renews it only if `FILE.lock` exists (the first
/// write creates it), the reader owns the file, the disk can be written, and there are profiles in the
/// table of `pancloud`. A change that finds no profiles there leaves it too, until its own content is safe.
/// Network file systems are not supported, since their locks may not work.
///
/// What others wrote is kept, as far as it is JSON: a number with a fraction or beyond 64 bits is
/// written again with as many digits as a float needs. A file with `NaN`, `Infinity` or half a
/// surrogate pair, which Python reads and writes, is refused as damaged. What is damaged is never
/// overwritten before a copy is kept as `FILE.damaged`, unless our own write left it half done.
///
/// A version is a digest of the document. So with [`Metadata::Auto`], a record that is removed and
/// written again unchanged has its old version; with [`Metadata::Always`] it has a new one.
#[derive(Clone)]
pub struct FileStore {
    place: Arc<Place>,
    metadata: Metadata,
    gap: u64,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteMode {
    /// Into the existing file, so that `pancloud` processes that have it open see the change, and
    /// do not write into a file that no other process reads. A process that is killed while it
    /// writes leaves half a file, which the next one completes.
    #[default]
    InPlace,
    /// By replacing the file, if all programs use this library: no process ever sees half a file.
    Replace,
}

/// When a document gets an additional member, `cloud_credentials`, for facts that the members of
/// `pancloud` cannot express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metadata {
    /// If needed: for a refresh token that replaced one given elsewhere, or that was refused. One that
    /// was given and [written](crate::Credentials::write) has none, as in the file of `pancloud`. So
    /// programs that are still given it do not find what those that use the record replace it by: they
    /// send the spent one, and `write` puts it over the newest, which is lost.
    #[default]
    Auto,
    /// In every document. Programs that are given a refresh token, also one that was written, find what
    /// replaced it. All programs that write one that they were given must set this before; with
    /// [`Auto`](Self::Auto), others keep their marks. None of those that share the file may be `pancloud`:
    /// what it replaces a token by has no mark.
    Always,
    /// Never. Other processes then neither find refresh tokens that descend from one given
    /// elsewhere nor learn that one was refused.
    Never,
}

/// A document of a file, for programs that list the content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// Its number, unique in its table.
    pub id: u64,
    /// The name of the profile. `None` if it has none.
    pub profile: Option<String>,
    /// What it holds.
    pub record: Record,
}

impl FileStore {
    /// The table of `pancloud`.
    pub const NAMESPACE: &'static str = layout::TABLE;

    /// Creates a store in a file, which may not exist yet. Does no I/O.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            place: Arc::new(Place::new(path.into())),
            metadata: Metadata::default(),
            gap: 1,
        }
    }

    /// Sets how the file is written. Default: [`WriteMode::InPlace`].
    #[must_use]
    pub fn write_mode(mut self, mode: WriteMode) -> Self {
        self.place = Arc::new(self.place.with_mode(mode));
        self
    }

    /// Sets when documents get the additional member `cloud_credentials`. Default:
    /// [`Metadata::Auto`].
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets the distance of a new document's number from the highest one. Default: 1, as in
    /// `pancloud`. A running `pancloud` process does not notice new documents, and may overwrite
    /// one whose number it uses too; a gap of 1000 avoids that.
    #[must_use]
    pub fn gap(mut self, gap: u64) -> Self {
        self.gap = gap.max(1);
        self
    }

    /// Sets the operations of the disk, for tests that make one fail. Default: the real ones.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.place = Arc::new(self.place.with_disk(disk));
        self
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Returns the documents of a table in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) if the file is damaged; of kind
    /// `Store` if it cannot be read.
    pub async fn documents(&self, namespace: &str) -> Result<Vec<Document>> {
        let table = namespace.to_owned();
        let read = self.run("reading the file of credentials", move |place, waited| {
            place.read(waited, |tables| {
                let documents = tables.documents(&table)?.into_iter();
                let read = |(id, members): (u64, &layout::Members)| {
                    let profile = members.get(record::PROFILE).and_then(|name| name.as_str());
                    Some(Document {
                        id,
                        profile: profile.map(str::to_owned),
                        record: record::read(members)?,
                    })
                };
                documents.map(read).collect::<Option<Vec<_>>>()
            })
        });
        Ok(read.await?)
    }

    /// Replaces a damaged file, such as one that several threads of `pancloud` wrote at once, by
    /// its last good content, which is in `FILE.bak`. What another program wrote after the last reading is
    /// not in it. Returns whether it did; a file that can be read is left unchanged. The damaged one is kept
    /// as `FILE.damaged`, in place of an earlier one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) if that content is missing; of
    /// kind `Store` if the file cannot be written.
    pub async fn repair(&self) -> Result<bool> {
        let repaired = self.run("repairing the file of credentials", |place, waited| {
            place.repair(waited)
        });
        match repaired.await? {
            Repaired::Done => Ok(true),
            Repaired::NotNeeded => Ok(false),
            Repaired::Impossible => {
                let path = self.path().display();
                let advice = format!("there is no good content in {path}.bak; remove the file");
                Err(self.damaged(&advice).await.into())
            }
        }
    }

    /// Tries until the file is neither locked nor half written by another process.
    async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        attempt: impl Fn(&Place, Duration) -> std::io::Result<Tried<T>> + Send + Sync + 'static,
    ) -> Result<T, Core> {
        let attempt = Arc::new(attempt);
        let begun = Instant::now();
        // Waiting processes must not all retry at once.
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        // The time in which our own processes had the lock is no sign of damage.
        let mut disturbed: Option<Instant> = None;
        loop {
            let (place, attempt) = (Arc::clone(&self.place), Arc::clone(&attempt));
            let waited = disturbed.map_or(Duration::ZERO, |since| since.elapsed());
            let tried = blocking(what, move || attempt(&place, waited)).await?;
            match tried.map_err(|cause| self.failed(what, cause))? {
                Tried::Done(done) => return Ok(done),
                Tried::Busy if begun.elapsed() >= PATIENCE => {
                    let busy = std::io::Error::new(
                        std::io::ErrorKind::WouldBlock,
                        "another process has it locked",
                    );
                    return Err(self.failed(what, busy).with_retryable(true));
                }
                Tried::Damaged if waited >= disk::TORN => {
                    return Err(self.damaged("repair or remove it").await);
                }
                Tried::Damaged | Tried::Overtaken => {
                    disturbed.get_or_insert_with(Instant::now);
                    sleep(backoff.next_wait()).await;
                }
                Tried::Busy => sleep(backoff.next_wait()).await,
            }
        }
    }

    /// The error for a file that cannot be read.
    async fn damaged(&self, advice: &str) -> Core {
        let place = Arc::clone(&self.place);
        let odd = blocking("reading the file of credentials", move || {
            // A repair leaves a single member of the wrong type as it is.
            let mistyped = || Some((place.mistyped()?, Some("correct or remove it")));
            place.oddity().map(|odd| (odd, None)).or_else(mistyped)
        });
        let (odd, other) = odd.await.ok().flatten().unzip();
        let other = other.flatten();
        let advice = other.unwrap_or(advice);
        let odd = odd.map_or_else(String::new, |odd| format!(" ({odd})"));
        let path = self.path().display();
        let what = format!("{path} cannot be read as credentials{odd}; {advice}");
        let cause = Corrupt {
            what: "it is not a file of tables of credentials",
            is_repairable: other.is_none(),
        };
        Core::new(Kind::Store, what).with_source(cause)
    }

    fn failed(&self, what: &str, cause: std::io::Error) -> Core {
        let message = format!("{what}: {}: {cause}", self.path().display());
        Core::new(Kind::Store, message).with_source(cause)
    }

    async fn change(
        &self,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> Result<Changed, Core> {
        let record = match value {
            Some(_) if key.is_lease() => None,
            Some(value) => Some(Record::read(value).map_err(|error| error.core().clone())?),
            None => None,
        };
        let change = Change {
            key: key.clone(),
            expect: expect.clone(),
            value: value.cloned(),
            record,
            metadata: self.metadata,
            gap: self.gap,
        };
        self.run(
            "writing the file of credentials",
            move |place, waited| match change.key.is_lease() {
                true => place.change_leases(|leases| change.lease(leases)),
                false => place.change(waited, |tables| change.record(tables)),
            },
        )
        .await
    }
}

impl Store for FileStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>, Core>> {
        Box::pin(async move {
            let of = key.clone();
            let found = self.run("reading the file of credentials", move |place, waited| {
                if of.is_lease() {
                    return place.read_leases(|leases| Some(lease(leases, &of)));
                }
                place
                    .read(waited, |tables| {
                        Some(match first(tables, &of)? {
                            Some((version, record)) => Some((version, record?)),
                            None => None,
                        })
                    })
                    .map(|tried| {
                        tried.map(|found| {
                            found.map(|(version, record)| Found::Record(version, record))
                        })
                    })
            });
            match found.await? {
                None => Ok(None),
                Some(found) => found.loaded().map(Some),
            }
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped, Core>> {
        Box::pin(async move {
            Ok(match self.change(key, expect, Some(value)).await? {
                Changed::Written(version) => Swapped::Done(version),
                Changed::Conflict(Some(found)) => Swapped::Conflict(Some(found.loaded()?)),
                Changed::Conflict(None) | Changed::Removed => Swapped::Conflict(None),
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool, Core>> {
        Box::pin(async move {
            let changed = self.change(key, expect, None).await?;
            Ok(matches!(changed, Changed::Removed))
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>, Core>> {
        Box::pin(async move {
            let documents = self.documents(namespace).await;
            let documents = documents.map_err(|error| error.core().clone())?;
            let names: BTreeSet<_> = documents
                .into_iter()
                .filter_map(|one| one.profile)
                .collect();
            Ok(Some(names.into_iter().collect()))
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Scope::Machine)
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("path", &self.path())
            .field("write_mode", &self.place.mode())
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// A change of one record or lease.
struct Change {
    key: Key,
    expect: Expect,
    value: Option<SecretBytes>,
    record: Option<Record>,
    metadata: Metadata,
    gap: u64,
}

enum Changed {
    Written(Version),
    Removed,
    Conflict(Option<Found>),
}

/// A record or lease as read.
enum Found {
    Record(Version, Record),
    Lease(Loaded),
}

impl Found {
    fn version(&self) -> &Version {
        match self {
            Self::Record(version, _) => version,
            Self::Lease(loaded) => &loaded.version,
        }
    }

    fn loaded(self) -> Result<Loaded, Core> {
        match self {
            Self::Record(version, record) => {
                let value = record.write().map_err(|error| error.core().clone())?;
                Ok(Loaded { value, version })
            }
            Self::Lease(loaded) => Ok(loaded),
        }
    }
}

impl Change {
    /// Changes a record. `None` if the table is damaged; the flag is whether anything changed.
    fn record(&self, tables: &mut Tables) -> Option<(Changed, bool)> {
        let found = first(tables, &self.key)?;
        // A record that is overwritten unconditionally may be damaged.
        let version = found.as_ref().map(|(version, _)| version);
        if !self.expect.is_met_by(version) {
            let found = match found {
                Some((version, record)) => Some(Found::Record(version, record?)),
                None => None,
            };
            return Some((Changed::Conflict(found), false));
        }
        let (table, profile) = (self.key.namespace(), self.key.profile());
        let documents = tables.documents(table)?;
        let highest = documents.keys().next_back().copied().unwrap_or_default();
        let is_ours = |members: &layout::Members| is_of(members, profile);
        let mut ids: Vec<u64> = documents
            .into_iter()
            .filter(|(_, members)| is_ours(members))
            .map(|(id, _)| id)
            .collect();
        let Some(record) = &self.record else {
            if ids.is_empty() {
                return Some((Changed::Conflict(None), false));
            }
            ids.iter().for_each(|id| tables.remove(table, *id));
            return Some((Changed::Removed, true));
        };
        if ids.is_empty() {
            ids.push(match highest {
                0 => 1,
                highest => highest.checked_add(self.gap)?,
            });
        }
        for id in &ids {
            record::write(tables.document(table, *id)?, profile, record, self.metadata);
        }
        let (version, _) = first(tables, &self.key)??;
        Some((Changed::Written(version), true))
    }

    /// Changes a lease.
    fn lease(&self, leases: &mut layout::Members) -> Option<(Changed, bool)> {
        let found = lease(leases, &self.key);
        if !self.expect.is_met_by(found.as_ref().map(Found::version)) {
            return Some((Changed::Conflict(found), false));
        }
        let name = lease_name(&self.key);
        let Some(value) = &self.value else {
            return Some(match leases.remove(&name) {
                Some(_) => (Changed::Removed, true),
                None => (Changed::Conflict(None), false),
            });
        };
        let text = String::from_utf8(value.expose().to_vec()).ok()?;
        leases.insert(name, text.into());
        let version = lease(leases, &self.key)?.version().clone();
        Some((Changed::Written(version), true))
    }
}

/// A record (`None` if it is damaged) with its version.
type First = (Version, Option<Record>);

/// Returns the first document of a profile. `None` if the table is damaged.
fn first(tables: &Tables, key: &Key) -> Option<Option<First>> {
    let mut documents = tables.documents(key.namespace())?.into_iter();
    let found = documents.find(|(_, members)| is_of(members, key.profile()));
    Some(found.map(|(id, members)| (record::version(id, members), record::read(members))))
}

fn is_of(members: &layout::Members, profile: &str) -> bool {
    members.get(record::PROFILE).and_then(|name| name.as_str()) == Some(profile)
}

/// Returns the lease on a record.
fn lease(leases: &layout::Members, key: &Key) -> Option<Found> {
    let value = leases.get(&lease_name(key))?.as_str()?.as_bytes();
    Some(Found::Lease(Loaded {
        value: SecretBytes::from(value.to_vec()),
        version: Version::new(value),
    }))
}

fn lease_name(key: &Key) -> String {
    let (namespace, profile) = (key.namespace(), key.profile());
    format!("{}:{namespace}{profile}", namespace.len())
}

/// How long a process waits for others.
const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(50);
