use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};
use vouchsafe_core::store::{Expect, Store, Swapped};

use super::*;
use crate::KeyringStore;

/// A keyring in memory with the maximum size of Windows, whose writer may be killed.
#[derive(Clone, Debug, Default)]
struct Small(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    by_name: HashMap<String, Vec<u8>>,
    /// How many more changes are made; all without a number.
    changes_left: Option<usize>,
}

const MOST: usize = 2560;

#[derive(Debug)]
struct Slot(Small, String);

impl Small {
    fn change(&self, change: impl FnOnce(&mut HashMap<String, Vec<u8>>)) -> Done<()> {
        let mut entries = self.0.lock().unwrap();
        match &mut entries.changes_left {
            Some(0) => return Err(Cause::PlatformFailure("killed".into())),
            Some(left) => *left -= 1,
            None => {}
        }
        change(&mut entries.by_name);
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().by_name.len()
    }

    fn store(&self, place: &Path) -> KeyringStore {
        let native = Native::new(Arc::new(self.clone()), Some(MOST));
        let limit = Duration::from_secs(30);
        KeyringStore::new(Box::new(native), place.join("lock"), limit)
    }
}

impl CredentialApi for Slot {
    fn set_secret(&self, secret: &[u8]) -> Done<()> {
        assert!(secret.len() <= MOST);
        let (name, secret) = (self.1.clone(), secret.to_vec());
        self.0.change(|entries| drop(entries.insert(name, secret)))
    }

    fn get_secret(&self) -> Done<Vec<u8>> {
        let entries = self.0.0.lock().unwrap();
        entries.by_name.get(&self.1).cloned().ok_or(Cause::NoEntry)
    }

    fn delete_credential(&self) -> Done<()> {
        self.get_secret()?;
        self.0.change(|entries| drop(entries.remove(&self.1)))
    }

    fn get_credential(&self) -> Done<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl CredentialStoreApi for Small {
    fn vendor(&self) -> String {
        "tests".to_owned()
    }

    fn id(&self) -> String {
        "tests".to_owned()
    }

    fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> Done<Entry> {
        let name = format!("{service} {user}");
        Ok(Entry::new_with_credential(Arc::new(Slot(
            self.clone(),
            name,
        ))))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(Small::default().store(place))
}

// Without the tests of several processes, which do not share this memory.
vouchsafe_core::store_contract! { @module
    contract, super::open, [],
    a_record_is_read_as_it_was_written
    a_writer_that_expects_something_else_changes_nothing
    a_removed_record_is_gone_and_its_version_never_comes_back
    profiles_are_listed_by_namespace
    records_of_any_bytes_and_names_are_kept
    a_record_that_is_too_large_is_refused
    a_reader_never_sees_half_a_record
    of_many_writers_each_sees_what_the_last_one_wrote
    a_lease_is_held_by_one_until_it_is_released
    a_lease_ends_by_itself_and_is_then_lost
    a_lease_that_lapsed_is_told_from_one_that_was_released
    an_acquisition_that_was_not_answered_is_no_holder
    a_renewal_that_was_not_answered_keeps_the_lease
    a_lease_whose_record_was_removed_is_lost
    a_holder_that_overslept_cannot_overwrite_what_came_after
    a_clock_that_jumps_costs_no_record_and_no_wait
}

fn key() -> Key {
    Key::new("application", "profile")
}

fn of_size(size: usize, byte: u8) -> SecretBytes {
    SecretBytes::from(vec![byte; size])
}

async fn write(store: &KeyringStore, value: &SecretBytes) -> bool {
    let swapped = store.compare_and_swap(&key(), &Expect::Any, value).await;
    matches!(swapped, Ok(Swapped::Done(_)))
}

#[tokio::test]
async fn a_writer_that_is_killed_at_any_change_leaves_the_old_record_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    for (old, new) in [
        (10, 9000),
        (9000, 20_000),
        (20_000, 9000),
        (9000, 10),
        (LARGEST, LARGEST),
    ] {
        let (old, new) = (of_size(old, b'o'), of_size(new, b'n'));
        let mut seen = Vec::new();
        for changes in 0.. {
            let keyring = Small::default();
            let store = keyring.store(folder.path());
            assert!(write(&store, &old).await);
            keyring.0.lock().unwrap().changes_left = Some(changes);
            let is_done = write(&store, &new).await;
            keyring.0.lock().unwrap().changes_left = None;
            let there = store.load(&key()).await.unwrap().unwrap().value;
            assert!(there == old || there == new, "after {changes} changes");
            seen.push(there == new);
            // The next writer leaves nothing of the dead one.
            assert!(write(&store, &of_size(1, b'x')).await);
            assert_eq!(keyring.len(), 1, "after {changes} changes");
            if is_done {
                break;
            }
        }
        assert!(seen.is_sorted() && seen.contains(&true), "{seen:?}");
    }
}

#[tokio::test]
async fn parts_that_are_damaged_are_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Small::default();
    let store = keyring.store(folder.path());
    assert!(write(&store, &of_size(9000, b'o')).await);
    let parts = part(&name(&key()), PARTS[0], 1);
    keyring
        .change(|entries| drop(entries.remove(&format!("vouchsafe {parts}"))))
        .unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("damaged; remove it"), "{error}");
    assert!(!error.is_retryable());
    assert!(store.remove(&key(), &Expect::Any).await.unwrap());
    assert_eq!(keyring.len(), 0);
    assert!(!store.remove(&key(), &Expect::Any).await.unwrap());
}
