//! Times as the service writes them.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vouchsafe_core::timestamp;

/// A time in UTC. The service writes it without an offset, to the microsecond (protocol section
/// 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(SystemTime);

impl UtcTime {
    /// Returns the time.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        self.0
    }
}

impl From<SystemTime> for UtcTime {
    fn from(at: SystemTime) -> Self {
        Self(at)
    }
}

impl From<UtcTime> for SystemTime {
    fn from(at: UtcTime) -> Self {
        at.0
    }
}

/// As the service writes it: `2026-01-02T03:04:05.000000`.
impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = timestamp::format(self.0);
        match text.trim_end_matches('Z') {
            text if text.contains('.') => f.write_str(text),
            text => write!(f, "{text}.000000"),
        }
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let malformed = || serde::de::Error::custom("a time that is not of RFC 3339");
        timestamp::parse(&text).map(Self).ok_or_else(malformed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_and_written_as_the_service_writes_them() {
        for text in ["2026-01-02T03:04:05.000000", "2026-01-02T03:04:05.678901"] {
            let at: UtcTime = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(serde_json::to_value(at).unwrap(), json!(text));
        }
        let malformed = serde_json::from_value::<UtcTime>(json!("yesterday"));
        assert!(malformed.unwrap_err().to_string().contains("RFC 3339"));
    }
}
