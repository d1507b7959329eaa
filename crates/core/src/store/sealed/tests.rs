use super::*;
use crate::store::{Acquired, MemoryStore, StoreLeases};

fn key_of(byte: u8) -> SealingKey {
    SealingKey::from_bytes(&SecretBytes::from(vec![byte; KEY])).unwrap()
}

#[cfg(feature = "mock")]
fn open(place: &Path) -> Arc<dyn Store> {
    let store = crate::store::FolderStore::open(place).unwrap();
    Arc::new(Sealed::new(Arc::new(store), key_of(1)))
}

#[cfg(feature = "mock")]
crate::store_contract!(contract, super::open);

fn key() -> Key {
    Key::new("application", "profile")
}

fn planted() -> SecretBytes {
    SecretBytes::from(b"planted".to_vec())
}

async fn write(store: &dyn Store, key: &Key, value: &SecretBytes) {
    let swapped = store.compare_and_swap(key, &Expect::Any, value).await;
    assert!(matches!(swapped, Ok(Swapped::Done(_))));
}

async fn refusal(store: &dyn Store, key: &Key) -> String {
    let error = store.load(key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(!error.is_retryable());
    assert!(!format!("{error:?}").contains("planted"));
    error.to_string()
}

#[tokio::test]
async fn the_store_below_sees_neither_the_record_nor_twice_the_same() {
    let below = Arc::new(MemoryStore::new());
    let store = Sealed::new(below.clone(), key_of(1));
    let mut seen = Vec::new();
    for _ in 0..2 {
        write(&store, &key(), &planted()).await;
        let sealed = below.load(&key()).await.unwrap().unwrap().value;
        assert!(!sealed.expose().windows(7).any(|bytes| bytes == b"planted"));
        assert_eq!(sealed.expose().len(), HEAD + NONCE_LEN + 7 + TAG);
        seen.push(sealed.expose().to_vec());
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!(store.load(&key()).await.unwrap().unwrap().value, planted());
}

#[tokio::test]
async fn a_record_that_was_altered_moved_or_never_sealed_is_refused() {
    let below = Arc::new(MemoryStore::new());
    let store = Sealed::new(below.clone(), key_of(1));
    write(&store, &key(), &planted()).await;
    let sealed = below.load(&key()).await.unwrap().unwrap().value;
    for at in [HEAD, HEAD + NONCE_LEN, sealed.expose().len() - 1] {
        let mut altered = sealed.expose().to_vec();
        altered[at] ^= 1;
        write(&*below, &key(), &SecretBytes::from(altered)).await;
        assert!(
            refusal(&store, &key()).await.contains("altered"),
            "byte {at}"
        );
    }
    for other in [
        Key::new("application", "other"),
        Key::new("applicationp", "rofile"),
    ] {
        write(&*below, &other, &sealed).await;
        assert!(refusal(&store, &other).await.contains("another name"));
    }
    for plain in [planted(), SecretBytes::from(MARK.to_vec())] {
        write(&*below, &key(), &plain).await;
        assert!(refusal(&store, &key()).await.contains("not sealed"));
    }
}

#[tokio::test]
async fn a_key_is_changed_without_a_gap() {
    let below = Arc::new(MemoryStore::new());
    let old = Sealed::new(below.clone(), key_of(1));
    write(&old, &key(), &planted()).await;
    let new = Sealed::new(below.clone(), key_of(2));
    assert!(refusal(&new, &key()).await.contains("also_open"));
    let both = new.clone().also_open(key_of(1));
    assert_eq!(both.load(&key()).await.unwrap().unwrap().value, planted());
    assert!(both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&Key::new("application", "none")).await.unwrap());
    assert_eq!(new.load(&key()).await.unwrap().unwrap().value, planted());
    assert!(old.load(&key()).await.is_err());
}

#[tokio::test]
async fn a_lease_gets_the_new_key_too() {
    let below = Arc::new(MemoryStore::new());
    let leases = |store: &Sealed| StoreLeases::new(Arc::new(store.clone()));
    let take = async |leases: StoreLeases| {
        let taken = leases.acquire(&key(), Duration::from_secs(60)).await;
        match taken.unwrap() {
            Acquired::Lease(lease) => lease,
            Acquired::Held { .. } => panic!("it is held"),
        }
    };
    let old = Sealed::new(below.clone(), key_of(1));
    write(&old, &key(), &planted()).await;
    let held = take(leases(&old)).await;
    let fence = held.fence();

    let new = Sealed::new(below.clone(), key_of(2));
    let both = new.clone().also_open(key_of(1));
    assert!(both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&key()).await.unwrap());
    // By now each process has both keys.
    assert!(leases(&both).release(held).await.unwrap());
    let lease = take(leases(&new)).await;
    assert!(lease.fence() > fence);

    // The lease is there also without a record.
    assert!(below.remove(&key(), &Expect::Any).await.unwrap());
    let newest = Sealed::new(below.clone(), key_of(3));
    let both = newest.clone().also_open(key_of(2));
    assert!(both.reseal(&key()).await.unwrap());
    assert!(leases(&newest).release(lease).await.unwrap());
}

