//! The decisions of one refresh, without input or output (protocol section 9).
//!
//! [`Refresh`] returns the next [`Step`] and takes its outcome as an [`Event`]. The coordinator
//! performs the steps. The model checker has three participants perform them in every order, with
//! losses at every step, and checks that no refresh token is lost and that one request serves all.
//!
//! ```text
//!                  ┌──────────────── wait ◄──────── held
//!                  ▼                                  ▲
//! start ────────► load ── not usable ─► acquire ──────┤
//!                  │                     ▲            ▼
//!                  │          lease lost │          leased
//!                  │                     │            ▼
//!               usable                request ◄── load again ── usable ──► release
//!                  ▼                     │            ▲                      │
//!               adopted                  │            │                      ▼
//!                                        │            │                   adopted
//!      ┌──────────┬──────────────────────┤            │
//!      ▼          ▼                      ▼            │ another refresh token, once
//!   failed     refused ──► load ───────────────────────
//!      │                     │ the same one        granted
//!      ▼                     ▼                        ▼
//!   release             mark, release        save, or keep in memory
//!                            ▼                        ▼
//!                       log in again         release ──► refreshed
//! ```
//!
//! Not drawn: tokens of an earlier refresh that wait to be saved are saved after each `load`, before all
//! else. Whoever takes a lease that had lapsed, or loses its own, defers once before it requests or acquires
//! again. Until it has, it gives the lease back as one that lapsed, instead of releasing it.

/// What a refresh needs to know about a record.
pub(crate) trait Record: Clone {
    /// An access token or a refresh token.
    type Token: Clone + PartialEq;

    /// Returns the access token.
    fn access_token(&self) -> Option<&Self::Token>;

    /// Returns the refresh token.
    fn refresh_token(&self) -> Option<&Self::Token>;

    /// Returns whether the server has refused the refresh token for good.
    fn is_refused(&self) -> bool;

    /// Adds the mark that the refresh token was refused.
    #[must_use]
    fn refused(self) -> Self;

    /// Replaces the tokens and their descriptions by those of another record.
    #[must_use]
    fn with_tokens_of(self, granted: &Self) -> Self;
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen<R, V> {
    pub(crate) record: R,
    /// The version to expect when writing, or `None` if the store has no record.
    pub(crate) version: Option<V>,
    /// Whether the access token can be used: it has not expired and is not about to.
    pub(crate) is_fresh: bool,
    /// Whether there was a record when the unsaved tokens were requested, and it was removed since.
    pub(crate) is_removed: bool,
}

/// Tokens that were granted but are not in the store yet. They must not be lost, since the server
/// may have invalidated the refresh token that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unsaved<R: Record> {
    /// The refresh tokens that they replaced; one of these is in the store.
    pub(crate) replaced: Vec<R::Token>,
    pub(crate) record: R,
    /// As in [`Seen`].
    pub(crate) is_fresh: bool,
    /// Whether the record, as last seen, has neither these nor what they replaced.
    pub(crate) is_displaced: bool,
}

impl<R: Record> Unsaved<R> {
    /// Returns whether the server replaced the refresh token, too, so that the old one may be spent.
    pub(crate) fn is_rotated(&self) -> bool {
        let now = self.record.refresh_token();
        !now.is_some_and(|token| self.replaced.contains(token))
    }

