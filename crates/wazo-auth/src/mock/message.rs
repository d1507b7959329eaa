//! Messages that the service sends.

use std::fmt;

use serde_json::{Value, json};
use vouchsafe_core::Secret;

use crate::{EmailUuid, UserUuid};

/// A message that the service sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The address, after the name of the user if there is one: `alice <alice@example.com>`.
    pub to: String,
    /// Its purpose.
    pub kind: MessageKind,
    /// The link in it, which contains the token.
    pub link: String,
    pub(super) token: String,
    /// The id of what it is about.
    pub(super) about: String,
}

/// The purpose of a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// To confirm an e-mail address.
    Confirmation,
    /// To set a new password.
    PasswordReset,
}

impl Message {
    /// Returns the token in the link: for the confirmation of the address, or for a new password.
    #[must_use]
    pub fn token(&self) -> Secret {
        Secret::from(self.token.as_str())
    }

    /// Returns the id of the address that a confirmation is about; `None` for other messages.
    #[must_use]
    pub fn email_uuid(&self) -> Option<EmailUuid> {
        let about = Some(&self.about).filter(|_| self.kind == MessageKind::Confirmation);
        about?.parse().ok()
    }

    /// Returns the id of the user whose password is to be set; `None` for other messages.
    #[must_use]
    pub fn user_uuid(&self) -> Option<UserUuid> {
        let about = Some(&self.about).filter(|_| self.kind == MessageKind::PasswordReset);
        about?.parse().ok()
    }

    /// Writes it for programs in other languages.
    pub(super) fn json(&self) -> Value {
        let (kind, about) = match self.kind {
            MessageKind::Confirmation => ("confirmation", "email_uuid"),
            MessageKind::PasswordReset => ("password-reset", "user_uuid"),
        };
        json!({
            "to": self.to, "kind": kind, "link": self.link, "token": self.token, about: self.about,
        })
    }
}

/// The link is left out, since it holds a token.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("kind", &self.kind)
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}
