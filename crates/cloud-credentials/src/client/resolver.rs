//! The credentials of a client that was given none.

use std::fmt;
use std::sync::OnceLock;

use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::{BoxFuture, CoreClientBuilder, Result as CoreResult};

use crate::{Credentials, CredentialsBuilder, Result};

/// The credentials of the environment, or else of the file. Both are looked for when the first token is
/// needed: a client whose calls are given tokens needs neither.
pub(super) struct Resolver {
    core: CoreClientBuilder,
    found: OnceLock<Credentials>,
}

impl Resolver {
    /// Creates a source whose token requests are sent as these settings say.
    pub(super) fn new(core: CoreClientBuilder) -> Self {
        Self {
            core,
            found: OnceLock::new(),
        }
    }

    fn find(&self) -> Result<&Credentials> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let builder = CredentialsBuilder::from_env()?;
        let found = builder.core(self.core.clone()).build()?;
        Ok(self.found.get_or_init(|| found))
    }
}

impl TokenSource for Resolver {
    fn token(&self) -> BoxFuture<'_, CoreResult<Token>> {
        match self.find() {
            Ok(found) => found.token(),
            Err(error) => Box::pin(std::future::ready(Err(error.core().clone()))),
        }
    }

    fn forget(&self, generation: u64) {
        if let Some(found) = self.found.get() {
            found.forget(generation);
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