/// Wraps a key by adding its number.
#[derive(Debug)]
struct Counting(&'static str, std::sync::atomic::AtomicU8);

impl KeySource for Counting {
    fn name(&self) -> &str {
        self.0
    }

    fn to_seal<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<WrappedKey>> {
        let number = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(WrappedKey {
            key: key_of(number),
            wrapped: Arc::from([b'w', number]),
        })))
    }

    fn to_open<'a>(&'a self, _: &'a Key, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SealingKey>> {
        let opened = match wrapped {
            [b'w', number] => Ok(key_of(*number)),
            _ => Err(Error::new(ErrorKind::Store, "not wrapped here")),
        };
        Box::pin(std::future::ready(opened))
    }
}

fn source(name: &'static str) -> Arc<dyn KeySource> {
    Arc::new(Counting(name, 7.into()))
}

/// Makes wrapped keys of this size.
#[derive(Debug)]
struct Padding(usize);

impl KeySource for Padding {
    fn name(&self) -> &str {
        "padding"
    }

    fn to_seal<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<WrappedKey>> {
        Box::pin(std::future::ready(Ok(WrappedKey {
            key: key_of(1),
            wrapped: Arc::from(vec![b'w'; self.0]),
        })))
    }

    fn to_open<'a>(&'a self, _: &'a Key, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SealingKey>> {
        assert_eq!(wrapped, vec![b'w'; self.0]);
        Box::pin(std::future::ready(Ok(key_of(1))))
    }
}

#[tokio::test]
async fn a_wrapped_key_may_have_any_size_up_to_the_largest() {
    for size in [0, 1, 3, LONGEST_WRAPPED] {
        let below = Arc::new(MemoryStore::new());
        let store = Sealed::with_source(below.clone(), Arc::new(Padding(size)));
        write(&store, &key(), &planted()).await;
        let sealed = below.load(&key()).await.unwrap().unwrap().value;
        assert!(!sealed.expose().windows(7).any(|bytes| bytes == b"planted"));
        assert_eq!(store.load(&key()).await.unwrap().unwrap().value, planted());
    }
    let source = Arc::new(Padding(LONGEST_WRAPPED + 1));
    let store = Sealed::with_source(Arc::new(MemoryStore::new()), source);
    let (key, planted) = (key(), planted());
    let written = store.compare_and_swap(&key, &Expect::Any, &planted);
    let error = written.await.unwrap_err();
    assert!(error.to_string().contains("2048 bytes"), "{error}");
}

#[tokio::test]
async fn the_largest_record_fills_the_store_below_and_its_keys_take_time() {
    let folder = tempfile::tempdir().unwrap();
    let below = crate::store::FolderStore::open(folder.path()).unwrap();
    let below: Arc<dyn Store> = Arc::new(below);
    let of_below = below.capabilities();
    let source = Arc::new(Padding(LONGEST_WRAPPED));
    for (store, for_keys) in [
        (Sealed::new(below.clone(), key_of(1)), Duration::ZERO),
        (Sealed::with_source(below.clone(), source), 2 * LIMIT),
    ] {
        assert_eq!(store.capabilities().limit, of_below.limit + for_keys);
        let most = store.capabilities().max_bytes.unwrap();
        write(&store, &key(), &SecretBytes::from(vec![0; most])).await;
        let sealed = below.load(&key()).await.unwrap().unwrap().value;
        assert_eq!(Some(sealed.expose().len()), of_below.max_bytes);
    }
}

