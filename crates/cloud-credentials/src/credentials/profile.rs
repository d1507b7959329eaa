//! Writing, removing and renaming the records of profiles.

use std::time::SystemTime;

use vouchsafe_core::store::{Expect, Key, Lease, Swapped};
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret};

use super::Credentials;
use super::values::Values;
use crate::refresh::limited;
use crate::{Record, Result};

impl Credentials {
    /// Writes the current values into the record of the profile.
    ///
    /// A missing value does not overwrite one in the record. If the client or the refresh token
    /// changes, the access token in the record belongs to the old one and is dropped. Without
    /// [caching](super::CredentialsBuilder::cache_token), access tokens are not touched.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) if the record is damaged; of
    /// kind `Store` if it cannot be read or written.
    #[doc(alias = "write_credentials")]
    pub async fn write(&self) -> Result<()> {
        let resolved = self.resolve().await?;
        let is_rotated = resolved.values.refresh_token != resolved.first;
        let given = self.given(&resolved).filter(|_| is_rotated);
        let written = Written {
            lineage: given.and_then(|given| given.lineage()),
            values: resolved.values,
            expires_at: resolved.expires_at,
            absent: Absent::Keeps,
        };
        self.change_record(|record| Some(self.merged(record, &written)))
            .await
    }

    /// Writes the values of a login: a refresh token that was not issued is dropped.
    pub(super) async fn write_login(
        &self,
        values: Values,
        expires_at: Option<SystemTime>,
    ) -> Result<()> {
        let written = Written {
            values,
            expires_at,
            lineage: None,
            absent: Absent::Drops,
        };
        self.change_record(|record| Some(self.merged(record, &written)))
            .await
    }

    /// Drops a token from the record, if it is there.
    pub(super) async fn drop_from_record(&self, token: &Secret) -> Result<()> {
        self.change_record(|record| {
            let mut record = record?;
            let is_refresh_token = record.refresh_token.as_ref() == Some(token);
            if !is_refresh_token && record.access_token.as_ref() != Some(token) {
                return None;
            }
            if is_refresh_token {
                record.refresh_token = None;
                record.lineage = None;
                record.dead = None;
            }
            record.access_token = None;
            record.expires_at = None;
            Some(record)
        })
        .await
    }

