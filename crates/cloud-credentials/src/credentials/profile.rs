//! Writing, removing and renaming the records of profiles.

use std::time::SystemTime;

use vouchsafe_core::cache::Fetched;
use vouchsafe_core::store::{Expect, Key, Loaded, Swapped, Version};
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret};

use super::Credentials;
use super::changes::{TRIES, change_login, change_record, changed_all_the_time, changed_meanwhile};
use super::unsaved::Attempt;
use super::values::{LoggedIn, Resolved, Values};
use crate::refresh::{Exclusive, Given, Login, is_newer, own_key};
use crate::{ErrorKind, Record, Result, Source};

impl Credentials {
    /// Writes the current values into the record of the profile.
    ///
    /// A missing value does not overwrite one in the record. If the client, its secret or the refresh
    /// token changes, the access token in the record belongs to the old one and is dropped. Without
    /// [caching](super::CredentialsBuilder::cache_token), access tokens are not touched. One that a
    /// refresh issued, or that was written before, is not written over the one of the same login that is
    /// there, which may be newer.
    ///
    /// A login that could not be saved is written as it was issued: the tokens of another login and the
    /// secret of another client are dropped. From then on the record counts, as after a login that was
    /// saved, unless the credentials were given.
    ///
    /// A refresh in progress is waited for, in this process and in others. If the values are those of
    /// the record, only what was set is written. If the refresh token was given elsewhere and a record
    /// leads from it to a newer one, that is written. The record is marked, so that programs which are
    /// given the first one find what replaces it there. If it has the token of others, which replaced one
    /// that was given to other programs, that is copied to a record beside it, where those find it.
    ///
    /// A file has no mark of a token that was not replaced yet, except with
    /// [`Metadata::Always`](crate::file::Metadata::Always). So once a program that uses the record has
    /// replaced a token that was written, do not write that again: the newest one would be lost.
    ///
    /// That wait may take as long as a refresh or a save of this process that is in progress, and
    /// [`wait_time`](super::CredentialsBuilder::wait_time) for others, of which one that crashed makes it
    /// a third longer than a lease. If the future is dropped, the record is written or not, and other
    /// processes may wait for the time of a lease.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) if the record is damaged;
    /// [`ErrorKind::RefreshTimeout`](crate::ErrorKind::RefreshTimeout) if another process refreshes
    /// these credentials for too long; of kind `Conflict` if one changed them meanwhile; of kind `Store` if
    /// a record or the lease cannot be read or written. If that is a record beside the profile, since the
    /// store allows no other than that of the profile, and no program is given the login that is there any
    /// more, call [`remove_profile`](Self::remove_profile) and then `write` again.
    #[doc(alias = "write_credentials")]
    pub async fn write(&self) -> Result<()> {
        self.write_if(Attempt::Wanted).await
    }

