//! The initial state of the service.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use vouchsafe_core::mock::strict;
use vouchsafe_core::{Error, ErrorKind, Result, Secret};

use super::data::{AccessToken, Client, Grant, RefreshToken, SCOPES};
use super::directory::Directory;
use super::settings::Settings;
use super::state::{State, random};

/// The initial world of a [`Server`](super::Server): clients, tokens, the objects of the directory
/// (by domain and class; default: one user), and settings.
///
/// It is read from JSON:
///
/// ```
/// use vouchsafe_cloud_credentials::mock::Seed;
///
/// let seed = Seed::parse(r#"{
///     "clients": [
///         {"client_id": "app", "client_secret": "s3cr3t", "redirect_uris": ["https://app.example.com/back"]},
///         {"client_id": "cli", "redirect_uris": ["http://127.0.0.1/callback"], "scopes": ["logging-service:read"]}
///     ],
///     "tokens": [{"client_id": "app", "refresh_token": "r3fr3sh", "access_token": "0ld", "expires_in_s": -1}],
///     "developer_tokens": [{"token": "d3v"}],
///     "directory": {"example.org": {"users": [{"Name": "alice"}, {"Name": "bob"}]}},
///     "settings": {"rotation": "revokes", "access_token_lifetime_s": 60}
/// }"#)?;
/// # let _ = seed;
/// # Ok::<(), vouchsafe_cloud_credentials::core::Error>(())
/// ```
#[derive(Clone)]
pub struct Seed(File);

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    clients: Vec<ClientEntry>,
    #[serde(default)]
    tokens: Vec<TokenEntry>,
    #[serde(default)]
    developer_tokens: Vec<DeveloperEntry>,
    /// By domain, and then by class.
    directory: Option<Directory>,
    #[serde(default)]
    settings: Settings,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientEntry {
    client_id: String,
    client_secret: Option<Secret>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    scopes: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    client_id: String,
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    scopes: Option<Vec<String>>,
    expires_in_s: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeveloperEntry {
    token: Secret,
    scopes: Option<Vec<String>>,
}

impl Seed {
    /// Returns a small world: the client `app` with a secret, the client `cli` without, and a
    /// developer token, all with every scope. The secrets are random.
    #[must_use]
    pub fn sample() -> Self {
        let client = |id: &str, secret, redirect_uris: &[&str]| ClientEntry {
            client_id: id.to_owned(),
            client_secret: secret,
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            scopes: None,
            grant_types: None,
        };
        let loopback = "http://127.0.0.1/callback";
        Self(File {
            clients: vec![
                client(
                    "app",
                    Some(random()),
                    &["https://app.example.com/back", loopback],
                ),
                client("cli", None, &[loopback]),
            ],
            tokens: Vec::new(),
            developer_tokens: vec![DeveloperEntry {
                token: random(),
                scopes: None,
            }],
            directory: None,
            settings: Settings::default(),
        })
    }

    /// Reads a world.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it is not JSON of this form, with the place and the key of the
    /// fault; if two clients have the same id, or a token belongs to a missing client. Values are
    /// not quoted, since they may be secrets.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = strict::read(text)?;
        let seed = Self(file);
        seed.state(SystemTime::UNIX_EPOCH)?;
        Ok(seed)
    }

    /// Changes the behaviour of the service.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.0.settings);
        self
    }

    /// Creates the state that this describes, at a time.
    pub(super) fn state(&self, now: SystemTime) -> Result<State> {
        let mut state = State {
            settings: self.0.settings.clone(),
            ..State::default()
        };
        if let Some(directory) = &self.0.directory {
            state.consumers.directory = directory.clone();
        }
        for entry in &self.0.clients {
            let client = Client {
                id: entry.client_id.clone(),
                secret: entry.client_secret.clone().filter(|s| !s.is_empty()),
                redirect_uris: entry.redirect_uris.clone(),
                scopes: scopes(entry.scopes.as_ref()),
                grants: entry.grant_types.clone(),
            };
            if state.clients.insert(client.id.clone(), client).is_some() {
                return Err(wrong("two clients have the same client_id"));
            }
        }
        for entry in &self.0.tokens {
            entry.add(&mut state, now)?;
        }
        for entry in &self.0.developer_tokens {
            let token = entry.token.expose().to_owned();
            state
                .developer_tokens
                .insert(token, scopes(entry.scopes.as_ref()));
        }
        Ok(state)
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clients = self.0.clients.iter().map(|client| &client.client_id);
        f.debug_struct("Seed")
            .field("clients", &clients.collect::<Vec<_>>())
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl TokenEntry {
    fn add(&self, state: &mut State, now: SystemTime) -> Result<()> {
        let Some(client) = state.clients.get(&self.client_id) else {
            return Err(wrong("a token belongs to a client_id that is not there"));
        };
        let scopes = self.scopes.clone().unwrap_or_else(|| client.scopes.clone());
        let grant = state.grants.len();
        if let Some(token) = &self.access_token {
            let lifetime = state.settings.access_token_lifetime;
            let expires = match self.expires_in_s {
                None => now.checked_add(lifetime),
                Some(seconds) => Some(moved(now, seconds)),
            };
            state.access_tokens.insert(
                token.expose().to_owned(),
                AccessToken {
                    grant: Some(grant),
                    client: self.client_id.clone(),
                    scopes: scopes.clone(),
                    expires,
                },
            );
        }
        if let Some(token) = &self.refresh_token {
            let lifetime = state.settings.refresh_token_lifetime;
            state.refresh_tokens.insert(
                token.expose().to_owned(),
                RefreshToken {
                    grant,
                    expires: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
                    replaces: None,
                    replaced: None,
                    is_used: false,
                },
            );
        }
        state.grants.push(Grant {
            client: self.client_id.clone(),
            scopes,
            is_revoked: false,
        });
        Ok(())
    }
}

/// Moves a time by seconds, back if they are negative.
pub(super) fn moved(now: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let moved = match seconds {
        0.. => now.checked_add(by),
        _ => now.checked_sub(by),
    };
    moved.unwrap_or(now)
}

fn scopes(given: Option<&Vec<String>>) -> Vec<String> {
    match given {
        Some(given) => given.clone(),
        None => SCOPES.map(str::to_owned).to_vec(),
    }
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Config, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_together_is_refused_without_quoting_it() {
        for (text, why) in [
            ("{", "EOF"),
            (
                "{\n\"planted\": 1}",
                "line 2, column 9: planted: unknown field",
            ),
            (
                r#"{"clients": [], "settings": {"rotation": "secret"}}"#,
                "settings.rotation: expected",
            ),
            (
                r#"{"clients": [{"client_id": "secret"}, {"client_id": "secret"}]}"#,
                "two clients",
            ),
            (
                r#"{"clients": [], "tokens": [{"client_id": "secret"}]}"#,
                "client_id that is not there",
            ),
        ] {
            let error = Seed::parse(text).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let text = r#"{"clients": [{"client_id": "c", "client_secret": "planted"}],
            "tokens": [{"client_id": "c", "refresh_token": "planted"}],
            "developer_tokens": [{"token": "planted"}]}"#;
        let seed = Seed::parse(text).unwrap();
        let state = seed.state(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!format!("{seed:?} {state:?}").contains("planted"));
    }
}
