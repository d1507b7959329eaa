//! Records as documents of a version and a value.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::{ConnectionString, HostInfo, ServerAddress, Tls};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use vouchsafe_core::store::{
    Capabilities, Claims, Expect, Key, Leases, Loaded, Reach, Scope, Store, Swapped, Version,
    unique,
};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::server::{Records, Server, is_duplicate};

/// A [`Store`] in MongoDB, shared by all machines that reach the servers; also grants
/// [`Leases`](vouchsafe_core::store::Leases).
///
/// Records and leases are in the collection `vouchsafe_records`, which the server makes when it is
/// first written. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct MongoStore(Arc<Server>);

/// Builds a [`MongoStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MongoStoreBuilder {
    url: Secret,
    reach: Reach,
}

/// The maximum size of a record in bytes; MongoDB takes documents of 16 MiB.
const LARGEST: usize = 1 << 20;

impl MongoStore {
    /// Creates a builder for a URL, such as
    /// `mongodb://user:password@one.example,two.example/database?tls=true`. Without a database in the
    /// URL, it is `vouchsafe`. With `tlsCAFile` in the URL, the roots of that file are trusted, else
    /// those that the driver has.
    pub fn builder(url: impl Into<Secret>) -> MongoStoreBuilder {
        MongoStoreBuilder {
            url: url.into(),
            reach: Reach::default(),
        }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0
    }
}

impl MongoStoreBuilder {
    vouchsafe_core::reach_options!(reach, without network);

    /// Builds the store. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL is not valid, begins with `mongodb+srv://`,
    /// switches the checks of certificates off, or needs [`allow_plain`](Self::allow_plain).
    pub fn build(self) -> Result<MongoStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        let text = self.url.expose();
        if text.starts_with("mongodb+srv:") {
            return Err(config(
                "the URL of MongoDB must name its servers, as in mongodb://one.example,two.example; \
                 mongodb+srv:// is not supported",
            ));
        }
        // Neither the URL nor the cause is repeated: they may hold a password.
        let parsed = ConnectionString::parse(text);
        let parsed = parsed.map_err(|_| config("the URL of MongoDB is not valid"))?;
        let HostInfo::HostIdentifiers(servers) = &parsed.host_info else {
            return Err(config("the URL of MongoDB names no server"));
        };
        let places: Vec<_> = servers.iter().map(ToString::to_string).collect();
        let place = places.join(",");
        match &parsed.tls {
            Some(Tls::Enabled(tls)) => {
                let is_off = |option: Option<bool>| option == Some(true);
                if is_off(tls.allow_invalid_certificates) {
                    return Err(config("the URL of MongoDB switches the checks of TLS off"));
                }
            }
            _ => {
                let is_loopback = servers.iter().all(is_here);
                self.reach
                    .require_allowed(&place, is_loopback, "use tls=true")?;
            }
        }
        Ok(MongoStore(Arc::new(Server {
            link: Server::link(&place, self.reach.limit()),
            limit: self.reach.limit(),
            url: self.url,
            claims: Claims::default(),
        })))
    }
}

fn is_here(server: &ServerAddress) -> bool {
    match server {
        ServerAddress::Tcp { host, .. } => vouchsafe_core::url::is_loopback(host),
        // A socket of this machine.
        _ => true,
    }
}

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// The names of the records of a namespace begin with this.
fn records_of(namespace: &str) -> String {
    format!("record/{}/", encoded(namespace))
}

/// Returns the name of a document.
pub(crate) fn name(key: &Key) -> String {
    let profile = encoded(key.profile());
    if key.is_lease() {
        format!("lease/{}/{profile}", encoded(key.namespace()))
    } else {
        format!("{}{profile}", records_of(key.namespace()))
    }
}

pub(crate) fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    })
}

fn bytes(document: &mut Document, field: &str) -> Option<Vec<u8>> {
    match document.remove(field) {
        Some(Bson::Binary(binary)) => Some(binary.bytes),
        _ => None,
    }
}

fn loaded(mut document: Document) -> Option<Loaded> {
    let version = bytes(&mut document, "version")?;
    Some(Loaded {
        value: SecretBytes::from(bytes(&mut document, "value")?),
        version: Version::new(&version),
    })
}

/// Names a record in a state. The state of a record that is absent has no name.
fn stated(name: &str, expect: &Expect) -> Document {
    match expect {
        Expect::Version(version) => doc! { "_id": name, "version": binary(version.as_bytes()) },
        Expect::Absent | Expect::Any => doc! { "_id": name },
    }
}

/// Writes a record if its state is the expected one, and returns whether it did.
async fn write(
    records: Records,
    name: &str,
    expect: &Expect,
    fields: Document,
) -> mongodb::error::Result<bool> {
    if *expect == Expect::Absent {
        let mut document = doc! { "_id": name };
        document.extend(fields);
        return match records.insert_one(document).await {
            Ok(_) => Ok(true),
            Err(cause) if is_duplicate(&cause) => Ok(false),
            Err(cause) => Err(cause),
        };
    }
    let state = stated(name, expect);
    let change = doc! { "$set": fields };
    loop {
        let update = records.update_one(state.clone(), change.clone());
        match update.upsert(*expect == Expect::Any).await {
            Ok(done) => return Ok(done.matched_count > 0 || done.upserted_id.is_some()),
            // Another writer made it between the look and the insertion.
            Err(cause) if is_duplicate(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
}

impl MongoStore {
    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        let (what, name) = ("read a record", name(key));
        let find = |records: Records| async move { records.find_one(doc! { "_id": name }).await };
        let Some(document) = self.server().call(what, find).await? else {
            return Ok(None);
        };
        loaded(document).map(Some).ok_or_else(|| {
            let place = self.server().link.place();
            let message = format!("cannot {what} at {place}: it is not of this store; remove it");
            Error::new(ErrorKind::Store, message)
        })
    }
}

impl Store for MongoStore {
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
            let (name, version) = (name(key), unique());
            let fields = doc! { "version": binary(&version), "value": binary(value.expose()) };
            let work = |records| async move { write(records, &name, expect, fields).await };
            if self.server().call("write a record", work).await? {
                return Ok(Swapped::Done(Version::new(&version)));
            }
            Ok(Swapped::Conflict(self.read(key).await?))
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if *expect == Expect::Absent {
                return Ok(false);
            }
            let state = stated(&name(key), expect);
            let work = |records: Records| async move { records.delete_one(state).await };
            let done = self.server().call("remove a record", work).await?;
            Ok(done.deleted_count > 0)
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let prefix = records_of(namespace);
            // Names have no `/` after the prefix, and `0` is the next letter.
            let end = format!("{}0", prefix.trim_end_matches('/'));
            let range = doc! { "_id": { "$gte": &prefix, "$lt": end } };
            let work = |records: Records| async move {
                let found = records.find(range).projection(doc! { "_id": 1 }).await?;
                found.try_collect::<Vec<_>>().await
            };
            let found = self.server().call("list records", work).await?;
            // Names of other forms are not ours.
            let profile = |document: &Document| {
                let name = document.get_str("_id").ok()?.strip_prefix(&prefix)?;
                let name = percent_decode_str(name).decode_utf8().ok()?;
                Some(name.into_owned())
            };
            let mut profiles: Vec<_> = found.iter().filter_map(profile).collect();
            profiles.sort();
            Ok(Some(profiles))
        })
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
