//! The sources of values and their order. Sources are never mixed (protocol section 6).

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use vouchsafe_core::Secret;
use vouchsafe_core::store::Store;

use crate::error::Missing;
use crate::record::{digest, lineage};
use crate::refresh::Failing;
use crate::url::Url;
use crate::validity::Validity;
use crate::{Environment, Error, Record, Result};

/// The known credentials of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Values {
    /// The access token.
    pub access_token: Option<Secret>,
    /// The id of the client.
    pub client_id: Option<String>,
    /// The secret of the client.
    pub client_secret: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The program gave them to the builder, or set them afterwards.
    Builder,
    /// Variables that begin with `PAN_`.
    Environment,
    /// The variables `CLIENT_ID`, `CLIENT_SECRET` and `REFRESH_TOKEN`.
    UnprefixedEnvironment,
    /// The record of the profile in the store.
    Store,
    /// A developer token: the access token was redeemed by these credentials, or by others where the
    /// source has none, or is going to be since no other source has a value.
    DeveloperToken,
    /// No source has a value.
    Nothing,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builder => "the builder",
            Self::Environment => "PAN_ variables",
            Self::UnprefixedEnvironment => "the variables CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN",
            Self::Store => "the store",
            Self::DeveloperToken => "the developer token",
            Self::Nothing => "nowhere",
        })
    }
}

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Drops empty texts, which count as missing.
    pub(super) fn cleaned(self) -> Self {
        let is_there = |secret: &Secret| !secret.is_empty();
        Self {
            access_token: self.access_token.filter(is_there),
            client_id: self.client_id.filter(|id| !id.is_empty()),
            client_secret: self.client_secret.filter(is_there),
            refresh_token: self.refresh_token.filter(is_there),
        }
    }

    /// Reads the variables that begin with `PAN_`.
    pub(super) fn prefixed(environment: &Environment) -> Result<Self> {
        Ok(Self {
            access_token: environment.secret("PAN_ACCESS_TOKEN")?,
            client_id: environment.text("PAN_CLIENT_ID")?,
            client_secret: environment.secret("PAN_CLIENT_SECRET")?,
            refresh_token: environment.secret("PAN_REFRESH_TOKEN")?,
        })
    }

    /// Reads the variables without prefix. Since such names are common, all three must be set.
    pub(super) fn unprefixed(environment: &Environment) -> Result<Option<Self>> {
        let values = Self {
            access_token: None,
            client_id: environment.text("CLIENT_ID")?,
            client_secret: environment.secret("CLIENT_SECRET")?,
            refresh_token: environment.secret("REFRESH_TOKEN")?,
        };
        let has_all = values.client_id.is_some()
            && values.client_secret.is_some()
            && values.refresh_token.is_some();
        Ok(has_all.then_some(values))
    }
}

/// State of this process, in addition to the sources.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Counts the changes after which a token that is still on its way is no longer the current one.
    pub(super) epoch: u64,
    /// Values that were set after construction; they hide those of the sources.
    pub(super) set: Values,
    /// Whether a value of the builder is no longer used, since it was revoked or not issued again.
    pub(super) is_access_token_gone: bool,
    pub(super) is_refresh_token_gone: bool,
    /// Whether the secret of a source is not used, since another client has logged in.
    pub(super) is_secret_gone: bool,
    /// The last login, until the record is what counts.
    pub(super) login: Option<LoggedIn>,
    /// Set until that login is saved.
    pub(super) unsaved: Option<Unsaved>,
    /// The refresh token that replaced the one of this digest.
    pub(super) rotated: Option<(String, Secret)>,
    pub(super) developer_token: Option<Secret>,
    pub(super) developer_provider: Option<Url>,
    /// The secret of the client in the record, and its id, if a login used it and the record is not to
    /// keep it.
    pub(super) secret: Option<(String, Secret)>,
    /// The access token that was used last, which may not say when it expires or was issued.
    pub(super) known: Option<Known>,
}

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
pub(super) fn place_of(record: Option<&Record>) -> Place {
    let token = record.and_then(|record| record.refresh_token.clone());
    (record.and_then(|record| record.client_id.clone()), token)
}

/// A login as it was issued.
#[derive(Clone, Debug)]
pub(super) struct LoggedIn {
    pub(super) values: Values,
    /// Whether the record is what counts once it has these values, as others may renew them.
    pub(super) is_of_store: bool,
    /// The lineage of the login of this program that it took the place of, which no other was given.
    pub(super) over: Option<String>,
}

