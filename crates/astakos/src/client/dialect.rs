//! The generations of servers.

use std::sync::atomic::{AtomicU8, Ordering};

use super::layout::Part;
use super::{Auth, Client};
use crate::generated::account::paths;
use crate::{ErrorKind, Result};

/// A generation of servers (protocol section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub(super) fn cell(self) -> AtomicU8 {
        AtomicU8::new(self as u8)
    }

    pub(super) fn get(cell: &AtomicU8) -> Self {
        match cell.load(Ordering::Relaxed) {
            0 => Self::V014,
            1 => Self::V015,
            _ => Self::V016,
        }
    }
}

impl Client {
    /// Returns which generation of servers is talked to.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        Dialect::get(&self.inner.dialect)
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
        let params = paths::ServiceProjectQuotasParams::default();
        let dialect = if self.knows(paths::service_project_quotas(&params)?).await? {
            Dialect::V016
        } else {
            let params = paths::LegacyUserInfoParams::default();
            match self.knows(paths::legacy_user_info(&params)?).await? {
                true => Dialect::V014,
                false => Dialect::V015,
            }
        };
        self.inner.dialect.store(dialect as u8, Ordering::Relaxed);
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
}
