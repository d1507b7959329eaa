//! Records in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

use super::record::{Capabilities, Expect, Key, Loaded, Scope, Store, Swapped, Version, Watch};
use crate::sync::lock;
use crate::{BoxFuture, Result, SecretBytes};

/// A [`Store`] in memory, for the tasks of one process. Its records end with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<Records>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Records {
    by_key: BTreeMap<Key, Loaded>,
    /// The number of writes. Versions are counted over all records, so that a record that is
    /// removed and created again has a new version.
    writes: u64,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    fn swap(&self, key: &Key, expect: &Expect, value: &SecretBytes) -> Swapped {
        let mut records = self.records();
        let there = records.by_key.get(key);
        if !expect.is_met_by(there.map(|there| &there.version)) {
            return Swapped::Conflict(there.cloned());
        }
        records.writes += 1;
        let version = Version::new(&records.writes.to_be_bytes());
        let loaded = Loaded {
            value: value.clone(),
            version: version.clone(),
        };
        records.by_key.insert(key.clone(), loaded);
        drop(records);
        self.changes.send_modify(|count| *count += 1);
        Swapped::Done(version)
    }

    fn take(&self, key: &Key, expect: &Expect) -> bool {
        let mut records = self.records();
        let there = records.by_key.get(key);
        let is_taken = there.is_some_and(|there| expect.is_met_by(Some(&there.version)));
        if is_taken {
            records.by_key.remove(key);
            drop(records);
            self.changes.send_modify(|count| *count += 1);
        }
        is_taken
    }
}

impl Store for MemoryStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        let loaded = self.records().by_key.get(key).cloned();
        Box::pin(std::future::ready(Ok(loaded)))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(std::future::ready(Ok(self.swap(key, expect, value))))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(std::future::ready(Ok(self.take(key, expect))))
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let records = self.records();
        let of_it = records
            .by_key
            .keys()
            .filter(|key| !key.is_lease() && key.namespace() == namespace);
        let names = of_it.map(|key| key.profile().to_owned()).collect();
        Box::pin(std::future::ready(Ok(Some(names))))
    }

    fn watch(&self, _: &Key) -> Option<Watch> {
        Some(Watch::new(self.changes.subscribe()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            ..Capabilities::new(Scope::Process)
        }
    }
}

#[cfg(all(test, feature = "mock"))]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn open(_: &Path) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    crate::store_contract!(contract, super::open);

    #[tokio::test]
    async fn each_change_counts_as_a_hint() {
        let (store, key) = (MemoryStore::new(), Key::new("application", "profile"));
        let watch = store.watch(&key).unwrap();
        let before = watch.count();
        let value = SecretBytes::from(b"planted".to_vec());
        let written = store.compare_and_swap(&key, &Expect::Any, &value).await;
        assert!(matches!(written, Ok(Swapped::Done(_))));
        assert_eq!(watch.count(), before + 1);
        assert!(store.remove(&key, &Expect::Any).await.unwrap());
        assert_eq!(watch.count(), before + 2);
    }

    #[test]
    fn records_are_gone_with_the_process() {
        assert!(!MemoryStore::new().capabilities().durable);
    }
}
