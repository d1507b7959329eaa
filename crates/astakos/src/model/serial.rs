//! The numbers of commissions.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The number of a commission: positive, assigned by the server, unique among all services. Later
/// commissions have greater numbers; gaps occur (protocol section 8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(NonZeroU64);

/// The error for a text that is not the number of a commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serial: use a positive number below 2^63")]
#[non_exhaustive]
pub struct SerialError;

impl Serial {
    /// Creates a serial from a number; `None` for zero and numbers that exceed a signed 64-bit
    /// integer.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(some) if number <= i64::MAX as u64 => Some(Self(some)),
            _ => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        number.and_then(Self::new).ok_or(SerialError)
    }
}

impl TryFrom<u64> for Serial {
    type Error = SerialError;

    fn try_from(number: u64) -> Result<Self, SerialError> {
        Self::new(number).ok_or(SerialError)
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.get())
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        Self::new(number).ok_or_else(|| de::Error::custom(SerialError))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_numbers_that_the_server_can_hold_are_serials() {
        for bad in ["", "0", "-1", "+1", " 1", "1.0", "9223372036854775808", "x"] {
            assert_eq!(bad.parse::<Serial>(), Err(SerialError), "{bad}");
        }
        let last: Serial = "9223372036854775807".parse().unwrap();
        assert_eq!(last.to_string(), "9223372036854775807");
        assert!(serde_json::from_str::<Serial>("0").is_err());
        assert!(serde_json::from_str::<Serial>("true").is_err());
        assert_eq!(serde_json::to_string(&last).unwrap(), "9223372036854775807");
    }
}
