//! Checks tickets; the first fault found decides the status. Roles are checked afterwards, in
//! `roles`; recently validated tickets are in `cache`.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use vouchsafe_core::timestamp::unix_seconds;

use crate::engine::base64url;
use crate::engine::cache::{Cache, Facts, Place};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::container::{KeyContainer, KeyRing};
use crate::engine::debug_info::debug_info;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{KeyId, TvmId};
use crate::engine::message::Ticket;
use crate::engine::status::TicketStatus;
use crate::engine::text::{TicketText, TicketType};
use crate::error::{Error, ErrorKind};

/// Checks service tickets with one set of keys.
///
/// Cheap to clone and to share; a check takes no lock, and does not allocate for a valid ticket. To
/// replace the keys, build another context.
///
/// # Remembered tickets
///
/// Valid tickets are remembered, 1024 of them unless [`cache_capacity`](Self::cache_capacity) says
/// otherwise; checking a known ticket costs a twentieth. The outcome is the same as without the
/// cache: the same bytes were found valid with the same keys and rules, and the expiry is evaluated
/// in every check. Roles are also checked every time.
///
/// - Contexts with different keys or rules share nothing; clones share the cache. A key that the
///   authority withdraws therefore counts until a context without it takes over, as without a
///   cache.
/// - The cache keeps a digest under a random key of this process, the numbers in the ticket and its
///   expiry: nothing that could be used as a ticket. Refused tickets are not remembered at all.
/// - An attacker who can submit any number of texts can make one pass for a remembered ticket with
///   a probability of 2^-128 for each text and remembered ticket. Known tickets are checked faster,
///   so an attacker who has a ticket can find out whether it was used here before. Refused texts
///   evict nothing and cost as much as without a cache. An attacker with many valid tickets can
///   evict those of others, which are then checked again; one ticket in many spellings does not
///   suffice, since only the usual spelling is remembered.
#[derive(Clone, Debug)]
pub struct ServiceContext {
    keys: Arc<KeyRing>,
    /// `None` accepts any destination.
    own_ids: Option<Arc<[TvmId]>>,
    /// Used only with these keys and ids.
    cache: Cache,
}

impl ServiceContext {
    /// Creates a context for the service with this id, which accepts tickets for that service.
    ///
    /// If the container has no keys for service tickets, the context refuses every check with
    /// [`CheckErrorKind::EmptyKeys`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedKeys`] if one of the keys cannot be read.
    pub fn new(own_id: TvmId, keys: &KeyContainer) -> Result<Self, Error> {
        Ok(Self {
            own_ids: Some(Arc::new([own_id])),
            ..Self::for_any_destination(keys)?
        })
    }

    /// Creates a context that accepts tickets for any destination.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn for_any_destination(keys: &KeyContainer) -> Result<Self, Error> {
        Ok(Self {
            keys: Arc::new(keys.service_keys()?),
            own_ids: None,
            cache: Cache::default(),
        })
    }

    /// Also accepts tickets for these services.
    #[must_use]
    pub fn also_for(mut self, ids: impl IntoIterator<Item = TvmId>) -> Self {
        self.own_ids = self
            .own_ids
            .map(|own| own.iter().copied().chain(ids).collect());
        self.cache = self.cache.emptied();
        self
    }

    /// Sets how many valid tickets are remembered, at 128 bytes each, up to a million. Zero
    /// disables the cache. Default: 1024.
    #[must_use]
    pub fn cache_capacity(mut self, tickets: usize) -> Self {
        self.cache = Cache::new(tickets);
        self
    }

    /// Disables the cache: every ticket is checked in full.
    #[must_use]
    pub fn without_cache(self) -> Self {
        self.cache_capacity(0)
    }

    /// Checks a ticket at a given time.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with the status of the first fault, in this order: the form of the text, its
    /// version and type, the message in it, the expiry, the key, the signature, the service part,
    /// the destination.
    pub fn check<'t>(
        &self,
        ticket: &'t str,
        now: SystemTime,
    ) -> Result<CheckedServiceTicket<'t>, CheckError> {
        let for_us = |dst: Option<TvmId>| match &self.own_ids {
            Some(own) => dst.is_some_and(|dst| own.contains(&dst)),
            None => true,
        };
        let judge = |status, message: &Ticket| match (status, message.service) {
            (TicketStatus::Ok, Some(part)) if for_us(part.dst) => Ok(part.to_words()),
            (TicketStatus::Ok, Some(_)) => Err(TicketStatus::InvalidDst),
            (TicketStatus::Ok, None) => Err(TicketStatus::Malformed),
            (status, _) => Err(status),
        };
        let known = check(
            &self.cache,
            &self.keys,
            TicketType::Service,
            ticket,
            now,
            judge,
        )?;
        Ok(CheckedServiceTicket::known(ticket, &known))
    }

    /// Returns the ids of the available keys, in ascending order.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.ids()
    }
}

