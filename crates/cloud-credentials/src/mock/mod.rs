//! An emulator of Cortex Data Lake with its authorization server, for tests without a network.
//!
//! [`Server`] has the authorization page, the token, revocation, device and developer token
//! endpoints, the metadata, and the services (protocol sections 2 to 4). It checks, refuses and
//! counts like an authorization server that follows RFC 9700; [`Settings`] has the differences
//! between servers. If the token is valid, the services keep what is written and answer queries on
//! it; the directory has the objects of the [`Seed`]. Tests control the time through the server's
//! clock.

mod api;
mod authorize;
mod consumers;
mod data;
mod device;
mod directory;
mod emulated;
mod issue;
mod manage;
mod metadata;
mod params;
mod refusal;
mod revoke;
mod routes;
mod seed;
mod settings;
mod state;
mod token;

use std::sync::Arc;

use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::Emulator;
use vouchsafe_core::{Clock as _, Secret};

pub use self::data::{Counts, Decision};
pub use self::seed::Seed;
pub use self::settings::{Consent, ExpiresIn, Method, Rate, Rotation, Settings, TokenFormat};
use self::state::State;
use crate::{Client, ClientBuilder, Credentials, CredentialsBuilder, Error, Result, Values};

/// Returns every operation of the service with its properties, such as whether it may be sent
/// again, for tests that cover all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    crate::OPERATIONS
        .iter()
        .map(|described| described.operation)
}

/// Cortex Data Lake and its authorization server in memory.
///
/// Cheap to clone; clones share everything. Tokens expire by the [`clock`](Self::clock), which
/// follows the machine's until a test sets it.
///
/// ```
/// use vouchsafe_cloud_credentials::mock::Server;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = Server::new();
/// let login = server.log_in("app")?;
/// let credentials = server
///     .credentials_builder()
///     .client_id("app")
///     .client_secret(login.client_secret.unwrap())
///     .refresh_token(login.refresh_token.unwrap())
///     .build()?;
/// let client = server.client_builder().credentials(&credentials).build()?;
/// client.directory().domains().await?;
/// assert_eq!(server.counts().refreshes(), 1);
/// # Ok::<(), vouchsafe_cloud_credentials::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    emulator: Emulator<State>,
    token: Secret,
}

/// The URL of the server in process.
const BASE_URL: &str = "https://cloud-credentials.example.com";

impl Server {
    /// Starts a server with the world of [`Seed::sample`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Returns an access token that has every scope and does not expire.
    #[must_use]
    pub fn token(&self) -> Secret {
        self.token.clone()
    }

    /// Returns the path that a client's base URL ends in.
    #[must_use]
    pub fn base_path(&self) -> &'static str {
        ""
    }

    /// Returns a new client of this server, in process, with its [`token`](Self::token).
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
            .base_url(BASE_URL)
            .transport(self.host().transport())
            .token(self.token())
    }

    /// Returns a builder of credentials with this server's URLs and transport, to set the rest.
    pub fn credentials_builder(&self) -> CredentialsBuilder {
        Self::credentials_builder_at(BASE_URL).transport(self.host().transport())
    }

    /// Returns a builder of credentials with a server's URLs below another base URL, such as that
    /// of [`Serving`](vouchsafe_core::mock::Serving), to set the rest.
    pub fn credentials_builder_at(url: &str) -> CredentialsBuilder {
        Credentials::builder()
            .token_url(url)
            .authorization_url(format!("{url}{}", routes::AUTHORIZE))
            .device_authorization_url(format!("{url}{}", routes::DEVICE))
            .developer_token_provider(format!("{url}{}", crate::credentials::REDEEM.path()))
    }

    /// Logs a client in, without a user, and returns its credentials.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if there is no such client.
    pub fn log_in(&self, client_id: &str) -> Result<Values> {
        let now = self.emulator.now();
        let mut state = self.emulator.state();
        let issued = state.log_in_without_user(client_id, None, now)?;
        let client = state.clients.get(client_id);
        Ok(Values {
            access_token: Some(issued.access_token),
            client_id: Some(client_id.to_owned()),
            client_secret: client.and_then(|client| client.secret.clone()),
            refresh_token: issued.refresh_token,
        })
    }

    /// Returns the secret of a client, if the client exists and has one.
    #[must_use]
    pub fn client_secret(&self, client_id: &str) -> Option<Secret> {
        self.emulator.state().clients.get(client_id)?.secret.clone()
    }

    /// Returns whether a refresh with this token would be granted now.
    #[must_use]
    pub fn takes_refresh_token(&self, token: &Secret) -> bool {
        let now = self.emulator.now();
        let state = self.emulator.state();
        let found = state.good_refresh_token(token.expose(), now);
        found.is_some_and(|found| !found.is_used)
    }

    /// Returns whether the services accept this access token now.
    #[must_use]
    pub fn takes_access_token(&self, token: &Secret) -> bool {
        let now = self.emulator.now();
        let state = self.emulator.state();
        state.good_access_token(token.expose(), now).is_some()
    }

    /// Returns a developer token, if there is one.
    #[must_use]
    pub fn developer_token(&self) -> Option<Secret> {
        let state = self.emulator.state();
        let token = state.developer_tokens.keys().next()?;
        Some(Secret::from(token.as_str()))
    }

    /// Expires all access tokens except [`token`](Self::token).
    pub fn expire_access_tokens(&self) {
        self.emulator.state().expire(None);
    }

    /// Revokes all tokens of a client from logins.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if there is no such client.
    pub fn revoke_logins(&self, client_id: &str) -> Result<()> {
        self.emulator.state().revoke_logins(client_id)?;
        Ok(())
    }

    /// Decides for the user of a device, as the user would on the page, and returns whether a
    /// device with this code is waiting.
    #[must_use]
    pub fn decide_device(&self, user_code: &str, decision: Decision) -> bool {
        let now = self.emulator.now();
        let mut state = self.emulator.state();
        state.decide_device(Some(user_code), decision, now) > 0
    }

    /// Returns the numbers of requests since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.emulator.state().counts.clone()
    }

    /// Changes the behaviour of the server, until [`reset`](Self::reset).
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.emulator.state().settings);
    }

    vouchsafe_core::emulator_methods!(emulator, Error);
}

vouchsafe_core::emulator_builder!(Seed, Seed::sample, "Seed::sample");

impl ServerBuilder {
    /// Changes the behaviour of the server.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let seed = self.seed.unwrap_or_else(Seed::sample);
        self.seed = Some(seed.settings(change));
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// Never: a seed is checked when it is read.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn start(self) -> Server {
        let (clock, seed) = self.parts();
        let token = state::random();
        let (shown, own) = (Arc::clone(&clock), token.clone());
        let start = move || {
            let mut state = seed.state(shown.now()).expect("it was checked");
            state.know(&own);
            state
        };
        Server {
            emulator: Emulator::new(clock, start),
            token,
        }
    }
}
