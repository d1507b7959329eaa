//! The stores that run on this machine, each with the server that it needs, for what is tried on all
//! of them.

mod site;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vouchsafe_core::store::contract::Server;
use vouchsafe_test_servers as servers;

pub use self::site::{Shared, Site};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ground {
    /// Memory of one process.
    Memory,
    /// The file of `pancloud`.
    File,
    /// An SQLite database.
    Sqlite,
    /// Memcached, which forgets: leases, and a cache in front of an SQLite database.
    Memcached,
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
    /// PostgreSQL.
    Postgres,
    /// etcd.
    Etcd,
    /// NATS JetStream.
    Nats,
    /// OpenBao.
    OpenBao,
    /// A table of DynamoDB.
    DynamoDb,
    /// Secrets Manager, with leases in a table of DynamoDB.
    SecretsManager,
    /// GNOME Keyring.
    Keyring,
}

impl Ground {
    /// All of them, the fast ones first.
    pub const ALL: [Self; 13] = [
        Self::Memory,
        Self::File,
        Self::Sqlite,
        Self::Memcached,
        Self::Redis,
        Self::Valkey,
        Self::Postgres,
        Self::Etcd,
        Self::Nats,
        Self::OpenBao,
        Self::DynamoDb,
        Self::SecretsManager,
        Self::Keyring,
    ];

    /// Those that several machines share, and whose leases do not need clocks that agree.
    pub const OF_NETWORK: [Self; 6] = [
        Self::Redis,
        Self::Valkey,
        Self::Postgres,
        Self::Etcd,
        Self::DynamoDb,
        Self::SecretsManager,
    ];

    /// Returns its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
            Self::Sqlite => "sqlite",
            Self::Memcached => "memcached",
            Self::Redis => "redis",
            Self::Valkey => "valkey",
            Self::Postgres => "postgres",
            Self::Etcd => "etcd",
            Self::Nats => "nats",
            Self::OpenBao => "openbao",
            Self::DynamoDb => "dynamodb",
            Self::SecretsManager => "secrets-manager",
            Self::Keyring => "keyring",
        }
    }

    /// Finds a kind by its name.
    ///
    /// # Errors
    ///
    /// If no kind has it.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|ground| ground.name() == name);
        found.ok_or_else(|| format!("no store is called {name:?}; there are: {known}"))
    }

    /// Returns the least time that a lease can last there.
    #[must_use]
    pub fn shortest_lease(self) -> Duration {
        match self {
            Self::Etcd => Duration::from_secs(2),
            // Their clock is right to within a second.
            Self::DynamoDb | Self::SecretsManager => Duration::from_secs(4),
            _ => Duration::from_millis(300),
        }
    }

    /// Starts what the store needs, with its data in a folder. `None` if it is not installed, which
    /// has been said.
    #[must_use]
    pub fn start(self, folder: &Path) -> Option<Started> {
        let start = match self {
            Self::Memory | Self::File | Self::Sqlite => return Some(Started(None)),
            Self::Memcached => servers::memcached,
            Self::Redis => servers::redis,
            Self::Valkey => servers::valkey,
            Self::Postgres => servers::postgres,
            Self::Etcd => servers::etcd,
            Self::Nats => servers::nats,
            Self::OpenBao => servers::openbao,
            Self::DynamoDb | Self::SecretsManager => servers::moto,
            Self::Keyring => servers::keyring,
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
#[must_use = "dropping it ends the server"]
pub struct Started(Option<Box<dyn Server>>);

impl Started {
    /// Kills the server. Does nothing without one.
    pub fn kill(&mut self) {
        if let Some(server) = &mut self.0 {
            server.kill();
        }
    }

    /// Starts the server again, and kills it before if it runs. Does nothing without one.
    pub fn restart(&mut self) {
        self.kill();
        if let Some(server) = &mut self.0 {
            server.start();
        }
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.is_some() {
            "Server"
        } else {
            "Nothing"
        };
        write!(f, "Started({kind})")
    }
}
