//! The contract of all stores. A file holds records of credentials alone, so the values of the
//! contract are put into one of their members.
//!
//! With `Metadata::Auto` one promise is not kept: a record that is removed and written again just
//! as it was has its old version.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_cloud_credentials::file::{FileStore, Metadata, WriteMode};
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, Store, Swapped};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};

/// Any bytes in records of a file.
#[derive(Debug)]
struct AnyBytes(FileStore);

fn wrapped(value: &SecretBytes) -> SecretBytes {
    let bytes: Vec<Value> = value.expose().iter().map(|&byte| byte.into()).collect();
    let record =
        json!({"client_id": null, "client_secret": null, "refresh_token": null, "bytes": bytes});
    SecretBytes::from(record.to_string().into_bytes())
}

fn unwrapped(loaded: Loaded) -> Loaded {
    let record: Value = serde_json::from_slice(loaded.value.expose()).unwrap();
    let bytes = record["bytes"].as_array().unwrap().iter();
    let bytes = bytes.map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap());
    Loaded {
        value: SecretBytes::from(bytes.collect::<Vec<u8>>()),
        ..loaded
    }
}

impl Store for AnyBytes {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let loaded = self.0.load(key).await?;
            Ok(match key.is_lease() {
                true => loaded,
                false => loaded.map(unwrapped),
            })
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            if key.is_lease() {
                return self.0.compare_and_swap(key, expect, value).await;
            }
            let swapped = self
                .0
                .compare_and_swap(key, expect, &wrapped(value))
                .await?;
            Ok(match swapped {
                Swapped::Conflict(there) => Swapped::Conflict(there.map(unwrapped)),
                done => done,
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.0.remove(key, expect)
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.0.list(namespace)
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

fn open(folder: &Path, mode: WriteMode) -> Arc<dyn Store> {
    let store = FileStore::new(folder.join("credentials.json"));
    Arc::new(AnyBytes(store.metadata(Metadata::Always).write_mode(mode)))
}

fn in_place(folder: &Path) -> Arc<dyn Store> {
    open(folder, WriteMode::InPlace)
}

fn replaced(folder: &Path) -> Arc<dyn Store> {
    open(folder, WriteMode::Replace)
}

vouchsafe_core::store_contract!(file_in_place, super::in_place);
vouchsafe_core::store_contract!(file_replaced, super::replaced);
