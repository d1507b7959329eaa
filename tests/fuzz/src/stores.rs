//! Answers of the servers that hold records.

use std::time::Duration;

use tokio::io::{BufReader, join, sink};
use vouchsafe::core::store::{Acquired, Expect, Key, Lease, Leases, Store, Swapped, Version};
use vouchsafe::core::{Result, SecretBytes};
use vouchsafe::stores::etcd::EtcdStore;
use vouchsafe::stores::vault::VaultStore;

use super::script::{Script, run, within};

#[path = "../../../crates/stores/memcached/src/wire.rs"]
#[allow(dead_code, reason = "the crate uses the rest")]
mod wire;

const PASSWORD: &str = "planted-password+of/alice";
const TOKEN: &str = "planted-token/of+alice==";
const RECORD: &str = "planted-record+of/alice";
/// As JSON has it.
const ENCODED: &str = "cGxhbnRlZC1yZWNvcmQrb2YvYWxp";
const SECRETS: [&str; 4] = [PASSWORD, TOKEN, RECORD, ENCODED];

/// One byte chooses a store and a call, and the rest is answers: see [`Script`].
pub fn stores(data: &[u8]) {
    let Some((&choice, answers)) = data.split_first() else {
        return;
    };
    let script = Script::new(answers);
    run(within(async {
        let done = if choice.is_multiple_of(2) {
            let store = EtcdStore::builder("https://etcd.example.org")
                .member("https://etcd-2.example.org")
                .login("app", PASSWORD)
                .transport(script.clone())
                .build()
                .expect("it has all that it needs");
            match choice / 2 % 12 {
                8 => grant(&store).await,
                9 => renew(&store).await,
                10 => store.release(lease()).await.map(drop),
                11 => watch(&store).await,
                call => ask(&store, call).await,
            }
        } else {
            let store = VaultStore::builder("https://vault.example.org")
                .token(TOKEN)
                .transport(script.clone())
                .build()
                .expect("it has all that it needs");
            ask(&store, choice / 2 % 8).await
        };
        if let Err(error) = done {
            script.search(&error, &SECRETS);
        }
    }));
}

fn key() -> Key {
    Key::new("app", "main")
}

fn version() -> Version {
    Version::new(&1_u64.to_be_bytes())
}

fn lease() -> Lease {
    Lease::new(key(), 1, version())
}

async fn ask(store: &dyn Store, call: u8) -> Result<()> {
    let expects = [Expect::Any, Expect::Absent, Expect::Version(version())];
    let expect = &expects[usize::from(call % 3)];
    match call {
        0..3 => {
            let value = SecretBytes::from(RECORD.as_bytes().to_vec());
            let swapped = store.compare_and_swap(&key(), expect, &value).await?;
            let has_conflict = matches!(swapped, Swapped::Conflict(_));
            assert!(*expect != Expect::Any || !has_conflict, "{swapped:?}");
        }
        3..6 => {
            let removed = store.remove(&key(), expect).await?;
            assert!(*expect != Expect::Absent || !removed);
        }
        6 => {
            let names = store.list("app").await?.expect("the store can list");
            assert!(names.is_sorted());
        }
        _ => drop(store.load(&key()).await?),
    }
    Ok(())
}

async fn grant(leases: &dyn Leases) -> Result<()> {
    match leases.acquire(&key(), Duration::from_secs(30)).await? {
        Acquired::Lease(lease) => assert_eq!(lease.key(), &key()),
        Acquired::Held { .. } => {}
    }
    Ok(())
}

async fn renew(leases: &dyn Leases) -> Result<()> {
    let mut lease = lease();
    leases.renew(&mut lease, Duration::from_secs(30)).await?;
    Ok(())
}

/// Listens for a minute, whatever becomes of the connection.
async fn watch(store: &dyn Store) -> Result<()> {
    let mut watch = store.watch(&key()).expect("the store has hints");
    let listening = async {
        loop {
            watch.changed().await;
        }
    };
    let _: Result<(), _> = tokio::time::timeout(Duration::from_secs(60), listening).await;
    Ok(())
}

/// Bytes as what Memcached answers to commands, and as a value that it holds.
pub fn memcached(data: &[u8]) {
    run(async {
        let mut stream = BufReader::new(join(data, sink()));
        let mut left = data.len();
        // Nothing is read after an error.
        while let Ok(answer) = wire::exchange(&mut stream, &wire::get("name")).await {
            let length = match answer {
                wire::Answer::Item { value, .. } => {
                    let value = value.expose();
                    assert!(data.windows(value.len() + 2).any(|part| {
                        part.strip_suffix(b"\r\n").is_some_and(|part| part == value)
                    }));
                    value.len()
                }
                _ => 0,
            };
            // An answer has at least a code and the end of its line.
            left = left.checked_sub(length + 4).expect("no more than there is");
        }

        let held = &data[..data.len().min(wire::LARGEST_ITEM)];
        let cas = data.len() as u64;
        let line = format!("VA {} c{cas}\r\n", held.len());
        let answers = [line.as_bytes(), held, b"\r\nHD\r\n"].concat();
        let mut stream = BufReader::new(join(&*answers, sink()));
        let item = wire::exchange(&mut stream, &wire::get("name")).await;
        let Ok(wire::Answer::Item { value, cas: of }) = item else {
            panic!("{item:?}");
        };
        assert_eq!((value.expose(), of), (held, cas));
        let next = wire::exchange(&mut stream, &wire::get("name")).await;
        assert!(matches!(next, Ok(wire::Answer::Done)), "{next:?}");
    });
}