    pub(super) async fn write_current(
        &self,
        exclusive: &mut Exclusive<'_>,
        attempt: Attempt,
    ) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let resolved = self.resolve().await?;
        let given = self.given(&resolved).unwrap_or_default();
        let written = Written::new(resolved, &given);
        let require = |there: Option<&Record>| match attempt {
            Attempt::Wanted => Ok(()),
            Attempt::Flush | Attempt::ByItself => self.require_not_overtaken(there),
        };
        let Some(lineage) = given.lineage() else {
            let change = |there: Option<Record>| {
                require(there.as_ref())?;
                Ok(Some(self.merged(there, &written)))
            };
            return self.change_login(change).await;
        };
        let own = own_key(coordinator.key(), &lineage);
        let (record, version) = coordinator.load_own(&given, &lineage).await?.unzip();
        if !exclusive.renew().await? {
            return Err(changed_meanwhile(coordinator.key()));
        }
        let change = |there: Option<Record>| {
            require(there.as_ref())?;
            Ok(Some(self.merged_given(
                there,
                &given,
                &written,
                record.as_ref(),
            )))
        };
        self.change_login(change).await?;
        // Until it is gone, programs that were given the login use it.
        let Some(version) = version else {
            return Ok(());
        };
        let expect = Expect::Version(version);
        let removed = coordinator.store().remove(&own, &expect);
        match coordinator.of_store(removed).await? {
            true => Ok(()),
            false => Err(changed_meanwhile(coordinator.key())),
        }
    }

    fn merged_given(
        &self,
        record: Option<Record>,
        given: &Given,
        written: &Written,
        own: Option<&Record>,
    ) -> Record {
        let is_ours = |record: &&Record| given.login_of(record) == Login::Ours;
        let (there, own) = (record.as_ref().filter(is_ours), own.filter(is_ours));
        let newest = match (there, own) {
            (Some(there), Some(own)) if is_newer(own, there) => Some(own),
            (there, own) => there.or(own),
        };
        let unsaved = self.inner.coordinator.unsaved_of(newest);
        let newest = unsaved.as_ref().or(newest);
        let is_newer = |newest: &&Record| {
            !given.has_replaced(newest)
                && (written.is_token_kept || newest.refresh_token != written.values.refresh_token)
        };
        match newest.filter(is_newer) {
            Some(newest) => self.merged(record.clone(), &written.with_tokens_of(newest, given)),
            None => self.merged(record, written),
        }
    }

    /// Changes the record of the profile, without a copy of what replaced the login before this one.
    async fn change_login(
        &self,
        change: impl Fn(Option<Record>) -> Result<Option<Record>> + Send + Sync,
    ) -> Result<()> {
        let over = (self.memory().login.as_ref()).and_then(|login| login.over.clone());
        change_login(&self.inner.coordinator, over.as_deref(), change).await
    }

    /// Writes the values of a login: a refresh token that was not issued is dropped. What a refresh did
    /// not save is copied where the login before is, and forgotten.
    pub(super) async fn write_login(
        &self,
        login: &LoggedIn,
        expires_at: Option<SystemTime>,
    ) -> Result<()> {
        let written = Written {
            values: login.values.clone(),
            expires_at,
            is_token_kept: false,
            lineage: login.lineage(),
            absent: Absent::Drops,
        };
        let coordinator = &self.inner.coordinator;
        // The code was used, so the tokens are written in any case.
        let exclusive = coordinator.exclusive(coordinator.key()).await.ok();
        let change = |record| Ok(Some(self.merged(record, &written)));
        let done = self.change_login(change).await;
        match exclusive {
            Some(exclusive) => {
                if done.is_ok() {
                    exclusive.forget(coordinator.key());
                }
                exclusive.release().await;
            }
            None if done.is_ok() => coordinator.forget().await,
            None => {}
        }
        done
    }

    /// Writes the values after a developer token was redeemed, unless others were set or written since
    /// the record was read `before`, it has another login than the credentials that were given, or those
    /// have a record of their own.
    pub(super) async fn write_redeemed(&self, epoch: u64, before: Option<&Record>) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let resolved = self.resolve().await?;
        if self.memory().epoch != epoch {
            return Ok(());
        }
        let given = self.given(&resolved);
        let given = given.filter(|_| !resolved.is_token_of_store);
        let written = Written::new(resolved, &given.clone().unwrap_or_default());
        if let Some(given) = &given
            && let Some(lineage) = given.lineage()
            && coordinator.load_own(given, &lineage).await?.is_some()
        {
            return Ok(());
        }
        let tokens = |record: &Record| {
            let login = (record.client_id.clone(), record.refresh_token.clone());
            (login, record.access_token.clone())
        };
        let before = before.map(tokens);
        let change = |record: Option<Record>| match &given {
            _ if record.as_ref().map(tokens) != before => None,
            None => Some(self.merged(record, &written)),
            Some(given)
                if record.as_ref().map(|record| given.login_of(record)) == Some(Login::Other) =>
            {
                None
            }
            Some(given) => Some(self.merged_given(record, given, &written, None)),
        };
        self.change_login(|record| Ok(change(record))).await
    }

    /// Drops a token from the record, if it is there, and from the own one of given credentials.
    pub(super) async fn drop_from_records(
        &self,
        token: &Secret,
        given: Option<&Given>,
    ) -> Result<()> {
        let drop_token = |record: Option<Record>| -> Option<Record> {
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
        };
        let coordinator = &self.inner.coordinator;
        let dropped = change_record(coordinator, coordinator.key(), drop_token).await;
        let Some((given, lineage)) = given.and_then(|given| Some((given, given.lineage()?))) else {
            return dropped;
        };
        let of_own = match coordinator.load_own(given, &lineage).await {
            Ok(Some(_)) => {
                let own = own_key(coordinator.key(), &lineage);
                change_record(coordinator, &own, drop_token).await
            }
            read => read.map(drop),
        };
        dropped.and(of_own)
    }

    /// Removes the record of a profile, and returns whether there was one.
    ///
    /// A refresh in progress is waited for, in this process and in others. One that does not end in
    /// time does not write the record again; only one that begins afterwards, with credentials that
    /// were given elsewhere, does. Their own records (`NAME~DIGITS`) are profiles apart.
    ///
    /// That wait may take [`wait_time`](super::CredentialsBuilder::wait_time), and for the own profile
    /// also as long as a refresh or a save of this process that is in progress; no other begins until
    /// this call ends. If the future is dropped, the record is there or removed, and other processes
    /// may wait for the time of a lease.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn remove_profile(&self, profile: &str) -> Result<bool> {
        let coordinator = &self.inner.coordinator;
        let key = Key::new(coordinator.key().namespace(), profile);
        let exclusive = match coordinator.exclusive(&key).await {
            Ok(exclusive) => Some(exclusive),
            Err(error) if error.kind() == ErrorKind::RefreshTimeout => None,
            Err(error) => return Err(error),
        };
        let removed = coordinator
            .of_store(coordinator.store().remove(&key, &Expect::Any))
            .await;
        // Else a login that could not be saved would come back by itself.
        if removed.is_ok() && key == *coordinator.key() {
            self.memory().unsaved = None;
        }
        if let Some(exclusive) = exclusive {
            if removed.is_ok() {
                exclusive.forget(&key);
            }
            exclusive.release().await;
        }
        self.forget_held();
        removed
    }

    /// Returns the names of the profiles in the store, in order.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); of kind `Config` if the store cannot list them.
    pub async fn list_profiles(&self) -> Result<Vec<String>> {
        let coordinator = &self.inner.coordinator;
        let listed = coordinator
            .of_store(coordinator.store().list(coordinator.key().namespace()))
            .await?;
        listed.ok_or_else(|| Core::new(Kind::Config, "the store cannot list profiles").into())
    }

    /// Gives the record of a profile another name, while no process refreshes it: tokens that are on
    /// their way would have no record.
    ///
    /// Own records of given credentials keep the old name, so that programs which were given those and
    /// use the new name begin with what they were given.
    ///
    /// The record is copied and then removed, in a task of its own that goes on if the future is
    /// dropped. If the process or the store fails in between, both names have the login, and the same
    /// call completes the work: a record with the same client and refresh token is no conflict.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if there is no such profile, and `Conflict` if the other name has another
    /// login or there are tokens that could not be saved yet;
    /// [`ErrorKind::RefreshTimeout`](crate::ErrorKind::RefreshTimeout) if another process holds the
    /// lease for too long; and as [`write`](Self::write).
    pub async fn rename_profile(&self, from: &str, to: &str) -> Result<()> {
        let namespace = self.inner.coordinator.key().namespace();
        let (from, to) = (Key::new(namespace, from), Key::new(namespace, to));
        // Owns all it needs, as a refresh does.
        let (credentials, names) = (self.clone(), (from.clone(), to.clone()));
        let rename = || async move { credentials.rename(&from, &to).await.map(Fetched::new) };
        self.inner.renames.get_or_fetch(&names, rename).await
    }

    async fn rename(&self, from: &Key, to: &Key) -> Result<()> {
        let mut exclusive = self.inner.coordinator.exclusive(from).await?;
        let renamed = self.moved(from, to, &mut exclusive).await;
        exclusive.release().await;
        self.forget_held();
        renamed
    }

    async fn moved(&self, from: &Key, to: &Key, exclusive: &mut Exclusive<'_>) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let store = coordinator.store();
        let Some(there) = coordinator.of_store(store.load(from)).await? else {
            let what = format!("there is no profile {:?}", from.profile());
            return Err(Core::new(Kind::NotFound, what).into());
        };
        let is_own = from == coordinator.key();
        // Those of a refresh that had the lease until now count too, but not those of an earlier login.
        if exclusive.has_unsaved_of(&Record::read(&there.value)?)
            || (is_own && self.memory().unsaved_login().is_some())
        {
            let what = "tokens of the profile are not saved yet; try again";
            return Err(Core::new(Kind::Conflict, what).with_retryable(true).into());
        }
        let copy = match from == to {
            true => None,
            false => self.copied(&there, to).await?,
        };
        let Some(copy) = copy else {
            let what = format!("there is a profile {:?} already", to.profile());
            return Err(Core::new(Kind::Conflict, what).into());
        };
        // Without the lease, another process may be refreshing the record.
        if exclusive.renew().await?
            && coordinator
                .of_store(store.remove(from, &Expect::Version(there.version)))
                .await?
        {
            return Ok(());
        }
        // It was renewed in the meantime, or will be: the copy is old, and must not be used.
        if let Copied::New(version) = copy {
            coordinator
                .of_store(store.remove(to, &Expect::Version(version)))
                .await?;
        }
        Err(changed_meanwhile(from))
    }

    /// Copies a record to a name that is free, or that has the same login with an older access token.
    /// Returns `None` if it has another login.
    async fn copied(&self, there: &Loaded, to: &Key) -> Result<Option<Copied>> {
        let coordinator = &self.inner.coordinator;
        let store = coordinator.store();
        let mut expect = Expect::Absent;
        for _ in 0..TRIES {
            match coordinator
                .of_store(store.compare_and_swap(to, &expect, &there.value))
                .await?
            {
                Swapped::Done(version) if expect == Expect::Absent => {
                    return Ok(Some(Copied::New(version)));
                }
                Swapped::Done(_) => return Ok(Some(Copied::SameLogin)),
                Swapped::Conflict(None) => expect = Expect::Absent,
                Swapped::Conflict(Some(other)) => {
                    let (ours, theirs) = (Record::read(&there.value)?, Record::read(&other.value)?);
                    if !ours.is_same_login(&theirs) {
                        return Ok(None);
                    }
                    if theirs.expiry() >= ours.expiry() {
                        return Ok(Some(Copied::SameLogin));
                    }
                    expect = Expect::Version(other.version);
                }
            }
        }
        Err(changed_all_the_time())
    }

    fn merged(&self, record: Option<Record>, written: &Written) -> Record {
        let inner = &self.inner;
        let values = &written.values;
        let is_new = record.is_none();
        let mut record = record.unwrap_or_default();
        let login = |record: &Record| (record.client_id.clone(), record.refresh_token.clone());
        let (login_before, secret_before) = (login(&record), record.client_secret.clone());
        if values.client_id.is_some() {
            record.client_id.clone_from(&values.client_id);
        }
        match &values.client_secret {
            Some(secret) if inner.is_secret_kept => record.client_secret = Some(secret.clone()),
            // One that is from the record stays there.
            Some(_)
                if record.client_id != login_before.0 || secret_before != values.client_secret =>
            {
                record.client_secret = None;
            }
            // Nor is that of the client before used for the one that logged in.
            None if written.absent == Absent::Drops && record.client_id != login_before.0 => {
                record.client_secret = None;
            }
            _ => {}
        }
        if values.refresh_token.is_some() || written.absent == Absent::Drops {
            record.refresh_token.clone_from(&values.refresh_token);
        }
        let is_other_login = login(&record) != login_before;
        let has_changed = is_other_login || record.client_secret != secret_before;
        if is_other_login || record.lineage.is_none() {
            record.lineage.clone_from(&written.lineage);
        }
        if has_changed {
            record.dead = None;
        }
        let access_token = values.access_token.as_ref();
        if written.is_token_kept && access_token.is_some() && !is_new && !is_other_login {
            // The one that is there may be newer.
        } else if let Some(token) = access_token.filter(|_| inner.is_token_cached) {
            record.access_token = Some(token.clone());
            record.expires_at = written.expires_at;
        } else if (written.absent == Absent::Drops
            && (is_other_login || values.refresh_token.is_none()))
            || (inner.is_token_cached && has_changed)
        {
            record.access_token = None;
            record.expires_at = None;
        }
        if inner.is_token_cached {
            record.is_token_left_out = false;
        } else if is_new {
            record.is_token_left_out = true;
        }
        record
    }
}

