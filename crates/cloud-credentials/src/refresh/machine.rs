//! What a refresh does next: decisions without I/O and without a clock of their own, so that a model
//! checker can drive them through every order of events.
//!
//! The rules are those of protocol section 9: look, take the lease, look again, send one request,
//! save only over what was read, release.

use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime};

use vouchsafe_core::Secret;
use vouchsafe_core::store::{Expect, Version};

use crate::Record;
use crate::record::{digest, lineage};
use crate::validity::is_due;

/// What is wanted of a refresh: a token other than the stale one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    /// The digest of the access token that proved bad, if there was one.
    pub(crate) stale: Option<String>,
    /// Credentials that were given elsewhere than in the record.
    pub(crate) given: Option<Given>,
    /// The digest of a refresh token that is known to be refused, besides that in the record.
    pub(crate) dead: Option<String>,
    /// An answer that could not be saved yet.
    pub(crate) unsaved: Option<Unsaved>,
    /// Whether access tokens are kept in the record, for other processes to adopt.
    pub(crate) is_token_cached: bool,
    /// Whether a secret that was given is kept in the record.
    pub(crate) is_secret_kept: bool,
    /// Whether the client has a secret.
    pub(crate) needs_secret: bool,
    /// How long before a token expires it is replaced.
    pub(crate) guard: Duration,
}

/// Credentials that were given by a program or its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    /// The first refresh token, from which those in a record descend.
    pub(crate) refresh_token: Option<Secret>,
    /// What replaced the first refresh token, if this process knows.
    pub(crate) rotated: Option<Secret>,
}

/// An answer that is not in the record yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unsaved {
    /// The digest of the refresh token that was in the record.
    pub(crate) base: Option<String>,
    pub(crate) record: Record,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The record was read, at this time.
    Loaded(Option<Read>, SystemTime),
    /// The lease was taken.
    Leased,
    /// Another holder has the lease, for so long at most.
    Held(Duration),
    /// The wait is over.
    Waited,
    /// The time for the whole refresh is over.
    Late,
    /// The lease has ended, or would before an answer came. Nothing was sent.
    LeaseLost,
    /// The token endpoint issued tokens, at this time.
    Issued(Issued, SystemTime),
    /// The token endpoint refused the refresh token.
    RefusedGrant,
    /// There is no answer, or another refusal.
    NotIssued,
    /// The record was written.
    Saved,
    /// Another writer was faster; this is the record now.
    Conflict(Option<Read>),
    /// The store could not do what it was asked for.
    StoreFailed,
    /// The lease was released, or ends by itself.
    Released,
}

/// A record as it was read.
pub(crate) type Read = (Record, Version);

/// What a token endpoint issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires_at: Option<SystemTime>,
}

/// What to do next. The event that follows says how it went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Read the record.
    Load,
    /// Try to take the lease.
    Acquire,
    /// Wait a while, but no longer than this.
    Wait(Duration),
    /// Send the refresh token of these credentials, once.
    Request(Record),
    /// Write the record.
    Save(Record, Expect),
    /// Release the lease.
    Release,
    /// Nothing: this is the result.
    Done(Outcome),
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Another process had refreshed the token; the credentials as they are now.
    Adopted(Record),
    /// A new token was issued; the credentials as they are now.
    Refreshed(Issued, Record, Kept),
    /// The refresh token of this digest was refused.
    Refused(String),
    /// The refresh token was refused earlier, and not sent again.
    Dead,
    /// These values are missing.
    Missing(Vec<&'static str>),
    /// The token endpoint could not be asked, or refused for another reason.
    NotIssued,
    /// The store failed.
    StoreFailed,
    /// Another process held the lease for too long.
    TimedOut,
}

/// Where an answer is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kept {
    /// In the record.
    Saved,
    /// In this process alone, until it can be saved.
    Unsaved(Unsaved),
    /// In this process alone: somebody put other credentials into the record, or removed it.
    Superseded,
}

/// A refresh. It begins with [`Step::Load`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    wanted: Wanted,
    state: State,
    /// Whether the lease is held.
    is_holder: bool,
    /// Whether a refresh token was refused that was no longer in the record.
    has_tried_again: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    /// Reading the record.
    Looking,
    /// Saving the answer of an earlier refresh.
    SavingEarlier(Option<Read>, SystemTime),
    Acquiring,
    Waiting,
    /// The request is sent with credentials of this record.
    Requesting(Sent),
    /// Reading the record again, because this refresh token was refused.
    LookingAgain(String),
    Saving(Sent, Issued, SystemTime, u8),
    /// Saving that this refresh token was refused.
    Marking(String),
    Releasing(Box<Outcome>),
    Over,
}

/// Credentials that were sent, and the record that was read before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    credentials: Record,
    base: Option<Read>,
}

