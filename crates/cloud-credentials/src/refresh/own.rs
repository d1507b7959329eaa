//! The own record of credentials that were given elsewhere. It is used where the record of the profile
//! has another login, whose tokens would otherwise be overwritten.

use std::sync::Arc;

use vouchsafe_core::store::Key;
use vouchsafe_core::sync::lock;

use super::wanted::{Given, Wanted};
use super::{Ask, Coordinator, Failure, Refreshed, Shared, read};
use crate::{Record, Result};

impl Coordinator {
    /// Refreshes, or finds that another process has done it.
    pub(crate) async fn refresh(
        &self,
        wanted: Wanted,
        ask: &dyn Ask,
    ) -> Result<Refreshed, Failure> {
        if let Some(own) = self.own_of(&wanted).await {
            return own.refresh_here(wanted, ask).await;
        }
        let refreshed = self.refresh_here(wanted.clone(), ask).await;
        let is_of_another = matches!(refreshed, Err(Failure::AnotherLogin(_)));
        if !is_of_another && !self.has_displaced() {
            return refreshed;
        }
        // The record has become that of another login since.
        match self.own_of(&wanted).await {
            Some(own) if is_of_another => own.refresh_here(wanted, ask).await,
            _ => refreshed,
        }
    }

    /// Saves the tokens that are not saved yet, for as long as a refresh waits for others.
    pub(crate) async fn flush(&self) -> Result<()> {
        let mut flushed = self.flush_here().await;
        let displaced = lock(&self.shared.unsaved).clone();
        if let Some(kept) = displaced.filter(|kept| kept.displaced.is_some()) {
            self.own_of(&kept.wanted).await;
        }
        for own in self.own() {
            let of_own = own.flush_here().await;
            flushed = flushed.and(of_own);
        }
        flushed
    }

    /// Returns whether the tokens that are not saved yet have a new refresh token.
    pub(crate) fn has_unsaved_refresh_token(&self) -> bool {
        let is_unsaved = |own: &Arc<Self>| own.shared.has_unsaved_refresh_token();
        self.shared.has_unsaved_refresh_token() || self.own().iter().any(is_unsaved)
    }

    /// Returns what refreshes the own records that were used so far.
    pub(crate) fn own(&self) -> Vec<Arc<Self>> {
        lock(&self.own).values().cloned().collect()
    }

    /// Returns what refreshes the own record of these credentials, if that is the one to use.
    async fn own_of(&self, wanted: &Wanted) -> Option<Arc<Self>> {
        let given = wanted.given.as_ref()?;
        let lineage = given.lineage()?;
        let known = lock(&self.own).get(&lineage).cloned();
        let key = self.own_key(&lineage);
        let is_own = self.shared.uses_own(given, &key).await;
        let is_unsaved = |own: &Arc<Self>| lock(&own.shared.unsaved).is_some();
        // If that cannot be read, the refresh reports it, or uses what it had.
        if !is_own.unwrap_or(known.is_some()) && !known.as_ref().is_some_and(is_unsaved) {
            return None;
        }
        let own = known.unwrap_or_else(|| self.add_own(&lineage, key));
        self.hand_over(&own, &lineage).await;
        Some(own)
    }

    fn own_key(&self, lineage: &str) -> Key {
        let key = &self.shared.key;
        let name = format!("{}~{lineage:.12}", key.profile());
        Key::new(key.namespace(), name)
    }

    fn add_own(&self, lineage: &str, key: Key) -> Arc<Self> {
        tracing::info!(
            profile = self.shared.key.profile(),
            own = key.profile(),
            "the profile has another login than was given, which gets its own record"
        );
        let added = || Arc::new(Self::of(self.shared.beside(key)));
        let mut own = lock(&self.own);
        Arc::clone(own.entry(lineage.to_owned()).or_insert_with(added))
    }

    /// Passes on tokens that cannot be saved in the record of the profile any more.
    async fn hand_over(&self, own: &Self, lineage: &str) {
        if !self.has_displaced() {
            return;
        }
        let turns = (own.turn().await, self.turn().await);
        let mut unsaved = lock(&own.shared.unsaved);
        if unsaved.is_some() {
            return;
        }
        let is_of = |given: &Given| given.lineage().as_deref() == Some(lineage);
        let handed = lock(&self.shared.unsaved).take_if(|kept| {
            kept.displaced.is_some() && kept.wanted.given.as_ref().is_some_and(is_of)
        });
        let Some(mut kept) = handed else {
            return;
        };
        if let Some(given) = &mut kept.wanted.given {
            // What the own record is taken to have had, so that these tokens are saved there.
            given.rotated = kept.unsaved.replaced.first().cloned();
        }
        kept.displaced = None;
        kept.unsaved.is_displaced = false;
        kept.unsaved.is_of_record = false;
        *unsaved = Some(kept);
        drop(unsaved);
        drop(turns);
        own.saver.ensure();
    }

    fn has_displaced(&self) -> bool {
        let kept = lock(&self.shared.unsaved);
        kept.as_ref().is_some_and(|kept| kept.displaced.is_some())
    }
}

impl Shared {
    /// Returns whether these credentials use their own record: it has a login, or the profile has that
    /// of another. One that only says that a token was refused counts if the profile has none.
    async fn uses_own(&self, given: &Given, own: &Key) -> Result<bool> {
        let has_login = |record: &Record| record.refresh_token.is_some();
        let own = read(self.of_store(self.store.load(own)).await?)?;
        if own.as_ref().is_some_and(|(own, _)| has_login(own)) {
            return Ok(true);
        }
        let there = read(self.of_store(self.store.load(&self.key)).await?)?;
        Ok(match there {
            Some((there, _)) if has_login(&there) => given.is_other(&there),
            _ => own.is_some(),
        })
    }

    fn has_unsaved_refresh_token(&self) -> bool {
        let kept = lock(&self.unsaved);
        kept.as_ref().is_some_and(|kept| kept.unsaved.is_rotated())
    }
}
