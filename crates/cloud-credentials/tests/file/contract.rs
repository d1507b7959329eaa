//! The contract of all stores. A file holds records of credentials alone, so the values of the
//! contract are put into one of their members.
//!
//! With `Metadata::Auto` one promise is not kept, and its test left out: a record that is removed and
//! written again just as it was has its old version, which is a digest of the document.

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

fn open(folder: &Path, metadata: Metadata, mode: WriteMode) -> Arc<dyn Store> {
    let store = FileStore::new(folder.join("credentials.json"));
    Arc::new(AnyBytes(store.metadata(metadata).write_mode(mode)))
}

fn in_place(folder: &Path) -> Arc<dyn Store> {
    open(folder, Metadata::Always, WriteMode::InPlace)
}

fn replaced(folder: &Path) -> Arc<dyn Store> {
    open(folder, Metadata::Always, WriteMode::Replace)
}

fn auto(folder: &Path) -> Arc<dyn Store> {
    open(folder, Metadata::Auto, WriteMode::default())
}

vouchsafe_core::store_contract!(file_in_place, super::in_place);
vouchsafe_core::store_contract!(file_replaced, super::replaced);
vouchsafe_core::store_contract! { @module
    file_auto, super::auto, [],
    a_record_is_read_as_it_was_written
    a_writer_that_expects_something_else_changes_nothing
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
    a_watch_hints_at_changes
    many_processes_make_one_request
    a_killed_holder_leaves_the_old_record_or_the_new_one
    a_killed_writer_leaves_a_whole_record
}
