//! Records as the rows of one table.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use vouchsafe_core::store::{
    Capabilities, Expect, Key, Loaded, Owner, Scope, Store, Swapped, Version,
    require_private_folder,
};
use vouchsafe_core::task::blocking;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes, Sent, deadline};

/// A [`Store`] in an SQLite database, shared by the processes of one machine.
///
/// Records are in the table `vouchsafe_records`, which is created if it is missing; the database may
/// hold other tables. Clones share one connection.
#[derive(Clone)]
pub struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
    path: Arc<Path>,
    limit: Duration,
}

/// The maximum size of a record in bytes.
const LARGEST: usize = 1 << 20;
const LIMIT: Duration = Duration::from_secs(10);

impl SqliteStore {
    /// Opens a database, or creates it with mode 0600. This blocks on the disk; call it at start-up.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) if the file cannot be created, is not a database, or can
    /// be changed or replaced by other users ([`require_private_folder`]); retryable if another
    /// process keeps it locked for ten seconds.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let path = private_file(path).map_err(|cause| {
            let what = format!("cannot open {}: {cause}", path.display());
            Error::new(ErrorKind::Store, what).with_source(cause)
        })?;
        let connection = connect(&path).map_err(|cause| failed("open", &path, cause))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            path: Arc::from(path),
            limit: LIMIT,
        })
    }

    /// Sets how long a call may take, including waits for other writers. Default: 10 seconds.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs work on the connection. Started work continues if the caller stops waiting.
    async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let late = deadline::after(Instant::now(), self.limit);
        let too_late = |sent| {
            let (path, limit) = (self.path.display(), self.limit);
            let what = format!(
                "cannot {what} in {path} within {limit:?}: another writer has it, or the disk is slow"
            );
            let error = Error::new(ErrorKind::Store, what);
            Err(error.with_retryable(true).with_sent(sent))
        };
        let waiting = Arc::clone(&self.connection).lock_owned();
        let Ok(mut connection) = timeout_at(late, waiting).await else {
            return too_late(Sent::No);
        };
        let done = blocking("using a database", move || {
            connection.busy_timeout(late.saturating_duration_since(Instant::now()))?;
            work(&mut connection)
        });
        match timeout_at(late, done).await {
            Ok(done) => done?.map_err(|cause| failed(what, &self.path, cause)),
            Err(_) => too_late(Sent::Maybe),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Creates the file if it is missing, and checks that other users cannot change it. Returns its
/// path without links, since SQLite puts its log there.
fn private_file(path: &Path) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(cause),
    }
    let path = path.canonicalize()?;
    let owner = Owner::of_process();
    require_private_folder(path.parent().unwrap_or(&path), owner)?;
    // Not opened for this: closing a file releases the locks that SQLite holds on it in this
    // process.
    owner.require_for(&fs::metadata(&path)?)?;
    Ok(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(LIMIT)?;
    match connection.pragma_update(None, "journal_mode", "WAL") {
        // Another process uses the file or is switching it, and SQLite does not wait for that. The
        // log only saves readers and writers from waiting for each other.
        Err(cause) if is_busy(&cause) => {}
        switched => switched?,
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         CREATE TABLE IF NOT EXISTS vouchsafe_records (
             namespace BLOB NOT NULL,
             is_lease INTEGER NOT NULL,
             profile BLOB NOT NULL,
             version BLOB NOT NULL,
             value BLOB NOT NULL,
             PRIMARY KEY (namespace, is_lease, profile)
         ) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

fn is_busy(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn failed(what: &str, path: &Path, cause: rusqlite::Error) -> Error {
    let path = path.display();
    let message = match cause.sqlite_error_code() {
        _ if is_busy(&cause) => format!("cannot {what} in {path}: another writer has it"),
        Some(ErrorCode::DiskFull) => format!("cannot {what} in {path}: the disk is full"),
        Some(ErrorCode::NotADatabase) => {
            format!("{path} is not an SQLite database; choose another file")
        }
        _ => format!("cannot {what} in {path}: {cause}"),
    };
    let is_full = cause.sqlite_error_code() == Some(ErrorCode::DiskFull);
    let may_recover = is_full || is_busy(&cause);
    Error::new(ErrorKind::Store, message)
        .with_retryable(may_recover)
        .with_source(cause)
}

fn read(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Loaded>> {
    let mut statement = connection.prepare(
        "SELECT value, version FROM vouchsafe_records
         WHERE namespace = ?1 AND is_lease = ?2 AND profile = ?3",
    )?;
    let loaded = statement.query_row(name(key), |row| {
        Ok(Loaded {
            value: SecretBytes::from(row.get::<_, Vec<u8>>(0)?),
            version: Version::new(row.get_ref(1)?.as_blob()?),
        })
    });
    loaded.optional()
}

fn name(key: &Key) -> (&[u8], bool, &[u8]) {
    let (namespace, profile) = (key.namespace(), key.profile());
    (namespace.as_bytes(), key.is_lease(), profile.as_bytes())
}

/// Lets `write` change a record if its state is the expected one, or returns the state. Other
/// writers are locked out before the state is read.
fn change<T>(
    connection: &mut Connection,
    key: &Key,
    expect: &Expect,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<Result<T, Option<Loaded>>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let there = read(&transaction, key)?;
    if !expect.is_met_by(there.as_ref().map(|there| &there.version)) {
        return Ok(Err(there));
    }
    let written = write(&transaction)?;
    transaction.commit()?;
    Ok(Ok(written))
}

impl Store for SqliteStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        let key = key.clone();
        Box::pin(self.run("read a record", move |connection| read(connection, &key)))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let (key, expect, value) = (key.clone(), expect.clone(), value.clone());
            let swap = move |connection: &mut Connection| {
                change(connection, &key, &expect, |connection| {
                    let mut statement = connection.prepare(
                        "INSERT OR REPLACE INTO vouchsafe_records
                             (namespace, is_lease, profile, version, value)
                         VALUES (?1, ?2, ?3, randomblob(16), ?4) RETURNING version",
                    )?;
                    let (namespace, is_lease, profile) = name(&key);
                    let row = params![namespace, is_lease, profile, value.expose()];
                    statement.query_row(row, |row| Ok(Version::new(row.get_ref(0)?.as_blob()?)))
                })
            };
            Ok(match self.run("write a record", swap).await? {
                Ok(version) => Swapped::Done(version),
                Err(there) => Swapped::Conflict(there),
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let (key, expect) = (key.clone(), expect.clone());
            let remove = move |connection: &mut Connection| {
                change(connection, &key, &expect, |connection| {
                    let mut statement = connection.prepare(
                        "DELETE FROM vouchsafe_records
                         WHERE namespace = ?1 AND is_lease = ?2 AND profile = ?3",
                    )?;
                    statement.execute(name(&key))
                })
            };
            let removed = self.run("remove a record", remove).await?;
            Ok(removed.is_ok_and(|rows| rows > 0))
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let namespace = namespace.to_owned();
        let list = move |connection: &mut Connection| {
            let mut statement = connection.prepare(
                "SELECT CAST(profile AS TEXT) FROM vouchsafe_records
                 WHERE namespace = ?1 AND NOT is_lease ORDER BY profile",
            )?;
            let names = statement.query_map([namespace.as_bytes()], |row| row.get(0))?;
            names.collect::<rusqlite::Result<_>>().map(Some)
        };
        Box::pin(self.run("list records", list))
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Machine);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.limit;
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(place: &Path) -> Arc<dyn Store> {
        let store = SqliteStore::open(place.join("records.db")).unwrap();
        Arc::new(store.with_limit(vouchsafe_core::store::contract::limit()))
    }

    vouchsafe_core::store_contract!(contract, super::open);

    fn key() -> Key {
        Key::new("application", "profile")
    }

    fn value() -> SecretBytes {
        SecretBytes::from(b"planted".to_vec())
    }

    async fn write(store: &SqliteStore, expect: Expect) -> Result<Swapped> {
        store.compare_and_swap(&key(), &expect, &value()).await
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_files_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        let store = SqliteStore::open(&path).unwrap();
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        let files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            files.len(),
            3,
            "the database, its log and the index of that"
        );
        for file in files {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{file:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = SqliteStore::open(&path).unwrap_err().to_string();
        assert!(error.contains("other users may write it"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        let notes = "planted ".repeat(1000);
        fs::write(&path, &notes).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(!error.is_retryable());
        let text = error.to_string();
        assert!(
            text.contains("notes.txt") && text.contains("not an SQLite database"),
            "{text}"
        );
        assert!(!text.contains("planted"), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), notes);
    }

    #[tokio::test]
    async fn a_writer_that_is_stopped_holds_up_others_until_their_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        let store = SqliteStore::open(&path).unwrap();
        let store = store.with_limit(vouchsafe_core::store::contract::limit());
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        let mut other = Connection::open(&path).unwrap();
        let held = other
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let impatient = store.clone().with_limit(Duration::from_millis(50));
        let error = write(&impatient, Expect::Any).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(error.to_string().contains("another writer"), "{error}");
        assert!(
            store.load(&key()).await.unwrap().is_some(),
            "readers do not wait"
        );
        drop(held);
        assert!(matches!(
            write(&store, Expect::Any).await,
            Ok(Swapped::Done(_))
        ));
    }

    #[tokio::test]
    async fn what_is_replaced_or_removed_is_not_left_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        let store = SqliteStore::open(&path).unwrap();
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        assert!(store.remove(&key(), &Expect::Any).await.unwrap());
        // The last connection to close moves the log into the file.
        drop(store);
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|bytes| bytes == b"planted"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
