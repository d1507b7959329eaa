//! What the program has no command for.

/// Why a call has no command.
pub(super) enum Other {
    /// It is left out, by this rule.
    Waived(&'static str),
    /// The runner does not know it.
    Unknown(String),
}

impl From<String> for Other {
    fn from(why: String) -> Self {
        Self::Unknown(why)
    }
}
