//! The stores of credentials, one login in each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use vouchsafe::cloud_credentials::mock::Server;
use vouchsafe::cloud_credentials::{Client, Credentials};
use vouchsafe::core::call::Timeouts;
use vouchsafe::core::observe::Observer;
use vouchsafe::core::store::{Expect, Key, Store};
use vouchsafe::core::{Clock, SecretBytes, SystemClock};
use vouchsafe_test_stores::{Ground, Site, Started};

use super::place::Place;

/// A store, and the client whose credentials are in it.
pub(super) struct Held {
    pub(super) ground: Ground,
    pub(super) client: Client,
    pub(super) credentials: Credentials,
    store: Arc<dyn Store>,
    started: Arc<Mutex<Started>>,
    server: Server,
    _folder: TempDir,
}

impl Held {
    /// Starts all stores. One whose server is not installed is left out, which has been said.
    pub(super) async fn all(server: &Server, place: &Place) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for ground in Ground::ALL {
            if let Some(held) = Self::start(ground, server, place).await? {
                all.push(held);
            }
        }
        Ok(all)
    }

    async fn start(ground: Ground, server: &Server, place: &Place) -> Result<Option<Self>, String> {
        let told = |error: vouchsafe::cloud_credentials::Error| error.to_string();
        let folder = TempDir::new().map_err(|cause| cause.to_string())?;
        let path = folder.path().to_owned();
        let started = tokio::task::spawn_blocking(move || ground.start(&path)).await;
        let Some(started) = started.map_err(|cause| cause.to_string())? else {
            return Ok(None);
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let shared = Site::new(ground, folder.path()).open(&clock)?;
        let network = place.network()?;
        let observer: Arc<dyn Observer> = Arc::<super::account::Account>::clone(&place.account);
        let credentials = Credentials::builder()
            .token_url(place.url())
            .store(Arc::clone(&shared.store))
            .leases(shared.leases)
            .transport(Arc::clone(&network))
            .observer(Arc::clone(&observer))
            .request_time(Duration::from_secs(2))
            .build()
            .map_err(told)?;
        let client = Client::builder()
            .base_url(place.url())
            .credentials(&credentials)
            .transport(network)
            .observer(observer)
            .timeouts(limits())
            .build()
            .map_err(told)?;
        let held = Self {
            ground,
            client,
            credentials,
            store: shared.store,
            started: Arc::new(Mutex::new(started)),
            server: server.clone(),
            _folder: folder,
        };
        held.log_in().await?;
        Ok(Some(held))
    }

    /// Puts a new login into the store.
    pub(super) async fn log_in(&self) -> Result<(), String> {
        let login = self
            .server
            .log_in("app")
            .map_err(|error| error.to_string())?;
        let text = |secret: Option<vouchsafe::core::Secret>| {
            secret.map(|secret| secret.expose().to_owned())
        };
        let record = json!({
            "access_token": text(login.access_token), "refresh_token": text(login.refresh_token),
            "client_id": login.client_id, "client_secret": text(login.client_secret),
        });
        let value = SecretBytes::from(record.to_string().into_bytes());
        let key = Key::new(
            vouchsafe::cloud_credentials::file::FileStore::NAMESPACE,
            "default",
        );
        let swapped = self
            .store
            .compare_and_swap(&key, &Expect::Any, &value)
            .await;
        swapped.map(drop).map_err(|error| error.to_string())
    }

    /// Kills the store's server, if it has one, and starts it again.
    pub(super) async fn restart(&self) -> Result<(), String> {
        let started = Arc::clone(&self.started);
        let done = tokio::task::spawn_blocking(move || {
            if let Ok(mut started) = started.lock() {
                started.restart();
            }
        });
        done.await.map_err(|cause| cause.to_string())
    }
}

/// Shorter than by default, since some faults last as long.
pub(super) fn limits() -> Timeouts {
    let seconds = Duration::from_secs;
    Timeouts::default().attempt(seconds(2)).call(seconds(6))
}