/// The profile that a record was copied to.
enum Copied {
    /// There was none. This is its version.
    New(Version),
    /// There was one already with the same login.
    SameLogin,
}

/// What is written into a record.
#[derive(Clone)]
struct Written {
    values: Values,
    expires_at: Option<SystemTime>,
    /// Whether the record of the login has the access token already, or a newer one.
    is_token_kept: bool,
    /// That of the refresh token, if it was given elsewhere, or replaced one that was.
    lineage: Option<String>,
    absent: Absent,
}

impl Written {
    fn new(resolved: Resolved, given: &Given) -> Self {
        let is_rotated = resolved.values.refresh_token != resolved.first;
        Self {
            // Other processes renew a login of the store, and this one reads that.
            lineage: (given.lineage()).filter(|_| is_rotated || !resolved.is_login_of_store),
            values: match resolved.source {
                // The rest may have been replaced since it was read.
                Source::Store => resolved.set,
                _ => resolved.values,
            },
            expires_at: resolved.expires_at,
            is_token_kept: resolved.is_token_kept,
            absent: match resolved.is_login {
                true => Absent::Drops,
                false => Absent::Keeps,
            },
        }
    }

    /// Returns the same with tokens that replaced the given ones.
    fn with_tokens_of(&self, newest: &Record, given: &Given) -> Self {
        let mut written = self.clone();
        written
            .values
            .refresh_token
            .clone_from(&newest.refresh_token);
        written.values.access_token.clone_from(&newest.access_token);
        written.expires_at = newest.expires_at;
        written.is_token_kept = false;
        if newest.refresh_token != given.refresh_token {
            written.lineage = given.lineage();
        }
        written
    }
}

/// The effect of a missing value on one in the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Keeps,
    Drops,
}
