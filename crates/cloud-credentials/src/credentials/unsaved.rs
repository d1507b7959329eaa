//! A login that could not be saved when it was issued: the code was used, so the tokens are kept and saved
//! later, but not over what others have written since.

use std::sync::Arc;

use vouchsafe_core::{BoxFuture, Error as Core, ErrorKind as Kind, Secret};

use super::Credentials;
use super::exchange::exchanges;
use super::values::{Memory, Place, Resolved, Unsaved, place_of};
use crate::{Error, Record, Result};

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
