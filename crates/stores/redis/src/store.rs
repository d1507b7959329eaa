//! Records as hashes of a version and a value.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use redis::{Cmd, RedisConnectionInfo, Value, cmd};
use url::Url;
use vouchsafe_core::store::{
    Board, Broken, Capabilities, Claims, Expect, Hints, Key, Leases, Loaded, Reach, Scope, Store,
    Swapped, Version, Watch, unique,
};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::server::{Server, broken};

/// A [`Store`] in Redis or Valkey, shared by all machines that reach the server; also grants
/// [`Leases`](vouchsafe_core::store::Leases).
///
/// Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct RedisStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Arc<Server>,
    hints: Hints,
    claims: Claims,
}

/// Builds a [`RedisStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisStoreBuilder {
    url: Secret,
    reach: Reach,
}

/// The maximum size of a record in bytes.
const LARGEST: usize = 1 << 20;
/// About the number of names that are requested at a time.
const PIECE: usize = 1000;

impl RedisStore {
    /// Creates a builder for a URL: `redis://host:6379`, or `rediss://` with TLS; with user,
    /// password and the number of the database as in `rediss://user:password@host:6379/0`.
    pub fn builder(url: impl Into<Secret>) -> RedisStoreBuilder {
        RedisStoreBuilder {
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

impl RedisStoreBuilder {
    vouchsafe_core::reach_options!(reach);

    /// Builds the store. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL is not valid or needs
    /// [`allow_plain`](Self::allow_plain), or TLS is impossible in this build.
    pub fn build(self) -> Result<RedisStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        // The URL is not repeated: it may hold a password.
        let url = Url::parse(self.url.expose()).map_err(|cause| {
            config("the URL of the Redis server is not valid").with_source(cause)
        })?;
        let is_tls = match url.scheme() {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => {
                return Err(config(
                    "the URL of a Redis server begins with redis:// or rediss://",
                ));
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| config("the URL of the Redis server names no host"))?;
        let place = format!("{host}:{}", url.port().unwrap_or(6379));
        if !is_tls {
            let is_loopback = vouchsafe_core::url::is_loopback(host);
            self.reach
                .require_allowed(&place, is_loopback, "use rediss://")?;
        }
        let server = Arc::new(Server {
            link: Server::link(&place, self.reach.limit()),
            dialer: self.reach.dialer(is_tls)?,
            url: Reach::target(&place, is_tls)?,
            info: login(&url)?,
        });
        let listening = Arc::clone(&server);
        let hints = Hints::new(move |board| listen(Arc::clone(&listening), board));
        Ok(RedisStore(Arc::new(Inner {
            server,
            hints,
            claims: Claims::default(),
        })))
    }
}

fn login(url: &Url) -> Result<RedisConnectionInfo> {
    let config = |what: &str| Error::new(ErrorKind::Config, what);
    let decoded = |text| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map_err(|_| config("user and password in the URL must be UTF-8"))
    };
    let mut info = RedisConnectionInfo::default();
    if !url.username().is_empty() {
        info = info.set_username(decoded(url.username())?);
    }
    if let Some(password) = url.password() {
        info = info.set_password(decoded(password)?);
    }
    let database = url.path().trim_matches('/');
    if !database.is_empty() {
        let number = database.parse();
        info = info.set_db(
            number.map_err(|_| config("the path of the URL is not the number of a database"))?,
        );
    }
    Ok(info)
}

/// Watches all records of all applications; each change is a short message.
async fn listen(server: Arc<Server>, board: Arc<Board>) -> Result<()> {
    let failed = |_: Broken| Error::new(ErrorKind::Store, "cannot listen");
    let mut messages = server.listen().await.map_err(failed)?;
    let subscribed = messages.psubscribe(format!("{PREFIX}*")).await;
    subscribed.map_err(|cause| failed(broken(cause)))?;
    board.listening();
    let mut messages = messages.into_on_message();
    while let Some(message) = messages.next().await {
        board.changed(message.get_channel_name().as_bytes());
    }
    Ok(())
}

const PREFIX: &str = "vouchsafe:{";

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// The braces keep all keys of a record in one slot of a cluster.
pub(crate) fn name(key: &Key) -> String {
    let (namespace, profile) = (encoded(key.namespace()), encoded(key.profile()));
    let ending = if key.is_lease() { ":lease" } else { "" };
    format!("{PREFIX}{namespace}:{profile}}}{ending}")
}

/// A script runs atomically: nothing happens between its reads and its writes.
pub(crate) fn script(text: &str, names: &[&str]) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(names.len()).arg(names);
    command
}

/// KEYS: record. ARGV: the expected state, its version, the new version, the new value.
const SWAP: &str = "
local there = redis.call('HMGET', KEYS[1], 'version', 'value')
if ARGV[1] == 'absent' and there[1] or ARGV[1] == 'version' and there[1] ~= ARGV[2] then
  return there
end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'value', ARGV[4])
redis.call('PUBLISH', KEYS[1], '')
return 1";

