//! Records as keys of etcd, whose modification revision is their version.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use vouchsafe_core::store::{
    Base64, Board, Capabilities, Claims, Expect, Hints, Key, Leases, Loaded, Reach, Scope, Store,
    Swapped, Version, Watch,
};
use vouchsafe_core::url::{BaseUrl, Given};
use vouchsafe_core::{BoxFuture, Result, Secret, SecretBytes};

use crate::api::{Api, LARGEST_LIST, LIST, RANGE, TXN, of_store, read_fault};
use crate::wire::{
    self, Compare, Done, Found, Number, Pair, Put, Range, Request, Txn, Watched, Watching,
};

/// A [`Store`] in etcd, shared by all machines that reach the cluster; also grants
/// [`Leases`](vouchsafe_core::store::Leases).
///
/// Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct EtcdStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Arc<Api>,
    hints: Hints,
    claims: Claims,
}

/// Builds an [`EtcdStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct EtcdStoreBuilder {
    urls: Vec<Given>,
    login: Option<(String, Secret)>,
    reach: Reach,
}

/// The maximum size of a record in bytes; etcd takes requests of up to 1.5 MiB by default.
const LARGEST: usize = 1 << 20;
const PREFIX: &str = "vouchsafe/";

impl EtcdStore {
    /// Creates a builder for the URL of a member, such as `https://etcd.example:2379`.
    pub fn builder(url: impl Into<String>) -> EtcdStoreBuilder {
        EtcdStoreBuilder {
            urls: vec![Given::from(url)],
            login: None,
            reach: Reach::default(),
        }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    pub(crate) fn api(&self) -> &Api {
        &self.0.api
    }
}

impl EtcdStoreBuilder {
    /// Adds the URL of another member of the cluster, which is used if the others fail.
    pub fn member(mut self, url: impl Into<String>) -> Self {
        self.urls.push(Given::from(url));
        self
    }

    /// Logs in with a name and a password. Default: no login.
    pub fn login(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some((name.into(), password.into()));
        self
    }

    vouchsafe_core::reach_options!(reach, http);

    /// Builds the store. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](vouchsafe_core::ErrorKind::Config) if a URL is not valid or needs
    /// [`allow_plain`](Self::allow_plain), or https is impossible in this build.
    pub fn build(self) -> Result<EtcdStore> {
        let urls = self.urls.iter().map(|text| BaseUrl::parse(text));
        let urls = urls.collect::<Result<Vec<_>>>()?;
        let limit = self.reach.limit();
        let core = self.reach.client(&urls, limit / 2)?;
        let core = core.read_fault(read_fault).build_for(&urls)?;
        let api = Arc::new(Api::new(core, urls, limit, self.login));
        let listening = Arc::clone(&api);
        let hints = Hints::new(move |board| listen(Arc::clone(&listening), board));
        Ok(EtcdStore(Arc::new(Inner {
            api,
            hints,
            claims: Claims::default(),
        })))
    }
}

/// Watches all records of all applications; each change is a short line.
async fn listen(api: Arc<Api>, board: Arc<Board>) -> Result<()> {
    let body = Watching {
        create_request: Range::all(PREFIX.as_bytes()),
    };
    let mut stream = api.watch(&body).await?;
    let mut received = Vec::new();
    while let Some(piece) = stream.next().await.map_err(of_store)? {
        let mut searched = received.len();
        received.extend_from_slice(&piece);
        // Each answer is a line.
        while let Some(end) = received[searched..].iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = received.drain(..=searched + end).collect();
            searched = 0;
            let watched: Watched = serde_json::from_slice(&line).map_err(|_| {
                of_store(stream.decode_error("a line of the watch cannot be understood"))
            })?;
            let Some(events) = watched.result.filter(|events| !events.canceled) else {
                return Ok(());
            };
            if events.created {
                board.listening();
            }
            for event in events.events {
                board.changed(&event.kv.key.0);
            }
        }
        if received.len() > LARGEST_LIST {
            return Err(of_store(
                stream.decode_error("a line of the watch is too long"),
            ));
        }
    }
    Ok(())
}

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// The names of the records of a namespace begin with this.
fn records_of(namespace: &str) -> String {
    format!("{PREFIX}{}/record/", encoded(namespace))
}

pub(crate) fn name(key: &Key) -> Vec<u8> {
    let (namespace, profile) = (key.namespace(), encoded(key.profile()));
    let name = if key.is_lease() {
        format!("{PREFIX}{}/lease/{profile}", encoded(namespace))
    } else {
        format!("{}{profile}", records_of(namespace))
    };
    name.into_bytes()
}