/// What credentials are good for.
enum Verdict {
    Adopt,
    Refresh,
    Dead,
    Missing(Vec<&'static str>),
}

impl Machine {
    /// Creates a refresh, to be begun with [`Step::Load`].
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            state: State::Looking,
            is_holder: false,
            has_tried_again: false,
        }
    }

    /// Returns what to do after an event.
    pub(crate) fn next(&mut self, event: Event) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), event) {
            (State::Looking, Event::Loaded(loaded, now)) => self.looked(loaded, now),
            (State::SavingEarlier(..), Event::Saved | Event::Conflict(_)) => {
                self.wanted.unsaved = None;
                self.go(State::Looking, Step::Load)
            }
            (State::SavingEarlier(loaded, now), _) => self.judged(loaded, now),
            (State::Acquiring, Event::Leased) => {
                self.is_holder = true;
                self.go(State::Looking, Step::Load)
            }
            (State::Acquiring, Event::Held(remaining)) => {
                self.go(State::Waiting, Step::Wait(remaining))
            }
            (State::Waiting, Event::Waited) => self.go(State::Looking, Step::Load),
            (State::Waiting, Event::Late) => self.end(Outcome::TimedOut),
            (State::Requesting(_), Event::LeaseLost) => {
                self.is_holder = false;
                self.go(State::Acquiring, Step::Acquire)
            }
            (State::Requesting(sent), Event::Issued(issued, now)) => {
                self.save(sent, issued, now, 0)
            }
            (State::Requesting(sent), Event::RefusedGrant) => {
                let refused = token_of(&sent.credentials).unwrap_or_default();
                self.go(State::LookingAgain(refused), Step::Load)
            }
            (State::Requesting(_), Event::NotIssued) => self.end(Outcome::NotIssued),
            (State::LookingAgain(refused), Event::Loaded(loaded, now)) => {
                self.refused(refused, loaded, now)
            }
            (State::LookingAgain(refused) | State::Marking(refused), _) => {
                self.end(Outcome::Refused(refused))
            }
            (State::Saving(sent, issued, now, tries), event) => {
                self.saved(sent, issued, now, tries, event)
            }
            (State::Releasing(outcome), _) => Step::Done(*outcome),
            // The store failed, or the event does not follow the step.
            _ => self.end(Outcome::StoreFailed),
        }
    }

    fn go(&mut self, state: State, step: Step) -> Step {
        self.state = state;
        step
    }

    fn end(&mut self, outcome: Outcome) -> Step {
        match std::mem::take(&mut self.is_holder) {
            true => self.go(State::Releasing(Box::new(outcome)), Step::Release),
            false => Step::Done(outcome),
        }
    }

    fn looked(&mut self, loaded: Option<Read>, now: SystemTime) -> Step {
        let unsaved = self.wanted.unsaved.take();
        self.wanted.unsaved = unsaved.filter(|unsaved| unsaved.is_of(loaded.as_ref()));
        let Some(unsaved) = &self.wanted.unsaved else {
            return self.judged(loaded, now);
        };
        let save = Step::Save(unsaved.record.clone(), expect(loaded.as_ref()));
        self.go(State::SavingEarlier(loaded, now), save)
    }

    fn judged(&mut self, loaded: Option<Read>, now: SystemTime) -> Step {
        let view = self.view(loaded.as_ref());
        match self.judge(&view, now) {
            Verdict::Adopt => self.end(Outcome::Adopted(view)),
            Verdict::Dead => self.end(Outcome::Dead),
            Verdict::Missing(values) => self.end(Outcome::Missing(values)),
            Verdict::Refresh if self.is_holder => {
                let request = Step::Request(view.clone());
                let sent = Sent {
                    credentials: view,
                    base: loaded,
                };
                self.go(State::Requesting(sent), request)
            }
            Verdict::Refresh => self.go(State::Acquiring, Step::Acquire),
        }
    }

    /// Returns the credentials to use: those of the record, unless others were given and the record
    /// does not descend from them.
    fn view(&self, loaded: Option<&Read>) -> Record {
        let unsaved = self.wanted.unsaved.as_ref().map(|unsaved| &unsaved.record);
        let there = unsaved.or_else(|| loaded.map(|(record, _)| record));
        let Some(given) = &self.wanted.given else {
            return there.cloned().unwrap_or_default();
        };
        let first = given.lineage();
        let mut view = match there {
            Some(record) if first.is_some() && record.descent() == first => record.clone(),
            other => Record {
                refresh_token: given
                    .rotated
                    .clone()
                    .or_else(|| given.refresh_token.clone()),
                // What others keep in the record stays there.
                extra: other.map(|record| record.extra.clone()).unwrap_or_default(),
                is_token_left_out: other.is_none_or(|record| record.is_token_left_out),
                ..Record::default()
            },
        };
        view.client_id.clone_from(&given.client_id);
        view.client_secret.clone_from(&given.client_secret);
        view
    }

    fn judge(&self, view: &Record, now: SystemTime) -> Verdict {
        let wanted = &self.wanted;
        let token = view.access_token.as_ref().map(digest);
        let is_new = token.is_some() && token != wanted.stale;
        if is_new && wanted.is_token_cached && !is_due(view, now, wanted.guard) {
            return Verdict::Adopt;
        }
        let has_secret = view.client_secret.is_some() || !wanted.needs_secret;
        let values = [
            ("client_id", view.client_id.is_some()),
            ("client_secret", has_secret),
            ("refresh_token", view.refresh_token.is_some()),
        ];
        let missing = values.into_iter().filter(|(_, is_there)| !is_there);
        let missing: Vec<_> = missing.map(|(name, _)| name).collect();
        if !missing.is_empty() {
            return Verdict::Missing(missing);
        }
        match view.is_dead() || wanted.dead == token_of(view) {
            true => Verdict::Dead,
            false => Verdict::Refresh,
        }
    }

    fn save(&mut self, sent: Sent, issued: Issued, now: SystemTime, tries: u8) -> Step {
        let record = self.renewed(&sent.credentials, &issued);
        let save = Step::Save(record, expect(sent.base.as_ref()));
        self.go(State::Saving(sent, issued, now, tries), save)
    }

    /// Returns credentials with what was issued for them.
    fn renewed(&self, sent: &Record, issued: &Issued) -> Record {
        let mut record = sent.clone();
        if let Some(token) = &issued.refresh_token {
            record.refresh_token = Some(token.clone());
        }
        if self.wanted.is_token_cached {
            record.access_token = Some(issued.access_token.clone());
            record.expires_at = issued.expires_at;
            record.is_token_left_out = false;
        }
        if let Some(given) = &self.wanted.given {
            let is_first = record.refresh_token == given.refresh_token;
            record.lineage = given.lineage().filter(|_| !is_first);
            if !self.wanted.is_secret_kept {
                record.client_secret = None;
            }
        }
        record.dead = None;
        record
    }

    fn saved(
        &mut self,
        mut sent: Sent,
        issued: Issued,
        now: SystemTime,
        tries: u8,
        event: Event,
    ) -> Step {
        let record = self.renewed(&sent.credentials, &issued);
        let base = sent.base.as_ref().and_then(|(record, _)| token_of(record));
        match event {
            Event::Saved => self.end(Outcome::Refreshed(issued, record, Kept::Saved)),
            Event::Conflict(Some(there)) if token_of(&there.0) == base && tries < TRIES => {
                // The refresh token that is there was replaced by ours; what else is there stays.
                sent.credentials.extra.clone_from(&there.0.extra);
                sent.base = Some(there);
                self.save(sent, issued, now, tries + 1)
            }
            Event::Conflict(there) if tries < TRIES => {
                let is_rotated = issued.refresh_token.is_some();
                let view = self.view(there.as_ref());
                match self.judge(&view, now) {
                    Verdict::Adopt if !is_rotated => self.end(Outcome::Adopted(view)),
                    _ => self.end(Outcome::Refreshed(issued, record, Kept::Superseded)),
                }
            }
            _ => {
                let unsaved = Unsaved {
                    base,
                    record: record.clone(),
                };
                self.end(Outcome::Refreshed(issued, record, Kept::Unsaved(unsaved)))
            }
        }
    }

    fn refused(&mut self, refused: String, loaded: Option<Read>, now: SystemTime) -> Step {
        let view = self.view(loaded.as_ref());
        if token_of(&view).is_some_and(|token| token != refused)
            && !std::mem::replace(&mut self.has_tried_again, true)
        {
            // Somebody replaced it meanwhile.
            return self.judged(loaded, now);
        }
        match loaded {
            Some((mut record, version)) if token_of(&record).as_ref() == Some(&refused) => {
                record.dead = Some(refused.clone());
                let save = Step::Save(record, Expect::Version(version));
                self.go(State::Marking(refused), save)
            }
            _ => self.end(Outcome::Refused(refused)),
        }
    }
}

