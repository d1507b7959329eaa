use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::testing::{Counting, aws, builder, bytes, key, start, write};

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(SecretsManagerStore::new(&aws(place), "vouchsafe").unwrap())
}

vouchsafe_core::store_contract!(contract, super::open, crate::testing::start);

#[tokio::test]
async fn other_tools_read_and_replace_a_record_that_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let store = SecretsManagerStore::new(&aws(folder.path()), "team/vouchsafe").unwrap();
    let Swapped::Done(first) = write(&store, Expect::Absent, "one").await else {
        unreachable!("nothing was there");
    };
    let name = "team/vouchsafe/application/profile/record";
    let read = store.client.get_secret_value().secret_id(name).send().await;
    assert_eq!(read.unwrap().secret_string.unwrap(), "one");
    let put = store
        .client
        .put_secret_value()
        .secret_id(name)
        .secret_string("two");
    put.send().await.unwrap();
    let Swapped::Conflict(Some(there)) = write(&store, Expect::Version(first), "x").await else {
        unreachable!("a change of another tool was overwritten");
    };
    assert_eq!(there.value, bytes("two"));
    let swapped = write(&store, Expect::Version(there.version), "three").await;
    assert!(matches!(swapped, Swapped::Done(_)));
}

#[tokio::test]
async fn a_write_that_was_overtaken_is_never_seen() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let calls = Counting::new();
    let aws = builder(folder.path()).transport(calls.clone()).build();
    let store = SecretsManagerStore::new(&aws.unwrap(), "vouchsafe").unwrap();
    let Swapped::Done(first) = write(&store, Expect::Absent, "one").await else {
        unreachable!("nothing was there");
    };
    let Swapped::Done(second) = write(&store, Expect::Version(first.clone()), "two").await else {
        unreachable!("there is no other writer");
    };
    for _ in 0..2 {
        let late = write(&store, Expect::Version(first.clone()), "late").await;
        let Swapped::Conflict(Some(there)) = late else {
            unreachable!("it was overtaken");
        };
        assert_eq!((there.value, &there.version), (bytes("two"), &second));
        assert!(
            !store
                .remove(&key(), &Expect::Version(first.clone()))
                .await
                .unwrap()
        );
    }
    // One that was overtaken before it looked makes no version.
    let calls = calls.take();
    let made = ["GetSecretValue", "CreateSecret"];
    let moved = [
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecretVersionStage",
    ];
    let overtaken = ["GetSecretValue"; 4];
    assert_eq!(calls, [&made[..], &moved, &overtaken].concat());
    assert_eq!(store.load(&key()).await.unwrap().unwrap().version, second);
}

#[tokio::test]
async fn a_secret_without_a_value_or_with_another_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let store = SecretsManagerStore::new(&aws(folder.path()), "vouchsafe").unwrap();
    let name = store.name(&key());
    store
        .client
        .create_secret()
        .name(&name)
        .send()
        .await
        .unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
    let error = store
        .compare_and_swap(&key(), &Expect::Absent, &bytes("planted"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(&name) && !error.is_retryable(),
        "{error}"
    );
    let put = store.client.put_secret_value();
    let put = put.secret_id(&name).secret_string("planted");
    put.send().await.unwrap();
    store
        .client
        .delete_secret()
        .secret_id(&name)
        .send()
        .await
        .unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("restore it"), "{error}");
}

#[tokio::test]
async fn names_are_those_that_secrets_may_have_and_each_is_of_one_record() {
    let aws = crate::Aws::builder(&crate::testing::sdk("http://127.0.0.1:1"));
    let store = SecretsManagerStore::new(&aws.build().unwrap(), "vouchsafe").unwrap();
    let name = |namespace: &str, profile: &str| store.name(&Key::new(namespace, profile));
    assert_eq!(name("my-app", "a.b_c"), "vouchsafe/my-app/a.b_c/record");
    assert_eq!(name("a/b", "=é"), "vouchsafe/a=2Fb/=3D=C3=A9/record");
    assert_eq!(name("", ""), "vouchsafe/=/=/record");
    let long = name(&"n".repeat(300), &"p".repeat(300));
    assert!(
        long.starts_with("vouchsafe/==") && long.len() < 100,
        "{long}"
    );
    assert_ne!(long, name(&"n".repeat(301), &"p".repeat(299)));
    assert_ne!(store.name(&key().lease()), store.name(&key()));
    for bad in ["", "a b", &"a".repeat(129)] {
        let bad = SecretsManagerStore::new(&store.aws, bad);
        assert!(bad.unwrap_err().is_config());
    }
}
