//! What the emulator knows at its start.

use serde::Deserialize;
use vouchsafe_core::mock::{random_token, strict};
use vouchsafe_core::{Result, Secret};

use super::state::State;

/// What a [`Server`](super::Server) knows at its start: the token that it accepts.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) state: State,
}

impl Seed {
    /// Returns a seed with a new token.
    #[must_use]
    pub fn sample() -> Self {
        Self { state: State::new(random_token::<16>()) }
    }

    /// Reads a seed: a JSON object with the member `token`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](vouchsafe_core::ErrorKind::Config) if it is not JSON of this form, with
    /// the place of the fault. The token is not quoted.
    pub fn parse(text: &str) -> Result<Self> {
        let File { token } = strict::read(text)?;
        Ok(Self { state: State::new(token) })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    token: Secret,
}