    /// Returns whether the record has a refresh token that may be spent, so that others must not send
    /// it.
    pub(crate) fn keeps_others_waiting(&self) -> bool {
        self.is_rotated() && !self.is_displaced
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step<R, V> {
    /// Read the record.
    Load,
    /// Take the lease.
    Acquire,
    /// Wait for a moment, or for a hint that the record has changed.
    Wait,
    /// Wait until a holder whose lease has lapsed, or that has it by now, had the time to save its tokens.
    Defer,
    /// Request tokens with the refresh token of this record, once.
    Request(R),
    /// Write this record if the version is still the expected one.
    Save(R, Option<V>),
    /// Release the lease. Failing to do so is harmless, since it ends by itself.
    Release,
    /// Release it as it was taken: if it had lapsed, the next participant has to defer, too.
    GiveBack,
    /// Call [`Refresh::finish`].
    Finish,
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event<R, V, E> {
    /// Of [`Step::Load`].
    Loaded(Seen<R, V>),
    /// Of [`Step::Acquire`]: the lease was taken, and whether its last holder let it lapse.
    Leased { is_after_lapse: bool },
    /// Of [`Step::Acquire`]: another participant has the lease.
    Held,
    /// Of [`Step::Wait`] and [`Step::Defer`]: look again.
    Waited,
    /// Of [`Step::Request`]: the lease may end too soon, so nothing was sent.
    LeaseLost,
    /// Of [`Step::Request`]: the record with the tokens that the server granted, and whether they
    /// can be used.
    Granted(R, bool),
    /// Of [`Step::Request`]: the server refused the refresh token (`invalid_grant`).
    Refused(E),
    /// Of [`Step::Save`]: the record was written.
    Saved,
    /// Of [`Step::Save`]: nothing was written; this is the current record.
    Conflict(Seen<R, V>),
    /// Of [`Step::Release`] and [`Step::GiveBack`].
    Released,
    /// The step failed. Of [`Step::Wait`] and [`Step::Defer`]: the time for waiting is over.
    Failed(E),
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome<T, E> {
    /// Another participant has refreshed the token.
    Adopted(T),
    /// A request was granted.
    Refreshed(T),
    /// The refresh token is refused; a person has to log in again. The server's error is included
    /// if the request was made in this refresh; otherwise the refusal is known from the record.
    Reauthorize(Option<E>),
    /// The record has no refresh token, or this refresh was only to save tokens.
    NothingToRefresh,
    /// A step failed.
    Failed(E),
}

/// The access token that the caller could not use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stale<T> {
    /// None: any token is fine.
    Nothing,
    /// The one in the record when the refresh starts.
    Current,
    /// This one.
    Token(T),
}

/// Whether the last holder of the lease let it lapse, or another has it by now, and may be about to save
/// tokens that replace those of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lapse {
    /// There was none, or the record was read after its time.
    Over,
    Open,
    /// It had the time to save. The record has not been read since.
    Deferred,
}

/// The current step, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Doing {
    Reading,
    Exclusion,
    Requesting,
    Saving,
    Marking,
    Releasing,
}

/// The state of one refresh.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Refresh<R: Record, V, E> {
    stale: Stale<R::Token>,
    doing: Doing,
    is_leased: bool,
    lapse: Lapse,
    /// The refresh token that was sent last.
    sent: Option<R::Token>,
    /// Why the server refused it.
    refusal: Option<E>,
    /// Whether a refusal was already answered by trying a newer refresh token.
    is_second_try: bool,
    unsaved: Option<Unsaved<R>>,
    /// The access token granted in this refresh.
    granted: Option<R::Token>,
    /// Whether to save what is unsaved, and nothing else.
    is_for_saving: bool,
    /// The version of the record that a request was made with.
    version: Option<V>,
    /// The tokens of an earlier refresh that are being saved.
    saving: Option<(R, Option<V>)>,
    outcome: Option<Outcome<R::Token, E>>,
}

impl<R: Record, V: Clone, E> Refresh<R, V, E> {
    /// Starts a refresh. `unsaved` are the tokens that an earlier one could not save, and
    /// `is_leased` says whether it [kept the lease](Self::keeps_lease).
    pub(crate) fn new(
        stale: Stale<R::Token>,
        unsaved: Option<Unsaved<R>>,
        is_leased: bool,
    ) -> (Self, Step<R, V>) {
        let refresh = Self {
            stale,
            doing: Doing::Reading,
            is_leased,
            lapse: match is_leased {
                // It is for tokens of this process, which need not defer to others.
                true => Lapse::Deferred,
                false => Lapse::Over,
            },
            sent: None,
            refusal: None,
            is_second_try: false,
            unsaved,
            granted: None,
            is_for_saving: false,
            version: None,
            saving: None,
            outcome: None,
        };
        (refresh, Step::Load)
    }

    /// Starts saving the tokens that an earlier refresh could not save. Requests nothing.
    pub(crate) fn of_unsaved(unsaved: Unsaved<R>, is_leased: bool) -> (Self, Step<R, V>) {
        let (mut refresh, step) = Self::new(Stale::Nothing, Some(unsaved), is_leased);
        refresh.is_for_saving = true;
        (refresh, step)
    }

    /// Returns the outcome, or `None` before [`Step::Finish`].
    pub(crate) fn finish(self) -> Option<Outcome<R::Token, E>> {
        self.outcome
    }

