//! The input of a refresh: the record of a profile, and credentials that were given elsewhere.

use std::time::{Duration, SystemTime};

use vouchsafe_core::Secret;

use super::machine::{Stale, Unsaved};
use crate::Record;
use crate::record::{digest, lineage};
use crate::validity::is_due;

/// What a refresh is to obtain: a token other than the stale one.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The access token that proved bad.
    pub(crate) stale: Stale<Secret>,
    /// Credentials that were given elsewhere than in the record.
    pub(crate) given: Option<Given>,
    /// Whether access tokens are kept in the record, for other processes to adopt.
    pub(crate) is_token_cached: bool,
    /// Whether a secret that was given is kept in the record.
    pub(crate) is_secret_kept: bool,
    /// How long before its expiry a token is replaced.
    pub(crate) guard: Duration,
}

/// Credentials that were given by a program or its environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) client_id: Option<String>,
    /// Whether the client is that of the record when it was read, so that the secret is not for another.
    pub(crate) is_client_of_record: bool,
    pub(crate) client_secret: Option<Secret>,
    /// The first refresh token, from which those in a record descend. `None` if only other values were
    /// given, which are used with the refresh token of the record.
    pub(crate) refresh_token: Option<Secret>,
    /// What replaced the first refresh token, if this process knows.
    pub(crate) rotated: Option<Secret>,
}

impl Given {
    /// Returns the lineage of records that descend from these credentials.
    pub(crate) fn lineage(&self) -> Option<String> {
        let (id, token) = (self.client_id.as_deref()?, self.refresh_token.as_ref()?);
        Some(lineage(id, token))
    }

    /// Returns the newest refresh token that this process knows.
    pub(super) fn newest(&self) -> Option<&Secret> {
        self.rotated.as_ref().or(self.refresh_token.as_ref())
    }

    /// Returns the credentials to use: these, with the tokens of a record that descends from them.
    pub(super) fn view(&self, there: Option<&Record>) -> Record {
        let there = there.cloned().unwrap_or_default();
        if self.is_client_of_record && there.client_id != self.client_id {
            return there;
        }
        // It may be of an earlier lineage.
        let has_newest =
            there.client_id == self.client_id && there.refresh_token.as_ref() == self.newest();
        let is_theirs = self.refresh_token.is_none()
            || (there.refresh_token.is_some()
                && !self.has_replaced(&there)
                && (has_newest || there.descent() == self.lineage()));
        let is_of_client = there.client_id.is_none() || there.client_id == self.client_id;
        let mut view = match is_theirs {
            true => there,
            false => Record {
                refresh_token: self.newest().cloned(),
                // It may be known to be refused.
                dead: there.dead,
                // The members of others stay in the record.
                extra: there.extra,
                ..Record::default()
            },
        };
        // What was refused may be good for another client.
        view.dead = view.dead.filter(|_| is_of_client);
        view.client_id.clone_from(&self.client_id);
        view.client_secret.clone_from(&self.client_secret);
        view
    }

    /// Returns whether a record has the first refresh token, and this process knows what replaced it: the
    /// record was put back.
    pub(crate) fn has_replaced(&self, there: &Record) -> bool {
        there.refresh_token.is_some()
            && there.refresh_token == self.refresh_token
            && there.refresh_token.as_ref() != self.newest()
    }

    /// Returns whose login a record has.
    pub(crate) fn login_of(&self, there: &Record) -> Login {
        let Some(token) = &there.refresh_token else {
            let is_of_client = there.client_id.is_none() || there.client_id == self.client_id;
            return match there.access_token.is_none() || is_of_client {
                true => Login::Missing,
                false => Login::Other,
            };
        };
        let known = [&self.refresh_token, &self.rotated];
        let is_known = known.into_iter().flatten().any(|known| known == token);
        match is_known || there.descent() == self.lineage() {
            true => Login::Ours,
            false => Login::Other,
        }
    }
}