impl LoggedIn {
    /// Returns the lineage of records that descend from it, if this program goes on with it.
    pub(super) fn lineage(&self) -> Option<String> {
        let (id, token) = (&self.values.client_id, &self.values.refresh_token);
        let (id, token) = (id.as_deref()?, token.as_ref()?);
        (!self.is_of_store).then(|| lineage(id, token))
    }
}

/// What this process knows of an access token, beside what the token and the record say.
#[derive(Debug)]
pub(super) struct Known {
    /// The digest of the token.
    token: String,
    pub(super) validity: Validity,
    /// Whether it was obtained with a developer token.
    pub(super) is_redeemed: bool,
    /// Whether the record of its login has it or is going to, so that one that is there may be newer.
    pub(super) is_kept: bool,
    /// The scope that the server stated when it issued the token.
    pub(super) scope: Option<String>,
}

impl Memory {
    /// Returns what is known of a token.
    pub(super) fn known_of(&self, token: &Secret) -> Option<&Known> {
        let known = self.known.as_ref()?;
        (known.token == digest(token)).then_some(known)
    }

    /// Remembers a token that is used. Its life counts from now, unless it was known before.
    pub(super) fn learn(
        &mut self,
        token: &Secret,
        expires_at: Option<SystemTime>,
        now: SystemTime,
    ) -> &mut Known {
        let before = self.known_of(token);
        let expires_at = expires_at.or(before.and_then(|known| known.validity.expires_at));
        let since = before.map_or(now, |known| known.validity.since);
        let known = Known {
            token: digest(token),
            validity: Validity::of(token, expires_at, since),
            is_redeemed: before.is_some_and(|known| known.is_redeemed),
            is_kept: before.is_some_and(|known| known.is_kept),
            scope: before.and_then(|known| known.scope.clone()),
        };
        self.known.insert(known)
    }

    /// Remembers that the record has a token.
    pub(super) fn keep(&mut self, token: &Secret) {
        if self.known_of(token).is_some()
            && let Some(known) = &mut self.known
        {
            known.is_kept = true;
        }
    }

    /// Returns whether the last login is current: no other one was set since. Where it has a refresh
    /// token, its access token may have been replaced.
    pub(super) fn is_of(&self, login: &LoggedIn) -> bool {
        let (set, values) = (&self.set, &login.values);
        set.client_id == values.client_id
            && set.refresh_token == values.refresh_token
            && (set.refresh_token.is_some() || set.access_token == values.access_token)
    }

    /// Returns the last login, if it is current.
    pub(super) fn current_login(&self) -> Option<&LoggedIn> {
        self.login.as_ref().filter(|login| self.is_of(login))
    }

    /// Returns the last login, if it is current and not saved yet.
    pub(super) fn unsaved_login(&self) -> Option<&LoggedIn> {
        self.current_login().filter(|_| self.unsaved.is_some())
    }
}

/// The current values.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    /// That of the memory, before the sources were read.
    pub(super) epoch: u64,
    pub(super) values: Values,
    /// Those that were set, which hide those of the source.
    pub(super) set: Values,
    /// The refresh token as the source has it.
    pub(super) first: Option<Secret>,
    pub(super) source: Source,
    /// Whether values were set that hide those of the store.
    pub(super) is_set: bool,
    /// Whether the secret belongs to the client of the record, which does not keep it.
    pub(super) is_secret_unkept: bool,
    /// Whether the refresh token is that of the record, whatever else was set.
    pub(super) is_token_of_store: bool,
    /// Whether the values are those of a login, to which what another one left in a record does not belong.
    pub(super) is_login: bool,
    /// Whether those of the record count again once it has them.
    pub(super) is_login_of_store: bool,
    /// Whether the record of the login has the access token or is going to, or a newer one.
    pub(super) is_token_kept: bool,
    /// When the access token expires, if the token does not state it.
    pub(super) expires_at: Option<SystemTime>,
    /// When the access token was first seen, if that was not now.
    pub(super) since: Option<SystemTime>,
    pub(super) searched: Searched,
}

/// Which sources are searched.
#[derive(Clone, Debug)]
pub(super) struct Searched {
    pub(super) environment: bool,
    pub(super) unprefixed: bool,
    pub(super) store: Arc<dyn Store>,
    pub(super) profile: String,
}

impl Searched {
    /// Describes the store by what its `Debug` begins with: the type, and the path if it has one.
    fn store(&self) -> String {
        let mut shown = Beginning(String::new());
        // It ends with an error where it was cut off.
        let _ = write!(shown, "{:?}", self.store);
        let shown = shown.0;
        let name = shown.split(|c: char| !c.is_alphanumeric()).next();
        let name = name.filter(|name| !name.is_empty()).unwrap_or("store");
        let path = shown.split_once("path: \"").map(|(_, rest)| rest);
        match path.and_then(|rest| rest.split_once('"')) {
            Some((path, _)) => format!("{name} \"{path}\""),
            None => format!("the {name}"),
        }
    }
}