/// The name of the key that a holder of a lease has put there.
pub(crate) fn holder(key: &Key) -> Vec<u8> {
    let (namespace, profile) = (encoded(key.namespace()), encoded(key.profile()));
    format!("{PREFIX}{namespace}/holder/{profile}").into_bytes()
}

/// The name of a key that is there from when a lease is taken until it is released. What it outlives is a
/// lease that has lapsed.
pub(crate) fn taken(key: &Key) -> Vec<u8> {
    let (namespace, profile) = (encoded(key.namespace()), encoded(key.profile()));
    format!("{PREFIX}{namespace}/taken/{profile}").into_bytes()
}

pub(crate) fn version(revision: i64) -> Version {
    Version::new(&revision.to_be_bytes())
}

/// Returns the revision of a version; for a version of another store, a revision that no record
/// has. 0 would be that of what does not exist.
pub(crate) fn revision(version: &Version) -> i64 {
    match version.as_bytes().try_into().map(i64::from_be_bytes) {
        Ok(revision) if revision > 0 => revision,
        _ => i64::MAX,
    }
}

fn loaded(pair: Pair) -> Loaded {
    Loaded {
        value: pair.value.into_bytes(),
        version: version(pair.mod_revision.0),
    }
}

fn compared(name: &[u8], expect: &Expect) -> Vec<Compare> {
    match expect {
        Expect::Absent => vec![Compare::is_absent(name)],
        Expect::Version(version) => vec![Compare::is_of_revision(name, revision(version))],
        Expect::Any => Vec::new(),
    }
}

