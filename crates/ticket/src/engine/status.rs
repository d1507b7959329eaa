//! The outcome of a check. The order of the steps is in `check`.

use std::fmt;

/// The outcome of a check, with the authority's number and text for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TicketStatus {
    /// The ticket is valid.
    Ok,
    /// The ticket has expired.
    Expired,
    /// The user ticket is from a user base that this context does not accept.
    InvalidBlackboxEnv,
    /// The service ticket is for another service.
    InvalidDst,
    /// The ticket is of the other type.
    InvalidTicketType,
    /// The text is not a ticket.
    Malformed,
    /// The ticket was signed with an unknown key.
    MissingKey,
    /// The signature does not match the text.
    SignBroken,
    /// The version of the ticket is not supported.
    UnsupportedVersion,
    /// The ticket is valid, but its subject has no role.
    NoRoles,
    /// Known by name and number only.
    MissingUidSignKey,
    /// Known by name and number only.
    UidOutsideInterval,
    /// Known by name and number only.
    UidSignatureBroken,
    /// Known by name and number only.
    UidSignatureExpired,
    /// Known by name and number only.
    UntrustedKey,
}

impl TicketStatus {
    /// Returns the number that programs in other languages use.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Expired => 1,
            Self::InvalidBlackboxEnv => 2,
            Self::InvalidDst => 3,
            Self::InvalidTicketType => 4,
            Self::Malformed => 5,
            Self::MissingKey => 6,
            Self::SignBroken => 7,
            Self::UnsupportedVersion => 8,
            Self::NoRoles => 9,
            Self::MissingUidSignKey => 10,
            Self::UidOutsideInterval => 11,
            Self::UidSignatureBroken => 12,
            Self::UidSignatureExpired => 13,
            Self::UntrustedKey => 14,
        }
    }

    /// Returns the name, such as `InvalidDst`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "Ok",
            Self::Expired => "Expired",
            Self::InvalidBlackboxEnv => "InvalidBlackboxEnv",
            Self::InvalidDst => "InvalidDst",
            Self::InvalidTicketType => "InvalidTicketType",
            Self::Malformed => "Malformed",
            Self::MissingKey => "MissingKey",
            Self::SignBroken => "SignBroken",
            Self::UnsupportedVersion => "UnsupportedVersion",
            Self::NoRoles => "NoRoles",
            Self::MissingUidSignKey => "MissingUidSignKey",
            Self::UidOutsideInterval => "UidOutsideInterval",
            Self::UidSignatureBroken => "UidSignatureBroken",
            Self::UidSignatureExpired => "UidSignatureExpired",
            Self::UntrustedKey => "UntrustedKey",
        }
    }

    /// Returns the sentence for errors: the authority's or, where that is not public, the name.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Expired => "Expired ticket",
            Self::InvalidBlackboxEnv => "Invalid BlackBox environment",
            Self::InvalidDst => "Invalid ticket destination",
            Self::InvalidTicketType => "Invalid ticket type",
            Self::Malformed => "Malformed ticket",
            Self::MissingKey => {
                "Context does not have required key to check ticket: public keys are too old"
            }
            Self::SignBroken => "Invalid ticket signature",
            Self::UnsupportedVersion => "Unsupported ticket version",
            Self::NoRoles => "Subject (src or defaultUid) does not have any roles in IDM",
            _ => self.name(),
        }
    }
}

impl fmt::Display for TicketStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
