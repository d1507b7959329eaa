//! The text of a ticket taken apart. What its parts mean is in `message` and `check`.

use crate::status::TicketStatus;

/// Who a ticket speaks of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format has these two types and no third"
)]
pub enum TicketType {
    /// A service talks to another.
    Service,
    /// Users were authenticated.
    User,
}

impl TicketType {
    /// Returns the name as tickets have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "serv",
            Self::User => "user",
        }
    }
}

/// The parts of `3:<type>:<payload>:<signature>`, still as text.
pub(crate) struct TicketText<'t> {
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// What the signature is over.
    pub(crate) signed: &'t [u8],
}

impl<'t> TicketText<'t> {
    pub(crate) fn split(text: &'t str, wanted: TicketType) -> Result<Self, TicketStatus> {
        if text.len() > LONGEST {
            return Err(TicketStatus::Malformed);
        }
        let mut rest = text;
        let version = next_token(&mut rest);
        if rest.is_empty() || version.len() != 1 {
            return Err(TicketStatus::Malformed);
        }
        if version != "3" {
            return Err(TicketStatus::UnsupportedVersion);
        }
        if next_token(&mut rest) != wanted.as_str() {
            return Err(TicketStatus::InvalidTicketType);
        }
        let payload = next_token(&mut rest);
        // One colon behind the signature passes. Any other stays in it, where it is as malformed.
        let signature = rest.strip_suffix(':').unwrap_or(rest);
        if payload.is_empty() || signature.is_empty() {
            return Err(TicketStatus::Malformed);
        }
        // Counted from the end of the whole text, as the original does: a colon behind the
        // signature passes the splitting and then spoils the signed text.
        let signed = &text.as_bytes()[..text.len() - signature.len()];
        Ok(Self {
            payload,
            signature,
            signed,
        })
    }
}

fn next_token<'t>(rest: &mut &'t str) -> &'t str {
    match rest.split_once(':') {
        Some((token, behind)) => {
            *rest = behind;
            token
        }
        None => std::mem::take(rest),
    }
}

/// Ten times the largest ticket seen; what is longer is refused before it costs anything.
pub(crate) const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Option<TicketStatus> {
        TicketText::split(text, TicketType::Service).err()
    }

    #[test]
    fn the_first_fault_counts() {
        assert_eq!(status("3:serv:a:b"), None);
        assert_eq!(status("3:"), Some(TicketStatus::Malformed));
        assert_eq!(status("2:"), Some(TicketStatus::Malformed));
        assert_eq!(status("2:x"), Some(TicketStatus::UnsupportedVersion));
        assert_eq!(status("é:serv:a:b"), Some(TicketStatus::Malformed));
        assert_eq!(status("3:user::"), Some(TicketStatus::InvalidTicketType));
        assert_eq!(status("3:serv::b"), Some(TicketStatus::Malformed));
        assert_eq!(status("3:serv:a"), Some(TicketStatus::Malformed));
        assert_eq!(status("3:serv:a::"), Some(TicketStatus::Malformed));
        let long = format!("3:serv:a:{}", "b".repeat(LONGEST));
        assert_eq!(status(&long), Some(TicketStatus::Malformed));
    }

    #[test]
    fn a_trailing_colon_passes_and_shifts_the_signed_text() {
        let parts = TicketText::split("3:serv:a:bc:", TicketType::Service)
            .ok()
            .unwrap();
        assert_eq!((parts.payload, parts.signature), ("a", "bc"));
        assert_eq!(parts.signed, b"3:serv:a:b");
    }
}
