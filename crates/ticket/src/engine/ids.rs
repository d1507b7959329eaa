//! Numbers that must not be confused: ids of services, users and keys. What they may do is not
//! here.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name($number);

        impl $name {
            /// Wraps the number.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl From<$number> for $name {
            fn from(number: $number) -> Self {
                Self(number)
            }
        }

        impl From<$name> for $number {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// The id of a service. No service has the id zero.
    TvmId(u32)
}

id! {
    /// The id of a user. Zero stands for "no default user" in a ticket.
    Uid(u64)
}

id! {
    /// The id of a public key, unique among the keys for services or among those for users.
    KeyId(u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_in_text_and_json() {
        assert_eq!("42".parse(), Ok(TvmId::new(42)));
        assert!("4294967296".parse::<TvmId>().is_err());
        assert_eq!(Uid::new(u64::MAX).to_string(), "18446744073709551615");
        assert_eq!(serde_json::to_string(&KeyId::new(7)).unwrap(), "7");
    }
}
