//! Gafaelfawr and Repertoire over TCP: their initial state, paths and tokens.

use std::collections::BTreeMap;

use vouchsafe::userinfo::mock::{Seed, Server};

use crate::failure::Failure;
use crate::service::{Emulator, Part, Start};

/// Creates the emulator, in a given state or in the one that tests in process start with.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let (server, tokens) = match &start.seed {
        Some(seed) => {
            let world = Seed::parse(&seed.text, seed.config.as_deref())
                .map_err(|error| seed.wrong(error.core().message()))?;
            (Server::from_seed(&world), BTreeMap::new())
        }
        None => {
            let server = Server::new();
            let tokens = WHOSE
                .into_iter()
                .filter_map(|whose| Some((whose, server.token(whose)?.secret().clone())))
                .collect();
            (server, tokens)
        }
    };
    let paths = [
        ("gafaelfawr", "/auth/api/v1".to_owned()),
        ("repertoire", server.repertoire_path()),
    ];
    let part = Part {
        paths: paths.into(),
        tokens,
    };
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}

/// The names of the tokens in the built-in state.
const WHOSE: [&str; 5] = ["alice", "bob", "service", "admin", "bootstrap"];
