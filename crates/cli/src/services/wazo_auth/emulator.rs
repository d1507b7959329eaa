//! wazo-auth over TCP: its initial state, and the token of its administrator.

use vouchsafe::wazo_auth::mock::{Seed, Server};

use crate::failure::Failure;
use crate::service::{Emulator, Part, Start};

/// Creates the emulator, in a given state or in the one that tests in process start with.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let mut part = Part::default();
    let server = match &start.seed {
        Some(seed) => {
            let world = Seed::parse(&seed.text).map_err(|error| seed.wrong(error.message()))?;
            Server::from_seed(&world)
        }
        None => {
            let server = Server::new();
            part.tokens.insert(ADMIN, server.issue_token(ADMIN));
            server
        }
    };
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}

/// The user of the built-in state, who may do everything.
const ADMIN: &str = "admin";