impl Store for EtcdStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let found: Found = self.api().ask(&RANGE, &Range::one(&name(key))).await?;
            Ok(found.kvs.into_iter().next().map(loaded))
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
            let name = name(key);
            let put = Put {
                key: wire::Name(name.clone()),
                value: Base64::new(value.clone()),
                lease: Number(0),
            };
            let txn = Txn {
                compare: compared(&name, expect),
                success: vec![Request::Put(put)],
                failure: vec![Request::Range(Range::one(&name))],
            };
            let done: Done = self.api().write(&txn).await?;
            if done.succeeded {
                return Ok(Swapped::Done(version(done.header.revision.0)));
            }
            Ok(Swapped::Conflict(done.found().map(loaded)))
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            // A missing record cannot be removed.
            if *expect == Expect::Absent {
                return Ok(false);
            }
            let name = name(key);
            let txn = Txn {
                compare: compared(&name, expect),
                success: vec![Request::DeleteRange(Range::one(&name))],
                failure: Vec::new(),
            };
            let done: Done = self.api().ask(&TXN, &txn).await?;
            let deleted = done.responses.first();
            Ok(deleted.is_some_and(|response| response.response_delete_range.deleted.0 > 0))
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let prefix = records_of(namespace);
            let names = Range {
                keys_only: true,
                ..Range::all(prefix.as_bytes())
            };
            let found: Found = self.api().ask(&LIST, &names).await?;
            let profile = |pair: Pair| {
                let name = String::from_utf8(pair.key.0).ok()?;
                let profile = percent_decode_str(name.strip_prefix(&prefix)?)
                    .decode_utf8()
                    .ok()?;
                Some(profile.into_owned())
            };
            // Keys of other forms are not ours.
            let mut names: Vec<_> = found.kvs.into_iter().filter_map(profile).collect();
            names.sort();
            Ok(Some(names))
        })
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        Some(self.0.hints.watch(&name(key)))
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Some(self)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.api().limit();
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bytes::Bytes;
    use http::{Method, StatusCode};
    use serde_json::json;
    use vouchsafe_core::call::Operation;
    use vouchsafe_core::store::Leases;
    use vouchsafe_core::store::contract::check_logins;
    use vouchsafe_core::transport::{BodyStream, Response, StreamedResponse, Transport};

    use super::*;

    fn url(place: &Path) -> String {
        format!("http://127.0.0.1:{}", vouchsafe_test_servers::port(place))
    }

    fn store(place: &Path) -> EtcdStore {
        EtcdStore::builder(url(place))
            .limit(vouchsafe_core::store::contract::limit())
            .build()
            .unwrap()
    }

    fn open(place: &Path) -> Arc<dyn Store> {
        Arc::new(store(place))
    }

    fn open_leases(place: &Path) -> Arc<dyn Leases> {
        Arc::new(store(place))
    }

    vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::etcd);
    vouchsafe_core::lease_contract!(
        native_leases,
        super::open,
        super::open_leases,
        vouchsafe_test_servers::etcd
    );

    const fn administration(id: &'static str, path: &'static str) -> Operation {
        Operation::new(id, Method::POST, path)
    }

    static ADD_USER: Operation = administration("test.addUser", "/v3/auth/user/add");
    static ADD_ROLE: Operation = administration("test.addRole", "/v3/auth/role/add");
    static GRANT_ROLE: Operation = administration("test.grantRole", "/v3/auth/user/grant");
    static ENABLE: Operation = administration("test.enable", "/v3/auth/enable");

    fn key() -> Key {
        Key::new("application", "profile")
    }

    #[tokio::test]
    async fn a_login_is_made_when_it_is_needed_and_its_password_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let Some(_server) = vouchsafe_test_servers::etcd(folder.path()) else {
            return;
        };
        let plain = store(folder.path());
        let root = json!({"name": "root", "password": "planted", "user": "root", "role": "root"});
        for operation in [&ADD_USER, &ADD_ROLE, &GRANT_ROLE, &ENABLE] {
            let _: serde_json::Value = plain.api().ask(operation, &root).await.unwrap();
        }
        let error = plain.load(&key()).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert!(error.to_string().contains("user name is empty"), "{error}");

        let builder = || EtcdStore::builder(url(folder.path()));
        let store = builder().login("root", "planted").build().unwrap();
        let wrong = builder().login("root", "planted wrongly").build().unwrap();
        check_logins(&store, &[&wrong], "authentication failed").await;
        let mut watch = store.watch(&key()).unwrap();
        watch.changed().await;
    }

    #[tokio::test]
    async fn the_next_member_is_asked_if_one_cannot_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        let Some(_server) = vouchsafe_test_servers::etcd(folder.path()) else {
            return;
        };
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = gone.local_addr().unwrap();
        drop(gone);
        let builder = EtcdStore::builder(format!("http://{address}"));
        let store = builder.member(url(folder.path())).build().unwrap();
        let value = SecretBytes::from(b"one".to_vec());
        let swapped = store
            .compare_and_swap(&key(), &Expect::Absent, &value)
            .await;
        assert!(matches!(swapped, Ok(Swapped::Done(_))));
        assert!(store.load(&key()).await.unwrap().is_some());
    }

    /// An answer that never ends.
    #[derive(Debug, Default)]
    struct Endless {
        answers: AtomicUsize,
        pieces: Arc<AtomicUsize>,
    }

    impl Transport for Endless {
        fn send(&self, _: vouchsafe_core::transport::Request) -> BoxFuture<'_, Result<Response>> {
            panic!("only the watch is asked for");
        }

        fn stream(
            &self,
            _: vouchsafe_core::transport::Request,
        ) -> BoxFuture<'_, Result<StreamedResponse>> {
            self.answers.fetch_add(1, Ordering::Relaxed);
            let pieces = Pieces(Arc::clone(&self.pieces));
            let response = StreamedResponse::new(StatusCode::OK, Box::new(pieces));
            Box::pin(std::future::ready(Ok(response)))
        }
    }

    struct Pieces(Arc<AtomicUsize>);

    impl BodyStream for Pieces {
        fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let piece = Bytes::from_static(&[b'x'; 1 << 20]);
            Box::pin(async move {
                tokio::task::yield_now().await;
                Ok(Some(piece))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_without_an_end_is_not_kept() {
        let endless = Arc::new(Endless::default());
        let builder = EtcdStore::builder("https://etcd.example").transport(endless.clone());
        let store = builder.build().unwrap();
        let _watch = store.watch(&key()).unwrap();
        while endless.answers.load(Ordering::Relaxed) < 2 {
            assert!(endless.pieces.load(Ordering::Relaxed) < 100);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_key_that_no_holder_has_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let Some(_server) = vouchsafe_test_servers::etcd(folder.path()) else {
            return;
        };
        let put = Put {
            key: wire::Name(holder(&key())),
            value: Base64::default(),
            lease: Number(0),
        };
        let txn = Txn {
            compare: Vec::new(),
            success: vec![Request::Put(put)],
            failure: Vec::new(),
        };
        let store = store(folder.path());
        let _: Done = store.api().write(&txn).await.unwrap();
        let builder = EtcdStore::builder(url(folder.path())).limit(Duration::from_secs(1));
        let leases = builder.build().unwrap();
        let acquired = leases.acquire(&key(), Duration::from_secs(30)).await;
        let error = acquired.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("vouchsafe/application/holder/profile"),
            "{error}"
        );
    }

    vouchsafe_core::reach_contract!(
        EtcdStore::builder,
        "http://etcd.example:2379" at "etcd.example:2379",
        "http://[::1]:2379"
    );
}
