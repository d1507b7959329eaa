//! The record of credentials that a fleet shares.

use serde_json::{Value, json};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::core::SecretBytes;
use vouchsafe::core::store::{Expect, Key, Store, Swapped};

pub(super) fn key(profile: &str) -> Key {
    Key::new(FileStore::NAMESPACE, profile)
}

/// Writes credentials with an access token that is of no use any more.
pub(super) async fn seed(store: &dyn Store, profile: &str, dead: &str) -> Result<(), String> {
    let record = json!({
        "access_token": dead, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "refresh_token": FIRST,
    });
    let value = SecretBytes::from(record.to_string().into_bytes());
    let key = key(profile);
    let swap = store.compare_and_swap(&key, &Expect::Any, &value);
    match swap.await.map_err(|error| error.to_string())? {
        Swapped::Done(_) => Ok(()),
        Swapped::Conflict(_) => Err("the first record was not written".to_owned()),
    }
}

/// Reads the record as it is now.
pub(super) async fn record(store: &dyn Store, profile: &str) -> Result<Value, String> {
    let key = key(profile);
    let loaded = store.load(&key).await.map_err(|error| error.to_string())?;
    let loaded = loaded.ok_or("the record is gone")?;
    serde_json::from_slice(loaded.value.expose()).map_err(|cause| cause.to_string())
}

pub(super) const CLIENT_ID: &str = "fleet";
pub(super) const CLIENT_SECRET: &str = "fleet-secret";
/// The refresh token that everything begins with.
pub(super) const FIRST: &str = "rt-0";