/// The first bytes of a text, which may be long: a store in memory shows the names of its records.
struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() > 1000 {
            return Err(fmt::Error);
        }
        self.0.push_str(more);
        Ok(())
    }
}

impl Resolved {
    /// Puts what this process knows over the values of a source.
    pub(super) fn new(
        mut values: Values,
        source: Source,
        record: Option<&Record>,
        memory: &Memory,
        searched: Searched,
    ) -> Self {
        let (set, login) = (&memory.set, memory.current_login());
        let mut expires_at = record.and_then(|record| record.expires_at);
        if memory.is_access_token_gone {
            values.access_token = None;
        }
        if memory.is_refresh_token_gone {
            values.refresh_token = None;
        }
        if memory.is_secret_gone {
            values.client_secret = None;
        }
        if set.access_token.is_some() {
            values.access_token.clone_from(&set.access_token);
            expires_at = None;
        }
        if set.client_id.is_some() {
            values.client_id.clone_from(&set.client_id);
        }
        if set.client_secret.is_some() {
            values.client_secret.clone_from(&set.client_secret);
        }
        if set.refresh_token.is_some() {
            values.refresh_token.clone_from(&set.refresh_token);
        }
        let known = values.access_token.as_ref();
        let known = known.and_then(|token| memory.known_of(token));
        let is_token_kept = known.is_some_and(|known| known.is_kept);
        let known = known.map(|known| known.validity);
        let first = values.refresh_token.clone();
        if let (Some(first), Some((replaced, by))) = (&first, &memory.rotated)
            && digest(first) == *replaced
        {
            values.refresh_token = Some(by.clone());
        }
        let is_set =
            set.client_id.is_some() || set.client_secret.is_some() || set.refresh_token.is_some();
        let mut newest = set.clone();
        if set.refresh_token.is_some() {
            newest.refresh_token.clone_from(&values.refresh_token);
        }
        let unkept = memory.secret.as_ref().filter(|(id, _)| {
            let is_of_record = source == Source::Store && !is_set;
            is_of_record && values.client_secret.is_none() && values.client_id.as_ref() == Some(id)
        });
        if let Some((_, secret)) = unkept {
            values.client_secret = Some(secret.clone());
        }
        Self {
            epoch: memory.epoch,
            values,
            set: newest,
            first,
            source,
            is_set,
            is_secret_unkept: unkept.is_some(),
            is_login: login.is_some(),
            is_login_of_store: login.is_some_and(|login| login.is_of_store),
            is_token_kept,
            is_token_of_store: source == Source::Store && set.refresh_token.is_none(),
            expires_at: expires_at.or(known.and_then(|known| known.expires_at)),
            since: known.map(|known| known.since),
            searched,
        }
    }

    /// Returns how long the access token is valid.
    pub(super) fn validity(&self, token: &Secret, now: SystemTime) -> Validity {
        Validity::of(token, self.expires_at, self.since.unwrap_or(now))
    }

    /// Returns whether the credentials are those of the record, and not given elsewhere, besides a
    /// secret that it does not keep.
    pub(super) fn are_of_store(&self) -> bool {
        matches!(self.source, Source::Store | Source::Nothing) && !self.is_set
    }

    /// Returns whether the record alone has the credentials.
    pub(super) fn are_in_store(&self) -> bool {
        self.are_of_store() && !self.is_secret_unkept
    }

    /// Creates the error for values that are missing.
    pub(super) fn missing(&self, values: Vec<&'static str>) -> Error {
        Missing::error(values, self.places())
    }

    /// Creates the error for values that a refresh needs. A developer token would do, too, unless the program
    /// gave credentials.
    pub(super) fn missing_to_refresh(&self, values: Vec<&'static str>) -> Error {
        let mut places = self.places();
        if self.searched.environment && self.source != Source::Builder {
            places.push("the variable PAN_DEVELOPER_TOKEN".to_owned());
        }
        Missing::error(values, places)
    }

    fn places(&self) -> Vec<String> {
        match self.source {
            Source::Store | Source::Nothing => {
                let mut places = vec![Source::Builder.to_string()];
                if self.searched.environment {
                    places.push(Source::Environment.to_string());
                }
                if self.searched.unprefixed {
                    places.push(Source::UnprefixedEnvironment.to_string());
                }
                let (profile, store) = (&self.searched.profile, self.searched.store());
                places.push(format!("profile {profile:?} of {store}"));
                places
            }
            source => vec![source.to_string()],
        }
    }
}
