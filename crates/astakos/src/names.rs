//! A cache of the names and uuids of users.

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::task::{Batcher, BatcherBuilder};

use crate::{Client, Error, ErrorKind, Result};

/// Looks up names and uuids of users for many tasks. Look-ups within a few milliseconds are sent as
/// one request, and results are cached for a while.
///
/// Cheap to clone; clones share everything. All users of a `Names` see what its token may see, so
/// create one for each token.
///
/// ```
/// # #[cfg(feature = "mock")] {
/// use vouchsafe_astakos::{Names, mock::Server};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = Server::new();
/// let token = server.service_token("cyclades").ok_or("no token")?;
/// let names = Names::builder(server.client(token)).for_service().build();
/// assert_eq!(names.username(&Server::alice()).await?, "alice@example.org");
/// assert_eq!(names.uuid("Alice@Example.org").await?, Server::alice());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Names {
    names: Lookup,
    uuids: Lookup,
}

/// One direction.
#[derive(Clone, Debug)]
struct Lookup {
    cache: Cache<String, Option<Arc<str>>, Error>,
    batcher: Arc<Batcher<String, String, Error>>,
    unknown_lifetime: Duration,
}

impl Names {
    /// Creates a builder over a client with a user's token.
    pub fn builder(client: Client) -> NamesBuilder {
        NamesBuilder {
            client,
            for_service: false,
            window: Duration::from_millis(3),
            capacity: 10_000,
            lifetime: Duration::from_secs(5 * 60),
            unknown_lifetime: Duration::from_secs(5),
        }
    }

    /// Returns the name of a user.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUserName`] if no user has the uuid, which is cached for a moment; otherwise
    /// those of [`Client::usernames`], which are not cached.
    pub async fn username(&self, uuid: &str) -> Result<String> {
        let missing = || Error::lacks(ErrorKind::NoUserName, "no user has this uuid");
        self.names.get(uuid.to_owned()).await?.ok_or_else(missing)
    }

    /// Returns the uuid of a user. Case is ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUuid`] if no user has the name, which is cached for a moment; otherwise those
    /// of [`Client::uuids`], which are not cached.
    pub async fn uuid(&self, name: &str) -> Result<String> {
        let missing = || Error::lacks(ErrorKind::NoUuid, "no user has this name");
        // The server stores names in lower case, and of two spellings in one request it answers
        // only one (protocol section 7.2).
        self.uuids
            .get(name.to_lowercase())
            .await?
            .ok_or_else(missing)
    }

    /// Clears the cache.
    pub fn clear(&self) {
        self.names.cache.clear();
        self.uuids.cache.clear();
    }
}

impl Lookup {
    async fn get(&self, key: String) -> Result<Option<String>> {
        let fetch = || {
            let (batcher, key) = (Arc::clone(&self.batcher), key.clone());
            let unknown_lifetime = self.unknown_lifetime;
            async move {
                Ok(match batcher.get(key).await? {
                    Some(found) => Fetched::new(Some(Arc::from(found))),
                    None => Fetched::new(None).ttl(unknown_lifetime),
                })
            }
        };
        let found = self.cache.get_or_fetch(&key, fetch).await?;
        Ok(found.map(|found| found.to_string()))
    }
}

/// Builds [`Names`].
#[derive(Clone, Debug)]
#[must_use]
pub struct NamesBuilder {
    client: Client,
    for_service: bool,
    window: Duration,
    capacity: usize,
    lifetime: Duration,
    unknown_lifetime: Duration,
}

impl NamesBuilder {
    /// Declares that the client's token is a service's. Default: a user's.
    pub fn for_service(mut self) -> Self {
        self.for_service = true;
        self
    }

    /// Sets how long look-ups are collected before they are sent. Default: 3 milliseconds.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how many names and how many uuids are cached. Default: 10,000 of each.
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// Sets how long results are cached. Default: five minutes.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets how long the absence of a user is cached; the user may be created at any moment.
    /// Default: five seconds.
    pub fn unknown_lifetime(mut self, lifetime: Duration) -> Self {
        self.unknown_lifetime = lifetime;
        self
    }

    /// Builds the cache. Does no I/O.
    #[must_use]
    pub fn build(self) -> Names {
        let Self {
            client,
            for_service,
            ..
        } = self.clone();
        let of_names = move |uuids: Vec<String>| {
            let client = client.clone();
            async move {
                match for_service {
                    true => client.service_usernames(&uuids).await,
                    false => client.usernames(&uuids).await,
                }
            }
        };
        let Self {
            client,
            for_service,
            ..
        } = self.clone();
        let of_uuids = move |names: Vec<String>| {
            let client = client.clone();
            async move {
                match for_service {
                    true => client.service_uuids(&names).await,
                    false => client.uuids(&names).await,
                }
            }
        };
        Names {
            names: self.lookup(self.batcher("looking up names").build(of_names)),
            uuids: self.lookup(self.batcher("looking up uuids").build(of_uuids)),
        }
    }

    fn batcher(&self, what: &'static str) -> BatcherBuilder<Error> {
        Batcher::builder(what)
            .window(self.window)
            .max_keys(MAX_KEYS)
            .split_on(|error: &Error| error.kind() == ErrorKind::BadRequest)
    }

    fn lookup(&self, batcher: Batcher<String, String, Error>) -> Lookup {
        Lookup {
            cache: Cache::builder()
                .clock(Arc::clone(self.client.core().clock()))
                .capacity(self.capacity)
                .ttl(self.lifetime)
                .error_ttl(Duration::ZERO)
                .fetch_again(true)
                .build(),
            batcher: Arc::new(batcher),
            unknown_lifetime: self.unknown_lifetime,
        }
    }
}

/// The maximum number of keys in one query: as many as the client puts into one request.
const MAX_KEYS: usize = 100;
