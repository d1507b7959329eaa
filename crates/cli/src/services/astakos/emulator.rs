//! Astakos over TCP: its initial state, paths and tokens.

use vouchsafe::astakos::mock::{Seed, Server};

use crate::failure::Failure;
use crate::service::{Emulator, Part, Start};

/// Creates the emulator, in a given state or in the built-in one.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let mut part = Part::default();
    let server = match &start.seed {
        Some(seed) => Seed::parse(&seed.text)
            .and_then(|state| Server::builder().seed(state).start())
            .map_err(|error| seed.wrong(error.core().message()))?,
        None => {
            let server = Server::new();
            let users = ["alice", "bob", "carol"].into_iter().filter_map(|whose| {
                let token = server.user_token(&format!("{whose}@example.org"))?;
                Some((whose, token))
            });
            let components = ["astakos", "cyclades", "pithos"].into_iter();
            let components =
                components.filter_map(|whose| Some((whose, server.service_token(whose)?)));
            part.tokens.extend(users.chain(components));
            server
        }
    };
    part.paths.insert("base", server.base_path());
    part.paths.insert("identity", server.identity_path());
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}