/// Returns whether an own record has newer tokens of a lineage than the record of the profile, which
/// has it, too.
pub(crate) fn is_newer(own: &Record, profile: &Record) -> bool {
    if own.refresh_token.is_none() || own.is_dead() {
        return false;
    }
    match (own.is_first(), profile.is_first()) {
        _ if profile.is_dead() => true,
        (false, true) => true,
        (true, false) => false,
        // If one is missing, its token may have been revoked.
        _ => {
            matches!((own.expiry(), profile.expiry()), (Some(own), Some(profile)) if own > profile)
        }
    }
}

/// Whose login a record has, compared with credentials that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// It has none.
    Missing,
    Ours,
    Other,
}

impl Wanted {
    /// Returns the lineage of the credentials that were given, if they have a refresh token.
    pub(super) fn lineage(&self) -> Option<String> {
        self.given.as_ref()?.lineage()
    }

    /// Returns the credentials to use: those of the record, unless others were given and the record
    /// does not descend from them.
    pub(super) fn view(&self, there: Option<&Record>) -> Record {
        match &self.given {
            Some(given) => given.view(there),
            None => there.cloned().unwrap_or_default(),
        }
    }

    /// Treats unsaved tokens as not granted yet, so that the view has the tokens that they
    /// replaced.
    pub(super) fn take_back(&mut self, unsaved: &Unsaved<Record>) {
        if let Some(given) = &mut self.given
            && given.rotated == unsaved.record.refresh_token
        {
            given.rotated = unsaved.replaced.first().cloned();
        }
    }

    /// Returns whether the access token of a record may be adopted.
    pub(super) fn is_fresh(&self, view: &Record, now: SystemTime) -> bool {
        let is_there = self.is_token_cached && view.access_token.is_some();
        is_there && !is_due(view, now, self.guard)
    }

    /// Returns the record to store for these credentials, which replaces the current one.
    pub(super) fn stored(&self, mut record: Record, there: Option<&Record>) -> Record {
        if self.is_token_cached {
            // A mark on a record that never had a token adds none.
            record.is_token_left_out =
                record.access_token.is_none() && there.is_some_and(|there| there.is_token_left_out);
        } else {
            record.access_token = there.and_then(|there| there.access_token.clone());
            record.expires_at = there.and_then(|there| there.expires_at);
            record.is_token_left_out = there.is_none_or(|there| there.is_token_left_out);
        }
        if let Some(given) = &self.given {
            if record.is_dead() {
                // Only that it was refused: what was given may be wrong, and others use what is there.
                let mut mark = there.cloned().unwrap_or_default();
                mark.dead = record.dead;
                return mark;
            }
            if given.refresh_token.is_some() {
                // Also of the first one, so that whoever replaces it keeps the mark.
                let marked = there.filter(|there| there.is_same_login(&record));
                let mark = marked.and_then(|there| there.lineage.clone());
                record.lineage = mark.or_else(|| given.lineage());
            }
            let is_written = self.is_secret_kept && given.client_secret.is_some();
            if !is_written && record.client_secret == given.client_secret {
                // One that is from the record stays there.
                let same = there.filter(|there| there.client_id == record.client_id);
                let own = same.and_then(|there| there.client_secret.clone());
                let secret = given.client_secret.as_ref();
                record.client_secret = own.filter(|own| secret.is_none_or(|secret| secret == own));
            }
        }
        record
    }
}

impl super::machine::Record for Record {
    type Token = Secret;

    fn access_token(&self) -> Option<&Secret> {
        self.access_token.as_ref()
    }

    fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    fn is_refused(&self) -> bool {
        self.is_dead()
    }

    fn refused(mut self) -> Self {
        self.dead = self.refresh_token.as_ref().map(digest);
        self
    }

