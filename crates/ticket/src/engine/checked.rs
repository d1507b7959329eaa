//! Validated tickets. Only `check` creates them (and the `mock` feature, for tests).

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use crate::engine::base64url;
use crate::engine::cache::Facts;
use crate::engine::debug_info::debug_info;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{KeyId, TvmId, Uid};
#[cfg(feature = "mock")]
use crate::engine::message::Ticket;
use crate::engine::message::{self, ServicePart, UserEntry, UserPart};
use crate::engine::status::TicketStatus;
use crate::engine::text::TicketType;

/// A service ticket that passed its check: `src` calls `dst`.
///
/// It does not hold the signature; the text that it shows is borrowed from the caller. `Debug`
/// shows the [`debug_info`](Self::debug_info).
#[derive(Clone)]
pub struct CheckedServiceTicket<'t> {
    head: Head<'t>,
    part: ServicePart,
}

impl CheckedServiceTicket<'_> {
    /// Returns the service that sent the ticket.
    #[must_use]
    pub fn src(&self) -> TvmId {
        self.part.src.unwrap_or(TvmId::new(0))
    }

    /// Returns the service that the ticket is for.
    #[must_use]
    pub fn dst(&self) -> TvmId {
        self.part.dst.unwrap_or(TvmId::new(0))
    }

    /// Returns the developer on whose behalf the ticket was issued, if any.
    #[must_use]
    pub fn issuer_uid(&self) -> Option<Uid> {
        self.part.issuer_uid
    }

    /// Returns the scopes in the ticket's order, including duplicates. Invalid UTF-8 is replaced.
    pub fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        message::service_scopes(self.head.payload()).map(String::from_utf8_lossy)
    }

    /// Returns whether the ticket has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        message::service_scopes(self.head.payload()).any(|other| other == scope.as_bytes())
    }
}

/// A user ticket that passed its check: these users were authenticated.
///
/// It does not hold the signature; the text that it shows is borrowed from the caller. `Debug`
/// shows the [`debug_info`](Self::debug_info).
#[derive(Clone)]
pub struct CheckedUserTicket<'t> {
    head: Head<'t>,
    part: UserPart,
}

impl CheckedUserTicket<'_> {
    /// Returns the default user; zero if there is none.
    #[must_use]
    pub fn default_uid(&self) -> Uid {
        self.part.default_uid.unwrap_or(Uid::new(0))
    }

    /// Returns the users in the ticket's order, including duplicates.
    pub fn uids(&self) -> impl Iterator<Item = Uid> {
        self.users().map(|user| user.uid)
    }

    /// Returns the users with the other information that the ticket has about each.
    pub fn users(&self) -> impl Iterator<Item = UserEntry> {
        message::users(self.head.payload())
    }

    /// Returns the environment that authenticated the users.
    #[must_use]
    pub fn env(&self) -> BlackboxEnv {
        self.part.env.unwrap_or_default()
    }

    /// Returns the scopes in the ticket's order, including duplicates. Invalid UTF-8 is replaced.
    pub fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        message::user_scopes(self.head.payload()).map(String::from_utf8_lossy)
    }

    /// Returns whether the ticket has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        message::user_scopes(self.head.payload()).any(|other| other == scope.as_bytes())
    }

    /// Returns the number of the place where the users were authenticated.
    #[must_use]
    pub fn entry_point(&self) -> u32 {
        self.part.entry_point.unwrap_or(0)
    }

    /// Returns the login id; empty if there is none. Invalid UTF-8 is replaced.
    #[must_use]
    pub fn login_id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(message::login_id(self.head.payload()))
    }

    /// Returns the location; zero if there is none.
    #[must_use]
    pub fn location(&self) -> u64 {
        self.part.location
    }

    /// Returns the type of the device; zero if there is none.
    #[must_use]
    pub fn device_type(&self) -> u64 {
        self.part.device_type
    }
}

/// The methods that both types share.
macro_rules! checked_ticket {
    ($name:ident, $part:ident, $kind:expr) => {
        impl<'t> $name<'t> {
            /// Returns when the ticket expires, in seconds since the epoch.
            #[must_use]
            pub fn expiration_time(&self) -> i64 {
                self.head.expiration_time
            }

            /// Returns the id of the key that the ticket was signed with.
            #[must_use]
            pub fn key_id(&self) -> KeyId {
                self.head.key_id
            }

            /// Returns the ticket's text without its signature, for logs.
            #[must_use]
            pub fn redacted(&self) -> &str {
                &self.head.redacted
            }

            /// Returns the contents of the ticket as text for people.
            #[must_use]
            pub fn debug_info(&self) -> String {
                debug_info($kind, TicketStatus::Ok, self.head.payload())
            }

            /// Copies what is still borrowed from the ticket's text.
            #[must_use]
            pub fn into_owned(self) -> $name<'static> {
                $name {
                    head: self.head.into_owned(),
                    part: self.part,
                }
            }

            #[cfg(feature = "mock")]
            pub(crate) fn new(
                text: &'t str,
                payload: Vec<u8>,
                ticket: &Ticket,
                part: $part,
            ) -> Self {
                Self {
                    head: Head::new(text, payload, ticket),
                    part,
                }
            }

            /// Creates the ticket from its text and what is known about it.
            #[inline]
            pub(crate) fn known(text: &'t str, facts: &Facts) -> Self {
                Self {
                    head: Head::known(text, facts),
                    part: $part::from_words(facts.part),
                }
            }

            pub(crate) fn into_payload(self) -> Vec<u8> {
                self.head.into_payload()
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name))
                    .field(&self.debug_info())
                    .finish()
            }
        }
    };
}

checked_ticket!(CheckedServiceTicket, ServicePart, TicketType::Service);
checked_ticket!(CheckedUserTicket, UserPart, TicketType::User);

#[derive(Clone)]
struct Head<'t> {
    redacted: Cow<'t, str>,
    /// Decoded when something other than a number is requested.
    payload: OnceLock<Vec<u8>>,
    key_id: KeyId,
    expiration_time: i64,
}

impl<'t> Head<'t> {
    /// Missing values, as in test tickets, are zero.
    #[cfg(feature = "mock")]
    fn new(text: &'t str, payload: Vec<u8>, ticket: &Ticket) -> Self {
        Self {
            redacted: Cow::Borrowed(text),
            payload: OnceLock::from(payload),
            key_id: ticket.key_id.unwrap_or(KeyId::new(0)),
            expiration_time: ticket.expiration_time.unwrap_or(0),
        }
    }

    #[inline]
    fn known(text: &'t str, facts: &Facts) -> Self {
        let redacted = text.get(..facts.redacted_len as usize);
        Self {
            redacted: Cow::Borrowed(redacted.unwrap_or_default()),
            payload: OnceLock::new(),
            key_id: facts.key_id,
            expiration_time: facts.expiration_time,
        }
    }

    fn payload(&self) -> &[u8] {
        self.payload.get_or_init(|| {
            let text = self.redacted.split(':').nth(2).unwrap_or_default();
            base64url::decode(text.as_bytes()).unwrap_or_default()
        })
    }

    fn into_payload(self) -> Vec<u8> {
        self.payload();
        self.payload.into_inner().unwrap_or_default()
    }

    fn into_owned(self) -> Head<'static> {
        Head {
            redacted: Cow::Owned(self.redacted.into_owned()),
            payload: self.payload,
            key_id: self.key_id,
            expiration_time: self.expiration_time,
        }
    }
}