    /// Removes the record of a profile, and returns whether there was one.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn remove_profile(&self, profile: &str) -> Result<bool> {
        let coordinator = &self.inner.coordinator;
        let key = Key::new(coordinator.key().namespace(), profile);
        let removed = limited(coordinator.store().remove(&key, &Expect::Any)).await?;
        self.forget_held();
        Ok(removed)
    }

    /// Returns the names of the profiles in the store, in order.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); of kind `Config` if the store cannot list them.
    pub async fn list_profiles(&self) -> Result<Vec<String>> {
        let coordinator = &self.inner.coordinator;
        let listed = limited(coordinator.store().list(coordinator.key().namespace())).await?;
        listed.ok_or_else(|| Core::new(Kind::Config, "the store cannot list profiles").into())
    }

    /// Gives the record of a profile another name, while no process refreshes it: tokens that are on
    /// their way would have no record. If the future is dropped, both names may exist.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if there is no such profile, and `Conflict` if the other name is taken or
    /// there are tokens that could not be saved yet;
    /// [`ErrorKind::RefreshTimeout`](crate::ErrorKind::RefreshTimeout) if another process holds the
    /// lease for too long; and as [`write`](Self::write).
    pub async fn rename_profile(&self, from: &str, to: &str) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let namespace = coordinator.key().namespace();
        let (from, to) = (Key::new(namespace, from), Key::new(namespace, to));
        let mut lease = coordinator.lease(&from).await?;
        let renamed = self.moved(&from, &to, &mut lease).await;
        coordinator.release(lease).await;
        self.forget_held();
        renamed
    }

    async fn moved(&self, from: &Key, to: &Key, lease: &mut Lease) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let store = coordinator.store();
        // Those of a refresh that had the lease until now count too.
        if from == coordinator.key() && coordinator.has_unsaved() {
            let what = "tokens of the profile are not saved yet; try again";
            return Err(Core::new(Kind::Conflict, what).with_retryable(true).into());
        }
        let Some(there) = limited(store.load(from)).await? else {
            let what = format!("there is no profile {:?}", from.profile());
            return Err(Core::new(Kind::NotFound, what).into());
        };
        let swap = store.compare_and_swap(to, &Expect::Absent, &there.value);
        let Swapped::Done(version) = limited(swap).await? else {
            let what = format!("there is a profile {:?} already", to.profile());
            return Err(Core::new(Kind::Conflict, what).into());
        };
        // Without the lease, another process may be refreshing the record.
        if coordinator.renew(lease).await?
            && limited(store.remove(from, &Expect::Version(there.version))).await?
        {
            return Ok(());
        }
        // It was renewed in the meantime, or will be: the copy is old, and must not be used.
        limited(store.remove(to, &Expect::Version(version))).await?;
        let what = format!(
            "profile {:?} was changed meanwhile; try again",
            from.profile()
        );
        Err(Core::new(Kind::Conflict, what).with_retryable(true).into())
    }

    fn merged(&self, record: Option<Record>, written: &Written) -> Record {
        let inner = &self.inner;
        let values = &written.values;
        let is_new = record.is_none();
        let mut record = record.unwrap_or_default();
        let before = (
            record.client_id.clone(),
            record.client_secret.clone(),
            record.refresh_token.clone(),
        );
        if values.client_id.is_some() {
            record.client_id.clone_from(&values.client_id);
        }
        if values.client_secret.is_some() && inner.is_secret_kept {
            record.client_secret.clone_from(&values.client_secret);
        }
        if values.refresh_token.is_some() || written.absent == Absent::Drops {
            record.refresh_token.clone_from(&values.refresh_token);
        }
        let now = (
            &record.client_id,
            &record.client_secret,
            &record.refresh_token,
        );
        let has_changed = now != (&before.0, &before.1, &before.2);
        if has_changed {
            record.lineage.clone_from(&written.lineage);
            record.dead = None;
        }
        if inner.is_token_cached {
            if values.access_token.is_some() {
                record.access_token.clone_from(&values.access_token);
                record.expires_at = written.expires_at;
            } else if has_changed {
                record.access_token = None;
                record.expires_at = None;
            }
            record.is_token_left_out = false;
        } else if is_new {
            record.is_token_left_out = true;
        }
        record
    }

    /// Changes the record of the profile; `change` returns `None` to leave it as it is.
    pub(super) async fn change_record(
        &self,
        change: impl Fn(Option<Record>) -> Option<Record> + Send,
    ) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let mut read = coordinator.load().await?;
        for _ in 0..TRIES {
            let expect = match &read {
                Some((_, version)) => Expect::Version(version.clone()),
                None => Expect::Absent,
            };
            let Some(record) = change(read.map(|(record, _)| record)) else {
                return Ok(());
            };
            let value = record.write()?;
            let swap = coordinator
                .store()
                .compare_and_swap(coordinator.key(), &expect, &value);
            match limited(swap).await? {
                Swapped::Done(_) => return Ok(()),
                Swapped::Conflict(_) => read = coordinator.load().await?,
            }
        }
        let what = "the record of the profile is changed all the time; try again";
        Err(Core::new(Kind::Store, what).with_retryable(true).into())
    }
}

/// What is written into a record.
struct Written {
    values: Values,
    expires_at: Option<SystemTime>,
    /// That of the refresh token, if it replaced one that was given elsewhere.
    lineage: Option<String>,
    absent: Absent,
}

/// The effect of a missing value on one in the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Keeps,
    Drops,
}

/// How often a change is tried again after changes by others.
const TRIES: usize = 20;
