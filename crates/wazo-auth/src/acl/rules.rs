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

    /// Returns whether a `*` matches a segment.
    pub(super) fn is_run(self, segment: &str) -> bool {
        self == Self::Old || !segment.as_bytes().contains(&b'#')
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

    /// Returns the word that a segment of a pattern is, if it is reserved: it has an alternative, and
    /// under the old rules is not the first.
    pub(super) fn reserved(&self, segment: &str, is_first: bool, rules: Rules) -> Option<Word> {
        let word = Word::ALL.into_iter().find(|word| word.text() == segment)?;
        let is_old = word == Word::Me && !is_first;
        let is_reserved = rules == Rules::Current || is_old;
        (is_reserved && self.alternative(word).is_some()).then_some(word)
    }

    /// Returns whether a word and its alternative are each a whole segment.
    pub(super) fn is_segment(&self, word: Word) -> bool {
        !self.alternative(word).unwrap_or_default().contains('.')
    }
}
