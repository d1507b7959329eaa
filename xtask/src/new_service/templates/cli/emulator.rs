//! {{TITLE}} over TCP: what it knows at its start, and the token that it accepts.

use vouchsafe::{{MODULE}}::mock::{Seed, Server};

use crate::failure::Failure;
use crate::service::{Emulator, Part, Start};

/// Makes the emulator, in a given state or with a new token.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let mut part = Part::default();
    let server = match &start.seed {
        Some(seed) => {
            let known = Seed::parse(&seed.text).map_err(|error| seed.wrong(error.message()))?;
            Server::from_seed(&known)
        }
        None => {
            let server = Server::new();
            part.tokens.insert("user", server.token());
            server
        }
    };
    part.paths.insert("base", server.base_path().to_owned());
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}
