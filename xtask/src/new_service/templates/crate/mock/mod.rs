//! An emulator of {{TITLE}}, for tests without a network.
//!
//! [`Server`] answers each operation with the example of its description, and refuses requests
//! without a route or a valid token.

mod seed;
mod state;

use vouchsafe_core::Secret;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::Emulator;

pub use self::seed::Seed;
use self::state::State;
use crate::{Client, ClientBuilder, Error, Result};

/// Returns every operation of the service with its properties, such as whether it may be sent
/// again, for tests that cover all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    crate::OPERATIONS.iter().map(|described| described.operation)
}

/// {{TITLE}} in memory.
///
/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Server {
    emulator: Emulator<State>,
}

impl Server {
    /// Starts a server that accepts a new token.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Returns the token that the server accepts.
    #[must_use]
    pub fn token(&self) -> Secret {
        self.emulator.state().token()
    }

    /// Returns the path that a client's base URL ends in.
    #[must_use]
    pub fn base_path(&self) -> &'static str {
        "{{BASE}}"
    }

    /// Returns a new client of this server, in process, with its token.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`]; none is expected.
    pub fn client(&self) -> Result<Client> {
        self.client_builder().build()
    }

    /// Returns a builder with this server's URL, transport and token, to set the rest.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .base_url(format!("https://{{NAME}}.example.com{}", self.base_path()))
            .transport(self.host().transport())
            .token(self.token())
    }

    vouchsafe_core::emulator_methods!(emulator, Error);
}

vouchsafe_core::emulator_builder!(Seed, Seed::sample, "Seed::sample");

impl ServerBuilder {
    /// Starts the server.
    #[must_use]
    pub fn start(self) -> Server {
        let (clock, Seed { state: start }) = self.parts();
        Server { emulator: Emulator::new(clock, move || start.clone()) }
    }
}
