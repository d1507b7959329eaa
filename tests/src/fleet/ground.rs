//! The stores that a fleet can share.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::core::store::contract::Server;
use vouchsafe::core::store::{Disk, Expect, Key, Leases, MemoryStore, Store, StoreLeases, Swapped};
use vouchsafe::core::{Clock, SecretBytes};
use vouchsafe::stores::aws::{Aws, DynamoStore, Region, SdkConfig};
use vouchsafe::stores::etcd::EtcdStore;
use vouchsafe::stores::keyring::KeyringStore;
use vouchsafe::stores::postgres::PostgresStore;
use vouchsafe::stores::redis::RedisStore;
use vouchsafe::stores::sqlite::SqliteStore;
use vouchsafe_test_servers as servers;

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Ground {
    /// Memory of one process.
    Memory,
    /// The file of `pancloud`.
    File,
    /// An SQLite database.
    Sqlite,
    /// GNOME Keyring.
    Keyring,
    /// Redis.
    Redis,
    /// PostgreSQL.
    Postgres,
    /// etcd.
    Etcd,
    /// A table of DynamoDB.
    DynamoDb,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::File,
        Self::Sqlite,
        Self::Keyring,
        Self::Redis,
        Self::Postgres,
        Self::Etcd,
        Self::DynamoDb,
    ];

    /// Those that several machines share.
    pub const OF_NETWORK: [Self; 4] = [Self::Redis, Self::Postgres, Self::Etcd, Self::DynamoDb];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
            Self::Sqlite => "sqlite",
            Self::Keyring => "keyring",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Etcd => "etcd",
            Self::DynamoDb => "dynamodb",
        }
    }

    /// Finds a kind by its name.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|ground| ground.name() == name);
        found.ok_or_else(|| format!("no store is called {name:?}; there are: {known}"))
    }

    /// Starts what the store needs, with its data in a folder. `None` if it is not installed, which
    /// has been said.
    pub(crate) fn start(self, folder: &Path) -> Option<Started> {
        let start = match self {
            Self::Memory | Self::File | Self::Sqlite => return Some(Started(None)),
            Self::Keyring => servers::keyring,
            Self::Redis => servers::redis,
            Self::Postgres => servers::postgres,
            Self::Etcd => servers::etcd,
            Self::DynamoDb => servers::moto,
        };
        Some(Started(Some(start(folder)?)))
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was started for a store; dropping it ends the server.
pub(crate) struct Started(Option<Box<dyn Server>>);

impl Started {
    /// Kills the server. Does nothing without one.
    pub(super) fn kill(&mut self) {
        if let Some(server) = &mut self.0 {
            server.kill();
        }
    }

    /// Starts the server again, and kills it before if it runs. Does nothing without one.
    pub(crate) fn restart(&mut self) {
        self.kill();
        if let Some(server) = &mut self.0 {
            server.start();
        }
    }
}

/// A store, and where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(super) ground: Ground,
    /// The folder that it was started with.
    pub(super) folder: PathBuf,
    /// The address of its machine.
    pub(super) host: String,
}

/// A store with its leases.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) leases: Arc<dyn Leases>,
}

impl Site {
    pub(crate) fn new(ground: Ground, folder: &Path) -> Self {
        Self {
            ground,
            folder: folder.to_owned(),
            host: "127.0.0.1".to_owned(),
        }
    }

