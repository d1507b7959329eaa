//! Records as the rows of one table.

use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::Type;
use vouchsafe_core::store::{
    Board, Capabilities, Claims, Expect, Hints, Key, Leases, Link, Loaded, Reach, Scope, Store,
    Swapped, Version, Watch, unique,
};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::server::{Parameter, Server, Session};

/// A [`Store`] in PostgreSQL, shared by all machines that reach the server; also grants
/// [`Leases`](vouchsafe_core::store::Leases).
///
/// Records are in the table `vouchsafe_records` and leases in `vouchsafe_leases`, which are created
/// if they are missing. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct PostgresStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Arc<Server>,
    hints: Hints,
    claims: Claims,
}

/// Builds a [`PostgresStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresStoreBuilder {
    url: Secret,
    reach: Reach,
}

/// The maximum size of a record in bytes.
const LARGEST: usize = 1 << 20;

impl PostgresStore {
    /// Creates a builder for a URL, such as `postgres://user:password@host:5432/database`, or
    /// settings in the form of libpq.
    pub fn builder(url: impl Into<Secret>) -> PostgresStoreBuilder {
        PostgresStoreBuilder {
            url: url.into(),
            reach: Reach::default(),
        }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0.server
    }
}

impl PostgresStoreBuilder {
    vouchsafe_core::reach_options!(reach);

    /// Builds the store. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL is not valid, names no host or several, or
    /// needs [`allow_plain`](Self::allow_plain), or TLS is impossible in this build.
    pub fn build(self) -> Result<PostgresStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        // Neither the URL nor the cause is repeated: they may hold a password.
        let parsed = self.url.expose().parse::<Config>();
        let mut settings =
            parsed.map_err(|_| config("the URL of the PostgreSQL server is not valid"))?;
        let [Host::Tcp(host)] = settings.get_hosts() else {
            return Err(config(
                "the URL of the PostgreSQL server must name one host",
            ));
        };
        let host = host.clone();
        let port = settings.get_ports().first().copied().unwrap_or(5432);
        let place = format!("{host}:{port}");
        let is_loopback = vouchsafe_core::url::is_loopback(&host);
        if self.reach.allows_plain(is_loopback) {
            if settings.get_ssl_mode() == SslMode::Prefer {
                settings.ssl_mode(SslMode::Disable);
            }
        } else if settings.get_ssl_mode() == SslMode::Disable {
            self.reach
                .require_allowed(&place, is_loopback, "remove sslmode=disable")?;
        } else {
            settings.ssl_mode(SslMode::Require);
        }
        settings.application_name("vouchsafe");
        let is_tls = settings.get_ssl_mode() == SslMode::Require;
        let server = Arc::new(Server {
            link: Link::new(&place, self.reach.limit(), Session::is_alive),
            dialer: self.reach.dialer(is_tls)?,
            url: Reach::target(&place, true)?,
            config: settings,
        });
        let listening = Arc::clone(&server);
        let hints = Hints::new(move |board| listen(Arc::clone(&listening), board));
        Ok(PostgresStore(Arc::new(Inner {
            server,
            hints,
            claims: Claims::default(),
        })))
    }
}

async fn listen(server: Arc<Server>, board: Arc<Board>) -> Result<()> {
    let ended = server.listen(&board).await;
    ended.map_err(|_| Error::new(ErrorKind::Store, "cannot listen"))
}

const SWAP_VERSION: &str = "
WITH done AS (
    UPDATE vouchsafe_records SET version = $4, value = $5
    WHERE namespace = $1 AND is_lease = $2 AND profile = $3 AND version = $7 RETURNING 1)
SELECT pg_notify('vouchsafe', $6) FROM done";
const SWAP_ABSENT: &str = "
WITH done AS (
    INSERT INTO vouchsafe_records (namespace, is_lease, profile, version, value)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1)
SELECT pg_notify('vouchsafe', $6) FROM done";
const SWAP_ANY: &str = "
WITH done AS (
    INSERT INTO vouchsafe_records (namespace, is_lease, profile, version, value)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (namespace, is_lease, profile)
    DO UPDATE SET version = excluded.version, value = excluded.value RETURNING 1)
SELECT pg_notify('vouchsafe', $6) FROM done";
const REMOVE_VERSION: &str = "
WITH done AS (
    DELETE FROM vouchsafe_records
    WHERE namespace = $1 AND is_lease = $2 AND profile = $3 AND version = $5 RETURNING 1)