    fn with_tokens_of(mut self, granted: &Self) -> Self {
        self.refresh_token.clone_from(&granted.refresh_token);
        self.access_token.clone_from(&granted.access_token);
        self.expires_at = granted.expires_at;
        self.dead = None;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(seconds: u64) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Returns a record of the client `c` whose access token expires after 100 seconds.
    fn record(refresh_token: &str) -> Record {
        Record {
            client_id: Some("c".to_owned()),
            refresh_token: Some(Secret::from(refresh_token)),
            access_token: Some(Secret::from("at")),
            expires_at: at(100),
            ..Record::default()
        }
    }

    fn given(rotated: Option<&str>) -> Given {
        Given {
            client_id: Some("c".to_owned()),
            refresh_token: Some(Secret::from("first")),
            rotated: rotated.map(Secret::from),
            ..Given::default()
        }
    }

    fn wanted(given: Given) -> Wanted {
        Wanted {
            stale: Stale::Nothing,
            given: Some(given),
            is_token_cached: true,
            is_secret_kept: false,
            guard: Duration::from_secs(10),
        }
    }

    #[test]
    fn an_own_record_is_newer_by_its_lineage_and_else_by_its_expiry() {
        let first = record("first");
        let later = Record {
            lineage: first.first(),
            ..record("later")
        };
        let dead = |record: &Record| Record {
            dead: record.refresh_token.as_ref().map(digest),
            ..record.clone()
        };
        let until = |record: &Record, seconds| Record {
            expires_at: at(seconds),
            ..record.clone()
        };
        let without = |record: &Record| Record {
            refresh_token: None,
            ..record.clone()
        };
        for (own, profile, expected) in [
            // What descends from the first refresh token is newer than that one, whatever expires later.
            (later.clone(), until(&first, 200), true),
            (until(&first, 200), later.clone(), false),
            (until(&first, 101), first.clone(), true),
            (first.clone(), first.clone(), false),
            (first.clone(), until(&first, 101), false),
            (until(&later, 101), later.clone(), true),
            // One that was refused is of no use, nor is one that is not there.
            (first.clone(), dead(&later), true),
            (dead(&later), first.clone(), false),
            (dead(&until(&first, 200)), first.clone(), false),
            (without(&until(&first, 200)), first.clone(), false),
        ] {
            assert_eq!(is_newer(&own, &profile), expected, "{own:?} {profile:?}");
        }
    }

    #[test]
    fn what_another_client_got_for_the_same_refresh_token_is_not_used() {
        let there = Record {
            client_id: Some("d".to_owned()),
            ..record("first")
        };
        let view = given(None).view(Some(&there));
        assert_eq!(view.client_id.as_deref(), Some("c"));
        assert_eq!(view.refresh_token, there.refresh_token);
        assert_eq!((view.access_token, view.expires_at), (None, None));
        assert!(
            given(None)
                .view(Some(&record("first")))
                .access_token
                .is_some()
        );
    }

    #[test]
    fn unsaved_tokens_are_taken_back_if_they_are_the_newest_that_are_known() {
        let unsaved = Unsaved {
            replaced: ["second", "third"].map(Secret::from).into(),
            record: record("fourth"),
            is_fresh: true,
            is_displaced: false,
        };
        for (rotated, expected) in [
            (Some("fourth"), Some("second")),
            (Some("fifth"), Some("fifth")),
            (None, None),
        ] {
            let mut wanted = wanted(given(rotated));
            wanted.take_back(&unsaved);
            assert_eq!(wanted.given.unwrap().rotated, expected.map(Secret::from));
        }
    }

    #[test]
    fn a_token_of_a_record_is_adopted_only_where_tokens_are_kept_in_records() {
        let (mut wanted, now) = (wanted(given(None)), at(0).unwrap());
        assert!(wanted.is_fresh(&record("first"), now));
        let without = Record {
            access_token: None,
            ..record("first")
        };
        assert!(!wanted.is_fresh(&without, now));
        wanted.is_token_cached = false;
        assert!(!wanted.is_fresh(&record("first"), now));
    }
}