    /// The file of the file store.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("credentials.json")
    }

    /// Opens the file on a disk that may fail.
    pub(super) fn open_on(&self, clock: &Arc<dyn Clock>, disk: Arc<dyn Disk>) -> Shared {
        in_records(Arc::new(FileStore::new(self.file()).disk(disk)), clock)
    }

    /// Opens the store as one process does. Leases are those of the server where it has some, and
    /// records by this clock elsewhere, which DynamoDB corrects by that of the server.
    pub(crate) fn open(&self, clock: &Arc<dyn Clock>) -> Result<Shared, String> {
        let in_records = |store| in_records(store, clock);
        let host = &self.host;
        let port = || port(self);
        let told = |error: vouchsafe::core::Error| error.to_string();
        Ok(match self.ground {
            Ground::Memory => in_records(Arc::new(MemoryStore::new())),
            Ground::File => in_records(Arc::new(FileStore::new(self.file()))),
            Ground::Sqlite => {
                let path = self.folder.join("credentials.sqlite");
                in_records(Arc::new(SqliteStore::open(path).map_err(told)?))
            }
            Ground::Keyring => {
                let builder = KeyringStore::builder(self.folder.join("keyring.lock"));
                let builder = builder.bus(servers::bus(&self.folder)).limit(LIMIT);
                in_records(Arc::new(builder.build().map_err(told)?))
            }
            Ground::Redis => {
                let builder = RedisStore::builder(format!("redis://{host}:{}", port()));
                both(builder.limit(LIMIT).allow_plain().build().map_err(told)?)
            }
            Ground::Postgres => {
                let password = servers::PASSWORD;
                let url = format!(
                    "host={host} port={} user=vouchsafe dbname=postgres password='{password}'",
                    port()
                );
                both(
                    PostgresStore::builder(url)
                        .limit(LIMIT)
                        .allow_plain()
                        .build()
                        .map_err(told)?,
                )
            }
            Ground::Etcd => {
                let builder = EtcdStore::builder(format!("http://{host}:{}", port()));
                both(builder.limit(LIMIT).allow_plain().build().map_err(told)?)
            }
            Ground::DynamoDb => {
                let keys = Credentials::from_keys("fleet", "fleet", None);
                let settings = SdkConfig::builder()
                    .region(Region::from_static("us-east-1"))
                    .endpoint_url(format!("http://{host}:{}", port()))
                    .credentials_provider(SharedCredentialsProvider::new(keys))
                    .build();
                let aws = Aws::builder(&settings)
                    .limit(LIMIT)
                    .clock(Arc::clone(clock));
                let aws = aws.allow_plain().build().map_err(told)?;
                let store = DynamoStore::new(&aws, "vouchsafe").map_err(told)?;
                Shared {
                    leases: Arc::new(store.leases()),
                    store: Arc::new(store),
                }
            }
        })
    }
}

fn in_records(store: Arc<dyn Store>, clock: &Arc<dyn Clock>) -> Shared {
    let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::clone(clock));
    Shared {
        leases: Arc::new(leases),
        store,
    }
}

fn both<S: Store + Leases + Clone>(store: S) -> Shared {
    Shared {
        leases: Arc::new(store.clone()),
        store: Arc::new(store),
    }
}

/// Returns the port of the server that was started for a store.
pub(super) fn port(site: &Site) -> u16 {
    servers::port(&site.folder)
}

pub(super) fn key(profile: &str) -> Key {
    Key::new(FileStore::NAMESPACE, profile)
}

/// Writes credentials with an access token that is of no use any more.
pub(super) async fn seed(store: &dyn Store, profile: &str, dead: &str) -> Result<(), String> {
    let record = json!({
        "access_token": dead, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "refresh_token": FIRST,
    });
    let value = SecretBytes::from(record.to_string().into_bytes());
    let key = key(profile);
    let swap = store.compare_and_swap(&key, &Expect::Any, &value);
    match swap.await.map_err(|error| error.to_string())? {
        Swapped::Done(_) => Ok(()),
        Swapped::Conflict(_) => Err("the first record was not written".to_owned()),
    }
}

/// Reads the record as it is now.
pub(super) async fn record(store: &dyn Store, profile: &str) -> Result<Value, String> {
    let key = key(profile);
    let loaded = store.load(&key).await.map_err(|error| error.to_string())?;
    let loaded = loaded.ok_or("the record is gone")?;
    serde_json::from_slice(loaded.value.expose()).map_err(|cause| cause.to_string())
}

/// How long a call of a store may take on a busy machine. The emulator of DynamoDB makes one after
/// the other, of hundreds at a time.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) const CLIENT_ID: &str = "fleet";
pub(super) const CLIENT_SECRET: &str = "fleet-secret";
/// The refresh token that everything begins with.
pub(super) const FIRST: &str = "rt-0";
