use std::path::Path;

use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::{Acquired, Leases as _};

use super::*;
use crate::testing::{aws, builder, bytes, key, start, write};

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(DynamoStore::new(&aws(place), "vouchsafe").unwrap())
}

fn open_leases(place: &Path) -> Arc<dyn Leases> {
    Arc::new(DynamoStore::new(&aws(place), "vouchsafe").unwrap().leases())
}

vouchsafe_core::store_contract!(contract, super::open, crate::testing::start);
vouchsafe_core::lease_contract!(
    leases,
    super::open,
    super::open_leases,
    crate::testing::start;
    vouchsafe_core::store::contract::Time::ServerWithin(std::time::Duration::from_secs(1))
);

#[tokio::test]
async fn a_table_that_is_missing_is_named_and_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let store = DynamoStore::new(&aws(folder.path()), "other").unwrap();
    for error in [
        store.load(&key()).await.map(drop).unwrap_err(),
        store.list("application").await.map(drop).unwrap_err(),
        store
            .remove(&key(), &Expect::Any)
            .await
            .map(drop)
            .unwrap_err(),
        store
            .compare_and_swap(&key(), &Expect::Any, &bytes("planted"))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(!error.is_retryable());
        for told in [
            "the table other",
            "127.0.0.1:",
            "ResourceNotFoundException",
            "create_table()",
        ] {
            assert!(error.to_string().contains(told), "{error}");
        }
    }
    store.create_table().await.unwrap();
    store.create_table().await.unwrap();
    assert!(matches!(
        write(&store, Expect::Absent, "one").await,
        Swapped::Done(_)
    ));
    assert_eq!(
        store.load(&key()).await.unwrap().unwrap().value,
        bytes("one")
    );
}

#[tokio::test]
async fn leases_go_by_the_time_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let leases = |ahead: bool| {
        let clock = ManualClock::running();
        let now = vouchsafe_core::Clock::now(&clock);
        clock.set(if ahead {
            now + minutes(4)
        } else {
            now - minutes(3)
        });
        let aws = builder(folder.path()).clock(Arc::new(clock)).build();
        DynamoStore::new(&aws.unwrap(), "vouchsafe")
            .unwrap()
            .leases()
    };
    let time = minutes(2);
    for (holder, other) in [(leases(true), leases(false)), (leases(false), leases(true))] {
        let Acquired::Lease(lease) = holder.acquire(&key(), time).await.unwrap() else {
            unreachable!("it was released");
        };
        let Acquired::Held { remaining } = other.acquire(&key(), time).await.unwrap() else {
            unreachable!("two holders");
        };
        assert!(remaining > minutes(1), "{remaining:?}");
        assert!(holder.release(lease).await.unwrap());
    }
}

#[tokio::test]
async fn a_holder_whose_clock_is_set_keeps_its_lease() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let other = open_leases(folder.path());
    let (hour, time) = (Duration::from_secs(3600), Duration::from_secs(60));
    for is_forward in [true, false] {
        let clock = Arc::new(ManualClock::running());
        let aws = builder(folder.path()).clock(clock.clone()).build();
        let holder = DynamoStore::new(&aws.unwrap(), "vouchsafe").unwrap();
        let holder = holder.leases();
        let Acquired::Lease(mut lease) = holder.acquire(&key(), time).await.unwrap() else {
            unreachable!("it was released");
        };
        let now = vouchsafe_core::Clock::now(&*clock);
        clock.set(if is_forward { now + hour } else { now - hour });
        assert!(holder.renew(&mut lease, time).await.unwrap());
        let there = other.acquire(&key(), time).await.unwrap();
        assert!(
            matches!(there, Acquired::Held { remaining } if remaining > time / 2),
            "{there:?}"
        );
        assert!(holder.release(lease).await.unwrap());
    }
}

#[tokio::test]
async fn an_item_of_another_form_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = start(folder.path()) else {
        return;
    };
    let store = DynamoStore::new(&aws(folder.path()), "vouchsafe").unwrap();
    let [namespace, name] = names(&key()).unwrap();
    let put = store.client.put_item().table_name("vouchsafe");
    let put = put.item(NAMESPACE, namespace).item(NAME, name);
    put.item(VALUE, bytes_of("planted")).send().await.unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(
        !error.is_retryable() && error.to_string().contains("another form"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("planted"));
}

fn bytes_of(text: &str) -> AttributeValue {
    super::bytes(text.as_bytes())
}

#[tokio::test]
async fn names_that_are_too_long_are_refused_before_anything_is_sent() {
    let store = DynamoStore::new(
        &crate::Aws::builder(&crate::testing::sdk("http://127.0.0.1:1"))
            .build()
            .unwrap(),
        "vouchsafe",
    )
    .unwrap();
    for (long, limit) in [
        (Key::new("n".repeat(2001), ""), "2000"),
        (Key::new("", "p".repeat(1001)), "1000"),
    ] {
        for error in [
            store.load(&long).await.unwrap_err(),
            store.remove(&long, &Expect::Any).await.unwrap_err(),
            store
                .compare_and_swap(&long, &Expect::Any, &bytes("x"))
                .await
                .unwrap_err(),
        ] {
            assert!(
                !error.is_retryable() && error.to_string().contains(limit),
                "{error}"
            );
        }
    }
}

#[test]
fn what_is_no_name_of_a_table_is_refused() {
    let aws = crate::Aws::builder(&crate::testing::sdk("http://127.0.0.1:1"))
        .build()
        .unwrap();
    for bad in ["", "ab", "a table"] {
        assert!(
            DynamoStore::new(&aws, bad).unwrap_err().is_config(),
            "{bad:?}"
        );
    }
    DynamoStore::new(
        &aws,
        "arn:aws:dynamodb:us-east-1:123456789012:table/vouchsafe",
    )
    .unwrap();
}
