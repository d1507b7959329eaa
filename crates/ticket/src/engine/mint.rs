//! Creating signed tickets, for the authority, its tests and its emulators.

use vouchsafe_core::Secret;

use crate::engine::base64url;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{KeyId, TvmId, Uid};
use crate::engine::message::{NewerFields, TicketPart, UserEntry, encode_ticket};
use crate::engine::rw::{KeyError, PrivateKey};
use crate::engine::text::TicketType;

/// A service ticket that can be signed.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use vouchsafe_ticket::rw::PrivateKey;
/// use vouchsafe_ticket::{KeyContainer, KeyId, ServiceContext, ServiceTicketDraft, TvmId};
///
/// let (id, key) = (KeyId::new(1), PrivateKey::generate(1024)?);
/// let keys = KeyContainer::builder().service_key(id, key.public()).to_text();
/// let ticket = ServiceTicketDraft::new(TvmId::new(10), TvmId::new(20))
///     .expiration_time(1_700_000_000)
///     .sign(id, &key)?;
///
/// let context = ServiceContext::new(TvmId::new(20), &KeyContainer::parse(&keys)?)?;
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_699_999_999);
/// assert_eq!(context.check(ticket.expose(), now)?.src(), TvmId::new(10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceTicketDraft {
    src: TvmId,
    dst: TvmId,
    expiration_time: i64,
    scopes: Vec<String>,
    issuer_uid: Option<Uid>,
}

impl ServiceTicketDraft {
    /// Creates a draft that never expires, without scopes and issuer.
    pub fn new(src: TvmId, dst: TvmId) -> Self {
        Self {
            src,
            dst,
            expiration_time: i64::MAX,
            scopes: Vec::new(),
            issuer_uid: None,
        }
    }

    /// Sets when the ticket expires, in seconds since the epoch.
    pub fn expiration_time(mut self, seconds: i64) -> Self {
        self.expiration_time = seconds;
        self
    }

    /// Adds a scope. Scopes keep their order.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Sets the developer on whose behalf the ticket is issued.
    pub fn issuer_uid(mut self, uid: Uid) -> Self {
        self.issuer_uid = Some(uid);
        self
    }

    /// Signs the ticket.
    ///
    /// # Errors
    ///
    /// What [`PrivateKey::sign`] says.
    pub fn sign(&self, id: KeyId, key: &PrivateKey) -> Result<Secret, KeyError> {
        let part = TicketPart::Service {
            src: self.src,
            dst: self.dst,
            scopes: &self.scopes,
            issuer_uid: self.issuer_uid,
        };
        let payload = encode_ticket(Some(id), Some(self.expiration_time), &part);
        sign(TicketType::Service, &payload, key)
    }
}

/// A user ticket that can be signed.
#[derive(Clone, Debug)]
#[must_use]
pub struct UserTicketDraft {
    env: BlackboxEnv,
    default_uid: Uid,
    users: Vec<UserEntry>,
    expiration_time: i64,
    scopes: Vec<String>,
    entry_point: u32,
    newer: NewerFields,
}

impl UserTicketDraft {
    /// Creates a draft that never expires, for one user and without scopes.
    pub fn new(env: BlackboxEnv, default_uid: Uid) -> Self {
        Self {
            env,
            default_uid,
            users: vec![UserEntry::new(default_uid)],
            expiration_time: i64::MAX,
            scopes: Vec::new(),
            entry_point: 0,
            newer: NewerFields::default(),
        }
    }

    #[cfg(feature = "mock")]
    pub(crate) fn env(&self) -> BlackboxEnv {
        self.env
    }

    /// Sets the users, in this order. Default: only the default user.
    pub fn uids(self, uids: impl IntoIterator<Item = Uid>) -> Self {
        self.users(uids.into_iter().map(UserEntry::new))
    }

    /// Sets the users and the ticket's other information about each, in this order; replaces
    /// [`uids`](Self::uids).
    pub fn users(mut self, users: impl IntoIterator<Item = UserEntry>) -> Self {
        self.users = users.into_iter().collect();
        self
    }

    /// Sets when the ticket expires, in seconds since the epoch.
    pub fn expiration_time(mut self, seconds: i64) -> Self {
        self.expiration_time = seconds;
        self
    }

    /// Adds a scope. Scopes keep their order.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Sets the number of the place where the users were authenticated.
    pub fn entry_point(mut self, number: u32) -> Self {
        self.entry_point = number;
        self
    }

    /// Sets the id of the login. Default: none.
    pub fn login_id(mut self, id: impl Into<String>) -> Self {
        self.newer.login_id = id.into();
        self
    }

    /// Sets the location; zero, the default, means none.
    pub fn location(mut self, number: u64) -> Self {
        self.newer.location = number;
        self
    }

    /// Sets the type of the device; zero, the default, means none.
    pub fn device_type(mut self, number: u64) -> Self {
        self.newer.device_type = number;
        self
    }

    /// Signs the ticket.
    ///
    /// # Errors
    ///
    /// What [`PrivateKey::sign`] says.
    pub fn sign(&self, id: KeyId, key: &PrivateKey) -> Result<Secret, KeyError> {
        let part = TicketPart::User {
            users: &self.users,
            default_uid: self.default_uid,
            scopes: &self.scopes,
            entry_point: self.entry_point,
            env: self.env,
            newer: &self.newer,
        };
        let payload = encode_ticket(Some(id), Some(self.expiration_time), &part);
        sign(TicketType::User, &payload, key)
    }
}

/// Signs any payload, also one that is not a message, for tests.
pub(crate) fn sign(kind: TicketType, payload: &[u8], key: &PrivateKey) -> Result<Secret, KeyError> {
    let mut text = format!("3:{}:{}:", kind.as_str(), base64url::encode(payload));
    let signature = key.sign(text.as_bytes())?;
    text.push_str(&base64url::encode(&signature));
    Ok(Secret::from(text))
}
