//! Splits the text of a ticket. The meaning of its parts is in `message` and `check`.

use crate::engine::status::TicketStatus;

/// The type of a ticket.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format has these two types and no third"
)]
pub enum TicketType {
    /// One service calls another.
    Service,
    /// Users were authenticated.
    User,
}

impl TicketType {
    /// Returns the name as it appears in tickets.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "serv",
            Self::User => "user",
        }
    }
}

impl TicketType {
    /// The beginning of texts of the type.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Service => "3:serv:",
            Self::User => "3:user:",
        }
    }
}

/// The parts of `3:<type>:<payload>:<signature>`, still as text.
pub(crate) struct TicketText<'t> {
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// The signed part.
    pub(crate) signed: &'t [u8],
}

impl<'t> TicketText<'t> {
    pub(crate) fn split(text: &'t str, wanted: TicketType) -> Result<Self, TicketStatus> {
        if text.len() > LONGEST {
            return Err(TicketStatus::Malformed);
        }
        let rest = match text.strip_prefix(wanted.prefix()) {
            Some(rest) => rest,
            None => Self::read_head(text, wanted)?,
        };
        let (payload, rest) = split_at_colon(rest);
        // One colon after the signature is accepted. Any other colon stays in the signature, which
        // makes it malformed.
        let signature = rest.strip_suffix(':').unwrap_or(rest);
        if payload.is_empty() || signature.is_empty() {
            return Err(TicketStatus::Malformed);
        }
        // Measured from the end of the whole text, as in the original: a colon after the signature
        // passes the splitting but makes the signed text wrong.
        let signed = &text.as_bytes()[..text.len() - signature.len()];
        Ok(Self {
            payload,
            signature,
            signed,
        })
    }

    /// Parses version and type one by one and returns the rest, or the fault.
    #[cold]
    fn read_head(text: &'t str, wanted: TicketType) -> Result<&'t str, TicketStatus> {
        let (version, rest) = split_at_colon(text);
        if rest.is_empty() || version.len() != 1 {
            return Err(TicketStatus::Malformed);
        }
        if version != "3" {
            return Err(TicketStatus::UnsupportedVersion);
        }
        let (kind, rest) = split_at_colon(rest);
        if kind != wanted.as_str() {
            return Err(TicketStatus::InvalidTicketType);
        }
        Ok(rest)
    }
}

/// Returns the text before and after the first colon; the whole text and an empty one if there is
/// none.
fn split_at_colon(text: &str) -> (&str, &str) {
    // Many bytes at once, since a payload has some hundred.
    let has_colon = |block: &[u8; 32]| {
        let seen = block
            .iter()
            .fold(0, |seen, byte| seen | u8::from(*byte == b':'));
        seen != 0
    };
    let (blocks, _) = text.as_bytes().as_chunks::<32>();
    let before = blocks.iter().take_while(|block| !has_colon(block)).count() * 32;
    let rest = &text.as_bytes()[before..];
    match rest.iter().position(|byte| *byte == b':') {
        Some(at) => (&text[..before + at], &text[before + at + 1..]),
        None => (text, ""),
    }
}

/// Ten times the largest ticket seen; a longer text is refused at once.
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
