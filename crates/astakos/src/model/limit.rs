//! Limits, which may be infinite.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number, or no limit.
///
/// In the protocol 2^63 - 1 means no limit (protocol section 4). The remainder after a subtraction
/// may be negative, which means that the limit is exceeded by that amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is a limit or there is none")]
pub enum Limit {
    /// A limit in the unit of the resource, such as bytes or a count.
    Finite(i64),
    /// No limit.
    Unlimited,
}

/// The error for a text that is not a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a limit: use a number, with K, M, G, T or P for powers of 1024, or `inf`")]
#[non_exhaustive]
pub struct LimitError;

impl Limit {
    /// Returns the number, or `None` if there is no limit.
    #[must_use]
    pub const fn finite(self) -> Option<i64> {
        match self {
            Self::Finite(number) => Some(number),
            Self::Unlimited => None,
        }
    }

    /// Returns the remainder after subtracting the usage. No limit stays no limit.
    #[must_use]
    pub const fn less(self, used: i64) -> Self {
        match self {
            Self::Finite(number) => Self::Finite(number.saturating_sub(used)),
            Self::Unlimited => Self::Unlimited,
        }
    }

    /// Returns whether an amount is within the limit.
    #[must_use]
    pub const fn has_room_for(self, quantity: i64) -> bool {
        match self {
            Self::Finite(number) => quantity <= number,
            Self::Unlimited => true,
        }
    }

    const fn on_wire(self) -> i64 {
        match self {
            Self::Finite(number) => number,
            Self::Unlimited => i64::MAX,
        }
    }
}

impl From<i64> for Limit {
    fn from(number: i64) -> Self {
        match number {
            i64::MAX => Self::Unlimited,
            number => Self::Finite(number),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(number) => number.fmt(f),
            Self::Unlimited => f.pad("unlimited"),
        }
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    /// Parses the forms that the server accepts: `20`, `3K`, `inf` (protocol section 9).
    fn from_str(text: &str) -> Result<Self, LimitError> {
        if text.eq_ignore_ascii_case("inf") {
            return Ok(Self::Unlimited);
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let step = match text.get(digits.len()..).unwrap_or_default() {
            "" => 0,
            "K" | "k" => 1,
            "M" | "m" => 2,
            "G" | "g" => 3,
            "T" | "t" => 4,
            "P" | "p" => 5,
            _ => return Err(LimitError),
        };
        let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number: Option<i64> = digits.parse().ok().filter(|_| is_plain);
        number
            .and_then(|number| number.checked_mul(1 << (10 * step)))
            .map(Self::from)
            .ok_or(LimitError)
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.on_wire())
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        i64::deserialize(from).map(Self::from)
    }
}

/// The maximum number of members of a project, in the form of applications: a number, or text that
/// the server accepts, such as `3K` and `inf` (protocol section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it is a limit, written in its own way"
)]
pub struct MaxMembers(
    /// The limit.
    pub Limit,
);

impl From<Limit> for MaxMembers {
    fn from(limit: Limit) -> Self {
        Self(limit)
    }
}

impl From<u32> for MaxMembers {
    fn from(number: u32) -> Self {
        Self(Limit::Finite(number.into()))
    }
}

impl Serialize for MaxMembers {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Limit::Finite(number) => to.serialize_i64(number),
            Limit::Unlimited => to.serialize_str("inf"),
        }
    }
}

impl<'de> Deserialize<'de> for MaxMembers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or text such as 3K or inf")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Limit, E> {
                Ok(Limit::from(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Limit, E> {
                i64::try_from(number).map(Limit::from).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Limit, E> {
                text.parse().map_err(E::custom)
            }
        }

        from.deserialize_any(Visitor).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The value of a text by the grammar: digits and at most one unit, in arithmetic that cannot
    /// overflow.
    fn by_the_grammar(text: &str) -> Option<Limit> {
        if text.to_lowercase() == "inf" {
            return Some(Limit::Unlimited);
        }
        let (digits, power) = match text.chars().last()? {
            '0'..='9' => (text, 0),
            step => {
                let power = "KMGTP".find(step.to_ascii_uppercase())? + 1;
                (&text[..text.len() - 1], u32::try_from(power).ok()?)
            }
        };
        if digits.is_empty() || digits.len() > 30 {
            return None;
        }
        let number = digits.chars().try_fold(0_i128, |sum, digit| {
            Some(sum * 10 + i128::from(digit.to_digit(10)?))
        })?;
        let number = number.checked_mul(1024_i128.pow(power))?;
        i64::try_from(number).ok().map(Limit::from)
    }

    proptest! {
        #[test]
        fn a_number_with_a_step_is_read_or_too_great(
            number in prop_oneof![0..=4096_u64, any::<u64>(), Just(i64::MAX.unsigned_abs())],
            step in "[KMGTPkmgtp]?",
        ) {
            let text = format!("{number}{step}");
            prop_assert_eq!(text.parse().ok(), by_the_grammar(&text), "{}", text);
        }

        #[test]
        fn nothing_but_limits_is_read(text in "[-+ ]?[0-9]{0,20}[-+0-9KMGTPkpBinfINF. \u{e9}\u{663}]{0,4}") {
            prop_assert_eq!(text.parse().ok(), by_the_grammar(&text), "{}", text);
        }

        #[test]
        fn limits_come_back_as_they_were_written(number in any::<i64>()) {
            for limit in [Limit::from(number), Limit::Unlimited] {
                let text = serde_json::to_string(&limit).unwrap();
                prop_assert_eq!(serde_json::from_str::<Limit>(&text).unwrap(), limit);
                let text = serde_json::to_string(&MaxMembers(limit)).unwrap();
                prop_assert_eq!(serde_json::from_str::<MaxMembers>(&text).unwrap().0, limit);
            }
        }

        #[test]
        fn what_has_room_leaves_no_less_than_nothing(
            limit in prop_oneof![-4..4_i64, any::<i64>()],
            used in prop_oneof![0..4_i64, 0..=i64::MAX],
        ) {
            let limit = Limit::from(limit);
            let leaves_something = limit.less(used) >= Limit::Finite(0);
            prop_assert_eq!(limit.has_room_for(used), leaves_something);
        }
    }

    #[test]
    fn no_limit_is_the_greatest_number_on_the_wire() {
        assert_eq!(
            serde_json::from_str::<Limit>("9223372036854775807").unwrap(),
            Limit::Unlimited
        );
        assert_eq!(
            serde_json::to_string(&Limit::Unlimited).unwrap(),
            "9223372036854775807"
        );
        assert!(Limit::Unlimited > Limit::Finite(i64::MAX - 1));
    }

    #[test]
    fn steps_are_of_1024() {
        assert_eq!("3K".parse(), Ok(Limit::Finite(3072)));
        assert_eq!("1p".parse(), Ok(Limit::Finite(1 << 50)));
        assert_eq!("inf".parse(), Ok(Limit::Unlimited));
        for bad in ["", "K", "-1", "+1", "1KB", "1.5K", "9999999999P", "1 K"] {
            assert_eq!(bad.parse::<Limit>(), Err(LimitError), "{bad}");
        }
    }

    #[test]
    fn what_is_left_of_a_passed_limit_is_negative() {
        assert_eq!(Limit::Finite(2).less(3), Limit::Finite(-1));
        assert!(!Limit::Finite(2).less(3).has_room_for(0));
        assert_eq!(Limit::Unlimited.less(3), Limit::Unlimited);
    }
}
