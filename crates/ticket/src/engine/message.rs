//! The message inside a ticket: decoded without copying, and encoded for signing.
//!
//! Decoding reads only the numbers; texts and users are read from the bytes when needed. Repeated
//! occurrences of a part are merged, as the format requires.

use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{KeyId, TvmId, Uid};
use crate::engine::wire::{Malformed, Reader, Value, Writer};

/// The numbers of a ticket, as far as they are present.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) key_id: Option<KeyId>,
    pub(crate) expiration_time: Option<i64>,
    pub(crate) service: Option<ServicePart>,
    pub(crate) user: Option<UserPart>,
}

/// The numbers of a service ticket's part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ServicePart {
    pub(crate) src: Option<TvmId>,
    pub(crate) dst: Option<TvmId>,
    pub(crate) issuer_uid: Option<Uid>,
}

/// The numbers of a user ticket's part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct UserPart {
    pub(crate) default_uid: Option<Uid>,
    pub(crate) entry_point: Option<u32>,
    pub(crate) env: Option<BlackboxEnv>,
    pub(crate) location: u64,
    pub(crate) device_type: u64,
    /// Whether a user has no uid.
    nameless: bool,
}

impl Ticket {
    /// Decodes a message in which no required field may be missing.
    #[inline]
    pub(crate) fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let ticket = Self::decode_partial(payload)?;
        if ticket.is_complete() {
            Ok(ticket)
        } else {
            Err(Malformed)
        }
    }

    /// Decodes the fields that are present.
    #[inline]
    pub(crate) fn decode_partial(payload: &[u8]) -> Result<Self, Malformed> {
        let mut ticket = Self::default();
        ticket.read(payload)?;
        Ok(ticket)
    }

    /// Decodes up to the first fault, and returns whether there was one.
    pub(crate) fn decode_leniently(payload: &[u8]) -> (Self, Result<(), Malformed>) {
        let mut ticket = Self::default();
        let read = ticket.read(payload);
        (ticket, read)
    }

    fn read(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let mut fields = Reader::new(payload);
        while let Some(field) = fields.next_field()? {
            match field {
                (1, Value::Varint(id)) => self.key_id = Some(KeyId::new(id as u32)),
                (2, Value::Varint(time)) => self.expiration_time = Some(time as i64),
                (USER, Value::Bytes(part)) => {
                    self.user.get_or_insert_default().merge(part)?;
                }
                (SERVICE, Value::Bytes(part)) => {
                    self.service.get_or_insert_default().merge(part)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the name of the first required field that is missing.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let (service, user) = (self.service, self.user);
        [
            ("key id", self.key_id.is_none()),
            ("expiration time", self.expiration_time.is_none()),
            ("source", service.is_some_and(|part| part.src.is_none())),
            (
                "destination",
                service.is_some_and(|part| part.dst.is_none()),
            ),
            (
                "default user",
                user.is_some_and(|part| part.default_uid.is_none()),
            ),
            ("uid of a user", user.is_some_and(|part| part.nameless)),
            (
                "entry point",
                user.is_some_and(|part| part.entry_point.is_none()),
            ),
            ("environment", user.is_some_and(|part| part.env.is_none())),
        ]
        .into_iter()
        .filter_map(|(name, is_missing)| is_missing.then_some(name))
        .collect()
    }

    #[inline]
    fn is_complete(&self) -> bool {
        self.key_id.is_some()
            && self.expiration_time.is_some()
            && self
                .service
                .is_none_or(|part| part.src.is_some() && part.dst.is_some())
            && self.user.is_none_or(|part| {
                part.default_uid.is_some()
                    && part.entry_point.is_some()
                    && part.env.is_some()
                    && !part.nameless
            })
    }
}

impl ServicePart {
    fn merge(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next_field()? {
            match field {
                (1, Value::Varint(id)) => self.src = Some(TvmId::new(id as u32)),
                (2, Value::Varint(id)) => self.dst = Some(TvmId::new(id as u32)),
                (4, Value::Varint(uid)) => self.issuer_uid = Some(Uid::new(uid)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The part of a valid ticket as numbers, for [`from_words`](Self::from_words).
    pub(crate) fn to_words(self) -> [u64; 4] {
        let id = |id: Option<TvmId>| u64::from(id.map_or(0, TvmId::get));
        let issuer = self.issuer_uid.map_or(0, Uid::get);
        let has_issuer = self.issuer_uid.is_some().into();
        [id(self.src), id(self.dst), has_issuer, issuer]
    }

    #[inline]
    pub(crate) fn from_words([src, dst, has_issuer, issuer]: [u64; 4]) -> Self {
        Self {
            src: Some(TvmId::new(src as u32)),
            dst: Some(TvmId::new(dst as u32)),
            issuer_uid: (has_issuer != 0).then_some(Uid::new(issuer)),
        }
    }
}

impl UserPart {
    fn merge(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next_field()? {
            match field {
                (ENTRY, Value::Bytes(entry)) => {
                    self.nameless |= UserEntry::decode(entry)?.is_none();
                }
                (2, Value::Varint(uid)) => self.default_uid = Some(Uid::new(uid)),
                (4, Value::Varint(point)) => self.entry_point = Some(point as u32),
                // A number without an environment counts as an unknown field.
                (5, Value::Varint(env)) => {
                    self.env = BlackboxEnv::from_number(env as u32).or(self.env);
                }
                (7, Value::Varint(location)) => self.location = location,
                (8, Value::Varint(device)) => self.device_type = device,
                _ => {}
            }
        }
        Ok(())
    }

    /// The part of a valid ticket as numbers, for [`from_words`](Self::from_words).
    pub(crate) fn to_words(self) -> [u64; 4] {
        let env = u64::from(self.env.unwrap_or_default().number());
        let point = u64::from(self.entry_point.unwrap_or(0));
        let uid = self.default_uid.map_or(0, Uid::get);
        [uid, env << 32 | point, self.location, self.device_type]
    }

    #[inline]
    pub(crate) fn from_words([uid, env_and_point, location, device_type]: [u64; 4]) -> Self {
        Self {
            default_uid: Some(Uid::new(uid)),
            entry_point: Some(env_and_point as u32),
            env: BlackboxEnv::from_number((env_and_point >> 32) as u32),
            location,
            device_type,
            nameless: false,
        }
    }
}

/// One user of a user ticket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UserEntry {
    /// The user.
    pub uid: Uid,
    /// The organisation that the user acts for; 0 for none.
    pub current_porg_id: u64,
    /// The user's id in that organisation; 0 for none.
    pub current_muid: u64,
}

impl UserEntry {
    /// Creates an entry for a user who acts for no organisation.
    #[must_use]
    pub const fn new(uid: Uid) -> Self {
        Self {
            uid,
            current_porg_id: 0,
            current_muid: 0,
        }
    }

    /// Sets the organisation that the user acts for, and the user's id there; zero means none.
    #[must_use]
    pub const fn acting_for(mut self, porg_id: u64, muid: u64) -> Self {
        self.current_porg_id = porg_id;
        self.current_muid = muid;
        self
    }

    fn encode(self) -> Vec<u8> {
        let mut entry = Writer::default();
        entry.varint(1, self.uid.get());
        if self.current_porg_id != 0 {
            entry.varint(2, self.current_porg_id);
        }
        if self.current_muid != 0 {
            entry.varint(3, self.current_muid);
        }
        entry.finish()
    }

    /// `None` if the entry has no uid.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let (mut uid, mut current_porg_id, mut current_muid) = (None, 0, 0);
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next_field()? {
            match field {
                (1, Value::Varint(value)) => uid = Some(Uid::new(value)),
                (2, Value::Varint(value)) => current_porg_id = value,
                (3, Value::Varint(value)) => current_muid = value,
                _ => {}
            }
        }
        Ok(uid.map(|uid| Self {
            uid,
            current_porg_id,
            current_muid,
        }))
    }
}

/// Iterates over the scopes of a service ticket's payload.
pub(crate) fn service_scopes(payload: &[u8]) -> Parts<'_> {
    Parts::new(payload, SERVICE, SCOPE)
}

/// Iterates over the scopes of a user ticket's payload.
pub(crate) fn user_scopes(payload: &[u8]) -> Parts<'_> {
    Parts::new(payload, USER, SCOPE)
}

/// Iterates over the users of a user ticket's payload.
pub(crate) fn users(payload: &[u8]) -> impl Iterator<Item = UserEntry> {
    Parts::new(payload, USER, ENTRY).filter_map(|entry| UserEntry::decode(entry).ok().flatten())
}

/// Returns the login id of a user ticket's payload; the last one if there are several.
pub(crate) fn login_id(payload: &[u8]) -> &[u8] {
    Parts::new(payload, USER, 6).last().unwrap_or_default()
}

/// The occurrences of a field of bytes within a part. A fault would end the iteration, but cannot
/// occur, since the payload has been decoded before.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'p> {
    outer: Reader<'p>,
    inner: Reader<'p>,
    part: u32,
    field: u32,
}

impl<'p> Parts<'p> {
    fn new(payload: &'p [u8], part: u32, field: u32) -> Self {
        Self {
            outer: Reader::new(payload),
            inner: Reader::new(&[]),
            part,
            field,
        }
    }
}

impl<'p> Iterator for Parts<'p> {
    type Item = &'p [u8];

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some((number, value)) = self.inner.next_field().ok()? {
                if let (true, Value::Bytes(bytes)) = (number == self.field, value) {
                    return Some(bytes);
                }
            }
            if let (number, Value::Bytes(bytes)) = self.outer.next_field().ok()??
                && number == self.part
            {
                self.inner = Reader::new(bytes);
            }
        }
    }
}