SELECT pg_notify('vouchsafe', $4) FROM done";
const REMOVE_ANY: &str = "
WITH done AS (
    DELETE FROM vouchsafe_records
    WHERE namespace = $1 AND is_lease = $2 AND profile = $3 RETURNING 1)
SELECT pg_notify('vouchsafe', $4) FROM done";
const LOAD: &str = "
SELECT version, value FROM vouchsafe_records
WHERE namespace = $1 AND is_lease = $2 AND profile = $3";
const LIST: &str = "
SELECT profile FROM vouchsafe_records
WHERE namespace = $1 AND NOT is_lease ORDER BY profile";

/// The name of a record as the table stores it: as bytes, since a text cannot contain a zero.
struct Name {
    namespace: Vec<u8>,
    is_lease: bool,
    profile: Vec<u8>,
}

impl Name {
    fn of(key: &Key) -> Self {
        Self {
            namespace: key.namespace().as_bytes().to_vec(),
            is_lease: key.is_lease(),
            profile: key.profile().as_bytes().to_vec(),
        }
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        vec![
            (&self.namespace, Type::BYTEA),
            (&self.is_lease, Type::BOOL),
            (&self.profile, Type::BYTEA),
        ]
    }
}

/// The name of a record in a notification. Names that are too long are cut, which causes
/// superfluous hints.
fn topic(key: &Key) -> String {
    let names = [key.namespace(), key.profile()].map(str::as_bytes);
    let mut topic = format!("{} {} ", key.is_lease(), names[0].len());
    let bytes = names.concat();
    topic.push_str(&vouchsafe_core::text::hex(&bytes[..bytes.len().min(1000)]));
    topic
}

impl PostgresStore {
    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        let what = "read a record";
        let name = Name::of(key);
        let rows = self.server().query(what, LOAD, &name.parameters()).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (version, value) = (row.try_get::<_, &[u8]>(0), row.try_get::<_, Vec<u8>>(1));
        let (Ok(version), Ok(value)) = (version, value) else {
            let place = self.server().link.place();
            let message = format!("the table vouchsafe_records at {place} is not of this store");
            return Err(Error::new(ErrorKind::Store, message));
        };
        Ok(Some(Loaded {
            value: SecretBytes::from(value),
            version: Version::new(version),
        }))
    }
}

impl Store for PostgresStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(self.read(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let version = unique().to_vec();
            let (name, topic, value) = (Name::of(key), topic(key), value.expose());
            let seen;
            let mut parameters = name.parameters();
            parameters.push((&version, Type::BYTEA));
            parameters.push((&value, Type::BYTEA));
            parameters.push((&topic, Type::TEXT));
            let statement = match expect {
                Expect::Absent => SWAP_ABSENT,
                Expect::Any => SWAP_ANY,
                Expect::Version(version) => {
                    seen = version.as_bytes();
                    parameters.push((&seen, Type::BYTEA));
                    SWAP_VERSION
                }
            };
            let done = self
                .server()
                .query("write a record", statement, &parameters)
                .await?;
            if done.is_empty() {
                return Ok(Swapped::Conflict(self.read(key).await?));
            }
            Ok(Swapped::Done(Version::new(&version)))
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let (name, topic) = (Name::of(key), topic(key));
            let seen;
            let mut parameters = name.parameters();
            parameters.push((&topic, Type::TEXT));
            let statement = match expect {
                // A missing record cannot be removed.
                Expect::Absent => return Ok(false),
                Expect::Any => REMOVE_ANY,
                Expect::Version(version) => {
                    seen = version.as_bytes();
                    parameters.push((&seen, Type::BYTEA));
                    REMOVE_VERSION
                }
            };
            let done = self
                .server()
                .query("remove a record", statement, &parameters)
                .await?;
            Ok(!done.is_empty())
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let namespace = namespace.as_bytes();
            let parameters: &[Parameter<'_>] = &[(&namespace, Type::BYTEA)];
            let rows = self
                .server()
                .query("list records", LIST, parameters)
                .await?;
            // Names that are not text are not ours.
            let name = |row: &tokio_postgres::Row| String::from_utf8(row.try_get(0).ok()?).ok();
            Ok(Some(rows.iter().filter_map(name).collect()))
        })
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        Some(self.0.hints.watch(topic(key).as_bytes()))
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Some(self)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.server().link.limit();
        capabilities
    }
}

#[cfg(test)]
mod tests;