    /// Returns the tokens that were granted but are not in the store. Keep them even if this
    /// refresh is abandoned, and pass them to the next one.
    pub(crate) fn unsaved(&self) -> Option<&Unsaved<R>> {
        self.unsaved.as_ref()
    }

    /// Returns whether the lease is kept when the refresh ends, and is to be renewed until the tokens
    /// are saved: another participant would send the refresh token of the record, which is spent.
    pub(crate) fn keeps_lease(&self) -> bool {
        let unsaved = self.unsaved.as_ref();
        self.is_leased && unsaved.is_some_and(Unsaved::keeps_others_waiting)
    }

    /// Takes the outcome of the last step, and returns the next one.
    pub(crate) fn next(&mut self, event: Event<R, V, E>) -> Step<R, V> {
        match event {
            Event::Loaded(seen) | Event::Conflict(seen) => self.look(seen),
            Event::Leased { is_after_lapse } => {
                self.is_leased = true;
                self.lapse = match is_after_lapse {
                    true => Lapse::Open,
                    false => Lapse::Over,
                };
                self.load()
            }
            Event::Held => Step::Wait,
            Event::Waited => self.load(),
            Event::LeaseLost => {
                self.is_leased = false;
                // Whoever has it by now goes first. Two that took it from each other, since their clocks
                // differ, would do so for ever.
                self.lapse = Lapse::Open;
                self.load()
            }
            Event::Granted(record, is_fresh) => self.granted(record, is_fresh),
            Event::Refused(error) => {
                self.refusal = Some(error);
                let sent = self.sent.as_ref();
                self.unsaved
                    .take_if(|unsaved| unsaved.record.refresh_token() == sent);
                self.load()
            }
            Event::Saved => self.saved(),
            Event::Failed(error) => self.failed(error),
            Event::Released => Step::Finish,
        }
    }

    fn load(&mut self) -> Step<R, V> {
        self.doing = Doing::Reading;
        Step::Load
    }

    fn acquire(&mut self) -> Step<R, V> {
        self.doing = Doing::Exclusion;
        Step::Acquire
    }

    fn save(&mut self, doing: Doing, record: R, expect: Option<V>) -> Step<R, V> {
        self.doing = doing;
        Step::Save(record, expect)
    }

    fn end(&mut self, outcome: Outcome<R::Token, E>) -> Step<R, V> {
        self.outcome = Some(outcome);
        if !self.is_leased || self.keeps_lease() {
            return Step::Finish;
        }
        self.is_leased = false;
        self.doing = Doing::Releasing;
        match self.lapse {
            Lapse::Over => Step::Release,
            Lapse::Open | Lapse::Deferred => Step::GiveBack,
        }
    }

    /// Decides by the current record.
    fn look(&mut self, seen: Seen<R, V>) -> Step<R, V> {
        if self.lapse == Lapse::Deferred {
            self.lapse = Lapse::Over;
        }
        if matches!(self.stale, Stale::Current) {
            let token = seen.record.access_token().cloned();
            self.stale = token.map_or(Stale::Nothing, Stale::Token);
        }
        let seen = match self.settle(seen) {
            Ok(seen) => seen,
            Err(step) => return step,
        };
        if self.is_for_saving {
            return self.end(Outcome::NothingToRefresh);
        }
        if let Some(token) = self.usable(&seen.record, seen.is_fresh) {
            return self.end(Outcome::Adopted(token));
        }
        if let Some(token) = self.granted.take() {
            return self.end(Outcome::Refreshed(token));
        }
        if let Some(refusal) = self.refusal.take() {
            let is_same = seen.record.refresh_token() == self.sent.as_ref();
            if is_same && !seen.record.is_refused() {
                self.refusal = Some(refusal);
                return self.save(Doing::Marking, seen.record.refused(), seen.version);
            }
            if is_same || self.is_second_try {
                return self.end(Outcome::Reauthorize(Some(refusal)));
            }
            self.is_second_try = true;
        }
        let Some(token) = seen.record.refresh_token() else {
            return self.end(Outcome::NothingToRefresh);
        };
        if seen.record.is_refused() {
            return self.end(Outcome::Reauthorize(None));
        }
        if self.lapse == Lapse::Open {
            self.lapse = Lapse::Deferred;
            return Step::Defer;
        }
        if !self.is_leased {
            return self.acquire();
        }
        let token = token.clone();
        self.request(token, seen.record, seen.version)
    }