/// Checks user tickets of one environment with one set of keys.
///
/// Cheap to clone and to share; a check takes no lock, and does not allocate for a valid ticket. To
/// replace the keys, build another context.
///
/// Valid tickets are remembered, [as for service tickets](ServiceContext#remembered-tickets).
#[derive(Clone, Debug)]
pub struct UserContext {
    keys: Arc<KeyRing>,
    env: BlackboxEnv,
    /// Used only with these keys and this environment.
    cache: Cache,
}

impl UserContext {
    /// Creates a context for an environment, with the keys that are accepted in it.
    ///
    /// If the container has no such keys, the context refuses every check with
    /// [`CheckErrorKind::EmptyKeys`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedKeys`] if one of the keys cannot be read.
    pub fn new(env: BlackboxEnv, keys: &KeyContainer) -> Result<Self, Error> {
        Ok(Self {
            keys: Arc::new(keys.user_keys(env)?),
            env,
            cache: Cache::default(),
        })
    }

    /// Sets how many valid tickets are remembered, at 128 bytes each, up to a million. Zero
    /// disables the cache. Default: 1024.
    #[must_use]
    pub fn cache_capacity(mut self, tickets: usize) -> Self {
        self.cache = Cache::new(tickets);
        self
    }

    /// Disables the cache: every ticket is checked in full.
    #[must_use]
    pub fn without_cache(self) -> Self {
        self.cache_capacity(0)
    }

    /// Checks a ticket at a given time.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with the status of the first fault, in this order: the form of the text, its
    /// version and type, the message in it, the expiry, the key, the signature, the user part, the
    /// environment. A wrong environment is reported before a missing key, since it explains it.
    pub fn check<'t>(
        &self,
        ticket: &'t str,
        now: SystemTime,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        let fits = |env: Option<BlackboxEnv>| env.is_some_and(|env| self.env.accepts(env));
        let judge = |status, message: &Ticket| match (status, message.user) {
            (TicketStatus::Ok | TicketStatus::MissingKey, Some(part)) if !fits(part.env) => {
                Err(TicketStatus::InvalidBlackboxEnv)
            }
            (TicketStatus::Ok, Some(part)) => Ok(part.to_words()),
            (TicketStatus::Ok, None) => Err(TicketStatus::Malformed),
            (status, _) => Err(status),
        };
        let known = check(
            &self.cache,
            &self.keys,
            TicketType::User,
            ticket,
            now,
            judge,
        )?;
        Ok(CheckedUserTicket::known(ticket, &known))
    }

    /// Returns the environment.
    #[must_use]
    pub fn env(&self) -> BlackboxEnv {
        self.env
    }

    /// Returns the ids of the available keys, in ascending order.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.ids()
    }
}

/// Returns what is remembered of a ticket, or checks it in full. `judge` is given the outcome of the
/// steps that both types share, and decides about the rest.
#[inline]
fn check(
    cache: &Cache,
    keys: &KeyRing,
    kind: TicketType,
    ticket: &str,
    now: SystemTime,
    judge: impl FnOnce(TicketStatus, &Ticket) -> Result<[u64; 4], TicketStatus>,
) -> Result<Facts, CheckError> {
    let now = unix_seconds(now);
    let place = cache.place(ticket);
    match place.as_ref().and_then(|place| place.get(now)) {
        Some(facts) => Ok(facts),
        None => check_in_full(place.as_ref(), keys, kind, ticket, now, judge),
    }
}

/// Apart from `check`, which then needs no room on the stack to decode into.
#[inline(never)]
fn check_in_full(
    place: Option<&Place<'_>>,
    keys: &KeyRing,
    kind: TicketType,
    ticket: &str,
    now: i64,
    judge: impl FnOnce(TicketStatus, &Ticket) -> Result<[u64; 4], TicketStatus>,
) -> Result<Facts, CheckError> {
    let mut room = Room::default();
    let opened = Opened::new(ticket, kind, now, keys, &mut room)?;
    match judge(opened.status, &opened.ticket) {
        Ok(part) => {
            let facts = opened.facts(part);
            if let (Some(place), true) = (place, opened.is_plain) {
                place.put(&facts, now);
            }
            Ok(facts)
        }
        Err(status) => Err(opened.refuse(kind, status)),
    }
}

/// Returns when a service ticket expires, in seconds since the epoch, without checking the ticket.
///
/// Returns `None` if it cannot be read. For tickets that the service itself fetched; the answer is
/// not authenticated.
#[must_use]
pub fn peek_expiration(ticket: &str) -> Option<i64> {
    let parts = TicketText::split(ticket, TicketType::Service).ok()?;
    base64url::decode(parts.signature.as_bytes())?;
    let ticket = Ticket::decode(&base64url::decode(parts.payload.as_bytes())?).ok()?;
    ticket.expiration_time
}

