//! The variables that credentials are read from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret, env};

use crate::Result;

/// Where variables come from: the environment of the process, or a function.
///
/// As in `pancloud`, a variable is looked up each time it is needed, so changes are noticed. An
/// empty one counts as missing.
///
/// | variable | value |
/// | --- | --- |
/// | `PAN_ACCESS_TOKEN`, `PAN_CLIENT_ID`, `PAN_CLIENT_SECRET`, `PAN_REFRESH_TOKEN` | the credentials |
/// | `CLIENT_ID`, `CLIENT_SECRET`, `REFRESH_TOKEN` | the same, if all three are set and the four above are not |
/// | `PAN_DEVELOPER_TOKEN`, `PAN_DEVELOPER_TOKEN_PROVIDER` | the developer token, and the URL where it is exchanged |
/// | `PAN_CREDENTIALS_DBFILE` | the file of credentials |
/// | `PAN_PROFILE` | the profile |
#[derive(Clone)]
pub struct Environment(Arc<Look>);

type Look = dyn Fn(&str) -> vouchsafe_core::Result<Option<Secret>> + Send + Sync;

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(Arc::new(env::secret))
    }

    /// Variables that a function looks up.
    #[must_use]
    pub fn from_fn(look: impl Fn(&str) -> Option<Secret> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |name| Ok(look(name))))
    }

    /// Returns a variable that is not empty.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Secret>> {
        Ok((self.0)(name)?.filter(|value| !value.is_empty()))
    }

    /// Returns a variable that is not secret.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.secret(name)?.map(|value| value.expose().to_owned()))
    }

    /// Returns where the file of credentials is: at `PAN_CREDENTIALS_DBFILE`, or else at
    /// `.config/pancloud/credentials.json` below `HOME`.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if neither is set, or one is not text.
    pub fn file(&self) -> Result<PathBuf> {
        if let Some(path) = self.text("PAN_CREDENTIALS_DBFILE")? {
            return Ok(PathBuf::from(path));
        }
        let home = self.text("HOME")?.ok_or_else(|| {
            let what = "neither PAN_CREDENTIALS_DBFILE nor HOME is set in the environment";
            Core::new(Kind::Config, what)
        })?;
        Ok(PathBuf::from(home).join(".config/pancloud/credentials.json"))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}
