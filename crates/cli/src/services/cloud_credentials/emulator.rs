//! Cortex Data Lake and its authorization server over TCP: their initial state and credentials.

use vouchsafe::cloud_credentials::mock::{Seed, Server};

use crate::failure::Failure;
use crate::service::{Emulator, Part, Start};

/// Creates the emulator, in a given state or in the one that tests in process start with.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let server = match &start.seed {
        Some(seed) => {
            let world = Seed::parse(&seed.text).map_err(|error| seed.wrong(error.message()))?;
            Server::from_seed(&world)
        }
        None => Server::new(),
    };
    let mut part = Part {
        paths: [("base", server.base_path().to_owned())].into(),
        tokens: [("user", server.token())].into(),
    };
    if start.seed.is_none() {
        let login = server.log_in(CLIENT)?;
        let created = [
            ("client_secret", login.client_secret),
            ("refresh_token", login.refresh_token),
            ("developer_token", server.developer_token()),
        ];
        for (name, secret) in created {
            part.tokens
                .extend(secret.into_iter().map(|secret| (name, secret)));
        }
    }
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}

/// The client of the built-in state that has a secret.
const CLIENT: &str = "app";
