//! Opening a store as one process does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde::{Deserialize, Serialize};
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_core::store::{CacheOver, Disk, Leases, MemoryStore, Store, StoreLeases, WithLease};
use vouchsafe_core::{Clock, Error};
use vouchsafe_store_aws::{Aws, DynamoStore, Region, SdkConfig, SecretsManagerStore};
use vouchsafe_store_etcd::EtcdStore;
use vouchsafe_store_keyring::KeyringStore;
use vouchsafe_store_memcached::MemcachedStore;
use vouchsafe_store_nats::NatsStore;
use vouchsafe_store_postgres::PostgresStore;
use vouchsafe_store_redis::RedisStore;
use vouchsafe_store_sqlite::SqliteStore;
use vouchsafe_store_vault::VaultStore;
use vouchsafe_test_servers as servers;

use crate::Ground;

/// A store, and where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Site {
    /// The kind of the store.
    pub ground: Ground,
    /// The folder that it was started with.
    pub folder: PathBuf,
    /// The address of its machine.
    pub host: String,
}

/// A store with its leases.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "others make some, too")]
pub struct Shared {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The leases on them.
    pub leases: Arc<dyn Leases>,
}

impl Site {
    /// A store that was started on this machine with its data in a folder.
    #[must_use]
    pub fn new(ground: Ground, folder: &Path) -> Self {
        Self {
            ground,
            folder: folder.to_owned(),
            host: "127.0.0.1".to_owned(),
        }
    }

    /// Returns the port of its server. Panics if it has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        servers::port(&self.folder)
    }

    /// Opens the store as one process does. Leases are those of the server where it has some, and
    /// records by this clock elsewhere, which DynamoDB corrects by that of the server.
    ///
    /// # Errors
    ///
    /// If the store refuses its settings.
    pub fn open(&self, clock: &Arc<dyn Clock>) -> Result<Shared, String> {
        self.opened(clock).map_err(|error| error.to_string())
    }

    /// Opens the file of credentials on a disk that may fail.
    #[must_use]
    pub fn open_on(&self, clock: &Arc<dyn Clock>, disk: Arc<dyn Disk>) -> Shared {
        shared(Arc::new(self.file().disk(disk)), clock)
    }

    /// Opens the records without a cache in front of them.
    ///
    /// # Errors
    ///
    /// If the store refuses its settings.
    pub fn records(&self, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Store>, String> {
        match self.ground {
            Ground::Memcached => match self.sqlite() {
                Ok(records) => Ok(Arc::new(records)),
                Err(error) => Err(error.to_string()),
            },
            _ => Ok(self.open(clock)?.store),
        }
    }

    fn file(&self) -> FileStore {
        FileStore::new(self.folder.join("credentials.json"))
    }

    fn sqlite(&self) -> Result<SqliteStore, Error> {
        SqliteStore::open(self.folder.join("credentials.sqlite"))
    }

    fn opened(&self, clock: &Arc<dyn Clock>) -> Result<Shared, Error> {
        let at = |scheme: &str| format!("{scheme}://{}:{}", self.host, self.port());
        Ok(match self.ground {
            Ground::Memory => shared(Arc::new(MemoryStore::new()), clock),
            Ground::File => shared(Arc::new(self.file()), clock),
            Ground::Sqlite => shared(Arc::new(self.sqlite()?), clock),
            Ground::Memcached => {
                let builder = MemcachedStore::builder(at("memcached"));
                let memcached = builder.limit(LIMIT).allow_plain().build()?;
                let leases = shared(Arc::new(memcached), clock);
                let store = CacheOver::new(leases.store, Arc::new(self.sqlite()?), CACHED)
                    .with_leases(leases.leases)?
                    .with_clock(Arc::clone(clock));
                shared(Arc::new(store), clock)
            }
            Ground::Redis | Ground::Valkey => {
                let builder = RedisStore::builder(at(self.ground.name()));
                shared(Arc::new(builder.limit(LIMIT).allow_plain().build()?), clock)
            }
            Ground::Postgres => {
                let url = format!(
                    "host={} port={} user=vouchsafe dbname=postgres password='{}'",
                    self.host,
                    self.port(),
                    servers::PASSWORD
                );
                let builder = PostgresStore::builder(url);
                shared(Arc::new(builder.limit(LIMIT).allow_plain().build()?), clock)
            }
            Ground::Etcd => {
                let builder = EtcdStore::builder(at("http"));
                shared(Arc::new(builder.limit(LIMIT).allow_plain().build()?), clock)
            }
            Ground::Nats => {
                let builder = NatsStore::builder(at("nats"));
                shared(Arc::new(builder.limit(LIMIT).allow_plain().build()?), clock)
            }
            Ground::OpenBao => {
                let builder = VaultStore::builder(at("http")).token(servers::token(&self.folder));
                shared(Arc::new(builder.limit(LIMIT).allow_plain().build()?), clock)
            }
            Ground::DynamoDb => {
                let store = DynamoStore::new(&self.aws(clock)?, "vouchsafe")?;
                shared(Arc::new(store), clock)
            }
            Ground::SecretsManager => {
                let aws = self.aws(clock)?;
                let store = Arc::new(SecretsManagerStore::new(&aws, "vouchsafe")?);
                let leases = DynamoStore::new(&aws, "vouchsafe")?.leases();
                shared(Arc::new(WithLease::new(store, Arc::new(leases))?), clock)
            }
            Ground::Keyring => {
                let builder = KeyringStore::builder(self.folder.join("keyring.lock"));
                let builder = builder.bus(servers::bus(&self.folder)).limit(LIMIT);
                shared(Arc::new(builder.build()?), clock)
            }
        })
    }

    fn aws(&self, clock: &Arc<dyn Clock>) -> Result<Aws, Error> {
        let keys = Credentials::from_keys("planted", "planted", None);
        let settings = SdkConfig::builder()
            .region(Region::from_static("us-east-1"))
            .endpoint_url(format!("http://{}:{}", self.host, self.port()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .build();
        Aws::builder(&settings)
            .limit(LIMIT)
            .clock(Arc::clone(clock))
            .allow_plain()
            .build()
    }
}

fn shared(store: Arc<dyn Store>, clock: &Arc<dyn Clock>) -> Shared {
    // As `Credentials` choose them.
    let leases = Arc::clone(&store).own_leases().unwrap_or_else(|| {
        Arc::new(StoreLeases::with_clock(
            Arc::clone(&store),
            Arc::clone(clock),
        ))
    });
    Shared { leases, store }
}

/// How long a call of a store may take on a busy machine. The emulator of AWS makes one after the
/// other, of hundreds at a time.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a record is read from a cache.
const CACHED: Duration = Duration::from_secs(60);
