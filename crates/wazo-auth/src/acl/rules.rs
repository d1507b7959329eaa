//! The rules for patterns, and the meanings of reserved words.

/// The rules for patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rules {
    /// Those of the service since release 20.13.
    #[default]
    Current,
    /// Those of older releases (protocol section 6.5): no pattern forbids, `my_session` and `edit`
    /// are ordinary words, `*` also matches `#`, and `me` is reserved only after a dot.
    Old,
}

impl Rules {
    /// Returns what a pattern forbids; `None` if it allows.
    pub(super) fn forbidden(self, pattern: &str) -> Option<&str> {
        pattern.strip_prefix('!').filter(|_| self == Self::Current)
    }

    /// Returns whether a `*` stops before a byte.
    pub(super) fn ends_run(self, byte: u8) -> bool {
        byte == b'.' || (byte == b'#' && self == Self::Current)
    }
}

/// A reserved word that has an alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Me,
    MySession,
    Edit,
}

impl Word {
    pub(super) const ALL: [Self; 3] = [Self::Me, Self::MySession, Self::Edit];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::MySession => "my_session",
            Self::Edit => "edit",
        }
    }
}

/// What reserved words match besides themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) auth_id: Option<Box<str>>,
    pub(super) session_uuid: Option<Box<str>>,
}

impl Words {
    pub(super) fn alternative(&self, word: Word) -> Option<&str> {
        match word {
            Word::Me => self.auth_id.as_deref(),
            Word::MySession => self.session_uuid.as_deref(),
            Word::Edit => Some("update"),
        }
    }

    /// Returns whether a word and its alternative are each a whole segment.
    pub(super) fn is_segment(&self, word: Word) -> bool {
        !self.alternative(word).unwrap_or_default().contains('.')
    }
}
