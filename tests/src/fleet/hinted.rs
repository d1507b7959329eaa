//! A refresh that another process makes, on a store that hints at changes.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::Notify;
use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe::cloud_credentials::{Credentials, Error};
use vouchsafe::core::transport::Transport;
use vouchsafe::core::{BoxFuture, Clock, Result as CoreResult, Secret, SystemClock};
use vouchsafe_test_stores::{Ground, Shared};

use super::issuer::{Dead, Issuer};
use super::member::PROFILE;
use super::record::{key, seed};
use super::scene::started;
use super::steps::{Hook, Moment, Side, Step, around, around_requests};

/// Has one process wait for the refresh of another on a store with a server that hints at changes: the
/// other makes its request once the first has found the lease taken. Ends when both have the token of that
/// one request. Where no timer goes off, the first can only have been woken by a hint. Without the
/// store's server it does nothing, and says so.
///
/// # Errors
///
/// If the server does not start, a refresh fails, or there is more than one request.
pub async fn hinted(ground: Ground) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let Some((_started, site)) = started(ground, folder.path()) else {
        return Ok(());
    };
    let issuer = Issuer::new(Rotation::Rotates)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (holds, waits) = (site.open(&clock)?, site.open(&clock)?);
    let dead = Secret::from(Dead::Refused.token());
    seed(&*holds.store, PROFILE, dead.expose()).await?;

    // A listener that has begun says that anything may have changed. No later hint is one of those.
    let hints = waits.store.watch(&key(PROFILE));
    let mut hints = hints.ok_or("the store gives no hints")?;
    hints.changed().await;

    let stage = Arc::new(Stage::default());
    let requesting: Arc<dyn Hook> = Arc::new(Requesting(Arc::clone(&stage)));
    let holder = credentials(&holds, around_requests(issuer.transport(), &requesting));
    let holder = holder.map_err(told)?;
    let waiting: Arc<dyn Hook> = Arc::new(Waiting(Arc::clone(&stage)));
    let waiter = credentials(&around(&waits, &waiting), issuer.transport());
    let waiter = waiter.map_err(told)?;

    let mut holding = pin!(holder.refresh_stale(&dead));
    tokio::select! {
        () = stage.requests.notified() => {}
        early = &mut holding => return Err(format!("no request: {:?}", early.map(drop))),
    }
    let (of_holder, of_waiter) = tokio::join!(holding, waiter.refresh_stale(&dead));
    let (of_holder, of_waiter) = (of_holder.map_err(told)?, of_waiter.map_err(told)?);
    let requests = issuer.counts().requests;
    match requests == 1 && of_holder == of_waiter && of_holder != dead {
        true => Ok(()),
        false => Err(format!("{requests} requests")),
    }
}

fn credentials(shared: &Shared, transport: Arc<dyn Transport>) -> Result<Credentials, Error> {
    Credentials::builder()
        .token_url("https://tokens.example.com")
        .transport(transport)
        .store(Arc::clone(&shared.store))
        .leases(Arc::clone(&shared.leases))
        .profile(PROFILE)
        .build()
}

/// How far the two processes are.
#[derive(Debug, Default)]
struct Stage {
    /// Notified when one has the lease and would make its request.
    requests: Notify,
    /// Notified when the other has asked for the lease.
    asked: Notify,
}

#[derive(Debug)]
struct Requesting(Arc<Stage>);

impl Hook for Requesting {
    fn at(&self, moment: Moment) -> BoxFuture<'_, CoreResult<()>> {
        Box::pin(async move {
            if (moment.step, moment.side) == (Step::Request, Side::Before) {
                self.0.requests.notify_one();
                self.0.asked.notified().await;
            }
            Ok(())
        })
    }
}

#[derive(Debug)]
struct Waiting(Arc<Stage>);

impl Hook for Waiting {
    fn at(&self, moment: Moment) -> BoxFuture<'_, CoreResult<()>> {
        if (moment.step, moment.side) == (Step::Acquire, Side::After) {
            self.0.asked.notify_one();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
