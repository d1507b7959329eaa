//! When a token expires.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use vouchsafe_core::timestamp;

/// When a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Option<String>", try_from = "Option<String>")]
#[expect(clippy::exhaustive_enums, reason = "at some time, or never")]
pub enum Expiry {
    /// Never.
    Never,
    /// At this time.
    At(SystemTime),
}

impl From<SystemTime> for Expiry {
    fn from(at: SystemTime) -> Self {
        Self::At(at)
    }
}

impl From<Expiry> for Option<String> {
    fn from(expiry: Expiry) -> Self {
        match expiry {
            Expiry::Never => None,
            Expiry::At(at) => Some(timestamp::format(at)),
        }
    }
}

impl TryFrom<Option<String>> for Expiry {
    type Error = &'static str;

    fn try_from(text: Option<String>) -> Result<Self, Self::Error> {
        let Some(text) = text else {
            return Ok(Self::Never);
        };
        let at = timestamp::parse(&text).ok_or("not a date and time")?;
        Ok(Self::At(at))
    }
}
