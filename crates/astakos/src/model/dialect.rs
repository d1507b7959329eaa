//! The generations of servers.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A generation of servers (protocol section 2). Later ones are greater.
///
/// Displayed and parsed as `0.14`, `0.15` and `0.16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Up to 0.14: fixed paths, bare holders and the source `system`, no projects.
    V014,
    /// 0.15: a catalog, bare holders, projects with numbers as ids and separate applications.
    V015,
    /// 0.16 and later: prefixed holders, projects as sources, uuids as ids.
    V016,
}

impl Dialect {
    pub(crate) const ALL: [Self; 3] = [Self::V014, Self::V015, Self::V016];

    /// Returns the first version of the generation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V014 => "0.14",
            Self::V015 => "0.15",
            Self::V016 => "0.16",
        }
    }

    /// Returns whether a range of versions includes servers of the generation. The range is a
    /// version, such as `0.15`, or a version and later ones, such as `0.20+`.
    pub(crate) fn is_among(self, versions: &str) -> bool {
        let first = versions.trim_end_matches('+');
        let mut all = Self::ALL.into_iter().rev();
        // All versions have four characters.
        let first_generation = all.find(|dialect| dialect.as_str() <= first);
        match versions.ends_with('+') {
            true => Some(self) >= first_generation,
            false => Some(self) == first_generation,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|dialect| dialect.as_str() == text)
            .ok_or_else(|| Error::bad_value("not a generation of servers: 0.14, 0.15 or 0.16"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_as_it_is_shown_and_later_ones_are_greater() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse::<Dialect>().unwrap(), dialect);
        }
        assert!("0.17".parse::<Dialect>().is_err());
        assert!(Dialect::ALL.is_sorted());
    }

    #[test]
    fn a_generation_spans_the_versions_until_the_next() {
        let among = |versions| Dialect::ALL.map(|dialect| dialect.is_among(versions));
        assert_eq!(among("0.14"), [true, false, false]);
        assert_eq!(among("0.15"), [false, true, false]);
        assert_eq!(among("0.15+"), [false, true, true]);
        assert_eq!(among("0.20+"), [false, false, true]);
    }
}