/// Why a ticket was not accepted.
///
/// Neither `Display` nor `Debug` shows the signature.
#[derive(Clone)]
pub struct CheckError {
    kind: CheckErrorKind,
    ticket_type: TicketType,
    /// As much as could be decoded: empty, or a valid message.
    payload: Vec<u8>,
}

impl CheckError {
    /// Returns what is wrong, to match on.
    #[must_use]
    pub fn kind(&self) -> CheckErrorKind {
        self.kind
    }

    /// Returns the status, unless the check could not be made at all.
    #[must_use]
    pub fn status(&self) -> Option<TicketStatus> {
        match self.kind {
            CheckErrorKind::Refused(status) => Some(status),
            _ => None,
        }
    }

    /// Returns the readable contents of the ticket as text for people. They must not be trusted.
    #[must_use]
    pub fn debug_info(&self) -> String {
        let status = self.status().unwrap_or(TicketStatus::Ok);
        debug_info(self.ticket_type, status, &self.payload)
    }

    /// Returns the environment that a user ticket claims to be from, if it could be read. It must
    /// not be trusted.
    #[must_use]
    pub fn claimed_env(&self) -> Option<BlackboxEnv> {
        Ticket::decode_partial(&self.payload).ok()?.user?.env
    }

    pub(crate) fn new(kind: CheckErrorKind, ticket_type: TicketType, payload: Vec<u8>) -> Self {
        Self {
            kind,
            ticket_type,
            payload,
        }
    }

    fn refused(status: TicketStatus, ticket_type: TicketType, payload: Vec<u8>) -> Self {
        Self::new(CheckErrorKind::Refused(status), ticket_type, payload)
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CheckErrorKind::Refused(status) => {
                let info = Error::new(ErrorKind::NotAllowed, self.debug_info());
                write!(f, "{status}: {}", info.message())
            }
            CheckErrorKind::EmptyKeys => f.write_str("Empty TVM keys"),
            CheckErrorKind::RolesOfOtherEnv(env) => {
                write!(f, "User ticket must be from ProdYateam, got from {env}")
            }
            CheckErrorKind::Disabled => {
                let what = match self.ticket_type {
                    TicketType::Service => "EnableServiceTicketChecking",
                    TicketType::User => "EnableUserTicketChecking",
                };
                write!(f, "Need to use TClientSettings::{what}()")
            }
            CheckErrorKind::IllegalOverride { from, to } => {
                write!(f, "Overriding of BlackboxEnv is illegal: {from} -> {to}")
            }
            CheckErrorKind::Stopped => f.write_str("TvmClient is already stopped"),
        }
    }
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckError")
            .field("kind", &self.kind)
            .field("debug_info", &self.debug_info())
            .finish()
    }
}

impl std::error::Error for CheckError {}

/// Querying a refused ticket is an error that names its status, so that `?` works where roles are
/// queried.
impl From<CheckError> for Error {
    fn from(error: CheckError) -> Self {
        let who = match error.ticket_type {
            TicketType::Service => "Service",
            TicketType::User => "User",
        };
        match error.kind {
            CheckErrorKind::Refused(status) => Self::new(
                ErrorKind::NotAllowed,
                format!("{who} ticket must be valid, got: {}", status.name()),
            ),
            CheckErrorKind::EmptyKeys => Self::new(ErrorKind::EmptyKeys, error.to_string()),
            CheckErrorKind::RolesOfOtherEnv(_) => {
                Self::new(ErrorKind::IllegalUsage, error.to_string())
            }
            CheckErrorKind::Disabled | CheckErrorKind::IllegalOverride { .. } => {
                Self::new(ErrorKind::BrokenSettings, error.to_string())
            }
            CheckErrorKind::Stopped => Self::new(ErrorKind::Stopped, error.to_string()),
        }
    }
}

/// The kinds of [`CheckError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CheckErrorKind {
    /// The ticket is not valid; the status is never [`TicketStatus::Ok`].
    Refused(TicketStatus),
    /// The context has no keys, so it cannot check any ticket.
    #[doc(alias = "EmptyTvmKeys")]
    EmptyKeys,
    /// The ticket is valid, but users of this environment have no roles.
    RolesOfOtherEnv(BlackboxEnv),
    /// The client is not configured to check tickets of this type.
    Disabled,
    /// The client's environment does not allow checks for the requested one.
    IllegalOverride {
        /// The client's environment.
        from: BlackboxEnv,
        /// The requested environment.
        to: BlackboxEnv,
    },
    /// The client was stopped.
    Stopped,
}

