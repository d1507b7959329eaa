//! A login that could not be saved when it was issued: the code was used, so the tokens are kept and saved
//! later, but not over what others have written since.

use std::sync::Arc;

use vouchsafe_core::{BoxFuture, Error as Core, ErrorKind as Kind, Secret};

use super::Credentials;
use super::exchange::exchanges;
use super::values::{LoggedIn, Memory, Resolved, Values};
use crate::record::lineage;
use crate::refresh::Failing;
use crate::{Error, Record, Result};

/// What is known of a login that is not saved yet.
#[derive(Debug)]
pub(super) struct Unsaved {
    /// The failures to save it.
    pub(super) failing: Failing,
    /// The records that it may take the place of. Empty if the one that it could not take the place of
    /// could not be read.
    over: Vec<Place>,
}

/// A client and a refresh token.
pub(super) type Place = (Option<String>, Option<Secret>);

impl Unsaved {
    /// Starts with the record when the login began, if that was read, or else with what the login before
    /// this one may take the place of, if that is not saved either, and with that login itself.
    pub(super) fn over(place: Option<Place>, before: Option<(&Self, &LoggedIn)>) -> Self {
        let over = match (place, before) {
            (Some(place), _) => vec![place],
            (None, Some((unsaved, login))) if unsaved.knows_place() => {
                let Values {
                    client_id,
                    refresh_token,
                    ..
                } = &login.values;
                let login = (client_id.clone(), refresh_token.clone());
                unsaved.over.iter().cloned().chain([login]).collect()
            }
            (None, _) => Vec::new(),
        };
        Self {
            failing: Failing::default(),
            over,
        }
    }

    /// Notes the record that the login could not take the place of.
    pub(super) fn note(&mut self, over: Place) {
        self.over = vec![over];
    }

    /// Returns whether it is known what the login may take the place of.
    pub(super) fn knows_place(&self) -> bool {
        !self.over.is_empty()
    }

    /// Returns whether the record has another login by now, which is not this one either, or is gone. A
    /// refresh token may have been replaced by others of the same login.
    pub(super) fn is_overtaken(
        &self,
        login: &LoggedIn,
        there: Option<&Record>,
        is_same_login: impl Fn(&Secret, &Secret) -> bool,
    ) -> bool {
        let (id, token) = (&login.values.client_id, &login.values.refresh_token);
        let first = id.as_deref().zip(token.as_ref());
        let first = first.map(|(id, token)| lineage(id, token));
        let descent = there.and_then(Record::descent);
        if descent.is_some() && (descent == first || descent == login.over) {
            return false;
        }
        let (id, token) = place_of(there);
        let has_place = |(over_id, over_token): &Place| {
            let is_same = match (over_token, &token) {
                (Some(over), Some(token)) => is_same_login(over, token),
                (over, token) => over == token,
            };
            *over_id == id && is_same
        };
        self.knows_place() && !self.over.iter().any(has_place)
    }
}

/// Returns the client and the refresh token of a record, if there is one.
fn place_of(record: Option<&Record>) -> Place {
    let token = record.and_then(|record| record.refresh_token.clone());
    (record.and_then(|record| record.client_id.clone()), token)
}

/// Why values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The program wants it.
    Wanted,
    /// The program wants a login that is not saved to be, unless another one has come.
    Flush,
    /// The same without the program.
    ByItself,
}

impl Attempt {
    fn is_to_write(self, memory: &Memory) -> bool {
        let is_unsaved = memory.unsaved_login().is_some();
        let knows_place = || memory.unsaved.as_ref().is_some_and(Unsaved::knows_place);
        match self {
            Self::Wanted => true,
            Self::Flush => is_unsaved,
            Self::ByItself => is_unsaved && knows_place(),
        }
    }
}

impl Credentials {
    /// Writes the login that is not saved yet, if there is one, but not over another one that was written
    /// in the meantime.
    pub(super) async fn save_login(&self) -> Result<()> {
        self.write_if(Attempt::Flush).await
    }

