//! The user bases that issue user tickets, and which of them accept each other's. Keys are not
//! here.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind};

/// The user base (BlackBox) that issued a user ticket.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BlackboxEnv {
    /// The public user base.
    #[default]
    Prod,
    /// The test installation of the public user base.
    Test,
    /// The user base of the staff.
    ProdYateam,
    /// The test installation of the staff's user base.
    TestYateam,
    /// The user base for load tests; it also accepts the tickets of [`Prod`](Self::Prod).
    Stress,
}

impl BlackboxEnv {
    /// All environments, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Prod,
        Self::Test,
        Self::ProdYateam,
        Self::TestYateam,
        Self::Stress,
    ];

    /// Returns the number used in tickets and key containers.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Prod => 0,
            Self::Test => 1,
            Self::ProdYateam => 2,
            Self::TestYateam => 3,
            Self::Stress => 4,
        }
    }

    /// Returns the environment with that number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Prod),
            1 => Some(Self::Test),
            2 => Some(Self::ProdYateam),
            3 => Some(Self::TestYateam),
            4 => Some(Self::Stress),
            _ => None,
        }
    }

    /// Returns the name in debug texts, such as `ProdYateam`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prod => "Prod",
            Self::Test => "Test",
            Self::ProdYateam => "ProdYateam",
            Self::TestYateam => "TestYateam",
            Self::Stress => "Stress",
        }
    }

    /// Returns the name in tvmtool's meta information, such as `ProdYaTeam` with its capital T.
    #[must_use]
    pub const fn meta_name(self) -> &'static str {
        match self {
            Self::ProdYateam => "ProdYaTeam",
            Self::TestYateam => "TestYaTeam",
            other => other.name(),
        }
    }

    /// Returns the service id of this user base.
    #[must_use]
    pub const fn tvm_id(self) -> TvmId {
        TvmId::new(match self {
            Self::Prod => 222,
            Self::Test => 224,
            Self::ProdYateam => 223,
            Self::TestYateam => 225,
            Self::Stress => 226,
        })
    }

    /// Returns whether a context of this environment accepts keys and tickets of `other`.
    #[must_use]
    pub const fn accepts(self, other: Self) -> bool {
        self.number() == other.number() || matches!((self, other), (Self::Stress, Self::Prod))
    }

    /// Returns whether a client configured for this environment may check for `other` instead.
    ///
    /// The production environments may only switch between each other; the public test environment
    /// may switch to any; the staff's test environment may only switch to test environments; the
    /// one for load tests may not switch.
    #[must_use]
    pub const fn may_override_to(self, other: Self) -> bool {
        match self {
            Self::Prod | Self::ProdYateam => matches!(other, Self::Prod | Self::ProdYateam),
            Self::Test => true,
            Self::TestYateam => matches!(other, Self::Test | Self::TestYateam),
            Self::Stress => matches!(other, Self::Stress),
        }
    }

    /// Returns `other` if this environment may be overridden to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the table of [`may_override_to`](Self::may_override_to)
    /// does not allow it.
    pub fn override_to(self, other: Self) -> Result<Self, Error> {
        if self.may_override_to(other) {
            Ok(other)
        } else {
            Err(Error::new(
                ErrorKind::IllegalUsage,
                format!("Overriding of BlackboxEnv is illegal: {self} -> {other}"),
            ))
        }
    }
}

impl fmt::Display for BlackboxEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses a name, ignoring case, with or without the underscore of `prod_yateam`.
impl FromStr for BlackboxEnv {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = match text.to_ascii_lowercase().as_str() {
            "prod_yateam" => Some(Self::ProdYateam),
            "test_yateam" => Some(Self::TestYateam),
            _ => None,
        };
        plain
            .or_else(|| {
                Self::ALL
                    .into_iter()
                    .find(|env| env.name().eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| Error::new(ErrorKind::IllegalUsage, "unknown BlackBox environment"))
    }
}

/// Parses a name like [`FromStr`].
impl<'de> Deserialize<'de> for BlackboxEnv {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(|_| {
            let names = Self::ALL.map(Self::name).join(", ");
            D::Error::custom(format_args!(
                "unknown BlackBox environment, not one of {names}"
            ))
        })
    }
}

/// Writes the [`name`](BlackboxEnv::name).
impl Serialize for BlackboxEnv {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for env in BlackboxEnv::ALL {
            assert_eq!(BlackboxEnv::from_number(env.number()), Some(env));
            assert_eq!(env.name().parse::<BlackboxEnv>().unwrap(), env);
            assert_eq!(
                env.meta_name()
                    .to_uppercase()
                    .parse::<BlackboxEnv>()
                    .unwrap(),
                env
            );
        }
        assert_eq!(BlackboxEnv::from_number(5), None);
        assert_eq!(
            "Prod_Yateam".parse::<BlackboxEnv>().unwrap(),
            BlackboxEnv::ProdYateam
        );
        assert!("".parse::<BlackboxEnv>().is_err());
    }

    #[test]
    fn environments_are_read_from_a_configuration_by_name() {
        for env in BlackboxEnv::ALL {
            let text = serde_json::to_string(&env).unwrap();
            assert_eq!(serde_json::from_str::<BlackboxEnv>(&text).unwrap(), env);
        }
        let env: BlackboxEnv = serde_json::from_str("\"prod_yateam\"").unwrap();
        assert_eq!(env, BlackboxEnv::ProdYateam);
        let error = serde_json::from_str::<BlackboxEnv>("\"x\"").unwrap_err();
        assert!(error.to_string().contains("ProdYateam"), "{error}");
    }

    #[test]
    fn only_stress_takes_another_environment() {
        for context in BlackboxEnv::ALL {
            for ticket in BlackboxEnv::ALL {
                let expected = context == ticket
                    || (context == BlackboxEnv::Stress && ticket == BlackboxEnv::Prod);
                assert_eq!(
                    context.accepts(ticket),
                    expected,
                    "{context} takes {ticket}"
                );
            }
        }
    }

    #[test]
    fn an_override_that_is_not_allowed_names_both() {
        let error = BlackboxEnv::Stress
            .override_to(BlackboxEnv::Prod)
            .unwrap_err();
        assert!(error.to_string().ends_with("illegal: Stress -> Prod"));
        let allowed = |from: BlackboxEnv| {
            BlackboxEnv::ALL
                .into_iter()
                .filter(|to| from.may_override_to(*to))
                .count()
        };
        assert_eq!(BlackboxEnv::ALL.map(allowed), [2, 5, 2, 2, 1]);
    }
}
