#[cfg(feature = "dynamodb")]
use std::path::Path;

use vouchsafe_core::store::{Expect, MemoryStore, Sealed, Store as _, Swapped};

use super::*;
use crate::testing::{Always, Counting, aws, builder, bytes, key, sdk, start, write};

#[cfg(feature = "dynamodb")]
fn open(place: &Path) -> Arc<dyn vouchsafe_core::store::Store> {
    let aws = aws(place);
    let keys = KmsKeys::new(&aws, "alias/vouchsafe").unwrap();
    let store = crate::DynamoStore::new(&aws, "vouchsafe").unwrap();
    Arc::new(Sealed::with_source(Arc::new(store), Arc::new(keys)))
}

#[cfg(feature = "dynamodb")]
vouchsafe_core::store_contract!(contract, super::open, crate::testing::start);

#[tokio::test]
async fn a_key_is_asked_for_once_and_others_open_it_by_asking_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let below = Arc::new(MemoryStore::new());
    let calls = Counting::new();
    let keys = || {
        let aws = builder(folder.path()).transport(calls.clone()).build();
        KmsKeys::new(&aws.unwrap(), "alias/vouchsafe").unwrap()
    };
    let sealed = |keys| Arc::new(Sealed::with_source(below.clone(), Arc::new(keys)));
    let store = sealed(keys());
    for text in ["one", "two"] {
        assert!(matches!(
            write(&*store, Expect::Any, text).await,
            Swapped::Done(_)
        ));
        assert_eq!(
            store.load(&key()).await.unwrap().unwrap().value,
            bytes(text)
        );
    }
    assert_eq!(calls.take(), ["GenerateDataKey"]);

    let other = sealed(keys());
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let other = Arc::clone(&other);
        readers.spawn(async move { other.load(&key()).await });
    }
    while let Some(read) = readers.join_next().await {
        assert_eq!(read.unwrap().unwrap().unwrap().value, bytes("two"));
    }
    assert_eq!(calls.take(), ["Decrypt"]);

    let forgetful = sealed(keys().lifetime(Duration::ZERO));
    for _ in 0..2 {
        assert!(matches!(
            write(&*forgetful, Expect::Any, "x").await,
            Swapped::Done(_)
        ));
        assert_eq!(
            forgetful.load(&key()).await.unwrap().unwrap().value,
            bytes("x")
        );
    }
    assert_eq!(calls.take(), ["GenerateDataKey", "Decrypt"].repeat(2));
}

#[tokio::test]
async fn a_wrapped_key_opens_nothing_but_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let keys = |id: &str| KmsKeys::new(&aws(folder.path()), id).unwrap();
    let made = keys("alias/vouchsafe").to_seal(&key()).await.unwrap();
    let others = keys("alias/vouchsafe");
    let refused = async |record: &Key, wrapped: &[u8]| {
        let error = others.to_open(record, wrapped).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert!(error.to_string().contains("alias/vouchsafe"), "{error}");
    };
    for record in [
        Key::new("application", "other"),
        Key::new("other", "profile"),
        key().lease(),
    ] {
        refused(&record, &made.wrapped).await;
    }
    let mut altered = made.wrapped.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    refused(&key(), &altered).await;
    others.to_open(&key(), &made.wrapped).await.unwrap();

    let error = keys("alias/other").to_seal(&key()).await.unwrap_err();
    assert!(error.to_string().contains("NotFoundException"), "{error}");
    assert!(
        KmsKeys::new(&aws(folder.path()), "")
            .unwrap_err()
            .is_config()
    );
}

#[tokio::test]
async fn records_move_from_one_key_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let aws = aws(folder.path());
    let service = Client::new(aws.sdk());
    let create = async || {
        let made = service.create_key().send().await.unwrap();
        made.key_metadata.unwrap().arn.unwrap()
    };
    let (old, new) = (create().await, create().await);
    let below = Arc::new(MemoryStore::new());
    let keys = |id: &str| Arc::new(KmsKeys::new(&aws, id).unwrap());
    let sealed = |id: &str| Sealed::with_source(below.clone(), keys(id));
    let (with_old, with_new) = (sealed(&old), sealed(&new));
    let write = async |store: &Sealed, text: &str| {
        assert!(matches!(
            write(store, Expect::Any, text).await,
            Swapped::Done(_)
        ));
    };
    write(&with_old, "one").await;
    let error = with_new.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("not here"), "{error}");
    let both = sealed(&new).also_open_with(keys(&old));
    let read = async |store: &Sealed| store.load(&key()).await.unwrap().unwrap().value;
    assert_eq!(read(&both).await, bytes("one"));
    assert!(both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&key()).await.unwrap());
    // Nothing asks for the old key any more.
    assert_eq!(read(&with_new).await, bytes("one"));
    assert!(with_old.load(&key()).await.is_err());
    // What is written while both are known has the new one.
    write(&with_old, "two").await;
    write(&both, "three").await;
    assert_eq!(read(&with_new).await, bytes("three"));
    // KMS itself opens nothing with another key than the one that made it.
    let made = keys(&old).to_seal(&key()).await.unwrap();
    let error = keys(&new).to_open(&key(), &made.wrapped).await.unwrap_err();
    assert!(
        !error.is_retryable() && error.to_string().contains(&new),
        "{error}"
    );
}

/// The emulator has another code where another key made it.
#[tokio::test]
async fn a_key_that_was_made_by_another_one_says_what_to_do() {
    for (code, hint) in [
        ("IncorrectKeyException", Some("point it back")),
        ("InvalidCiphertextException", Some("it was altered")),
        ("DisabledException", None),
    ] {
        let aws = Aws::builder(&sdk("https://kms.example"));
        let aws = aws.transport(Always::new(400, code)).build().unwrap();
        let keys = KmsKeys::new(&aws, "alias/vouchsafe").unwrap();
        let error = keys.to_open(&key(), b"wrapped").await.unwrap_err();
        assert!(!error.is_retryable() && error.code() == Some(code));
        let text = error.to_string();
        assert!(text.contains("alias/vouchsafe"), "{text}");
        for known in ["point it back", "it was altered"] {
            assert_eq!(text.contains(known), hint == Some(known), "{text}");
        }
    }
}