    /// Writes the current values, if they are to be, also when it is the turn of this call.
    pub(super) async fn write_if(&self, attempt: Attempt) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let key = coordinator.key();
        let write = async || {
            if !attempt.is_to_write(&self.memory()) {
                return Ok(None);
            }
            // The answer to a refresh at the same time would be lost, or what it replaced written.
            let mut exclusive = match attempt {
                Attempt::ByItself => coordinator.exclusive_soon(key).await?,
                Attempt::Flush | Attempt::Wanted => coordinator.exclusive(key).await?,
            };
            let (is_to_write, login) = {
                let memory = self.memory();
                (attempt.is_to_write(&memory), memory.login.clone())
            };
            let written = match is_to_write {
                true => self.write_current(&mut exclusive, attempt).await,
                false => Ok(()),
            };
            if is_to_write && written.is_ok() && self.memory().unsaved_login().is_some() {
                // What a refresh of the login before did not save.
                exclusive.forget(key);
            }
            exclusive.release().await;
            written.map(|()| login.filter(|_| is_to_write))
        };
        match write().await {
            Ok(Some(login)) => self.written(&login),
            Ok(None) => {}
            Err(error) => {
                self.report_unsaved(&error);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Warns of a login that is not saved, if there is one and it is time to, and notifies the program.
    pub(super) fn report_unsaved(&self, error: &Error) {
        let is_to_report = {
            let mut memory = self.memory();
            let is_current = memory.unsaved_login().is_some();
            let unsaved = memory.unsaved.as_mut().filter(|_| is_current);
            unsaved.is_some_and(|unsaved| unsaved.failing.add(error))
        };
        if is_to_report {
            self.inner.coordinator.report_unsaved(error);
        }
    }

    /// Returns what a login takes the place of, if it can be read.
    async fn place(&self) -> Option<Place> {
        let coordinator = &self.inner.coordinator;
        let there = coordinator.load(coordinator.key()).await.ok()?;
        Some(place_of(there.as_ref().map(|(record, _)| record)))
    }

    /// Returns the same from values that were read, if these are those of the record.
    pub(super) fn place_of(&self, resolved: &Resolved) -> Option<Place> {
        let values = &resolved.values;
        (resolved.are_of_store()).then(|| (values.client_id.clone(), values.refresh_token.clone()))
    }

    /// Fails if the record has another login by now than when the one that is not saved was issued.
    pub(super) fn require_not_overtaken(&self, there: Option<&Record>) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let is_same = |one: &Secret, other: &Secret| coordinator.is_same_login(one, other);
        let memory = self.memory();
        match (&memory.unsaved, memory.current_login()) {
            (Some(unsaved), Some(login)) if unsaved.is_overtaken(login, there, is_same) => {
                let profile = self.profile();
                let what = format!(
                    "profile {profile:?} got another login, or was refreshed or removed, after one could not be saved; \
                     call write to put that in its place"
                );
                Err(Core::new(Kind::Conflict, what).into())
            }
            _ => Ok(()),
        }
    }

    /// Tries again from time to time to save the login that could not be saved, as long as there are
    /// credentials and no other login is in its place. If it is not known what was there before, only a
    /// program can tell.
    pub(super) async fn keep_saving(&self) {
        let place = self.place().await;
        let knows_place = self.memory().unsaved.as_mut().is_some_and(|unsaved| {
            if let Some(place) = place {
                unsaved.note(place);
            }
            unsaved.knows_place()
        });
        if !knows_place {
            return;
        }
        let inner = Arc::downgrade(&self.inner);
        let attempt = move || -> BoxFuture<'static, Result<()>> {
            let inner = inner.clone();
            Box::pin(async move {
                let Some(inner) = inner.upgrade() else {
                    return Ok(());
                };
                let exchanges = exchanges(&inner.endpoints.core);
                let credentials = Self {
                    inner,
                    refreshes: false,
                    exchanges,
                };
                credentials.write_if(Attempt::ByItself).await
            })
        };
        self.inner.coordinator.keep_saving_login(Arc::new(attempt));
    }
}