/// KEYS: record. ARGV: the expected state, its version.
const REMOVE: &str = "
local there = redis.call('HGET', KEYS[1], 'version')
if not there or ARGV[1] == 'absent' or ARGV[1] == 'version' and there ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', KEYS[1], '')
return 1";

fn expected(command: &mut Cmd, expect: &Expect) {
    match expect {
        Expect::Absent => command.arg("absent").arg(""),
        Expect::Version(version) => command.arg("version").arg(version.as_bytes()),
        Expect::Any => command.arg("any").arg(""),
    };
}

/// Reads a version and a value.
fn loaded(answer: Value) -> Option<Option<Loaded>> {
    let Value::Array(fields) = answer else {
        return None;
    };
    match <[Value; 2]>::try_from(fields).ok()? {
        [Value::BulkString(version), Value::BulkString(value)] => Some(Some(Loaded {
            value: SecretBytes::from(value),
            version: Version::new(&version),
        })),
        [Value::Nil, Value::Nil] => Some(None),
        _ => None,
    }
}

impl Store for RedisStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let mut command = cmd("HMGET");
            command.arg(name(key)).arg("version").arg("value");
            self.server().answer("read a record", command, loaded).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let version = unique();
            let mut command = script(SWAP, &[&name(key)]);
            expected(&mut command, expect);
            command.arg(&version).arg(value.expose());
            let read = |answer| match answer {
                Value::Int(1) => Some(Swapped::Done(Version::new(&version))),
                there => Some(Swapped::Conflict(loaded(there)?)),
            };
            self.server().answer("write a record", command, read).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let mut command = script(REMOVE, &[&name(key)]);
            expected(&mut command, expect);
            self.server()
                .answer("remove a record", command, is_one)
                .await
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let prefix = format!("{PREFIX}{}:", encoded(namespace));
            let mut names = BTreeSet::new();
            let mut cursor = b"0".to_vec();
            loop {
                let mut command = cmd("SCAN");
                // An encoded name contains no characters that are special in a pattern.
                command
                    .arg(&cursor)
                    .arg("MATCH")
                    .arg(format!("{prefix}*}}"));
                command.arg("COUNT").arg(PIECE);
                let (next, found) = self.server().answer("list records", command, piece).await?;
                let profiles = found.iter().filter_map(|name| {
                    let profile = std::str::from_utf8(name).ok()?;
                    let profile = profile.strip_prefix(&prefix)?.strip_suffix('}')?;
                    Some(percent_decode_str(profile).decode_utf8().ok()?.into_owned())
                });
                names.extend(profiles);
                if next == b"0" {
                    return Ok(Some(names.into_iter().collect()));
                }
                cursor = next;
            }
        })
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        Some(self.0.hints.watch(name(key).as_bytes()))
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Some(self)
    }

    /// How durable a record is depends on the server's settings, which this cannot know.
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.server().link.limit();
        capabilities
    }
}

pub(crate) fn is_one(answer: Value) -> Option<bool> {
    match answer {
        Value::Int(number) => Some(number == 1),
        _ => None,
    }
}

/// Reads the cursor of a list, and a piece of the list.
fn piece(answer: Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let bytes = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    };
    let Value::Array(parts) = answer else {
        return None;
    };
    let [cursor, Value::Array(names)] = <[Value; 2]>::try_from(parts).ok()? else {
        return None;
    };
    let names: Option<_> = names.into_iter().map(bytes).collect();
    Some((bytes(cursor)?, names?))
}

#[cfg(test)]
mod tests;
