//! Where the record of a login is. Credentials that were given elsewhere use the record of the profile,
//! or one of their own, beside it, while that has another login, whose tokens they would overwrite.
//!
//! All records of a profile have one lease, so that whoever holds it may look for its own.

use vouchsafe_core::store::{Expect, Key, Version};

use super::wanted::{Given, Login, is_newer};
use super::{Shared, read};
use crate::{ErrorKind, Record, Result};

/// One of the records of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Profile,
    Own,
}

/// A record that is there, or may be made.
#[derive(Clone, Debug)]
pub(super) struct At {
    place: Place,
    /// `None` if it is to be made.
    version: Option<Version>,
}

/// The record to use.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) record: Option<Record>,
    pub(super) place: Place,
    version: Option<Version>,
}

impl Found {
    pub(super) fn new(place: Place, read: Option<(Record, Version)>) -> Self {
        let (record, version) = read.unzip();
        Self {
            record,
            place,
            version,
        }
    }

    /// Returns what to expect when writing. A record of the profile that is missing may have been
    /// removed; an own one is made when it is needed.
    pub(super) fn at(&self) -> Option<At> {
        let (place, version) = (self.place, self.version.clone());
        (place == Place::Own || version.is_some()).then_some(At { place, version })
    }
}

impl At {
    /// Returns whether there was a record that is gone from the same place.
    pub(super) fn is_gone(before: Option<&Self>, now: Option<&Self>) -> bool {
        let was_there = before.filter(|before| before.version.is_some());
        was_there.is_some_and(|before| match now {
            Some(now) => now.place == before.place && now.version.is_none(),
            None => before.place == Place::Profile,
        })
    }

    /// Returns the place and the version to expect; where there was no record, it is that of the
    /// profile.
    pub(super) fn of(at: Option<Self>) -> (Place, Expect) {
        let place = at.as_ref().map_or(Place::Profile, |at| at.place);
        let version = at.and_then(|at| at.version);
        (place, version.map_or(Expect::Absent, Expect::Version))
    }
}

impl Shared {
    /// Finds the record of the credentials that were given, if any, or of the profile.
    pub(super) async fn find(&self, given: Option<&Given>) -> Result<Found> {
        let there = self.load(&self.key).await?;
        let Some((given, lineage)) = given.and_then(|given| Some((given, given.lineage()?))) else {
            return Ok(Found::new(Place::Profile, there));
        };
        let login = there.as_ref().map(|(record, _)| given.login_of(record));
        let own = self.load_own(&lineage, login).await?;
        let is_own = match (&there, &own) {
            (Some((there, _)), Some((own, _))) if login == Some(Login::Ours) => {
                is_newer(own, there)
            }
            (_, Some(_)) => true,
            (_, None) => login == Some(Login::Other),
        };
        Ok(match is_own {
            true => Found::new(Place::Own, own),
            false => Found::new(Place::Profile, there),
        })
    }

    /// Returns the name of a record.
    pub(super) fn key_at(&self, place: Place, given: Option<&Given>) -> Key {
        let lineage = given.and_then(Given::lineage);
        match (place, lineage) {
            (Place::Own, Some(lineage)) => own_key(&self.key, &lineage),
            _ => self.key.clone(),
        }
    }

    /// Reads the own record of a lineage, beside that of the profile, which has this login.
    pub(super) async fn load_own(
        &self,
        lineage: &str,
        login: Option<Login>,
    ) -> Result<Option<(Record, Version)>> {
        match self.load(&own_key(&self.key, lineage)).await {
            // A store may allow a program to use the record of its profile only.
            Err(error)
                if login != Some(Login::Other)
                    && !error.is_retryable()
                    && error.kind() != ErrorKind::StoreCorrupt =>
            {
                Ok(None)
            }
            own => own,
        }
    }

    pub(super) async fn load(&self, key: &Key) -> Result<Option<(Record, Version)>> {
        read(self.of_store(self.store.load(key)).await?)
    }
}

/// Returns the name of the own record of a lineage.
pub(crate) fn own_key(profile: &Key, lineage: &str) -> Key {
    let name = format!("{}{MARK}{lineage:.DIGITS$}", profile.profile());
    Key::new(profile.namespace(), name)
}

/// Returns the name of the lease on a record: that of its profile, if it is an own one.
pub(super) fn lease_key(record: &Key) -> Key {
    let mut name = record.profile();
    while let Some((profile, digits)) = name.rsplit_once(MARK)
        && !profile.is_empty()
        && digits.len() == DIGITS
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    {
        name = profile;
    }
    Key::new(record.namespace(), name)
}

const MARK: char = '~';
const DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_records_of_a_profile_have_one_lease() {
        let profile = Key::new("n", "p");
        let own = own_key(&profile, "0123456789abcdef0123456789abcdef");
        assert_eq!(own.profile(), "p~0123456789ab");
        assert_eq!(lease_key(&own), profile);
        assert_eq!(lease_key(&own_key(&own, "fedcba9876543210")), profile);
        for name in ["p", "p~", "p~0123", "~0123456789ab", "p~0123456789xy", ""] {
            let key = Key::new("n", name);
            assert_eq!(lease_key(&key), key, "{name}");
        }
    }
}