impl Given {
    /// Returns what a record that descends from these credentials says.
    pub(crate) fn lineage(&self) -> Option<String> {
        let (id, token) = (self.client_id.as_deref()?, self.refresh_token.as_ref()?);
        Some(lineage(id, token))
    }
}

impl Unsaved {
    /// Returns whether the record is still the one that this belongs into.
    pub(crate) fn is_of(&self, loaded: Option<&Read>) -> bool {
        loaded.and_then(|(record, _)| token_of(record)) == self.base
    }
}

impl Hash for Given {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.client_id.hash(state);
        self.client_secret.as_ref().map(digest).hash(state);
        self.refresh_token.as_ref().map(digest).hash(state);
        self.rotated.as_ref().map(digest).hash(state);
    }
}

impl Hash for Issued {
    fn hash<H: Hasher>(&self, state: &mut H) {
        digest(&self.access_token).hash(state);
        self.refresh_token.as_ref().map(digest).hash(state);
        self.expires_at.hash(state);
    }
}

fn token_of(record: &Record) -> Option<String> {
    record.refresh_token.as_ref().map(digest)
}

fn expect(loaded: Option<&Read>) -> Expect {
    match loaded {
        Some((_, version)) => Expect::Version(version.clone()),
        None => Expect::Absent,
    }
}

/// How often an answer is written over changes that do not concern it.
const TRIES: u8 = 5;