#[tokio::test]
async fn hints_of_the_store_below_are_passed_on() {
    let below = Arc::new(MemoryStore::new());
    let store = Sealed::new(below.clone(), key_of(1));
    let mut watch = store.watch(&key()).unwrap();
    write(&*below, &key(), &planted()).await;
    watch.changed().await;
}

#[test]
fn a_key_shows_its_id_and_not_itself() {
    let shown = format!("{:?}", key_of(1));
    let id = crate::text::hex(&key_of(1).id);
    assert_eq!(shown, format!("SealingKey({id})"));
    assert!(!shown.contains("010101"), "{shown}");
}

#[tokio::test]
async fn a_source_makes_a_key_for_each_record_that_is_kept_next_to_it() {
    let below = Arc::new(MemoryStore::new());
    let store = Sealed::with_source(below.clone(), source("one"));
    let mut seen = Vec::new();
    for _ in 0..2 {
        write(&store, &key(), &planted()).await;
        let sealed = below.load(&key()).await.unwrap().unwrap().value;
        assert!(!sealed.expose().windows(7).any(|bytes| bytes == b"planted"));
        seen.push(sealed.expose()[HEAD..HEAD + LENGTH + 2].to_vec());
        assert_eq!(store.load(&key()).await.unwrap().unwrap().value, planted());
    }
    assert_eq!(seen, [[0, 2, b'w', 7], [0, 2, b'w', 8]]);
    // The wrapped key of another record, or none that anybody wrapped, and a length that lies.
    let sealed = below.load(&key()).await.unwrap().unwrap().value;
    for (at, to, told) in [
        (HEAD + 3, 7, "altered"),
        (HEAD + 2, b'x', "not wrapped here"),
        (HEAD, 255, "not sealed"),
    ] {
        let mut altered = sealed.expose().to_vec();
        altered[at] = to;
        write(&*below, &key(), &SecretBytes::from(altered)).await;
        let refused = refusal(&store, &key()).await;
        assert!(refused.contains(told), "{refused}");
    }
    for length in 0..sealed.expose().len() {
        let cut = SecretBytes::from(sealed.expose()[..length].to_vec());
        write(&*below, &key(), &cut).await;
        refusal(&store, &key()).await;
    }
}

#[tokio::test]
async fn a_key_is_replaced_by_a_source_and_that_by_another() {
    let below = Arc::new(MemoryStore::new());
    let old = Sealed::new(below.clone(), key_of(1));
    write(&old, &key(), &planted()).await;
    let one = Sealed::with_source(below.clone(), source("one"));
    assert!(refusal(&one, &key()).await.contains("also_open"));
    let both = one.clone().also_open(key_of(1));
    assert!(both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&key()).await.unwrap());
    assert_eq!(one.load(&key()).await.unwrap().unwrap().value, planted());
    let other = Sealed::with_source(below.clone(), source("other"));
    assert!(refusal(&other, &key()).await.contains("also_open"));
    let both = other.clone().also_open_with(source("one"));
    assert!(both.reseal(&key()).await.unwrap());
    assert_eq!(other.load(&key()).await.unwrap().unwrap().value, planted());
    assert!(one.load(&key()).await.is_err());
}

#[test]
fn keys_come_from_files_and_passphrases() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{}\n", STANDARD.encode([1; KEY]))).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let chmod = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for (mode, told) in [
            (0o640, "other users may read it (mode 0640)"),
            (0o604, "other users may read it (mode 0604)"),
            (0o620, "other users may write it (mode 0620)"),
        ] {
            chmod(mode);
            let error = SealingKey::from_file(&path).unwrap_err();
            assert!(error.is_config(), "{error}");
            assert!(error.to_string().contains(told), "{error}");
        }
        chmod(0o600);
    }
    assert_eq!(SealingKey::from_file(&path).unwrap().id, key_of(1).id);
    for bad in ["planted", &STANDARD.encode([1; KEY - 1])] {
        std::fs::write(&path, bad).unwrap();
        let error = SealingKey::from_file(&path).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("key"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains(bad));
    }
    let from = |text, salt| SealingKey::from_passphrase(&Secret::from(text), salt).id;
    assert_eq!(from("one", "a"), from("one", "a"));
    assert_ne!(from("one", "a"), from("two", "a"));
    assert_ne!(from("one", "a"), from("one", "b"));
}