/// Encodes a ticket around its part; fields that are `None` are left out.
pub(crate) fn encode_ticket(
    key_id: Option<KeyId>,
    expiration_time: Option<i64>,
    part: &TicketPart<'_>,
) -> Vec<u8> {
    let mut ticket = Writer::default();
    if let Some(id) = key_id {
        ticket.varint(1, id.get().into());
    }
    if let Some(time) = expiration_time {
        ticket.varint(2, time as u64);
    }
    match part {
        TicketPart::User {
            users,
            default_uid,
            scopes,
            entry_point,
            env,
            newer,
        } => {
            let mut user = Writer::default();
            for entry in *users {
                user.bytes(ENTRY, &entry.encode());
            }
            user.varint(2, default_uid.get());
            for scope in *scopes {
                user.bytes(SCOPE, scope.as_bytes());
            }
            user.varint(4, (*entry_point).into())
                .varint(5, env.number().into());
            if !newer.login_id.is_empty() {
                user.bytes(6, newer.login_id.as_bytes());
            }
            if newer.location != 0 {
                user.varint(7, newer.location);
            }
            if newer.device_type != 0 {
                user.varint(8, newer.device_type);
            }
            ticket.bytes(USER, &user.finish());
        }
        TicketPart::Service {
            src,
            dst,
            scopes,
            issuer_uid,
        } => {
            let mut service = Writer::default();
            service
                .varint(1, src.get().into())
                .varint(2, dst.get().into());
            for scope in *scopes {
                service.bytes(SCOPE, scope.as_bytes());
            }
            if let Some(uid) = issuer_uid {
                service.varint(4, uid.get());
            }
            ticket.bytes(SERVICE, &service.finish());
        }
    }
    ticket.finish()
}

/// The input of [`encode_ticket`].
pub(crate) enum TicketPart<'a> {
    User {
        users: &'a [UserEntry],
        default_uid: Uid,
        scopes: &'a [String],
        entry_point: u32,
        env: BlackboxEnv,
        newer: &'a NewerFields,
    },
    Service {
        src: TvmId,
        dst: TvmId,
        scopes: &'a [String],
        issuer_uid: Option<Uid>,
    },
}

/// The fields that only newer user tickets have; empty and zero ones are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewerFields {
    pub(crate) login_id: String,
    pub(crate) location: u64,
    pub(crate) device_type: u64,
}

const USER: u32 = 3;
const SERVICE: u32 = 4;
const ENTRY: u32 = 1;
const SCOPE: u32 = 3;

#[cfg(test)]
pub(crate) mod tests;