/// A ticket after the steps that both types share.
struct Opened<'r> {
    status: TicketStatus,
    payload: &'r [u8],
    ticket: Ticket,
    redacted_len: usize,
    /// Whether the signature is spelled as the authority does it, not in one of its many other
    /// forms.
    is_plain: bool,
}

impl<'r> Opened<'r> {
    /// Runs the shared steps, the cheap ones first. Returns `Err` if nothing more can be read;
    /// otherwise the message is complete, and `status` is the verdict so far.
    fn new(
        text: &str,
        wanted: TicketType,
        now: i64,
        keys: &KeyRing,
        room: &'r mut Room,
    ) -> Result<Self, CheckError> {
        if keys.is_empty() {
            return Err(CheckError::new(
                CheckErrorKind::EmptyKeys,
                wanted,
                Vec::new(),
            ));
        }
        let refused = |status| CheckError::refused(status, wanted, Vec::new());
        let malformed = || refused(TicketStatus::Malformed);

        let parts = TicketText::split(text, wanted).map_err(refused)?;
        let (payload, room) = room.decode(parts.payload).ok_or_else(malformed)?;
        // Checking takes a quarter of the time of decoding, but comes on top of it for valid
        // tickets: it is worth it when it saves much for invalid ones. Either way the text is
        // malformed.
        let (mut long, mut room) = (Vec::new(), Some(room));
        let mut signature: &[u8] = &[];
        if parts.signature.len() > DECODED_AT_ONCE {
            if !base64url::is_valid(parts.signature.as_bytes()) {
                return Err(malformed());
            }
        } else if let Some(room) = room.take() {
            (signature, _) = decode(parts.signature, room, &mut long).ok_or_else(malformed)?;
        }
        let ticket = Ticket::decode(payload).map_err(|_| malformed())?;

        let expired = ticket.expiration_time.is_none_or(|time| time <= now);
        let mut is_plain = false;
        let status = match ticket.key_id.and_then(|id| keys.key(id)) {
            _ if expired => TicketStatus::Expired,
            None => TicketStatus::MissingKey,
            Some(key) => {
                let mut long = Vec::new();
                if let Some(room) = room {
                    (signature, _) =
                        decode(parts.signature, room, &mut long).ok_or_else(malformed)?;
                }
                is_plain = signature.len() <= key.bits().div_ceil(8)
                    && base64url::is_plain(parts.signature.as_bytes());
                if key.verify(parts.signed, signature) {
                    TicketStatus::Ok
                } else {
                    TicketStatus::SignBroken
                }
            }
        };
        Ok(Self {
            status,
            payload,
            ticket,
            redacted_len: parts.signed.len(),
            is_plain,
        })
    }

    /// What a cache keeps about a valid ticket.
    fn facts(&self, part: [u64; 4]) -> Facts {
        Facts {
            expiration_time: self.ticket.expiration_time.unwrap_or(0),
            key_id: self.ticket.key_id.unwrap_or(KeyId::new(0)),
            // Texts are far shorter.
            redacted_len: u32::try_from(self.redacted_len).unwrap_or(0),
            part,
        }
    }

    fn refuse(self, kind: TicketType, status: TicketStatus) -> CheckError {
        CheckError::refused(status, kind, self.payload.to_vec())
    }
}

/// The buffer for decoding a ticket: on the stack, unless the ticket is much longer than usual.
struct Room {
    short: [u8; LONGEST_ON_STACK],
    long: Vec<u8>,
}

/// Enough for a signature of a 2048 bit key with twice the usual message, or for a signature of a
/// 4096 bit key alone.
const LONGEST_ON_STACK: usize = 640;

impl Default for Room {
    fn default() -> Self {
        Self {
            short: [0; LONGEST_ON_STACK],
            long: Vec::new(),
        }
    }
}

impl Room {
    /// Decodes a part, and returns it with the remaining buffer.
    #[inline]
    fn decode(&mut self, text: &str) -> Option<(&[u8], &mut [u8])> {
        decode(text, &mut self.short, &mut self.long)
    }
}

/// The longest signature text that is decoded before the rest is checked: that of a 1536 bit key.
const DECODED_AT_ONCE: usize = 256;

#[inline]
fn decode<'r>(
    text: &str,
    short: &'r mut [u8],
    long: &'r mut Vec<u8>,
) -> Option<(&'r [u8], &'r mut [u8])> {
    let text = text.as_bytes();
    let len = base64url::decoded_len(text)?;
    let Some((place, left)) = short.split_at_mut_checked(len) else {
        *long = base64url::decode(text)?;
        return Some((long, &mut []));
    };
    Some((base64url::decode_into(text, place)?, left))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod cache_tests;