    fn request(&mut self, token: R::Token, record: R, version: Option<V>) -> Step<R, V> {
        self.sent = Some(token);
        self.version = version;
        self.doing = Doing::Requesting;
        Step::Request(record)
    }

    /// Merges the unsaved tokens into the current record: returns the step that saves them, or the
    /// record if there is nothing to save.
    fn settle(&mut self, seen: Seen<R, V>) -> Result<Seen<R, V>, Step<R, V>> {
        let Some(mut unsaved) = self.unsaved.take() else {
            return Ok(seen);
        };
        let (ours, theirs) = (&unsaved.record, &seen.record);
        let is_replaced =
            |token: Option<&R::Token>| token.is_some_and(|token| unsaved.replaced.contains(token));
        let is_newer_usable = self.usable(theirs, seen.is_fresh).is_some();
        let is_under_way = self.granted.is_some() || self.is_for_saving;
        let is_removed = seen.is_removed && is_under_way;
        let is_unchanged = is_replaced(theirs.refresh_token()) && !is_removed;
        if theirs.refresh_token() == ours.refresh_token()
            && (unsaved.is_rotated()
                || theirs.access_token() == ours.access_token()
                || is_newer_usable)
        {
            // They were saved although that seemed to fail, or another participant has refreshed
            // since.
            return Ok(seen);
        }
        unsaved.is_displaced = !is_unchanged;
        if is_unchanged {
            // No participant has newer tokens, so these must be saved whatever else changed.
            let record = theirs.clone().with_tokens_of(ours);
            self.unsaved = Some(unsaved);
            self.saving = Some((record.clone(), seen.version.clone()));
            return Err(self.save(Doing::Saving, record, seen.version));
        }
        // A user logged in again. An access token alone is no loss, unlike a refresh token.
        self.unsaved = Some(unsaved).filter(Unsaved::is_rotated);
        Ok(seen)
    }

    fn granted(&mut self, record: R, is_fresh: bool) -> Step<R, V> {
        self.granted = record.access_token().cloned();
        if let Some(sent) = self.sent.clone() {
            let earlier = self.unsaved.take();
            let earlier = earlier.filter(|unsaved| unsaved.record.refresh_token() == Some(&sent));
            let mut replaced = earlier.map(|unsaved| unsaved.replaced).unwrap_or_default();
            replaced.push(sent);
            self.unsaved = Some(Unsaved {
                replaced,
                record: record.clone(),
                is_fresh,
                is_displaced: false,
            });
        }
        let expect = self.version.take();
        self.save(Doing::Saving, record, expect)
    }

    fn saved(&mut self) -> Step<R, V> {
        if self.doing == Doing::Marking {
            let refusal = self.refusal.take();
            return self.end(Outcome::Reauthorize(refusal));
        }
        self.unsaved = None;
        match self.granted.take() {
            Some(token) => self.end(Outcome::Refreshed(token)),
            // They are from an earlier refresh, and may have expired since.
            None => self.load(),
        }
    }

    fn failed(&mut self, error: E) -> Step<R, V> {
        if self.doing == Doing::Releasing {
            return Step::Finish;
        }
        if let Some(token) = self.granted.take() {
            return self.end(Outcome::Refreshed(token));
        }
        if let Some(refusal) = self.refusal.take() {
            return self.end(Outcome::Reauthorize(Some(refusal)));
        }
        // The store is of no use now, but an earlier answer may still be.
        let unsaved = self.unsaved.as_ref();
        let kept = unsaved.and_then(|unsaved| self.usable(&unsaved.record, unsaved.is_fresh));
        if let Some(token) = kept
            && self.doing != Doing::Requesting
            && !self.is_for_saving
        {
            return self.end(Outcome::Adopted(token));
        }
        match self.saving.take() {
            Some((record, version)) if self.doing == Doing::Saving && !self.is_for_saving => {
                match record.refresh_token().cloned() {
                    Some(token) if self.is_leased => self.request(token, record, version),
                    _ => self.acquire(),
                }
            }
            _ => self.end(Outcome::Failed(error)),
        }
    }

    /// Returns the access token of a record if it is another one than the stale one and can be
    /// used.
    fn usable(&self, record: &R, is_fresh: bool) -> Option<R::Token> {
        let token = record.access_token().filter(|_| is_fresh)?;
        let is_stale = matches!(&self.stale, Stale::Token(stale) if stale == token);
        (!is_stale).then(|| token.clone())
    }
}
