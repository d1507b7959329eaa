//! The generations of servers.

use std::fmt;
use std::ops::RangeBounds;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use super::layout::Part;
use super::{Auth, Client};
use crate::generated::account::calls;
use crate::{Error, ErrorKind, Result};

/// A generation of servers (protocol section 2). Later ones are greater.
///
/// Displayed and parsed as `0.14`, `0.15` and `0.16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Up to 0.14: fixed paths, bare holders and the source `system`, no projects.
    V014,
    /// 0.15: a catalog, bare holders, projects with numbers as ids and with applications apart.
    V015,
    /// 0.16 and later: prefixed holders, projects as sources, uuids as ids.
    V016,
}

impl Dialect {
    const ALL: [Self; 3] = [Self::V014, Self::V015, Self::V016];

    /// Returns the first version of the generation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V014 => "0.14",
            Self::V015 => "0.15",
            Self::V016 => "0.16",
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

/// The generation that a client takes its server for.
#[derive(Debug)]
pub(super) struct Generation(AtomicU8);

/// Set if the caller did not name the generation.
const ASSUMED: u8 = 1 << 7;

impl Generation {
    /// One that was named, or the usual one.
    pub(super) fn new(named: Option<Dialect>, usual: Dialect) -> Self {
        Self(AtomicU8::new(match named {
            Some(dialect) => dialect as u8,
            None => usual as u8 | ASSUMED,
        }))
    }

    fn get(&self) -> Dialect {
        match self.0.load(Ordering::Relaxed) & !ASSUMED {
            0 => Dialect::V014,
            1 => Dialect::V015,
            _ => Dialect::V016,
        }
    }

    fn is_assumed(&self) -> bool {
        self.0.load(Ordering::Relaxed) & ASSUMED != 0
    }

    fn learn(&self, dialect: Dialect) {
        self.0.store(dialect as u8, Ordering::Relaxed);
    }
}

impl Client {
    /// Returns which generation of servers the client talks to.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.generation.get()
    }

    /// Finds out which generation the server is, and talks to it accordingly from now on.
    ///
    /// Sends one or two requests without a token: what a server knows it refuses for the missing
    /// token (401), what it does not know as an unknown path (400 or 404). No answer needs a
    /// token, and none is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] or [`ErrorKind::Connection`] if the server cannot be asked;
    /// any other if it answers something else.
    pub async fn discover_dialect(&self) -> Result<Dialect> {
        let params = calls::ServiceProjectQuotasParams::default();
        let dialect = if self.knows(calls::service_project_quotas(&params)?).await? {
            Dialect::V016
        } else {
            let params = calls::LegacyUserInfoParams::default();
            match self.knows(calls::legacy_user_info(&params)?).await? {
                true => Dialect::V014,
                false => Dialect::V015,
            }
        };
        self.inner.generation.learn(dialect);
        Ok(dialect)
    }

    /// Returns whether the server knows what is called.
    async fn knows(&self, call: vouchsafe_core::call::Call) -> Result<bool> {
        match self.send(Part::Account, call, Auth::None).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                ErrorKind::Unauthorized => Ok(true),
                ErrorKind::BadRequest | ErrorKind::NotFound => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Refuses what servers of this generation do not have, before anything is sent.
    pub(super) fn require(&self, what: &str, there: impl RangeBounds<Dialect>) -> Result<()> {
        let dialect = self.dialect();
        if there.contains(&dialect) {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "servers of {dialect} do not have {what}; if the server is of another generation, set \
             it with ClientBuilder::dialect or call Client::discover_dialect"
        )))
    }

    /// Takes over what an answer tells of the server. An error if the caller named another
    /// generation.
    pub(super) fn learn_dialect(&self, told: Dialect) -> Result<()> {
        if self.inner.generation.is_assumed() {
            self.inner.generation.learn(told);
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "the server answered as those of {told} do and was called as one of {}: set its \
             generation with ClientBuilder::dialect or call Client::discover_dialect",
            self.dialect()
        )))
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
}
